package bench

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/postgres"
)

// stage is the system under test: an empty database on a PostgreSQL server, and a tally server on it.
type stage struct {
	config   Config
	folder   string           // temporary
	postgres *postgres.Server // nil with Config.DatabaseURL
	database string           // URL
	version  string           // PostgreSQL's
	server   *server
	pipeline *pipeline // nil without Config.Pipeline
	modules  []module
	large    *history                      // nil before it is loaded
	made     map[logs]bool                 // sets of logs that exist
	rss      int64                         // result of measureMemory, in bytes; 0 before, and where unknown
	cleanups []func(context.Context) error // newest last
	values   map[string][]float64          // of recordValue, by name
}

// newStage sets everything up. The stage must be closed even if newStage returns an error.
func newStage(ctx context.Context, config Config) (s *stage, err error) {
	s = &stage{config: config}
	if s.folder, err = os.MkdirTemp(config.DataDir, "tally-bench-"); err != nil {
		return s, fmt.Errorf("making a temporary folder: %w", err)
	}
	s.cleanup(func(context.Context) error { return os.RemoveAll(s.folder) })
	if err := os.Chmod(s.folder, 0o755); err != nil { //nolint:gosec // PostgreSQL may run as another user
		return s, err
	}
	if config.DatabaseURL == "" {
		err = s.startPostgres(ctx)
	} else {
		err = s.makeDatabase(ctx)
	}
	if err != nil {
		return s, err
	}
	if err := s.checkDurable(ctx); err != nil {
		return s, err
	}
	if err := s.startServer(ctx); err != nil {
		return s, err
	}
	if err := s.execute(ctx, copySchema, byHandSchema); err != nil {
		return s, fmt.Errorf("making the tables to compare with: %w", err)
	}
	return s, s.uploadModules(ctx)
}

// recordValue records a result that is neither a rate nor a latency. Rows use the median.
func (s *stage) recordValue(name string, value float64) {
	if s.values == nil {
		s.values = map[string][]float64{}
	}
	s.values[name] = append(s.values[name], value)
}

// medianValue returns the median of the recorded values; 0 without any.
func (s *stage) medianValue(name string) float64 {
	if len(s.values[name]) == 0 {
		return 0
	}
	return median(s.values[name])
}

// lastValue returns the value that was recorded last; 0 without any.
func (s *stage) lastValue(name string) float64 {
	values := s.values[name]
	if len(values) == 0 {
		return 0
	}
	return values[len(values)-1]
}

func (s *stage) cleanup(cleanup func(context.Context) error) {
	s.cleanups = append(s.cleanups, cleanup)
}

// close undoes the setup, newest first.
func (s *stage) close(ctx context.Context) error {
	var failures []error
	if s.server != nil {
		failures = append(failures, s.server.stop())
	}
	for len(s.cleanups) > 0 {
		last := len(s.cleanups) - 1
		failures = append(failures, s.cleanups[last](ctx))
		s.cleanups = s.cleanups[:last]
	}
	return errors.Join(failures...)
}

// startPostgres runs PostgreSQL with the settings of tally dev, in the temporary folder.
func (s *stage) startPostgres(ctx context.Context) (err error) {
	options := postgres.Options{DataDir: filepath.Join(s.folder, "postgres"), Database: "tally", Log: s.config.Log}
	if options.Binaries, err = s.binaries(ctx); err != nil {
		return err
	}
	if s.postgres, err = postgres.Start(ctx, options); err != nil {
		return err
	}
	s.cleanup(s.postgres.Stop)
	s.database = s.postgres.DSN()
	return nil
}

// binaries returns PostgreSQL's programs in the configured folder; the zero value without one, so that Start finds some.
func (s *stage) binaries(ctx context.Context) (postgres.Binaries, error) {
	if s.config.PostgresBin == "" {
		return postgres.Binaries{}, nil
	}
	found, err := postgres.Find(ctx, postgres.FindOptions{Dir: s.config.PostgresBin, Log: s.config.Log})
	if err != nil {
		return found, fmt.Errorf("finding PostgreSQL: %w", err)
	}
	return found, nil
}

// makeDatabase creates a database on the configured server, and drops it in the end.
func (s *stage) makeDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.config.DatabaseURL)
	if err != nil {
		return fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	defer conn.Close(ctx) //nolint:errcheck // nothing is lost
	name := strings.ReplaceAll(filepath.Base(s.folder), "-", "_")
	identifier := pgx.Identifier{name}.Sanitize()
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+identifier+" TEMPLATE template0 ENCODING 'UTF8'"); err != nil {
		return fmt.Errorf("making a database of its own (the role needs CREATEDB): %w", err)
	}
	s.cleanup(func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, s.config.DatabaseURL)
		if err != nil {
			return fmt.Errorf("dropping database %s: %w", name, err)
		}
		_, err = conn.Exec(ctx, "DROP DATABASE "+identifier+" WITH (FORCE)")
		return errors.Join(err, conn.Close(ctx))
	})
	s.database, err = withDatabase(s.config.DatabaseURL, name)
	return err
}

// withDatabase returns a connection string, a URL or key=value pairs, for another database of the same server.
func withDatabase(connection, name string) (string, error) {
	if !strings.Contains(connection, "://") {
		return connection + " dbname=" + name, nil
	}
	u, err := url.Parse(connection)
	if err != nil {
		return "", fmt.Errorf("reading --database-url: %w", err)
	}
	u.Path = "/" + name
	return u.String(), nil
}

// checkDurable rejects a server that does not wait for the disk: its figures would be meaningless.
func (s *stage) checkDurable(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.database)
	if err != nil {
		return fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	defer conn.Close(ctx) //nolint:errcheck // nothing is lost
	for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var value string
		if err := conn.QueryRow(ctx, "SELECT current_setting($1)", setting).Scan(&value); err != nil {
			return fmt.Errorf("reading PostgreSQL's settings: %w", err)
		}
		if value != "on" {
			return fmt.Errorf("%s is %s on this PostgreSQL server: turn it on, figures without it cannot be compared", setting, value)
		}
	}
	s.version = conn.PgConn().ParameterStatus("server_version")
	return nil
}

// startServer replaces the running tally server with one that has default settings but for these flags.
func (s *stage) startServer(ctx context.Context, flags ...string) (err error) {
	if s.server != nil {
		if err := s.server.stop(); err != nil {
			return err
		}
	}
	s.server, err = startServer(ctx, s.config.Program, s.database, filepath.Join(s.folder, "modules"), flags...)
	return err
}

func (s *stage) execute(ctx context.Context, statements ...string) error {
	conn, err := pgx.Connect(ctx, s.database)
	if err != nil {
		return fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	defer conn.Close(ctx) //nolint:errcheck // nothing is lost
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}
