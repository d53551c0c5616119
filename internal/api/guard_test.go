package api_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/testrig"
)

// deployGuarded puts the guarded view on a log, or on a pattern of logs, as the JSON of deployment says.
func (s *service) deployGuarded(path, deployment string) {
	s.t.Helper()
	module := fmt.Sprintf("%x", sha256.Sum256(testrig.Guarded()))
	if r := s.call("PUT", "/modules/"+module, string(testrig.Guarded()), "Content-Type: application/wasm"); r.status/100 != 2 {
		s.t.Fatalf("uploading: %d: %s", r.status, r.body)
	}
	body := strings.Replace(deployment, "{", `{"module":"`+module+`",`, 1)
	s.want(http.StatusCreated, s.call("POST", path, body, "Content-Type: application/json"))
}

type refusalProblem struct {
	Status int
	Code   string
	View   string
	Line   int
	Answer json.RawMessage
}

// wantRefusal fails the test unless the response is the guard's refusal.
func (s *service) wantRefusal(r reply, want refusalProblem) {
	s.t.Helper()
	got := decode[refusalProblem](s.t, r.body)
	if want.Code = "refused_by_guard"; r.status != want.Status || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		s.t.Errorf("%d: %s; want %+v: %s", r.status, r.body, want, want.Answer)
	}
}

// TestGuardsOverHTTP: what a guard decides is what clients get, by each way of appending, on a log and on a pattern of logs.
func TestGuardsOverHTTP(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	s.deployGuarded("/logs/acme/views/quota", `{"config":{"limit":5}}`)
	s.deployGuarded("/views/quota?logs=customer-*", `{"config":{"limit":1},"on_halt":"refuse"}`)
	s.createLog("customer-1")
	const path, batch = "/logs/acme/append", "/logs/acme/append_batch"

	full := json.RawMessage(`{"used":4,"limit":5,"sequence":2}`)
	dry := s.call("POST", path+"?dry_run=true", `{"id":"a","units":4,"guard":"mark"}`)
	const would = `{"sequence":1,"guards":{"quota":{"used":4,"limit":5,"sequence":1}},"dry_run":true}`
	if strings.TrimSpace(string(dry.body)) != would {
		t.Errorf("a dry run: %d: %s", dry.status, dry.body)
	}
	s.want(http.StatusNotFound, s.call("GET", "/logs/acme/events/1", ""))
	for i, chunkedAgain := range []string{"", " "} { // the second is a duplicate, about which no guard is asked
		r := s.call("POST", path, `{"id":"a","units":4,"guard":"mark"}`+chunkedAgain)
		want := []string{
			`{"sequence":1,"guards":{"quota":{"used":4,"limit":5,"sequence":1}}}`, `{"sequence":1,"duplicate":true}`,
		}[i]
		if strings.TrimSpace(string(r.body)) != want {
			t.Errorf("append %d: %d: %s", i, r.status, r.body)
		}
	}
	for _, query := range []string{"", "?dry_run=true"} {
		s.wantRefusal(s.call("POST", path+query, `{"id":"b","units":2}`), refusalProblem{Status: 402, View: "quota", Answer: full})
		s.wantRefusal(s.call("POST", path+query, `{"guard":"403"}`), refusalProblem{Status: 403, View: "quota"})
		later := s.call("POST", path+query, `{"guard":"429"}`)
		s.wantRefusal(later, refusalProblem{Status: 429, View: "quota"})
		if later.header.Get("Retry-After") != "30" {
			t.Errorf("Retry-After: %q", later.header.Get("Retry-After"))
		}
		lines := "{\"id\":\"c\"}\n\n{\"id\":\"a\",\"units\":4,\"guard\":\"mark\"}\n{\"id\":\"d\"}\n"
		last := refusalProblem{Status: 402, View: "quota", Line: 4, Answer: json.RawMessage(`{"used":5,"limit":5,"sequence":3}`)}
		s.wantRefusal(s.call("POST", batch+query, lines), last)
	}
	both := string(s.call("POST", batch+"?dry_run=true", `[{"id":"c"},{"id":"a","units":4,"guard":"mark"}]`).body)
	if !strings.Contains(both, `"appended":1,`) || !strings.Contains(both, `"dry_run":true`) {
		t.Errorf("a dry run of a batch: %s", both)
	}
	s.append("acme", `{"id":"c"}`)
	s.wantRefusal(s.call("POST", path, `{"id":"d"}`), refusalProblem{
		Status: 402, View: "quota", Answer: json.RawMessage(`{"used":5,"limit":5,"sequence":3}`),
	})

	s.append("customer-1", `{}`)
	s.wantRefusal(s.call("POST", "/logs/customer-1/append", `{}`), refusalProblem{
		Status: 402, View: "quota", Answer: json.RawMessage(`{"used":1,"limit":1,"sequence":2}`),
	})
	for range 2 { // the view halts over the first
		r := s.call("POST", "/logs/customer-1/append", `{"guard":"trap"}`)
		s.wantProblem(http.StatusServiceUnavailable, "guard_halted", r, "quota", "resume")
		if r.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	v := s.call("GET", "/logs/customer-1/views/quota", "")
	for _, part := range []string{`"guard":true`, `"on_halt":"refuse"`, `"status":"halted"`, `its guard failed: `} {
		if !strings.Contains(string(v.body), part) {
			t.Errorf("the view has no %s: %s", part, v.body)
		}
	}
	s.wantProblem(http.StatusConflict, "nothing_to_skip", s.call("POST", "/logs/customer-1/views/quota/resume", `{"skip":true}`))
	s.want(http.StatusOK, s.call("POST", "/logs/customer-1/views/quota/resume", `{}`))
	s.wantRefusal(s.call("POST", "/logs/customer-1/append", `{}`), refusalProblem{
		Status: 402, View: "quota", Answer: json.RawMessage(`{"used":1,"limit":1,"sequence":2}`),
	})
	s.wantProblem(http.StatusUnprocessableEntity, "no_guard",
		s.call("POST", "/logs/acme/views/other", `{"ready":"meter","on_halt":"refuse"}`, "Content-Type: application/json"))
	s.wantProblem(http.StatusUnprocessableEntity, "invalid_on_halt",
		s.call("POST", "/logs/acme/views/other", `{"ready":"meter","on_halt":"stop"}`, "Content-Type: application/json"))
}

// TestGuardsOfSources: a delivery's lines are judged one by one, and those that are refused are kept as rejects, about which no guard is
// asked.
func TestGuardsOfSources(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	s.deployGuarded("/logs/acme/views/quota", `{"config":{"limit":2}}`)
	s.deployGuarded("/views/quota?logs=rejects-*", `{"config":{"limit":1},"on_halt":"refuse"}`)
	lines := strings.Repeat(`{"log":"acme","id":"%d"}`+"\n", 5)
	body := fmt.Sprintf(lines, 1, 2, 3, 1, 4)
	r := s.call("POST", "/events", body, "Content-Type: application/x-ndjson", "Accept: application/x-ndjson")
	results := string(r.body)
	if r.status != http.StatusOK || strings.Count(results, "refused_by_guard") != 2 || strings.Count(results, `"duplicate":true`) != 1 {
		t.Errorf("%d: %s", r.status, r.body)
	}
	if !strings.Contains(results, `"status":402,"view":"quota","answer":{"used":2,"limit":2,"sequence":3}}`) {
		t.Errorf("the line that was refused does not say by what: %s", results)
	}
	rejects := s.call("GET", "/logs/rejects-default/events", "")
	for _, part := range []string{`refused_by_guard`, `402`, `\"used\":2`} {
		if !strings.Contains(string(rejects.body), part) {
			t.Errorf("the log of rejects has no %s: %s", part, rejects.body)
		}
	}
	if n := strings.Count(string(rejects.body), "refused_by_guard"); n != 2 {
		t.Errorf("%d rejects are kept, want 2: %s", n, rejects.body)
	}
}
