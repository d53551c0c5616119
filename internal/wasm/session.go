package wasm

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/tetratelabs/wazero/api"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// Entry is a key of a view's state with its value.
type Entry struct{ Key, Value []byte }

// State is what a view's imports act on. Keys and values that are passed in are valid only during the call; those that
// are returned must stay unchanged until the next call. An error ends the call into the guest and comes back from
// [Session.Fold] or [Session.Query] as it is.
type State interface {
	Get(key []byte) (value []byte, ok bool, err error)
	Set(key, value []byte) error
	Delete(key []byte) error
	// Scan returns, in byte order of keys, the first entries whose key starts with prefix and is greater than after:
	// limit of them, and fewer only when there are no more.
	Scan(prefix, after []byte, limit int) ([]Entry, error)
}

// Event is what tally_fold is told. Times are in microseconds since 1970-01-01T00:00:00Z.
type Event struct {
	Sequence, Time, RecordedAt int64
	Data                       []byte // the event as it was sent
	// Fields are the values of the pointers that [Module.Fields] returned, in its order. Texts that alias Data cost
	// nothing to pass on.
	Fields []jsonscan.Value
}

// Session is a guest at work on one state. It is used by one goroutine at a time. After an error that is not a refusal
// it is spent: every further call fails.
type Session struct {
	ctx    context.Context
	module *Module
	in     *instance // nil once closed
}

// Close gives the instance back. The guest's memory is forgotten. Closing twice is allowed.
func (s *Session) Close() {
	if s.in == nil {
		return
	}
	s.module.give(s.in)
	s.in = nil
	s.module.engine.leave()
}

// begin returns the instance, ready for the next call.
func (s *Session) begin() (*instance, error) {
	switch {
	case s.in == nil:
		return nil, fmt.Errorf("view session: %w", errClosed)
	case s.in.spent:
		return nil, fmt.Errorf("view session: an earlier call failed; start another session")
	}
	if err := s.ctx.Err(); err != nil {
		return nil, fmt.Errorf("call a view: %w", err)
	}
	s.in.said = ""
	return s.in, nil
}

// Fold gives the view one event; ignored says that the view had no use for it. After an error the caller discards what
// the view wrote for this event: a *ViewError is the view's own fault, any other error is not.
func (s *Session) Fold(ev *Event) (ignored bool, err error) {
	in, err := s.begin()
	if err != nil {
		return false, err
	}
	defer in.settle(&err)
	ptr, err := in.writeEvent(ev)
	if err != nil {
		return false, err
	}
	in.stack[0] = uint64(ptr)
	if err := in.call(phaseFold, in.fold); err != nil {
		return false, err
	}
	switch result := api.DecodeI32(in.stack[0]); {
	case result == 0 || result == 1:
		return result == 1, nil
	case result < 0:
		return false, in.refusal("tally_fold", int64(result))
	default:
		return false, trapf("tally_fold returned %d; it must return 0, 1 or a negative number", result)
	}
}

// Query asks the view a question: the raw query string of a request. The answer is JSON and the caller's own. A
// *ViewError of kind refused carries the text for whoever asked.
func (s *Session) Query(query string) (answer []byte, err error) {
	in, err := s.begin()
	if err != nil {
		return nil, err
	}
	defer in.settle(&err)
	ptr, room, err := in.room(len(query))
	if err != nil {
		return nil, err
	}
	copy(room, query)
	in.stack[0], in.stack[1] = uint64(ptr), uint64(len(query))
	if err := in.call(phaseQuery, in.query); err != nil {
		return nil, err
	}
	answer, err = in.result("tally_query", "answer", MaxAnswerBytes)
	if err != nil {
		return nil, err
	}
	if err := checkJSON("answer", answer, MaxAnswerBytes); err != nil {
		return nil, err
	}
	return bytes.Clone(answer), nil
}

// settle marks an instance that is not to be used again after a call: only a refusal leaves it in order.
func (in *instance) settle(err *error) {
	if *err == nil {
		return
	}
	if view, ok := errors.AsType[*ViewError](*err); !ok || view.Kind != KindRefused {
		in.spent = true
	}
}

// writeEvent lays an event out in guest memory: header, slots, data, and then the texts that are not part of data.
func (in *instance) writeEvent(ev *Event) (ptr uint32, err error) {
	dataAt := headerSize + slotSize*len(ev.Fields)
	size := dataAt + len(ev.Data)
	for i := range ev.Fields {
		if _, ok := within(ev.Data, ev.Fields[i].Text); !ok {
			size += len(ev.Fields[i].Text)
		}
	}
	ptr, room, err := in.room(size)
	if err != nil {
		return 0, err
	}
	le := binary.LittleEndian
	le.PutUint64(room[0:], uint64(ev.Sequence))
	le.PutUint64(room[8:], uint64(ev.Time))
	le.PutUint64(room[16:], uint64(ev.RecordedAt))
	le.PutUint32(room[24:], ptr+uint32(dataAt))
	le.PutUint32(room[28:], uint32(len(ev.Data)))
	le.PutUint32(room[32:], uint32(len(ev.Fields)))
	le.PutUint32(room[36:], 0)
	end := dataAt + copy(room[dataAt:], ev.Data)
	for i := range ev.Fields {
		field := &ev.Fields[i]
		at, ok := within(ev.Data, field.Text)
		if at += dataAt; !ok {
			at = end
			end += copy(room[end:], field.Text)
		}
		slot := room[headerSize+slotSize*i:][:slotSize]
		le.PutUint32(slot[0:], uint32(field.Kind))
		le.PutUint32(slot[4:], ptr+uint32(at))
		le.PutUint32(slot[8:], uint32(len(field.Text)))
		le.PutUint32(slot[12:], 0)
		le.PutUint64(slot[16:], math.Float64bits(field.Number))
	}
	return ptr, nil
}

// within returns where text lies in data, and false when it is other memory. A slice of data has as much capacity less
// as it starts later.
func within(data, text []byte) (at int, ok bool) {
	if len(text) == 0 {
		return 0, true
	}
	at = cap(data) - cap(text)
	if at < 0 || at+len(text) > len(data) || &data[at] != &text[0] {
		return 0, false
	}
	return at, true
}
