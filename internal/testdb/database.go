// Package testdb gives each test its own PostgreSQL database, with Tallystick's schema in place.
//
//	func TestAppend(t *testing.T) {
//		db := testdb.New(t)
//		pool, err := pgxpool.New(t.Context(), db.DSN())
//		...
//	}
//
// The first call of a test process starts a server; every call clones a database from a template that was migrated once, which
// takes some 30 milliseconds, and drops it when its test ends. The server ends with the process, also after a panic or a kill.
//
// A server is needed: where there is none, tests fail and say what to install. They never skip. The environment chooses it:
//
//	TALLY_TEST_POSTGRES   local (default): PostgreSQL's own programs, found or downloaded as `tally dev` does
//	                      a path: a program that starts a server, as Serve has it; testcontainers/server does in a container
//	TALLY_POSTGRES_BIN    local: the folder that holds postgres and initdb
//	TALLY_POSTGRES_MAJOR  local: the major version wanted, 15 to 18
//	TALLY_TEST_FSYNC      on: writes reach the disk, as in production; otherwise only where a test asks for it
//
// Those who use Tallystick from modules of their own find the same in the module testcontainers.
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
	// setupTimeout bounds making a database, the server's start included: pulling an image takes longest.
	setupTimeout = 5 * time.Minute
	// dropTimeout bounds dropping a database.
	dropTimeout = time.Minute
)

// Database is one test's own database.
type Database struct {
	dsn, name, version string
}

// DSN is the database's URL, for a role that may do anything.
func (d *Database) DSN() string { return d.dsn }

// Name is the database's name on its server.
func (d *Database) Name() string { return d.name }

// ServerVersion is the server's own word for its version, such as "18.3".
func (d *Database) ServerVersion() string { return d.version }

// Exec runs a statement with the rights of DSN, for tests that tamper with what Tallystick's own connections may only read, and returns
// how many rows it touched. It fails the test when the statement fails. The connection is one of its own.
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

// Option changes what New makes.
type Option func(*options)

type options struct{ fsync, empty bool }

// WithFsync puts the database on a server that waits until the disk has what was committed, for tests of crashes and for
// measurements. Other databases are on a server that does not, which is faster.
func WithFsync() Option { return func(o *options) { o.fsync = true } }

// Empty leaves the schema out.
func Empty() Option { return func(o *options) { o.empty = true } }

// databases numbers the databases of this process.
var databases atomic.Int64

// New is Servers.New on this package's servers.
func New(t testing.TB, opts ...Option) *Database {
	t.Helper()
	return shared.New(t, opts...)
}

// New makes a database that no other test sees and drops it, with whatever is still connected to it, when the test ends.
// It may be called from parallel tests, and more than once in one test.
func (servers *Servers) New(t testing.TB, opts ...Option) *Database {
	t.Helper()
	var o options
	for _, apply := range opts {
		apply(&o)
	}
	ctx, cancel := context.WithTimeout(t.Context(), setupTimeout)
	defer cancel()
	s, err := servers.get(o.fsync || fsyncByEnv())
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
