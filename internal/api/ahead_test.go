package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/server"
)

// aheadAnswer is an answer to an append, whose ahead is true, or to a batch, whose ahead is a number.
type aheadAnswer struct {
	Sequence  int64
	Duplicate bool
	Ahead     any
}

func (s *service) warnings() []string {
	s.t.Helper()
	return decode[struct{ Warnings []string }](s.t, s.want(http.StatusOK, s.call("GET", "/readyz", ""))).Warnings
}

// TestTimesAhead: an event whose time is more than a day ahead is reported to its sender and to the operator.
func TestTimesAhead(t *testing.T) {
	s := start(t)
	id := s.createLog("acme")
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
	post := func(path, body string) aheadAnswer {
		t.Helper()
		r := s.call("POST", "/logs/acme/"+path, body)
		if r.status != http.StatusCreated && r.status != http.StatusOK {
			t.Fatalf("%s %s: %d %s", path, body, r.status, r.body)
		}
		return decode[aheadAnswer](t, r.body)
	}
	for _, body := range []string{`{}`, `{"time":"2025-03-01T10:05:30Z"}`, fmt.Sprintf(`{"time":%q}`, in(23*time.Hour))} {
		if got := post("append", body); got.Ahead != nil {
			t.Errorf("%s is answered %+v", body, got)
		}
	}
	if got := s.warnings(); len(got) != 0 {
		t.Errorf("warnings before there is something to warn of: %q", got)
	}
	if got := post("append", `{"id":"a","time":"9000-01-01T00:00:00Z"}`); got.Ahead != true || got.Sequence != 4 {
		t.Errorf("the year 9000: %+v", got)
	}
	if got := post("append", `{"id":"a","time":"9000-01-01T00:00:00Z"}`); got.Ahead != nil || !got.Duplicate {
		t.Errorf("its retry: %+v", got)
	}
	batch := fmt.Sprintf(`[{"time":%q},{},{"id":"a","time":"9000-01-01T00:00:00Z"},{"time":"2999-01-01T00:00:00Z"}]`, in(25*time.Hour))
	if got := post("append_batch", batch); got.Ahead != 2.0 {
		t.Errorf("a batch with two: %+v", got)
	}
	if got := s.warnings(); len(got) != 1 || !strings.Contains(got[0], "recorded: 3;") || !strings.Contains(got[0], "event 7 of log "+id) {
		t.Errorf("the warnings are %q", got)
	}
}

// TestMaxEventAhead: a server with a limit refuses new events beyond it, with their place in a batch, and goes on answering retries of old
// ones.
func TestMaxEventAhead(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	s.append("acme", `{"id":"old","time":"9000-01-01T00:00:00Z"}`)
	s.url = s.serve(s.db.Config().ConnString(), func(c *server.Config) { c.MaxEventAhead = time.Hour })
	in := func(d time.Duration) string {
		return fmt.Sprintf(`{"time":%q}`, time.Now().Add(d).UTC().Format(time.RFC3339))
	}
	s.append("acme", in(55*time.Minute))
	before := s.stored()
	s.wantProblem(http.StatusBadRequest, "event_too_far_ahead",
		s.call("POST", "/logs/acme/append", in(2*time.Hour)), "1h0m0s", "ahead of now")
	s.wantProblem(http.StatusBadRequest, "event_too_far_ahead",
		s.call("POST", "/logs/acme/append", `{"id":"new","time":"9000-01-01T00:00:00Z"}`), "9000-01-01T00:00:00Z")
	p := s.wantProblem(http.StatusBadRequest, "event_too_far_ahead",
		s.call("POST", "/logs/acme/append_batch", "{}\n\n"+in(2*time.Hour)+"\n{}"), "line 3: ")
	if p.Line != 3 {
		t.Errorf("the line is %d", p.Line)
	}
	if after := s.stored(); after != before {
		t.Errorf("something was stored: %+v, before it %+v", after, before)
	}
	retry := s.want(http.StatusOK, s.call("POST", "/logs/acme/append", `{"id":"old","time":"9000-01-01T00:00:00Z"}`))
	if got := decode[appended](t, retry); got.Sequence != 1 || !got.Duplicate {
		t.Errorf("a retry of what was stored without a limit: %+v", got)
	}
	s.append("acme", in(-100*365*24*time.Hour))
}
