package api_test

import (
	"bufio"
	"bytes"
	"context"
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
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/live"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
)

const (
	// A log of large events is far more than the buffers of a connection take, compressed too, and some of the pages that a stream reads.
	largeEvents     = 2500
	largeEventBytes = 4000
	// sendBufferBytes is how much of an answer the kernel takes that nobody reads: by itself it takes some megabytes.
	sendBufferBytes = 64 << 10
	// handlerPatience is far above what a request takes that ends as it should, and below clientPatience, after which a client that does
	// not read is cut off anyway.
	handlerPatience = time.Minute
	clientPatience  = time.Hour
)

var encodings = []string{"identity", "gzip", "zstd"}

// streaming is a server of one log of large events, which announces the end of each request.
type streaming struct {
	*service
	ended chan struct{}
	hub   *live.Hub
	log   string

	running *httptest.Server
	db      *testdb.Database
}

// streamingOn runs handlers with the given timeouts on one log; each has so many streams at a time.
func streamingOn(t *testing.T, streams int, timeouts ...time.Duration) []streaming {
	t.Helper()
	database := testdb.New(t)
	node := testrig.Start(t, database.DSN(), testrig.Settings{NoBuilder: true})
	log := node.NewLog(t)
	random := rand.NewChaCha8([32]byte{1})
	noise := make([]byte, largeEventBytes/4*3)
	events := make([]event.Event, largeEvents)
	for i := range events {
		_, _ = random.Read(noise) // it never fails
		events[i] = testrig.Parse(t, fmt.Sprintf(`{"noise":%q}`, base64.StdEncoding.EncodeToString(noise)), "")
	}
	node.Append(t, log, events...)
	reader := eventlog.NewReader(node.DB)
	list := make([]streaming, len(timeouts))
	for i, timeout := range timeouts {
		s := streaming{db: database, ended: make(chan struct{}, 100), log: log.String()}
		s.hub = live.New(node.DB, reader, live.DefaultConfig())
		handler := api.New(api.Services{
			Logs: node.Logs, Ingest: node.Ingest, Views: node.Views, Events: reader, Live: s.hub, Streams: streams,
			WriteTimeout: timeout, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		})
		running := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() { s.ended <- struct{}{} }()
			handler.ServeHTTP(w, r)
		}))
		running.Listener = smallBuffers{running.Listener}
		running.Start()
		t.Cleanup(running.Close)
		s.service, s.running = &service{t: t, url: running.URL}, running
		list[i] = s
	}
	return list
}

// smallBuffers has the connections of a server take little that nobody reads.
type smallBuffers struct{ net.Listener }

// Accept implements net.Listener.
func (l smallBuffers) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok && err == nil {
		err = tcp.SetWriteBuffer(sendBufferBytes)
	}
	return conn, err
}

// begin asks for events and reads none of them.
func (s *streaming) begin(t *testing.T, query, encoding string) net.Conn {
	t.Helper()
	conn := s.send(t, "GET /logs/"+s.log+"/events?"+query+" HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: "+encoding+"\r\n\r\n")
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(256 << 10) // so that not much is under way
	}
	return conn
}

func (s *streaming) wantEnd(t *testing.T, what string) {
	t.Helper()
	select {
	case <-s.ended:
	case <-time.After(handlerPatience):
		t.Errorf("%s: the request goes on", what)
	}
}

// wantCut reads what was sent, which must not pass for a whole answer.
func wantCut(t *testing.T, conn io.Reader, what string) {
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
	t.Parallel()
	both := streamingOn(t, 1, 100*time.Millisecond, clientPatience)
	s, patient := both[0], both[1]
	for _, query := range []string{"stream=true", "stream=true&format=ndjson", "stream=true&format=csv", "limit=10000"} {
		for _, encoding := range encodings {
			what := query + " in " + encoding
			conn := s.begin(t, query, encoding)
			var read bytes.Buffer
			if strings.HasPrefix(query, "stream") { // for a while; a slow machine may be cut off before
				_, _ = io.CopyN(&read, conn, 1<<20)
			}
			s.wantEnd(t, what)
			wantCut(t, io.MultiReader(&read, conn), what)
		}
	}
	if got := patient.pages(s.log, "", 10_000); len(got) != largeEvents { // more than fit into one page
		t.Errorf("the pages have %d events, not %d", len(got), largeEvents)
	}
}

// TestAbandonedStreams: clients that go away in the middle of streams, whenever that is, leave nothing behind: their places are free
// afterwards, and the server stops at once.
func TestAbandonedStreams(t *testing.T) {
	t.Parallel()
	const streams, clients, each = 8, 4, 9 * 2
	s := streamingOn(t, streams, clientPatience)[0]
	var abandoning sync.WaitGroup
	for client := range clients {
		abandoning.Go(func() {
			random := rand.New(rand.NewPCG(uint64(client), 2))
			for i := range each {
				format, encoding := []string{"json", "ndjson", "csv"}[i%3], encodings[i/3%3]
				conn := s.begin(t, "stream=true&format="+format, encoding)
				if _, err := io.CopyN(io.Discard, conn, 1+random.Int64N(2<<20)); err != nil {
					t.Errorf("%s in %s: %v", format, encoding, err)
				}
				if tcp, ok := conn.(*net.TCPConn); ok && i%2 == 0 {
					_ = tcp.SetLinger(0) // the server hears of it at once
				}
				_ = conn.Close()
				s.wantEnd(t, format+" in "+encoding)
			}
		})
	}
	abandoning.Wait()
	if t.Failed() {
		return
	}
	for range streams - 1 { // as many as one tenant may have
		conn := s.begin(t, "stream=true", "identity")
		if r, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || r.StatusCode != http.StatusOK {
			t.Fatalf("there is no place for a stream: %v, %v", r, err)
		}
	}
	s.hub.EndWatches() // these are under way
	ctx, cancel := context.WithTimeout(t.Context(), handlerPatience)
	defer cancel()
	if err := s.running.Config.Shutdown(ctx); err != nil {
		t.Errorf("the server does not stop: %v", err)
	}
}

// TestStreamsAreBounded, so that pages and queries go on beside them; and a server that stops does not wait for them.
func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	s := streamingOn(t, 1, clientPatience)[0]
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
	s.hub.EndWatches()
	s.wantEnd(t, "the stream of a server that stops")
	if n, err := io.Copy(io.Discard, conn); n > largeEvents*largeEventBytes {
		t.Errorf("%d bytes came, which is all there was to send (%v)", n, err)
	}
}

// TestEventsHead: HEAD returns the headers of the events and sends none.
func TestEventsHead(t *testing.T) {
	s := start(t)
	s.logWithEvents("acme", 20)
	for _, path := range []string{
		"/logs/acme/events", "/logs/acme/events?limit=5&format=csv", "/logs/acme/events?stream=true", "/logs/acme/events/7",
	} {
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
		for _, encoding := range encodings {
			conn := s.send(t, "GET /logs/acme/events?stream=true&format="+format+" HTTP/1.1\r\nHost: localhost\r\n"+
				"Accept-Encoding: "+encoding+"\r\n\r\n")
			wantCut(t, conn, format+" in "+encoding)
		}
	}
}

// TestStreamAcrossARestore: a stream of a log that gets another history meanwhile does not pass for a whole one.
func TestStreamAcrossARestore(t *testing.T) {
	t.Parallel()
	s := streamingOn(t, 1, clientPatience)[0]
	for _, change := range []string{
		`WITH e AS (UPDATE events e SET hash = sha256(e.hash) FROM log_heads h WHERE e.sequence = h.sequence RETURNING e.hash)
			UPDATE log_heads SET hash = e.hash FROM e`,
		`UPDATE log_heads h SET sequence = e.sequence, hash = e.hash, recorded_at = e.recorded_at
			FROM events e WHERE e.sequence = h.sequence - 1`,
	} {
		for _, format := range []string{"json", "ndjson", "csv"} {
			conn := s.begin(t, "stream=true&format="+format, "identity")
			var begun bytes.Buffer
			if _, err := io.CopyN(&begun, conn, 1<<20); err != nil {
				t.Fatal(err)
			}
			s.db.Exec(t, change)
			wantCut(t, io.MultiReader(&begun, conn), format+" after "+change)
			s.wantEnd(t, format)
		}
	}
	conn := s.begin(t, "stream=true&format=ndjson", "identity") // of what the log is now
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if n, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Errorf("a stream of a log that stays as it is ends after %d bytes with %v", n, err)
	}
}
