package view_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/replay"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/turns"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

func audit(t *testing.T, node *testrig.Node, log uuid.UUID, name string, version int32) view.Report {
	t.Helper()
	report, err := node.Views.Audit(t.Context(), log, name, view.AuditOptions{Version: version}, nil)
	if err != nil {
		t.Fatalf("auditing %s: %v", name, err)
	}
	return report
}

// TestAuditFindsNothingWrong audits views of every kind while appends go on, on two servers.
func TestAuditFindsNothingWrong(t *testing.T) {
	const during = 50 // appends while a page is folded; without bound a log that is audited slowly grows the more
	d := testdb.New(t)
	nodes := []*testrig.Node{testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})}
	log := nodes[0].NewLog(t)
	nodes[0].Append(t, log, counted(t, 0, history)...)
	names := map[string][]byte{"months": views.MonthlyTotals(), "minutes": views.RateCheck(), "script": testrig.Scripted()}
	for name, code := range names {
		nodes[0].Deploy(t, log, name, code, "{}")
	}
	due := make(chan struct{}, 2*during)
	allow := func() {
		for range during {
			select {
			case due <- struct{}{}:
			default: // there is enough to do
			}
		}
	}
	var appends sync.WaitGroup
	for i, node := range nodes {
		appends.Go(func() {
			n := 0
			for range due {
				node.Append(t, log, counted(t, history+1000*i+n, 1+n%7)...)
				n++
			}
		})
	}
	for name := range names {
		var done []int64
		allow()
		report, err := nodes[1].Views.Audit(t.Context(), log, name, view.AuditOptions{}, func(n, _ int64) {
			done = append(done, n)
			allow()
		})
		if err != nil {
			t.Fatal(err)
		}
		if !report.OK || report.Difference != nil || report.Sequence < history || report.Events != report.Sequence || report.Version != 1 ||
			report.Keys == 0 || len(report.Ways) != 5 {
			t.Errorf("%s: %+v: %v", name, report, report.Difference)
		}
		if len(done) < 2 || !slices.IsSorted(done) || done[len(done)-1] != report.Sequence {
			t.Errorf("%s: the progress was %v of %d", name, done, report.Sequence)
		}
	}
	close(due)
	appends.Wait()
	testrig.Check(t, d.DSN())
}

// TestAuditFindsEdits changes stored state by SQL: each change is named by its key.
func TestAuditFindsEdits(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	const insert = `INSERT INTO view_state_rows (log_id, version_id, key, value) SELECT log_id, version_id, '%s', '%s'
		FROM view_versions WHERE log_id = $1`
	for edit, want := range map[string]replay.Difference{
		`UPDATE view_state_rows SET value = '2' WHERE log_id = $1 AND key = 'b'`:  {Key: "b", Expected: "1", Found: "2"},
		`UPDATE view_state_rows SET value = ' 1' WHERE log_id = $1 AND key = 'b'`: {Key: "b", Expected: "1", Found: " 1"},
		`DELETE FROM view_state_rows WHERE log_id = $1 AND key = 'a'`:             {Key: "a", Expected: "1"},
		`DELETE FROM view_state_rows WHERE log_id = $1 AND key = 'c'`:             {Key: "c", Expected: "1"},
		`DELETE FROM view_state_rows WHERE log_id = $1`:                           {Key: "a", Expected: "1"},
		fmt.Sprintf(insert, "aa", `{"x":7}`):                                      {Key: "aa", Found: `{"x":7}`},
		fmt.Sprintf(insert, "d", "7"):                                             {Key: "d", Found: "7"},
	} {
		log := node.NewLog(t)
		node.Deploy(t, log, "v", testrig.Scripted(), "{}")
		node.Append(t, log, script(t, line("set", "b", 1), line("set", "a", 1)), script(t, line("set", "c", 1)))
		if report := audit(t, node, log, "v", 0); !report.OK || report.Keys != 3 {
			t.Fatalf("before: %+v", report)
		}
		testrig.StateToRows(t, d.DSN())
		d.Exec(t, edit, log)
		want.Way, want.Sequence = "stored state", 2
		if report := audit(t, node, log, "v", 0); report.OK || report.Difference == nil || *report.Difference != want {
			t.Errorf("%s: %+v: %+v, want %+v", edit, report, report.Difference, want)
		}
	}
}

// TestAuditFindsEditedEvents: an event that was changed behind the server's back no longer gives the stored state, and one
// that is missing is not passed over.
func TestAuditFindsEditedEvents(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	node.Deploy(t, log, "v", testrig.Scripted(), "{}")
	node.Append(t, log, script(t, line("set", "a", 1)), script(t, line("set", "b", 1)), script(t, line("set", "c", 1)))
	d.Exec(t, "UPDATE events SET data = $2 WHERE log_id = $1 AND sequence = 2", log, testrig.ScriptEvent(line("fail", "no")))
	want := replay.Difference{Way: "stored state", Sequence: 2, Expected: "view error (refused): no", Found: "folded"}
	if report := audit(t, node, log, "v", 0); report.Difference == nil || *report.Difference != want {
		t.Errorf("found %+v, want %+v", report.Difference, want)
	}
	d.Exec(t, "DELETE FROM events WHERE log_id = $1 AND sequence = 2", log)
	report, err := node.Views.Audit(t.Context(), log, "v", view.AuditOptions{}, nil)
	if err == nil || !strings.Contains(err.Error(), "no event 2") {
		t.Errorf("with an event missing: %+v, %v", report, err)
	}
	d.Exec(t, "DELETE FROM events WHERE log_id = $1 AND sequence = 3", log)
	report, err = node.Views.Audit(t.Context(), log, "v", view.AuditOptions{}, nil)
	if err == nil || !strings.Contains(err.Error(), "no event 2") {
		t.Errorf("with the end missing: %+v, %v", report, err)
	}
}

// TestAuditOfAnyVersion audits versions that are live, halted and retired, and leaves out what a version leaves out.
func TestAuditOfAnyVersion(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	node.Deploy(t, log, "v", testrig.Scripted(), "{}")
	node.Append(t, log, append(counted(t, 0, 10), script(t, line("set", "x", 1), line("fail", "boom")))...)
	node.Append(t, log, counted(t, 10, 10)...)
	if report := audit(t, node, log, "v", 0); !report.OK || report.Sequence != 10 || report.Events != 10 {
		t.Errorf("a halted version: %+v", report)
	}
	if _, err := node.Views.Resume(t.Context(), log, "v", view.Resumption{Skip: true, Reason: "not today"}); err != nil {
		t.Fatal(err)
	}
	node.Append(t, log, counted(t, 20, 5)...)
	if report := audit(t, node, log, "v", 0); !report.OK || report.Sequence != 26 || report.Events != 25 || report.Skipped != 1 {
		t.Errorf("a version that leaves an event out: %+v: %v", report, report.Difference)
	}
	node.Deploy(t, log, "v", views.MonthlyTotals(), "{}")
	node.Append(t, log, counted(t, 25, 5)...)
	if report := audit(t, node, log, "v", 1); !report.OK || report.Sequence != 26 || report.Skipped != 1 || report.Version != 1 {
		t.Errorf("a retired version: %+v: %v", report, report.Difference)
	}
	if report := audit(t, node, log, "v", 0); !report.OK || report.Sequence != 31 || report.Version != 2 {
		t.Errorf("the live version: %+v: %v", report, report.Difference)
	}
	for range 3 {
		node.Deploy(t, log, "v", views.RateCheck(), "{}")
		node.Deploy(t, log, "v", views.MonthlyTotals(), "{}")
	}
	await(t, "the first version's state is dropped", func() bool {
		_, err := node.Views.Audit(t.Context(), log, "v", view.AuditOptions{Version: 1}, nil)
		return errors.Is(err, view.ErrStateNotKept)
	})
	for name, want := range map[string]error{"v": view.ErrVersionNotFound, "w": view.ErrViewNotFound} {
		if _, err := node.Views.Audit(t.Context(), log, name, view.AuditOptions{Version: 99}, nil); !errors.Is(err, want) {
			t.Errorf("version 99 of view %s: %v, want %v", name, err, want)
		}
	}
	testrig.Check(t, d.DSN())
}

// TestUnreproducibleViewsAreRefused: no view that keeps what it must not is ever recorded, on an empty log nor on one with
// a history; one that keeps nothing is.
func TestUnreproducibleViewsAreRefused(t *testing.T) {
	node, _ := start(t, testrig.Settings{})
	empty, used := node.NewLog(t), node.NewLog(t)
	node.Append(t, used, counted(t, 0, 700)...)
	for _, keeps := range []string{"memory", "address", "cache", "ignorance"} {
		for _, log := range []uuid.UUID{empty, used, empty} { // a refusal is not remembered
			config := fmt.Sprintf(`{"keeps":%q}`, keeps)
			_, err := node.Views.Deploy(t.Context(), log, "v", view.Deployment{Code: testrig.Forgetful(), Config: []byte(config)})
			var refused *view.RefusedError
			if !errors.As(err, &refused) || refused.Code != "not_reproducible" {
				t.Errorf("%s: %v", config, err)
			}
		}
	}
	if infos, err := node.Views.List(t.Context(), empty, nil); err != nil || len(infos) != 0 {
		t.Errorf("recorded: %+v, %v", infos, err)
	}
	_, err := node.Views.Deploy(t.Context(), empty, "v", view.Deployment{Code: testrig.CountingGlobal(), Config: []byte("{}")})
	var refused *view.RefusedError
	const difference = `after event 2 the key "n" is 1 one event at a time, and 2 with`
	if !errors.As(err, &refused) || refused.Code != "not_reproducible" || !strings.Contains(refused.Detail, difference) {
		t.Errorf("a count in a global: %v", err)
	}
	node.Deploy(t, used, "v", testrig.Forgetful(), `{"keeps":"nothing"}`)
	if report := audit(t, node, used, "v", 0); !report.OK || report.Events != 700 {
		t.Errorf("%+v: %v", report, report.Difference)
	}
}

// TestFoldedAgain: a view that fails, or runs out of memory or gas, only because of the events that its session folded before is
// given each such event alone, and so counts all of them, whether they come in one batch, one by one, or from history.
func TestFoldedAgain(t *testing.T) {
	node, _ := start(t, testrig.Settings{})
	events := make([]event.Event, 400)
	for i := range events {
		events[i] = testrig.Parse(t, `{"name":"a"}`, "")
	}
	for _, keeps := range []string{"refusal", "room", "work"} {
		config := fmt.Sprintf(`{"keeps":%q}`, keeps)
		before, after := node.NewLog(t), node.NewLog(t)
		node.Deploy(t, before, "v", testrig.Forgetful(), config)
		for _, log := range []uuid.UUID{before, after} {
			node.Append(t, log, events...)
		}
		node.Append(t, before, events[:1]...)
		node.Deploy(t, after, "v", testrig.Forgetful(), config)
		for log, want := range map[uuid.UUID]int64{before: 401, after: 400} {
			if report := audit(t, node, log, "v", 0); !report.OK || report.Events != want || report.Keys != 1 {
				t.Errorf("%s: %+v: %v", config, report, report.Difference)
			}
		}
	}
}

// TestRehearsalKnowsTheLog: a view that goes wrong over real events only, of the beginning or the end of a history.
// That it went well on a log without events says nothing of them.
func TestRehearsalKnowsTheLog(t *testing.T) {
	node, _ := start(t, testrig.Settings{})
	node.Deploy(t, node.NewLog(t), "v", testrig.Forgetful(), `{"keeps":"real"}`)
	for _, at := range []int{0, 5000} {
		log := node.NewLog(t)
		events := counted(t, 0, 5010)
		for i := range 6 {
			events[at+i] = testrig.Parse(t, `{"name":"only here"}`, "")
		}
		node.Append(t, log, events...)
		_, err := node.Views.Deploy(t.Context(), log, "v", view.Deployment{Code: testrig.Forgetful(), Config: []byte(`{"keeps":"real"}`)})
		var refused *view.RefusedError
		if !errors.As(err, &refused) || refused.Code != "not_reproducible" ||
			!strings.Contains(refused.Detail, "events of the log") || !strings.Contains(refused.Detail, "only here") {
			t.Errorf("at %d: %v", at, err)
		}
	}
}

// TestRehearsedOnce: what passed once is not rehearsed again on a log without events, and that very view alone is meant.
func TestRehearsedOnce(t *testing.T) {
	node, _ := start(t, testrig.Settings{})
	empty, used := node.NewLog(t), node.NewLog(t)
	node.Append(t, used, counted(t, 0, 10)...)
	code := testrig.CountingGlobal() // it would not pass
	node.Views.Passed(code, []byte("{}"))
	for _, deploy := range []struct {
		log    uuid.UUID
		config string
		gas    int64
		passes bool
	}{{empty, `{"other":1}`, 0, false}, {empty, "{}", 1_000_000, false}, {used, "{}", 0, false}, {empty, "{}", 0, true}} {
		deployment := view.Deployment{Code: code, Config: []byte(deploy.config), FoldGas: deploy.gas}
		_, err := node.Views.Deploy(t.Context(), deploy.log, "v", deployment)
		var refused *view.RefusedError
		if deploy.passes && err != nil || !deploy.passes && (!errors.As(err, &refused) || refused.Code != "not_reproducible") {
			t.Errorf("%+v: %v", deploy, err)
		}
	}
}

// TestAuditStartsOver has a version stand at an earlier event each time that an audit has caught up with it, as when it is
// built anew.
func TestAuditStartsOver(t *testing.T) {
	const events = 2000
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	node.Append(t, log, counted(t, 0, events)...)
	node.Deploy(t, log, "v", views.MonthlyTotals(), "{}")
	node.Deploy(t, log, "v", views.RateCheck(), "{}")
	stand := func(at int64) {
		t.Helper()
		d.Exec(t, "UPDATE view_versions SET applied_sequence = $2 WHERE log_id = $1 AND version = 1", log, at)
	}
	moved := map[int64]bool{}
	_, err := node.Views.Audit(t.Context(), log, "v", view.AuditOptions{Version: 1}, func(_, total int64) {
		if !moved[total] {
			moved[total] = true
			stand(total - 200)
		}
	})
	if !errors.Is(err, view.ErrAuditInterrupted) || len(moved) != 3 {
		t.Errorf("a version that is built anew all the time: %v, after %v", err, moved)
	}
	stand(events)
	began := false
	report, err := node.Views.Audit(t.Context(), log, "v", view.AuditOptions{Version: 1}, func(int64, int64) {
		if !began {
			began = true
			stand(0)
		}
	})
	// Nothing is folded up to event 0, so that whatever is stored is too much.
	if err != nil || report.OK || report.Sequence != 0 || report.Events != 0 ||
		report.Difference == nil || report.Difference.Expected != "" {
		t.Errorf("a version that was built anew once: %+v, %v", report, err)
	}
}

// TestAuditsTakeTurns has others hold all the cores that long work shares until somebody waits for one: the audit does.
func TestAuditsTakeTurns(t *testing.T) {
	node, _ := start(t, testrig.Settings{})
	log := node.NewLog(t)
	node.Append(t, log, counted(t, 0, history)...)
	node.Deploy(t, log, "v", testrig.Scripted(), "{}")
	ctx, done := context.WithCancel(t.Context())
	var holders sync.WaitGroup
	var waited atomic.Int64
	for core := range max(1, runtime.GOMAXPROCS(0)/2) {
		turn := node.Views.Turns().Turn(turns.Key{byte(core)}, turns.Append)
		if err := turn.Pause(ctx); err != nil {
			t.Fatal(err)
		}
		before := turn.Waited()
		holders.Go(func() {
			defer turn.End()
			for turn.Pause(ctx) == nil { // keeps its core while nobody else wants one
			}
			waited.Add(int64(turn.Waited() - before))
		})
	}
	report := audit(t, node, log, "v", 0)
	done()
	holders.Wait()
	if !report.OK || report.Events != history {
		t.Errorf("%+v: %v", report, report.Difference)
	}
	if waited.Load() == 0 {
		t.Error("the audit did its work without a turn")
	}
}
