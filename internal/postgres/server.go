//go:build unix

package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// defaultPort is part of the socket's name; nothing listens on it, unless Options.Listen names another.
const defaultPort = "5432"

// Server is a running PostgreSQL server.
type Server struct {
	binaries  Binaries
	dataDir   string
	socketDir string
	tempDir   bool // Stop removes socketDir
	port      string
	database  string
	version   string
	log       *slog.Logger
	lock      *os.File
	process   *os.Process

	stop sync.Mutex    // held by the Stop that acts
	done chan struct{} // closed once the server has ended; err is set before
	err  error
}

// Start runs a server on o.DataDir and returns once it accepts connections. Only ctx bounds the start, since a server that replays a long
// write-ahead log is not stuck. The server runs on after ctx ends, until Stop or the end of this process.
//
// The error wraps ErrInUse if another process uses the folder. Start refuses a data folder of another major version.
func Start(ctx context.Context, o Options) (*Server, error) {
	s, err := start(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	return s, nil
}

func start(ctx context.Context, o Options) (_ *Server, err error) {
	if o.DataDir == "" {
		return nil, errors.New("no data folder was given")
	}
	s := &Server{log: logger(o.Log), database: o.Database, done: make(chan struct{})}
	s.port = defaultPort
	if s.database == "" {
		s.database = "postgres"
	}
	if s.dataDir, err = filepath.Abs(o.DataDir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.dataDir, 0o755); err != nil { //nolint:gosec // entered by the user the server runs as
		return nil, err
	}
	if s.lock, err = lock(s.dataDir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	if err := s.prepare(ctx, o); err != nil {
		return nil, err
	}
	return s, s.untilReady(ctx, o.Password)
}

// prepare prepares the data folder and launches the server.
func (s *Server) prepare(ctx context.Context, o Options) error {
	cluster := filepath.Join(s.dataDir, clusterName)
	major, err := DataMajor(s.dataDir)
	if err != nil {
		return err
	}
	s.binaries = o.Binaries
	if s.binaries.Dir == "" {
		if s.binaries, err = Find(ctx, FindOptions{Major: major, Log: o.Log}); err != nil {
			return err
		}
	}
	if major != 0 && major != s.binaries.Major {
		return fmt.Errorf("%s was made by PostgreSQL %d, but %s is PostgreSQL %s: use PostgreSQL %d, or choose another data folder",
			s.dataDir, major, s.binaries.Dir, s.binaries.Version, major)
	}
	who, err := serverAccount(cluster)
	if err != nil {
		return err
	}
	if err := who.canReach(s.dataDir); err != nil {
		return err
	}
	if err := endOrphan(ctx, cluster, s.log); err != nil {
		return err
	}
	if major == 0 {
		if err := makeCluster(ctx, who, s.binaries, s.dataDir, o.NoFSync); err != nil {
			return err
		}
	}
	if s.socketDir, s.tempDir, err = socketFolder(who, s.dataDir); err != nil {
		return err
	}
	listening, err := s.listen(o)
	if err != nil {
		return err
	}
	return s.launch(who, cluster, settings(o, s.socketDir, listening))
}

// settings returns the server's command-line settings, modest ones for a machine that does other work too.
func settings(o Options, socketDir string, listening map[string]string) []string {
	set := map[string]string{
		"listen_addresses":        "",
		"port":                    defaultPort,
		"unix_socket_directories": `"` + socketDir + `"`,
		"unix_socket_permissions": "0700",
		"shared_buffers":          "256MB",
		"max_wal_size":            "2GB",
		"max_connections":         "100",
		"jit":                     "off",
		"fsync":                   "on",
		"log_destination":         "stderr",
		"logging_collector":       "off",
		"log_checkpoints":         "off",
		"log_line_prefix":         "%m [%p] %d ",
	}
	if o.NoFSync {
		set["fsync"], set["synchronous_commit"], set["full_page_writes"] = "off", "off", "off"
	}
	maps.Copy(set, listening)
	maps.Copy(set, o.Settings)
	var args []string
	for _, name := range slices.Sorted(maps.Keys(set)) {
		args = append(args, "-c", name+"="+set[name])
	}
	return args
}

// launch starts the server and watches it. The goroutine keeps its thread until the server has ended: on Linux, the child ends with the
// thread that started it, not with the process.
func (s *Server) launch(who account, cluster string, settings []string) error {
	out, err := openLog(filepath.Join(s.dataDir, logName))
	if err != nil {
		return err
	}
	arguments := append([]string{"-D", cluster}, settings...)
	cmd := exec.Command(filepath.Join(s.binaries.Dir, "postgres"), arguments...) //nolint:gosec,noctx // outlives the start
	cmd.SysProcAttr, cmd.Dir, cmd.Env = who.attr(), cluster, serverEnv()
	cmd.Stdout, cmd.Stderr = out, out
	dieWithParent(cmd.SysProcAttr)
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer func() { _ = out.Close() }()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		s.err = cmd.Wait()
		s.log.Debug("PostgreSQL ended", "data", s.dataDir, "state", cmd.ProcessState)
		close(s.done)
	}()
	if err := <-started; err != nil {
		return err
	}
	s.process = cmd.Process
	go boundLog(filepath.Join(s.dataDir, logName), s.done, s.log)
	return nil
}

// untilReady waits until the server accepts connections, sets the superuser's password, and creates the database if necessary.
func (s *Server) untilReady(ctx context.Context, password string) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.DatabaseURL("postgres"))
		if err == nil {
			s.version = conn.PgConn().ParameterStatus("server_version")
			err = errors.Join(setPassword(ctx, conn, password), createDatabase(ctx, conn, s.database))
			return errors.Join(err, conn.Close(ctx))
		}
		select {
		case <-s.done:
			return fmt.Errorf("the server ended: %w; its log says: %s", s.err, tail(filepath.Join(s.dataDir, logName)))
		case <-ctx.Done():
			return fmt.Errorf("%w while waiting for the server, which last said: %w; its log says: %s",
				ctx.Err(), err, tail(filepath.Join(s.dataDir, logName)))
		case <-tick.C:
		}
	}
}

const duplicateDatabase = "42P04" // SQLSTATE

func createDatabase(ctx context.Context, conn *pgx.Conn, name string) error {
	if name == "postgres" {
		return nil
	}
	_, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == duplicateDatabase {
		return nil
	}
	return err
}

// DSN returns the URL of the database that Options names, for the superuser. It is valid while the server runs.
func (s *Server) DSN() string { return s.DatabaseURL(s.database) }

// DatabaseURL returns the URL of any database of the server, existing or not, for the superuser.
func (s *Server) DatabaseURL(name string) string {
	u := url.URL{Scheme: "postgres", Path: "/" + name, RawQuery: url.Values{
		"host": {s.socketDir}, "port": {s.port}, "user": {Superuser}, "sslmode": {"disable"},
	}.Encode()}
	return u.String()
}

// Version returns the server's version as it reports it, such as "15.18 (Debian 15.18-0+deb12u1)".
func (s *Server) Version() string { return s.version }

// PID returns the process ID of the postmaster.
func (s *Server) PID() int { return s.process.Pid }

// Done is closed once the server has ended, for whatever reason.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err returns why the server ended without Stop, with the end of its log. It is nil before Done is closed, and after a clean shutdown.
func (s *Server) Err() error {
	select {
	case <-s.done:
	default:
		return nil
	}
	if s.err == nil {
		return nil
	}
	return fmt.Errorf("PostgreSQL ended: %w; its log says: %s", s.err, tail(filepath.Join(s.dataDir, logName)))
}

// Stop shuts the server down: sessions are cut off, and everything committed is kept. A fast shutdown has until ctx ends, but at most 30
// seconds; after that, an immediate one follows, and the next start recovers. Stop may be called more than once and from several
// goroutines; each call returns once the server has ended.
func (s *Server) Stop(ctx context.Context) error {
	s.stop.Lock()
	defer s.stop.Unlock()
	for _, step := range []struct {
		ctx      context.Context
		signal   syscall.Signal
		patience time.Duration
	}{{ctx, syscall.SIGINT, stopPatience}, {context.WithoutCancel(ctx), syscall.SIGQUIT, quitPatience}} {
		if err := s.process.Signal(step.signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop PostgreSQL (pid %d): %w", s.process.Pid, err)
		}
		wait, cancel := context.WithTimeout(step.ctx, step.patience)
		select {
		case <-s.done:
			cancel()
			s.release()
			return nil
		case <-wait.Done():
			cancel()
		}
	}
	return fmt.Errorf("PostgreSQL (pid %d) on %s does not stop: end it by hand", s.process.Pid, s.dataDir)
}

// release releases what Start acquired. It first ends a server that still runs.
func (s *Server) release() {
	if s.process != nil {
		_ = s.process.Signal(syscall.SIGQUIT)
		<-s.done
	}
	if s.tempDir {
		_ = os.Remove(s.socketDir)
	}
	_ = unlock(s.lock) // a second time is harmless
}
