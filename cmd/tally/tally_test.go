// Package main_test runs the built tally command as its users do.
package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/testdb"
)

const (
	// patience turns a hang into a failure: starting takes a second or two, with an empty data folder, on a busy machine far longer.
	patience = 10 * time.Minute
	// pollInterval is how often a condition outside of this process is looked at.
	pollInterval = 10 * time.Millisecond
)

// Set by TestMain: the built command, and a folder for compiled views that all runs share.
var tally, modules string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	if err := os.Setenv("TALLY_KEY", key); err != nil { // for commands that are not run by start
		panic(err)
	}
	dir, err := os.MkdirTemp("", "tally-e2e-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// Other users run the command too.
	if err := os.Chmod(dir, 0o755); err != nil {
		panic(err)
	}
	tally, modules = filepath.Join(dir, "tally"), filepath.Join(dir, "modules")
	build := exec.Command("go", "build", "-o", tally, ".")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building tally:", err)
		return 1
	}
	return testdb.CheckLeaks(m.Run())
}

// process is a run of tally.
type process struct {
	t      testing.TB
	cmd    *exec.Cmd
	url    string // where it serves
	output *output
	done   chan struct{} // closed when it has ended
}

// output collects what a process writes and announces the URL in it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	url  chan string
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// key is one that every server of these tests knows.
var key = access.GenerateKey()

// secrets finds keys and tokens in what a process prints. Those that print one on purpose are run by with.
var secrets = regexp.MustCompile(access.KeyPattern + `|eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+`)

var servesOn = regexp.MustCompile(` on (https?://\S+)`)

// start runs tally until the test ends. No environment variable of tally's is passed on but those in env.
func start(t testing.TB, change func(*exec.Cmd), args ...string) *process {
	t.Helper()
	p := &process{t: t, output: &output{url: make(chan string, 1)}, done: make(chan struct{})}
	p.cmd = exec.Command(tally, args...)
	p.cmd.Dir = filepath.Dir(modules)
	p.cmd.Env = []string{"TALLY_MODULE_CACHE_DIR=" + modules, "TALLY_BOOTSTRAP_KEY=" + key}
	if args[0] != "dev" && args[0] != "serve" {
		p.cmd.Env = append(p.cmd.Env, "TALLY_KEY="+key)
	}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "TALLY_") || strings.HasPrefix(variable, "TALLY_POSTGRES_") {
			p.cmd.Env = append(p.cmd.Env, variable)
		}
	}
	if change != nil {
		change(p.cmd)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = p.output
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		lines := bufio.NewScanner(io.TeeReader(stdout, p.output))
		for lines.Scan() {
			if found := servesOn.FindStringSubmatch(lines.Text()); found != nil && len(p.output.url) == 0 {
				p.output.url <- found[1]
			}
		}
		_ = p.cmd.Wait() // its state says all
	}()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("tally %s:\n%s", strings.Join(args, " "), p.output)
		}
		p.signal(syscall.SIGTERM)
		p.wait()
		if secret := secrets.FindString(p.output.String()); secret != "" {
			t.Errorf("tally %s shows a secret: %.12s…", args[0], secret)
		}
	})
	return p
}

// serving is start for a server, and waits until it takes requests.
func serving(t testing.TB, change func(*exec.Cmd), args ...string) *process {
	t.Helper()
	p := start(t, change, args...)
	select {
	case p.url = <-p.output.url:
	case <-p.done:
		t.Fatalf("tally %s ended:\n%s", strings.Join(args, " "), p.output)
	case <-time.After(patience):
		t.Fatalf("tally %s does not serve:\n%s", strings.Join(args, " "), p.output)
	}
	return p
}

// dev runs tally dev on a data folder.
func dev(t testing.TB, dir string, args ...string) *process {
	t.Helper()
	return serving(t, nil, append([]string{"dev", "--data-dir", dir, "--listen", "127.0.0.1:0"}, args...)...)
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("signalling tally: %v", err)
	}
}

// wait waits for the process to end and returns its exit status, -1 after a signal.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Errorf("tally does not end; it said:\n%s", p.output)
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	return p.cmd.ProcessState.ExitCode()
}

// refuses runs a command that must fail soon, with a message that holds the words and nothing of the inside.
func refuses(t *testing.T, change func(*exec.Cmd), args []string, words ...string) {
	t.Helper()
	p := start(t, change, args...)
	if status := p.wait(); !isFailure(status) {
		t.Errorf("tally %s ended with status %d, want a failure", strings.Join(args, " "), status)
	}
	output := p.output.String()
	for _, word := range words {
		if !strings.Contains(output, word) {
			t.Errorf("tally %s does not say %q but:\n%s", strings.Join(args, " "), word, output)
		}
	}
	if !strings.HasPrefix(output, "tally: ") || strings.Contains(output, "goroutine ") || strings.Contains(output, "Usage:") {
		t.Errorf("tally %s says more than what is wrong:\n%s", strings.Join(args, " "), output)
	}
}

// setting adds environment variables to a command.
func setting(variables ...string) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, variables...) }
}

// folder is a new folder that PostgreSQL's user can enter too, which t.TempDir is not.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tally-data-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// postmaster is the process that PostgreSQL runs as on a data folder.
func postmaster(t testing.TB, dir string) int {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(dir, "pgdata", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(file), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// gone waits until a process is no more.
func gone(t testing.TB, pid int) {
	t.Helper()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	deadline := time.After(patience)
	for !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("process %d is still there", pid)
		}
	}
}

// curl runs the real curl, with the arguments that a reader of the documentation would give it, and returns the answer.
func (p *process) curl(args ...string) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	for i, arg := range args {
		args[i] = strings.ReplaceAll(arg, "$URL", p.url)
	}
	cmd := exec.CommandContext(ctx, "curl", append([]string{"--silent", "--show-error", "--header", "X-Api-Key: " + key}, args...)...)
	cmd.Stderr = p.output
	answer, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("curl %q: %v (these tests need curl)", args, err)
	}
	return strings.TrimSuffix(string(answer), "\n")
}

// answer is what appends and queries answer.
type answer struct {
	status    int
	at        int64 // the Tally-Sequence header
	Sequence  int64
	Duplicate bool
	LogID     string `json:"log_id"`
}

// post sends a request; the error says what came instead of a success.
func (p *process) post(ctx context.Context, path, body, idempotencyKey string) (answer, error) {
	return p.postBy(ctx, key, path, body, idempotencyKey)
}

func (p *process) postBy(ctx context.Context, key, path, body, idempotencyKey string) (a answer, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+path, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	if idempotencyKey != "" {
		request.Header.Set("Idempotency-Key", idempotencyKey)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return a, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return a, err
	}
	if a.status = response.StatusCode; a.status >= 300 {
		return a, fmt.Errorf("%s: %d: %s", path, a.status, content)
	}
	a.at, _ = strconv.ParseInt(response.Header.Get("Tally-Sequence"), 10, 64)
	return a, json.Unmarshal(content, &a)
}
