package wasm

import (
	"errors"
	"fmt"
	"testing"
)

// batchGuest folds batches with that body; its locals are the list and its length.
func batchGuest(body ...[]byte) *guest {
	g := newGuest()
	g.functions = append(g.functions, function{"tally_fold_batch", signature{i32 + i32, i32}, i32, code(body...)})
	return g
}

func smallEvents(n int) []Event {
	events := make([]Event, n)
	for i := range events {
		events[i] = Event{Sequence: int64(i + 1), Data: fmt.Appendf(nil, `{"n":%d}`, i)}
	}
	return events
}

// TestFoldBatch: a guest gets as many events as fit, in its event room or its memory, and returns a result for each.
func TestFoldBatch(t *testing.T) {
	// Ignores the events of odd sequences, by results stored through the list.
	mark := code(opLoop,
		opGet(0), opLoad(0), opGet(0), opLoad(0), opLoad(0), opConst(1), opI32And, opStore(resultAt),
		opGet(0), opConst(4), opI32Add, opSet(0),
		opGet(1), opConst(-1), opI32Add, opTee(1), opBrIf(0), opEnd, opConst(0), resetArena)
	s := startWith(t, compile(t, newEngine(t), batchGuest(mark)), Settings{}, newState())
	events := smallEvents(1000)
	for left := events; len(left) > 0; {
		n, err := s.FoldBatch(left)
		if err != nil || n != min(len(left), MaxBatchEvents) {
			t.Fatalf("%d events are folded, %v", n, err)
		}
		left = left[n:]
	}
	for i := range events {
		if events[i].Ignored != (events[i].Sequence%2 == 1) {
			t.Fatalf("event %d is ignored: %v", i+1, events[i].Ignored)
		}
	}
	large := []Event{{Sequence: 1, Data: make([]byte, batchBytes/2)}, {Sequence: 2, Data: make([]byte, batchBytes/2)}}
	if n, err := s.FoldBatch(large); n != 0 || err != nil {
		t.Errorf("%d events of which two do not fit are folded, %v", n, err)
	}
	if n, err := s.FoldBatch(smallEvents(1)); n != 0 || err != nil {
		t.Errorf("%d events of one are folded as a batch, %v", n, err)
	}
	if _, err := s.Fold(&large[0]); err != nil || s.Again() {
		t.Errorf("after batches an event alone: %v, again is %v", err, s.Again())
	}
}

// TestFoldBatchNotTaken: a module without the export, and a view of little gas, fold event by event.
func TestFoldBatchNotTaken(t *testing.T) {
	e := newEngine(t)
	for name, s := range map[string]*Session{
		"old module": startWith(t, compile(t, e, newGuest()), Settings{}, newState()),
		"little gas": startWith(t, compile(t, e, batchGuest(opUnreachable)), Settings{FoldGas: leastBatchGas - 1}, newState()),
	} {
		if n, err := s.FoldBatch(smallEvents(3)); s.Batches() || n != 0 || err != nil {
			t.Errorf("%s: batches is %v, %d events are folded, %v", name, s.Batches(), n, err)
		}
	}
}

// TestFoldBatchFails: whatever goes wrong in a batch is the view's fault, and all of its events fail together. They have half the gas of
// one event, and may write as much as one.
func TestFoldBatchFails(t *testing.T) {
	say := func(result int32) []byte {
		return code(opGet(0), opLoad(0), opConst(result), opStore(resultAt), opConst(0), resetArena)
	}
	set := code(opConst(16), opConst(4), opConst(16), opConst(4), opCall(callSet))
	spin := func(turns int32) []byte { // some 8 units a turn
		return code(opConst(turns), opSet(2), opLoop, opGet(2), opConst(-1), opI32Add, opTee(2), opBrIf(0), opEnd, opConst(0), resetArena)
	}
	e := newEngine(t)
	for _, tt := range []struct {
		name, kind, part string
		body             []byte
	}{
		{"refuses", KindRefused, "tally_fold_batch returned -3", opConst(-3)},
		{"traps", KindTrap, "unreachable", opUnreachable},
		{"result 1", KindTrap, "tally_fold_batch returned 1; it must return 0", opConst(1)},
		{"an event's result is 2", KindTrap, "said 2 of event 1", say(2)},
		{"an event's result is negative", KindTrap, "said -1 of event 1", say(-1)},
		{"writes too often", KindLimit, "10001 writes", code(opLoop, set, opBr(0), opEnd, opUnreachable)},
		{"more than half the gas", KindLimit, "ran out of gas", spin(leastBatchGas)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			settings := Settings{FoldGas: leastBatchGas}
			if tt.name == "writes too often" {
				settings.FoldGas = 100 * DefaultFoldGas
			}
			s := startWith(t, compile(t, e, batchGuest(tt.body)), settings, newState())
			n, err := s.FoldBatch(smallEvents(3))
			viewError(t, err, tt.kind, tt.part)
			if n != 0 {
				t.Errorf("%d events are folded all the same", n)
			}
			if _, err := s.Fold(&Event{Data: []byte("{}")}); tt.kind != KindRefused && (err == nil || errors.As(err, new(*ViewError))) {
				t.Errorf("the session goes on: %v", err)
			}
		})
	}
}

// TestBatchSparesNoRate: work in large memory costs an event more alone than in a batch. So a batch fails if one of its events might not
// have had enough gas alone: the outcome of an event must not depend on the batch that it arrived in.
func TestBatchSparesNoRate(t *testing.T) {
	e := newEngine(t)
	for _, tt := range []struct {
		pages        byte
		turns        int32
		batch, alone bool
	}{
		{1, 1_000_000, true, true},
		{41, 10_000, true, true},
		{41, 400_000, false, false},
		{60, 400_000, false, false},
	} {
		spin := code(opConst(tt.turns), opSet(2),
			opLoop, opGet(2), opConst(-1), opI32Add, opTee(2), opBrIf(0), opEnd, opConst(0), resetArena)
		g := batchGuest(spin).fold(spin)
		g.function("tally_fold").locals = i32 + i32
		g.memory = []byte{0, tt.pages}
		m := compile(t, e, g)
		n, err := startWith(t, m, Settings{}, newState()).FoldBatch(smallEvents(3))
		if folded := n == 3 && err == nil; folded != tt.batch {
			t.Errorf("%d pages, %d turns: %d events are folded in a batch, %v", tt.pages, tt.turns, n, err)
		}
		if err != nil {
			viewError(t, err, KindLimit, "alone")
		}
		_, err = startWith(t, m, Settings{}, newState()).Fold(&smallEvents(1)[0])
		if (err == nil) != tt.alone {
			t.Errorf("%d pages, %d turns: an event alone: %v", tt.pages, tt.turns, err)
		}
	}
}
