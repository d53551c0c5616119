package main_test

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/postgres"
	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/views"
)

func serve(dsn string, more ...string) []string {
	return append([]string{"serve", "--listen", "127.0.0.1:0", "--database-url", dsn}, more...)
}

// TestServeRefusals: a server does not run where it could lose events, or where strangers reach it, and says what to do.
func TestServeRefusals(t *testing.T) {
	refuses(t, nil, []string{"serve"}, "--database-url is missing", "postgres://")
	refuses(t, nil, serve("postgres://%zz"), "database URL")
	refuses(t, nil, serve("postgres://127.0.0.1:1/tally?sslmode=disable"), "127.0.0.1", "refused")
	refuses(t, nil, serve("postgres://tally:secret@127.0.0.1:1/tally"), "refused")
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0"} { // as far as the database: with keys, any address will do
		refuses(t, nil, []string{"serve", "--database-url", "postgres://127.0.0.1:1/tally", "--listen", listen}, "refused")
	}
	refuses(t, nil, serve("x", "--cors-origin", "app.example.com"), "--cors-origin", "https://app.example.com")
	for _, listen := range []string{"8080", "127.0.0.1", ""} {
		refuses(t, nil, []string{"serve", "--database-url", "postgres://127.0.0.1:1/tally", "--listen", listen}, "host:port")
	}
	refuses(t, nil, serve("x", "--lanes", "0"), "--lanes")
	refuses(t, nil, serve("x", "--read-connections", "1"), "--read-connections")
	refuses(t, nil, serve("x", "--fold-gas", "0"), "--fold-gas", "1000000000")
	refuses(t, nil, serve("x", "--query-gas", "-1"), "--query-gas")
	refuses(t, nil, serve("x", "--max-waiting-events", "1"), "--max-waiting-events", "10000")
	refuses(t, nil, serve("x", "--state-cache-bytes", "-1"), "--state-cache-bytes")
	refuses(t, nil, serve("x", "--log-level", "loud"), "loud", "debug, info, warn, error")
	refuses(t, nil, serve("x", "extra"), "extra")
	refuses(t, nil, []string{"serve", "--no-such-flag"}, "--no-such-flag")
	refuses(t, nil, []string{"sevre"}, "sevre")
}

// TestServePasswordIsNotShown: an error about the database's address is no place for its password.
func TestServePasswordIsNotShown(t *testing.T) {
	for _, dsn := range []string{
		"postgres://tally:hunter2@127.0.0.1:1/tally", "postgres://tally:hunter2@127.0.0.1:x/tally",
		"host=127.0.0.1 port=1 password=hunter2 user=tally",
	} {
		p := start(t, nil, serve(dsn)...)
		if status := p.wait(); !isFailure(status) || strings.Contains(p.output.String(), "hunter2") {
			t.Errorf("status %d, and it said:\n%s", status, p.output)
		}
	}
}

// TestServeWithoutFsync: a database that can lose acknowledged events is refused, unless --allow-unsafe-database is set.
func TestServeWithoutFsync(t *testing.T) {
	pg, err := postgres.Start(t.Context(), postgres.Options{DataDir: folder(t), NoFSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pg.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	refuses(t, nil, serve(pg.DSN()), "fsync is off", "--allow-unsafe-database")
	appendSome(t, serving(t, nil, serve(pg.DSN(), "--allow-unsafe-database")...), "acme", 1)

	pages, err := postgres.Start(t.Context(), postgres.Options{DataDir: folder(t), Settings: map[string]string{"full_page_writes": "off"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pages.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	refuses(t, nil, serve(pages.DSN()), "full_page_writes is off")
	refuses(t, nil, serve(pages.DatabaseURL("nowhere")), `"nowhere" does not exist`)
}

// TestEnvironment: every flag has a variable, which the flag itself overrules.
func TestEnvironment(t *testing.T) {
	dsn := testdb.New(t, testdb.WithFsync()).DSN()
	p := serving(t, setting("TALLY_DATABASE_URL="+dsn, "TALLY_LISTEN=127.0.0.1:0", "TALLY_LANES=2"), "serve")
	address := strings.TrimPrefix(p.url, "http://")
	if address == server.DefaultConfig().Listen { // which the system gives out to nobody
		t.Errorf("TALLY_LISTEN=127.0.0.1:0, and it serves on %s", p.url)
	}
	// The variable names an address that is in use; the flag wins.
	serving(t, setting("TALLY_DATABASE_URL="+dsn, "TALLY_LISTEN="+address), "serve", "--listen", "127.0.0.1:0")
	for variable, words := range map[string][]string{
		"TALLY_LANES=many":            {"TALLY_LANES", `"many"`, "--lanes"},
		"TALLY_LIMITS=speed=1":        {"TALLY_LIMITS", "--limit", "there is no such limit"},
		"TALLY_SHUTDOWN_TIMEOUT=soon": {"TALLY_SHUTDOWN_TIMEOUT", "--shutdown-timeout"},
		"TALLY_LOG_LEVEL=2":           {"2", "debug, info, warn, error"},
		"TALLY_LISTEN=nowhere":        {"nowhere", "host:port"},
		"TALLY_LOG_LEVEL=loud":        {"loud"},
		"TALLY_LANES=0":               {"--lanes"},
	} {
		refuses(t, setting("TALLY_DATABASE_URL="+dsn, variable), []string{"serve"}, words...)
	}
}

// TestTwoServers: two servers of one database take appends for one log at the same time. Sequences have no gap, a key
// sent to both is stored once, and what one acknowledged the other's answer has.
func TestTwoServers(t *testing.T) {
	const clients, each = 8, 40
	dsn := testdb.New(t, testdb.WithFsync()).DSN()
	servers := []*process{serving(t, nil, serve(dsn)...), serving(t, nil, serve(dsn)...)}
	appendSome(t, servers[0], "acme", 0)
	if _, err := servers[1].post(t.Context(), "/logs/acme/views/totals", string(views.MonthlyTotals()), ""); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	owner := map[int64]string{}
	var done sync.WaitGroup
	for client := range clients {
		done.Go(func() {
			for i := range each {
				here, there := servers[(client+i)%2], servers[(client+i+1)%2]
				key := fmt.Sprintf("%d-%d", client, i)
				event := `{"model":"m","tokens_in":1,"key":"` + key + `"}`
				first, err := here.post(t.Context(), "/logs/acme/append", event, key)
				if err != nil || first.Duplicate {
					t.Errorf("%s: %+v, %v", key, first, err)
					return
				}
				if read, err := there.post(t.Context(), "/logs/acme/views/totals/query", "", ""); err != nil || read.at < first.Sequence {
					t.Errorf("event %d is acknowledged, and the other server answers for %d: %v", first.Sequence, read.at, err)
				}
				again, err := there.post(t.Context(), "/logs/acme/append", event, key)
				if err != nil || !again.Duplicate || again.Sequence != first.Sequence {
					t.Errorf("%s again: %+v, first %+v: %v", key, again, first, err)
				}
				mu.Lock()
				if other := owner[first.Sequence]; other != "" {
					t.Errorf("sequence %d belongs to %s and %s", first.Sequence, other, key)
				}
				owner[first.Sequence] = key
				mu.Unlock()
			}
		})
	}
	done.Wait()
	for sequence := int64(1); sequence <= clients*each; sequence++ {
		if owner[sequence] == "" {
			t.Errorf("no event has sequence %d", sequence)
		}
	}
	for _, process := range servers {
		total := fmt.Sprintf(`"tokens_in":%d,`, clients*each)
		if body := process.curl("$URL/logs/acme/views/totals/query"); !strings.Contains(body, total) {
			t.Errorf("answered %s, want %s", body, total)
		}
	}
}

// TestServeFinishesRequests: a server that stops accepts no more requests, and finishes those in flight.
func TestServeFinishesRequests(t *testing.T) {
	dsn := testdb.New(t, testdb.WithFsync()).DSN()
	p := serving(t, nil, serve(dsn)...)
	appendSome(t, p, "acme", 1)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	run := func(statement string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	run("BEGIN")
	run("SELECT FROM log_heads FOR UPDATE") // holds up the append
	answered := make(chan error, 1)
	go func() {
		a, err := p.post(t.Context(), "/logs/acme/append", `{}`, "")
		if err == nil && a.Sequence != 2 {
			err = fmt.Errorf("answered %+v", a)
		}
		answered <- err
	}()
	for waits := false; !waits; {
		err := conn.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)").Scan(&waits)
		if err != nil {
			t.Fatal(err)
		}
	}
	p.signal(syscall.SIGTERM)
	dialer := net.Dialer{}
	for refused := false; !refused; {
		probe, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
		if refused = err != nil; !refused {
			_ = probe.Close()
		}
	}
	run("COMMIT")
	if err := <-answered; err != nil {
		t.Errorf("the append under way: %v", err)
	}
	if status := p.wait(); status != 0 {
		t.Errorf("the status is %d:\n%s", status, p.output)
	}
}

// TestHelp: what is asked for is printed, and is no failure.
func TestHelp(t *testing.T) {
	for _, args := range [][]string{{}, {"--help"}, {"help", "serve"}, {"serve", "--help"}, {"--version"}} {
		out, err := exec.CommandContext(t.Context(), tally, args...).Output()
		if err != nil || len(out) == 0 {
			t.Errorf("tally %v: %v: %s", args, err, out)
		}
	}
}
