package ingest_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
)

// TestMonthsAreRemembered hammers a few logs from two servers whose clocks differ, over three ends of a month: singles, groups that go by
// INSERT and ones that go by COPY, retries of the same keys. The checker compares log_months with the events.
func TestMonthsAreRemembered(t *testing.T) {
	d := testdb.New(t)
	var ticks atomic.Int64
	clock := func(ahead time.Duration) func() time.Time {
		return func() time.Time { // a group takes one step; some forty of them make a month
			return time.Date(2031, 11, 5, 0, 0, 0, 0, time.UTC).Add(ahead + time.Duration(ticks.Add(1))*17*time.Hour)
		}
	}
	nodes := []*testrig.Node{
		testrig.Start(t, d.DSN(), testrig.Settings{Now: clock(0)}),
		testrig.Start(t, d.DSN(), testrig.Settings{Now: clock(26 * time.Hour)}),
	}
	makePartitions(t, nodes[0].DB, time.Date(2031, 12, 1, 0, 0, 0, 0, time.UTC), 2) // the others' events go into the default partition
	logs := []uuid.UUID{nodes[0].NewLog(t), nodes[1].NewLog(t), nodes[0].NewLog(t)}
	deployReadyViews(t, nodes[0], logs[1])
	var wg sync.WaitGroup
	for n, node := range nodes {
		for worker := range 3 {
			wg.Go(func() {
				for i := range 25 {
					size := []int{1, 3, 600}[(i+worker)%3]
					if size == 600 && i%6 > 2 {
						size = 2
					}
					// Every second batch is a retry of the other server's.
					events := keyed(t, fmt.Sprintf("%d-%d-%d", n*(i%2), worker, i), size)
					node.Append(t, logs[(i+worker)%len(logs)], events...)
				}
			})
		}
	}
	wg.Wait()
	for id, log := range testrig.Check(t, d.DSN()) {
		first, last := log.Events[0].RecordedAt, log.Events[len(log.Events)-1].RecordedAt
		if months := int(eventlog.Month(last.UnixMicro()).Sub(eventlog.Month(first.UnixMicro())).Hours() / 24 / 28); months < 2 {
			t.Errorf("log %s was filled from %v to %v, within %d months: too few to show anything", id, first, last, months)
		}
	}
}

func makePartitions(t *testing.T, d *db.DB, from time.Time, months int32) {
	t.Helper()
	params := dbsqlc.EnsureEventsPartitionsParams{FromTime: from, Months: months}
	if _, err := d.EnsureEventsPartitions(t.Context(), d.Read, params); err != nil {
		t.Fatal(err)
	}
}
