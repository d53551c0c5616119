package testdb_test

import (
	"context"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/testdb"
)

func connect(t *testing.T, d *testdb.Database) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.DSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func ask[T any](t *testing.T, conn *pgx.Conn, query string, args ...any) (answer T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}

func TestDatabasesAreMigratedAndApart(t *testing.T) {
	a, b := connect(t, testdb.New(t)), connect(t, testdb.New(t))
	if n := ask[int](t, a, "SELECT count(*) FROM logs"); n != 0 {
		t.Fatalf("a new database holds %d logs, want none", n)
	}
	if _, err := a.Exec(t.Context(), "CREATE TABLE only_here (n int)"); err != nil {
		t.Fatal(err)
	}
	if ask[bool](t, b, "SELECT to_regclass('only_here') IS NOT NULL") {
		t.Fatal("a table made in one database is in the other too")
	}
}

func TestEmptyHasNoSchema(t *testing.T) {
	conn := connect(t, testdb.New(t, testdb.Empty()))
	if n := ask[int](t, conn, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"); n != 0 {
		t.Fatalf("an empty database holds %d tables, want none", n)
	}
}

func TestFsync(t *testing.T) {
	t.Setenv("TALLY_TEST_FSYNC", "")
	fast := connect(t, testdb.New(t))
	safe := connect(t, testdb.New(t, testdb.WithFsync()))
	for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		if got := ask[string](t, fast, "SELECT current_setting($1)", setting); got != "off" {
			t.Errorf("without WithFsync, %s is %s, want off", setting, got)
		}
		if got := ask[string](t, safe, "SELECT current_setting($1)", setting); got != "on" {
			t.Errorf("with WithFsync, %s is %s, want on", setting, got)
		}
	}
}

func TestDatabaseIsDroppedWithItsTest(t *testing.T) {
	outer := connect(t, testdb.New(t))
	var name string
	t.Run("inner", func(t *testing.T) {
		d := testdb.New(t)
		name = d.Name()
		connect(t, d)
		if !ask[bool](t, outer, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name) {
			t.Fatalf("%s is not there", name)
		}
	})
	if ask[bool](t, outer, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name) {
		t.Fatalf("%s is still there after its test", name)
	}
}

func TestParallelClones(t *testing.T) {
	const clones = 8
	var names sync.Map
	t.Run("group", func(t *testing.T) {
		for range clones {
			t.Run("one", func(t *testing.T) {
				t.Parallel()
				d := testdb.New(t)
				if _, twice := names.LoadOrStore(d.Name(), true); twice {
					t.Fatalf("two databases are called %s", d.Name())
				}
				if got := ask[string](t, connect(t, d), "SELECT current_database()"); got != d.Name() {
					t.Fatalf("connected to %s, want %s", got, d.Name())
				}
			})
		}
	})
}
