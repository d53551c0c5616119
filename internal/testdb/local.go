package testdb

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"syscall"

	"github.com/tallystick/tallystick/internal/postgres"
)

// endLocal waits for the test process to end, which closes the pipe it reads from. Then it ends the server and removes its files. $1 is the
// data folder. The server has ended when its postmaster.pid is gone; the wait is bounded by 400 times 50 milliseconds.
const endLocal = `cat >/dev/null
file=$1/pgdata/postmaster.pid
if pid=$(head -n 1 "$file" 2>/dev/null); then
	kill -QUIT "$pid" 2>/dev/null
	tries=0
	while [ -e "$file" ] && kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 400 ]; do sleep 0.05; tries=$((tries + 1)); done
fi
rm -rf "$1"`

// StartLocal starts a server from the machine's own or downloaded programs, in a temporary folder.
func StartLocal(ctx context.Context, fsync bool) (*Server, error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	binaries, err := postgres.Find(ctx, postgres.FindOptions{Log: log})
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "tally-test-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // entered by the user the server runs as
		return nil, err
	}
	if err := Watch(endLocal, dir); err != nil {
		return nil, err
	}
	s, err := postgres.Start(ctx, postgres.Options{
		DataDir:  dir,
		Binaries: binaries,
		NoFSync:  !fsync,
		Settings: map[string]string{"max_connections": MaxConnections},
		Log:      log,
	})
	if err != nil {
		return nil, err
	}
	return &Server{URL: s.DatabaseURL}, nil
}

// pipes are this process's ends of the watchdogs' pipes. If one were garbage collected, its server would end.
var pipes []io.Closer

// Watch runs a shell script whose standard input ends when this process does. The script does not share this process's output, which would
// keep `go test` waiting, nor its process group, so that it survives Ctrl-C.
func Watch(script string, args ...string) error {
	cmd := exec.Command("sh", append([]string{"-c", script, "watchdog"}, args...)...) //nolint:gosec,noctx // outlives this process
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the watchdog that ends the server after the tests: %w", err)
	}
	pipes = append(pipes, pipe)
	return nil
}
