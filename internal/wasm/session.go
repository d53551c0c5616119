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

// State is what a view's imports read and write. Arguments are valid only during the call; results must stay unchanged
// until the next call. An error ends the call into the guest, and [Session.Fold] or [Session.Query] returns it
// unwrapped.
type State interface {
	Get(key []byte) (value []byte, ok bool, err error)
	Set(key, value []byte) error
	Delete(key []byte) error
	// Scan returns, in byte order of keys, the first entries whose key starts with prefix and is greater than after:
	// exactly limit of them, or fewer if there are no more.
	Scan(prefix, after []byte, limit int) ([]Entry, error)
}

// Event is an event as tally_fold gets it. Times are in microseconds since 1970-01-01T00:00:00Z.
type Event struct {
	Sequence, Time, RecordedAt int64
	Data                       []byte // the event as it was sent
	// Fields are the values of the pointers that [Module.Fields] returned, in the same order. Texts that alias Data are not
	// copied into the guest a second time.
	Fields  []jsonscan.Value
	Ignored bool // set by FoldBatch: the view had no use for the event
}

// Session runs calls into one instance of a view, on one state. It is not safe for concurrent use. After any error but a
// refusal it is spent: every further call fails.
type Session struct {
	ctx     context.Context
	module  *Module
	program *program  // of the module, kept in memory by this session
	in      *instance // nil once closed

	foldGas, queryGas int64
	folded            int  // events
	again             bool // see Again
	gasUsed           int64
	answerType        string
}

// GasUsed returns the units of gas that the last Fold or Query used, imports included. For a call that ran out of gas it is
// a little more than the budget.
func (s *Session) GasUsed() int64 { return s.gasUsed }

// AnswerType returns the type of the last answer of Query: TypeJSON, TypeCSV or TypeText.
func (s *Session) AnswerType() string { return s.answerType }

// Again reports whether the last event must be folded once more: the caller discards what it wrote, folds it in a new session,
// and only that outcome counts. What a guest keeps in memory between the events of a session can change what an event costs,
// in gas and in memory. So if an event that was not the first of its session fails or uses more than half of its gas, its
// outcome is that of a session of its own, and does not depend on the batch that it arrived in.
func (s *Session) Again() bool { return s.again }

// Close releases the instance. What the guest has in memory is lost. It may be called more than once.
func (s *Session) Close() {
	if s.in == nil {
		return
	}
	s.program.release(s.in)
	s.module.engine.release(s.module)
	s.in, s.program, s.module = nil, nil, nil // a closed session keeps nothing in memory
}

// begin returns the instance, prepared for the next call.
func (s *Session) begin(b budget, gas int64) (*instance, error) {
	switch {
	case s.in == nil:
		return nil, fmt.Errorf("view session: %w", errClosed)
	case s.in.spent:
		return nil, fmt.Errorf("view session: an earlier call failed; start another session")
	}
	if err := s.ctx.Err(); err != nil {
		return nil, fmt.Errorf("call a view: %w", err)
	}
	if b == budgetQuery {
		gas = gas * s.in.prices.queryQuarters / quartersPerUnit
	}
	s.in.ready(b, gas)
	return s.in, nil
}

// Fold folds one event; ignored reports that the view had no use for it. After an error the caller discards what the view
// wrote for this event. A *ViewError is the view's own fault, any other error is not.
func (s *Session) Fold(ev *Event) (ignored bool, err error) {
	in, err := s.begin(budgetFold, s.foldGas)
	if err != nil {
		return false, err
	}
	defer func() {
		s.finish(in, &err)
		failed, _ := errors.AsType[*ViewError](err)
		s.again = s.folded > 0 && (failed != nil || (err == nil && s.gasUsed > s.foldGas/2))
		s.folded++
	}()
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

// Query asks the view a query, the raw query string of a request. The caller owns the answer; its type is
// [Session.AnswerType]. A *ViewError of kind refused carries the text for the client.
func (s *Session) Query(query string) (answer []byte, err error) {
	in, err := s.begin(budgetQuery, s.queryGas)
	if err != nil {
		return nil, err
	}
	defer s.finish(in, &err)
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
	if err := checkAnswer(in.answerType, answer); err != nil {
		return nil, err
	}
	if err := in.held.Use(int64(len(answer))); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	s.answerType = in.answerType
	return bytes.Clone(answer), nil
}

// finish records the gas that a call used, fails the call if that is more than it was granted, and marks the instance as spent after
// any error but a refusal.
func (s *Session) finish(in *instance, err *error) {
	left := max(in.gasLeft(), -in.granted) // the charge that exceeded the grant may have been of any size
	s.gasUsed = in.inUnits(in.granted - left)
	if *err == nil && left < 0 {
		*err = in.outOfGas(in.budget.phase())
	}
	if *err == nil {
		return
	}
	if view, ok := errors.AsType[*ViewError](*err); !ok || view.Kind != KindRefused {
		in.spent = true
	}
}

// writeEvent lays an event out in guest memory.
func (in *instance) writeEvent(ev *Event) (ptr uint32, err error) {
	size := headerSize + slotSize*len(ev.Fields) + len(ev.Data)
	for i := range ev.Fields {
		if _, ok := within(ev.Data, ev.Fields[i].Text); !ok {
			size += len(ev.Fields[i].Text)
		}
	}
	ptr, room, err := in.roomForEvent(size)
	if err != nil {
		return 0, err
	}
	layOut(room, 0, ptr, ev)
	return ptr, nil
}

// layOut writes an event at offset at of the room, whose address in the guest is ptr: header, slots, data, and then the texts that are
// not part of data. It returns the offset behind the event; fits is false if the room is too small.
func layOut(room []byte, at int, ptr uint32, ev *Event) (end int, fits bool) {
	dataAt := at + headerSize + slotSize*len(ev.Fields)
	if end = dataAt + len(ev.Data); end > len(room) {
		return 0, false
	}
	le := binary.LittleEndian
	header := room[at:][:headerSize]
	le.PutUint64(header[0:], uint64(ev.Sequence))
	le.PutUint64(header[8:], uint64(ev.Time))
	le.PutUint64(header[16:], uint64(ev.RecordedAt))
	le.PutUint32(header[24:], ptr+uint32(dataAt))
	le.PutUint32(header[28:], uint32(len(ev.Data)))
	le.PutUint32(header[32:], uint32(len(ev.Fields)))
	le.PutUint32(header[resultAt:], 0)
	copy(room[dataAt:], ev.Data)
	for i := range ev.Fields {
		field := &ev.Fields[i]
		textAt, ok := within(ev.Data, field.Text)
		if textAt += dataAt; !ok {
			if textAt = end; len(room)-end < len(field.Text) {
				return 0, false
			}
			end += copy(room[end:], field.Text)
		}
		slot := room[at+headerSize+slotSize*i:][:slotSize]
		le.PutUint32(slot[0:], uint32(field.Kind))
		le.PutUint32(slot[4:], ptr+uint32(textAt))
		le.PutUint32(slot[8:], uint32(len(field.Text)))
		le.PutUint32(slot[12:], 0)
		le.PutUint64(slot[16:], math.Float64bits(field.Number))
	}
	return end, true
}

// within returns the offset of text in data, and false if text does not alias data. A slice of data has less capacity by
// its offset.
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
