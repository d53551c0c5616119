package view_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

// explain explains an event by one view, or by all.
func explain(t *testing.T, node *testrig.Node, log uuid.UUID, sequence int64, name string) []view.Explanation {
	t.Helper()
	explanations, err := node.Views.Explain(t.Context(), log, sequence, name, nil)
	if err != nil {
		t.Fatalf("explaining event %d: %v", sequence, err)
	}
	return explanations
}

// states reads what the database holds of the state of each version of a log, by SQL.
func states(t *testing.T, d *testdb.Database, log uuid.UUID) map[string]map[string]string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), `SELECT w.name || '@' || v.version, s.key, s.value::text
		FROM view_state s JOIN view_versions v USING (log_id, version_id) JOIN views w USING (log_id, view_id) WHERE log_id = $1`, log)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]map[string]string{}
	var version, key, value string
	_, err = pgx.ForEachRow(rows, []any{&version, &key, &value}, func() error {
		if found[version] == nil {
			found[version] = map[string]string{}
		}
		found[version][key] = value
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// wantChanges holds the changes of an explanation against two states.
func wantChanges(t *testing.T, what string, e *view.Explanation, before, after map[string]string) {
	t.Helper()
	type change struct{ before, after string }
	want, got := map[string]change{}, map[string]change{}
	for _, state := range []map[string]string{before, after} {
		for key := range state {
			if before[key] != after[key] {
				want[key] = change{before[key], after[key]}
			}
		}
	}
	short := func(text string) string { return text[:min(len(text), view.MaxExplainedValue)] }
	for key, c := range want {
		want[key] = change{short(c.before), short(c.after)}
	}
	keys := make([]string, len(e.Changes))
	for i, c := range e.Changes {
		keys[i], got[c.Key] = c.Key, change{string(c.Before.Text), string(c.After.Text)}
	}
	if e.LeftOver != 0 || !slices.IsSorted(keys) || !maps.Equal(got, want) {
		t.Errorf("%s: %s@%d says that it changed\n%v and %d keys besides\nand the database\n%v",
			what, e.View, e.Version, got, e.LeftOver, want)
	}
	if (len(want) == 0) != (e.Outcome == view.Ignored) || e.Outcome != view.Ignored && e.Outcome != view.Applied &&
		e.Outcome != view.NotCounted {
		t.Errorf("%s: %s@%d is %s: %s", what, e.View, e.Version, e.Outcome, e.Reason)
	}
}

const explainedMeter = `{"type": "call", "where": [{"path": "/region", "not": "test"}], "value": "/tokens", "unique": "/user",
	"aggregations": ["sum", "unique", "p95"], "group_by": {"model": "/model"}}`

// explainedEvents are events, with what the meter is to say of each.
var explainedEvents = []struct {
	data    string
	outcome view.Outcome
	reason  string
}{
	{`{"type":"call","model":"a","tokens":5,"user":"ann"}`, view.Applied, ""},
	{`{"type":"call","model":"a","tokens":0,"user":"ann"}`, view.Applied, ""},
	{`{"type":"login","user":"ann"}`, view.Ignored, ""},
	{`{"type":"call","region":"test","tokens":5,"user":"ann"}`, view.Ignored, ""},
	{`{"type":"call","model":"a","tokens":null,"user":"ann"}`, view.NotCounted, "value_null"},
	{`{"type":"call","model":"b","tokens":"many","user":"eve"}`, view.NotCounted, "value_not_a_number"},
	{`{"type":"call","model":"b","tokens":1,"user":[]}`, view.NotCounted, "unique_not_text"},
	{`{"type":"call","model":["b"],"tokens":1,"user":"eve"}`, view.NotCounted, "group_not_text"},
	{`{"type":"call","model":"a","tokens":1,"user":"eve","time":"0000-06-01T00:00:00Z"}`, view.NotCounted, "time_out_of_range"},
	{`{"type":"call","model":"a","tokens":null,"user":"ann"}`, view.NotCounted, "value_null"},
	{`{"type":"call","model":"a","tokens":"0.125","user":"bob","time":"2024-02-29T12:00:00Z"}`, view.Applied, ""},
	{`{"script":"set\tk\t1\nset\tlong\t\"` + strings.Repeat("x", 5000) + `\""}`, view.Ignored, ""},
	{`{"script":"set\tk\t1"}`, view.Ignored, ""}, // changes nothing in the scripted view
	{`{"script":"set\tk\t2\ndelete\tk\nset\tk\tnull\nset\tother\t{\"a\":[1]}\nset\tlong\t1"}`, view.Ignored, ""},
	{`{"script":"delete\tk\ndelete\tnever"}`, view.Ignored, ""},
	{`{"type":"grant","grant":"g","amount":"100"}`, view.Ignored, ""},
	{`{"type":"chat","cost":"2.5"}`, view.Ignored, ""},
	{`{"type":"reserve","reservation":"r","amount":"10"}`, view.Ignored, ""},
	{`{"type":"settle","reservation":"r","amount":"3"}`, view.Ignored, ""},
	{`{"model":"m","tokens_in":7,"tokens_out":"x"}`, view.Ignored, ""},
}

// deployExplained deploys one view of each kind.
func deployExplained(t *testing.T, node *testrig.Node, log uuid.UUID) {
	t.Helper()
	node.Deploy(t, log, "meter", views.Meter(), explainedMeter)
	node.Deploy(t, log, "quota", views.Quota(), `{"credits":{"type":"chat","value":"/cost"}}`)
	node.Deploy(t, log, "months", views.MonthlyTotals(), "{}")
	node.Deploy(t, log, "script", testrig.Scripted(), "{}")
}

// TestExplainIsWhatHappened appends events one by one, and holds the explanation of each, by views of several kinds, against what the
// database held before and after it: at once, again when all are there and others are appended meanwhile, and by another server.
func TestExplainIsWhatHappened(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	other := testrig.Start(t, d.DSN(), testrig.Settings{})
	log := node.NewLog(t)
	deployExplained(t, node, log)
	held := []map[string]map[string]string{states(t, d, log)}
	check := func(node *testrig.Node, i int) {
		t.Helper()
		explanations := explain(t, node, log, int64(i+1), "")
		if len(explanations) != 4 {
			t.Fatalf("%d views explain event %d", len(explanations), i+1)
		}
		for n := range explanations {
			e := &explanations[n]
			version := fmt.Sprintf("%s@%d", e.View, e.Version)
			wantChanges(t, explainedEvents[i].data, e, held[i][version], held[i+1][version])
			if e.View == "meter" && (e.Outcome != explainedEvents[i].outcome || e.Reason != explainedEvents[i].reason) {
				t.Errorf("%s: the meter says %s %q", explainedEvents[i].data, e.Outcome, e.Reason)
			}
		}
	}
	for i, e := range explainedEvents {
		node.Append(t, log, testrig.Parse(t, e.data, ""))
		held = append(held, states(t, d, log))
		check(node, i)
	}
	due, meanwhile := make(chan int, len(explainedEvents)), sync.WaitGroup{}
	meanwhile.Go(func() {
		for n := range due {
			node.Append(t, log, counted(t, n, 50)...)
		}
	})
	for i := range explainedEvents {
		due <- i
		check(other, i)
	}
	close(due)
	meanwhile.Wait()
}

// TestExplainUncountedByQuota has events in a log that no guard has seen, and holds what the view says of each against logs that end before
// it and at it.
func TestExplainUncountedByQuota(t *testing.T) {
	now := time.Date(2125, 3, 1, 12, 0, 0, 0, time.UTC) // after all logs are created, so that it is the time of recording of all events
	node, d := start(t, testrig.Settings{Now: func() time.Time { return now }})
	events := []struct {
		data    string
		outcome view.Outcome
		reason  string
	}{
		{`{"type":"chat","cost":"much"}`, view.NotCounted, "value_not_a_number"},
		{`{"type":"grant","grant":"g","amount":"-1"}`, view.NotCounted, "amount_negative"},
		{`{"type":"grant","grant":"g","amount":"100","expires":"2130-01-01T00:00:00Z"}`, view.Applied, ""},
		{`{"type":"grant","grant":"g","amount":"5"}`, view.NotCounted, "grant_exists"},
		{`{"type":"release","reservation":"none"}`, view.NotCounted, "reservation_unknown"},
		{`{"type":"chat","cost":"2.5"}`, view.Applied, ""},
		{`{"type":"chat","cost":"much"}`, view.NotCounted, "value_not_a_number"},
		{`{"type":"other"}`, view.Ignored, ""},
	}
	const config = `{"credits":{"type":"chat","value":"/cost"}}`
	var held []map[string]string
	var log uuid.UUID
	for n := range len(events) + 1 {
		log = node.NewLog(t)
		for _, e := range events[:n] {
			node.Append(t, log, testrig.Parse(t, e.data, ""))
		}
		node.Deploy(t, log, "quota", views.Quota(), config)
		held = append(held, states(t, d, log)["quota@1"])
	}
	for i, want := range events {
		e := explain(t, node, log, int64(i+1), "quota")[0]
		wantChanges(t, want.data, &e, held[i], held[i+1])
		if e.Outcome != want.outcome || e.Reason != want.reason {
			t.Errorf("%s: the quota says %s %q, want %s %q", want.data, e.Outcome, e.Reason, want.outcome, want.reason)
		}
	}
}

// TestExplainVersions explains events by versions that halted, were resumed past one, retried another, were replaced and rolled back to.
func TestExplainVersions(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	node.Deploy(t, log, "v", testrig.Scripted(), "{}")
	node.Append(t, log, script(t, line("set", "a", 1)), script(t, line("set", "a", 2), line("fail", "not this one")),
		script(t, line("set", "a", 3)))
	want := func(when string, sequence int64, outcomes ...string) {
		t.Helper()
		var got []string
		for _, e := range explain(t, node, log, sequence, "") {
			got = append(got, fmt.Sprintf("%s@%d %s %s %d", e.View, e.Version, e.Status, e.Outcome, len(e.Changes)))
			if halted := e.Outcome == view.HaltedAt; halted != strings.Contains(e.Reason, "not this one") {
				t.Errorf("%s, event %d: the reason is %q", when, sequence, e.Reason)
			}
		}
		if !slices.Equal(got, outcomes) {
			t.Errorf("%s, event %d: %q, want %q", when, sequence, got, outcomes)
		}
	}
	want("halted", 1, "v@1 halted applied 1")
	want("halted", 2, "v@1 halted halted 0")
	want("halted", 3, "v@1 halted not_yet 0")
	if _, err := node.Views.Resume(t.Context(), log, "v", view.Resumption{Skip: true}); err != nil {
		t.Fatal(err)
	}
	await(t, "the version is live again", func() bool { return statusOf(t, node, log, "v").Status == view.Live })
	want("resumed", 1, "v@1 live applied 1")
	want("resumed", 2, "v@1 live left_out 0")
	want("resumed", 3, "v@1 live applied 1")
	if e := explain(t, node, log, 3, "v")[0]; string(e.Changes[0].Before.Text) != "1" || string(e.Changes[0].After.Text) != "3" {
		t.Errorf("past the event that is left out: %+v", e.Changes)
	}
	node.Deploy(t, log, "v", views.MonthlyTotals(), "{}")
	want("replaced", 2, "v@2 live ignored 0")
	want("replaced", 3, "v@2 live ignored 0")
	if _, err := node.Views.Rollback(t.Context(), log, "v", 1, ""); err != nil {
		t.Fatal(err)
	}
	await(t, "the first version is live again", func() bool {
		info := statusOf(t, node, log, "v")
		return info.Version == 1 && info.Status == view.Live
	})
	want("rolled back", 2, "v@1 live left_out 0")
	want("rolled back", 3, "v@1 live applied 1")

	release := holdHead(t, d.DSN(), log)
	deployed := make(chan error, 1)
	go func() {
		_, err := node.Views.Deploy(t.Context(), log, "v", view.Deployment{Code: views.RateCheck(), Config: []byte("{}")})
		deployed <- err
	}()
	await(t, "the last chunk waits", func() bool {
		return d.Exec(t, `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) > 0
	})
	want("building", 3, "v@1 live applied 1", "v@3 building not_yet 0")
	release()
	if err := <-deployed; err != nil {
		t.Fatal(err)
	}
	if err := node.Views.Retire(t.Context(), log, "v", ""); err != nil {
		t.Fatal(err)
	}
	want("retired", 3)
	for name, want := range map[string]error{"v": view.ErrViewRetired, "w": view.ErrViewNotFound} {
		if _, err := node.Views.Explain(t.Context(), log, 1, name, nil); !errors.Is(err, want) {
			t.Errorf("view %s: %v", name, err)
		}
	}
}

// TestExplainBounds: what takes too long is unknown, and says so; what waits too long is refused; a change of many keys is cut.
func TestExplainBounds(t *testing.T) {
	node, _ := start(t, testrig.Settings{})
	log := node.NewLog(t)
	node.Deploy(t, log, "v", testrig.Scripted(), "{}")
	node.Deploy(t, log, "other", views.MonthlyTotals(), "{}")
	var many []string
	for i := range 300 {
		many = append(many, line("set", fmt.Sprintf("k%03d", i), i))
	}
	long := []string{}
	for i := range 30 {
		long = append(long, line("set", fmt.Sprintf("l%03d", i), `"`+strings.Repeat("ä", 2300)+`"`))
	}
	node.Append(t, log, script(t, many...), script(t, long...), script(t, line("spin", 1)))
	e := explain(t, node, log, 1, "v")[0]
	if len(e.Changes) != view.MaxExplainedChanges || e.LeftOver != 200 || e.Changes[99].Key != "k099" {
		t.Errorf("of 300 changes %d are there, and %d are not", len(e.Changes), e.LeftOver)
	}
	e = explain(t, node, log, 2, "v")[0]
	if len(e.Changes)+e.LeftOver != 30 || len(e.Changes) != 15 {
		t.Errorf("of 30 long changes %d are there, and %d are not", len(e.Changes), e.LeftOver)
	}
	for _, c := range e.Changes {
		if text := c.After.Text; !c.After.Cut || c.Before.Cut || c.Before.Text != nil || len(text) != view.MaxExplainedValue-1 ||
			strings.TrimRight(string(text), "ä") != `"` {
			t.Errorf("%s is cut to %d bytes: %.20q…", c.Key, len(text), text)
		}
	}
	node.Views.BoundInquiries(time.Nanosecond, time.Nanosecond)
	for _, e := range explain(t, node, log, 3, "") {
		if e.Outcome != view.Unknown || !strings.Contains(e.Reason, "45s") || len(e.Changes) > 0 {
			t.Errorf("without time %s is %s: %s", e.View, e.Outcome, e.Reason)
		}
	}
	release := node.Views.HoldAudits()
	if _, err := node.Views.Explain(t.Context(), log, 3, "", nil); !errors.Is(err, view.ErrInquiriesBusy) {
		t.Errorf("beside an audit: %v", err)
	}
	release()
	node.Views.BoundInquiries(time.Hour, time.Hour)
	if e := explain(t, node, log, 3, "v")[0]; e.Outcome != view.Ignored {
		t.Errorf("afterwards: %s %s", e.Outcome, e.Reason)
	}
}

// TestExplainNeverGuesses: where folding again is not what the version has done, the explanation says so.
func TestExplainNeverGuesses(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	node.Deploy(t, log, "v", testrig.Scripted(), "{}")
	node.Append(t, log, script(t, line("set", "a", 1)), script(t, line("set", "b", 1)), script(t, line("set", "c", 1)))
	d.Exec(t, "UPDATE events SET data = $2 WHERE log_id = $1 AND sequence = 2", log, testrig.ScriptEvent(line("fail", "no")))
	for sequence, want := range map[int64]view.Outcome{1: view.Applied, 2: view.Unknown, 3: view.Unknown} {
		e := explain(t, node, log, sequence, "")[0]
		if e.Outcome != want || (want == view.Unknown) != strings.Contains(e.Reason, "event 2") {
			t.Errorf("event %d is %s: %s", sequence, e.Outcome, e.Reason)
		}
	}
	d.Exec(t, "DELETE FROM events WHERE log_id = $1 AND sequence = 2", log)
	if e, err := node.Views.Explain(t.Context(), log, 3, "", nil); err == nil || !strings.Contains(err.Error(), "no event 2") {
		t.Errorf("with an event missing: %+v, %v", e, err)
	}
}

// TestExplainUncountedOfKits: views that are made of the kits keep what they could not count as the ready views do.
func TestExplainUncountedOfKits(t *testing.T) {
	node, _ := start(t, testrig.Settings{})
	log := node.NewLog(t)
	node.Deploy(t, log, "months", views.MonthlyTotals(), "{}")
	node.Deploy(t, log, "script", testrig.Scripted(), "{}")
	data := `{"model":"m","tokens_in":"x","tokens_out":"1e90","script":%s}`
	for _, lines := range []string{
		line("set", "uncounted", `"no object"`), line("set", "uncounted/a", `{"b":1.5,"c":"1","last_sequence":9}`),
		line("set", "uncountedly", `{"b":2}`), line("set", "uncounted", `{"b":2,"count":[1]}`), line("set", "uncounted", `{"b":1}`),
	} {
		text, err := json.Marshal(lines)
		if err != nil {
			t.Fatal(err)
		}
		node.Append(t, log, testrig.Parse(t, fmt.Sprintf(data, text), ""))
	}
	for sequence, want := range []string{"", "", "", "", "b", ""} {
		if sequence == 0 {
			continue
		}
		e := explain(t, node, log, int64(sequence), "")
		if months := e[0]; months.Outcome != view.NotCounted || months.Reason != "tokens_in_not_a_number, tokens_out_has_too_many_digits" {
			t.Errorf("event %d is %s in months: %q", sequence, months.Outcome, months.Reason)
		}
		if got := e[1]; got.Reason != want || (want != "") != (got.Outcome == view.NotCounted) {
			t.Errorf("event %d is %s in script: %q, want %q", sequence, got.Outcome, got.Reason, want)
		}
	}
}
