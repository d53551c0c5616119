package verify_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/verify"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

// rig is a node whose logs are verified.
type rig struct {
	*testrig.Node
	database *testdb.Database
	verifier *verify.Verifier
}

func start(t *testing.T) *rig {
	t.Helper()
	database := testdb.New(t)
	node := testrig.Start(t, database.DSN(), testrig.Settings{})
	return &rig{node, database, verify.New(eventlog.NewReader(node.DB), node.Views)}
}

// logOf returns a new log of n events with times, types and keys.
func (r *rig) logOf(t *testing.T, n int) uuid.UUID {
	t.Helper()
	log := r.NewLog(t)
	for i := range n {
		data := fmt.Sprintf(`{"type":%q,"time":"2025-03-01T%02d:00:00.5Z","n":%d,"odd":"k\"%d"}`, []string{"a", "b", "c"}[i%3], i%24, i, i)
		r.Append(t, log, testrig.Parse(t, data, fmt.Sprintf("key-%d", i)))
	}
	return log
}

func (r *rig) verify(t *testing.T, log uuid.UUID, viewNames ...string) *verify.Report {
	t.Helper()
	report, err := r.verifier.Verify(t.Context(), verify.Request{Log: log, Views: viewNames}, func(verify.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestFindsWhatWasChanged changes the rows of a log as nobody but a superuser can; each change is found and named.
func TestFindsWhatWasChanged(t *testing.T) {
	r := start(t)
	untouched := r.logOf(t, 30)
	const where = " WHERE log_id = $1 AND sequence "
	set := func(change, sequences string) string { return "UPDATE events SET " + change + where + sequences }
	swap := func(columns string) string {
		return "UPDATE events e SET (" + columns + ") = (SELECT " + columns +
			" FROM events o WHERE o.log_id = e.log_id AND o.sequence = 41 - e.sequence)" + where + "IN (20, 21)"
	}
	repeat := func(sequence, recordedAt, of string) string {
		return "INSERT INTO events SELECT log_id, " + sequence + ", " + recordedAt +
			", time, type, key, data, hash FROM events" + where + of
	}
	head := func(change string) string { return "UPDATE log_heads SET " + change + " WHERE log_id = $1" }
	for name, test := range map[string]struct {
		change   string
		kind     string // of the first fault; empty: there is none
		sequence int64
	}{
		"nothing":               {"SELECT $1::uuid", "", 0},
		"a byte of the data":    {set(`data = replace(data::text, '"n"', '"m"')::json`, "= 17"), event.FaultChanged, 17},
		"white space":           {set("data = (data::text || ' ')::json", "= 17"), event.FaultChanged, 17},
		"the time":              {set("time = time + interval '1 microsecond'", "= 17"), event.FaultChanged, 17},
		"the time of recording": {set("recorded_at = recorded_at + interval '1 microsecond'", "= 30"), event.FaultChanged, 30},
		"another month":         {set("recorded_at = recorded_at - interval '40 years'", "= 17"), event.FaultChanged, 17},
		"the type":              {set("type = type || 'x'", "= 17"), event.FaultChanged, 17},
		"the key":               {set("key = 'x'", "= 17"), event.FaultChanged, 17},
		"the hash":              {set("hash = sha256(hash)", "= 17"), event.FaultChanged, 17},
		"the last event":        {set("data = '{}'", "= 30"), event.FaultChanged, 30},
		"the first event":       {set("data = '{}'", "= 1"), event.FaultChanged, 1},
		"a missing row":         {"DELETE FROM events" + where + "= 17", event.FaultMissing, 17},
		"missing rows":          {"DELETE FROM events" + where + "BETWEEN 5 AND 9", event.FaultMissing, 5},
		"the first row missing": {"DELETE FROM events" + where + "= 1", event.FaultMissing, 1},
		"the last row missing":  {"DELETE FROM events" + where + "= 30", event.FaultMissing, 30},
		"all rows missing":      {"DELETE FROM events WHERE log_id = $1", event.FaultMissing, 1},
		"a swapped pair":        {swap("data, type, time, key, hash"), event.FaultSwapped, 20},
		"swapped data":          {swap("data"), event.FaultSwapped, 20},
		"swapped but for hash":  {swap("data, type, time, key"), event.FaultSwapped, 20},
		"a row too many":        {repeat("31", "recorded_at", "= 30"), event.FaultBeyondHead, 31},
		"a sequence twice":      {repeat("17", "recorded_at - interval '1 year'", "= 17"), event.FaultDuplicate, 17},
		"the head's hash":       {head("hash = sha256(hash)"), event.FaultHead, 30},
		"the head's time":       {head("recorded_at = recorded_at + interval '1 second'"), event.FaultHead, 30},
		"the head's sequence":   {head("sequence = 29"), event.FaultHead, 29},
		"an idempotency key":    {"DELETE FROM event_keys" + where + "> 0", event.FaultKeys, 0},
	} {
		t.Run(name, func(t *testing.T) {
			log := r.logOf(t, 30)
			before := r.verify(t, log)
			if !before.OK() || before.Chain.From != 1 || before.Head.Sequence != 30 || before.Chain.Events != 30 {
				t.Fatalf("before: %+v", before)
			}
			r.database.Exec(t, test.change, log)
			after := r.verify(t, log)
			faults := after.Chain.Faults
			switch {
			case test.kind == "" && (!after.OK() || len(faults) > 0):
				t.Errorf("found %+v; want nothing", faults)
			case test.kind != "" && (after.OK() || len(faults) == 0 || faults[0].Kind != test.kind || faults[0].Sequence != test.sequence):
				t.Errorf("found %+v; want %s at %d", faults, test.kind, test.sequence)
			}
			if other := r.verify(t, untouched); !other.OK() {
				t.Errorf("another log: %+v", other)
			}
		})
	}
}

// TestViews: the views of a request are audited in its order. One that cannot be audited keeps no other from it, and a verification that
// could not audit a view has not found it to be right.
func TestViews(t *testing.T) {
	r := start(t)
	log := r.logOf(t, 29)
	r.Append(t, log, testrig.Parse(t, `{"model":"m","tokens_in":5,"time":"2025-03-01T00:00:00Z"}`, ""))
	for _, name := range []string{"b", "a", "edited"} {
		r.Deploy(t, log, name, views.MonthlyTotals(), "{}")
	}
	names, err := r.verifier.ViewNames(t.Context(), log, nil)
	if err != nil || fmt.Sprint(names) != "[a b edited]" {
		t.Errorf("the views are %v (%v)", names, err)
	}
	parts := map[string]int64{}
	report, err := r.verifier.Verify(t.Context(), verify.Request{Log: log, Views: []string{"b", "a"}}, func(p verify.Progress) {
		if p.Done < parts[p.Part] || p.Total != 30 {
			t.Errorf("the progress is %+v, after %d", p, parts[p.Part])
		}
		parts[p.Part] = p.Done
	})
	if err != nil || !report.OK() || len(report.Views) != 2 || report.Views[0].View != "b" || report.Views[1].Audit.Events != 30 {
		t.Fatalf("%+v (%v)", report, err)
	}
	if fmt.Sprint(parts) != "map[a:30 b:30 chain:30]" {
		t.Errorf("the progress ends at %v", parts)
	}
	report = r.verify(t, log, "none", "a")
	if missing := report.Views[0]; !errors.Is(missing.Err, view.ErrViewNotFound) || missing.OK() || report.OK() || !report.Views[1].OK() {
		t.Errorf("beside a view that does not exist: %+v", report.Views)
	}
	testrig.StateToRows(t, r.database.DSN())
	r.database.Exec(t, `UPDATE view_state_rows SET value = '1' WHERE log_id = $1 AND version_id =
		(SELECT version_id FROM view_versions JOIN views USING (log_id, view_id) WHERE log_id = $1 AND name = 'edited')`, log)
	report = r.verify(t, log, "edited", "a")
	if report.OK() || report.Views[0].OK() || report.Views[0].Audit.Difference == nil || !report.Views[1].OK() || report.Chain.Wrong != 0 {
		t.Errorf("an edited state: %+v", report)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if report, err := r.verifier.Verify(gone, verify.Request{Log: log, Views: names}, func(verify.Progress) {}); err == nil {
		t.Errorf("a verification that was given up finds %+v", report)
	}
}

// TestGivenUpBetweenViews: who gives up while views are audited gets an error, not a report that lacks some.
func TestGivenUpBetweenViews(t *testing.T) {
	r := start(t)
	log := r.logOf(t, 3)
	r.Deploy(t, log, "a", views.MonthlyTotals(), "{}")
	r.Deploy(t, log, "b", views.MonthlyTotals(), "{}")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	report, err := r.verifier.Verify(ctx, verify.Request{Log: log, Views: []string{"a", "b"}}, func(p verify.Progress) {
		if p.Part == "a" && p.Done == p.Total {
			cancel()
		}
	})
	if err == nil {
		t.Errorf("the report is %+v", report)
	}
}
