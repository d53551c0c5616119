package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
)

// TestOutages: the database is lost before, in, and after whatever a delivery commits: its logs, its events, its rejects. Sent again after
// each error, every line is counted once.
func TestOutages(t *testing.T) {
	faults := map[string]func(*testrig.Wire){
		"request lost": (*testrig.Wire).LoseRequest,
		"answer lost":  (*testrig.Wire).LoseAnswer,
	}
	for skip := range 3 {
		for _, state := range []string{"08007", "40003", "57P01"} { // none says whether it was committed
			faults[fmt.Sprintf("commit %d answered %s", skip, state)] = func(w *testrig.Wire) { w.FailCommit(skip, state) }
		}
	}
	d := testdb.New(t)
	w := testrig.NewWire(t, d.DSN())
	n := startDesk(t, w.DSN, testrig.Settings{Lanes: 1})
	s := sourceOf(t, `{"log": "{/log}", "id": "{/id}", "create": {"most": 100000}, "keep": {}}`)
	n.must(s, `{"log":"old","id":"first"}`, `{}`)
	events, rejects, logs := 1, 1, 2
	number := 0
	line := func(log string) string {
		number++
		return fmt.Sprintf(`{"log":%q,"id":"%d"}`, log, number)
	}
	bad := func() string {
		number++
		return fmt.Sprintf(`{"n":%d}`, number)
	}
	for name, cause := range faults {
		for what, records := range map[string]func() []string{
			"events":        func() []string { events += 2; return []string{line("old"), line("old")} },
			"rejects":       func() []string { rejects++; return []string{bad()} },
			"a new log":     func() []string { events, logs = events+1, logs+1; return []string{line(fmt.Sprint("new-", number))} },
			"events of all": func() []string { events, rejects = events+1, rejects+1; return []string{bad(), line("old")} },
			"one event":     func() []string { events++; return []string{line("old")} },
		} {
			sent := records()
			for range 2 {
				cause(w)
				for tries := 0; ; tries++ {
					summary, _, err := n.deliver(s, Sender{}, sent...)
					if err == nil {
						if summary.Stored+summary.Duplicates+summary.Rejected != len(sent) {
							t.Errorf("%s, %s: %+v", name, what, summary)
						}
						break
					}
					if !retryable(err) || tries > 100 {
						t.Fatalf("%s, %s: %v", name, what, err)
					}
				}
			}
			for tries := 0; !w.Done(); tries++ { // the fault was for more commits than there were
				if _, _, err := n.deliver(s, Sender{}, sent...); err != nil && (!retryable(err) || tries > 100) {
					t.Fatalf("%s, %s: %v", name, what, err)
				}
				sent = []string{line("old")}
				events++
			}
			n.must(s, sent...)
		}
	}
	found := stored(t, d.DSN())
	total := 0
	for name, log := range found {
		if name != RejectsOf("gateway") {
			total += len(log)
		}
	}
	if got := len(found[RejectsOf("gateway")]); total != events || got != rejects || len(found) != logs {
		t.Errorf("%d events, %d rejects, %d logs; want %d, %d, %d", total, got, len(found), events, rejects, logs)
	}
}

// TestDurableBeforeFinish: a delivery is not finished while the database has not confirmed it, neither events nor rejects.
func TestDurableBeforeFinish(t *testing.T) {
	for name, sent := range map[string]string{
		"an event": `{"log":"old","id":"2"}`, "a reject": `{"n":2}`, "a new log": `{"log":"new","id":"2"}`,
	} {
		t.Run(name, func(t *testing.T) {
			d := testdb.New(t)
			w := testrig.NewWire(t, d.DSN())
			n := startDesk(t, w.DSN, testrig.Settings{Lanes: 1})
			s := sourceOf(t, `{"log": "{/log}", "id": "{/id}", "create": {"most": 10}, "keep": {}}`)
			n.must(s, `{"log":"old","id":"1"}`, `{"n":1}`)
			w.Hang()
			finished := make(chan error, 1)
			go func() {
				_, _, err := n.deliver(s, Sender{}, sent)
				finished <- err
			}()
			await(t, "the database is asked", w.Hangs)
			select {
			case err := <-finished:
				t.Errorf("finished (%v) before the database answered", err)
				return
			default:
			}
			w.Resume()
			if err := <-finished; err != nil {
				t.Error(err)
			}
			all := 0
			for _, log := range stored(t, d.DSN()) {
				all += len(log)
			}
			if all != 3 {
				t.Errorf("%d events are stored", all)
			}
		})
	}
}

// await returns once a condition holds.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatalf("the test was ended before %s", what)
		}
	}
}

// TestSetBack: the database is set back to before the source's logs were made, under a server that remembers them. They are made again, and
// every line is stored.
func TestSetBack(t *testing.T) {
	d := testdb.New(t)
	n := startDesk(t, d.DSN(), testrig.Settings{})
	s := sourceOf(t, `{"log": "{/log}", "id": "{/id}", "create": {"most": 2}, "keep": {}}`)
	closed := sourceOf(t, `{"log": "{/log}", "id": "{/id}", "keep": {}}`)
	records := []string{`{"log":"a","id":"1"}`, `{"n":1}`, `{"log":"b","id":"1"}`, `{"log":"a","id":"2"}`}
	for range 3 {
		if summary, _ := n.must(s, records...); summary.Stored != 3 || summary.Rejected != 1 {
			t.Errorf("%+v", summary)
		}
		if got := stored(t, d.DSN()); len(got) != 3 || len(got["a"]) != 2 || len(got["b"]) != 1 || len(got[RejectsOf("gateway")]) != 1 {
			t.Errorf("stored %v", got)
		}
		d.Exec(t, `SET session_replication_role = replica;
			TRUNCATE logs, log_heads, log_months, events, event_keys, source_logs CASCADE`)
	}
	// What the source may not make is rejected, and not an error.
	if summary, _ := n.must(closed, records...); summary.Rejected != 4 || summary.FirstRejected.Code != "log_not_found" {
		t.Errorf("%+v", summary)
	}
}

// TestLaneIsFull: where too much waits, the delivery fails in a way that says to come back, and does not wait for ever.
func TestLaneIsFull(t *testing.T) {
	d := testdb.New(t)
	n := startDesk(t, d.DSN(), testrig.Settings{Lanes: 1, MaxWaitingEvents: 4})
	s := sourceOf(t, `{"log": "{/log}", "id": "{/id}", "create": {"most": 10}, "keep": {}}`)
	n.must(s, `{"log":"a","id":"0"}`, `{"log":"b","id":"0"}`)
	conn := lockHeads(t, d.DSN())
	results := make(chan error, 20)
	for i := range cap(results) {
		go func() {
			_, _, err := n.deliver(s, Sender{}, fmt.Sprintf(`{"log":"a","id":"%d"}`, i+1), fmt.Sprintf(`{"log":"b","id":"%d"}`, i+1))
			results <- err
		}()
	}
	if err := <-results; !errors.Is(err, ingest.ErrBusy) { // the first that ends: nothing can be committed
		t.Errorf("%v", err)
	}
	conn()
	refused := 1
	for range cap(results) - 1 {
		if err := <-results; errors.Is(err, ingest.ErrBusy) {
			refused++
		} else if err != nil {
			t.Error(err)
		}
	}
	if refused == 0 || refused == cap(results) {
		t.Errorf("%d of %d were refused", refused, cap(results))
	}
	for i := range cap(results) {
		n.must(s, fmt.Sprintf(`{"log":"a","id":"%d"}`, i+1), fmt.Sprintf(`{"log":"b","id":"%d"}`, i+1))
	}
	if got := stored(t, d.DSN()); len(got["a"]) != 21 || len(got["b"]) != 21 {
		t.Errorf("%d and %d events are stored", len(got["a"]), len(got["b"]))
	}
}

// lockHeads locks all heads until the returned function is called.
func lockHeads(t testing.TB, dsn string) (release func()) {
	t.Helper()
	conn, err := db.Open(t.Context(), db.Config{URL: dsn, ReadConns: 2, AppendConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	tx, err := conn.Read.Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), "SELECT FROM log_heads FOR UPDATE")
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		conn.Close()
	}
}

// TestStopping: a server that stops takes nothing more, and says so; what it took is stored.
func TestStopping(t *testing.T) {
	d := testdb.New(t)
	n := startDesk(t, d.DSN(), testrig.Settings{})
	s := sourceOf(t, byCustomer)
	n.must(s, record("a", "1", 1))
	n.Stop(t)
	other := startDesk(t, d.DSN(), testrig.Settings{})
	n.in.logs, n.in.db = other.Logs, other.DB // only the ingester has stopped
	if _, _, err := n.deliver(s, Sender{}, record("a", "2", 2)); !errors.Is(err, ingest.ErrClosed) {
		t.Errorf("%v", err)
	}
	if got := stored(t, d.DSN())["customer-a"]; !slices.Equal(got, []string{`{"id":"1","n":1}`}) {
		t.Errorf("stored %v", got)
	}
}
