package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/limits"
	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/views"
)

func limited(values limits.Values) func(*server.Config) {
	return func(c *server.Config) { c.Limits = values }
}

// limitOf returns the member limit of a problem, and fails the test unless the reply is a refusal with that code that says when to come
// back.
func (s *service) limitOf(r reply, code string, words ...string) string {
	s.t.Helper()
	s.wantProblem(http.StatusTooManyRequests, code, r, words...)
	if seconds, err := strconv.Atoi(r.header.Get("Retry-After")); err != nil || seconds < 1 {
		s.t.Errorf("Retry-After is %q", r.header.Get("Retry-After"))
	}
	var p struct{ Limit string }
	if err := json.Unmarshal(r.body, &p); err != nil {
		s.t.Error(err)
	}
	return p.Limit
}

// makeTenant makes a tenant with limits of its own, and returns the header by which a request acts in it.
func (s *service) makeTenant(name, limits string) (in string) {
	s.t.Helper()
	s.want(http.StatusCreated, s.call("POST", "/tenants", `{"name": "`+name+`", "limits": `+limits+`}`))
	return "Tally-Tenant: " + name
}

// TestRequestLimit: requests of all kinds count, the refusal has its headers, other tenants and health checks go on.
func TestRequestLimit(t *testing.T) {
	s := start(t)
	in := s.makeTenant("busy", `{"requests_per_second": 1}`)
	calls := []struct{ method, path, body string }{
		{"GET", "/logs", ""},
		{"POST", "/logs/none/append", "{}"},
		{"POST", "/logs/none/append?x=1", "{}"},
		{"GET", "/views", ""},
		{"POST", "/logs/none/append_batch", "{}"},
	}
	for _, c := range calls {
		var r reply
		for r.status != http.StatusTooManyRequests { // the second one, unless the machine takes a second for one
			r = s.call(c.method, c.path, c.body, in)
		}
		if got := s.limitOf(r, "too_many_requests", "requests_per_second", "tenant", "1"); got != "requests_per_second" {
			t.Errorf("%s %s: the limit is %q", c.method, c.path, got)
		}
		for name, want := range map[string]string{
			"Retry-After": "1", "RateLimit-Policy": `"requests";q=1;w=1`, "RateLimit": `"requests";r=0;t=1`,
		} {
			if got := r.header.Get(name); got != want {
				t.Errorf("%s %s: %s is %s, want %s", c.method, c.path, name, got, want)
			}
		}
	}
	for range 5 {
		s.want(http.StatusOK, s.call("GET", "/logs", ""))
		s.want(http.StatusOK, s.call("GET", "/healthz", "", in))
	}
}

// TestEventLimit: a batch of the largest size passes under any limit, and is paid for afterwards, by both kinds of append; what is refused
// is not stored.
func TestEventLimit(t *testing.T) {
	s := start(t, limited(limits.Values{limits.Events: 1}))
	s.createLog("l")
	batch := strings.Repeat("{}\n", ingest.MaxBatchEvents-1)
	s.want(http.StatusCreated, s.call("POST", "/logs/l/append_batch", batch))
	r := s.call("POST", "/logs/l/append_batch", batch)
	if got := s.limitOf(r, "too_many_requests", "events_per_second"); got != "events_per_second" {
		t.Errorf("the limit is %q", got)
	}
	if got := r.header.Get("RateLimit-Policy"); got != `"events";q=10000;qu="events";w=10000` {
		t.Errorf("RateLimit-Policy is %s", got)
	}
	stored := s.head("l").Sequence
	for _, path := range []string{"/logs/l/append", "/logs/l/append?"} { // directly, and by way of huma
		var r reply
		for r.status != http.StatusTooManyRequests { // the second one, unless the machine takes a second for one
			if r = s.call("POST", path, "{}"); r.status == http.StatusCreated {
				stored++
			}
		}
		if got := s.limitOf(r, "too_many_requests"); got != "events_per_second" {
			t.Errorf("the limit is %q", got)
		}
	}
	if got := s.head("l").Sequence; got != stored {
		t.Errorf("the log has %d events, want %d", got, stored)
	}
}

// TestByteLimit: a body counts before it is read where its length is known, and else as it arrives.
func TestByteLimit(t *testing.T) {
	s := start(t, limited(limits.Values{limits.Bytes: 1}))
	body := strings.Repeat(" ", ingest.MaxBatchBytes-1000)
	s.wantProblem(http.StatusBadRequest, "empty_batch", s.call("POST", "/logs/"+s.createLog("l")+"/append_batch", body))
	s.limitOf(s.call("POST", "/logs/l/append_batch", body[:5000]), "too_many_requests", "bytes_per_second")
	chunked, err := s.try("POST", "/logs/l/append_batch", struct{ io.Reader }{strings.NewReader(body[:5000])})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.limitOf(chunked, "too_many_requests", "bytes_per_second"); got != "bytes_per_second" {
		t.Errorf("the limit is %q", got)
	}
	if got := chunked.header.Get("RateLimit-Policy"); got != `"bytes";q=10485760;qu="content-bytes";w=10485760` {
		t.Errorf("RateLimit-Policy is %s", got)
	}
	s.want(http.StatusOK, s.call("GET", "/logs/l", ""))
}

// TestStreamLimit: tails and watched answers count until they end, whatever ends them.
func TestStreamLimit(t *testing.T) {
	s := start(t, limited(limits.Values{limits.Streams: 2}))
	s.createLog("l")
	s.deployTotals("l")
	tail, watch := s.subscribe(s.url+"/logs/l/tail", ""), s.subscribe(s.url+"/logs/l/views/totals/live?month=2025-03", "")
	for _, path := range []string{"/logs/l/tail", "/logs/l/views/totals/live?month=2025-03", "/logs/l/events?stream"} {
		r := s.call("GET", path, "")
		if got := s.limitOf(r, "limit_reached", "streams", "2 of 2"); got != "streams" {
			t.Errorf("%s: the limit is %q", path, got)
		}
		if got := r.header.Get("RateLimit-Policy"); got != `"streams";q=2;qu="concurrent-requests"` {
			t.Errorf("%s: RateLimit-Policy is %s", path, got)
		}
	}
	tail.close()
	s.await("the tail was over", func() bool { return s.call("GET", "/logs/l/events?stream", "").status == http.StatusOK })
	watch.close()
	for range 5 { // those that do not begin, and those that end, do not count
		s.wantProblem(http.StatusBadRequest, "invalid_event_id", s.call("GET", "/logs/l/tail?after=x", ""))
		s.wantProblem(http.StatusNotFound, "view_not_found", s.call("GET", "/logs/l/views/none/live", ""))
		s.await("the streams were over", func() bool { return s.call("GET", "/logs/l/events?stream", "").status == http.StatusOK })
	}
	for range 2 {
		defer s.subscribe(s.url+"/logs/l/tail", "").close()
	}
}

// TestCountLimits: a tenant makes as many logs, views and patterns as it may have, and what is refused for another reason does not count.
func TestCountLimits(t *testing.T) {
	s := start(t)
	in := s.makeTenant("small", `{"logs": 2, "views": 1, "patterns": 1}`)
	log := func(name string) reply { return s.call("POST", "/logs", `{"name": "`+name+`"}`, in) }
	for _, name := range []string{"one", "two"} {
		s.wantProblem(http.StatusBadRequest, "invalid_name", log("no name"))
		s.want(http.StatusCreated, log(name))
		s.wantProblem(http.StatusConflict, "name_taken", log("one"))
	}
	// One that is made while all are counted may be counted twice, until they are counted again, which is soon.
	s.await("the logs were counted", func() bool { return strings.Contains(string(log("three").body), "2 of 2") })
	if got := s.limitOf(log("three"), "limit_reached", "logs", "2 of 2", "operator"); got != "logs" {
		t.Errorf("the limit is %q", got)
	}
	s.createLog("three") // of the default tenant

	deploy := func(path, query string) reply { return s.call("POST", path+query, string(views.MonthlyTotals()), in) }
	s.want(http.StatusCreated, deploy("/logs/one/views/totals", ""))
	s.limitOf(deploy("/logs/two/views/totals", ""), "limit_reached", "views", "1 of 1")
	s.want(http.StatusCreated, deploy("/logs/one/views/totals", "?gas=1000000"))
	s.limitOf(deploy("/views/everywhere", "?logs=*"), "limit_reached", "views")

	s.want(http.StatusOK, s.call("PATCH", "/tenants/small", `{"limits": {"patterns": 1}}`))
	s.await("the new limits hold", func() bool { return log("three").status == http.StatusCreated })
	s.want(http.StatusCreated, deploy("/views/everywhere", "?logs=none-*"))
	s.limitOf(deploy("/views/elsewhere", "?logs=none-*"), "limit_reached", "patterns")
	s.want(http.StatusCreated, deploy("/views/everywhere", "?logs=none-*&gas=1000000"))
}

// TestLimitsOfTenants: they are stored, shown and checked.
func TestLimitsOfTenants(t *testing.T) {
	s := start(t)
	s.makeTenant("acme", `{"logs": 7, "streams": null, "views": 0}`)
	shown := func(body string) string {
		return string(decode[struct{ Limits json.RawMessage }](t, s.want(http.StatusOK, s.call("PATCH", "/tenants/acme", body))).Limits)
	}
	for _, c := range []struct{ change, want string }{
		{`{}`, `{"logs":7,"views":0}`},
		{`{"name": "acme"}`, `{"logs":7,"views":0}`},
		{`{"limits": {"events_per_second": 5}}`, `{"events_per_second":5}`},
		{`{"limits": {}}`, `{}`},
	} {
		if got := shown(c.change); got != c.want {
			t.Errorf("after %s the limits are %s, want %s", c.change, got, c.want)
		}
	}
	s.wantProblem(http.StatusUnprocessableEntity, "invalid_limits",
		s.call("PATCH", "/tenants/acme", `{"limits": {"logs": 9000000000000000}}`), "logs")
	for _, wrong := range []string{`{"logs": -1}`, `{"logs": 1.5}`, `{"log": 1}`, `{"logs": "1"}`, `[]`} {
		s.wantProblem(http.StatusUnprocessableEntity, "invalid_request", s.call("PATCH", "/tenants/acme", `{"limits": `+wrong+`}`))
	}
	const key = `{"name": "k", "scopes": ["append"], "limits": `
	s.wantProblem(http.StatusUnprocessableEntity, "invalid_limits", s.call("POST", "/keys", key+`{"logs": 1}}`), "logs", "key")
	made := decode[struct{ Limits json.RawMessage }](t, s.want(http.StatusCreated, s.call("POST", "/keys", key+`{"streams": 1}}`)))
	if string(made.Limits) != `{"streams":1}` {
		t.Errorf("the key's limits are %s", made.Limits)
	}
}

// TestKeyLimit: a key has limits of its own, which leave the tenant's other keys alone.
func TestKeyLimit(t *testing.T) {
	s := start(t)
	key := func(name, limits string) string {
		body := `{"name": "` + name + `", "scopes": ["append", "read"], "limits": ` + limits + `}`
		made := decode[struct{ Key string }](t, s.want(http.StatusCreated, s.call("POST", "/keys", body)))
		return "Authorization: Bearer " + made.Key
	}
	s.createLog("l")
	narrow, wide := key("narrow", `{"events_per_second": 1, "requests_per_second": 1000000}`), key("wide", `{}`)
	batch := strings.Repeat("{}\n", ingest.MaxBatchEvents)
	s.want(http.StatusCreated, s.call("POST", "/logs/l/append_batch", batch, narrow))
	r := s.call("POST", "/logs/l/append_batch", batch, narrow)
	s.limitOf(r, "too_many_requests", "events_per_second of the key")
	if got := r.header.Get("RateLimit-Policy"); !strings.HasPrefix(got, `"key-events";q=10000;`) {
		t.Errorf("RateLimit-Policy is %s", got)
	}
	s.want(http.StatusCreated, s.call("POST", "/logs/l/append_batch", batch, wide))
}

// TestStateLimit: a tenant with too much state appends to logs without views only, until it has retired some.
func TestStateLimit(t *testing.T) {
	s := start(t)
	in := s.makeTenant("large", `{}`)
	for _, name := range []string{"folding", "plain"} {
		s.want(http.StatusCreated, s.call("POST", "/logs", `{"name": "`+name+`"}`, in))
	}
	s.want(http.StatusCreated, s.call("POST", "/logs/folding/views/totals", string(views.MonthlyTotals()), in))
	event := `{"type": "api.call", "time": "2025-03-01T00:00:00Z", "model": "m", "tokens_in": 1, "tokens_out": 1}`
	s.want(http.StatusCreated, s.call("POST", "/logs/folding/append", event, in))
	s.want(http.StatusOK, s.call("PATCH", "/tenants/large", `{"limits": {"state_bytes": 1}}`))
	var r reply
	s.await("the state was measured", func() bool {
		r = s.call("POST", "/logs/folding/append", event, in)
		return r.status == http.StatusTooManyRequests
	})
	if got := s.limitOf(r, "limit_reached", "state_bytes", "retire"); got != "state_bytes" {
		t.Errorf("the limit is %q", got)
	}
	s.limitOf(s.call("POST", "/logs/folding/append_batch", event, in), "limit_reached", "state_bytes")
	s.limitOf(s.call("POST", "/logs/plain/views/totals", string(views.MonthlyTotals()), in), "limit_reached", "state_bytes")
	s.limitOf(s.call("POST", "/logs/folding/views/totals/rollback", `{"version": 1}`, in), "limit_reached", "state_bytes")
	s.want(http.StatusCreated, s.call("POST", "/logs/plain/append", event, in))
	s.want(http.StatusOK, s.call("GET", "/logs/folding/views/totals/query?month=2025-03", "", in))
	s.want(http.StatusNoContent, s.call("DELETE", "/logs/folding/views/totals", "", in))
	s.want(http.StatusCreated, s.call("POST", "/logs/folding/append", event, in)) // nothing folds it any more
}
