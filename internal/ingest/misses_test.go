package ingest_test

import (
	"fmt"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

// TestUnknownKeysTakeAFewStatements appends batches whose every event asks for keys that no memory holds, of states that are too large to
// be held whole: the number of round trips does not grow with the number of events.
func TestUnknownKeysTakeAFewStatements(t *testing.T) {
	const (
		users     = 1200 // more than a state may have keys to be held whole
		batch     = 500
		fewTrips  = 20
		meters    = 3
		meterText = `{"unique":"/user","aggregations":["count","unique"],"resolution":"day"}`
	)
	d := testdb.New(t)
	wire := testrig.NewWire(t, d.DSN())
	node := testrig.Start(t, wire.DSN, testrig.Settings{Lanes: 1, NoBuilder: true})
	log := node.NewLog(t)
	for i := range meters {
		node.Deploy(t, log, fmt.Sprintf("meter-%d", i), views.Meter(), meterText)
	}
	next := 0
	newUsers := func(n int) []event.Event {
		events := make([]event.Event, n)
		for i := range events {
			events[i] = testrig.Parse(t, fmt.Sprintf(`{"time":"2025-03-01T10:00:00Z","user":"u%d"}`, next), "")
			next++
		}
		return events
	}
	node.Append(t, log, newUsers(users)...)
	node.Append(t, log, newUsers(batch)...) // every statement has been prepared
	before := wire.Trips()
	node.Append(t, log, newUsers(batch)...)
	if trips := wire.Trips() - before; trips > fewTrips {
		t.Errorf("a batch of %d events of new users took %d round trips, want at most %d", batch, trips, fewTrips)
	}
	for i := range meters {
		report, err := node.Views.Audit(t.Context(), log, fmt.Sprintf("meter-%d", i), view.AuditOptions{}, func(_, _ int64) {})
		if err != nil || !report.OK {
			t.Errorf("meter %d: %+v, %v", i, report, err)
		}
	}
}

// TestMissesOfManyLogs appends to many logs with large states in one group; each log's fold sees its own values.
func TestMissesOfManyLogs(t *testing.T) {
	const logs, keys = 6, 1500
	node, d := start(t, testrig.Settings{Lanes: 1})
	ids := make([]uuid.UUID, logs)
	for i := range ids {
		ids[i] = node.NewLog(t)
		node.Deploy(t, ids[i], "scripted", testrig.Scripted(), "{}")
		events := make([]event.Event, keys)
		for k := range events {
			events[k] = testrig.Parse(t, testrig.ScriptEvent(testrig.Line("set", fmt.Sprint("k", k), i*keys+k)), "")
		}
		node.Append(t, ids[i], events...)
	}
	node.Stop(t)
	node = testrig.Start(t, d.DSN(), testrig.Settings{Lanes: 1}) // remembers the first keys of each state only
	release := holdHead(t, d.DSN(), ids[0])
	answers := []<-chan result{appendAsync(node, ids[0], request(testrig.Parse(t, `{}`, "")))}
	awaitLockWaiters(t, d.DSN(), 1)
	for range 5 {
		for _, id := range ids {
			copies := make([]string, 0, 40)
			for k := range cap(copies) {
				copies = append(copies, testrig.Line("copy", fmt.Sprint("k", keys-1-k), fmt.Sprint("copy", k)))
			}
			copies = append(copies, testrig.Line("copy", "copy0", "copy of a copy"), testrig.Line("delete", fmt.Sprint("k", keys-1)))
			answers = append(answers, appendAsync(node, id, request(testrig.Parse(t, testrig.ScriptEvent(copies...), ""))))
		}
	}
	awaitWaiting(t, node, ids[0], len(answers)-1)
	release()
	for _, answer := range answers {
		if r := <-answer; r.err != nil {
			t.Error(r.err)
		}
	}
	testrig.Check(t, d.DSN())
}
