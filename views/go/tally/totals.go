package tally

import (
	"errors"
	"unsafe"
)

// Totals keeps sums under keys, as JSON objects that always have the same members: {"tokens_in":1482000,"tokens_out":3291000}.
type Totals struct {
	around []string // what is written before, between and after the numbers
	plain  bool     // addCounts can do it
}

// totalsRoom is enough for the totals of nearly every key; more is allocated.
const totalsRoom = 256

// NewTotals returns totals whose members have these names.
func NewTotals(names ...string) *Totals {
	t := &Totals{}
	before := "{"
	for _, name := range names {
		t.around = append(t.around, string(AppendString([]byte(before), name))+":")
		before = ","
	}
	t.around = append(t.around, "}")
	t.plain = len(names) <= maxCounts
	for _, before := range t.around[:len(names)] {
		t.plain = t.plain && len(before) >= word && len(before) <= 2*word
	}
	return t
}

// Add adds an amount for each name to the totals of a key, and writes them. A key without totals starts from 0. An error
// is for Fold to return, and nothing is written: the value of the key is not what Totals writes, or a sum exceeds what a
// [Decimal] can hold.
func (t *Totals) Add(key string, amounts ...Decimal) error {
	if len(amounts)+1 != len(t.around) {
		panic("tally: Totals.Add needs an amount for each name that NewTotals was given")
	}
	if batch.on {
		if t.addQuickly(key, amounts) {
			return nil
		}
		if done, err := t.addHeld(key, amounts); done {
			return err
		}
	}
	value, ok := get(key)
	if ok && t.plain {
		room := take(totalsRoom)
		if n := addCounts(room, value, t.around, amounts); n > 0 {
			importSet(key, unsafe.String((*byte)(room), n))
			return nil
		}
	}
	return t.addAny(key, value, ok, amounts)
}

// Load returns the totals of a key, in the order of their names; zeros if it has none. An error is for Fold or Guard to return: the value
// of the key is not what Totals writes.
func (t *Totals) Load(key string) ([]Decimal, error) {
	sums := make([]Decimal, len(t.around)-1)
	if value, ok := Get(key); ok && !t.read(NoCopy(value), sums) {
		return nil, foreign(key)
	}
	return sums, nil
}

// addAny is apart so that the common sum needs little of the stack.
func (t *Totals) addAny(key string, value []byte, stored bool, amounts []Decimal) error {
	sums, err := t.add(Room(totalsRoom), NoCopy(value), stored, amounts)
	switch {
	case err == nil:
		Set(key, sums)
		return nil
	case errors.Is(err, errOverflow):
		return errors.New("the totals of key " + Shown(key) +
			" pass 90 digits before the point, which is all that this view can count")
	}
	return foreign(key)
}

// foreign returns the error of a value that the view cannot have written.
func foreign(key string) error {
	return errors.New("the state of key " + Shown(key) + " is not what this view writes; fold the log again as a new version of the view")
}

var (
	errForeignTotals = errors.New("not what Totals writes")
	errOverflow      = errors.New("too large a sum")
)

// add appends the sums of the totals in value and the amounts, in one pass. The value is read in the form that it was
// written in, and in no other.
func (t *Totals) add(b []byte, value string, stored bool, amounts []Decimal) (sums []byte, err error) {
	at := 0
	for i := range amounts {
		before := t.around[i]
		b = appendText(b, before)
		var sum Decimal
		if stored {
			if !hasAt(value, at, before) {
				return nil, errForeignTotals
			}
			if sum, at = takeNumber(value, at+len(before), wholeDigits, fractionDigits); at == none {
				return nil, errForeignTotals
			}
		}
		sum, ok := sum.Add(amounts[i])
		if !ok {
			err = errOverflow // unless what follows is foreign
		}
		b = sum.Append(b)
	}
	last := t.around[len(amounts)]
	if stored && (!hasAt(value, at, last) || at+len(last) != len(value)) {
		return nil, errForeignTotals
	}
	return appendText(b, last), err
}
