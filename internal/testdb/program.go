package testdb

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
)

// fsyncArgument asks a program for a server that waits for the disk.
const fsyncArgument = "fsync"

// startProgram has another program start the server, so that this module needs nothing of what starts it. Serve is its other end.
//
// The program shares neither output, which would keep `go test` waiting, nor process group with this process, whose Ctrl-C it survives.
func startProgram(ctx context.Context, program string, fsync bool) (*Server, error) {
	address, whenReady, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = address.Close() }() // it was only read
	said, err := os.CreateTemp("", "tally-test-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = said.Close() }() // it is read below, and the program has its own end
	if err := os.Remove(said.Name()); err != nil {
		return nil, err
	}
	cmd := exec.Command(program) //nolint:noctx // named by whoever runs the tests; it outlives this process
	if fsync {
		cmd.Args = append(cmd.Args, fsyncArgument)
	}
	cmd.Stdout, cmd.Stderr = whenReady, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	hold, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	err = cmd.Start()
	_ = whenReady.Close() // the program has its own end
	if err != nil {
		return nil, fmt.Errorf("%s names a program that starts a server: %w", ModeEnv, err)
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := address.SetReadDeadline(deadline); err != nil {
			return nil, err
		}
	}
	line, err := bufio.NewReader(address).ReadString('\n')
	if err == nil {
		var base *url.URL
		if base, err = url.Parse(strings.TrimSpace(line)); err == nil {
			pipes = append(pipes, hold)
			return &Server{URL: func(database string) string { return base.JoinPath(database).String() }}, nil
		}
	}
	_ = hold.Close() // now the program ends
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // reports the kill
	text, _ := io.ReadAll(io.NewSectionReader(said, 0, maxSaid))
	return nil, fmt.Errorf("%s started no server: %w: %s", program, err, strings.TrimSpace(string(text)))
}

// maxSaid is how much is shown of what a program says that fails.
const maxSaid = 16 << 10

// Serve is the main function of a program that ModeEnv may name: it starts a server, writes the server's URL, less the database, as one
// line to its standard output, and returns when its standard input ends, as it does when the tests' process has, however it ended. Who
// stops the server after that is up to start. It returns what the program is to exit with.
func Serve(start func(ctx context.Context, fsync bool) (*Server, error)) int {
	signal.Ignore(syscall.SIGPIPE) // the tests' process, which reads what is written, may end at any time
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
	defer cancel()
	started, err := start(ctx, len(os.Args) > 1 && os.Args[1] == fsyncArgument)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(started.URL(""))
	_, _ = io.Copy(io.Discard, os.Stdin) // until it ends
	return 0
}
