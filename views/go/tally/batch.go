package tally

import (
	"errors"
	"unsafe"
)

// In a batch the server passes many events in one call. What [Totals.Add] has read is then held here until the end of the call, and
// written once. The state after the batch is the same, byte for byte, as after its events one by one; if that is in doubt the
// batch fails, and the server folds them one by one.
const (
	batchSlots = 128 // of the hash table; a power of two, and room to spare beside maxHeld and what an event adds

	// With so many keys, totals or bytes of keys held, all are written before the next event.
	maxHeld, maxHeldSums, maxHeldBytes = 64, 128, 2048
	// The most that is held: an event's totals beyond it bypass the batch.
	heldRoom, heldSums, heldBytes = 80, 160, 4096

	maxBatchTotals = 16 // of a key
	// maxBatchAdds bounds the gas that a batch saves an event, to what docs/abi.md allows.
	maxBatchAdds = 16
)

// heldTotals are the held totals of a key.
type heldTotals struct {
	of    *Totals
	hash  uint64
	key   string
	sums  []Decimal
	known bool
	dirty bool
}

// batch holds the totals of the running batch.
var batch struct {
	on     bool
	failed bool // it must not count
	adds   int  // of the event
	n      int
	sums   int
	bytes  int
	slots  [batchSlots]uint8 // 1 + the place in held, 0 if there is none
	held   [heldRoom]heldTotals
	of     [heldSums]Decimal
	keys   [heldBytes]byte
}

// errAlone ends a batch.
var errAlone = errors.New("this event is to be folded alone")

// sameKey compares two texts word by word.
func sameKey(a, b string) bool {
	n := len(a)
	if n != len(b) {
		return false
	}
	if n <= word {
		return wordUpTo(a, 0, n) == wordUpTo(b, 0, n)
	}
	for i := 0; i < n-word; i += word {
		if wordAt(a, i) != wordAt(b, i) {
			return false
		}
	}
	return wordAt(a, n-word) == wordAt(b, n-word)
}

// hashShift leaves of a hash the number of a slot.
const hashShift = 64 - 7

var _ [batchSlots]struct{} = [1 << (64 - hashShift)]struct{}{}

const hashMix = 0x9E3779B97F4A7C15

// keyWords are four words of a key of one to four words, which may overlap and together are all of it.
func keyWords(p unsafe.Pointer, n int) (a, b, c, d uint64) {
	return *(*uint64)(p), *(*uint64)(unsafe.Add(p, min(word, n-word))), *(*uint64)(unsafe.Add(p, max(0, n-2*word))),
		*(*uint64)(unsafe.Add(p, n-word))
}

// mixed returns the hash of such a key.
func mixed(a, b, c, d uint64, n int) uint64 {
	h := (a ^ uint64(n)) * hashMix
	h = (h ^ h>>32 ^ b) * hashMix
	h = (h ^ h>>32 ^ c) * hashMix
	return (h ^ h>>32 ^ d) * hashMix
}

func keyHash(key string) uint64 {
	n := len(key)
	if n < word {
		return (wordUpTo(key, 0, n) ^ uint64(n)) * hashMix
	}
	if n <= shortText {
		a, b, c, d := keyWords(unsafe.Pointer(unsafe.StringData(key)), n)
		return mixed(a, b, c, d, n)
	}
	h := wordAt(key, n-word) ^ uint64(n)
	for i := 0; i < n-word; i += word {
		h = h*hashMix ^ wordAt(key, i) ^ h>>32
	}
	return h * hashMix
}

// heldOf returns the held totals of a key, nil if there are none, and its slot.
func heldOf(key string) (h *heldTotals, hash uint64, slot uint64) {
	hash = keyHash(key)
	slot = hash >> hashShift
	for batch.slots[slot] != 0 {
		if h := &batch.held[batch.slots[slot]-1]; h.hash == hash && sameKey(h.key, key) {
			return h, hash, slot
		}
		slot = (slot + 1) % batchSlots
	}
	return nil, hash, slot
}

// addQuickly does the work of addHeld for nearly all of a batch: whole numbers for totals that are held already, under a key of one to four
// words. It does all in one function without a call and with few branches, which is what makes it quick; whatever is not as expected it
// leaves as it is.
func (t *Totals) addQuickly(key string, amounts []Decimal) bool {
	n, p := len(key), unsafe.Pointer(unsafe.StringData(key))
	if uint(n-word) > shortText-word {
		return false
	}
	a, b, c, d := keyWords(p, n)
	hash := mixed(a, b, c, d, n)
	slot := hash >> hashShift
	place := uint(batch.slots[slot]) - 1
	for place < heldRoom && batch.held[place].hash != hash {
		slot = (slot + 1) % batchSlots
		place = uint(batch.slots[slot]) - 1
	}
	if place >= heldRoom {
		return false
	}
	h := &batch.held[place] // another key of that hash is not looked for
	if h.of != t || !h.known || len(h.key) != n || len(h.sums) != len(amounts) {
		return false
	}
	e, f, g, i := keyWords(unsafe.Pointer(unsafe.StringData(h.key)), n)
	if a^e|b^f|c^g|d^i != 0 {
		return false
	}
	sums := h.sums[:len(amounts)]
	var unusual uint64
	for i := range amounts {
		unusual |= amounts[i].unusual() | sums[i].unusual() | (limbBase-1-amounts[i].units-sums[i].units)>>63 // the sum has a limb more
	}
	if unusual != 0 {
		return false
	}
	for i := range amounts {
		sums[i].units += amounts[i].units
	}
	h.dirty = true
	batch.adds++
	return true
}

// hold makes room for a key's totals; nil if there is none.
func (t *Totals) hold(key string, hash, slot uint64) *heldTotals {
	n := len(t.around) - 1
	if n > maxBatchTotals || batch.n == heldRoom || batch.sums+n > heldSums || batch.bytes+len(key) > heldBytes {
		return nil
	}
	own := batch.keys[batch.bytes:][:len(key)]
	copy(own, key)
	h := &batch.held[batch.n]
	*h = heldTotals{of: t, hash: hash, key: NoCopy(own), sums: batch.of[batch.sums:][:n]}
	batch.n++
	batch.sums += n
	batch.bytes += len(key)
	batch.slots[slot] = uint8(batch.n)
	return h
}

// addHeld adds to the totals that the batch holds; done is false if it does not hold those of this key.
func (t *Totals) addHeld(key string, amounts []Decimal) (done bool, err error) {
	batch.adds++
	h, hash, slot := heldOf(key)
	if h == nil {
		if h = t.hold(key, hash, slot); h == nil {
			return false, nil
		}
	}
	if h.of != t {
		forgetHeld(key) // one key in two kinds of totals: past the batch
		return false, nil
	}
	if !h.known {
		if err := h.read(); err != nil {
			return true, err
		}
	}
	for i := range amounts {
		var ok bool
		if h.sums[i], ok = h.sums[i].Add(amounts[i]); !ok {
			batch.failed = true
			return true, errAlone
		}
	}
	h.dirty = true
	return true, nil
}

// read reads the totals of a key that is held.
func (h *heldTotals) read() error {
	value, ok := get(h.key)
	if !ok {
		clear(h.sums)
	} else if !h.of.read(NoCopy(value), h.sums) {
		return foreign(h.key)
	}
	h.known = true
	return nil
}

// read reads a value in the form that it is written in, and in no other.
func (t *Totals) read(value string, sums []Decimal) bool {
	at := 0
	for i := range sums {
		if !hasAt(value, at, t.around[i]) {
			return false
		}
		if sums[i], at = takeNumber(value, at+len(t.around[i]), wholeDigits, fractionDigits); at == none {
			return false
		}
	}
	last := t.around[len(sums)]
	return hasAt(value, at, last) && at+len(last) == len(value)
}

func (h *heldTotals) write() {
	if !h.dirty {
		return
	}
	top := roomTop
	b := Room(totalsRoom)
	for i := range h.sums {
		b = h.sums[i].Append(appendText(b, h.of.around[i]))
	}
	importSet(h.key, NoCopy(appendText(b, h.of.around[len(h.sums)])))
	roomTop = top
	h.dirty = false
}

// forgetHeld writes the held totals of a key, which is about to be read or written in another way.
func forgetHeld(key string) {
	if h, _, _ := heldOf(key); h != nil {
		h.write()
		h.known = false
	}
}

// writeHeld writes all held totals.
func writeHeld() {
	for i := range batch.n {
		batch.held[i].write()
	}
}

func forgetAllHeld() {
	if batch.n > 0 {
		clear(batch.slots[:])
	}
	batch.n, batch.sums, batch.bytes = 0, 0, 0
}

// foldBatch folds events, one after the other, and reports whether all are folded. An event lies at base and its offset less start.
func foldBatch(fold func(*Event) error, base unsafe.Pointer, start uint32, offsets []uint32) bool {
	batch.on, batch.failed = true, false
	folded := true
	for _, offset := range offsets {
		batch.adds = 0
		event := (*Event)(unsafe.Add(base, uintptr(offset-start)))
		err := fold(event)
		if err == Ignored { //nolint:errorlint // as foldEvent compares: wrapped, it is a failure
			event.result, err = ignored, nil
		}
		if err != nil || batch.failed || batch.adds > maxBatchAdds {
			folded = false
			break
		}
		if batch.n >= maxHeld || batch.sums >= maxHeldSums || batch.bytes >= maxHeldBytes {
			writeHeld()
			forgetAllHeld()
		}
		release()
	}
	if folded {
		writeHeld()
	}
	batch.on = false
	forgetAllHeld()
	release()
	return folded
}
