package main_test

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// launched is what tally dev --output json prints.
type launched struct {
	URL         string `json:"url"`
	DatabaseURL string `json:"database_url"`
	PID         int    `json:"pid"`
}

// launch starts a development server as a program would, and returns the one line that it prints, its standard input, and what it prints
// besides until it ends.
func launch(t *testing.T, args ...string) (line launched, hold io.Closer, rest func() string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tally, append([]string{"dev", "--listen", "127.0.0.1:0", "--output", "json"}, args...)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Dir(modules), "TALLY_MODULE_CACHE_DIR="+modules,
		"TALLY_BOOTSTRAP_KEY="+key)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(stdout)
	if err := decoder.Decode(&line); err != nil {
		t.Fatalf("tally dev --output json: %v", err)
	}
	return line, stdin, func() string {
		after, err := io.ReadAll(io.MultiReader(decoder.Buffered(), stdout))
		if err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("tally dev ended: %v", err)
		}
		return strings.TrimSpace(string(after))
	}
}

// temporaryFolders lists what servers with --temporary keep.
func temporaryFolders(t *testing.T) []string {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(filepath.Dir(modules), "tally-dev-*"))
	if err != nil {
		t.Fatal(err)
	}
	return folders
}

// TestDevLaunched: a program that starts tally dev learns from one line where it serves, and where its database is; the server ends with
// the program, and leaves nothing of its temporary database.
func TestDevLaunched(t *testing.T) {
	line, hold, rest := launch(t, "--temporary", "--until-stdin-ends")
	p := &process{t: t, url: line.URL}
	appendSome(t, p, "acme", 3)
	conn, err := pgx.Connect(t.Context(), line.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	var events int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM events").Scan(&events); err != nil || events != 3 {
		t.Errorf("the database has %d events, want 3: %v", events, err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}
	found := temporaryFolders(t)
	if len(found) != 1 {
		t.Fatalf("the folders are %q", found)
	}
	pid := postmaster(t, found[0])
	if err := hold.Close(); err != nil {
		t.Fatal(err)
	}
	if more := rest(); more != "" {
		t.Errorf("it prints more than one line: %q", more)
	}
	gone(t, line.PID)
	gone(t, pid)
	if left := temporaryFolders(t); len(left) != 0 {
		t.Errorf("it leaves %q", left)
	}
}

// TestDevLaunchedToStay: without these flags the data stay, and the end of standard input ends nothing.
func TestDevLaunchedToStay(t *testing.T) {
	dir := folder(t)
	line, hold, rest := launch(t, "--data-dir", dir)
	if err := hold.Close(); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, url: line.URL}
	appendSome(t, p, "acme", 2)
	server, err := os.FindProcess(line.PID)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if more := rest(); more != "" {
		t.Errorf("it prints more than one line: %q", more)
	}
	again := dev(t, dir)
	if a, err := again.post(t.Context(), "/logs/acme/append", `{}`, ""); err != nil || a.Sequence != 3 {
		t.Errorf("after another start: %+v, %v", a, err)
	}
	refuses(t, nil, []string{"dev", "--output", "xml"}, "--output", "json")
	refuses(t, nil, []string{"dev", "--temporary", "--data-dir", dir}, "temporary", "data-dir")
}
