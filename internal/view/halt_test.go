package view_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

// TestHaltStopsOneView: the failing event's writes are undone, those of the events before it in the same batch stay,
// the event stays appended, and the other view goes on.
func TestHaltStopsOneView(t *testing.T) {
	for name, failure := range map[string]struct{ line, reason string }{
		"refuses":  {line("fail", "boom: not today"), "boom: not today"},
		"traps":    {line("trap"), "unreachable"},
		"too long": {line("set", "long", `"`+strings.Repeat("x", 64<<10)+`"`), "65538 bytes"},
		"no JSON":  {line("set", "bad", "{"), "JSON"},
		"bad key":  {line("set", "", "1"), "the key is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			node, d := start(t, testrig.Settings{})
			log := node.NewLog(t)
			node.Deploy(t, log, "s", testrig.Scripted(), "{}")
			node.Deploy(t, log, "months", views.MonthlyTotals(), "{}")
			node.Append(t, log, script(t, line("set", "a", 0), line("set", "gone", 1)))
			node.Append(t, log,
				script(t, line("set", "a", 1), line("set", "b", 1)),
				script(t, line("set", "a", 2), line("set", "a", 3), line("delete", "b"), line("delete", "gone"),
					line("set", "c", 1), line("delete", "c"), failure.line),
				script(t, line("set", "a", 4)),
				testrig.Parse(t, `{"model":"m","tokens_in":5}`, ""),
			)
			halted := haltOf(t, node, log, "s")
			if halted.Sequence != 3 || !strings.Contains(halted.Reason, failure.reason) {
				t.Errorf("halted at %d with %q, want 3 with %q", halted.Sequence, halted.Reason, failure.reason)
			}
			info := statusOf(t, node, log, "s")
			if info.Status != view.Halted || info.Applied != 2 || info.HaltedSequence != 3 || info.Head != 5 ||
				info.Error != halted.Reason {
				t.Errorf("the view's status is %+v", info)
			}
			if got := node.Ask(t, log, "months", ""); got.Sequence != 5 || !strings.Contains(string(got.Body), `"tokens_in":5`) {
				t.Errorf("the other view answers %s at %d", got.Body, got.Sequence)
			}
			state := stateOf(t, d, info)
			if want := map[string]string{"a": "1", "b": "1", "gone": "1"}; fmt.Sprint(state) != fmt.Sprint(want) {
				t.Errorf("the halted view's state is %v, want %v", state, want)
			}
		})
	}
}

// stateOf reads a version's state from the table.
func stateOf(t *testing.T, d *testdb.Database, info view.Info) map[string]string {
	t.Helper()
	node := testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true})
	rows, err := node.DB.Read.Query(t.Context(), "SELECT key, value::text FROM view_state WHERE version_id = $1", info.VersionID)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	state := map[string]string{}
	for rows.Next() {
		var key, value string
		if err := rows.Scan(&key, &value); err != nil {
			t.Fatal(err)
		}
		state[key] = value
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return state
}

// TestCorrectedVersionTakesOver: what halted halts again when it is built from history, and a version that can fold
// every event goes live at the head.
func TestCorrectedVersionTakesOver(t *testing.T) {
	d := testdb.New(t)
	a, b := testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})
	log := a.NewLog(t)
	a.Deploy(t, log, "v", testrig.Scripted(), "{}")
	b.Append(t, log, script(t, line("set", "a", 1))) // b has the live view in its cache
	a.Append(t, log, append(counted(t, 0, 10), script(t, line("fail", "boom")))...)
	b.Append(t, log, counted(t, 10, 10)...)
	for _, node := range []*testrig.Node{a, b} {
		if halted := haltOf(t, node, log, "v"); halted.Sequence != 12 {
			t.Errorf("halted at %d, want 12", halted.Sequence)
		}
	}
	testrig.Check(t, d.DSN())

	again, err := b.Views.Deploy(t.Context(), log, "v", view.Deployment{Code: testrig.Scripted(), Config: []byte("{}")})
	if err != nil || again.Status != view.Halted || again.Version != 2 || again.HaltedSequence != 12 || again.Applied != 11 {
		t.Errorf("the same code again: %+v, %v", again, err)
	}
	testrig.Check(t, d.DSN())

	corrected := b.Deploy(t, log, "v", views.MonthlyTotals(), "{}")
	if corrected.Version != 3 || corrected.Applied != 22 {
		t.Errorf("the corrected version is %+v", corrected)
	}
	for i, node := range []*testrig.Node{a, b, a, b} {
		node.Append(t, log, counted(t, 20+i, 1)...)
		if got := node.Ask(t, log, "v", ""); got.Sequence != int64(23+i) {
			t.Errorf("the answer is of event %d, want %d", got.Sequence, 23+i)
		}
	}
	testrig.Check(t, d.DSN())
}

// TestViewsHaltTogether lets several views of a log fail at one event of a batch, and another go on, on two servers.
func TestViewsHaltTogether(t *testing.T) {
	d := testdb.New(t)
	a, b := testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})
	log := a.NewLog(t)
	for i := range 5 {
		a.Deploy(t, log, fmt.Sprint("s", i), testrig.Scripted(), "{}")
	}
	a.Deploy(t, log, "minutes", views.RateCheck(), "{}")
	b.Append(t, log, counted(t, 0, 3)...)
	var batch []event.Event
	batch = append(append(batch, counted(t, 3, 4)...), script(t, line("set", "x", 1), line("trap")))
	a.Append(t, log, append(batch, counted(t, 7, 4)...)...)
	b.Append(t, log, counted(t, 11, 2)...)
	for i := range 5 {
		if halted := haltOf(t, b, log, fmt.Sprint("s", i)); halted.Sequence != 8 {
			t.Errorf("view s%d halted at %d, want 8", i, halted.Sequence)
		}
	}
	if got := b.Ask(t, log, "minutes", "time=2025-03-01T00:00:00Z"); got.Sequence != 14 {
		t.Errorf("the other view answers for event %d, want 14", got.Sequence)
	}
	testrig.Check(t, d.DSN())
}
