// Package launch runs tally serve as a process of its own, for programs that measure it or try it from outside.
package launch

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
)

const (
	// Timeout bounds a server's start, and its graceful stop.
	Timeout = time.Minute
	// shutdownTimeout is the server's own: on a busy machine it needs longer than the default to cut off what noisy clients left behind.
	shutdownTimeout = Timeout * 2 / 3
	// readyLine is the prefix of what tally serve prints once it accepts requests.
	readyLine = "tally is serving on http://"
	// errorTail bounds how much of a server's log an error quotes, in bytes.
	errorTail = 4 << 10
)

// Options say which server to start.
type Options struct {
	Program        string // the tally command
	DatabaseURL    string
	ModuleCacheDir string
	Key            string   // one that the server knows, with all scopes
	Listen         string   // host:port; a free port on loopback when empty
	Flags          []string // of tally serve, beside those above
}

// Server is a tally serve process.
type Server struct {
	cmd     *exec.Cmd
	address string
	errors  bytes.Buffer
	done    chan struct{} // closed once the process has ended; err is set before
	err     error
}

// Start starts a server and returns once it accepts requests. The process ends with ctx, by Stop or by Kill. It does not inherit TALLY_
// variables, so that two runs do the same.
func Start(ctx context.Context, o Options) (*Server, error) {
	s := &Server{done: make(chan struct{})}
	listen := o.Listen
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	args := append([]string{
		"serve", "--listen", listen, "--module-cache-dir", o.ModuleCacheDir, "--log-level", "warn",
		"--shutdown-timeout", shutdownTimeout.String(),
	}, o.Flags...)
	s.cmd = exec.CommandContext(ctx, o.Program, args...) //nolint:gosec // the caller's own
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "TALLY_") {
			s.cmd.Env = append(s.cmd.Env, setting)
		}
	}
	s.cmd.Env = append(s.cmd.Env, "TALLY_DATABASE_URL="+o.DatabaseURL, "TALLY_BOOTSTRAP_KEY="+o.Key) // not flags: they hold secrets
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(os.Interrupt) }
	s.cmd.WaitDelay = Timeout
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
	timeout := time.NewTimer(Timeout)
	defer timeout.Stop()
	select {
	case s.address = <-ready:
		return s, nil
	case <-s.done:
		return nil, fmt.Errorf("starting a server: %w", s.failure())
	case <-timeout.C:
		return nil, errors.Join(fmt.Errorf("the server was not ready after %v", Timeout), s.Stop())
	}
}

// watch reads what the server prints until it ends.
func (s *Server) watch(output io.Reader, ready chan<- string) {
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
func (s *Server) failure() error {
	output := s.errors.Bytes()
	output = output[max(0, len(output)-errorTail):]
	return fmt.Errorf("the server ended (%v); it logged: %s", s.err, bytes.TrimSpace(output)) //nolint:errorlint // it may be nil
}

// Address returns the host and port that the server listens on.
func (s *Server) Address() string { return s.address }

// PID returns the process's ID.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Stop shuts the server down and waits for it.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping the server: %w", err)
	}
	timeout := time.NewTimer(Timeout)
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

// Kill ends the process at once, as a crash would, and waits for its end.
func (s *Server) Kill() error {
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("killing the server: %w", err)
	}
	<-s.done
	return nil
}
