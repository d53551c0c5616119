package main_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// appendSome appends events 1..n to a new log.
func appendSome(t *testing.T, p *process, log string, n int64) {
	t.Helper()
	if _, err := p.post(t.Context(), "/logs", `{"name":"`+log+`"}`, ""); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if a, err := p.post(t.Context(), "/logs/"+log+"/append", `{"model":"m","tokens_in":1}`, ""); err != nil || a.Sequence != i+1 {
			t.Fatalf("append %d: %+v, %v", i+1, a, err)
		}
	}
}

// TestDevStops: an interrupt and a termination stop tally and PostgreSQL in order, and everything is there afterwards.
func TestDevStops(t *testing.T) {
	dir := folder(t)
	for i, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		p := dev(t, dir)
		if i == 0 {
			appendSome(t, p, "acme", 3)
		}
		if a, err := p.post(t.Context(), "/logs/acme/append", `{}`, ""); err != nil || a.Sequence != int64(4+i) {
			t.Errorf("after start %d: %+v, %v", i+1, a, err)
		}
		pid := postmaster(t, dir)
		p.signal(signal)
		if status := p.wait(); status != 0 {
			t.Errorf("after %s the status is %d:\n%s", signal, status, p.output)
		}
		gone(t, pid)
		if _, err := os.Stat(filepath.Join(dir, "pgdata", "postmaster.pid")); !os.IsNotExist(err) {
			t.Errorf("after %s PostgreSQL was not shut down in order: %v", signal, err)
		}
	}
}

// TestDevKilled: when tally is killed in the middle of appends, PostgreSQL ends with it, and the next start has
// everything that was acknowledged; retries settle the rest, once.
func TestDevKilled(t *testing.T) {
	const clients, enough = 8, 400
	dir := folder(t)
	p := dev(t, dir)
	appendSome(t, p, "acme", 0)
	pid := postmaster(t, dir)

	var acknowledged sync.Map // key → sequence
	var count atomic.Int64
	var done sync.WaitGroup
	reached := make(chan struct{})
	for client := range clients {
		done.Go(func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%d-%d", client, i)
				a, err := p.post(t.Context(), "/logs/acme/append", `{"key":"`+key+`"}`, key)
				if err != nil {
					return // killed
				}
				acknowledged.Store(key, a.Sequence)
				if count.Add(1) == enough {
					close(reached)
				}
			}
		})
	}
	select {
	case <-reached:
	case <-p.done:
		t.Fatal("tally ended by itself")
	}
	p.signal(syscall.SIGKILL)
	p.wait()
	done.Wait()
	gone(t, pid)

	p = dev(t, dir)
	seen := map[int64]bool{}
	acknowledged.Range(func(key, sequence any) bool {
		text := fmt.Sprint(key)
		a, err := p.post(t.Context(), "/logs/acme/append", `{"key":"`+text+`"}`, text)
		if err != nil || !a.Duplicate || a.Sequence != sequence || seen[a.Sequence] {
			t.Errorf("event %s was acknowledged as %d; a retry says %+v, %v", text, sequence, a, err)
		}
		seen[a.Sequence] = true
		return true
	})
	// What was not acknowledged may be stored: at most one event of each client.
	a, err := p.post(t.Context(), "/logs/acme/append", `{}`, "")
	if err != nil || a.Sequence <= count.Load() || a.Sequence > count.Load()+clients+1 {
		t.Errorf("the next event after %d acknowledged ones is %d: %v", count.Load(), a.Sequence, err)
	}
}

// TestDevRefusals: a development server that cannot start reports why, and leaves nothing running.
func TestDevRefusals(t *testing.T) {
	dir := folder(t)
	first := dev(t, dir)
	refuses(t, nil, []string{"dev", "--data-dir", dir, "--listen", "127.0.0.1:0"}, dir, "in use")
	if _, err := first.post(t.Context(), "/logs", `{"name":"acme"}`, ""); err != nil {
		t.Errorf("the first server after a second was refused: %v", err)
	}

	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	other := folder(t)
	refuses(t, nil, []string{"dev", "--data-dir", other, "--listen", taken.Addr().String()}, taken.Addr().String(), "in use", "--listen")
	if _, err := os.Stat(filepath.Join(other, "pgdata", "postmaster.pid")); !os.IsNotExist(err) {
		t.Errorf("PostgreSQL was left running: %v", err)
	}
	refuses(t, nil, []string{"dev", "--data-dir", other, "--postgres-bin", other}, other)
	refuses(t, nil, []string{"dev", "--data-dir", other, "--listen", "0.0.0.0:0"}, "--keys", "127.0.0.1")
}

// TestDevPostgresEnds: without its PostgreSQL tally dev ends too, and says so.
func TestDevPostgresEnds(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT} {
		dir := folder(t)
		p := dev(t, dir)
		if err := syscall.Kill(postmaster(t, dir), signal); err != nil {
			t.Fatal(err)
		}
		if status := p.wait(); status != 1 {
			t.Errorf("after %s of PostgreSQL the status is %d:\n%s", signal, status, p.output)
		}
	}
}

// TestDevAsAnotherUser: root's tally dev is what the other tests run where they run as root; a user without rights can
// run it too.
func TestDevAsAnotherUser(t *testing.T) {
	const nobody = 65534
	dir := folder(t)
	var become func(*exec.Cmd)
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
		become = func(cmd *exec.Cmd) {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
			cmd.Env = append(cmd.Env, "HOME="+dir, "XDG_CACHE_HOME="+filepath.Join(dir, "cache"),
				"TALLY_MODULE_CACHE_DIR="+filepath.Join(dir, "modules"))
		}
	}
	p := serving(t, become, "dev", "--data-dir", filepath.Join(dir, "data"), "--listen", "127.0.0.1:0")
	appendSome(t, p, "acme", 3)
	pid := postmaster(t, filepath.Join(dir, "data"))
	p.signal(syscall.SIGINT)
	if status := p.wait(); status != 0 {
		t.Errorf("the status is %d:\n%s", status, p.output)
	}
	gone(t, pid)
}

// TestStopsWhileStarting: an interrupt before the server is ready leaves nothing behind either.
func TestStopsWhileStarting(t *testing.T) {
	dir := folder(t)
	p := start(t, nil, "dev", "--data-dir", dir, "--listen", "127.0.0.1:0")
	waitFor(t, func() bool { // until it has begun to make the database
		_, err := os.Stat(filepath.Join(dir, "pgdata"))
		return err == nil
	})
	p.signal(syscall.SIGINT)
	p.wait()
	if _, err := os.Stat(filepath.Join(dir, "pgdata", "postmaster.pid")); !os.IsNotExist(err) {
		gone(t, postmaster(t, dir))
	}
	appendSome(t, dev(t, dir), "acme", 1)
}

// TestDevAllowsRemote: without keys, all addresses are listened on only where that was asked for; strangers' names are refused even then.
func TestDevAllowsRemote(t *testing.T) {
	refuses(t, nil, []string{"dev", "--data-dir", folder(t), "--listen", "0.0.0.0:0"}, "pass --keys")
	p := dev(t, folder(t), "--listen", "0.0.0.0:0", "--allow-remote")
	_, port, err := net.SplitHostPort(strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{"localhost": http.StatusOK, "rebound.example": http.StatusMisdirectedRequest} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+port+"/logs", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("a request for %s is answered %d, want %d", host, resp.StatusCode, want)
		}
	}
}
