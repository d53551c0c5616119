package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/access"
)

const (
	// serverTimeout bounds a server's start, and its graceful stop.
	serverTimeout = time.Minute
	// shutdownTimeout is the server's own: on a busy machine it needs longer than the default to cut off what noisy clients left behind.
	shutdownTimeout = serverTimeout * 2 / 3
	// readyLine is the prefix of what tally serve prints once it accepts requests.
	readyLine = "tally is serving on http://"
	// errorTail bounds how much of a server's log an error quotes, in bytes.
	errorTail = 4 << 10
)

// benchKey is the key that all servers of a run know, and keyLine the header line that sends it.
var (
	benchKey = access.GenerateKey()
	keyLine  = "Authorization: Bearer " + benchKey + "\r\n"
)

// server is a tally serve process.
type server struct {
	cmd     *exec.Cmd
	address string // host:port
	errors  bytes.Buffer
	done    chan struct{} // closed once the process has ended; err is set before
	err     error
}

// startServer runs program's serve command on the database, without limits of tenants, and else with default settings but for these flags.
// The process ends with ctx, or by stop. It does not inherit TALLY_ variables, so that two runs measure the same thing.
func startServer(ctx context.Context, program, databaseURL, moduleCache string, flags ...string) (*server, error) {
	s := &server{done: make(chan struct{})}
	args := append([]string{
		"serve", "--listen", "127.0.0.1:0", "--module-cache-dir", moduleCache, "--log-level", "warn", "--limit", "none",
		"--shutdown-timeout", shutdownTimeout.String(),
	}, flags...)
	s.cmd = exec.CommandContext(ctx, program, args...) //nolint:gosec // this very program
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "TALLY_") {
			s.cmd.Env = append(s.cmd.Env, setting)
		}
	}
	s.cmd.Env = append(s.cmd.Env, "TALLY_DATABASE_URL="+databaseURL, "TALLY_BOOTSTRAP_KEY="+benchKey) // not flags: they hold secrets
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(os.Interrupt) }
	s.cmd.WaitDelay = serverTimeout
	s.cmd.Stderr = &s.errors
	output, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting a server: %w", err)
	}
	ready := make(chan string, 1)
	go s.watch(output, ready)
	timeout := time.NewTimer(serverTimeout)
	defer timeout.Stop()
	select {
	case s.address = <-ready:
		return s, nil
	case <-s.done:
		return nil, fmt.Errorf("starting a server: %w", s.failure())
	case <-timeout.C:
		return nil, errors.Join(fmt.Errorf("the server was not ready after %v", serverTimeout), s.stop())
	}
}

// watch reads what the server prints until it ends.
func (s *server) watch(output io.Reader, ready chan<- string) {
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), readyLine); ok {
			ready <- address
			break
		}
	}
	_, _ = io.Copy(io.Discard, output)
	s.err = s.cmd.Wait()
	close(s.done)
}

// failure returns how the process ended. It may be called once done is closed.
func (s *server) failure() error {
	output := s.errors.Bytes()
	output = output[max(0, len(output)-errorTail):]
	return fmt.Errorf("the server ended (%v); it logged: %s", s.err, bytes.TrimSpace(output)) //nolint:errorlint // it may be nil
}

// stop shuts the server down and waits for it.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping the server: %w", err)
	}
	timeout := time.NewTimer(serverTimeout)
	defer timeout.Stop()
	select {
	case <-s.done:
	case <-timeout.C:
		_ = s.cmd.Process.Kill()
		<-s.done
	}
	if s.err != nil && !errors.Is(s.err, context.Canceled) { // after a clean shutdown by its context
		return s.failure()
	}
	return nil
}
