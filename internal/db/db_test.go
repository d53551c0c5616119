package db_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/testdb"
)

// open opens a database with a table of numbers and one connection per pool: a test that leaks one hangs.
func open(t *testing.T) *db.DB {
	t.Helper()
	dsn := testdb.New(t).DSN()
	execute(t, connect(t, dsn), "CREATE TABLE numbers (n integer PRIMARY KEY)", "GRANT SELECT, INSERT ON numbers TO tally_server")
	d, err := db.Open(t.Context(), db.Config{URL: dsn, AppendConns: 1, ReadConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// numbers returns the contents of the table, as other connections see it.
func numbers(t *testing.T, d *db.DB) []int {
	t.Helper()
	rows, err := d.Read.Query(t.Context(), "SELECT n FROM numbers ORDER BY n")
	if err != nil {
		t.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func begin(t *testing.T, d *db.DB) *db.Tx {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tx, err := db.Begin(ctx, d.Append)
	if err != nil {
		t.Fatalf("a transaction before kept its connection: %v", err)
	}
	return tx
}

// insert queues numbers as one statement.
func insert(t *testing.T, to *db.Pipeline, n ...int) {
	t.Helper()
	if _, err := to.Exec(t.Context(), "INSERT INTO numbers SELECT unnest($1::integer[]) ON CONFLICT DO NOTHING", n); err != nil {
		t.Fatal(err)
	}
}

// expect queues the check that our statements use when they must affect a certain number of rows.
func expect(t *testing.T, to *db.Pipeline, touched, given int) {
	t.Helper()
	if _, err := to.Exec(t.Context(), "SELECT ($1::integer = $2::integer)::as_expected", touched, given); err != nil {
		t.Fatal(err)
	}
}

func TestPipelineCommitsAllOrNothing(t *testing.T) {
	d := open(t)
	for name, test := range map[string]struct {
		fill   func(p *db.Pipeline)
		want   error
		reason string
	}{
		"missed expectation": {func(p *db.Pipeline) {
			insert(t, p, 1, 2)
			expect(t, p, 1, 2)
			insert(t, p, 4)
		}, db.ErrStale, "rows_as_expected"},
		"failed statement": {func(p *db.Pipeline) {
			insert(t, p, 1)
			_, _ = p.Exec(t.Context(), "INSERT INTO numbers VALUES (1)") // a pipeline's Exec only queues
			insert(t, p, 2)
		}, db.ErrAlreadyExists, "numbers_pkey"},
		"missed expectation before a failed statement": {func(p *db.Pipeline) {
			insert(t, p, 1)
			expect(t, p, 1, 7)
			_, _ = p.Exec(t.Context(), "INSERT INTO numbers VALUES (1)") // a pipeline's Exec only queues
		}, db.ErrStale, "rows_as_expected"},
	} {
		for _, begun := range []bool{false, true} {
			var p db.Pipeline
			test.fill(&p)
			tx := begin(t, d)
			if begun {
				if _, err := tx.Exec(t.Context(), "INSERT INTO numbers VALUES (100)"); err != nil {
					t.Fatal(err)
				}
			}
			err := db.Classify(tx.SendAndCommit(t.Context(), &p))
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("%s: %v, want %v with %q", name, err, test.want, test.reason)
			}
			tx.Close()
			if found := numbers(t, d); len(found) > 0 {
				t.Errorf("%s: the table holds %v", name, found)
			}
		}
	}
	var first, second db.Pipeline
	insert(t, &first, 1, 2)
	insert(t, &second, 2, 3)
	expect(t, &second, 3, 3)
	tx := begin(t, d)
	if err := tx.Send(t.Context(), &first); err != nil {
		t.Fatal(err)
	}
	if found := numbers(t, d); len(found) > 0 {
		t.Errorf("before COMMIT others see %v", found)
	}
	if err := tx.SendAndCommit(t.Context(), &second); err != nil {
		t.Fatal(err)
	}
	tx.Close()
	if found := numbers(t, d); len(found) != 3 {
		t.Errorf("after COMMIT the table holds %v", found)
	}
}

func TestPipelineRefusesQueries(t *testing.T) {
	var p db.Pipeline
	if _, err := p.Query(t.Context(), "SELECT 1"); err == nil {
		t.Error("a query was queued")
	}
	var n int
	if err := p.QueryRow(t.Context(), "SELECT 1").Scan(&n); err == nil {
		t.Error("a query was queued")
	}
}

// TestTxGivesItsConnectionBack ends transactions in every way. The only connection of the pool must serve the next one each time.
func TestTxGivesItsConnectionBack(t *testing.T) {
	d := open(t)
	for name, use := range map[string]func(tx *db.Tx){
		"not used":       func(*db.Tx) {},
		"commit of none": func(tx *db.Tx) { _ = tx.SendAndCommit(t.Context(), &db.Pipeline{}) },
		"committed": func(tx *db.Tx) {
			_, _ = tx.Exec(t.Context(), "SELECT 1")
			_ = tx.SendAndCommit(t.Context(), &db.Pipeline{})
		},
		"left open": func(tx *db.Tx) { _, _ = tx.Exec(t.Context(), "INSERT INTO numbers VALUES (1)") },
		"failed":    func(tx *db.Tx) { _, _ = tx.Exec(t.Context(), "SELECT 1/0") },
		"failed commit": func(tx *db.Tx) {
			_, _ = tx.Exec(t.Context(), "SELECT 1/0")
			_ = tx.SendAndCommit(t.Context(), &db.Pipeline{})
		},
		"killed": func(tx *db.Tx) {
			_, _ = tx.Exec(t.Context(), "SET ROLE NONE") // the server's role may not do this
			_, _ = tx.Exec(t.Context(), "SELECT pg_terminate_backend(pg_backend_pid())")
		},
		"context ended": func(tx *db.Tx) { _, _ = tx.Exec(ended(t), "SELECT 1") },
		"ended in the middle": func(tx *db.Tx) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			_, _ = tx.Exec(ctx, "SELECT pg_sleep(60)")
		},
	} {
		for range 3 {
			tx := begin(t, d)
			use(tx)
			tx.Close()
			next := begin(t, d)
			var n int
			if err := next.QueryRow(t.Context(), "SELECT count(*) FROM numbers").Scan(&n); err != nil || n != 0 {
				t.Errorf("after one that was %s: %d numbers, %v", name, n, err)
			}
			next.Close()
		}
	}
}

func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// TestCommitOfAFailedTransaction: PostgreSQL replies to COMMIT with ROLLBACK, which must not count as success.
func TestCommitOfAFailedTransaction(t *testing.T) {
	d := open(t)
	tx := begin(t, d)
	defer tx.Close()
	if _, err := tx.Exec(t.Context(), "INSERT INTO numbers VALUES ('x')"); err == nil {
		t.Fatal("a text was stored as a number")
	}
	if err := tx.SendAndCommit(t.Context(), &db.Pipeline{}); !errors.Is(err, pgx.ErrTxCommitRollback) {
		t.Errorf("committed: %v", err)
	}
}

func TestClassify(t *testing.T) {
	d := open(t)
	run := func(statement string, args ...any) error {
		_, err := d.Read.Exec(t.Context(), statement, args...)
		return err
	}
	if err := run("INSERT INTO numbers VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	scan := func() error {
		var n int
		return d.Read.QueryRow(t.Context(), "SELECT n FROM numbers WHERE n = 9").Scan(&n)
	}
	timeout, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, timedOut := d.Read.Exec(timeout, "SELECT pg_sleep(60)")
	_, canceled := d.Read.Exec(ended(t), "SELECT 1")
	away, err := db.Open(t.Context(), db.Config{URL: "postgres://nobody@127.0.0.1:1/nothing"})
	if err != nil {
		t.Fatal(err)
	}
	defer away.Close()
	for name, test := range map[string]struct{ err, want error }{
		"no row":           {scan(), db.ErrNotFound},
		"unique":           {run("INSERT INTO numbers VALUES (1)"), db.ErrAlreadyExists},
		"bad JSON":         {run("SELECT $1::text::json", "{"), db.ErrRejectedData},
		"NUL":              {run("SELECT $1::text", "\x00"), db.ErrRejectedData},
		"no UTF-8":         {run("SELECT $1::text", "\xff"), db.ErrRejectedData},
		"nested too deep":  {run("SELECT $1::text::json", strings.Repeat("[", 1_000_000)), db.ErrRejectedData},
		"out of range":     {run("SELECT 'infinity'::timestamptz + $1::text::interval", "1000000000000 years"), db.ErrRejectedData},
		"conflict":         {run("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$"), db.ErrConflict},
		"idle":             {run("DO $$ BEGIN RAISE SQLSTATE '25P03'; END $$"), db.ErrConflict},
		"deadlock":         {run("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$"), db.ErrConflict},
		"too many clients": {run("DO $$ BEGIN RAISE SQLSTATE '53300'; END $$"), db.ErrUnavailable},
		"disk full":        {run("DO $$ BEGIN RAISE SQLSTATE '53100'; END $$"), db.ErrUnavailable},
		"read-only":        {run("DO $$ BEGIN RAISE SQLSTATE '25006'; END $$"), db.ErrUnavailable},
		"killed":           {errors.Join(run("SET ROLE NONE"), run("SELECT pg_terminate_backend(pg_backend_pid())")), db.ErrUnavailable},
		"timed out":        {timedOut, db.ErrUnavailable},
		"nobody listens":   {away.Read.Ping(t.Context()), db.ErrUnavailable},
		"no such database": {ping(t, "no_such_database"), db.ErrUnavailable},
	} {
		got := db.Classify(test.err)
		if !errors.Is(got, test.want) || !errors.Is(got, test.err) {
			t.Errorf("%s: %v, want %v with its cause", name, got, test.want)
		}
		for _, other := range []error{db.ErrNotFound, db.ErrAlreadyExists, db.ErrUnavailable, db.ErrConflict, db.ErrRejectedData} {
			if !errors.Is(test.want, other) && errors.Is(got, other) {
				t.Errorf("%s: %v is %v too", name, got, other)
			}
		}
		if twice := db.Classify(got); !errors.Is(twice, test.want) || twice.Error() != got.Error() {
			t.Errorf("%s: classified twice it says %v", name, twice)
		}
	}
	for name, err := range map[string]error{"nil": nil, "canceled": canceled, "syntax": run("SELEC"), "ours": errors.New("unexpected")} {
		if got := db.Classify(err); got != err { //nolint:errorlint // the very same
			t.Errorf("%s: %v became %v", name, err, got)
		}
	}
}

func ping(t *testing.T, database string) error {
	t.Helper()
	config, err := pgx.ParseConfig(testdb.New(t).DSN())
	if err != nil {
		t.Fatal(err)
	}
	config.Database = database
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err == nil {
		_ = conn.Close(t.Context()) // it should not exist
	}
	return err
}

func TestCheck(t *testing.T) {
	for name, test := range map[string]struct {
		options     []testdb.Option
		allowUnsafe bool
		trusted     bool
	}{
		"safe":           {[]testdb.Option{testdb.WithFsync()}, false, true},
		"unsafe":         {nil, false, false},
		"unsafe allowed": {nil, true, true},
	} {
		dsn := testdb.New(t, test.options...).DSN()
		var untrusted *db.UntrustedError
		err := db.Check(t.Context(), dsn, test.allowUnsafe)
		if errors.As(err, &untrusted) == test.trusted || err != nil && untrusted == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMigrateAtOnce lets several servers migrate an empty database at once.
func TestMigrateAtOnce(t *testing.T) {
	dsn := testdb.New(t, testdb.Empty()).DSN()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := db.Migrate(t.Context(), dsn); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	d, err := db.Open(t.Context(), db.Config{URL: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var tenants int
	if err := d.Read.QueryRow(t.Context(), "SELECT count(*) FROM tenants").Scan(&tenants); err != nil || tenants != 1 {
		t.Errorf("%d tenants, %v", tenants, err)
	}
}
