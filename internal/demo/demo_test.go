package demo_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/cli"
	"github.com/tallystick/tallystick/internal/testdb"
)

// commandEnv makes this test binary play the tally command.
const commandEnv = "TALLY_TEST_DEMO_COMMAND"

// demoTimeout is many times what a run of the demo takes, a download of PostgreSQL included.
const demoTimeout = 10 * time.Minute

func TestMain(m *testing.M) {
	if os.Getenv(commandEnv) != "" {
		os.Exit(cli.Main())
	}
	testdb.Main(m)
}

// newDataDir returns a folder yet to be made, in one that the user whom root runs PostgreSQL as may enter.
func newDataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tally-demo-test-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "demo")
}

func tally(t *testing.T, dataDir string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), demoTimeout)
	t.Cleanup(cancel)
	args = append([]string{"demo", "--listen", "127.0.0.1:0", "--data-dir", dataDir}, args...)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), commandEnv+"=1")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	return cmd
}

// exit runs the demo to its end and returns its output and its exit status.
func exit(t *testing.T, dataDir string) (output string, status int) {
	t.Helper()
	cmd := tally(t, dataDir, "--exit")
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatalf("running the demo: %v", err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func wantLine(t *testing.T, output, pattern string) {
	t.Helper()
	if !regexp.MustCompile("(?m)^" + pattern + "$").MatchString(output) {
		t.Errorf("no line reads %q in:\n%s", pattern, output)
	}
}

const sumLine = `all +8,819 +8,819 +18,059,974 +18,059,974 +245,896 +245,896 +57\.868362 +57\.868362  ✓`

// TestDemo runs the demo again and again on one database: it must count nothing twice, not mind what somebody appends
// to its logs today, and notice a stray event among its own.
func TestDemo(t *testing.T) {
	dataDir := newDataDir(t)
	first := serveAndAppend(t, dataDir, `{"type":"llm.request","model":"code","team":"search","tokens_in":150,"tokens_out":420}`)
	wantLine(t, first, `8,819 of the events are new\.`)
	wantLine(t, first, sumLine)

	second, status := exit(t, dataDir)
	if status != 0 {
		t.Fatalf("the demo ended with status %d:\n%s", status, second)
	}
	wantLine(t, second, `0 of the events are new\. 8,819 were there before, as their idempotency keys tell: they are not counted twice\.`)
	wantLine(t, second, sumLine)
	if strings.Contains(second, "\r") {
		t.Errorf("a bar was drawn where nobody looks:\n%q", second)
	}

	serveAndAppend(t, dataDir,
		`{"type":"llm.request","time":"2023-11-16T18:30:00Z","model":"code","team":"search","tokens_in":1,"tokens_out":"many"}`)
	last, status := exit(t, dataDir)
	if status == 0 {
		t.Errorf("the demo ended with status 0 in spite of a stray event:\n%s", last)
	}
	wantLine(t, last, `all +8,820 +8,819 +18,059,975 +18,059,974 +245,896 +245,896 .*✗`)
	wantLine(t, last, `demo-acme +4,411 +4,410 .*✗`)
	wantLine(t, last, `demo-globex .*✓`)
	wantLine(t, last, `✗ demo-acme: .*rate-check says 4,411 requests, not 4,410;.*`)
	wantLine(t, last, `✗ demo-acme: .*monthly-totals says 1 values left out, not 0; rate-check says 1 values left out, not 0;.*`)
	wantLine(t, last, `tally: a total differs from the known one: .*`)
}

// serveAndAppend runs the demo, appends an event to demo-acme with the call that the demo printed, and interrupts it,
// which it must take as the regular end. It returns what the demo printed before that.
func serveAndAppend(t *testing.T, dataDir, event string) (output string) {
	t.Helper()
	cmd := tally(t, dataDir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	output, call, err := readTo(lines, regexp.MustCompile(`curl -X POST '(http://[^']*/logs/demo-acme/append)' -d`))
	if err == nil {
		_, _, err = readTo(lines, regexp.MustCompile(`Ctrl-C stops`))
	}
	if err == nil {
		err = post(t, call, event)
	}
	_ = cmd.Process.Signal(os.Interrupt) // where it has ended already, err says so
	_, readErr := io.Copy(io.Discard, lines)
	if err := errors.Join(err, readErr, cmd.Wait()); err != nil {
		t.Fatalf("serving on, until interrupted: %v; stderr: %s", err, stderr.String())
	}
	return output
}

// readTo reads up to a line that matches and returns what it read, and the pattern's first group if it has one.
func readTo(lines *bufio.Reader, pattern *regexp.Regexp) (read, found string, err error) {
	for {
		line, err := lines.ReadString('\n')
		read += line
		if groups := pattern.FindStringSubmatch(line); groups != nil {
			return read, groups[len(groups)-1], nil
		}
		if err != nil {
			return read, "", fmt.Errorf("looking for %q: %w", pattern, err)
		}
	}
}

func post(t *testing.T, url, body string) error {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusCreated {
		return fmt.Errorf("appending answered %s", response.Status)
	}
	return nil
}
