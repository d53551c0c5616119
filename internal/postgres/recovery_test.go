//go:build unix

package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// helperEnv makes TestHelper run a server on the folder it names, as a program that uses this package would.
const helperEnv = "TALLY_POSTGRES_TEST_HELPER"

// TestHelper does nothing by itself; other tests run it in another process. It starts a server, commits a row, reports that, and stops when
// its standard input ends.
func TestHelper(t *testing.T) {
	dir := os.Getenv(helperEnv)
	if dir == "" {
		return
	}
	s, err := Start(t.Context(), Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	query(t, s.DSN(), "CREATE TABLE IF NOT EXISTS kept (n int)", "INSERT INTO kept VALUES (7)")
	fmt.Println("ready", s.PID(), os.Getuid())
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		t.Fatal(err)
	}
	halt(t, s)
}

type helper struct {
	*exec.Cmd
	stdin      io.Closer
	postmaster int
	uid        int
}

// startHelper runs TestHelper in a new process, as the given user, and returns once its row is committed.
func startHelper(t *testing.T, program, dir string, as *syscall.Credential) helper {
	t.Helper()
	b, err := Find(t.Context(), FindOptions{}) // once for both: each user has a download cache of its own
	if err != nil {
		t.Fatal(err)
	}
	h := helper{Cmd: exec.CommandContext(t.Context(), program, "-test.run", "^TestHelper$")}
	h.Env = append(os.Environ(), helperEnv+"="+dir, "HOME="+dir, BinEnv+"="+b.Dir)
	h.Dir, h.SysProcAttr, h.Stderr = "/", &syscall.SysProcAttr{Credential: as}, os.Stderr
	stdin, err := h.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	h.stdin = stdin
	out, err := h.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if n, _ := fmt.Sscanf(lines.Text(), "ready %d %d", &h.postmaster, &h.uid); n == 2 {
			return h
		}
	}
	_ = h.Wait()
	t.Fatalf("the helper said %q and ended", said.String())
	return h
}

func TestKilledParentLosesNothing(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	for round := range 3 {
		h := startHelper(t, os.Args[0], dir, nil)
		if err := h.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = h.Wait() // reports the kill
		s := run(t, Options{DataDir: dir})
		if got, want := query(t, s.DSN(), "SELECT count(*) FROM kept"), fmt.Sprint(round+1); got != want {
			t.Fatalf("after kill %d there are %s committed rows, want %s", round+1, got, want)
		}
		halt(t, s)
	}
}

// TestServerLeftBehindIsEnded covers systems where the kernel does not end a child with its parent.
func TestServerLeftBehindIsEnded(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	s := run(t, Options{DataDir: dir})
	query(t, s.DSN(), "CREATE TABLE kept (n int)")
	halt(t, s)
	cluster := filepath.Join(dir, clusterName)
	who, err := serverAccount(cluster)
	if err != nil {
		t.Fatal(err)
	}
	orphan := exec.CommandContext(t.Context(), filepath.Join(s.binaries.Dir, "postgres"),
		append([]string{"-D", cluster}, settings(Options{}, filepath.Join(dir, socketName), nil)...)...)
	orphan.SysProcAttr, orphan.Dir, orphan.Env = who.attr(), cluster, serverEnv()
	if err := orphan.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- orphan.Wait() }()
	waitForAnswer(t, s.DSN())
	query(t, s.DSN(), "INSERT INTO kept VALUES (7)")

	again := run(t, Options{DataDir: dir})
	if err := <-ended; err != nil {
		t.Errorf("the server left behind was not shut down in order: %v", err)
	}
	if got := query(t, again.DSN(), "SELECT n FROM kept"); got != "7" {
		t.Errorf("the row is %q, want 7", got)
	}
}

func waitForAnswer(t *testing.T, dsn string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, dsn)
		if err == nil {
			_ = conn.Close(ctx)
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-tick.C:
		}
	}
}

// TestStalePIDFileHarmsNobody: a pid file may name an unrelated process.
func TestStalePIDFileHarmsNobody(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	halt(t, run(t, Options{DataDir: dir, NoFSync: true}))
	bystander := exec.CommandContext(t.Context(), "sh", "-c", "cat")
	stdin, err := bystander.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	cluster := filepath.Join(dir, clusterName)
	for _, text := range []string{fmt.Sprintf("%d\n%s\n", bystander.Process.Pid, cluster), "", "torn", "-1\n", "1\n"} {
		if err := os.WriteFile(filepath.Join(cluster, "postmaster.pid"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := endOrphan(t.Context(), cluster, logger(nil)); err != nil {
			t.Errorf("pid file %q: %v", text, err)
		}
	}
	if err := errors.Join(stdin.Close(), bystander.Wait()); err != nil {
		t.Errorf("the bystander did not end by itself: %v", err)
	}
}

// TestUserWhoIsNotRoot runs everything as an ordinary user: the current one, or nobody if these tests run as root.
func TestUserWhoIsNotRoot(t *testing.T) {
	t.Parallel()
	dir, program := openDir(t), os.Args[0]
	data := filepath.Join(dir, "data")
	want := os.Getuid()
	var as *syscall.Credential
	if os.Geteuid() == 0 {
		want = nobody
		as = &syscall.Credential{Uid: nobody, Gid: nobody}
		program = filepath.Join(dir, "postgres.test") // others cannot enter root's build folder
		if err := withoutForks(func() error { return copyProgram(os.Args[0], program) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := (account{uid: want, gid: want, dropped: as != nil}).own(data); err != nil {
		t.Fatal(err)
	}
	h := startHelper(t, program, data, as)
	if h.uid != want {
		t.Errorf("the helper ran as uid %d, want %d", h.uid, want)
	}
	if err := errors.Join(h.stdin.Close(), h.Wait()); err != nil {
		t.Errorf("the helper: %v", err)
	}
	if _, err := os.Stat(filepath.Join(data, clusterName, "postmaster.pid")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the server was not stopped: %v", err)
	}
	if as == nil {
		return
	}
	// Root uses a folder that belongs to another user as that user.
	s := run(t, Options{DataDir: data})
	if got := query(t, s.DSN(), "SELECT n FROM kept"); got != "7" {
		t.Errorf("the row is %q, want 7", got)
	}
}

func copyProgram(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
