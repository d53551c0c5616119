package main_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// requests are lines with an identity of their own.
func requests(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"id\":\"r-%d\",\"n\":%d}\n", i+1, i+1)
	}
	return b.String()
}

// once checks that a log holds each of the requests once, in their order.
func (o *operator) once(log string, n int) {
	o.t.Helper()
	stored := o.stored(log)
	if want := strings.Split(strings.TrimSpace(requests(n)), "\n"); strings.Join(stored, "\n") != strings.Join(want, "\n") {
		o.t.Errorf("the log holds %d events, want these %d", len(stored), n)
	}
}

// starts starts a command in the operator's folder.
func (o *operator) starts(args ...string) *process {
	o.t.Helper()
	return start(o.t, func(cmd *exec.Cmd) { cmd.Dir = o.dir }, args...)
}

// ended reports whether the process has ended: on a slow machine, a command may be done before it is looked at.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// TestIngestKilled: a command that is killed in the middle of a file, again and again, is gone on with, and each line counts once.
func TestIngestKilled(t *testing.T) {
	o, _ := operate(t)
	const lines = 60_000
	write(t, filepath.Join(o.dir, "requests"), requests(lines))
	write(t, filepath.Join(o.dir, "positions"), strings.ReplaceAll(requests(lines), `"id"`, `"i"`))
	for log, args := range map[string][]string{
		"own": {"requests", "--log", "own"}, "position": {"positions", "--log", "position", "--id-from", "position"},
	} {
		o.empty(log)
		var answers, last atomic.Int64
		released := make(chan struct{})
		p := o.through(func(int64) bool {
			if answers.Add(1) == last.Load() {
				<-released
			}
			return true
		})
		through := append(ingest(args...), "--url", p.url, "--actor", "ada")
		kills := 0
		for after := int64(3); ; after += 7 {
			last.Store(answers.Load() + after)
			running := o.starts(through...)
			select {
			case <-running.done:
			case <-reached(t, &answers, last.Load()):
				running.signal(syscall.SIGKILL)
				kills++
			}
			if running.wait() == 0 {
				break
			}
		}
		last.Store(0)
		close(released)
		if kills < 2 {
			t.Errorf("%s: it was killed %d times", log, kills)
		}
		succeeds(t, o.dir, through, ": 0 records after 60,000 that were sent before")
		if log == "own" {
			o.once("own", lines)
		}
		if stored := o.stored(log); len(stored) != lines {
			t.Errorf("%s holds %d events, want %d", log, len(stored), lines)
		}
	}
}

// reached is closed when a count is.
func reached(t *testing.T, count *atomic.Int64, most int64) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(pollInterval)
		defer tick.Stop()
		for count.Load() < most {
			select {
			case <-tick.C:
			case <-t.Context().Done():
				return
			}
		}
		close(done)
	}()
	return done
}

// TestIngestOutages: the server is killed in the middle and started again, and connections are cut before and after requests are done.
func TestIngestOutages(t *testing.T) {
	o, dsn := operate(t)
	o.empty("acme")
	const lines = 40_000
	write(t, filepath.Join(o.dir, "requests"), requests(lines))
	var answers atomic.Int64 // the first is that to what the log is
	p := o.through(func(int64) bool {
		switch answers.Add(1) {
		case 3: // two batches are stored, and one of them is answered
			waitFor(t, func() bool { return o.head("acme") >= 4000 })
			return false
		case 5, 8: // whatever has become of the request by now
			return false
		}
		return true
	})
	output := succeeds(t, o.dir, append(ingest("requests", "--log", "acme"), "--url", p.url), "trying again", "going on", "40,000 records")
	if strings.Contains(output, "40,000 stored") {
		t.Errorf("it was told that all of it is new, though a batch was sent twice:\n%s", output)
	}
	o.once("acme", lines)

	address := freeAddress(t)
	server := serving(t, nil, append(serve(dsn), "--listen", address)...)
	o.empty("again")
	running := o.starts(append(ingest("requests", "--log", "again"), "--url", "http://"+address)...)
	waitFor(t, func() bool { return o.head("again") > 2000 })
	server.signal(syscall.SIGKILL)
	server.wait()
	waitFor(t, func() bool { return running.ended() || strings.Contains(running.output.String(), "trying again") })
	serving(t, nil, append(serve(dsn), "--listen", address)...)
	if status := running.wait(); status != 0 {
		t.Fatalf("it ended with status %d:\n%s", status, running.output)
	}
	o.once("again", lines)
}

// TestIngestKilledInOutage: a line that was read, and sent to a server that was gone, is not taken for sent by the next run.
func TestIngestKilledInOutage(t *testing.T) {
	o, dsn := operate(t)
	o.empty("acme")
	const lines = 60_000
	write(t, filepath.Join(o.dir, "requests"), requests(lines))
	address := freeAddress(t)
	args := append(ingest("requests", "--log", "acme"), "--url", "http://"+address)
	for n := range int64(4) {
		server := serving(t, nil, append(serve(dsn), "--listen", address)...)
		running := o.starts(args...)
		waitFor(t, func() bool { return running.ended() || o.head("acme") > 10_000*n })
		server.signal(syscall.SIGKILL)
		server.wait()
		waitFor(t, func() bool { return running.ended() || strings.Contains(running.output.String(), "trying again") })
		running.signal(syscall.SIGKILL)
		running.wait()
	}
	serving(t, nil, append(serve(dsn), "--listen", address)...)
	succeeds(t, o.dir, args, "that were sent before")
	o.once("acme", lines)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// head is the sequence of a log's last event.
func (o *operator) head(log string) int64 {
	o.t.Helper()
	var head struct{ Sequence int64 }
	if err := json.Unmarshal([]byte(o.server.curl("$URL/logs/"+log)), &head); err != nil {
		o.t.Fatal(err)
	}
	return head.Sequence
}

// TestIngestFollows: a web server writes its access log and rotates it, in both ways, while the command is killed and started again and the
// server goes away; each line counts once.
func TestIngestFollows(t *testing.T) {
	o, dsn := operate(t)
	o.empty("website")
	address := freeAddress(t)
	server := serving(t, nil, append(serve(dsn), "--listen", address)...)
	path := filepath.Join(o.dir, "access.log")
	follow := func() *process {
		return o.starts(append(ingest(path, "--follow", "--log", "website", "--id-from", "position", "--keep", "path"),
			"--url", "http://"+address)...)
	}
	running := follow()
	waitFor(t, func() bool { _, err := os.Stat(filepath.Join(o.dir, "state.json")); return err == nil }) // it follows from here on
	const lines = 30_000
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	written := make(chan error, 1)
	var at atomic.Int64
	go func() { written <- rotating(ctx, path, lines, &at) }()
	for n := int64(1); n <= 4; n++ {
		<-reached(t, &at, n*lines/5)
		if n%2 == 0 {
			running.signal(syscall.SIGKILL)
			running.wait()
			running = follow()
			continue
		}
		server.signal(syscall.SIGKILL)
		server.wait()
		server = serving(t, nil, append(serve(dsn), "--listen", address)...)
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return o.head("website") >= lines })
	running.signal(syscall.SIGTERM)
	if status := running.wait(); status != 0 {
		t.Errorf("it ended with status %d:\n%s", status, running.output)
	}
	if text := running.output.String(); strings.Contains(text, "no copy") || strings.Contains(text, "left out") {
		t.Errorf("it lost something:\n%s", text)
	}
	seen := map[string]int{}
	for _, e := range o.stored("website") {
		var event struct{ Path string }
		if err := json.Unmarshal([]byte(e), &event); err != nil {
			t.Fatal(err)
		}
		seen[event.Path]++
	}
	for n := range lines {
		if path := fmt.Sprintf("/%d", n); seen[path] != 1 {
			t.Errorf("%s counts %d times", path, seen[path])
			break
		}
	}
	if len(seen) != lines {
		t.Errorf("%d lines were written, %d came", lines, len(seen))
	}
	o.succeeds(words("0 stored"), append(ingest("--log", "website", "--id-from", "position", "--keep", "path"), allOf(t, path)...)...)
}

// TestIngestFollowsFromItsBeginning: lines count that were written and rotated since the first run began, though no server answered at
// first, and though runs were killed before they had sent anything.
func TestIngestFollowsFromItsBeginning(t *testing.T) {
	o, dsn := operate(t)
	o.empty("website")
	address := freeAddress(t)
	path := filepath.Join(o.dir, "access.log")
	rotate := func(from, to int) {
		t.Helper()
		write(t, path, accessLines(from, to))
		if err := os.Rename(path, fmt.Sprintf("%s.%d", path, from)); err != nil {
			t.Fatal(err)
		}
	}
	grow := func(from, to int) { // long after what was rotated
		t.Helper()
		write(t, path, accessLines(from, to))
		long := time.Now().Add(time.Hour)
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	rotate(0, 10)
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path+".0", old, old); err != nil {
		t.Fatal(err)
	}
	args := append(ingest(path, "--follow", "--log", "website", "--id-from", "position", "--keep", "path"), "--url", "http://"+address)
	running := o.starts(args...)
	waitFor(t, func() bool { return strings.Contains(running.output.String(), "trying again") })
	rotate(10, 20)
	grow(20, 30)
	server := serving(t, nil, append(serve(dsn), "--listen", address)...)
	waitFor(t, func() bool { return o.head("website") >= 20 })
	running.signal(syscall.SIGKILL)
	running.wait()

	// Another file, which has never been read.
	state := filepath.Join(o.dir, "state.json")
	if err := os.Remove(state); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(o.dir, "other.log")
	args[slices.IndexFunc(args, func(arg string) bool { return strings.HasSuffix(arg, "access.log") })] = path
	running = o.starts(args...)
	waitFor(t, func() bool { _, err := os.Stat(state); return err == nil })
	server.signal(syscall.SIGKILL)
	server.wait()
	rotate(30, 40)
	running.signal(syscall.SIGKILL)
	running.wait()
	rotate(40, 50)
	grow(50, 60)
	serving(t, nil, append(serve(dsn), "--listen", address)...)
	running = o.starts(args...)
	waitFor(t, func() bool { return o.head("website") >= 50 })
	running.signal(syscall.SIGTERM)
	if status := running.wait(); status != 0 {
		t.Errorf("it ended with status %d:\n%s", status, running.output)
	}
	if head := o.head("website"); head != 50 {
		t.Errorf("%d events are stored, want 50", head)
	}
}

func accessLines(from, to int) string {
	var lines strings.Builder
	for n := from; n < to; n++ {
		fmt.Fprintf(&lines, "h - - [10/Oct/2000:13:55:36 +0000] \"GET /%d HTTP/1.1\" 200 %d\n", n, n%7)
	}
	return lines.String()
}

func allOf(t *testing.T, path string) []string {
	t.Helper()
	paths, err := filepath.Glob(path + "*")
	if err != nil || len(paths) < 3 {
		t.Fatal(paths, err)
	}
	return paths
}

// rotating writes an access log and rotates it every few hundred lines as logrotate does: by rename with compression of the one before, and
// by copytruncate.
func rotating(ctx context.Context, path string, lines int, at *atomic.Int64) error {
	open := func() (*os.File, *bufio.Writer, error) {
		file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		return file, bufio.NewWriter(file), err
	}
	file, out, err := open()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	before := ""
	for n := range lines {
		if _, err := out.WriteString(accessLines(n, n+1)); err != nil {
			return err
		}
		at.Store(int64(n + 1))
		if n%10 == 0 { // in the middle of nothing: a buffer ends where lines do, as those of web servers
			if err := out.Flush(); err != nil {
				return err
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return nil
			}
		}
		if n%3000 != 2999 {
			continue
		}
		if err := out.Flush(); err != nil {
			return err
		}
		rotated := fmt.Sprintf("%s.%d", path, n)
		if n%6000 == 2999 {
			if err := os.Rename(path, rotated); err != nil {
				return err
			}
			_ = file.Close()
			if file, out, err = open(); err != nil {
				return err
			}
		} else {
			text, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(rotated, text, 0o600)
			}
			if err == nil {
				err = os.Truncate(path, 0)
			}
			if err != nil {
				return err
			}
		}
		if before != "" {
			if err := exec.CommandContext(ctx, "gzip", before).Run(); err != nil {
				return err
			}
		}
		before = rotated
	}
	return out.Flush()
}
