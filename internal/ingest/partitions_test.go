package ingest_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

// TestOnlyPartitionsThatAreNeeded keeps a log in three of 60 months, one after the other, and locks all other partitions so that nothing
// can so much as plan for them: appends, queries, reads, deploys, builds, audits and halted views must go on.
func TestOnlyPartitionsThatAreNeeded(t *testing.T) {
	d := testdb.New(t)
	first := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	var now atomic.Int64
	node := testrig.Start(t, d.DSN(), testrig.Settings{Now: func() time.Time { return time.UnixMicro(now.Load()) }})
	makePartitions(t, node.DB, first, 60)
	log := node.NewLog(t)
	node.Deploy(t, log, "months", views.MonthlyTotals(), "{}")
	node.Deploy(t, log, "fails", testrig.Scripted(), "{}")
	failing := testrig.ScriptEvent(testrig.Line("fail", "as it should"))
	for i, month := range []int{29, 30, 31} {
		now.Store(first.AddDate(0, month, 9).UnixMicro())
		for n := range 3 {
			node.Append(t, log, keyed(t, fmt.Sprint(i, "-", n), 10+590*(n%2))...)
		}
	}
	node.Append(t, log, testrig.Parse(t, failing, ""))
	unlock := lockOtherPartitions(t, d.DSN(), log)

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	node.Append(t, log, keyed(t, "late", 1)...)
	node.Append(t, log, keyed(t, "batch", 600)...)
	other := node.NewLog(t)
	node.Append(t, other, keyed(t, "other", 1)...)
	const events = 3*(10+600+10) + 1 + 601
	if answer := node.Ask(t, log, "months", ""); answer.Sequence != events {
		t.Errorf("a query answers at %d, want %d", answer.Sequence, events)
	}
	readAll(ctx, t, node, log, events)
	late, err := node.Views.Deploy(ctx, log, "minutes", view.Deployment{Code: views.RateCheck(), Config: []byte("{}")})
	if err != nil || late.Status != view.Live {
		t.Errorf("a view that was deployed late is %s at %d: %v", late.Status, late.Applied, err)
	}
	if halted, err := node.Views.Get(ctx, log, "fails", nil); err != nil || halted[0].HaltedEvent != failing {
		t.Errorf("the view that halted at %s shows: %+v, %v", failing, halted, err)
	}
	if report, err := node.Views.Audit(ctx, log, "months", view.AuditOptions{}, nil); err != nil || !report.OK || report.Events != events {
		t.Errorf("the audit: %+v, %v", report, err)
	}
	unlock()
	testrig.Check(t, d.DSN())
}

func readAll(ctx context.Context, t *testing.T, node *testrig.Node, log uuid.UUID, want int) {
	t.Helper()
	reader := eventlog.NewReader(node.DB)
	head, err := reader.Head(ctx, log)
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	err = reader.Stream(ctx, log, head, eventlog.Query{}, func(events []event.Recorded) error {
		read += len(events)
		return nil
	})
	if err != nil || read != want {
		t.Errorf("a stream has %d events, want %d: %v", read, want, err)
	}
	page, err := reader.Page(ctx, log, head, eventlog.Query{From: head.Sequence - 99}, 100, math.MaxInt64, nil)
	if err != nil || len(page.Events) != 100 {
		t.Errorf("the last page has %d events: %v", len(page.Events), err)
	}
}

// lockOtherPartitions locks every partition that holds none of the log's events. Whoever wants one waits, a minute at most: then PostgreSQL
// ends the locks, and unlock fails the test.
func lockOtherPartitions(t *testing.T, dsn string, log uuid.UUID) (unlock func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(t.Context(), `SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass
		EXCEPT SELECT tableoid::regclass::text FROM events WHERE log_id = $1`, log)
	if err != nil {
		t.Fatal(err)
	}
	others, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(others) != 60-3+1 {
		t.Fatalf("there are %d other partitions, want 58: %v", len(others), err)
	}
	lock := "SET idle_in_transaction_session_timeout = '60s'; BEGIN; LOCK TABLE " + strings.Join(others, ", ") + " IN ACCESS EXCLUSIVE MODE"
	if _, err := conn.Exec(t.Context(), lock); err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := conn.Exec(t.Context(), "COMMIT"); err != nil {
			t.Errorf("something waited for a partition that it does not need: %v", err)
		}
		_ = conn.Close(t.Context()) // it has done its work
	}
}
