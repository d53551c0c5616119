package gateways_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"text/template"
	"time"
)

// process is a program that runs.
type process struct {
	t      testing.TB
	cmd    *exec.Cmd
	input  *os.File // the writing end of its standard input
	output *output
	ending atomic.Bool   // it is meant to end
	done   chan struct{} // closed when it has ended
}

// output collects what a process writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
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

// endWithUs has a program end with this process, where the system can do so.
var endWithUs = func(*exec.Cmd) {}

// start runs a program until the test ends. change may be nil. The program gets no variable of Tallystick's but those that change adds.
func start(t testing.TB, change func(*exec.Cmd), program string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(program, args...), output: &output{}, done: make(chan struct{})}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "TALLY_") {
			p.cmd.Env = append(p.cmd.Env, variable)
		}
	}
	endWithUs(p.cmd)
	if change != nil {
		change(p.cmd)
	}
	reading, writing, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.input, p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = writing, reading, p.output, p.output
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = reading.Close() // the program has it
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // its state says all
		if !p.ending.Load() {
			t.Errorf("%s ended by itself: %s", program, p.cmd.ProcessState)
		}
	}()
	t.Cleanup(func() {
		p.end(syscall.SIGTERM)
		_ = p.input.Close()
		if t.Failed() {
			t.Logf("%s:\n%s", strings.Join(p.cmd.Args, " "), tail(p.output.String()))
		}
	})
	return p
}

// tail returns the end of what a program wrote.
func tail(text string) string {
	const most = 16 << 10
	if len(text) > most {
		return "…" + text[len(text)-most:]
	}
	return text
}

// end ends the process by a signal and waits until it is gone.
func (p *process) end(s syscall.Signal) {
	p.t.Helper()
	p.ending.Store(true)
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("signalling %s: %v", p.cmd.Path, err)
	}
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Errorf("%s does not end", p.cmd.Path)
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// freeAddress returns an address on loopback where nothing listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // nothing is lost
	return listener.Addr().String()
}

// accepts waits until a process takes connections on an address.
func (p *process) accepts(address string) {
	p.t.Helper()
	until(p.t, text("%s does not listen on %s", p.cmd.Path, address), func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
}

// configure writes a configuration of testdata/ into a folder, with its {{.Name}} filled in, and returns its path.
func configure(t testing.TB, dir, name string, values map[string]string) string {
	t.Helper()
	parsed, err := template.New(name).Option("missingkey=error").ParseFiles(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.Execute(file, values); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}
