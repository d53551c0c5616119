package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

// versionInfo is what the versions of a view say beyond viewInfo.
type versionInfo struct {
	viewInfo
	Gas         int64
	Actor       string
	StateKept   bool       `json:"state_kept"`
	HaltedEvent string     `json:"halted_event"`
	LiveAt      *time.Time `json:"live_at"`
	HaltedAt    *time.Time `json:"halted_at"`
	RetiredAt   *time.Time `json:"retired_at"`
}

type deed struct {
	Version  int
	Action   string
	Actor    string
	Sequence int64
	Detail   string
	At       time.Time
}

type life struct {
	Versions   []versionInfo
	NextCursor string `json:"next_cursor"`
	Actions    []deed
}

func (s *service) life(path string) life {
	s.t.Helper()
	return decode[life](s.t, s.want(http.StatusOK, s.call("GET", path+"/versions", "")))
}

// TestLifeOfAView deploys, replaces, rolls back, retires and brings back a view by HTTP, and reads what was done by whom.
func TestLifeOfAView(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	const v = "/logs/acme/views/v"
	ada, grace := "Tally-Actor: ada@example.com", "Tally-Actor: Grace Höpper"
	s.append("acme", `{"model":"m","tokens_in":1}`)
	first := decode[versionInfo](t, s.want(http.StatusCreated, s.call("POST", v+"?gas=1000000", string(views.MonthlyTotals()), ada)))
	if first.Gas != 1_000_000 || first.Actor != "ada@example.com" || !first.StateKept || first.LiveAt == nil || first.RetiredAt != nil {
		t.Errorf("deployed: %+v", first)
	}
	body := fmt.Sprintf(`{"module": %q, "gas": 1000000}`, first.Module)
	again := decode[versionInfo](t, s.want(http.StatusOK, s.call("PUT", v, body, grace)))
	if again.Version != 1 || again.Actor != first.Actor {
		t.Errorf("the same again: %+v", again)
	}
	s.want(http.StatusCreated, s.call("POST", v, string(views.RateCheck()), grace))
	s.append("acme", `{"model":"m","tokens_in":2}`)
	back := decode[versionInfo](t, s.want(http.StatusOK, s.call("POST", v+"/rollback", `{"version": 1}`, grace)))
	if back.Version != 1 || back.Status != "live" || back.Applied != 2 {
		t.Errorf("rolled back: %+v", back)
	}
	if r := s.call("GET", v+"/query", ""); !strings.Contains(string(r.body), `"tokens_in":3`) {
		t.Errorf("after the rollback: %d: %s", r.status, r.body)
	}
	if r := s.call("DELETE", v, "", ada); r.status != http.StatusNoContent || len(r.body) != 0 {
		t.Errorf("retired: %d: %s", r.status, r.body)
	}
	s.wantProblem(http.StatusGone, "view_retired", s.call("GET", v+"/query", ""), "deploy", "rollback")
	s.wantProblem(http.StatusGone, "view_retired", s.call("GET", v, ""))
	s.wantProblem(http.StatusGone, "view_retired", s.call("DELETE", v, ""))
	if got := s.views("/logs/acme/views"); len(got) != 0 {
		t.Errorf("views that are not retired: %+v", got)
	}
	s.append("acme", `{"model":"m","tokens_in":4}`)

	l := s.life(v)
	if len(l.Versions) != 2 || l.NextCursor != "" || l.Versions[0].Version != 2 || l.Versions[1].Version != 1 {
		t.Errorf("versions: %+v", l)
	}
	for _, version := range l.Versions {
		if version.Status != "retired" || version.RetiredAt == nil || version.LiveAt == nil || !version.StateKept {
			t.Errorf("version %d: %+v", version.Version, version)
		}
	}
	var deeds []string
	for _, d := range slices.Backward(l.Actions) {
		deeds = append(deeds, strings.TrimSpace(fmt.Sprintf("%s %d %s", d.Action, d.Version, d.Actor)))
		if d.At.IsZero() {
			t.Errorf("%+v happened at no time", d)
		}
	}
	want := []string{
		"deploy 1 ada@example.com", "live 1", "deploy 2 Grace Höpper", "retire 1", "live 2",
		"rollback 1 Grace Höpper", "retire 2", "live 1", "retire 1 ada@example.com",
	}
	if !slices.Equal(deeds, want) {
		t.Errorf("what was done:\n%q, want\n%q", deeds, want)
	}
	page := decode[life](t, s.want(http.StatusOK, s.call("GET", v+"/versions?limit=1", "")))
	if len(page.Versions) != 1 || page.NextCursor != "2" {
		t.Errorf("the first page: %+v", page)
	}
	page = decode[life](t, s.want(http.StatusOK, s.call("GET", v+"/versions?limit=1&cursor=2", "")))
	if len(page.Versions) != 1 || page.Versions[0].Version != 1 || page.NextCursor != "" {
		t.Errorf("the second page: %+v", page)
	}
	s.want(http.StatusOK, s.call("POST", v+"/rollback", `{"version": 1}`))
	if r := s.call("GET", v+"/query", ""); !strings.Contains(string(r.body), `"tokens_in":7`) {
		t.Errorf("brought back: %d: %s", r.status, r.body)
	}
}

// TestResumeByHTTP resumes a halted view at its event and past it.
func TestResumeByHTTP(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	const v = "/logs/acme/views/v"
	s.want(http.StatusCreated, s.call("POST", v, string(haltingAt(2))))
	s.wantProblem(http.StatusConflict, "view_not_halted", s.call("POST", v+"/resume", `{}`))
	s.want(http.StatusCreated, s.call("POST", "/logs/acme/append_batch", "{}\n{\"which\": \"the bad one\"}\n{}"))
	halted := decode[life](t, s.want(http.StatusOK, s.call("GET", v+"/versions", ""))).Versions[0]
	if halted.HaltedSequence != 2 || halted.HaltedEvent != `{"which": "the bad one"}` || halted.HaltedAt == nil {
		t.Errorf("halted: %+v", halted)
	}
	again := decode[versionInfo](t, s.want(http.StatusOK, s.call("POST", v+"/resume", `{"skip": false, "gas": 2000000}`)))
	if again.Status != "halted" || again.HaltedSequence != 2 || again.Gas != 2_000_000 {
		t.Errorf("resumed at its event: %+v", again)
	}
	s.wantProblem(http.StatusConflict, "view_halted", s.call("POST", v+"/rollback", `{"version": 1}`), "event 2", "resume")
	resumed := decode[versionInfo](t, s.want(http.StatusOK,
		s.call("POST", v+"/resume", `{"skip": true, "version": 1, "reason": "known bad"}`, "Tally-Actor: ada")))
	if resumed.Status != "live" || resumed.Applied != 3 || resumed.HaltedEvent != "" || resumed.HaltedAt != nil {
		t.Errorf("resumed past its event: %+v", resumed)
	}
	if r := s.call("GET", v+"/query", ""); r.status != http.StatusOK || r.header.Get("Tally-Sequence") != "3" {
		t.Errorf("after it was resumed: %d: %s", r.status, r.body)
	}
	for _, d := range s.life(v).Actions {
		if d.Action == "skip" && (d.Actor != "ada" || d.Detail != "known bad" || d.Sequence != 2) {
			t.Errorf("what was recorded: %+v", d)
		}
	}
}

// TestRefusedLife: what cannot be done is a problem, and changes nothing.
func TestRefusedLife(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	const v = "/logs/acme/views/v"
	s.want(http.StatusCreated, s.call("POST", v, string(haltingAt(1))))
	s.append("acme", `{}`)
	before, done := s.stored(), s.life(v)
	long := "Tally-Actor: " + strings.Repeat("a", 201)
	for name, test := range map[string]struct {
		method, path, body, header string
		status                     int
		code                       string
	}{
		"deploy: long actor":           {"POST", v, string(haltingAt(2)), long, 400, "invalid_actor"},
		"deploy: actor with a control": {"POST", v, string(haltingAt(2)), "Tally-Actor: a\tb", 400, "invalid_actor"},
		"deploy: too much gas": {
			"POST", v + fmt.Sprintf("?gas=%d", view.MaxFoldGas+1), string(haltingAt(2)), "", 422, "invalid_gas",
		},
		"deploy: negative gas":     {"POST", v + "?gas=-1", string(haltingAt(2)), "", 422, "invalid_gas"},
		"deploy: gas is no number": {"POST", v + "?gas=much", string(haltingAt(2)), "", 422, "invalid_request"},
		"rollback: no body":        {"POST", v + "/rollback", "", "", 400, "body_missing"},
		"rollback: no version":     {"POST", v + "/rollback", "{}", "", 422, "invalid_request"},
		"rollback: version 0":      {"POST", v + "/rollback", `{"version": 0}`, "", 422, "invalid_request"},
		"rollback: other version":  {"POST", v + "/rollback", `{"version": 2}`, "", 404, "version_not_found"},
		"rollback: other view":     {"POST", "/logs/acme/views/w/rollback", `{"version": 1}`, "", 404, "view_not_found"},
		"rollback: other log":      {"POST", "/logs/nobody/views/v/rollback", `{"version": 1}`, "", 404, "log_not_found"},
		"rollback: long actor":     {"POST", v + "/rollback", `{"version": 1}`, long, 400, "invalid_actor"},
		"resume: other version":    {"POST", v + "/resume", `{"version": 2}`, "", 404, "version_not_found"},
		"resume: other view":       {"POST", "/logs/acme/views/w/resume", `{}`, "", 404, "view_not_found"},
		"resume: other member":     {"POST", v + "/resume", `{"skipp": true}`, "", 422, "invalid_request"},
		"resume: too much gas":     {"POST", v + "/resume", fmt.Sprintf(`{"gas": %d}`, view.MaxFoldGas+1), "", 422, "invalid_gas"},
		"resume: reason with C1":   {"POST", v + "/resume", `{"reason": "a\u009b31m"}`, "", 422, "invalid_reason"},
		"resume: reason with NUL":  {"POST", v + "/resume", `{"reason": "a\u0000"}`, "", 422, "invalid_reason"},
		"resume: long reason": {
			"POST", v + "/resume", fmt.Sprintf(`{"reason": %q}`, strings.Repeat("x", view.MaxReasonBytes+1)), "", 422, "invalid_reason",
		},
		"resume: large body": {
			"POST", v + "/resume", fmt.Sprintf(`{"reason": %q}`, strings.Repeat("x", 20<<10)), "", 413, "body_too_large",
		},
		"resume: long actor":   {"POST", v + "/resume", `{}`, long, 400, "invalid_actor"},
		"retire: other view":   {"DELETE", "/logs/acme/views/w", "", "", 404, "view_not_found"},
		"retire: long actor":   {"DELETE", v, "", long, 400, "invalid_actor"},
		"versions: other view": {"GET", "/logs/acme/views/w/versions", "", "", 404, "view_not_found"},
		"versions: large page": {"GET", v + "/versions?limit=201", "", "", 422, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			headers := []string{}
			if test.header != "" {
				headers = append(headers, test.header)
			}
			s.wantProblem(test.status, test.code, s.call(test.method, test.path, test.body, headers...))
		})
	}
	if after := s.stored(); after != before {
		t.Errorf("refusals changed what is stored: %+v, before %+v", after, before)
	}
	if l := s.life(v); fmt.Sprint(l.Actions) != fmt.Sprint(done.Actions) {
		t.Errorf("refusals were recorded as done: %+v", l.Actions)
	}
}

// TestServerGas: a version is deployed with the server's budget unless it brings its own.
func TestServerGas(t *testing.T) {
	s := start(t, func(c *server.Config) { c.FoldGas = 7_000_000 })
	s.createLog("acme")
	s.deployTotals("acme")
	if got := s.life("/logs/acme/views/totals").Versions[0].Gas; got != 7_000_000 {
		t.Errorf("the version's gas is %d", got)
	}
}

// TestAnswersOfOtherTypes: a view's answer has the type that the view sets, and browsers must not sniff another.
func TestAnswersOfOtherTypes(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	s.append("acme", `{"v":1.50}`)
	const v = "/logs/acme/views/sums"
	s.want(http.StatusCreated, s.call("POST", v+"?config=%7B%22value%22:%22/v%22,%22aggregations%22:%5B%22sum%22%5D%7D",
		string(views.Meter())))
	for query, want := range map[string]string{"": "application/json", "?format=csv": "text/csv; charset=utf-8"} {
		r := s.call("GET", v+"/query"+query, "")
		if r.status != http.StatusOK || r.header.Get("Content-Type") != want || r.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q is answered with %d as %q: %s", query, r.status, r.header.Get("Content-Type"), r.body)
		}
	}
}
