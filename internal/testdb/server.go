package testdb

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
)

// ModeEnv is the environment variable that selects the servers.
const ModeEnv = "TALLY_TEST_POSTGRES"

const fsyncEnv = "TALLY_TEST_FSYNC"

const (
	emptyTemplate = "template0"
	schemaName    = "tally_template"
	// MaxConnections leaves room for parallel tests that each open a pool or two.
	MaxConnections = "200"
)

// Server is a started PostgreSQL server.
type Server struct {
	// URL returns a database's URL, for a superuser.
	URL func(database string) string
}

// servers are one process's servers, one without fsync and one with it, each started when first needed. Nothing in this process stops them:
// each has a watchdog, another process that stops it once this process has ended, for whatever reason.
type servers struct {
	start func(ctx context.Context, fsync bool) (*Server, error)
	slots [2]slot
}

type slot struct {
	once   sync.Once
	server *server
	err    error
}

// server is a started server, and how databases are created on it.
type server struct {
	Server
	version  string
	strategy string // how CREATE DATABASE copies

	migrate    sync.Once
	migrateErr error
}

func fsyncByEnv() bool { return os.Getenv(fsyncEnv) == "on" }

func (s *servers) get(fsync bool) (*server, error) {
	one := &s.slots[0]
	if fsync {
		one = &s.slots[1]
	}
	one.once.Do(func() {
		// Not the calling test's context: the server serves later tests too.
		ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
		defer cancel()
		one.server, one.err = s.prepare(ctx, fsync)
	})
	return one.server, one.err
}

func (s *servers) prepare(ctx context.Context, fsync bool) (*server, error) {
	started, err := s.start(ctx, fsync)
	if err != nil {
		return nil, err
	}
	// Copying files needs a checkpoint, which is cheap only without fsync: a clone takes 67 instead of 99 ms, and dropping it 13 instead of
	// 38 ms. With fsync, copying files is slower.
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
var shared = &servers{start: start}

// local is the default mode.
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

// migratedTemplate creates, once, the database with the schema that the tests' databases are cloned from.
func (s *server) migratedTemplate(ctx context.Context) (string, error) {
	s.migrate.Do(func() {
		ctx := context.WithoutCancel(ctx) // the end of one test must not break the template for all
		if s.migrateErr = s.clone(ctx, schemaName, emptyTemplate); s.migrateErr != nil {
			return
		}
		if s.migrateErr = db.Migrate(ctx, s.URL(schemaName)); s.migrateErr != nil {
			return
		}
		// A template with open connections cannot be cloned.
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
