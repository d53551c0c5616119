package api_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/eventlog"
)

// shared is a server and a client that sends all of its requests to it on one HTTP/2 connection.
type shared struct {
	t           *testing.T
	service     *service // another client, to prepare what is asked for
	client      *http.Client
	connections atomic.Int64 // that the client opened
}

// newShared serves on HTTP/2 with the time limits of the services, which it completes from the node.
func newShared(t *testing.T, node *watched, services api.Services) *shared {
	t.Helper()
	s := &shared{t: t}
	services.Logs, services.Ingest, services.Views, services.Live = node.Logs, node.Ingest, node.Views, node.Live
	services.Events, services.Log = eventlog.NewReader(node.DB), slog.New(&node.noticed)
	running := httptest.NewUnstartedServer(api.New(services))
	protocols, only2 := &http.Protocols{}, &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	only2.SetUnencryptedHTTP2(true)
	running.Config.Protocols = protocols
	running.Start()
	transport := &http.Transport{
		Protocols: only2, DisableCompression: true,
		HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10}, // so that not much is under way
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			s.connections.Add(1)
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	s.service = &service{t: t, url: running.URL}
	s.client = &http.Client{Transport: transport}
	t.Cleanup(func() {
		node.Live.EndWatches()
		transport.CloseIdleConnections()
		running.Close()
	})
	return s
}

func (s *shared) open(ctx context.Context, method, path string, body io.Reader) *http.Response {
	s.t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, s.service.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := s.client.Do(request)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	if response.ProtoMajor != 2 {
		s.t.Fatalf("%s %s was served by %s", method, path, response.Proto)
	}
	return response
}

func (s *shared) call(method, path string, body io.Reader) reply {
	s.t.Helper()
	response := s.open(s.t.Context(), method, path, body)
	defer response.Body.Close() //nolint:errcheck // it is read to its end
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return reply{response.StatusCode, response.Header, text}
}

func (s *shared) wantOneConnection() {
	s.t.Helper()
	if n := s.connections.Load(); n != 1 {
		s.t.Errorf("the client needed %d connections: a request that is cut must not cost its neighbours theirs", n)
	}
}

// TestSilentTailOnHTTP2: a tail may be silent for longer than its client may take to read, and so may a response between two writes.
func TestSilentTailOnHTTP2(t *testing.T) {
	const timeout = time.Second
	s := newShared(t, newWatched(t, 10), api.Services{WatchTimeout: timeout, WriteTimeout: timeout})
	s.service.createLog("acme")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	response := s.open(ctx, "GET", "/logs/acme/tail", nil)
	defer response.Body.Close() //nolint:errcheck // cut off
	<-time.After(2 * timeout)
	s.service.append("acme", `{"n":1}`)
	tail := &subscription{t: t, lines: bufio.NewScanner(response.Body), cancel: cancel}
	if m := tail.want(); !strings.Contains(m.data, `"n":1`) {
		t.Errorf("the tail has %q", m.data)
	}
	s.wantOneConnection()
}

// TestUnreadStreamsOnHTTP2: a client that does not read a stream loses that stream, not its neighbours on the same connection.
func TestUnreadStreamsOnHTTP2(t *testing.T) {
	const timeout = time.Second
	node := newWatched(t, 10)
	s := newShared(t, node, api.Services{WatchTimeout: timeout, WriteTimeout: timeout})
	s.service.createLog("acme")
	s.service.createLog("quiet")
	s.service.flood("acme")
	quiet := s.open(t.Context(), "GET", "/logs/quiet/tail", nil)
	defer quiet.Body.Close() //nolint:errcheck // cut off
	for _, path := range []string{"/logs/acme/events?stream=true", "/logs/acme/tail?after=0", "/logs/acme/events?limit=8"} {
		response := s.open(t.Context(), "GET", path, nil)
		began := time.Now()
		for time.Since(began) < 2*timeout { // the neighbours go on meanwhile
			if r := s.call("POST", "/logs/quiet/append", strings.NewReader(`{}`)); r.status != http.StatusCreated {
				t.Fatalf("a neighbour's append is answered %d: %s", r.status, r.body)
			}
		}
		if _, err := io.Copy(io.Discard, response.Body); err == nil {
			t.Errorf("%s was sent to its end to a client that did not read", path)
		}
		_ = response.Body.Close()
	}
	tail := &subscription{t: t, lines: bufio.NewScanner(quiet.Body)}
	if m := tail.want(); m.id != "1" {
		t.Errorf("the neighbour's tail begins with %q", m.id)
	}
	s.wantOneConnection()
}

// TestSlowBodiesOnHTTP2: a body that does not arrive in time is given up, and its connection goes on.
func TestSlowBodiesOnHTTP2(t *testing.T) {
	s := newShared(t, newWatched(t, 10), api.Services{BodyTimeout: time.Second})
	s.service.createLog("acme")
	for _, path := range []string{"/logs", "/logs/acme/append", "/logs/acme/append_batch", "/logs/acme/views/v"} {
		body, writer := io.Pipe()
		go func() { _, _ = io.WriteString(writer, "{") }()
		r := s.call("POST", path, body)
		s.service.wantProblem(http.StatusRequestTimeout, "body_timeout", r)
		_ = writer.Close()
	}
	// A body that came in time is not held to the limit: what follows takes as long as it takes.
	body, writer := io.Pipe()
	go func() {
		_, _ = io.WriteString(writer, "{}")
		_ = writer.Close()
	}()
	s.service.want(http.StatusCreated, s.call("POST", "/logs/acme/append", body))
	s.wantOneConnection()
}
