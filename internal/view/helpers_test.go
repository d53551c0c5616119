package view_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

// start gives the test a database with one server on it.
func start(t *testing.T, s testrig.Settings) (*testrig.Node, *testdb.Database) {
	t.Helper()
	d := testdb.New(t)
	return testrig.Start(t, d.DSN(), s), d
}

// script is an event with these lines.
func script(t testing.TB, lines ...string) event.Event {
	t.Helper()
	return testrig.Parse(t, testrig.ScriptEvent(lines...), "")
}

var line = testrig.Line

// counted is n events from number first on, which set keys in the scripted view and count in the others.
func counted(t testing.TB, first, n int) []event.Event {
	t.Helper()
	events := make([]event.Event, n)
	for i := range events {
		number := first + i
		events[i] = testrig.Parse(t, fmt.Sprintf(`{"model":"m%d","tokens_in":%d,"script":"set\tk%d\t%d\ncopy\tk%d\tlast"}`,
			number%5, number, number%300, number, (number+1)%300), "")
	}
	return events
}

// holdHead takes the head's lock, which keeps appends to the log and the last steps of builds waiting until release is
// called.
func holdHead(t *testing.T, dsn string, log uuid.UUID) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"BEGIN", "SELECT FROM log_heads WHERE log_id = '" + log.String() + "' FOR UPDATE"} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
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

// pollInterval is how often a condition is looked at that nothing announces.
const pollInterval = 2 * time.Millisecond

// await repeats the query until the answer is yes.
func await(t *testing.T, what string, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatalf("the test was ended before %s", what)
		}
	}
}

// statusOf is the status of the newest version of a view that is not retired.
func statusOf(t *testing.T, node *testrig.Node, log uuid.UUID, name string) view.Info {
	t.Helper()
	infos, err := node.Views.Get(t.Context(), log, name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return infos[len(infos)-1]
}

// haltOf asks a view that has halted.
func haltOf(t *testing.T, node *testrig.Node, log uuid.UUID, name string) *view.HaltedError {
	t.Helper()
	answer, err := node.Views.Query(t.Context(), log, name, "get\ta", nil)
	var halted *view.HaltedError
	if !errors.As(err, &halted) {
		t.Fatalf("view %s answers %s, %v; it should have halted", name, answer.Body, err)
	}
	return halted
}
