package ingest_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
)

// scripts is n events with the same script.
func scripts(t testing.TB, n int, lines ...string) []event.Event {
	events := make([]event.Event, n)
	for i := range events {
		events[i] = testrig.Parse(t, testrig.ScriptEvent(lines...), "")
	}
	return events
}

// newScripted makes a log with the scripted view.
func newScripted(t *testing.T, node *testrig.Node) uuid.UUID {
	t.Helper()
	log := node.NewLog(t)
	node.Deploy(t, log, "scripted", testrig.Scripted(), "{}")
	return log
}

// spin is some 20 million units of gas: less than half of an event's budget, so that it is folded once.
var spin = testrig.Line("spin", 50)

// TestSlowLogLeavesItsLane appends a batch that takes many seconds to fold, in the only shared lane: the other log's appends go on, the
// batch is refused with the number of events that would fit, and that many are accepted.
func TestSlowLogLeavesItsLane(t *testing.T) {
	node, d := start(t, testrig.Settings{Lanes: 1})
	node.Ingest.ShareFor(time.Millisecond)
	slow, quiet := newScripted(t, node), newScripted(t, node)
	node.Append(t, quiet, scripts(t, 1, testrig.Line("set", "a", 1))...)

	answer := appendAsync(node, slow, request(scripts(t, 400, spin)...))
	appended := 1
	var refused result
	for waiting := true; waiting; {
		select {
		case refused = <-answer:
			waiting = false
		default:
			node.Append(t, quiet, scripts(t, 1, testrig.Line("set", "a", 1))...)
			appended++
		}
	}
	var costly *ingest.TooCostlyError
	if !errors.As(refused.err, &costly) || costly.Events < 1 || costly.Events >= 400 {
		t.Fatalf("a batch that takes far more than a request may: %v, %v", refused.placements, refused.err)
	}
	if !node.Ingest.IsSlow(slow) || node.Ingest.IsSlow(quiet) {
		t.Errorf("in a slow lane: the slow log %t, the quiet one %t", node.Ingest.IsSlow(slow), node.Ingest.IsSlow(quiet))
	}
	if appended < 3 {
		t.Errorf("beside a slow batch only %d appends to another log were answered", appended)
	}
	if got := node.Append(t, slow, scripts(t, 1, spin)...)[0].Sequence; got != 1 {
		t.Errorf("after a refusal the first event got sequence %d", got)
	}
	half := scripts(t, max(1, costly.Events/10), spin, testrig.Line("set", "n", costly.Events))
	node.Append(t, slow, half...)
	logs := testrig.Check(t, d.DSN())
	if got := len(logs[slow].Events); got != 1+len(half) {
		t.Errorf("the slow log has %d events, want %d", got, 1+len(half))
	}
	if got := len(logs[quiet].Events); got != appended {
		t.Errorf("the quiet log has %d events, want %d", got, appended)
	}
}

// TestSlowAndMissing: a request turns out too slow for its lane before it is known which keys it needs.
func TestSlowAndMissing(t *testing.T) {
	const keys, events = 1500, 60 // more keys than are held in memory whole
	node, d := start(t, testrig.Settings{Lanes: 1})
	log := newScripted(t, node)
	fill := make([]event.Event, keys)
	for k := range fill {
		fill[k] = testrig.Parse(t, testrig.ScriptEvent(testrig.Line("set", fmt.Sprint("k", k), k)), "")
	}
	node.Append(t, log, fill...)
	node.Stop(t)
	node = testrig.Start(t, d.DSN(), testrig.Settings{Lanes: 1})
	node.Ingest.ShareFor(time.Millisecond)
	slow := make([]event.Event, events)
	for k := range slow {
		copied := testrig.Line("copy", fmt.Sprint("k", keys-1-k), fmt.Sprint("copy", k))
		slow[k] = testrig.Parse(t, testrig.ScriptEvent(copied, testrig.Line("spin", 5)), "")
	}
	first := appendAsync(node, log, request(slow...))
	second := appendAsync(node, log, request(scripts(t, 1, testrig.Line("copy", "k7", "late"))...))
	for i, answer := range []<-chan result{first, second} {
		if r := <-answer; r.err != nil {
			t.Errorf("request %d: %v", i, r.err)
		}
	}
	if !node.Ingest.IsSlow(log) {
		t.Error("the log is in a lane that it shares")
	}
	if got := len(testrig.Check(t, d.DSN())[log].Events); got != keys+events+1 {
		t.Errorf("the log has %d events, want %d", got, keys+events+1)
	}
}

// TestGroupsEndWithTheirTime has many requests wait that together take long to fold. They are committed in several groups, in their order,
// and a request of another log behind them does not have to wait for all.
func TestGroupsEndWithTheirTime(t *testing.T) {
	const requests = 60
	var mu sync.Mutex
	groups := map[uuid.UUID][]int{}
	node, d := start(t, testrig.Settings{Lanes: 1, FoldGas: 200_000_000, Committed: func(log uuid.UUID, events []event.Recorded) {
		mu.Lock()
		defer mu.Unlock()
		groups[log] = append(groups[log], len(events))
	}})
	slow, quiet := newScripted(t, node), newScripted(t, node)
	release := holdHead(t, d.DSN(), quiet)
	first := appendAsync(node, quiet, request(scripts(t, 1)...))
	awaitLockWaiters(t, d.DSN(), 1)
	var answers []<-chan result
	for i := range requests {
		script := scripts(t, 1, testrig.Line("spin", 100), testrig.Line("set", "last", i))
		answers = append(answers, appendAsync(node, slow, request(script...)))
		awaitWaiting(t, node, slow, i+1)
	}
	behind := appendAsync(node, quiet, request(scripts(t, 1)...))
	awaitWaiting(t, node, quiet, requests+1)
	release()
	for i, answer := range append(answers, first, behind) {
		r := <-answer
		if r.err != nil {
			t.Fatal(r.err)
		}
		if i < requests && r.placements[0].Sequence != int64(i+1) {
			t.Errorf("request %d of the slow log got sequence %d", i+1, r.placements[0].Sequence)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(groups[slow]) < 2 || len(groups[quiet]) != 2 {
		t.Errorf("events of each group: the slow log %v, the quiet one %v", groups[slow], groups[quiet])
	}
	testrig.Check(t, d.DSN())
}

// TestRefusedInTheMiddleOfAGroup has requests that are refused, for every reason, between others of the same log and of another.
func TestRefusedInTheMiddleOfAGroup(t *testing.T) {
	node, d := start(t, testrig.Settings{Lanes: 1, FoldGas: 200_000_000})
	one, other := newScripted(t, node), newScripted(t, node)
	keyed := func(key, script string) event.Event { return testrig.Parse(t, testrig.ScriptEvent(script), key) }
	node.Append(t, one, keyed("taken", testrig.Line("set", "a", 0)))
	large := []string{testrig.Line("set", "k", `"`+strings.Repeat("x", 60_000)+`"`)}
	for i := range 60 {
		large = append(large, testrig.Line("copy", "k", fmt.Sprint("copy", i)))
	}

	release := holdHead(t, d.DSN(), other)
	answers := []<-chan result{appendAsync(node, other, request(scripts(t, 1)...))}
	awaitLockWaiters(t, d.DSN(), 1)
	var mismatch *ingest.SequenceMismatchError
	var reused *ingest.KeyReusedError
	var costly *ingest.TooCostlyError
	steps := []struct {
		log  uuid.UUID
		r    ingest.Request
		want any // nil, or what the error must be
		at   int64
	}{
		{one, request(keyed("k1", testrig.Line("set", "a", 1))), nil, 2},
		{one, request(keyed("k2", testrig.Line("set", "b", 2)), keyed("taken", testrig.Line("set", "a", 9))), &reused, 0},
		{one, request(scripts(t, 40, large...)...), &costly, 0},
		{other, request(keyed("k1", testrig.Line("set", "a", 1))), nil, 2},
		{one, ingest.Request{Events: []event.Event{keyed("k2", testrig.Line("set", "a", 3))}, Expected: 7}, &mismatch, 0},
		{one, ingest.Request{Events: []event.Event{keyed("k2", testrig.Line("copy", "a", "c"))}, Expected: 2}, nil, 3},
		{one, request(keyed("k1", testrig.Line("set", "a", 1))), nil, 2},
		{one, request(scripts(t, 2, testrig.Line("copy", "k", "d"))...), nil, 4},
		{one, request(scripts(t, 3, large...)...), nil, 6},
	}
	for i, step := range steps {
		answers = append(answers, appendAsync(node, step.log, step.r))
		awaitWaiting(t, node, one, i+1)
	}
	release()
	if r := <-answers[0]; r.err != nil {
		t.Fatal(r.err)
	}
	for i, step := range steps {
		r := <-answers[i+1]
		switch {
		case step.want == nil && (r.err != nil || r.placements[0].Sequence != step.at):
			t.Errorf("request %d: %v, %v; want sequence %d", i, r.placements, r.err, step.at)
		case step.want != nil && (r.err == nil || !errors.As(r.err, step.want)):
			t.Errorf("request %d: %v, %v; want a %T", i, r.placements, r.err, step.want)
		}
	}
	if logs := testrig.Check(t, d.DSN()); len(logs[one].Events) != 8 || len(logs[other].Events) != 2 {
		t.Errorf("%d and %d events, want 8 and 2", len(logs[one].Events), len(logs[other].Events))
	}
}
