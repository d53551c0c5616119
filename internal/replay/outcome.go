package replay

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/wasm"
)

// Outcome is what a view makes of an event.
type Outcome struct {
	Failed  *wasm.ViewError
	Ignored bool
}

func (o Outcome) String() string {
	switch {
	case o.Failed != nil:
		return Shown([]byte(o.Failed.Error()))
	case o.Ignored:
		return "ignored"
	}
	return "applied"
}

// same ignores the words of a trap and of a limit: they may name addresses and sizes of the guest's memory, which differ from
// batch to batch while the view halts at the same event.
func (o Outcome) same(other Outcome) bool {
	if o.Failed == nil || other.Failed == nil {
		return o == other
	}
	if o.Failed.Kind != other.Failed.Kind {
		return false
	}
	return o.Failed.Kind != wasm.KindRefused || o.Failed.Message == other.Failed.Message
}

// maxShown bounds a value in a Difference, in bytes: it is read by people, and may be 64 KiB.
const maxShown = 200

// Difference is where two ways of folding the same events first differ.
type Difference struct {
	Way      string // the way that differs from folding one event at a time
	Sequence int64  // after this event
	Key      string // the first key that differs, in byte order; "" when the outcomes of the event differ
	Expected string // the value, or the outcome, one event at a time, cut at 200 bytes; "" for a key that does not exist
	Found    string // likewise, the other way
}

func (d *Difference) String() string {
	if d.Key == "" {
		return fmt.Sprintf("event %d is %s one event at a time, and %s with %s", d.Sequence, d.Expected, d.Found, d.Way)
	}
	return fmt.Sprintf("after event %d the key %q is %s one event at a time, and %s with %s",
		d.Sequence, d.Key, orMissing(d.Expected), orMissing(d.Found), d.Way)
}

func orMissing(value string) string {
	if value == "" {
		return "missing"
	}
	return value
}

// StateTooLargeError: the state does not fit into the memory that a replay may use.
type StateTooLargeError struct {
	Limit    int64 // bytes
	Sequence int64 // of the event that exceeded it
}

func (e *StateTooLargeError) Error() string {
	return fmt.Sprintf("the view's state takes more than the %d bytes of memory that an audit may use, from event %d on",
		e.Limit, e.Sequence)
}

// Shown returns a value cut to what a person can read, 200 bytes.
func Shown(value []byte) string {
	if len(value) <= maxShown {
		return string(value)
	}
	return string(Cut(value, maxShown)) + "…"
}

// Cut returns the first most bytes of a longer value, to a whole character. It shares the value's bytes.
func Cut(value []byte, most int) []byte {
	for most > 0 && !utf8.RuneStart(value[most]) {
		most--
	}
	return slices.Clip(value[:most])
}
