// Package testdb gives each test its own PostgreSQL database, with Tallystick's schema in place.
//
//	func TestAppend(t *testing.T) {
//		db := testdb.New(t)
//		pool, err := pgxpool.New(t.Context(), db.DSN())
//		...
//	}
//
// The first call in a test process starts a server. Every call clones a template that was migrated once, which takes about 30 milliseconds;
// the clone is dropped when its test ends. The server ends with the process, even after a panic or a kill.
//
// Without a server, tests fail, and say what to install; they never skip. The environment selects the server:
//
//	TALLY_TEST_POSTGRES   local (default): PostgreSQL's own programs, found or downloaded as `tally dev` does
//	                      a path: a program that starts a server by calling Serve; container/server does so in a container
//	TALLY_POSTGRES_BIN    local: the folder that holds postgres and initdb
//	TALLY_POSTGRES_MAJOR  local: the major version, 15 to 18
//	TALLY_TEST_FSYNC      on: commits wait for the disk, as in production; otherwise only where a test asks for it
package testdb

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// setupTimeout bounds setting up a database, including the start of its server; pulling an image takes longest.
	setupTimeout = 5 * time.Minute
	// dropTimeout bounds dropping a database.
	dropTimeout = time.Minute
)

// Database is one test's own database.
type Database struct {
	dsn, name, version string
}

// DSN returns the database's URL, for a superuser.
func (d *Database) DSN() string { return d.dsn }

// Name returns the database's name on its server.
func (d *Database) Name() string { return d.name }

// ServerVersion returns the server's version as it reports it, such as "18.3".
func (d *Database) ServerVersion() string { return d.version }

// Exec runs a statement with the rights of DSN, on a connection of its own, and returns the number of rows it affects. It is for tests that
// tamper with what Tallystick's connections may only read. It fails the test if the statement fails.
func (d *Database) Exec(t testing.TB, statement string, args ...any) int64 {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }() // nothing is lost
	tag, err := conn.Exec(t.Context(), statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return tag.RowsAffected()
}

// Option configures New.
type Option func(*options)

type options struct{ fsync, empty bool }

// WithFsync puts the database on a server whose commits wait for the disk, for tests of crashes and for measurements. Other databases are
// on a faster server, whose commits do not.
func WithFsync() Option { return func(o *options) { o.fsync = true } }

// Empty makes New leave out the schema.
func Empty() Option { return func(o *options) { o.empty = true } }

// databases numbers the databases of this process.
var databases atomic.Int64

// New creates a database for one test. When the test ends, the database is dropped, even if connections are open. New may be called from
// parallel tests, and more than once per test.
func New(t testing.TB, opts ...Option) *Database {
	t.Helper()
	var o options
	for _, apply := range opts {
		apply(&o)
	}
	ctx, cancel := context.WithTimeout(t.Context(), setupTimeout)
	defer cancel()
	s, err := shared.get(o.fsync || fsyncByEnv())
	if err != nil {
		t.Fatalf("no PostgreSQL for this test: %v", err)
	}
	template := emptyTemplate
	if !o.empty {
		if template, err = s.migratedTemplate(ctx); err != nil {
			t.Fatalf("prepare the template database: %v", err)
		}
	}
	name := fmt.Sprintf("test_%d", databases.Add(1))
	if err := s.clone(ctx, name, template); err != nil {
		t.Fatalf("make a test database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
		defer cancel()
		if err := s.exec(ctx, "DROP DATABASE "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the test database %s: %v", name, err)
		}
	})
	return &Database{dsn: s.URL(name), name: name, version: s.version}
}
