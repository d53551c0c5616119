package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/server"
)

func leastMemory(c *server.Config) { c.MemoryLimit = memory.LeastLimit }

// unread sends requests on so many connections, of which it reads the first line of an answer and nothing more.
func (s *service) unread(t *testing.T, connections int, requests string) (leave func()) {
	t.Helper()
	conns := make([]net.Conn, connections)
	for i := range conns {
		conns[i] = s.send(t, requests)
		if tcp, ok := conns[i].(*net.TCPConn); ok {
			_ = tcp.SetReadBuffer(4096) // the kernel's buffers are not what is measured
		}
		if _, err := bufio.NewReaderSize(conns[i], 16).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		for _, conn := range conns {
			_ = conn.Close()
		}
	}
}

// TestMemoryOfUnreadAnswers: clients that ask for much and read nothing use up the room for large answers, not the server's memory.
// Meanwhile appends and small answers go on, and large ones are refused until the clients have gone.
func TestMemoryOfUnreadAnswers(t *testing.T) {
	s := start(t, leastMemory)
	s.createLog("acme")
	s.createLog("quiet")
	event := `{"text":"` + strings.Repeat("x", mebibyte-100) + `"}`
	for range 9 {
		s.want(http.StatusCreated, s.call("POST", "/logs/acme/append", event))
	}
	s.want(http.StatusCreated, s.call("PUT", "/logs/acme/views/long", string(answering(`"`+strings.Repeat("x", mebibyte-2)+`"`))))
	s.want(http.StatusCreated, s.call("PUT", "/logs/quiet/views/short", string(haltingAt(63))))
	get := func(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n" }
	for _, c := range []struct {
		path     string
		clients  int
		requests int // of each, one after the other: more than the buffers of its connection take
	}{
		{"/logs/acme/events?limit=1000", 8, 2},
		{"/logs/acme/views/long/query", 48, 16},
	} {
		leave := s.unread(t, c.clients, strings.Repeat(get(c.path), c.requests))
		s.await("large answers are refused", func() bool {
			r := s.call("GET", c.path, "")
			if r.status == http.StatusServiceUnavailable {
				s.wantProblem(http.StatusServiceUnavailable, "busy", r, "no memory left")
			}
			return r.status == http.StatusServiceUnavailable
		})
		s.want(http.StatusCreated, s.call("POST", "/logs/quiet/append", `{}`))
		s.want(http.StatusOK, s.call("GET", "/logs/quiet/events", ""))
		s.want(http.StatusOK, s.call("GET", "/logs/quiet/views/short/query", ""))
		s.want(http.StatusOK, s.call("GET", "/logs?limit=5", ""))
		leave()
		s.await("there is room again", func() bool { return s.call("GET", c.path, "").status == http.StatusOK })
	}
}

// TestListsEndInTime: a page of logs whose labels are long is shorter than its limit allows, and all pages together list each log once.
func TestListsEndInTime(t *testing.T) {
	t.Parallel()
	s := start(t)
	labels := map[string]string{}
	for i := range eventlog.MaxLabels { // as long as they may be, and twice as long in JSON
		labels[fmt.Sprintf("%s%02d", strings.Repeat(`"`, eventlog.MaxLabelBytes-2), i)] = strings.Repeat(`"`, eventlog.MaxLabelBytes)
	}
	body := func(name string) string {
		text, err := json.Marshal(map[string]any{"name": name, "labels": labels})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var made, listed []string
	for i := range 120 {
		made = append(made, fmt.Sprintf("log-%03d", i))
		s.want(http.StatusCreated, s.call("POST", "/logs", body(made[i])))
	}
	for after, pages := "", 0; pages == 0 || after != ""; pages++ {
		r := s.call("GET", "/logs?limit=1000&cursor="+after, "")
		s.want(http.StatusOK, r)
		var page struct {
			Logs       []struct{ Name string }
			NextCursor string `json:"next_cursor"`
		}
		if err := json.Unmarshal(r.body, &page); err != nil {
			t.Fatal(err)
		}
		const most = 2 * mebibyte
		if len(r.body) > most {
			t.Errorf("page %d has %d logs and %d bytes", pages+1, len(page.Logs), len(r.body))
		}
		for _, l := range page.Logs {
			listed = append(listed, l.Name)
		}
		after = page.NextCursor
	}
	if !slices.Equal(listed, made) {
		t.Errorf("listed are %v", listed)
	}
}

// TestMemoryOfLiveAnswers: clients that watch as many long answers, and read nothing of them, use up the room for answers, not the server's
// memory: more are refused until the clients have gone. One answer is booked once, however many watch it.
func TestMemoryOfLiveAnswers(t *testing.T) {
	const clients = 64 // of answers of 1 MiB: the server has room for some forty
	s := start(t, leastMemory)
	s.createLog("acme")
	s.want(http.StatusCreated, s.call("PUT", "/logs/acme/views/long", string(answering(`"`+strings.Repeat("x", mebibyte-2)+`"`))))
	watch := func(question string) (status string, leave func()) {
		conn := s.send(t, "GET /logs/acme/views/long/live?"+question+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
		line, err := bufio.NewReaderSize(conn, 16).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return line, func() { _ = conn.Close() }
	}
	for _, c := range []struct {
		name     string
		question func(int) string
		fit      bool
	}{
		{"one question", func(int) string { return "same" }, true},
		{"different questions", func(i int) string { return fmt.Sprint("n=", i) }, false},
	} {
		refused, leaving := 0, []func(){}
		for i := range clients {
			status, leave := watch(c.question(i))
			leaving = append(leaving, leave)
			if strings.HasPrefix(status, "HTTP/1.1 503") {
				refused++
			} else if !strings.HasPrefix(status, "HTTP/1.1 200") {
				t.Errorf("%s: %s", c.name, status)
			}
		}
		if c.fit != (refused == 0) {
			t.Errorf("%s: %d of %d watchers are refused", c.name, refused, clients)
		}
		s.want(http.StatusCreated, s.call("POST", "/logs/acme/append", `{}`))
		for _, leave := range leaving {
			leave()
		}
		s.await("there is room again", func() bool {
			status, leave := watch("again")
			leave()
			return strings.HasPrefix(status, "HTTP/1.1 200")
		})
	}
}
