package testcontainers

import (
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/tallystick/tallystick/internal/db"
)

// What the environment may set.
const (
	modeEnv  = "TALLY_TEST_POSTGRES"
	imageEnv = "TALLY_TEST_IMAGE"
	fsyncEnv = "TALLY_TEST_FSYNC"
)

const (
	emptyTemplate = "template0"
	schemaName    = "tally_template"
	// maxConnections leaves room for parallel tests that each open a pool or two.
	maxConnections = "200"
)

// server is a PostgreSQL server for this process's tests.
type server struct {
	url      func(database string) string
	version  string
	strategy string // how CREATE DATABASE copies
	// engine are the goroutines that talk to the container engine, which keeps its connections; nil without one.
	engine goleak.Option

	migrate    sync.Once
	migrateErr error
}

// servers are started when first needed, one without fsync and one with. Nothing in this process stops them: each has a watchdog,
// another process that does when this one has ended, however it ended.
var servers [2]struct {
	once   sync.Once
	server *server
	err    error
}

func fsyncByEnv() bool { return os.Getenv(fsyncEnv) == "on" }

func serverFor(fsync bool) (*server, error) {
	s := &servers[0]
	if fsync {
		s = &servers[1]
	}
	s.once.Do(func() {
		// Not the calling test's context: the server serves the tests after it too.
		ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
		defer cancel()
		s.server, s.err = startServer(ctx, fsync)
	})
	return s.server, s.err
}

func startServer(ctx context.Context, fsync bool) (s *server, err error) {
	mode := os.Getenv(modeEnv)
	switch mode {
	case "", "local":
		mode = "local"
		s, err = startLocal(ctx, fsync)
	case "container":
		s, err = startContainer(ctx, fsync)
	default:
		return nil, fmt.Errorf("%s is %q: it may be local or container", modeEnv, mode)
	}
	if err != nil {
		return nil, err
	}
	// Copying files asks for a checkpoint, which is cheap only while nothing waits for the disk: 67 ms against 99 ms for a clone and
	// 13 ms against 38 ms for dropping it. With fsync it is the slower way.
	s.strategy = "FILE_COPY"
	if fsync {
		s.strategy = "WAL_LOG"
	}
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return nil, err
	}
	s.version = conn.PgConn().ParameterStatus("server_version")
	fmt.Fprintf(os.Stderr, "testcontainers: PostgreSQL %s, %s, fsync %t\n", s.version, mode, fsync)
	return s, conn.Close(ctx)
}

// migratedTemplate makes the database with the schema that tests get clones of, once.
func (s *server) migratedTemplate(ctx context.Context) (string, error) {
	s.migrate.Do(func() {
		ctx := context.WithoutCancel(ctx) // one test's end must not spoil the template for all
		if s.migrateErr = s.clone(ctx, schemaName, emptyTemplate); s.migrateErr != nil {
			return
		}
		if s.migrateErr = db.Migrate(ctx, s.url(schemaName)); s.migrateErr != nil {
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
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	if closeErr := conn.Close(ctx); err == nil {
		err = closeErr
	}
	return err
}
