package view_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

// TestRecentState: the newest values of live views lie in the head row, within its bound, the others in rows; nothing tells where from a
// view's answers, to this server, to one that has just started, to an audit or to SQL.
func TestRecentState(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	v := node.Deploy(t, log, "v", testrig.Scripted(), "{}")
	want := map[string]string{}
	set := func(key, value string) {
		t.Helper()
		node.Append(t, log, script(t, line("set", key, value)))
		want[key] = value
	}
	check := func(what string) {
		t.Helper()
		if state := stateOf(t, d, v); !maps.Equal(state, want) {
			t.Errorf("%s: the state is %v, want %v", what, state, want)
		}
		fresh := testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true})
		for key, value := range want {
			if got := string(fresh.Ask(t, log, "v", "get\t"+key).Body); got != value {
				t.Errorf("%s: %q is %s, want %s", what, key, got, value)
			}
		}
		if report := audit(t, node, log, "v", 0); !report.OK || int(report.Keys) != len(want) {
			t.Errorf("%s: the audit says %+v", what, report)
		}
	}
	for i := range 3 {
		set(fmt.Sprintf("k%d", i), "1")
		set("busy", fmt.Sprint(i))
	}
	if rows, head := whereStateIs(t, d, log); rows != 0 || head == 0 {
		t.Errorf("a small state has %d rows, and %d bytes in the head row", rows, head)
	}
	check("in the head row")
	set("unit\x1fseparator", "2")
	set("record\x1eseparator", "3")
	set("quotes \" \\", `"\u0000 \ud800 \u001e"`)
	if rows, _ := whereStateIs(t, d, log); rows != 2 {
		t.Errorf("two keys that cannot be in the head row, and others, have %d rows", rows)
	}
	check("with odd keys")
	for i := range 40 {
		set(fmt.Sprintf("long-%02d", i), `"`+strings.Repeat("x", 90)+`"`)
		if i%5 == 0 {
			set("busy", fmt.Sprint(i))
		}
		if _, head := whereStateIs(t, d, log); head > 1200 {
			t.Fatalf("the head row holds %d bytes of state", head)
		}
	}
	if rows, head := whereStateIs(t, d, log); rows < 30 || rows >= len(want) || head == 0 {
		t.Errorf("of %d keys %d have rows, and %d bytes are in the head row", len(want), rows, head)
	}
	check("in both")
	node.Append(t, log, script(t, line("delete", "long-39"), line("delete", "long-00"), line("delete", "k0")))
	for _, key := range []string{"long-39", "long-00", "k0"} {
		delete(want, key)
	}
	check("after removals")
	lines := make([]string, 200)
	for i := range lines {
		key := fmt.Sprintf("many-%03d", i)
		lines[i], want[key] = line("set", key, i), fmt.Sprint(i)
	}
	node.Append(t, log, script(t, append(lines, line("set", "busy", "-1"))...))
	want["busy"] = "-1"
	check("after one event with many keys")
	set("busy", "-2")
	node.Append(t, log, script(t, "trap"))
	if info := statusOf(t, node, log, "v"); info.Status != view.Halted {
		t.Fatalf("the view is %s", info.Status)
	}
	if rows, head := whereStateIs(t, d, log); rows != len(want) || head != 0 {
		t.Errorf("of a halted version's %d keys %d have rows, and %d bytes are in the head row", len(want), rows, head)
	}
}

// TestRecentStateNamesAVersionOnce: what views write by turns lies together in the head row, which so has room for it; nothing is lost
// where another server reads it.
func TestRecentStateNamesAVersionOnce(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	versions := []view.Info{node.Deploy(t, log, "v", testrig.Scripted(), "{}"), node.Deploy(t, log, "w", testrig.Scripted(), "{}")}
	want := map[string]string{}
	for i := range 16 { // 32 values of 30 bytes or so: with a version before each they would be beyond the bound
		key, value := fmt.Sprintf("key-%02d", i), fmt.Sprintf(`"%020d"`, i)
		node.Append(t, log, script(t, line("set", key, value)))
		want[key] = value
	}
	rows, head := whereStateIs(t, d, log)
	var exact int
	for key, value := range want {
		exact += len(versions) * (2 + len(key) + len(value))
	}
	if exact += len(versions) * 37; rows != 0 || head != exact {
		t.Errorf("the state has %d rows, and %d bytes in the head row; want none, and %d", rows, head, exact)
	}
	other := testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true})
	other.Append(t, log, script(t, line("set", "key-00", "7")))
	want["key-00"] = "7"
	for _, version := range versions {
		if state := stateOf(t, d, version); !maps.Equal(state, want) {
			t.Errorf("view %s holds %v, want %v", version.Name, state, want)
		}
	}
	testrig.Check(t, d.DSN())
}

// TestRecentStateOfSeveralVersions: what a version has in the head row goes to rows when the live views change, its own and others'.
func TestRecentStateOfSeveralVersions(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	first := node.Deploy(t, log, "v", testrig.Scripted(), "{}")
	other := node.Deploy(t, log, "w", testrig.Scripted(), "{}")
	node.Append(t, log, script(t, line("set", "a", 1), line("set", "b", 2)))
	node.Deploy(t, log, "v", views.MonthlyTotals(), "{}")
	if rows, head := whereStateIs(t, d, log); rows < 4 || head != 0 {
		t.Errorf("after a deploy two versions' two keys have %d rows, and %d bytes are in the head row", rows, head)
	}
	node.Append(t, log, script(t, line("set", "a", 3)))
	for _, version := range []view.Info{first, other} {
		want := map[string]string{"a": "1", "b": "2"}
		if version.VersionID == other.VersionID {
			want["a"] = "3"
		}
		if state := stateOf(t, d, version); !maps.Equal(state, want) {
			t.Errorf("version %d of %s holds %v, want %v", version.Version, version.Name, state, want)
		}
	}
	rollback(t, node, log, "v", first.Version)
	if err := node.Views.Retire(t.Context(), log, "w", ""); err != nil {
		t.Fatal(err)
	}
	node.Append(t, log, script(t, line("copy", "a", "c")))
	if got := string(node.Ask(t, log, "v", "get\tc").Body); got != "3" {
		t.Errorf("after a rollback the copied value is %s", got)
	}
	testrig.Check(t, d.DSN())
}

// whereStateIs tells how many rows a log's views have, and how many bytes of state its head row holds.
func whereStateIs(t *testing.T, d *testdb.Database, log uuid.UUID) (rows, head int) {
	t.Helper()
	node := testrig.Start(t, d.DSN(), testrig.Settings{NoBuilder: true})
	err := node.DB.Read.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM view_state_rows WHERE log_id = $1),
		(SELECT octet_length(recent) FROM log_heads WHERE log_id = $1)`, log).Scan(&rows, &head)
	if err != nil {
		t.Fatal(err)
	}
	return rows, head
}
