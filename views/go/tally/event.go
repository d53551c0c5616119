package tally

import (
	"structs"
	"unsafe"
)

// Event is one event of the log. It is valid until Fold returns.
type Event struct {
	_ structs.HostLayout

	Sequence   int64 // its place in the log: 1, 2, 3 … with no gap
	Time       Time  // when it happened, as the event says; when it was recorded where it does not
	RecordedAt Time  // when it was appended; never decreases within a log

	data    uint32
	dataLen uint32
	fields  uint32
	result  uint32 // of an event of a batch
}

// The results of tally_fold; a negative one of the other exports is an error too.
const (
	applied = 0
	ignored = 1
	failed  = -1
)

// field is a requested field in the server's layout.
type field struct {
	_ structs.HostLayout

	kind    Kind
	text    uint32
	textLen uint32
	_       uint32
	number  float64
}

// The sizes that docs/abi.md fixes.
const (
	headerBytes = 40
	fieldBytes  = 24
)

var (
	_ [headerBytes]byte = [unsafe.Sizeof(Event{})]byte{}
	_ [fieldBytes]byte  = [unsafe.Sizeof(field{})]byte{}
)

// text is what the server wrote behind an event's header: everything of an event lies in one piece of room.
func (e *Event) text(at, length uint32) string {
	if length == 0 {
		return ""
	}
	start := at - uint32(uintptr(unsafe.Pointer(e)))
	return unsafe.String((*byte)(unsafe.Add(unsafe.Pointer(e), uintptr(start))), length)
}

// JSON returns the event as it was sent, byte for byte.
func (e *Event) JSON() string { return e.text(e.data, e.dataLen) }

// Field returns the value of View.Fields[i].
func (e *Event) Field(i int) Field {
	if uint(i) >= uint(e.fields) {
		notAsked()
	}
	return Field{e, (*field)(unsafe.Add(unsafe.Pointer(e), headerBytes+i*fieldBytes))}
}

// notAsked is a function of its own so that Field can be inlined.
//
//go:noinline
func notAsked() { panic("tally: the view reads a field that it did not ask for in View.Fields") }

// Kind is the kind of a field's value.
type Kind uint32

// The kinds of values.
const (
	Missing Kind = iota
	Null
	False
	True
	Number
	String
	Array
	Object
)

// Field is a value of an event. It is valid until Fold returns.
type Field struct {
	event *Event
	field *field
}

// Kind returns the kind of the field's value.
func (f Field) Kind() Kind { return f.field.kind }

// Text returns a string's value as UTF-8, and the exact source text of any other kind: "1e3", "true", "[1, 2]"; "" where the
// field is missing.
func (f Field) Text() string { return f.event.text(f.field.text, f.field.textLen) }

// Label returns the field as a name: a string's value, a number's or a boolean's source text, "" if it is missing or null;
// false for an array or an object.
func (f Field) Label() (label string, ok bool) {
	switch f.field.kind {
	case Missing, Null:
		return "", true
	case Array, Object:
		return "", false
	default:
		return f.Text(), true
	}
}

// Decimal returns the exact value of a number, or of a string that reads as one; see [ParseDecimal]. It is 0 and false for
// anything else.
func (f Field) Decimal() (d Decimal, ok bool) {
	kind, n := f.field.kind, int(f.field.textLen)
	if kind != Number && kind != String {
		return Decimal{}, false
	}
	if n > 0 && n <= word { // a short count, as most are; the header is before it, so that a word can end where it ends
		end := unsafe.Add(unsafe.Pointer(f.event), uintptr(f.field.text-uint32(uintptr(unsafe.Pointer(f.event))))+uintptr(n))
		w := *(*uint64)(unsafe.Add(end, -word)) >> (8 * uint(word-n) & 63)
		if leadingDigits(w) == n && (w&0xFF != '0' || n == 1) {
			return Decimal{units: digitsValue(w, n)}, true
		}
	}
	return ParseDecimal(f.Text())
}

// Uncounted returns why a view that counts with Decimal leaves a field out: NotANumber or HasTooManyDigits. It is "" if Decimal
// reads the field, or if it is missing or null: then there is nothing to leave out.
func (f Field) Uncounted() string {
	switch f.field.kind {
	case Missing, Null:
		return ""
	case Number, String:
		if _, ok := f.Decimal(); ok {
			return ""
		}
		if isNumber(f.Text()) {
			return HasTooManyDigits
		}
	default: // a boolean, an array or an object
	}
	return NotANumber
}

// LabelFault returns why [Key] cannot make a key of a scope and the field's Label: NotText, TooLong or HasNUL; "" if it can.
func (f Field) LabelFault(scope string) string {
	label, ok := f.Label()
	switch {
	case !ok:
		return NotText
	case len(scope)+len("/")+len(label) > MaxKeyBytes:
		return TooLong
	case hasNUL(label):
		return HasNUL
	}
	return ""
}

// Float returns a number's nearest double, infinite beyond the range of a double, and 0 for other kinds. Do not count money
// with it.
func (f Field) Float() float64 { return f.field.number }

// Time returns the value of a string that holds an RFC 3339 time; false for anything else.
func (f Field) Time() (t Time, ok bool) {
	if f.field.kind != String {
		return 0, false
	}
	return ParseTime(f.Text())
}
