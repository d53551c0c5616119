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

// fsyncArgument asks a program for a server whose commits wait for the disk.
const fsyncArgument = "fsync"

// startProgram has another program start the server, so that this module does not depend on what starts it. Serve is the other end.
//
// The program does not share this process's output, which would keep `go test` waiting, nor its process group, so that it survives Ctrl-C.
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
	defer func() { _ = said.Close() }() // the program has a descriptor of its own
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
	_ = hold.Close() // ends the program
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // reports the kill
	text, _ := io.ReadAll(io.NewSectionReader(said, 0, maxSaid))
	return nil, fmt.Errorf("%s started no server: %w: %s", program, err, strings.TrimSpace(string(text)))
}

// maxSaid is how many bytes of the output of a failed program an error quotes.
const maxSaid = 16 << 10

// Serve is the main function of a program that ModeEnv may name. It starts a server, writes the server's URL without the database to
// standard output, as one line, and returns the exit status when standard input ends, as it does when the process of the tests ends. start
// must arrange for the server to end after that.
func Serve(start func(ctx context.Context, fsync bool) (*Server, error)) int {
	signal.Ignore(syscall.SIGPIPE) // the tests' process, which reads our output, may end at any time
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
