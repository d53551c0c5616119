package analyst_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallystick/tallystick/internal/analyst"
	"github.com/tallystick/tallystick/internal/testdb"
)

// Of two tenants, "default" and "rival", the second one's logs, types, keys, events, views and state all have this in them, and its events
// are recorded seven seconds after a minute.
const secret = "sesame"

func isTheirs(said string) bool {
	return strings.Contains(said, secret) || strings.Contains(said, ":07+00")
}

// fixture fills a database: each tenant has 20 logs with 30 events each, over two months, with a live view on each, whose state is in rows
// and in the log's head.
const fixture = `
SELECT ensure_events_partitions('2025-01-01Z', 3);
INSERT INTO tenants (tenant_id, name) VALUES ('00000000-0000-7000-8000-00000000000b', 'rival');
CREATE TABLE pg_temp.source AS
SELECT gen_random_uuid() AS log_id, tenant_id, CASE name WHEN 'rival' THEN 'sesame' ELSE 'plain' END AS word, n, gen_random_uuid() AS id
FROM tenants, generate_series(1, 20) n;
INSERT INTO logs (log_id, tenant_id, name, labels)
SELECT log_id, tenant_id, word || '-' || n, json_build_object('label', word) FROM pg_temp.source;
INSERT INTO log_heads (log_id, sequence, hash, recorded_at, recent)
SELECT log_id, 30, sha256(''), '2025-02-28Z',
       E'\x1e' || id || E'\x1f' || word || E'/new\x1f{"total":"' || word || E'"}' FROM pg_temp.source;
INSERT INTO events (log_id, sequence, recorded_at, time, type, key, data, hash)
SELECT log_id, i, at, at, word || '-type', word || '-' || n || '-' || i, json_build_object('word', word, 'n', i), sha256((word || i)::bytea)
FROM pg_temp.source, generate_series(1, 30) i, LATERAL (
    SELECT timestamptz '2025-01-01Z' + i * interval '46 hours' + CASE word WHEN 'sesame' THEN interval '7 seconds' ELSE '0' END AS at) t;
INSERT INTO views (log_id, view_id, name) SELECT log_id, id, word || '-view' FROM pg_temp.source;
INSERT INTO modules (sha256, wasm) VALUES (sha256('x'), 'x');
INSERT INTO view_versions (log_id, version_id, view_id, version, module_sha256, config, fields, fold_gas, turn, status, applied_sequence,
    error)
SELECT log_id, id, id, 1, sha256('x'), '{}', '{}', 1, n, 'live', 0, word FROM pg_temp.source;
INSERT INTO view_state_rows (log_id, version_id, key, value)
SELECT log_id, id, word || '/' || i, json_build_object('total', word) FROM pg_temp.source, generate_series(1, 50) i;
INSERT INTO view_state_rows (log_id, version_id, key, value) SELECT log_id, id, word || '/new', '"former"' FROM pg_temp.source;
ANALYZE;`

var loginNumber atomic.Int64

func newDatabase(t *testing.T) *testdb.Database {
	t.Helper()
	d := testdb.New(t)
	conn := connect(t, d.DSN())
	if _, err := conn.Exec(t.Context(), fixture, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	return d
}

func newName() string { return fmt.Sprintf("analyst_test_%d", loginNumber.Add(1)) }

func open(t *testing.T, dsn string) *analyst.Manager {
	t.Helper()
	m, err := analyst.Open(t.Context(), dsn, "tester")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close(context.WithoutCancel(t.Context())) })
	return m
}

// newAnalyst makes an analyst of a tenant; it is dropped when the test ends.
func newAnalyst(t *testing.T, d *testdb.Database, tenant string) string {
	t.Helper()
	login := newName()
	password, err := open(t, d.DSN()).Create(t.Context(), tenant, login)
	if err != nil || len(password) < 26 {
		t.Fatalf("a password of %d characters, %v", len(password), err)
	}
	passwords.Store(login, password)
	dropLater(t, d, login)
	return login
}

// passwords are those of the logins that have one of their own. A server in a container asks for them.
var passwords sync.Map

const anyPassword = "for tests"

// newLogin makes any other login, which is dropped when the test ends.
func newLogin(t *testing.T, d *testdb.Database, options string) string {
	t.Helper()
	login := newName()
	d.Exec(t, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s' %s", login, anyPassword, options))
	dropLater(t, d, login)
	return login
}

func dropLater(t *testing.T, d *testdb.Database, login string) {
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.WithoutCancel(t.Context()), d.DSN())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // nothing is lost
		for _, statement := range []string{
			fmt.Sprintf("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = '%s'", login),
			fmt.Sprintf("DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '%s') THEN DROP OWNED BY %[1]s; END IF; END $$",
				login),
			"DROP ROLE IF EXISTS " + login,
		} {
			if _, err := conn.Exec(context.WithoutCancel(t.Context()), statement); err != nil {
				t.Errorf("dropping the login %s: %v", login, err)
			}
		}
	})
}

// as returns the URL for another login; the tests' servers ask for no password.
func as(t *testing.T, d *testdb.Database, login string) string {
	t.Helper()
	u, err := url.Parse(d.DSN())
	if err != nil {
		t.Fatal(err)
	}
	if query := u.Query(); query.Has("user") {
		query.Set("user", login)
		u.RawQuery = query.Encode()
	} else {
		password, ok := passwords.Load(login)
		if !ok {
			password = anyPassword
		}
		u.User = url.UserPassword(login, password.(string))
	}
	return u.String()
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// session is an analyst's connection, and all that PostgreSQL said on it.
type session struct {
	*pgx.Conn
	notices []string
}

func newSession(t *testing.T, dsn string) *session {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	s := &session{}
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { s.notices = append(s.notices, n.Message) }
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	if s.Conn, err = pgx.ConnectConfig(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.WithoutCancel(t.Context())) })
	return s
}

// do runs statements and returns all that came of it: rows, notices and errors, and the error's SQLSTATE.
func (s *session) do(t *testing.T, statements string) (said, code string) {
	t.Helper()
	s.notices = nil
	results, err := s.PgConn().Exec(t.Context(), statements).ReadAll()
	var lines []string
	for _, result := range results {
		for _, row := range result.Rows {
			lines = append(lines, string(join(row)))
		}
	}
	var failed *pgconn.PgError
	if errors.As(err, &failed) {
		code = failed.Code
		lines = append(lines, failed.Message, failed.Detail, failed.Hint, failed.Where)
	} else if err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
	return strings.Join(append(lines, s.notices...), "\n"), code
}

// must runs statements that succeed.
func (s *session) must(t *testing.T, statements string) string {
	t.Helper()
	said, code := s.do(t, statements)
	if code != "" {
		t.Fatalf("%s: %s %s", statements, code, said)
	}
	return said
}

func join(cells [][]byte) (line []byte) {
	for i, cell := range cells {
		if i > 0 {
			line = append(line, '|')
		}
		line = append(line, cell...)
	}
	return line
}
