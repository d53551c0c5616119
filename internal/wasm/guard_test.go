package wasm

import (
	"maps"
	"reflect"
	"strings"
	"testing"
)

// guarded gives the guest a tally_guard. Its locals are three i32 and one i64, as tally_fold's.
func (g *guest) guarded(instructions ...[]byte) *guest {
	f := g.function(guardExport)
	f.signature, f.locals, f.body = signature{i32, i32}, i32+i32+i32+i64, code(instructions...)
	return g
}

// answering has a guard give the text, which the guest has at 128, as its answer.
func (g *guest) answering(text string, instructions ...[]byte) *guest {
	const at = 128
	g.data[at] = text
	return g.guarded(code(opConst(at), opConst(int32(len(text))), opCall(callAnswer)), code(instructions...))
}

func TestGuard(t *testing.T) {
	wait := code(opConst(90), opCall(callRetryAfter))
	for _, tt := range []struct {
		name  string
		guest *guest
		want  Verdict
	}{
		{"admits", newGuest().guarded(opConst(0)), Verdict{}},
		{"admits with a mark", newGuest().answering(`{"left":1}`, wait, opConst(0)), Verdict{Answer: []byte(`{"left":1}`)}},
		{"refuses", newGuest().guarded(opConst(403)), Verdict{Status: StatusForbidden}},
		{"refuses and answers", newGuest().answering(` {"left":0} `, opConst(402)), Verdict{Status: 402, Answer: []byte(` {"left":0} `)}},
		{"refuses for a while", newGuest().guarded(wait, opConst(429)), Verdict{Status: 429, RetryAfter: 90}},
		{"says nothing of how long", newGuest().guarded(opConst(429)), Verdict{Status: 429, RetryAfter: 1}},
		{"wait means nothing here", newGuest().guarded(wait, opConst(409)), Verdict{Status: 409}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := compile(t, newEngine(t), tt.guest)
			if !m.HasGuard() {
				t.Fatal("the module has no guard")
			}
			s := start(t, m, "", newState())
			for range 2 { // the second call remembers nothing of the first
				got, err := s.Guard(event(t, m, `{}`))
				if err != nil || !reflect.DeepEqual(got, tt.want) {
					t.Fatalf("%+v, %v; want %+v", got, err, tt.want)
				}
				if _, err := s.Fold(event(t, m, `{}`)); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	if compile(t, newEngine(t), newGuest()).HasGuard() {
		t.Error("a module without tally_guard has a guard")
	}
}

// A guard sees the state as the folds before it left it.
func TestGuardReadsState(t *testing.T) {
	g := storeGuest().guarded(
		slot(0), opSet(2), opSet(1),
		opGet(1), opGet(2), opCall(callGet), opConst64(-1), opI64Eq, opIf, resetArena, opConst(0), opReturn, opEnd,
		resetArena, opConst(409),
	)
	m := compile(t, newEngine(t), g)
	s := start(t, m, "", newState())
	for data, statuses := range map[string][2]int{`{"key":"a","value":"1"}`: {0, 409}, `{"key":"b","value":"1"}`: {0, 409}} {
		for _, want := range statuses {
			if got, err := s.Guard(event(t, m, data)); err != nil || got.Status != want {
				t.Fatalf("%s: %+v, %v; want %d", data, got, err, want)
			}
			if _, err := s.Fold(event(t, m, data)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestGuardsDoNotWrite(t *testing.T) {
	e := newEngine(t)
	for name, tt := range map[string]struct{ call, part string }{
		"set":          {string(code(opConst(16), opConst(4), opConst(16), opConst(4), opCall(callSet))), ": a guard must not write"},
		"delete":       {string(code(opConst(16), opConst(4), opCall(callDelete))), ": a guard must not write"},
		"content_type": {string(code(opConst(16), opConst(4), opCall(callContentType))), ", which may not call it"},
	} {
		state := newState("null", "1")
		m := compile(t, e, newGuest().guarded([]byte(tt.call), opConst(0)))
		_, err := start(t, m, "", state).Guard(&Event{Data: []byte("{}")})
		viewError(t, err, KindTrap, name+" was called in tally_guard"+tt.part)
		if !maps.Equal(state.entries, map[string]string{"null": "1"}) {
			t.Errorf("%s went through", name)
		}
	}
}

func TestHostileGuards(t *testing.T) {
	e := newEngine(t)
	for _, tt := range []struct {
		name, kind, part string
		guest            *guest
	}{
		{"another status", KindTrap, "tally_guard returned 200; it must return 0, 402, 403, 409, 429", newGuest().guarded(opConst(200))},
		{"negative", KindRefused, "tally_guard returned -3 without a reason", newGuest().guarded(opConst(-3))},
		{"with a reason", KindRefused, "null", newGuest().guarded(opConst(16), opConst(4), opCall(callFail), opConst(-1))},
		{"traps", KindTrap, "tally_guard: unreachable", newGuest().guarded(opUnreachable)},
		{
			"loops", KindLimit, "tally_guard ran out of gas: the budget for the guard of one event is 50000000",
			newGuest().guarded(opLoop, opBr(0), opEnd, opConst(0)),
		},
		{"answers an array", KindTrap, "the answer of a guard must be a JSON object", newGuest().answering(`[1]`, opConst(402))},
		{"answers no JSON", KindLimit, "the answer of a guard must be JSON", newGuest().answering(`{"a"}`, opConst(402))},
		{"answers nothing", KindLimit, "the answer of a guard must be JSON", newGuest().answering(``, opConst(402))},
		{
			"answers too much", KindLimit, "at most 4096 are allowed",
			newGuest().answering(`{"a":"`+strings.Repeat("x", 4089)+`"}`, opConst(402)),
		},
		{
			"answers from beyond", KindTrap, "answer: the answer of 9 bytes",
			newGuest().guarded(opConst(-8), opConst(9), opCall(callAnswer), opConst(0)),
		},
		{
			"waits for nothing", KindLimit, "retry_after has 0 seconds",
			newGuest().guarded(opConst(0), opCall(callRetryAfter), opConst(429)),
		},
		{
			"waits for ever", KindLimit, "1 to 31622400 are allowed",
			newGuest().guarded(opConst(MaxRetryAfter+1), opCall(callRetryAfter), opConst(429)),
		},
		{
			"answers in a fold", KindTrap, "answer was called in tally_fold, which may not call it",
			newGuest().guarded(opConst(0)).fold(opConst(16), opConst(4), opCall(callAnswer), opConst(0)),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, compile(t, e, tt.guest), "", newState())
			var err error
			if strings.Contains(tt.name, "in a fold") {
				_, err = s.Fold(&Event{Data: []byte("{}")})
			} else {
				_, err = s.Guard(&Event{Data: []byte("{}")})
			}
			viewError(t, err, tt.kind, tt.part)
		})
	}
	wrong := newGuest().guarded(opConst(0))
	wrong.function(guardExport).signature = signature{"", i32}
	if _, err := newEngine(t).Compile(t.Context(), wrong.encode()); err == nil || !strings.Contains(err.Error(), guardExport) {
		t.Errorf("a guard of another type: %v", err)
	}
}

// A guard that leaves something behind in memory makes the fold after it fail: only that of a new session counts.
func TestFoldAfterGuardIsAskedAgain(t *testing.T) {
	const poisonAt = 96
	g := newGuest().guarded(opConst(poisonAt), opConst(1), opStore(0), opConst(0)).
		fold(opConst(poisonAt), opLoad(0), opIf, opUnreachable, opEnd, opConst(0))
	m := compile(t, newEngine(t), g)
	s := start(t, m, "", newState())
	if _, err := s.Guard(&Event{Data: []byte("{}")}); err != nil || s.Again() {
		t.Fatal(err, s.Again())
	}
	if _, err := s.Fold(&Event{Data: []byte("{}")}); err == nil || !s.Again() {
		t.Fatalf("error %v, again %v", err, s.Again())
	}
	if _, err := start(t, m, "", newState()).Fold(&Event{Data: []byte("{}")}); err != nil {
		t.Error(err)
	}
}
