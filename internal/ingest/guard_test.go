package ingest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

// refusal returns how a guard refused; it fails the test if err is anything else.
func refusal(t *testing.T, err error) *ingest.RefusedError {
	t.Helper()
	refused, ok := errors.AsType[*ingest.RefusedError](err)
	if !ok {
		t.Fatalf("error %v, want a guard's refusal", err)
	}
	return refused
}

func units(t testing.TB, n int, key string) event.Event {
	return testrig.Parse(t, fmt.Sprintf(`{"units":%d}`, n), key)
}

func scripted(t testing.TB, guard string) event.Event {
	return testrig.Parse(t, `{"guard":"`+guard+`"}`, "")
}

// What a guard refuses leaves nothing, and is judged anew when it comes again.
func TestGuard(t *testing.T) {
	n, d := start(t, testrig.Settings{})
	log := n.NewLog(t)
	info := n.Deploy(t, log, "quota", testrig.Guarded(), `{"limit":10}`)
	if !info.Guard || info.OnHalt != view.OnHaltAdmit {
		t.Errorf("deployed %+v", info)
	}
	n.Deploy(t, log, "totals", views.MonthlyTotals(), "{}") // takes events in batches
	n.Append(t, log, units(t, 4, "a"), units(t, 4, "b"))

	_, err := n.Ingest.Append(log, request(units(t, 1, "c"), units(t, 1, "a-too"), units(t, 2, "d")))
	refused := refusal(t, err)
	if refused.Index != 2 || refused.View != "quota" || refused.Status != 402 ||
		string(refused.Answer) != `{"used":10,"limit":10,"sequence":5}` {
		t.Errorf("refused %+v: %s", refused, refused.Answer)
	}
	if got := n.Append(t, log, units(t, 4, "a")); got[0] != (ingest.Appended{Sequence: 1, Duplicate: true}) {
		t.Errorf("a duplicate is answered with %+v", got)
	}
	got, err := n.Ingest.Append(log, separate(units(t, 3, "e"), units(t, 1, "f"), units(t, 4, "b"), units(t, 5, "g"), scripted(t, "mark")))
	if err != nil {
		t.Fatal(err)
	}
	if r := refusal(t, got[0].Err); r.Index != 0 || string(r.Answer) != `{"used":8,"limit":10,"sequence":3}` {
		t.Errorf("the first is refused with %+v: %s", r, r.Answer)
	}
	if r := refusal(t, got[3].Err); r.Index != 3 || string(r.Answer) != `{"used":9,"limit":10,"sequence":4}` {
		t.Errorf("the fourth is refused with %+v: %s", r, r.Answer)
	}
	marked := ingest.Appended{Sequence: 4, Guards: `{"quota":{"used":10,"limit":10,"sequence":4}}`}
	if got[1] != (ingest.Appended{Sequence: 3}) || got[2] != (ingest.Appended{Sequence: 2, Duplicate: true}) || got[4] != marked {
		t.Errorf("the others are placed %+v", got)
	}
	if r := refusal(t, appendError(n, log, units(t, 1, "c"))); r.Status != 402 {
		t.Errorf("over the limit: %+v", r)
	}
	for status, wait := range map[string]int{"403": 0, "429": 30} {
		r := refusal(t, appendError(n, log, scripted(t, status)))
		if fmt.Sprint(r.Status) != status || r.RetryAfter != wait || r.Answer != nil {
			t.Errorf("%s: %+v", status, r)
		}
	}
	n.Deploy(t, log, "quota", testrig.Guarded(), `{"limit":12}`)
	if got := n.Append(t, log, units(t, 1, "c")); got[0] != (ingest.Appended{Sequence: 5}) {
		t.Errorf("what was refused before is placed %+v", got)
	}
	if _, err := n.Ingest.Append(log, ingest.Request{Events: []event.Event{units(t, 9, "h")}, Expected: 4}); !isMismatch(err) {
		t.Errorf("at another sequence, and over the limit: %v", err)
	}
	if events := testrig.Check(t, d.DSN())[log].Events; len(events) != 5 {
		t.Errorf("%d events are stored", len(events))
	}
	if n := d.Exec(t, "UPDATE event_keys SET key_hash = key_hash WHERE log_id = $1", log); n != 4 {
		t.Errorf("%d keys are stored", n)
	}
}

func appendError(n *testrig.Node, log uuid.UUID, events ...event.Event) error {
	_, err := n.Ingest.Append(log, request(events...))
	return err
}

func isMismatch(err error) bool { return errors.As(err, new(*ingest.SequenceMismatchError)) }

// All guards of a log must admit an event. The first by name that does not answers.
func TestSeveralGuards(t *testing.T) {
	n, d := start(t, testrig.Settings{})
	log := n.NewLog(t)
	for name, limit := range map[string]int{"b": 5, "c": 4, "a": 9} {
		n.Deploy(t, log, name, testrig.Guarded(), fmt.Sprintf(`{"limit":%d}`, limit))
	}
	n.Append(t, log, units(t, 4, ""))
	if r := refusal(t, appendError(n, log, units(t, 1, ""))); r.View != "c" {
		t.Errorf("%s refuses first", r.View)
	}
	if r := refusal(t, appendError(n, log, units(t, 2, ""))); r.View != "b" {
		t.Errorf("%s refuses first", r.View)
	}
	if err := n.Views.Retire(t.Context(), log, "c", ""); err != nil {
		t.Fatal(err)
	}
	const marks = `{"a":{"used":5,"limit":9,"sequence":2},"b":{"used":5,"limit":5,"sequence":2}}`
	if got := n.Append(t, log, scripted(t, "mark")); got[0].Guards != marks {
		t.Errorf("marks %s", got[0].Guards)
	}
	testrig.Check(t, d.DSN())
}

// A guard that fails halts its view; appends go on without it, unless the view was deployed so that they must not.
func TestGuardHalts(t *testing.T) {
	for _, cause := range []string{"trap", "fail", "spin"} {
		t.Run(cause, func(t *testing.T) {
			n, d := start(t, testrig.Settings{FoldGas: 1_000_000})
			log, strict := n.NewLog(t), n.NewLog(t)
			n.Deploy(t, log, "quota", testrig.Guarded(), `{"limit":2}`)
			deployment := view.Deployment{Code: testrig.Guarded(), Config: []byte(`{"limit":2}`), OnHalt: view.OnHaltRefuse}
			n.DeployAs(t, strict, "quota", deployment)
			for _, log := range []uuid.UUID{log, strict} {
				n.Append(t, log, units(t, 1, "first"))
			}
			if got := n.Append(t, log, scripted(t, cause), units(t, 7, "")); got[1].Sequence != 3 {
				t.Errorf("without its guard the log takes %+v", got)
			}
			var halted *view.GuardHaltedError
			err := appendError(n, strict, units(t, 1, ""), scripted(t, cause))
			if !errors.As(err, &halted) || halted.View != "quota" || halted.Reason == "" {
				t.Fatalf("error %v", err)
			}
			n.Views.Forget(strict) // what comes next is known from the database alone
			if err := appendError(n, strict, units(t, 1, "")); !errors.As(err, &halted) || halted.Reason != "" {
				t.Errorf("the next event: %v", err)
			}
			if got := n.Append(t, strict, units(t, 1, "first")); !got[0].Duplicate {
				t.Errorf("a duplicate is placed %+v", got)
			}
			for log, sequence := range map[uuid.UUID]int64{log: 2, strict: 2} {
				infos, err := n.Views.Get(t.Context(), log, "quota", nil)
				if err != nil || infos[0].Status != view.Halted || infos[0].HaltedSequence != sequence || infos[0].Applied != sequence-1 {
					t.Fatalf("%+v, %v", infos, err)
				}
			}
			testrig.Check(t, d.DSN())
			if _, err := n.Views.Resume(t.Context(), strict, "quota", view.Resumption{Skip: true}); !isRefused(err, "nothing_to_skip") {
				t.Errorf("skipping an event that is not there: %v", err)
			}
			for _, log := range []uuid.UUID{log, strict} {
				if info, err := n.Views.Resume(t.Context(), log, "quota", view.Resumption{}); err != nil || info.Status != view.Live {
					t.Fatalf("%+v, %v", info, err)
				}
			}
			n.Append(t, strict, units(t, 1, ""))
			for _, log := range []uuid.UUID{log, strict} {
				if r := refusal(t, appendError(n, log, units(t, 1, ""))); r.Status != 402 {
					t.Errorf("after it was resumed: %+v", r)
				}
			}
			testrig.Check(t, d.DSN())
		})
	}
}

func isRefused(err error, code string) bool {
	refused, ok := errors.AsType[*view.RefusedError](err)
	return ok && refused.Code == code
}

// A view whose fold fails halts at an event that is stored. Where no append may pass without its guard, the next is refused until the view
// is replaced.
func TestFoldOfGuardHalts(t *testing.T) {
	n, d := start(t, testrig.Settings{})
	log := n.NewLog(t)
	n.DeployAs(t, log, "quota", view.Deployment{Code: testrig.Guarded(), Config: []byte(`{}`), OnHalt: view.OnHaltRefuse})
	if got := n.Append(t, log, testrig.Parse(t, `{"fold":"trap"}`, ""), units(t, 1, "")); got[1].Sequence != 2 {
		t.Errorf("placed %+v", got)
	}
	var halted *view.GuardHaltedError
	if err := appendError(n, log, units(t, 1, "")); !errors.As(err, &halted) {
		t.Errorf("after the halt: %v", err)
	}
	if _, err := n.Views.Resume(t.Context(), log, "quota", view.Resumption{}); err != nil {
		t.Fatal(err)
	}
	if err := appendError(n, log, units(t, 1, "")); !errors.As(err, &halted) {
		t.Errorf("it has halted again: %v", err)
	}
	n.Deploy(t, log, "other", testrig.Scripted(), "{}")
	if err := appendError(n, log, units(t, 1, "")); !errors.As(err, &halted) {
		t.Errorf("another view is live: %v", err)
	}
	if err := n.Views.Retire(t.Context(), log, "quota", ""); err != nil {
		t.Fatal(err)
	}
	n.Append(t, log, units(t, 1, ""))
	testrig.Check(t, d.DSN())
}

// What a guard leaves in its memory does not change how the event is folded.
func TestGuardLeavesNothingForFolds(t *testing.T) {
	n, d := start(t, testrig.Settings{})
	log := n.NewLog(t)
	n.Deploy(t, log, "quota", testrig.Guarded(), `{}`)
	n.Append(t, log, units(t, 1, ""), scripted(t, "dirty"), units(t, 1, ""))
	if got := n.Ask(t, log, "quota", ""); string(got.Body) != `{"used":3}` {
		t.Errorf("answer %s", got.Body)
	}
	testrig.Check(t, d.DSN())
}

// TestGuardHammer: clients of two servers race for the units of a few logs, with retries and in requests of several events. No log has more
// than its limit, and what is not used up is less than the smallest event that was refused last.
func TestGuardHammer(t *testing.T) {
	const logs, clients, rounds, limit = 3, 16, 40, 100
	d := testdb.New(t)
	nodes := []*testrig.Node{testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})}
	var ids []uuid.UUID
	for range logs {
		log := nodes[0].NewLog(t)
		nodes[0].Deploy(t, log, "quota", testrig.Guarded(), fmt.Sprintf(`{"limit":%d}`, limit))
		ids = append(ids, log)
	}
	var admitted [logs]atomic.Int64
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(client), 1))
			for round := range rounds {
				log, n := random.IntN(logs), 1+random.IntN(3)
				var events []event.Event
				for i := range n {
					events = append(events, units(t, 1, fmt.Sprintf("%d-%d-%d", client, round, i)))
				}
				for try := range 2 { // the second is a retry
					r := request(events...)
					r.Separate = client%2 == 0
					placed, err := nodes[(client+try)%2].Ingest.Append(ids[log], r)
					if err != nil && !errors.As(err, new(*ingest.RefusedError)) {
						t.Errorf("appending: %v", err)
						return
					}
					for _, p := range placed {
						if p.Err == nil && !p.Duplicate {
							admitted[log].Add(1)
						}
					}
				}
			}
		})
	}
	wg.Wait()
	stored := testrig.Check(t, d.DSN())
	for i, log := range ids {
		if n := len(stored[log].Events); n != limit || admitted[i].Load() != limit {
			t.Errorf("log %d has %d events, and %d were admitted; want %d", i, n, admitted[i].Load(), limit)
		}
		var answer struct{ Used int }
		if err := json.Unmarshal(nodes[1].Ask(t, log, "quota", "").Body, &answer); err != nil || answer.Used != limit {
			t.Errorf("log %d: used %d, %v", i, answer.Used, err)
		}
	}
}

func TestGuardDeployment(t *testing.T) {
	n, _ := start(t, testrig.Settings{})
	log := n.NewLog(t)
	without := view.Deployment{Code: testrig.Scripted(), Config: []byte("{}"), OnHalt: view.OnHaltRefuse}
	_, err := n.Views.Deploy(t.Context(), log, "v", without)
	if !isRefused(err, "no_guard") {
		t.Errorf("on_halt without a guard: %v", err)
	}
	_, err = n.Views.Deploy(t.Context(), log, "v", view.Deployment{Code: testrig.Guarded(), Config: []byte("{}"), OnHalt: "stop"})
	if !isRefused(err, "invalid_on_halt") || !strings.Contains(err.Error(), "admit or refuse") {
		t.Errorf("an unknown on_halt: %v", err)
	}
	strict := view.Deployment{Code: testrig.Guarded(), Config: []byte("{}"), OnHalt: view.OnHaltRefuse}
	n.DeployAs(t, log, "v", strict)
	if again := n.Deploy(t, log, "v", testrig.Guarded(), "{}"); again.Version != 1 || again.OnHalt != view.OnHaltRefuse {
		t.Errorf("deployed again without saying: %+v", again)
	}
	if other := n.Deploy(t, log, "v", testrig.Guarded(), `{"limit":1}`); other.Version != 2 || other.OnHalt != view.OnHaltRefuse {
		t.Errorf("another configuration: %+v", other)
	}
}

// A dry run says what an append would do, and an append then does it.
func TestDryRun(t *testing.T) {
	d := testdb.New(t)
	n, other := testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})
	log := n.NewLog(t)
	n.Deploy(t, log, "quota", testrig.Guarded(), `{"limit":10}`)
	n.Append(t, log, units(t, 4, "a"))
	for i, events := range [][]event.Event{
		{units(t, 7, "b")},
		{units(t, 3, "b"), units(t, 2, "c"), units(t, 2, "d")},
		{units(t, 3, "b"), units(t, 4, "a")},
		{scripted(t, "mark")},
		{units(t, 2, "c"), units(t, 1, "b")},
		{scripted(t, "trap")},
		{scripted(t, "403")},
		{units(t, 1, "a")},
	} {
		for _, r := range []ingest.Request{request(events...), separate(events...), {Events: events, Expected: 1}} {
			would, refused := other.Ingest.DryRun(t.Context(), log, r, nil) // this one knows nothing, or something older
			again, refusedAgain := n.Ingest.DryRun(t.Context(), log, r, nil)
			if fmt.Sprint(would, inner(refused)) != fmt.Sprint(again, inner(refusedAgain)) {
				t.Errorf("%d: one server says %+v, %v, the other %+v, %v", i, would, refused, again, refusedAgain)
			}
			did, err := n.Ingest.Append(log, r)
			if fmt.Sprint(would, inner(refused)) != fmt.Sprint(did, err) {
				t.Errorf("%d: it would be %+v, %v; it is %+v, %v", i, would, refused, did, err)
			}
		}
	}
	if _, err := n.Ingest.DryRun(t.Context(), uuid.New(), request(units(t, 1, "")), nil); !errors.Is(err, eventlog.ErrLogNotFound) {
		t.Errorf("a log that is not there: %v", err)
	}
	testrig.Check(t, d.DSN())
}

// inner is what a dry run's error is about.
func inner(err error) error { return errors.Unwrap(err) }
