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
	Fields  []jsonscan.Value
	Ignored bool // whether the view had no use for it: what FoldBatch says
}

// Session is a guest at work on one state. It is used by one goroutine at a time. After an error that is not a refusal
// it is spent: every further call fails.
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

// GasUsed is how many units of gas the last Fold or Query took, what its imports cost included. A call that ran out of
// gas is said to have used a little more than its budget.
func (s *Session) GasUsed() int64 { return s.gasUsed }

// AnswerType is the type of the last answer of Query: TypeJSON, TypeCSV or TypeText.
func (s *Session) AnswerType() string { return s.answerType }

// Again tells that the last event is to be folded once more, in a new session and after what it wrote has been discarded, and that
// this second outcome counts. What a guest keeps in memory from one event of a session to the next can change what an event
// costs, in gas and in memory. So where an event that was not its session's first fails or takes more than half of its gas,
// the answer is the one of a session of its own: the same whatever batch the event came in.
func (s *Session) Again() bool { return s.again }

// Close gives the instance back. The guest's memory is forgotten. Closing twice is allowed.
func (s *Session) Close() {
	if s.in == nil {
		return
	}
	s.program.release(s.in)
	s.module.engine.release(s.module)
	s.in, s.program, s.module = nil, nil, nil // who keeps a closed session keeps nothing in memory
}

// begin returns the instance, ready for the next call.
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
		gas = gas * s.in.prices.question / wholeQuestion
	}
	s.in.ready(b, gas)
	return s.in, nil
}

// Fold gives the view one event; ignored says that the view had no use for it. After an error the caller discards what
// the view wrote for this event: a *ViewError is the view's own fault, any other error is not.
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

// Query asks the view a question: the raw query string of a request. The answer is the caller's own; [Session.AnswerType]
// tells what it is. A *ViewError of kind refused carries the text for whoever asked.
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

// finish notes what a call used, fails it when that is more than it was granted, and marks an instance that is not to be used again: of all
// errors only a refusal leaves it in order.
func (s *Session) finish(in *instance, err *error) {
	left := max(in.gasLeft(), -in.granted) // a charge that was refused may have been of any size
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

// layOut writes an event at that place of the room, which begins at ptr: header, slots, data, and then the texts that are not part of data.
// It returns where the event ends, or that it does not fit.
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
