package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/views"
)

// requests are one of each kind that needs the database.
var requests = []struct{ method, path, body string }{
	{"POST", "/logs", `{"name":"another"}`},
	{"GET", "/logs", ""},
	{"GET", "/logs/acme", ""},
	{"GET", "/logs/stranger", ""},
	{"POST", "/logs/acme/append", `{"model":"m","tokens_in":1}`},
	{"POST", "/logs/acme/append_batch", `[{"model":"m","tokens_in":1}]`},
	{"POST", "/logs/acme/views/second", string(views.RateCheck())},
	{"GET", "/logs/acme/views", ""},
	{"GET", "/logs/acme/views/totals", ""},
	{"GET", "/logs/acme/views/totals/query", ""},
	{"GET", "/readyz", ""},
}

// administer runs a statement from another database of the same server.
func (s *service) administer(statement string, args ...any) {
	s.t.Helper()
	config := s.db.Config().ConnConfig.Copy()
	config.Database = "postgres"
	conn, err := pgx.ConnectConfig(s.t.Context(), config)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.Close(s.t.Context()) }()
	if _, err := conn.Exec(s.t.Context(), statement, args...); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}

const disconnectAll = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = $1"

// TestDatabaseConnectionsLost: after its connections have been cut a server soon works again by itself, and what it
// answers until then is retryable and says nothing of the inside.
func TestDatabaseConnectionsLost(t *testing.T) {
	s := start(t)
	id := s.createLog("acme")
	s.deployTotals("acme")
	acknowledged := 0
	for round := range 3 {
		s.administer(disconnectAll, s.name)
		for _, request := range requests {
			body := strings.Replace(request.body, "another", fmt.Sprint("another", round), 1)
			r := s.call(request.method, request.path, body)
			if r.status == http.StatusServiceUnavailable {
				if r.header.Get("Retry-After") == "" {
					t.Errorf("%s %s: 503 without Retry-After", request.method, request.path)
				}
			} else if r.status >= 500 {
				t.Errorf("%s %s answered %d: %s", request.method, request.path, r.status, r.body)
			}
			if strings.Contains(request.path, "/append") && r.status == http.StatusCreated {
				acknowledged++
			}
		}
		s.await("the server is ready again", func() bool { return s.call("GET", "/readyz", "").status == http.StatusOK })
	}
	// An outcome that was said to be unknown may have been stored; nothing that was acknowledged is missing.
	if stored := len(s.events(id)); stored < acknowledged || stored > 6 {
		t.Errorf("%d events are stored, %d were acknowledged", stored, acknowledged)
	}
	s.append("acme", `{"model":"m","tokens_in":1}`)
	if r := s.call("GET", "/logs/acme/views/totals/query", ""); r.header.Get("Tally-Sequence") != fmt.Sprint(len(s.events(id))) {
		t.Errorf("the view is at %s of %d", r.header.Get("Tally-Sequence"), len(s.events(id)))
	}
}

// TestDatabaseGone: without a database every response is a 503 that may be retried.
func TestDatabaseGone(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	s.deployTotals("acme")
	s.append("acme", `{"model":"m","tokens_in":1}`)
	s.db.Close()
	s.administer("ALTER DATABASE " + s.name + " ALLOW_CONNECTIONS false")
	s.administer(disconnectAll, s.name)
	s.administer("ALTER DATABASE " + s.name + " RENAME TO gone")
	defer s.administer("ALTER DATABASE gone RENAME TO " + s.name) // for the end of the test, which drops it
	for _, request := range requests {
		r := s.call(request.method, request.path, request.body)
		if p := s.problem(r); r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") != "5" ||
			// The connection may break while committing.
			p.Code != "database_unavailable" && p.Code != "not_ready" && p.Code != "outcome_unknown" {
			t.Errorf("%s %s answered %d, Retry-After %q: %s", request.method, request.path, r.status, r.header.Get("Retry-After"), r.body)
		}
	}
	s.want(http.StatusOK, s.call("GET", "/healthz", ""))
}

// TestDatabaseBroken: an unforeseen error is a 500 that does not reveal it; nothing is half stored.
func TestDatabaseBroken(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	s.append("acme", `{"n":1}`)
	before := s.head("acme")
	if _, err := s.db.Exec(t.Context(), "ALTER TABLE event_keys RENAME TO event_keys_hidden"); err != nil {
		t.Fatal(err)
	}
	s.wantProblem(http.StatusInternalServerError, "internal", s.call("POST", "/logs/acme/append", `{"n":2}`, "Idempotency-Key: k"))
	s.wantProblem(http.StatusInternalServerError, "internal", s.call("POST", "/logs/acme/append_batch", `[{"id":"2"}]`))
	if after := s.head("acme"); after != before {
		t.Errorf("the head moved to %+v", after)
	}
	if _, err := s.db.Exec(t.Context(), "ALTER TABLE event_keys_hidden RENAME TO event_keys"); err != nil {
		t.Fatal(err)
	}
	if got := s.append("acme", `{"n":2}`, "Idempotency-Key: k"); got.Sequence != 2 {
		t.Errorf("after the repair: %+v", got)
	}
}

// TestTooManyWaiting: appends beyond the limits are refused at once with 503; every other one is stored, once.
func TestTooManyWaiting(t *testing.T) {
	const batches = 6
	s := start(t, func(c *server.Config) { c.Lanes, c.MaxWaitingEvents = 1, ingest.MaxBatchEvents })
	id := s.createLog("acme")
	s.append("acme", `{"n":0}`)

	// Whoever holds the log's head holds up its lane: the first batch is with the database, the second waits.
	tx, err := s.db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }() // of no use once committed
	if _, err := tx.Exec(t.Context(), "SELECT FROM log_heads WHERE log_id = $1 FOR UPDATE", id); err != nil {
		t.Fatal(err)
	}
	body := strings.Repeat("{}\n", ingest.MaxBatchEvents)
	replies := make(chan reply, batches)
	var done sync.WaitGroup
	for range batches {
		done.Go(func() {
			r, err := s.try("POST", "/logs/acme/append_batch", strings.NewReader(body))
			if err != nil {
				t.Error(err)
			}
			replies <- r
		})
	}
	for range batches - 2 {
		r := <-replies
		if s.wantProblem(http.StatusServiceUnavailable, "busy", r, "nothing was stored"); r.header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After is %q", r.header.Get("Retry-After"))
		}
	}
	s.wantProblem(http.StatusServiceUnavailable, "busy", s.call("POST", "/logs/acme/append", `{}`))
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	done.Wait()
	s.want(http.StatusCreated, <-replies)
	s.want(http.StatusCreated, <-replies)
	if got := s.head("acme"); got.Sequence != 1+2*ingest.MaxBatchEvents {
		t.Errorf("the head is at %d", got.Sequence)
	}
	if got := s.append("acme", `{}`); got.Sequence != 2+2*ingest.MaxBatchEvents {
		t.Errorf("afterwards: %+v", got)
	}
}

// TestDatabaseMisconfigured: PostgreSQL cannot load a library of its own, since its package was upgraded under it. Nobody is told to merely
// try again.
func TestDatabaseMisconfigured(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	for _, statement := range []string{
		"CREATE FUNCTION of_a_plugin() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
		"CREATE TRIGGER of_a_plugin BEFORE UPDATE ON log_heads FOR EACH ROW EXECUTE FUNCTION of_a_plugin()",
		"UPDATE pg_proc SET probin = '$libdir/of_another_version' WHERE proname = 'plpgsql_call_handler'",
	} {
		if _, err := s.db.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	r := s.call("POST", "/logs/acme/append", `{"n":1}`)
	s.wantProblem(http.StatusServiceUnavailable, "database_misconfigured", r, "nothing was stored")
	if text := string(r.body); strings.Contains(text, "libdir") || strings.Contains(text, "of_another_version") {
		t.Errorf("the answer tells of the inside: %s", text)
	}
}
