package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
)

// TestStopCutsRequestsOff stops a server whose requests would take very long: batches that wait behind one that a guest folds, a list that
// waits for the database, a body that does not come, a client that does not read. All who read are told so, nothing is stored, and the
// server ends as it does without them.
func TestStopCutsRequestsOff(t *testing.T) {
	const (
		batches  = 10
		shutdown = 25 * time.Second // less than a body may take, or a client that reads
	)
	d := testdb.New(t)
	config := server.DefaultConfig()
	config.Listen, config.DatabaseURL, config.ModuleCacheDir = "127.0.0.1:0", d.DSN(), testrig.ModuleCache()
	config.AllowUnsafeDatabase, config.ShutdownTimeout = true, shutdown
	config.CutAfter(time.Millisecond)
	config.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	c := cutClient{t: t, address: strings.TrimPrefix(s.URL(), "http://")}
	c.want(http.StatusCreated, "", c.send("POST", "/logs", `{"name":"slow"}`))
	c.want(http.StatusCreated, "", c.send("POST", "/logs/slow/views/v", string(testrig.Scripted())))

	conn, err := pgx.Connect(t.Context(), d.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // nothing is lost
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE view_actions IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	list := c.send("GET", "/logs/slow/views/v/versions", "")
	await(t, "a list waits for the database", func() bool { return len(goroutines(t)("[IO wait", "view.(*Views).Actions")) == 1 })
	body := c.send("POST", "/logs/slow/append_batch", "{")
	await(t, "a body is waited for", func() bool { return len(goroutines(t)("api.(*bookedBody).Read")) == 1 })
	const many = 400 // responses of 100 KB and more: more than the buffers of a connection take
	deaf := c.dial()
	c.write(deaf, strings.Repeat("GET /openapi.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n", many))
	await(t, "a client does not read", func() bool { return len(goroutines(t)("[IO wait", ".(*responseWriter).Write")) == 1 })

	// A batch takes some seconds, after which it is refused. All of them take too long to be through when the server is stopped.
	batch := strings.Repeat(testrig.ScriptEvent(testrig.Line("spin", 50))+"\n", 400)
	var slow []net.Conn
	for range batches {
		slow = append(slow, c.send("POST", "/logs/slow/append_batch", batch))
	}
	await(t, "a guest folds, and the other batches wait", func() bool {
		stacks := goroutines(t)
		return len(stacks("ingest.(*Ingester).Append")) >= batches-2 &&
			len(stacks("ingest.(*lane).admitRequest", "wasm.(*Session).Fold")) == 1
	})
	if err := s.Stop(t.Context()); err != nil {
		t.Errorf("stopping: %v", err)
	}
	c.want(http.StatusServiceUnavailable, "stopping", list)
	c.want(http.StatusServiceUnavailable, "stopping", body)
	refused := 0
	for _, conn := range slow {
		switch status, code := c.receive(conn); {
		case status == http.StatusServiceUnavailable && code == "stopping":
			refused++
		case status != http.StatusRequestEntityTooLarge: // through before the server was stopped
			t.Errorf("a slow batch is answered %d %s", status, code)
		}
	}
	if refused < batches/2 {
		t.Errorf("%d of %d slow batches were cut off", refused, batches)
	}
	if err := conn.Close(t.Context()); err != nil { // and with it the lock
		t.Fatal(err)
	}
	for id, log := range testrig.Check(t, d.DSN()) {
		if n := len(log.Events); n > 0 {
			t.Errorf("log %v has %d events", id, n)
		}
	}
}

// goroutines returns a function that returns those of this process whose stacks hold all of some words.
func goroutines(t *testing.T) func(words ...string) []string {
	t.Helper()
	const stacks = 2 // of all goroutines, one by one
	var profile strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&profile, stacks); err != nil {
		t.Fatal(err)
	}
	all := strings.Split(profile.String(), "\n\n")
	return func(words ...string) (found []string) {
	next:
		for _, stack := range all {
			for _, word := range words {
				if !strings.Contains(stack, word) {
					continue next
				}
			}
			found = append(found, stack)
		}
		return found
	}
}

// cutClient sends requests, each on a connection of its own, and reads the responses later.
type cutClient struct {
	t       *testing.T
	address string
}

func (c *cutClient) dial() net.Conn {
	c.t.Helper()
	conn, err := (&net.Dialer{}).DialContext(c.t.Context(), "tcp", c.address)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (c *cutClient) write(conn net.Conn, text string) {
	c.t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		c.t.Fatal(err)
	}
}

// send sends a request. A body of one byte is the beginning of a longer one.
func (c *cutClient) send(method, path, body string) net.Conn {
	c.t.Helper()
	length := len(body)
	if length == 1 {
		length = 100
	}
	conn := c.dial()
	c.write(conn, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", method, path, length, body))
	return conn
}

// want reads the response to what was sent.
func (c *cutClient) want(status int, code string, conn net.Conn) {
	c.t.Helper()
	if gotStatus, gotCode := c.receive(conn); gotStatus != status || gotCode != code {
		c.t.Errorf("%d %s, want %d %s", gotStatus, gotCode, status, code)
	}
}

// receive returns a response's status, and the code of a problem.
func (c *cutClient) receive(conn net.Conn) (status int, code string) {
	c.t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close() //nolint:errcheck // nothing is lost
	var problem struct{ Code string }
	if err := json.NewDecoder(response.Body).Decode(&problem); err != nil && !errors.Is(err, io.EOF) {
		return response.StatusCode, err.Error()
	}
	return response.StatusCode, problem.Code
}
