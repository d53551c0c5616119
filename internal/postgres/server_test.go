//go:build unix

package postgres

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// run starts a server that stops at the end of the test.
func run(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { halt(t, s) })
	return s
}

func halt(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// query runs statements on a database and returns the first value of the last one as text.
func query(t *testing.T, dsn string, statements ...string) (answer string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statement := range statements {
		results, err := conn.PgConn().Exec(ctx, statement).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		if rows := results[0].Rows; len(rows) > 0 {
			answer = string(rows[0][0])
		}
	}
	return answer
}

func TestStartStopAndStartAgain(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(openDir(t), "not", "there", "yet")
	first := run(t, Options{DataDir: dir, Database: "tally"})
	for setting, want := range map[string]string{
		"data_checksums": "on", "fsync": "on", "listen_addresses": "", "server_encoding": "UTF8", "jit": "off",
	} {
		if got := query(t, first.DSN(), "SHOW "+setting); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
	if got := query(t, first.DSN(), "SELECT current_database()"); got != "tally" {
		t.Errorf("connected to %q, want tally", got)
	}
	for _, folder := range []string{clusterName, socketName} {
		info, err := os.Stat(filepath.Join(dir, folder))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v, want 0700", folder, info.Mode().Perm())
		}
	}
	query(t, first.DSN(), "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)")
	halt(t, first)
	if err := first.Err(); err != nil {
		t.Errorf("after a shutdown in order: %v", err)
	}
	halt(t, first) // again is fine

	second := run(t, Options{DataDir: dir, Database: "tally"})
	if got := query(t, second.DSN(), "SELECT n FROM kept"); got != "7" {
		t.Errorf("after a restart the row is %q, want 7", got)
	}
	if !strings.HasPrefix(second.Version(), second.binaries.Version) {
		t.Errorf("version %q, want it to begin with %q", second.Version(), second.binaries.Version)
	}
}

func TestSecondStartIsRefused(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	first := run(t, Options{DataDir: dir, NoFSync: true})
	_, err := Start(t.Context(), Options{DataDir: dir})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Fatalf("error %v, want ErrInUse and the folder", err)
	}
	if got := query(t, first.DSN(), "SELECT 1"); got != "1" {
		t.Fatal("the first server no longer answers")
	}
}

// TestFolderIsFreeBesideAForkedChild: until it executes its program, a forked child has a copy of every descriptor. Unlocking a folder
// works all the same.
func TestFolderIsFreeBesideAForkedChild(t *testing.T) {
	t.Parallel()
	copied := func(f *os.File) {
		t.Helper()
		child, err := syscall.Dup(int(f.Fd())) // as in a child: the same open file
		if err != nil {
			t.Fatal(err)
		}
		syscall.CloseOnExec(child)
		t.Cleanup(func() { _ = syscall.Close(child) })
	}
	dir := openDir(t)
	stopped := run(t, Options{DataDir: dir, NoFSync: true})
	copied(stopped.lock)
	halt(t, stopped)

	held, err := lock(dir)
	if err != nil {
		t.Fatalf("after a stop: %v", err)
	}
	copied(held)
	failed := &Server{dataDir: dir, lock: held}
	failed.release() // as a failed start does
	failed.release()
	run(t, Options{DataDir: dir, NoFSync: true})
}

func TestDataOfAnotherMajorIsRefused(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	halt(t, run(t, Options{DataDir: dir, NoFSync: true}))
	made, err := DataMajor(dir)
	if err != nil {
		t.Fatal(err)
	}
	other := pretend(t, openDir(t), "99.1", "postgres", "initdb")
	b, err := Find(t.Context(), FindOptions{Dir: other, Major: 99})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), Options{DataDir: dir, Binaries: b})
	if err == nil || !strings.Contains(err.Error(), "was made by PostgreSQL") || !strings.Contains(err.Error(), "is PostgreSQL 99.1") {
		t.Fatalf("data of PostgreSQL %d: error %v, want one that names both versions", made, err)
	}
}

func TestFailedStartShowsTheLog(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	_, err := Start(t.Context(), Options{DataDir: dir, NoFSync: true, Settings: map[string]string{"shared_buffers": "nonsense"}})
	if err == nil || !strings.Contains(err.Error(), `invalid value for parameter "shared_buffers": "nonsense"`) {
		t.Fatalf("error %v, want the server's own words", err)
	}
	run(t, Options{DataDir: dir, NoFSync: true}) // the failure leaves nothing behind
}

func TestCancelledStartLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	halt(t, run(t, Options{DataDir: dir, NoFSync: true}))
	b, err := Find(t.Context(), FindOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Options{DataDir: dir, Binaries: b}); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want %v", err, context.Canceled)
	}
	if _, err := os.Stat(filepath.Join(dir, clusterName, "postmaster.pid")); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("a server is left: %v", err)
	}
}

func TestSocketPathThatIsTooLong(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(openDir(t), strings.Repeat("long", 30))
	s := run(t, Options{DataDir: dir, NoFSync: true})
	if got := query(t, s.DSN(), "SELECT 1"); got != "1" {
		t.Fatal("the server does not answer")
	}
	info, err := os.Stat(s.socketDir)
	if err != nil {
		t.Fatal(err)
	}
	if !s.tempDir || info.Mode().Perm() != 0o700 {
		t.Fatalf("the socket is in %s, mode %v: want a temporary folder, mode 0700", s.socketDir, info.Mode().Perm())
	}
	halt(t, s)
	if _, err := os.Stat(s.socketDir); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("after Stop, %s: %v, want it gone", s.socketDir, err)
	}
}

func TestServerThatDiesTellsWhy(t *testing.T) {
	t.Parallel()
	s := run(t, Options{DataDir: openDir(t), NoFSync: true})
	if err := s.Err(); err != nil {
		t.Fatalf("a running server: %v", err)
	}
	if err := syscall.Kill(s.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	if err := s.Err(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("error %v, want one that says it was killed", err)
	}
}

func TestUnreachableFolder(t *testing.T) {
	hidden := filepath.Join(t.TempDir(), "hidden")
	inside := filepath.Join(hidden, "data")
	if err := errors.Join(os.MkdirAll(inside, 0o755), os.Chmod(hidden, 0o700)); err != nil {
		t.Fatal(err)
	}
	stranger := account{uid: 54321, gid: 54321, dropped: true}
	if err := stranger.canReach(inside); err == nil || !strings.Contains(err.Error(), hidden) {
		t.Fatalf("error %v, want one that names %s", err, hidden)
	}
	if err := (account{uid: 54321}).canReach(inside); err != nil {
		t.Fatalf("an account that is this process's own: %v", err)
	}
	if err := stranger.canReach("/"); err != nil {
		t.Fatalf("the root folder: %v", err)
	}
}

func TestTrimLogKeepsTheNewestPart(t *testing.T) {
	path := filepath.Join(t.TempDir(), logName)
	out, err := openLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	content := bytes.Repeat([]byte("0123456789"), 30)
	if _, err := out.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := trimLog(path, 300); err != nil {
		t.Fatal(err)
	}
	if got := tail(path); got != string(content) {
		t.Fatalf("a log at its limit became %q", got)
	}
	if err := trimLog(path, 105); err != nil {
		t.Fatal(err)
	}
	older, err := os.ReadFile(path + ".1")
	if err != nil {
		t.Fatal(err)
	}
	if want := content[len(content)-105:]; !bytes.Equal(older, want) {
		t.Fatalf("the older log is %q, want %q", older, want)
	}
	if _, err := out.WriteString("next"); err != nil { // the server's own descriptor stays valid
		t.Fatal(err)
	}
	if got := tail(path); got != "next" {
		t.Fatalf("the log is %q, want next", got)
	}
}
