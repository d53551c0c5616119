package api_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/internal/server"
)

// logged holds a server's log.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// lines returns what was logged, as it has been since the last call.
func (l *logged) lines(t *testing.T) (all []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, entry)
	}
	l.text.Reset()
	return all
}

// TestFailuresAreLoggedOnce: a request that the server could not do leaves one line in its log, which says which request it was; its client
// is told the line's id.
func TestFailuresAreLoggedOnce(t *testing.T) {
	var log logged
	s := start(t, func(c *server.Config) {
		c.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	})
	id := s.createLog("acme")
	s.append("acme", `{"n":1}`)
	log.lines(t)
	if _, err := s.db.Exec(t.Context(), "ALTER TABLE events RENAME TO events_away; ALTER TABLE logs RENAME TO logs_away"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ method, path, body, log string }{
		{"POST", "/logs/acme/append", `{"n":2}`, id},
		{"POST", "/logs/acme/append_batch", `[{"n":2},{"n":3}]`, id},
		{"GET", "/logs/acme/events", "", id},
		{"GET", "/logs", "", ""},
		{"POST", "/logs", `{"name":"b"}`, ""},
		{"GET", "/logs/" + strings.Repeat("x", 200), "", ""},
	} {
		r := s.call(c.method, c.path, c.body)
		p := decode[struct {
			Status    int
			RequestID string `json:"request_id"`
		}](t, r.body)
		if p.Status != http.StatusInternalServerError || p.RequestID == "" || p.RequestID != r.header.Get("Tally-Request-Id") {
			t.Errorf("%s %s is answered %s, with the request id %q", c.method, c.path, r.body, r.header.Get("Tally-Request-Id"))
		}
		lines := log.lines(t)
		if len(lines) != 1 {
			t.Errorf("%s %s left %d lines in the log: %v", c.method, c.path, len(lines), lines)
			continue
		}
		line := lines[0]
		if logOf, _ := line["log"].(string); line["method"] != c.method || line["path"] != c.path || line["request_id"] != p.RequestID ||
			logOf != c.log ||
			line["status"] != float64(r.status) || line["error"] == nil {
			t.Errorf("%s %s is logged as %v", c.method, c.path, line)
		}
	}
	// What the client is to blame for is not logged, and is not told an id in its problem; the header is there all the same.
	r := s.call("POST", "/logs/acme/append", `{"n":`)
	s.wantProblem(http.StatusBadRequest, "invalid_json", r)
	if bytes.Contains(r.body, []byte("request_id")) || !regexp.MustCompile("^[0-9a-f]{16}$").MatchString(r.header.Get("Tally-Request-Id")) {
		t.Errorf("a client's mistake is answered %s, %v", r.body, r.header)
	}
	if lines := log.lines(t); len(lines) != 0 {
		t.Errorf("a client's mistake is logged: %v", lines)
	}
	if other := s.call("GET", "/healthz", "").header.Get("Tally-Request-Id"); other == "" || other == r.header.Get("Tally-Request-Id") {
		t.Errorf("the next request has the id %q", other)
	}
}
