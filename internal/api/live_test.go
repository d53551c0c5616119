package api_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/views"
)

// message is a server-sent event.
type message struct{ id, event, data string }

// subscription reads server-sent events.
type subscription struct {
	t        testing.TB
	response *http.Response
	lines    *bufio.Scanner
	cancel   context.CancelFunc
}

func (s *service) subscribe(url, lastID string) *subscription {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		s.t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		s.t.Fatalf("%s answered %d, %q", url, response.StatusCode, response.Header.Get("Content-Type"))
	}
	sub := &subscription{s.t, response, bufio.NewScanner(response.Body), cancel}
	sub.lines.Buffer(nil, 2<<20)
	s.t.Cleanup(sub.close)
	return sub
}

func (s *subscription) close() {
	s.cancel()
	_ = s.response.Body.Close()
}

// next returns the next event; false at the stream's end.
func (s *subscription) next() (m message, ok bool) {
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch name {
		case "id":
			m.id = value
		case "event":
			m.event = value
		case "data":
			if m.data != "" {
				m.data += "\n"
			}
			m.data += value
		case "":
			if m.event != "" {
				return m, true
			}
			m = message{}
		}
	}
	return m, false
}

func (s *subscription) want() message {
	s.t.Helper()
	m, ok := s.next()
	if !ok {
		s.t.Fatalf("the stream ended: %v", s.lines.Err())
	}
	return m
}

// TestTail: events come in order, without a gap, from this server and from another, and a client resumes where it was.
func TestTail(t *testing.T) {
	database := testdb.New(t)
	a, b := &service{t: t}, &service{t: t}
	a.url, b.url = a.serve(database.DSN()), b.serve(database.DSN())
	a.spec, b.spec = a.describe(), b.describe()
	a.createLog("acme")
	a.append("acme", `{"n":0}`)
	const appenders, each = 4, 50
	const total = 1 + appenders*each
	var appending sync.WaitGroup
	readers := map[string]*subscription{
		"this server": a.subscribe(a.url+"/logs/acme/tail?after=0", ""), "the other": b.subscribe(b.url+"/logs/acme/tail?after=0", ""),
	}
	for i := range appenders {
		appending.Go(func() {
			to := a
			if i%2 == 1 {
				to = b
			}
			for n := range each {
				event := fmt.Sprintf(`{"type":"t%d","n":%d}`, i, n)
				if _, err := to.try("POST", "/logs/acme/append", strings.NewReader(event)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for name, reader := range readers {
		for want := 1; want <= total; want++ {
			m := reader.want()
			if e := decode[readEvent](t, []byte(m.data)); m.event != "event" || m.id != strconv.Itoa(want) || e.Sequence != int64(want) {
				t.Fatalf("%s: event %d is %+v", name, want, m)
			}
			if want == total/2 { // a connection that is lost
				reader.close()
				reader = b.subscribe(b.url+"/logs/acme/tail?after=0", m.id)
			}
		}
	}
	appending.Wait()
	quiet := a.subscribe(a.url+"/logs/acme/tail?type=wanted", "")
	a.append("acme", `{"type":"other"}`)
	a.append("acme", "{\"type\":\n\"wanted\"}")
	m := quiet.want()
	if e := decode[readEvent](t, []byte(m.data)); m.id != strconv.Itoa(total+2) || e.sent() != "{\"type\":\n\"wanted\"}" {
		t.Errorf("the tail of a type starts with %+v", m)
	}
}

// TestLive: a watcher has every new answer, through a halt, a new version, and from both servers.
func TestLive(t *testing.T) {
	database := testdb.New(t)
	a, b := &service{t: t}, &service{t: t}
	a.url, b.url = a.serve(database.DSN()), b.serve(database.DSN())
	a.spec, b.spec = a.describe(), b.describe()
	a.createLog("acme")
	a.deployTotals("acme")
	event := func(tokens int) string {
		return fmt.Sprintf(`{"model":"m","tokens_in":%d,"tokens_out":0,"time":"2025-03-01T00:00:00Z"}`, tokens)
	}
	const path = "/logs/acme/views/totals/live?month=2025-03"
	here, there := a.subscribe(a.url+path, ""), b.subscribe(b.url+path, "")
	for i := range 5 {
		for name, reader := range map[string]*subscription{"here": here, "there": there} {
			want := string(a.want(http.StatusOK, a.call("GET", "/logs/acme/views/totals/query?month=2025-03", "")))
			if m := reader.want(); m.event != "answer" || m.id != strconv.Itoa(i) || m.data != want {
				t.Fatalf("%s after %d events: %+v; the query says %s", name, i, m, want)
			}
		}
		a.append("acme", event(1))
	}
	for _, reader := range []*subscription{here, there} {
		reader.want()
	}
	b.want(http.StatusCreated, b.call("POST", "/logs/acme/views/totals", string(views.RateCheck())))
	for name, reader := range map[string]*subscription{"here": here, "there": there} {
		if m := reader.want(); strings.Contains(m.data, `"tokens_in"`) {
			t.Errorf("%s: a new version's answer is %+v", name, m)
		}
	}
	a.want(http.StatusNoContent, a.call("DELETE", "/logs/acme/views/totals", ""))
	for name, reader := range map[string]*subscription{"here": here, "there": there} {
		if m := reader.want(); m.event != "problem" || m.id != "" || !strings.Contains(m.data, "view_retired") {
			t.Errorf("%s: a view that was retired says %+v", name, m)
		}
	}
}

func TestLiveRefusals(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	s.deployTotals("acme")
	s.append("acme", `{}`)
	s.wantProblem(http.StatusNotFound, "log_not_found", s.call("GET", "/logs/none/tail", ""))
	s.wantProblem(http.StatusNotFound, "view_not_found", s.call("GET", "/logs/acme/views/none/live", ""))
	s.wantProblem(http.StatusBadRequest, "query_refused", s.call("GET", "/logs/acme/views/totals/live?moth=3", ""))
	for _, id := range []string{"x", "-1", "1.5", "99999999999999999999", " "} {
		s.wantProblem(http.StatusBadRequest, "invalid_event_id", s.call("GET", "/logs/acme/tail?after=0", "", "Last-Event-ID: a"+id))
	}
	p := s.wantProblem(http.StatusConflict, "unknown_event_id", s.call("GET", "/logs/acme/tail", "", "Last-Event-ID: 2"), "ends at 1")
	if p.Head == nil || *p.Head != 1 {
		t.Errorf("the problem has no head: %+v", p)
	}
	s.wantProblem(http.StatusConflict, "unknown_event_id", s.call("GET", "/logs/acme/views/totals/live", "", "Last-Event-ID: 2"))
}

// TestLiveEndsWithItsServer: a server that stops ends its streams with a reason, and does not wait for their clients.
func TestLiveEndsWithItsServer(t *testing.T) {
	config := server.DefaultConfig()
	config.Listen, config.DatabaseURL, config.ModuleCacheDir, config.AllowUnsafeDatabase = "127.0.0.1:0", testdb.New(t).DSN(), modules, true
	running, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, url: running.URL()}
	s.spec = s.describe()
	s.createLog("acme")
	s.deployTotals("acme")
	tail, live := s.subscribe(s.url+"/logs/acme/tail?after=0", ""), s.subscribe(s.url+"/logs/acme/views/totals/live", "")
	live.want()
	http.DefaultClient.CloseIdleConnections()
	if err := running.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("stopping took the watchers for requests under way: %v", err)
	}
	for name, reader := range map[string]*subscription{"tail": tail, "live": live} {
		m, ok := reader.next()
		if !ok || m.event != "end" || m.id != "" || !strings.Contains(m.data, `"stopping"`) {
			t.Errorf("%s ends with %+v, %v", name, m, ok)
		}
		if m, ok := reader.next(); ok {
			t.Errorf("%s goes on with %+v", name, m)
		}
	}
}

// TestHeartbeat: a tail on which nothing happens shows now and then that it is there, and where a client would resume.
func TestHeartbeat(t *testing.T) {
	t.Parallel() // it takes as long as a heartbeat does
	s := start(t)
	s.createLog("acme")
	s.append("acme", `{}`)
	tail := s.subscribe(s.url+"/logs/acme/tail?after=1", "")
	id := ""
	for tail.lines.Scan() {
		switch line := tail.lines.Text(); {
		case strings.HasPrefix(line, "event: "):
			t.Fatalf("a log without new events says %s", line)
		case strings.HasPrefix(line, "id: "):
			id = line
		case strings.HasPrefix(line, ": still here"):
			if id != "id: 1" {
				t.Errorf("the stream is at %q", id)
			}
			return
		}
	}
	t.Errorf("the stream ended without a heartbeat: %v", tail.lines.Err())
}
