// Package tallytest starts a Tallystick server for tests: tally dev, with a PostgreSQL of its own in a temporary folder, and no container.
//
// The program is the one that TALLY_BINARY names, or tally of the PATH, or the module's tool:
//
//	go get -tool github.com/tallystick/tallystick/cmd/tally
package tallytest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

const (
	// startTimeout bounds a start: the first one may download PostgreSQL. That go tool builds the program before takes what it takes.
	startTimeout = 5 * time.Minute
	// stopTimeout bounds how long a server may take to stop before it is killed.
	stopTimeout = 20 * time.Second
)

// Start starts a server for a test, which ends with it, and returns a client of it. The server asks for no keys; flags are further flags of
// tally dev. The test fails where it cannot be started.
func Start(t testing.TB, flags ...string) *tally.Client {
	t.Helper()
	s, err := Launch(t.Context(), flags...)
	if err != nil {
		t.Fatalf("starting a Tallystick server: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("stopping the Tallystick server: %v", err)
		}
	})
	return s.Client
}

// Server is a server that was launched.
type Server struct {
	Client      *tally.Client
	URL         string
	DatabaseURL string // of its PostgreSQL, as the superuser

	stdin io.Closer
	done  chan error // what waiting for the process returned
	once  sync.Once
	err   error
}

// Launch is Start for whoever has no test, such as TestMain: close the server. It is killed where ctx ends while it starts.
func Launch(ctx context.Context, flags ...string) (*Server, error) {
	program, err := find(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("it took longer than %s", startTimeout))
	defer cancel()
	arguments := []string{"dev", "--listen", "127.0.0.1:0", "--temporary", "--until-stdin-ends", "--output", "json"}
	cmd := exec.Command(program, append(arguments, flags...)...) //nolint:gosec,noctx // the program that the user named; Close ends it
	var messages lockedBuffer
	cmd.Stderr = &messages
	cmd.WaitDelay = time.Second // its PostgreSQL holds its standard error, for a moment
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() }) // it has ended, or ends
	var line struct {
		URL         string `json:"url"`
		DatabaseURL string `json:"database_url"`
	}
	err = json.NewDecoder(stdout).Decode(&line)
	if !stop() {
		err = cmp.Or(context.Cause(ctx), err)
	}
	s := &Server{URL: line.URL, DatabaseURL: line.DatabaseURL, stdin: stdin, done: make(chan error, 1)}
	go func() {
		_, _ = io.Copy(io.Discard, stdout) // it prints nothing else
		s.done <- cmd.Wait()
	}()
	if err == nil {
		s.Client, err = tally.New(tally.Options{URL: s.URL, Anonymous: true})
	}
	if err != nil {
		_ = cmd.Process.Kill() // it has ended, or ends
		<-s.done               //nolint:errcheck // why it ended, it says by itself
		return nil, fmt.Errorf("%s %s: %w\n%s", program, strings.Join(arguments, " "), err, messages.String())
	}
	return s, nil
}

// Close stops the server, and removes its database. It may be called again.
func (s *Server) Close() error {
	s.once.Do(func() {
		s.Client.Close()
		_ = s.stdin.Close() // the process has ended, or ends by this
		select {
		case s.err = <-s.done:
			if errors.Is(s.err, exec.ErrWaitDelay) {
				s.err = nil
			}
		case <-time.After(stopTimeout):
			s.err = fmt.Errorf("it did not stop within %s", stopTimeout)
		}
	})
	return s.err
}

// find returns the path of the program.
func find(ctx context.Context) (string, error) {
	if named := os.Getenv("TALLY_BINARY"); named != "" {
		return named, nil
	}
	if found, err := exec.LookPath("tally"); err == nil {
		return found, nil
	}
	cmd := exec.CommandContext(ctx, "go", "tool", "-n", "tally") // builds it, and prints where it is
	var messages bytes.Buffer
	cmd.Stderr = &messages
	out, err := cmd.Output()
	if path := strings.TrimSpace(string(out)); err == nil && path != "" {
		return path, nil
	}
	return "", fmt.Errorf("there is no program tally: set TALLY_BINARY to its path, put it into the PATH, or run "+
		"go get -tool github.com/tallystick/tallystick/cmd/tally (%v %s)", err, strings.TrimSpace(messages.String()))
}

// lockedBuffer keeps the last of what a process says.
type lockedBuffer struct {
	mu   sync.Mutex
	text []byte
}

// Write keeps the last 64 KiB.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p...)
	if extra := len(b.text) - 64<<10; extra > 0 {
		b.text = append(b.text[:0], b.text[extra:]...)
	}
	return len(p), nil
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.text)
}
