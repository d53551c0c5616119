package testdb_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/testdb"
)

// victimEnv makes TestVictim act as a test process that dies without a chance to clean up.
const victimEnv = "TALLY_TEST_VICTIM"

// TestVictim does nothing by itself; TestServerEndsWithItsProcess runs it in another process.
func TestVictim(t *testing.T) {
	if os.Getenv(victimEnv) == "" {
		return
	}
	d := testdb.New(t)
	fmt.Println("dsn", d.DSN())
	<-t.Context().Done() // until it is killed
}

func TestServerEndsWithItsProcess(t *testing.T) {
	t.Run("as chosen", func(t *testing.T) { endsWithItsProcess(t) })
	t.Run("started by a program", func(t *testing.T) { endsWithItsProcess(t, testdb.ModeEnv+"="+program(t)) })
}

// program returns the path of a program that starts servers: this one, under the name by which TestMain recognizes it.
func program(t *testing.T) string {
	t.Helper()
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), serverName)
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func victim(ctx context.Context, env ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestVictim$")
	cmd.Env = append(append(os.Environ(), victimEnv+"=1"), env...)
	return cmd
}

func endsWithItsProcess(t *testing.T, env ...string) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := victim(ctx, env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var dsn string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, after, ok := strings.Cut(lines.Text(), "dsn "); ok {
			dsn = after
			break
		}
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatalf("the server does not answer while its process lives: %v", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // reports the kill

	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for answers(ctx, dsn) || !removed(t, dsn) {
		select {
		case <-ctx.Done():
			t.Fatalf("the server or its files at %s are still there a minute after its process was killed", dsn)
		case <-tick.C:
		}
	}
}

// TestServerThatDoesNotStart: tests fail, and say why and what to do.
func TestServerThatDoesNotStart(t *testing.T) {
	failing := filepath.Join(t.TempDir(), "failing")
	if err := os.WriteFile(failing, []byte("#!/bin/sh\necho no engine >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[string]string{
		failing:          "started no server: EOF: no engine",
		failing + "-not": "no such file",
		"container":      "make test-database DATABASE=container",
	} {
		out, err := victim(t.Context(), testdb.ModeEnv+"="+mode).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, %s; want %q", mode, err, out, want)
		}
	}
}

func answers(ctx context.Context, dsn string) bool {
	conn, err := pgx.Connect(ctx, dsn)
	if err == nil {
		_ = conn.Close(ctx)
	}
	return err == nil
}

// removed reports whether a local server's socket folder has gone; a container leaves nothing to look for.
func removed(t *testing.T, dsn string) bool {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	dir := u.Query().Get("host")
	if dir == "" {
		return true
	}
	_, err = os.Stat(dir)
	return errors.Is(err, os.ErrNotExist)
}
