//go:build !wasip1

package tally

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unsafe"
)

// TestLog is a log in the memory of go test, with the registered view. It reads events less strictly than a server does, and bounds
// nothing: what is to be right there is tested by golden folders, with tally view test.
type TestLog struct {
	// Now is when the next event is recorded. It begins at 2025-03-01T10:05:30Z.
	Now  Time
	last int64 // sequence
	view *View
}

// NewTestLog empties the state, of which there is one, and configures the view anew; "" is no configuration. The error is the view's own.
func NewTestLog(config string) (*TestLog, error) {
	if config == "" {
		config = "{}"
	}
	clear(localState)
	localConfig, configured = config, false
	defer release()
	view, err := ready()
	now, _ := ParseTime("2025-03-01T10:05:30Z")
	return &TestLog{Now: now, view: view}, err
}

// Append asks the view's guard about an event, if it has one, and folds the event if that admits it. The verdict's status is 0 then. An
// error, such as [Ignored], is that of the guard or the fold.
func (l *TestLog) Append(json string) (Verdict, error) {
	defer release()
	event, err := l.event(json)
	if err != nil {
		return Verdict{}, err
	}
	verdict := Admit
	if l.view.Guard != nil {
		verdict, err = l.view.Guard(event)
		verdict.answer = append([]byte(nil), verdict.answer...) // it may be in the room
		if err != nil || verdict.status != 0 {
			return verdict, err
		}
	}
	l.last++
	return verdict, l.view.Fold(event)
}

// Query answers a query string.
func (l *TestLog) Query(query string) (string, error) {
	defer release()
	answer, err := l.view.Query(Query(query))
	return string(answer), err
}

// Last is the sequence of the last event that was appended, 0 if none was.
func (l *TestLog) Last() int64 { return l.last }

// event lays an event out as the server does: the header, the fields, and their texts. Addresses in it are the lower halves of ours.
func (l *TestLog) event(json string) (*Event, error) {
	members, ok := Members(json)
	if !ok {
		return nil, errors.New("tally.TestLog: an event is a JSON object")
	}
	at := l.Now
	for name, value := range members {
		if text, isText := Unquote(value); name == "time" && isText {
			if at, ok = ParseTime(text); !ok {
				return nil, fmt.Errorf("tally.TestLog: the time %q is not one as RFC 3339 has it", text)
			}
		}
	}
	fields := make([]localField, len(l.view.Fields))
	size := headerBytes + fieldBytes*len(fields) + len(json)
	for i, pointer := range l.view.Fields {
		fields[i] = fieldAt(json, pointer)
		size += len(fields[i].text)
	}
	words := make([]uint64, (size+word-1)/word)
	start := unsafe.Pointer(unsafe.SliceData(words))
	b := unsafe.Slice((*byte)(start), size)[:0]
	address := func(at int) uint32 { return uint32(uintptr(start)) + uint32(at) }
	texts := headerBytes + fieldBytes*len(fields)
	for _, n := range []int64{l.last + 1, int64(at), int64(l.Now)} {
		b = binary.NativeEndian.AppendUint64(b, uint64(n))
	}
	for _, n := range []uint32{address(texts), uint32(len(json)), uint32(len(fields)), 0} {
		b = binary.NativeEndian.AppendUint32(b, n)
	}
	texts += len(json)
	for _, f := range fields {
		for _, n := range []uint32{uint32(f.kind), address(texts), uint32(len(f.text)), 0} {
			b = binary.NativeEndian.AppendUint32(b, n)
		}
		b = binary.NativeEndian.AppendUint64(b, math.Float64bits(f.number))
		texts += len(f.text)
	}
	b = append(b, json...)
	for _, f := range fields {
		b = append(b, f.text...)
	}
	return (*Event)(start), nil
}

// localField is a field of an event of a TestLog.
type localField struct {
	kind   Kind
	text   string
	number float64
}

// fieldAt finds a JSON Pointer's value in an object; the last one, if a name comes more than once.
func fieldAt(json, pointer string) localField {
	value := json
	for _, name := range strings.Split(pointer, "/")[1:] {
		name = strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
		members, _ := Members(value)
		found := ""
		if members != nil {
			for member, source := range members {
				if member == name {
					found = source
				}
			}
		}
		if value = found; value == "" {
			return localField{}
		}
	}
	return localFieldOf(value)
}

func localFieldOf(source string) localField {
	switch source[0] {
	case 'n':
		return localField{kind: Null, text: source}
	case 'f':
		return localField{kind: False, text: source}
	case 't':
		return localField{kind: True, text: source}
	case '[':
		return localField{kind: Array, text: source}
	case '{':
		return localField{kind: Object, text: source}
	case '"':
		text, _ := Unquote(source)
		return localField{kind: String, text: text}
	}
	number, _ := strconv.ParseFloat(source, 64)
	return localField{kind: Number, text: source, number: number}
}
