package wasm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestTraps(t *testing.T) {
	badSet := func(key, keyLen, value, valueLen int32) *guest {
		return newGuest().fold(opConst(key), opConst(keyLen), opConst(value), opConst(valueLen), opCall(callSet), opConst(0))
	}
	badScan := func(prefixLen, afterLen, limit int32) *guest {
		return newGuest().fold(opConst(16), opConst(prefixLen), opConst(16), opConst(afterLen), opConst(limit),
			opCall(callScan), opDrop, opConst(0))
	}
	deep := newGuest()
	deep.fold(opGet(0), opCall(ownFunctions+1), opDrop, opConst(0)) // tally_fold calls itself
	notUTF8 := badSet(64, 2, 16, 4)
	notUTF8.data[64] = "\xc3\x28"
	withNUL := badSet(64, 3, 16, 4)
	withNUL.data[64] = "a\x00b"
	tests := []struct {
		name, kind, part string
		guest            *guest
	}{
		{"unreachable", KindTrap, "tally_fold: unreachable in", newGuest().fold(opUnreachable)},
		{
			"fail, then a trap", KindTrap, "tally_fold: null: unreachable",
			newGuest().fold(opConst(16), opConst(4), opCall(callFail), opUnreachable),
		},
		{"division by zero", KindTrap, "integer divide by zero", newGuest().fold(opConst(1), opConst(0), opI32DivU)},
		{"load beyond memory", KindTrap, "out of bounds memory access", newGuest().fold(opConst(-1), opLoad(0))},
		{"endless recursion", KindLimit, "called itself too deep: calls may take 33554432 bytes of stack", deep},
		{"result 2", KindTrap, "tally_fold returned 2", newGuest().fold(opConst(2))},
		{"key beyond memory", KindTrap, "key of 4 bytes at 4294967295", badSet(-1, 4, 16, 4)},
		{"key over the end", KindTrap, "beyond the memory of 131072", badSet(2<<16-1, 2, 16, 4)},
		{"huge key", KindTrap, "4294967295 bytes", badSet(16, -1, 16, 4)},
		{"value beyond memory", KindTrap, "set: the value of", badSet(16, 4, -9, 4)},
		{"empty key", KindLimit, "the key is empty; a key has 1 to 1024 bytes", badSet(16, 0, 16, 4)},
		{"long key", KindLimit, "the key has 1025 bytes; at most 1024", badSet(16, MaxKeyBytes+1, 16, 4)},
		{"key not UTF-8", KindLimit, "not valid UTF-8", notUTF8},
		{"key with NUL", KindLimit, "NUL", withNUL},
		{"long value", KindLimit, "the value has 65537 bytes; at most 65536", badSet(16, 4, 16, MaxValueBytes+1)},
		{"value not JSON", KindLimit, "the value must be JSON: invalid JSON at byte 0", badSet(16, 4, 17, 3)},
		{"empty value", KindLimit, "the value must be JSON", badSet(16, 4, 16, 0)},
		{"delete of a bad key", KindLimit, "the key is empty", newGuest().fold(opConst(0), opConst(0), opCall(callDelete), opConst(0))},
		{"get of a bad key", KindTrap, "get: the key", newGuest().fold(opConst(-1), opConst(1), opCall(callGet), opDrop, opConst(0))},
		{"fail beyond memory", KindTrap, "fail: the text", newGuest().fold(opConst(16), opConst(-1), opCall(callFail), opConst(-1))},
		{"scan with a long prefix", KindLimit, "prefix of a scan has 1025", badScan(MaxKeyBytes+1, 0, 1)},
		{"scan after a long key", KindLimit, "key after which to scan has 1025", badScan(0, MaxKeyBytes+1, 1)},
		{"scan beyond memory", KindTrap, "scan: the prefix", badScan(-1, 0, 1)},
		{"scan of -1", KindLimit, "limit of a scan is -1", badScan(0, 0, -1)},
		{"alloc traps", KindTrap, "tally_alloc: unreachable", newGuest().alloc(opUnreachable)},
		{
			"alloc says why", KindTrap, "tally_alloc: null: unreachable",
			newGuest().alloc(opConst(16), opConst(4), opCall(callFail), opUnreachable),
		},
		{"alloc gives nothing", KindTrap, "tally_alloc(42) returned 0: it has no room", newGuest().alloc(opConst(0))},
		{"alloc points beyond memory", KindTrap, "tally_alloc(42) returned 4294967288", newGuest().alloc(opConst(-8))},
		{"alloc points to the end", KindTrap, "go beyond the memory", newGuest().alloc(opConst(2<<16 - 8))},
		{"alloc is not aligned", KindTrap, "not a multiple of 8", newGuest().alloc(opConst(4100))},
		{"alloc calls get", KindTrap, "get was called in tally_alloc", newGuest().alloc(
			opConst(16), opConst(4), opCall(callGet), opDrop, opConst(4096))},
		{"alloc calls config inside get", KindTrap, "config was called in tally_alloc", allocInsideGet(opCall(callConfig), opDrop)},
		{"alloc traps inside get", KindTrap, "tally_alloc: unreachable", allocInsideGet(opUnreachable)},
	}
	e := newEngine(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := compile(t, e, tt.guest)
			state := newState("null", "1")
			s := start(t, m, "", state)
			_, err := s.Fold(&Event{Data: []byte("{}")})
			viewError(t, err, tt.kind, tt.part)
			if len(state.sets) != 0 {
				t.Errorf("it wrote %v", state.sets)
			}
			if _, err := s.Fold(&Event{Data: []byte("{}")}); err == nil || errors.As(err, new(*ViewError)) {
				t.Errorf("another fold of a failed session: %v", err)
			}
			failed := s.in
			s.Close()
			if again := start(t, m, "", state); again.in == failed {
				t.Error("the instance was used again")
			}
		})
	}
}

// allocInsideGet is a guest whose tally_alloc does something the second time it is called: for the result of get.
func allocInsideGet(instructions ...[]byte) *guest {
	const calledAt = 64
	return newGuest().
		fold(opConst(16), opConst(4), opCall(callGet), opDrop, opConst(0)).
		alloc(
			opConst(calledAt), opLoad(0), opIf, code(instructions...), opEnd,
			opConst(calledAt), opConst(1), opStore(0), opConst(arenaAt),
		)
}

func TestQueriesDoNotWrite(t *testing.T) {
	e := newEngine(t)
	for name, call := range map[string][]byte{
		"set":    code(opConst(16), opConst(4), opConst(16), opConst(4), opCall(callSet)),
		"delete": code(opConst(16), opConst(4), opCall(callDelete)),
	} {
		state := newState("null", "1")
		m := compile(t, e, newGuest().query(call, opConst64(16<<32|4)))
		_, err := start(t, m, "", state).Query("")
		viewError(t, err, KindTrap, name+" was called in tally_query: a query must not write")
		if len(state.entries) != 1 || len(state.sets) != 0 {
			t.Errorf("%s went through", name)
		}
	}
}

func TestBadAnswers(t *testing.T) {
	e := newEngine(t)
	for _, tt := range []struct {
		name, kind, part string
		answer           int64
	}{
		{"beyond memory", KindTrap, "tally_query returned 4 bytes at 2147483647, beyond the memory", 1<<63 - 1<<32 | 4},
		{"over the end", KindTrap, "beyond the memory", (2<<16-1)<<32 | 2},
		{"too long", KindLimit, "the answer has 1048577 bytes; at most 1048576", MaxAnswerBytes + 1},
		{"empty", KindLimit, "the answer must be JSON", 16 << 32},
		{"not JSON", KindLimit, "the answer must be JSON", 17<<32 | 3},
		{"negative", KindRefused, "tally_query returned -9 without a reason", -9},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := start(t, compile(t, e, newGuest().query(opConst64(tt.answer))), "", newState()).Query("")
			viewError(t, err, tt.kind, tt.part)
		})
	}
}

// What is not the view's fault comes back as it is.
func TestForeignErrors(t *testing.T) {
	m := compile(t, newEngine(t), meterGuest())
	lost := errors.New("connection lost")
	state := newState()
	state.err = lost
	s := start(t, m, "", state)
	if _, err := s.Fold(&Event{Data: []byte("{}")}); err != lost { //nolint:errorlint // the very error is promised
		t.Errorf("Fold = %v, want the state's own error", err)
	}

	s = start(t, m, "", (*memoryState)(nil)) // which panics when it is used
	_, err := s.Fold(&Event{Data: []byte("{}")})
	if err == nil || errors.As(err, new(*ViewError)) || !strings.Contains(err.Error(), "nil pointer") {
		t.Errorf("a panic of the state came back as %v", err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	s, err = m.Start(ctx, Settings{}, newState())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	cancel()
	if _, err := s.Fold(&Event{Data: []byte("{}")}); !errors.Is(err, context.Canceled) {
		t.Errorf("Fold with an ended context = %v", err)
	}
	if _, err := m.Start(ctx, Settings{}, newState()); !errors.Is(err, context.Canceled) {
		t.Errorf("Start with an ended context = %v", err)
	}
	if _, err := start(t, m, "", newState()).Fold(&Event{Data: make([]byte, MaxMemoryPages<<16)}); err == nil ||
		errors.As(err, new(*ViewError)) {
		t.Errorf("an event larger than any memory = %v", err)
	}
}

func TestSessionLife(t *testing.T) {
	e, err := NewEngine(context.Background(), Config{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	m := compile(t, e, countGuest())
	s := start(t, m, "", newState())
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.Close(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Close with an open session = %v", err)
	}
	if _, err := s.Fold(&Event{Data: []byte("{}")}); err != nil {
		t.Errorf("a session that was open when the engine closed: %v", err)
	}
	if _, err := m.Start(context.Background(), Settings{}, newState()); !errors.Is(err, errClosed) {
		t.Errorf("Start on a closed engine = %v", err)
	}
	if _, err := e.Compile(context.Background(), newGuest().encode()); !errors.Is(err, errClosed) {
		t.Errorf("Compile on a closed engine = %v", err)
	}
	closed := make(chan error)
	go func() { closed <- e.Close(context.Background()) }()
	s.Close()
	s.Close()
	if err := <-closed; err != nil {
		t.Errorf("Close after the last session = %v", err)
	}
	if _, err := s.Fold(&Event{}); !errors.Is(err, errClosed) {
		t.Errorf("Fold of a closed session = %v", err)
	}
}

func TestCompileOnce(t *testing.T) {
	e := newEngine(t)
	wasm := countGuest().encode()
	modules := make([]*Module, 8)
	var wg sync.WaitGroup
	for i := range modules {
		wg.Go(func() {
			m, err := e.Compile(context.Background(), wasm)
			if err != nil {
				t.Error(err)
			}
			modules[i] = m
		})
	}
	wg.Wait()
	for _, m := range modules {
		if m == nil || m != modules[0] {
			t.Fatalf("the same bytes gave modules %v", modules)
		}
	}
	if other := compile(t, e, newGuest()); other == modules[0] || other.SHA256() == modules[0].SHA256() {
		t.Error("other bytes gave the same module")
	}
}

// TestHammer runs many sessions of several modules at once, some of them failing, and checks what each of them wrote.
func TestHammer(t *testing.T) {
	const workers, rounds = 8, 60
	for _, loaded := range []int{DefaultMaxLoaded, 1} { // of three modules: code comes and goes all the time
		t.Run(fmt.Sprint(loaded), func(t *testing.T) {
			hammerEngine(t, engineIn(t, Config{CacheDir: testCache, MaxLoaded: loaded}), workers, rounds)
		})
	}
}

func hammerEngine(t *testing.T, e *Engine, workers, rounds int) {
	t.Helper()
	stored, counted := storeGuest(), countGuest()
	trapping := newGuest().fold(opConst(16), opConst(4), opConst(16), opConst(4), opCall(callSet), opUnreachable)
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for round := range rounds {
				if err := hammer(e, stored, counted, trapping, worker, round); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func hammer(e *Engine, stored, counted, trapping *guest, worker, round int) error {
	ctx := context.Background()
	run := func(g *guest, work func(s *Session, state *memoryState) error) error {
		m, err := e.Compile(ctx, g.encode())
		if err != nil {
			return err
		}
		state := newState()
		s, err := m.Start(ctx, Settings{}, state)
		if err != nil {
			return err
		}
		defer s.Close()
		return work(s, state)
	}
	fold := func(s *Session) error {
		_, err := s.Fold(&Event{Data: []byte("{}")})
		return err
	}
	return errors.Join(
		run(counted, func(s *Session, state *memoryState) error {
			if err := errors.Join(fold(s), fold(s), fold(s)); err != nil {
				return err
			}
			if state.entries["n"] != "3" {
				return fmt.Errorf("worker %d round %d: three folds counted %s", worker, round, state.entries["n"])
			}
			return nil
		}),
		run(trapping, func(s *Session, _ *memoryState) error {
			if err := fold(s); !errors.As(err, new(*ViewError)) {
				return fmt.Errorf("worker %d round %d: a trap came back as %w", worker, round, err)
			}
			return nil
		}),
		run(stored, func(s *Session, state *memoryState) error {
			state.entries["k"] = fmt.Sprint(worker*1000 + round)
			answer, err := s.Query("k")
			if err == nil && string(answer) != state.entries["k"] {
				return fmt.Errorf("worker %d round %d: answer %s", worker, round, answer)
			}
			return err
		}),
	)
}
