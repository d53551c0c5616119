package api_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/live"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
)

// watched is a node that servers of a test share.
type watched struct {
	*testrig.Node
	noticed notes // what the servers log
}

// newWatched starts a node that so many may watch.
func newWatched(t *testing.T, room int) *watched {
	t.Helper()
	config := live.DefaultConfig()
	config.Watchers, config.Log = room, slog.New(slog.DiscardHandler)
	return &watched{testrig.Start(t, testdb.New(t).DSN(), testrig.Settings{Live: &config}), notes{make(chan string, 100)}}
}

// serve runs a server whose watchers have so much time.
func (w *watched) serve(t *testing.T, patience time.Duration) (*service, *httptest.Server) {
	t.Helper()
	running := httptest.NewServer(api.New(api.Services{
		Logs: w.Logs, Ingest: w.Ingest, Views: w.Views, Events: eventlog.NewReader(w.DB), Live: w.Live,
		Log: slog.New(&w.noticed), WatchTimeout: patience,
	}))
	t.Cleanup(func() {
		w.Live.EndWatches()
		running.Close()
	})
	return &service{t: t, url: running.URL}, running
}

// notes is a log whose messages can be waited for.
type notes struct{ heard chan string }

func (*notes) Enabled(context.Context, slog.Level) bool { return true }
func (n *notes) WithAttrs([]slog.Attr) slog.Handler     { return n }
func (n *notes) WithGroup(string) slog.Handler          { return n }
func (n *notes) Handle(_ context.Context, r slog.Record) error {
	select {
	case n.heard <- r.Message:
	default:
	}
	return nil
}

// open sends a request for a stream and reads nothing of what comes.
func (s *service) open(t *testing.T, path string) net.Conn {
	t.Helper()
	conn := s.send(t, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4 << 10) // so that not much is under way
	}
	return conn
}

// flood appends more than the buffers of a connection hold.
func (s *service) flood(log string) {
	s.t.Helper()
	event := `{"filler":"` + strings.Repeat("x", 900<<10) + `"}`
	for range 16 {
		s.append(log, event)
	}
}

// TestNeverReading: a client that reads nothing is cut off and makes room, and appends do not wait for it.
func TestNeverReading(t *testing.T) {
	node := newWatched(t, 1)
	s, _ := node.serve(t, 100*time.Millisecond)
	s.createLog("acme")
	s.append("acme", `{}`)
	conn := s.open(t, "/logs/acme/tail?after=0")
	s.flood("acme")
	for message := ""; message != "a watcher was cut off"; { // the test's time is its limit
		message = <-node.noticed.heard
	}
	patient, _ := node.serve(t, time.Minute)
	next := patient.retrySubscribe("/logs/acme/tail?after=0")
	for want := 1; want <= 17; want++ {
		m := next.want()
		if e := decode[readEvent](t, []byte(m.data)); e.Sequence != int64(want) {
			t.Fatalf("event %d is %d", want, e.Sequence)
		}
	}
	_ = conn.Close()
}

// retrySubscribe subscribes once there is room.
func (s *service) retrySubscribe(path string) *subscription {
	s.t.Helper()
	s.await("there is room", func() bool {
		response, err := http.Head(s.url + path)
		if err != nil {
			s.t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return s.subscribe(s.url+path, "")
}

// TestStopDoesNotWaitForNeverReading: a client that reads nothing does not hold up a server that stops, whatever time it has otherwise.
func TestStopDoesNotWaitForNeverReading(t *testing.T) {
	node := newWatched(t, 10)
	s, running := node.serve(t, time.Hour)
	s.createLog("acme")
	s.append("acme", `{}`)
	for range 3 {
		s.open(t, "/logs/acme/tail?after=0")
	}
	s.flood("acme")
	node.Live.EndWatches()
	ctx, cancel := context.WithTimeout(t.Context(), requestTimeout)
	defer cancel()
	http.DefaultClient.CloseIdleConnections()
	if err := running.Config.Shutdown(ctx); err != nil {
		t.Errorf("the server waits for clients that do not read: %v", err)
	}
}

// TestWatchersHaveRoom: as many may watch as there is room for; who goes makes room, however it goes, and requests that are refused take
// none.
func TestWatchersHaveRoom(t *testing.T) {
	const room = 4
	s, _ := newWatched(t, room).serve(t, time.Minute)
	s.createLog("acme")
	s.deployTotals("acme")
	const tail, answers = "/logs/acme/tail?after=0", "/logs/acme/views/totals/live?month=2025-03"
	for range 2 * room { // refused, or over at once
		s.wantProblem(http.StatusConflict, "unknown_event_id", s.call("GET", "/logs/acme/tail?after=99", ""))
		s.wantProblem(http.StatusNotFound, "view_not_found", s.call("GET", "/logs/acme/views/none/live", ""))
		s.wantProblem(http.StatusBadRequest, "query_refused", s.call("GET", "/logs/acme/views/totals/live?moth=1", ""))
		s.want(http.StatusOK, s.call("HEAD", tail, ""))
	}
	for range 3 {
		var held []*subscription
		for i := range room {
			path := tail
			if i%2 == 1 {
				path = answers
			}
			held = append(held, s.retrySubscribe(path))
		}
		r := s.call("GET", tail, "")
		if s.wantProblem(http.StatusServiceUnavailable, "too_many_watchers", r, "another server"); r.header.Get("Retry-After") == "" {
			t.Error("nothing says when to come back")
		}
		for _, sub := range held {
			sub.close()
		}
	}
}

// TestManyWatchers: all watchers of a log and of a view have the same, in order, while many come and go.
func TestManyWatchers(t *testing.T) {
	s, _ := newWatched(t, 1000).serve(t, time.Minute)
	s.createLog("acme")
	s.deployTotals("acme")
	const watchers, events = 40, 30
	var watching sync.WaitGroup
	for i := range watchers {
		tail := s.subscribe(s.url+"/logs/acme/tail?after=0", "")
		answers := s.subscribe(s.url+"/logs/acme/views/totals/live?month=2025-03", "")
		watching.Go(func() {
			for want := 1; want <= events; want++ {
				m, ok := tail.next()
				if !ok || decode[readEvent](t, []byte(m.data)).Sequence != int64(want) {
					t.Errorf("watcher %d: event %d is %.100v, %v", i, want, m, ok)
					return
				}
			}
		})
		watching.Go(func() {
			last := int64(-1)
			for last < events {
				m, ok := answers.next()
				var at int64
				for _, c := range m.id {
					at = at*10 + int64(c-'0')
				}
				if !ok || m.event != "answer" || at <= last {
					t.Errorf("watcher %d: after the answer of %d comes %+v, %v", i, last, m, ok)
					return
				}
				if at > 0 && !strings.Contains(m.data, `"tokens_in":`+m.id+`,`) { // every event counts one
					t.Errorf("watcher %d: the answer at %s is %s", i, m.id, m.data)
				}
				last = at
			}
		})
	}
	for range events {
		s.append("acme", `{"model":"m","tokens_in":1,"tokens_out":0,"time":"2025-03-01T00:00:00Z"}`)
	}
	watching.Wait()
}
