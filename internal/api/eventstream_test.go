package api_test

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/live"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/testcontainers"
)

const (
	// A log of large events is more than the buffers of a connection take, compressed too.
	largeEvents = 16
	// handlerPatience is far above what a request takes that ends as it should, and below the 30 seconds after which a client that does
	// not read is cut off anyway.
	handlerPatience = time.Minute
)

// streaming is a server of one log of large events, which tells when a request has ended.
type streaming struct {
	*service
	ended chan struct{}
	hub   *live.Hub
	log   string
}

// streamingOn runs handlers with the given timeouts on one log.
func streamingOn(t *testing.T, timeouts ...time.Duration) []streaming {
	t.Helper()
	node := testrig.Start(t, testcontainers.New(t).DSN(), testrig.Settings{NoBuilder: true})
	log := node.NewLog(t)
	random := rand.NewChaCha8([32]byte{1})
	noise := make([]byte, 700_000)
	for range largeEvents {
		_, _ = random.Read(noise) // it never fails
		node.Append(t, log, testrig.Parse(t, fmt.Sprintf(`{"noise":%q}`, base64.StdEncoding.EncodeToString(noise)), ""))
	}
	reader := eventlog.NewReader(node.DB)
	list := make([]streaming, len(timeouts))
	for i, timeout := range timeouts {
		s := streaming{ended: make(chan struct{}, 100), hub: live.New(node.DB, reader, live.DefaultConfig()), log: log.String()}
		handler := api.New(api.Services{
			Logs: node.Logs, Ingest: node.Ingest, Views: node.Views, Events: reader, Live: s.hub, Streams: 1,
			WriteTimeout: timeout, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		}, "test")
		running := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() { s.ended <- struct{}{} }()
			handler.ServeHTTP(w, r)
		}))
		t.Cleanup(running.Close)
		s.service = &service{t: t, url: running.URL}
		list[i] = s
	}
	return list
}

// begin asks for events and reads none of them.
func (s *streaming) begin(t *testing.T, query, encoding string) net.Conn {
	t.Helper()
	return s.send(t, "GET /logs/"+s.log+"/events?"+query+" HTTP/1.1\r\nHost: x\r\nAccept-Encoding: "+encoding+"\r\n\r\n")
}

func (s *streaming) wantEnd(t *testing.T, what string) {
	t.Helper()
	select {
	case <-s.ended:
	case <-time.After(handlerPatience):
		t.Fatalf("%s: the request goes on", what)
	}
}

// wantCut reads what was sent, which must not pass for a whole answer.
func wantCut(t *testing.T, conn net.Conn, what string) {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return // it was cut before its beginning was sent
	} else if err != nil {
		t.Fatalf("%s: no answer: %v", what, err)
	}
	defer func() { _ = response.Body.Close() }()
	if n, err := io.Copy(io.Discard, response.Body); err == nil || response.StatusCode != http.StatusOK {
		t.Errorf("%s: %d with %d bytes ended as if they were all: %v", what, response.StatusCode, n, err)
	}
}

// TestUnreadAnswers: a client that does not read is cut off, and sees that it was.
func TestUnreadAnswers(t *testing.T) {
	s := streamingOn(t, 100*time.Millisecond)[0]
	for _, query := range []string{"stream=true", "stream=true&format=ndjson", "stream=true&format=csv", "limit=100"} {
		for _, encoding := range []string{"identity", "gzip", "zstd"} {
			what := query + " in " + encoding
			conn := s.begin(t, query, encoding)
			s.wantEnd(t, what)
			wantCut(t, conn, what)
		}
	}
	if got := s.pages(s.log, "", 100); len(got) != largeEvents { // more than fit into one page
		t.Errorf("the pages have %d events, not %d", len(got), largeEvents)
	}
}

// TestStreamsAreBounded, so that pages and queries go on beside them; and a server that stops does not wait for them.
func TestStreamsAreBounded(t *testing.T) {
	s := streamingOn(t, 0)[0]
	conn := s.begin(t, "stream=true&format=ndjson", "identity")
	first := make([]byte, 1)
	if _, err := conn.Read(first); err != nil { // it has begun
		t.Fatal(err)
	}
	refused := s.call("GET", "/logs/"+s.log+"/events?stream=true", "")
	if s.wantProblem(http.StatusServiceUnavailable, "too_many_streams", refused, "pages"); refused.header.Get("Retry-After") == "" {
		t.Error("it is not said when to come back")
	}
	page := s.call("GET", "/logs/"+s.log+"/events?limit=1", "")
	if got := decode[eventsPage](t, s.want(http.StatusOK, page)); len(got.Events) != 1 || got.NextCursor == "" {
		t.Errorf("a page beside the stream has %d events and cursor %q", len(got.Events), got.NextCursor)
	}
	for range 2 { // these two requests
		s.wantEnd(t, "a request beside the stream")
	}
	s.hub.Close()
	s.wantEnd(t, "the stream of a server that stops")
	if n, err := io.Copy(io.Discard, conn); n > largeEvents*900_000 {
		t.Errorf("%d bytes came, which is all there was to send (%v)", n, err)
	}
}

// TestEventsHead: HEAD tells of the events and sends none.
func TestEventsHead(t *testing.T) {
	s := start(t)
	s.logWithEvents("acme", 20)
	for _, path := range []string{"/logs/acme/events", "/logs/acme/events?limit=5&format=csv", "/logs/acme/events?stream=true", "/logs/acme/events/7"} {
		get, head := s.call("GET", path, ""), s.call("HEAD", path, "")
		s.want(http.StatusOK, head)
		for _, name := range []string{"Content-Type", "Tally-Sequence", "Tally-Next-Cursor"} {
			if got, want := head.header.Get(name), get.header.Get(name); got != want {
				t.Errorf("HEAD %s has %s %q, GET %q", path, name, got, want)
			}
		}
		if len(head.body) != 0 || head.header.Get("Tally-Sequence") != "20" {
			t.Errorf("HEAD %s has a body of %d bytes, and says the log ends at %q", path, len(head.body), head.header.Get("Tally-Sequence"))
		}
	}
	s.wantProblem(http.StatusNotFound, "sequence_not_found", s.call("GET", "/logs/acme/events/21", ""))
	if got := s.call("HEAD", "/logs/acme/events/21", ""); got.status != http.StatusNotFound {
		t.Errorf("HEAD of an event that is not there: %d", got.status)
	}
}

// TestStreamThatFails on its way, here over a row that somebody has damaged, does not pass for a whole one.
func TestStreamThatFails(t *testing.T) {
	s := start(t)
	const events = 1200 // some pages
	s.createLog("acme")
	s.want(http.StatusCreated, s.call("POST", "/logs/acme/append_batch", strings.Repeat("{}\n", events)))
	if got := len(s.stream("acme", "")); got != events {
		t.Fatalf("the stream has %d events, not %d", got, events)
	}
	if _, err := s.db.Exec(t.Context(), "UPDATE events SET hash = '\\x00' WHERE sequence = $1", events-1); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"json", "ndjson", "csv"} {
		for _, encoding := range []string{"identity", "gzip", "zstd"} {
			conn := s.send(t, "GET /logs/acme/events?stream=true&format="+format+" HTTP/1.1\r\nHost: x\r\nAccept-Encoding: "+encoding+"\r\n\r\n")
			wantCut(t, conn, format+" in "+encoding)
		}
	}
}
