package testdb

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/tallystick/tallystick/internal/db"
)

// ModeEnv is the environment variable that chooses the servers.
const ModeEnv = "TALLY_TEST_POSTGRES"

const fsyncEnv = "TALLY_TEST_FSYNC"

const (
	emptyTemplate = "template0"
	schemaName    = "tally_template"
	// MaxConnections leaves room for parallel tests that each open a pool or two.
	MaxConnections = "200"
)

// Server is a PostgreSQL server as Servers starts it.
type Server struct {
	// URL is a database's address, for a role that may do anything.
	URL func(database string) string
	// Background are goroutines that live on while the server does; nil where there are none.
	Background goleak.Option
}

// Servers are one process's servers, one without fsync and one with, each started when first needed. Nothing in this process stops
// them: each has a watchdog, another process that does when this one has ended, however it ended.
type Servers struct {
	start func(ctx context.Context, fsync bool) (*Server, error)
	slots [2]slot
}

type slot struct {
	once   sync.Once
	server *server
	err    error
}

// server is a started one, and how databases are made on it.
type server struct {
	Server
	version  string
	strategy string // how CREATE DATABASE copies

	migrate    sync.Once
	migrateErr error
}

// NewServers makes servers that are started by the given function. A process has one of them, in a variable of a package.
func NewServers(start func(ctx context.Context, fsync bool) (*Server, error)) *Servers {
	return &Servers{start: start}
}

func fsyncByEnv() bool { return os.Getenv(fsyncEnv) == "on" }

func (s *Servers) get(fsync bool) (*server, error) {
	one := &s.slots[0]
	if fsync {
		one = &s.slots[1]
	}
	one.once.Do(func() {
		// Not the calling test's context: the server serves the tests after it too.
		ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
		defer cancel()
		one.server, one.err = s.prepare(ctx, fsync)
	})
	return one.server, one.err
}

func (s *Servers) prepare(ctx context.Context, fsync bool) (*server, error) {
	started, err := s.start(ctx, fsync)
	if err != nil {
		return nil, err
	}
	// Copying files asks for a checkpoint, which is cheap only while nothing waits for the disk: 67 ms against 99 ms for a clone and
	// 13 ms against 38 ms for dropping it. With fsync it is the slower way.
	prepared := &server{Server: *started, strategy: "FILE_COPY"}
	if fsync {
		prepared.strategy = "WAL_LOG"
	}
	conn, err := pgx.Connect(ctx, started.URL("postgres"))
	if err != nil {
		return nil, err
	}
	prepared.version = conn.PgConn().ParameterStatus("server_version")
	fmt.Fprintf(os.Stderr, "testdb: PostgreSQL %s, %s, fsync %t\n", prepared.version, mode(), fsync)
	return prepared, conn.Close(ctx)
}

// shared are the servers of this process's tests.
var shared = NewServers(start)

// local is the mode that is used where none is chosen.
const local = "local"

func mode() string {
	if chosen := os.Getenv(ModeEnv); chosen != "" {
		return chosen
	}
	return local
}

func start(ctx context.Context, fsync bool) (*Server, error) {
	switch chosen := mode(); {
	case chosen == local:
		return StartLocal(ctx, fsync)
	case strings.Contains(chosen, "/"):
		return startProgram(ctx, chosen, fsync)
	default:
		return nil, fmt.Errorf("%s is %q: it may be %s, or the path of a program that starts a server; "+
			"`make test-database DATABASE=container` builds and names one", ModeEnv, chosen, local)
	}
}

// migratedTemplate makes the database with the schema that tests get clones of, once.
func (s *server) migratedTemplate(ctx context.Context) (string, error) {
	s.migrate.Do(func() {
		ctx := context.WithoutCancel(ctx) // one test's end must not spoil the template for all
		if s.migrateErr = s.clone(ctx, schemaName, emptyTemplate); s.migrateErr != nil {
			return
		}
		if s.migrateErr = db.Migrate(ctx, s.URL(schemaName)); s.migrateErr != nil {
			return
		}
		// A template with somebody connected to it cannot be cloned.
		s.migrateErr = s.exec(ctx, "ALTER DATABASE "+schemaName+" ALLOW_CONNECTIONS false")
	})
	return schemaName, s.migrateErr
}

func (s *server) clone(ctx context.Context, name, template string) error {
	return s.exec(ctx, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s STRATEGY %s",
		pgx.Identifier{name}.Sanitize(), pgx.Identifier{template}.Sanitize(), s.strategy))
}

func (s *server) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	if closeErr := conn.Close(ctx); err == nil {
		err = closeErr
	}
	return err
}
