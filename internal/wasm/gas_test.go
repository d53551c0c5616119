package wasm

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/gas"
)

// loopGuest calls an import endlessly, in queries and folds.
func loopGuest(arguments ...[]byte) *guest {
	body := code(opLoop, code(arguments...), opBr(0), opEnd, opUnreachable)
	return newGuest().fold(body).query(body)
}

func startWith(t *testing.T, m *Module, settings Settings, state State) *Session {
	t.Helper()
	s, err := m.Start(context.Background(), settings, state)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestOutOfGas(t *testing.T) {
	endless := code(opLoop, opBr(0), opEnd, opUnreachable)
	e := newEngine(t)
	for _, tt := range []struct {
		name, part string
		guest      *guest
	}{
		{"loop", "tally_fold ran out of gas: the budget for one event is 100000 units; do less work for an event, " +
			"or deploy the view with more fold gas", newGuest().fold(endless)},
		{"loop in tally_alloc", "tally_alloc ran out of gas: the budget for one event is 100000", newGuest().alloc(endless)},
		{"get", "ran out of gas", loopGuest(opConst(17), opConst(3), opCall(callGet), opDrop)},
		{"delete", "ran out of gas", loopGuest(opConst(16), opConst(4), opCall(callDelete))},
		{"scan", "ran out of gas", loopGuest(opConst(0), opConst(0), opConst(0), opConst(0), opConst(1), opCall(callScan), opDrop)},
		{"config", "ran out of gas", loopGuest(opCall(callConfig), opDrop, resetArena)},
		{"fail", "ran out of gas", loopGuest(opConst(16), opConst(4), opCall(callFail))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := compile(t, e, tt.guest)
			var used []int64
			for range 2 {
				s := startWith(t, m, Settings{FoldGas: 100_000}, newState("a", "1"))
				_, err := s.Fold(&Event{Data: []byte("{}")})
				viewError(t, err, KindLimit, tt.part)
				used = append(used, s.GasUsed())
				s.Close()
			}
			if used[0] != used[1] || used[0] <= 100_000 {
				t.Errorf("it used %d units of gas, then %d", used[0], used[1])
			}
		})
	}
	s := startWith(t, compile(t, e, newGuest().query(endless)), Settings{QueryGas: 5000}, newState())
	_, err := s.Query("")
	viewError(t, err, KindLimit, "tally_query ran out of gas: the budget for one query is 5000 units")
	_, err = compile(t, e, newGuest().fields("")).Fields(context.Background(), nil)
	if err != nil {
		t.Error(err)
	}
	g := newGuest().fields("")
	g.function("tally_fields").body = endless
	_, err = compile(t, e, g).Fields(context.Background(), nil)
	viewError(t, err, KindLimit, "tally_fields ran out of gas: the budget for tally_fields is 500000000 units")
}

// A budget that is just enough is enough, one unit less is not, every time.
func TestGasIsExact(t *testing.T) {
	m := compile(t, newEngine(t), meterGuest())
	fold := func(budget int64) (int64, error) {
		s := startWith(t, m, Settings{FoldGas: budget}, newState("m", `{"a":1}`))
		defer s.Close()
		_, err := s.Fold(&Event{Data: []byte(`{"type":"x"}`)})
		return s.GasUsed(), err
	}
	used, err := fold(0)
	if err != nil || used < gasGet+gasSet {
		t.Fatalf("a fold used %d, %v", used, err)
	}
	if again, err := fold(used); err != nil || again != used {
		t.Errorf("with just what it uses: %d of %d, %v", again, used, err)
	}
	_, err = fold(used - 1)
	viewError(t, err, KindLimit, fmt.Sprintf("budget for one event is %d units", used-1))
}

// A budget of many slices is as exact as a small one, and whole again for the next event.
func TestGasOfLongFolds(t *testing.T) {
	const rounds = 1_000_000
	g := newGuest().fold(opConst(rounds), opSet(1),
		opLoop, opGet(1), opConst(-1), opI32Add, opTee(1), opBrIf(0), opEnd, resetArena, opConst(0))
	m := compile(t, newEngine(t), g)
	fold := func(budget int64, times int) (used int64, err error) {
		s := startWith(t, m, Settings{FoldGas: budget}, newState())
		defer s.Close()
		for range times {
			if _, err = s.Fold(&Event{Data: []byte("{}")}); err != nil {
				return 0, err
			}
			used = s.GasUsed()
		}
		return used, nil
	}
	used, err := fold(0, 1)
	if err != nil || used < 3*gas.CostModel.Slice() || used%gas.CostModel.Slice() == 0 {
		t.Fatalf("a fold used %d, %v", used, err)
	}
	if again, err := fold(used, 3); err != nil || again != used {
		t.Errorf("with just what it uses: %d of %d, %v", again, used, err)
	}
	_, err = fold(used-1, 1)
	viewError(t, err, KindLimit, fmt.Sprintf("budget for one event is %d units", used-1))
}

// Pause is called for each slice of gas of a long call, and can end the call.
func TestPauses(t *testing.T) {
	const rounds = 1_000_000
	m := compile(t, newEngine(t), newGuest().fold(
		opConst(rounds), opSet(1), opLoop, opGet(1), opConst(-1), opI32Add, opTee(1), opBrIf(0), opEnd, resetArena, opConst(0)))
	pauses, enough := 0, errors.New("enough")
	var end error
	s := startWith(t, m, Settings{Pause: func() error { pauses++; return end }}, newState())
	defer s.Close()
	_, err := s.Fold(&Event{Data: []byte("{}")})
	slices := (s.GasUsed() - gas.CostModel.First(1)) / gas.CostModel.Slice()
	if err != nil || slices < 3 || int64(pauses) < slices-1 || int64(pauses) > slices+1 {
		t.Errorf("a fold of %d units had %d pauses, want about %d: %v", s.GasUsed(), pauses, slices, err)
	}
	pauses, end = 0, enough
	if _, err := s.Fold(&Event{Data: []byte("{}")}); !errors.Is(err, enough) || pauses != 1 {
		t.Errorf("a fold that is ended in its first pause: %v, after %d", err, pauses)
	}
	if _, err := s.Fold(&Event{Data: []byte("{}")}); err == nil || errors.Is(err, enough) {
		t.Errorf("a session that is spent: %v", err)
	}
}

// A guest that computes for long does not delay the garbage collector, which stops all goroutines for a moment: appends would wait, too.
func TestLongCallsLetTheCollectorRun(t *testing.T) {
	const enough = 3 // collections; one may end as a call that lets none run begins, and one as it ends
	m := compile(t, newEngine(t), newGuest().query(opLoop, opBr(0), opEnd, opUnreachable))
	for range 20 { // a busy machine may give the collector too little time beside one call
		s := startWith(t, m, Settings{}, newState())
		ended := make(chan error)
		go func() {
			_, err := s.Query("")
			ended <- err
		}()
		collections := 0
		for running := true; running; {
			select {
			case err := <-ended:
				viewError(t, err, KindLimit, "ran out of gas")
				running = false
			default:
				runtime.GC()
				collections++
			}
		}
		s.Close()
		if collections >= enough {
			return
		}
	}
	t.Errorf("beside no call did %d collections end", enough)
}

// What a fold costs does not depend on what came before it in its session.
func TestGasOfLaterFolds(t *testing.T) {
	s := start(t, compile(t, newEngine(t), meterGuest()), "", newState("m", "1"))
	var used []int64
	for range 3 {
		if _, err := s.Fold(&Event{Data: []byte(`{}`)}); err != nil {
			t.Fatal(err)
		}
		used = append(used, s.GasUsed())
	}
	if used[0] != used[1] || used[1] != used[2] {
		t.Errorf("the same event cost %v", used)
	}
}

func TestWritesAreBounded(t *testing.T) {
	e := newEngine(t)
	state := newState()
	s := startWith(t, compile(t, e, loopGuest(opConst(16), opConst(4), opConst(16), opConst(4), opCall(callSet))), Settings{}, state)
	_, err := s.Fold(&Event{Data: []byte("{}")})
	viewError(t, err, KindLimit, "the event makes 10001 writes; at most 10000 calls of set and delete are allowed for one event")
	if len(state.sets) != MaxWrites {
		t.Errorf("it made %d writes", len(state.sets))
	}

	g := loopGuest(opConst(16), opConst(4), opConst(8192), opConst(60_000), opCall(callSet))
	g.data[8192] = `"` + strings.Repeat("x", 59_998) + `"`
	_, err = startWith(t, compile(t, e, g), Settings{}, newState()).Fold(&Event{Data: []byte("{}")})
	viewError(t, err, KindLimit, "the event writes 4200280 bytes; at most 4194304 bytes of keys and values are allowed for one event")
}

// Writes are counted per event, not per batch.
func TestWritesOfABatch(t *testing.T) {
	const countAt, each = 64, 9_000
	g := newGuest().fold(
		opConst(countAt), opConst(each), opStore(0),
		opLoop,
		opConst(16), opConst(4), opConst(16), opConst(4), opCall(callSet),
		opConst(countAt), opConst(countAt), opLoad(0), opConst(-1), opI32Add, opStore(0),
		opConst(countAt), opLoad(0), opBrIf(0),
		opEnd, resetArena, opConst(0))
	s := start(t, compile(t, newEngine(t), g), "", newState())
	for range 3 {
		if _, err := s.Fold(&Event{Data: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
}

// maxTimesContained is how many times the processor time of plain computing, with as much gas, a module may take whatever it does.
const maxTimesContained = 2 * maxTimesPlain * slowness

// Hostile modules are contained: none takes much more than its gas is for, and none keeps memory.
func TestHostileModulesAreContained(t *testing.T) {
	endless := code(opLoop, opBr(0), opEnd, opUnreachable)
	deep := newGuest()
	deep.fold(opGet(0), opCall(ownFunctions+1), opDrop, opConst(0))
	bomb := newGuest().fold(opLoop, opConst(16), opMemoryGrow(), opDrop, opBr(0), opEnd, opUnreachable)
	fill := newGuest().fold(opConst(1000), opMemoryGrow(), opDrop,
		opLoop, opConst(0), opConst(7), opConst(60<<20), []byte{0xfc, 11, 0}, opBr(0), opEnd, opUnreachable)
	plain := compile(t, newEngine(t), newGuest().fold(endless).query(endless))
	for name, g := range map[string]*guest{
		"deep recursion":     deep,
		"memory bomb":        bomb,
		"memory fill":        fill,
		"endless get":        loopGuest(opConst(17), opConst(3), opCall(callGet), opDrop),
		"endless query":      loopGuest(opConst(17), opConst(3), opCall(callGet), opDrop),
		"endless random_get": wasiLoopGuest("random_get", opConst(0), opConst(2<<16)),
		"endless fd_write":   wasiLoopGuest("fd_write", opConst(2), opConst(256), opConst(16), opConst(8)),
		"endless poll":       wasiLoopGuest("poll_oneoff", opConst(0), opConst(0), opConst(1000), opConst(8)),
	} {
		t.Run(name, func(t *testing.T) {
			m := compile(t, newEngine(t), g)
			query := name == "endless query"
			times := timesAsMuch(maxTimesContained,
				func() time.Duration { return spendAll(t, m, query) }, func() time.Duration { return spendAll(t, plain, query) })
			if times > maxTimesContained {
				t.Errorf("it takes %.1f times the time of plain computing; %d are allowed", times, maxTimesContained)
			}
		})
	}
}

// spendAll has a module do its worst with a whole budget and returns the processor time that it took.
func spendAll(t *testing.T, m *Module, query bool) time.Duration {
	t.Helper()
	s := start(t, m, "", newState())
	began := processorTime()
	granted := s.foldGas
	var err error
	if query {
		granted = s.queryGas
		_, err = s.Query("")
	} else {
		_, err = s.Fold(&Event{Data: []byte("{}")})
	}
	took := processorTime() - began
	if !errors.As(err, new(*ViewError)) {
		t.Errorf("it ended with %v", err)
	}
	if used := s.GasUsed(); used > 2*granted {
		t.Errorf("it used %d units of gas of %d", used, granted)
	}
	s.Close()
	if n := len(m.program.spare); n != 0 {
		t.Errorf("%d instances were kept", n)
	}
	return took
}

// What a fold costs under each cost model is a promise: what was deployed under one goes on under it forever.
func TestModelsStay(t *testing.T) {
	e := newEngine(t)
	for model, want := range map[CostModel]int64{1: 6069, 2: 6146} {
		m, err := e.CompileBy(t.Context(), meterGuest().encode(), model)
		if err != nil {
			t.Fatal(err)
		}
		s := start(t, m, "", newState("m", `{"a":1}`))
		if _, err := s.Fold(&Event{Data: []byte(`{"type":"x"}`)}); err != nil || s.GasUsed() != want {
			t.Errorf("by model %d it used %d, %v; want %d", model, s.GasUsed(), err, want)
		}
	}
	if _, err := e.CompileBy(t.Context(), meterGuest().encode(), LatestCostModel+1); err == nil ||
		!strings.Contains(err.Error(), "cost model 3 is not known") {
		t.Errorf("compiled by a model to come: %v", err)
	}
}

// Memory that grows makes what follows dearer in an event, in the same way wherever it runs, and not in a query.
func TestLargeMemoryHasItsPrice(t *testing.T) {
	e := newEngine(t)
	const rounds = 1_000_000
	work := func(pages int32) []byte {
		return code(opConst(pages), opMemoryGrow(), opDrop, opConst(rounds), opSet(2),
			opLoop, opGet(2), opConst(-1), opI32Add, opTee(2), opBrIf(0), opEnd)
	}
	use := func(pages int32, ask bool) int64 {
		g := newGuest().fold(work(pages), resetArena, opConst(0)).query(work(pages), resetArena, opConst64(16<<32|4))
		g.function("tally_query").locals = i32
		s := startWith(t, compile(t, e, g), Settings{FoldGas: 10_000_000_000}, newState())
		var err error
		if ask {
			_, err = s.Query("")
		} else {
			_, err = s.Fold(&Event{Data: []byte(`{}`)})
		}
		if err != nil {
			t.Fatal(err)
		}
		return s.GasUsed()
	}
	if small, large := use(1, false), use(1000, false); large < 20*small || large != use(1000, false) {
		t.Errorf("as much work takes %d with little memory and %d with much, then %d", small, large, use(1000, false))
	}
	if small, large := use(1, true), use(1000, true); large > 8*small {
		t.Errorf("in a question it takes %d with little memory and %d with much", small, large)
	}
}
