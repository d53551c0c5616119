package main_test

import (
	"testing"

	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
)

// TestMaintain: events that came without a partition get one, and a month that has passed is frozen; a second run finds nothing to do.
func TestMaintain(t *testing.T) {
	d := testdb.New(t)
	node := testrig.Start(t, d.DSN(), testrig.Settings{})
	node.Append(t, node.NewLog(t), testrig.Parse(t, `{}`, ""))
	d.Exec(t, "SELECT ensure_events_partitions('2021-02-01Z', 1)")
	succeeds(t, t.TempDir(), []string{"maintain", "--database-url", d.DSN()},
		"the events of the default partition are the partition events_y2", "made ahead: ", "froze events_y2021m02 in ")
	succeeds(t, t.TempDir(), []string{"maintain", "--database-url", d.DSN()}, "made ahead: 0", "nothing to freeze")
	fails(t, t.TempDir(), []string{"maintain"}, "--database-url is missing")
	testrig.Check(t, d.DSN())
}
