//go:build unix

package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/postgres"
	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/views"
)

// ownPostgres is a PostgreSQL that the test may kill and whose settings it may change.
type ownPostgres struct {
	t   *testing.T
	dir string
	*postgres.Server
}

func startPostgres(t *testing.T) *ownPostgres {
	t.Helper()
	dir, err := os.MkdirTemp("", "tally-own-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // so that PostgreSQL's user can enter it
		t.Fatal(err)
	}
	p := &ownPostgres{t: t, dir: dir}
	p.start()
	t.Cleanup(func() {
		if err := p.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return p
}

// start starts PostgreSQL. It first waits until what a killed server left running has ended: until then, PostgreSQL refuses to start.
func (p *ownPostgres) start() {
	p.t.Helper()
	for ctx := bounded(p.t); ; {
		s, err := postgres.Start(ctx, postgres.Options{DataDir: p.dir, Database: "tally", Settings: map[string]string{
			"wal_writer_delay": "10s", // what no commit waits for stays in memory for long
		}})
		if err == nil {
			p.Server = s
			return
		}
		if ctx.Err() != nil {
			p.t.Fatal(err)
		}
	}
}

// kill kills PostgreSQL as the kernel does when memory is short, and starts it again.
func (p *ownPostgres) kill() {
	p.t.Helper()
	if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
		p.t.Fatal(err)
	}
	<-p.Done()
	if err := p.Stop(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	p.start()
}

func (p *ownPostgres) run(statements ...string) {
	p.t.Helper()
	conn, err := pgx.Connect(p.t.Context(), p.DSN())
	if err != nil {
		p.t.Fatal(err)
	}
	defer conn.Close(p.t.Context()) //nolint:errcheck // nothing is lost
	for _, statement := range statements {
		if _, err := conn.Exec(p.t.Context(), statement); err != nil {
			p.t.Fatalf("%s: %v", statement, err)
		}
	}
}

// setSystem changes a setting of the running server, and waits until its processes apply it.
func (p *ownPostgres) setSystem(name, value string) {
	p.t.Helper()
	conn, err := pgx.Connect(p.t.Context(), p.DSN())
	if err != nil {
		p.t.Fatal(err)
	}
	defer conn.Close(p.t.Context()) //nolint:errcheck // nothing is lost
	for _, statement := range []string{fmt.Sprintf("ALTER SYSTEM SET %s = '%s'", name, value), "SELECT pg_reload_conf()"} {
		if _, err := conn.Exec(p.t.Context(), statement); err != nil {
			p.t.Fatalf("%s: %v", statement, err)
		}
	}
	for ctx, now := bounded(p.t), ""; now != value; {
		if err := conn.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&now); err != nil {
			p.t.Fatal(err)
		}
	}
}

// bounded returns a context for what takes moments, or seconds on a busy machine.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// serveSafely runs a server that refuses unsafe databases, until the test ends.
func serveSafely(t *testing.T, dsn string) (*server.Server, lines) {
	t.Helper()
	said := make(lines, 10_000)
	config := server.DefaultConfig()
	config.Listen, config.DatabaseURL, config.ModuleCacheDir = "127.0.0.1:0", dsn, testrig.ModuleCache()
	config.Log = slog.New(slog.NewTextHandler(said, nil))
	s, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return s, said
}

// request sends a request and returns the status and the body.
func request(t *testing.T, s *server.Server, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it is read to its end
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// withParameter adds a parameter to a URL.
func withParameter(t *testing.T, dsn, name, value string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set(name, value)
	u.RawQuery = query.Encode()
	return u.String()
}

// TestPostgresIsKilledAfterAcknowledging: for every way to make commits not wait for the disk, and for every kind of acknowledged request,
// a crash loses nothing.
func TestPostgresIsKilledAfterAcknowledging(t *testing.T) {
	pg := startPostgres(t)
	type ask struct{ path, body, found, answer string } // %s is a log with one event
	event := ask{"/logs/%s/append", `{"n":2}`, "/logs/%s", `"sequence":2,`}
	batch := ask{"/logs/%s/append_batch", strings.Repeat("{}\n", 600), "/logs/%s", `"sequence":601,`}
	log := ask{"/logs", `{"name":"$LOG-2"}`, "/logs/%s-2", `"sequence":0,`}
	view := ask{"/logs/%s/views/second", string(views.RateCheck()), "/logs/%s/views/second", `"version":1`}
	const role, database = "ALTER ROLE postgres SET synchronous_commit = off", "ALTER DATABASE tally SET synchronous_commit = off"
	for i, test := range []struct {
		name     string
		set      string // before the server starts
		url      bool   // set in the URL
		inSystem bool   // set while the server runs
		ask
	}{
		{name: "by login", set: role, ask: event},
		{name: "by database", set: database, ask: event},
		{name: "by URL", url: true, ask: event},
		{name: "by ALTER SYSTEM", inSystem: true, ask: event},
		{name: "a batch", set: database, ask: batch},
		{name: "a new log", set: role, ask: log},
		{name: "a deploy", set: database, ask: view},
	} {
		t.Run(test.name, func(t *testing.T) {
			pg.run("ALTER ROLE postgres RESET synchronous_commit", "ALTER DATABASE tally RESET synchronous_commit")
			pg.setSystem("synchronous_commit", "on")
			dsn := pg.DSN()
			if test.set != "" {
				pg.run(test.set)
			}
			if test.url {
				dsn = withParameter(t, dsn, "synchronous_commit", "off")
			}
			name := fmt.Sprint("log-", i)
			fill := func(text string) string {
				if strings.Contains(text, "%") {
					return fmt.Sprintf(text, name)
				}
				return text
			}
			s, _ := serveSafely(t, dsn)
			if status, text := request(t, s, http.MethodPost, "/logs", `{"name":"`+name+`"}`); status != http.StatusCreated {
				t.Fatalf("%d %s", status, text)
			}
			if status, text := request(t, s, http.MethodPost, fill("/logs/%s/append"), `{"n":1}`); status != http.StatusCreated {
				t.Fatalf("%d %s", status, text)
			}
			if test.inSystem {
				pg.setSystem("synchronous_commit", "off")
			}
			body := strings.ReplaceAll(test.body, "$LOG", name)
			if status, text := request(t, s, http.MethodPost, fill(test.path), body); status/100 != 2 {
				t.Fatalf("%d %s", status, text)
			}
			pg.kill()
			stop(t, s)
			s, _ = serveSafely(t, dsn)
			status, text := request(t, s, http.MethodGet, fill(test.found), "")
			if status != http.StatusOK || !strings.Contains(text, test.answer) {
				t.Errorf("after the kill: %d %s, want %s", status, text, test.answer)
			}
			stop(t, s)
			testrig.Check(t, dsn)
		})
	}
}

// TestSettingsOfCommits checks the settings of connections, however the database is configured: stricter settings stay, and an operator is
// warned of weaker ones.
func TestSettingsOfCommits(t *testing.T) {
	pg := startPostgres(t)
	for _, test := range []struct{ configured, held string }{
		{"off", "on"}, {"local", "on"}, {"remote_write", "on"}, {"on", "on"}, {"remote_apply", "remote_apply"},
	} {
		pg.run("ALTER ROLE postgres SET synchronous_commit = " + test.configured)
		s, said := serveSafely(t, pg.DSN())
		d, err := db.Open(t.Context(), db.Config{URL: pg.DSN()})
		if err != nil {
			t.Fatal(err)
		}
		for name, pool := range map[string]*pgxpool.Pool{"append": d.Append, "read": d.Read} {
			var held string
			if err := pool.QueryRow(t.Context(), "SHOW synchronous_commit").Scan(&held); err != nil || held != test.held {
				t.Errorf("with %s the %s pool commits with %s, %v; want %s", test.configured, name, held, err, test.held)
			}
		}
		d.Close()
		if test.configured != test.held {
			said.await(t, "synchronous_commit is set to "+test.configured)
		}
		list := warnings(t, s)
		warned := len(list) > 0 && strings.Contains(list[0], "set to "+test.configured)
		if warned != (test.configured == "local" || test.configured == "remote_write") {
			t.Errorf("with %s the server warns of %q", test.configured, list)
		}
		stop(t, s)
	}
	pg.run("ALTER ROLE postgres RESET synchronous_commit")

	// While a server runs.
	d, err := db.Open(t.Context(), db.Config{URL: pg.DSN(), RefuseUnsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	commits := func() (held string, err error) {
		return held, d.Append.QueryRow(t.Context(), "SHOW synchronous_commit").Scan(&held)
	}
	if held, err := commits(); held != "on" || err != nil {
		t.Fatal(held, err)
	}
	for _, test := range []struct{ configured, held string }{{"off", "on"}, {"remote_apply", "remote_apply"}, {"local", "remote_apply"}} {
		pg.setSystem("synchronous_commit", test.configured)
		if now, err := d.CheckDurability(t.Context()); now.SynchronousCommit != test.configured || err != nil {
			t.Errorf("%s is configured: %+v, %v", test.configured, now, err)
		}
		if held, err := commits(); held != test.held || err != nil {
			t.Errorf("after it was set to %s, the pool commits with %s, %v; want %s", test.configured, held, err, test.held)
		}
	}
	pg.setSystem("full_page_writes", "off")
	var untrusted *db.UntrustedError
	if _, err := d.CheckDurability(t.Context()); !errors.As(err, &untrusted) || !strings.Contains(err.Error(), "full_page_writes is off") {
		t.Errorf("full_page_writes off: %v", err)
	}
	if held, err := commits(); !errors.As(err, &untrusted) || !errors.Is(db.Classify(err), db.ErrMisconfigured) {
		t.Errorf("with full_page_writes off a commit is possible: %s, %v", held, err)
	}
	pg.setSystem("full_page_writes", "on")
	if _, err := commits(); err != nil {
		t.Errorf("with full_page_writes on again: %v", err)
	}
}

// TestDatabaseIsNoLongerTrusted turns full_page_writes off under a running server, which then stores nothing and says why, and goes on once
// it is on again.
func TestDatabaseIsNoLongerTrusted(t *testing.T) {
	t.Parallel() // it mostly waits for the server to look
	pg := startPostgres(t)
	s, said := serveSafely(t, pg.DSN())
	defer stop(t, s)
	if status, text := request(t, s, http.MethodPost, "/logs", `{"name":"acme"}`); status != http.StatusCreated {
		t.Fatalf("%d %s", status, text)
	}
	pg.setSystem("full_page_writes", "off")
	said.await(t, "full_page_writes is off")
	awaitReady(t, s, http.StatusServiceUnavailable, "appends cannot be stored: full_page_writes is off")
	if status, text := request(t, s, http.MethodPost, "/logs/acme/append", `{}`); status != http.StatusServiceUnavailable ||
		!strings.Contains(text, "database_misconfigured") {
		t.Errorf("an append: %d %s", status, text)
	}
	pg.setSystem("full_page_writes", "on")
	awaitReady(t, s, http.StatusOK, "")
	if status, text := request(t, s, http.MethodPost, "/logs/acme/append", `{}`); status != http.StatusCreated {
		t.Errorf("an append afterwards: %d %s", status, text)
	}
}

// awaitReady returns once /readyz responds with the status and the text.
func awaitReady(t *testing.T, s *server.Server, want int, says string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for ctx := bounded(t); ; {
		status, text := request(t, s, http.MethodGet, "/readyz", "")
		if status == want && strings.Contains(text, says) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("/readyz says %d %s, want %d %s", status, text, want, says)
		}
	}
}

// TestReadinessOfAppends: whatever keeps appends from being stored makes the server not ready, with the reason, whether or not there are
// appends that fail. It becomes ready again by itself.
func TestReadinessOfAppends(t *testing.T) {
	t.Parallel() // it mostly waits for the server to look
	pg := startPostgres(t)
	s, _ := serveSafely(t, pg.DSN())
	defer stop(t, s)
	if status, text := request(t, s, http.MethodPost, "/logs", `{"name":"acme"}`); status != http.StatusCreated {
		t.Fatalf("%d %s", status, text)
	}
	appended := func(want int) {
		t.Helper()
		if status, text := request(t, s, http.MethodPost, "/logs/acme/append", `{}`); status != want {
			t.Errorf("an append: %d %s, want %d", status, text, want)
		}
	}
	awaitReady(t, s, http.StatusOK, "") // before any append
	appended(http.StatusCreated)
	awaitReady(t, s, http.StatusOK, "")

	pg.setSystem("default_transaction_read_only", "on")
	appended(http.StatusServiceUnavailable)
	awaitReady(t, s, http.StatusServiceUnavailable, "takes no writes")
	pg.setReadWrite()
	awaitReady(t, s, http.StatusOK, "")
	appended(http.StatusCreated)
	awaitReady(t, s, http.StatusOK, "")

	pg.setSystem("default_transaction_read_only", "on") // without appends
	awaitReady(t, s, http.StatusServiceUnavailable, "takes no writes")
	pg.setReadWrite()
	awaitReady(t, s, http.StatusOK, "")

	pg.run("CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS "+
		"$$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$",
		"CREATE TRIGGER fill BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION fill()")
	for ctx := bounded(t); ; { // a failure does not count for long
		appended(http.StatusServiceUnavailable)
		status, text := request(t, s, http.MethodGet, "/readyz", "")
		if status == http.StatusServiceUnavailable && strings.Contains(text, "disk is full") {
			break
		}
		if ctx.Err() != nil {
			t.Fatalf("/readyz says %d %s", status, text)
		}
	}
	pg.run("DROP FUNCTION fill CASCADE")
	appended(http.StatusCreated)
	awaitReady(t, s, http.StatusOK, "")
}

// setReadWrite undoes a setting that also keeps ALTER SYSTEM's own connection from writing.
func (p *ownPostgres) setReadWrite() { p.setSystem("default_transaction_read_only", "off") }

// TestStandbyIsWaitedFor interrupts COMMITs that wait for a synchronous standby. Their events are stored, but not on the standby. Until
// they are, no request is acknowledged, neither by the server that looks up the outcome of its COMMIT nor in response to a retry.
func TestStandbyIsWaitedFor(t *testing.T) {
	pg := startPostgres(t)
	s, _ := serveSafely(t, pg.DSN())
	defer stop(t, s)
	if status, text := request(t, s, http.MethodPost, "/logs", `{"name":"acme"}`); status != http.StatusCreated {
		t.Fatalf("%d %s", status, text)
	}
	pg.setSystem("synchronous_standby_names", "nobody")
	answers := make(chan string, 1)
	appendAgain := func() {
		status, text := request(t, s, http.MethodPost, "/logs/acme/append", `{"id":"1"}`)
		answers <- fmt.Sprint(status, " ", text)
	}
	go appendAgain()
	waiter, looked := 0, 0
	text := ""
	for ; text == ""; looked++ {
		if waiter, text = pg.awaitStandbyWaiter(waiter, answers); text == "" {
			pg.run(fmt.Sprintf("SELECT pg_terminate_backend(%d)", waiter)) // the server looks up the outcome
		}
	}
	if looked < 3 || !strings.HasPrefix(text, "503") || !strings.Contains(text, "outcome_unknown") {
		t.Errorf("without the standby: %s", text)
	}
	go appendAgain()
	if _, text := pg.awaitStandbyWaiter(waiter, answers); text != "" {
		t.Errorf("a retry without the standby: %s", text)
	}
	pg.setSystem("synchronous_standby_names", "")
	if text = <-answers; !strings.HasPrefix(text, "200") || !strings.Contains(text, `"sequence":1`) {
		t.Errorf("the retry: %s", text)
	}
}

// awaitStandbyWaiter returns the process, other than one, that waits for a standby, or the response if that comes first.
func (p *ownPostgres) awaitStandbyWaiter(other int, answers <-chan string) (pid int, answer string) {
	p.t.Helper()
	conn, err := pgx.Connect(p.t.Context(), p.DSN())
	if err != nil {
		p.t.Fatal(err)
	}
	defer conn.Close(p.t.Context()) //nolint:errcheck // nothing is lost
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for ctx := bounded(p.t); ; {
		err := conn.QueryRow(ctx, "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid <> $1", other).Scan(&pid)
		if err == nil {
			return pid, ""
		} else if !errors.Is(err, pgx.ErrNoRows) {
			p.t.Fatal(err)
		}
		select {
		case answer := <-answers:
			return other, answer
		case <-tick.C:
		}
	}
}
