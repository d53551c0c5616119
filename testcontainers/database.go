// Package testcontainers gives each test its own PostgreSQL database with Tallystick's schema, for tests of programs that use Tallystick.
//
//	func TestMain(m *testing.M) { testcontainers.Main(m) }
//
//	func TestInvoices(t *testing.T) {
//		db := testcontainers.New(t)
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
//	                      container: an image, by Docker or whatever testcontainers-go finds
//	TALLY_POSTGRES_BIN    local: the folder that holds postgres and initdb
//	TALLY_POSTGRES_MAJOR  local: the major version, 15 to 18
//	TALLY_TEST_IMAGE      container: the image, postgres:18 unless set; it must start as the official one does
//	TALLY_TEST_FSYNC      on: writes reach the disk, as in production; otherwise only where a test asks for it
//
// It is a module of its own, so that the server's does not need what starts containers.
package testcontainers

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/testcontainers/internal/container"
)

// Database is one test's own database.
type Database = testdb.Database

// Option changes what New makes.
type Option = testdb.Option

// shared are the servers of this process's tests.
var shared = testdb.NewServers(start)

func start(ctx context.Context, fsync bool) (*testdb.Server, error) {
	switch mode := os.Getenv(testdb.ModeEnv); mode {
	case "", "local":
		return testdb.StartLocal(ctx, fsync)
	case "container":
		return container.Start(ctx, fsync)
	default:
		return nil, fmt.Errorf("%s is %q: it may be local or container", testdb.ModeEnv, mode)
	}
}

// New makes a database that no other test sees and drops it, with whatever is still connected to it, when the test ends.
// It may be called from parallel tests, and more than once in one test.
func New(t testing.TB, opts ...Option) *Database {
	t.Helper()
	return shared.New(t, opts...)
}

// WithFsync puts the database on a server that waits until the disk has what was committed, for tests of crashes and for
// measurements. Other databases are on a server that does not, which is faster.
func WithFsync() Option { return testdb.WithFsync() }

// Empty leaves the schema out.
func Empty() Option { return testdb.Empty() }

// Main runs a package's tests, and fails if they leave a goroutine behind. TestMain calls it.
func Main(m *testing.M) { os.Exit(CheckLeaks(m.Run())) }

// CheckLeaks turns the exit status of tests that passed into a failure, and prints the reason, if a goroutine that they started still runs.
// The shared server is exempt: it ends after this process.
func CheckLeaks(status int) int { return shared.CheckLeaks(status) }
