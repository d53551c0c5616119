package ingest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/views"
)

const prices = `{"prices":{"gpt-4":{"tokens_in":"0.00003","tokens_out":"0.00006"},` +
	`"*":{"tokens_in":"1.5","tokens_out":"0.000000000000000001"}}}`

func deployReadyViews(t *testing.T, node *testrig.Node, log uuid.UUID) {
	t.Helper()
	node.Deploy(t, log, "monthly-totals", views.MonthlyTotals(), "{}")
	node.Deploy(t, log, "rate-check", views.RateCheck(), "{}")
	node.Deploy(t, log, "cost-by-team", views.CostByTeam(), prices)
}

// start returns a server on a database of the test's own.
func start(t *testing.T, s testrig.Settings, options ...testdb.Option) (*testrig.Node, *testdb.Database) {
	t.Helper()
	d := testdb.New(t, options...)
	return testrig.Start(t, d.DSN(), s), d
}

// keyed returns n events with the keys prefix-0, prefix-1 and so on, whose content is their number.
func keyed(t testing.TB, prefix string, n int) []event.Event {
	events := make([]event.Event, n)
	for i := range events {
		events[i] = testrig.Parse(t, fmt.Sprintf(`{"model":%q,"tokens_in":%d}`, prefix, i), fmt.Sprintf("%s-%d", prefix, i))
	}
	return events
}

func request(events ...event.Event) ingest.Request {
	return ingest.Request{Events: events, Expected: ingest.AnySequence}
}

// appendAsync appends without waiting; the result comes on the channel.
func appendAsync(node *testrig.Node, log uuid.UUID, r ingest.Request) <-chan result {
	results := make(chan result, 1)
	go func() {
		placements, err := node.Ingest.Append(log, r)
		results <- result{placements, err}
	}()
	return results
}

type result struct {
	placements []ingest.Appended
	err        error
}

// holdHead locks the log's head, which keeps appends waiting until release is called.
func holdHead(t *testing.T, dsn string, log uuid.UUID) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "SELECT FROM log_heads WHERE log_id = $1 FOR UPDATE", log); err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := conn.Exec(t.Context(), "ROLLBACK"); err != nil {
			t.Error(err)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// exec runs a statement from outside the server.
func exec(t *testing.T, dsn, statement string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// awaitLockWaiters returns when that many connections of the database wait for a lock.
func awaitLockWaiters(t *testing.T, dsn string, n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) //nolint:errcheck // nothing of value is lost
	await(t, "that many connections wait for a lock", func() bool {
		var waiting int
		const count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
		err := conn.QueryRow(t.Context(), count).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
		return waiting >= n
	})
}

// awaitWaiting returns when that many requests wait in the log's lane.
func awaitWaiting(t *testing.T, node *testrig.Node, log uuid.UUID, n int) {
	t.Helper()
	await(t, "that many requests wait", func() bool { return node.Ingest.Waiting(log) >= n })
}

// pollInterval is how often await looks at its condition.
const pollInterval = 2 * time.Millisecond

// await returns once a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatalf("the test was ended before %s", what)
		}
	}
}

// retryable reports whether a client may send the same request again after the error.
func retryable(err error) bool {
	for _, retry := range []error{ingest.ErrOutcomeUnknown, ingest.ErrBusy, db.ErrUnavailable, db.ErrConflict} {
		if errors.Is(err, retry) {
			return true
		}
	}
	return false
}
