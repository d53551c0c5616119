package tally_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
	"github.com/tallystick/tallystick/openapi/clients/go/tallytest"
)

// shared is one server for all tests, with logs of their own: built from the repository around this module, unless TALLY_BINARY is set.
var shared struct {
	once   sync.Once
	folder string
	server *tallytest.Server
	err    error
}

func server(t *testing.T) *tallytest.Server {
	t.Helper()
	shared.once.Do(func() { shared.server, shared.err = launch() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

func launch() (s *tallytest.Server, err error) {
	if os.Getenv("TALLY_BINARY") == "" {
		if shared.folder, err = os.MkdirTemp("", "tally-client-"); err != nil {
			return nil, err
		}
		program := filepath.Join(shared.folder, "tally")
		cmd := exec.Command("go", "build", "-o", program, "./cmd/tally")
		cmd.Dir, cmd.Stderr = "../../..", os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, err
		}
		if err := os.Setenv("TALLY_BINARY", program); err != nil {
			return nil, err
		}
	}
	return tallytest.Launch(context.Background())
}

func stopServer() error {
	if shared.server == nil {
		return nil
	}
	if shared.folder != "" {
		defer func() { _ = os.RemoveAll(shared.folder) }()
	}
	return shared.server.Close()
}

// newLog makes a log for the test.
func newLog(t *testing.T, suffix string) string {
	t.Helper()
	name := strings.ToLower(t.Name()) + suffix
	if _, err := server(t).Client.CreateLog(t.Context(), name, nil); err != nil {
		t.Fatal(err)
	}
	return name
}

// stored returns what a log holds, as it was appended.
func stored(t *testing.T, log string) (events []string) {
	t.Helper()
	for e, err := range server(t).Client.Events(t.Context(), log, tally.EventFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, string(e.Bytes()))
	}
	return events
}

// try is a request that came to a proxy.
type try struct{ path, key, body string }

// proxy stands between a client and the server.
type proxy struct {
	*httptest.Server

	mu    sync.Mutex
	tries []try
	seen  map[try]int
}

// newProxy starts a proxy. Before it passes a request on, it asks before, with the number of the same requests that came before this one;
// where that is done with the request, it answers true. lost has it throw the server's answer away, and the connection with it.
func newProxy(
	t *testing.T, before func(n int, w http.ResponseWriter, r *http.Request) bool, lost func(n int, r *http.Request) bool,
) *proxy {
	t.Helper()
	target, err := url.Parse(server(t).URL)
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(target)
	pass.FlushInterval = -1
	p := &proxy{seen: map[try]int{}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body, r.Host = io.NopCloser(strings.NewReader(string(body))), target.Host
		n := p.note(try{r.URL.Path, r.Header.Get("Idempotency-Key"), string(body)})
		if before != nil && before(n, w, r) {
			return
		}
		if lost != nil && lost(n, r) {
			pass.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) note(this try) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tries = append(p.tries, this)
	n := p.seen[this]
	p.seen[this]++
	return n
}

// all returns the requests that came.
func (p *proxy) all() []try {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]try(nil), p.tries...)
}

// everyOther is true for the 1st, 3rd, 5th … of the same requests.
func everyOther(n int, _ *http.Request) bool { return n%2 == 0 }

// client asks by a proxy.
func (p *proxy) client(t *testing.T) *tally.Client {
	t.Helper()
	c, err := tally.New(tally.Options{URL: p.URL, Anonymous: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// busy answers 503 as the server does.
func busy(w http.ResponseWriter, retryAfter string) {
	refuse(w, http.StatusServiceUnavailable, "busy", retryAfter)
}

// refuse answers with a problem that asks to come back.
func refuse(w http.ResponseWriter, status int, code, retryAfter string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", retryAfter)
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"status":%d,"code":%q,"detail":"not now"}`, status, code)
}
