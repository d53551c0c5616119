package wasm

import (
	"errors"
	"strings"
	"testing"
)

// roomGuest offers the packed pair as its place for events, and applies an event that arrives at 8192.
func roomGuest(pair int64) *guest {
	g := newGuest().fold(opGet(0), opConst(-8192), opI32Add)
	g.functions = append(g.functions, function{export: "tally_event_room", signature: signature{"", i64}, body: opConst64(pair)})
	return g
}

func TestEventRoom(t *testing.T) {
	m := compile(t, newEngine(t), roomGuest(8192<<32|512))
	for range 2 { // the second session has an instance that was used
		s := start(t, m, "", nil)
		for range 3 {
			if ignored, err := s.Fold(&Event{Data: []byte(`{"a":1}`)}); err != nil || ignored {
				t.Fatalf("a small event: ignored %v, %v", ignored, err)
			}
		}
		if _, err := s.Fold(&Event{Data: make([]byte, 512-headerSize)}); err != nil {
			t.Errorf("an event of the room's size: %v", err)
		}
		if _, err := s.Fold(&Event{Data: make([]byte, 513-headerSize)}); !isRefusal(err) {
			t.Errorf("a larger event came to the room: %v", err)
		}
		s.Close()
	}
}

func isRefusal(err error) bool {
	view, ok := errors.AsType[*ViewError](err)
	return ok && view.Kind == KindRefused
}

func TestBadEventRooms(t *testing.T) {
	for pair, want := range map[int64]string{
		8192<<32 | 1<<20: "beyond the memory",
		8193<<32 | 512:   "not a multiple of 8",
		-1:               "beyond the memory",
	} {
		_, err := newEngine(t).Compile(t.Context(), roomGuest(pair).encode())
		if refused, ok := errors.AsType[*RefusedError](err); !ok || refused.Code != CodeInitFailed ||
			!strings.Contains(refused.Reason, want) {
			t.Errorf("%#x: %v, want %q", pair, err, want)
		}
	}
}

func TestGetInto(t *testing.T) {
	into := func(room int32) []byte {
		return code(opConst(16), opConst(4), opConst(8192), opConst(room), opCall(callGetInto))
	}
	e := newEngine(t)
	fold := func(value string, instructions ...[]byte) (*memoryState, bool, error) {
		t.Helper()
		state := newState()
		if value != "" {
			state.entries["null"] = value
		}
		s := start(t, compile(t, e, newGuest().fold(instructions...)), "", state)
		defer s.Close()
		ignored, err := s.Fold(&Event{Data: []byte("{}")})
		return state, ignored, err
	}
	if _, ignored, err := fold("7", into(4)); err != nil || !ignored {
		t.Errorf("the length of 7 is not 1: %v, %v", ignored, err)
	}
	if _, _, err := fold("", into(4)); !isRefusal(err) {
		t.Errorf("no value: %v, want -1", err)
	}
	state, _, err := fold("1234", into(4), opDrop, opConst(17), opConst(3), opConst(8192), opConst(4), opCall(callSet), opConst(0))
	if err != nil || state.entries["ull"] != "1234" {
		t.Errorf("copied %q, %v", state.entries["ull"], err)
	}
	if _, _, err := fold("12345", into(4), opDrop, opConst(8192), opLoad(0)); err != nil {
		t.Errorf("a value larger than the room was copied: %v", err)
	}
	for name, guest := range map[string][]byte{
		"room beyond memory": code(opConst(16), opConst(4), opConst(2<<16-2), opConst(4), opCall(callGetInto)),
		"key beyond memory":  code(opConst(-1), opConst(4), opConst(8192), opConst(4), opCall(callGetInto)),
	} {
		_, _, err := fold("1234", guest)
		if view, ok := errors.AsType[*ViewError](err); !ok || view.Kind != KindTrap || !strings.Contains(view.Message, "get_into") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAgain: a guest whose events cost more and more is given them anew before they cost too much, and one that fails for what it
// remembers likewise.
func TestAgain(t *testing.T) {
	const counter = 24
	g := newGuest().fold( // 10,000 loops for each event of the session so far
		opConst(counter), opConst(counter), opLoad(0), opConst(10_000), opI32Add, opTee(1), opStore(0),
		opLoop, opGet(1), opConst(-1), opI32Add, opTee(1), opBrIf(0), opEnd, resetArena, opConst(0),
	)
	m := compile(t, newEngine(t), g)
	settings := Settings{FoldGas: 1_000_000}
	s := startWith(t, m, settings, nil)
	fold := func() bool {
		t.Helper()
		if _, err := s.Fold(&Event{Data: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		return s.Again()
	}
	if fold() {
		t.Fatal("the first event of a session is to be folded again")
	}
	n := 1
	for ; !fold(); n++ {
		if s.GasUsed() > settings.FoldGas/2 {
			t.Fatalf("an event that took %d of %d gas counts", s.GasUsed(), settings.FoldGas)
		}
	}
	if n < 3 {
		t.Errorf("only %d events were folded in a session", n)
	}
	s.Close()
	if s = startWith(t, m, settings, nil); fold() {
		t.Error("the event is to be folded a third time")
	}
}
