package api_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/views"
)

type patternView struct {
	Name, Logs, Status, Module, Actor string
	Version                           int
	Spreading                         bool
	Covers                            *covered
}

type covered struct {
	Matching, Live, Building, Halted, Retired, Waiting, Full, Own int64
	Progress                                                      struct{ Done, Total int64 }
}

// settled asks for a pattern until all of its logs have the newest version.
func (s *service) settled(view string) patternView {
	s.t.Helper()
	for {
		got := decode[patternView](s.t, s.want(http.StatusOK, s.call("GET", "/views/"+view, "")))
		if c := got.Covers; c == nil {
			s.t.Fatalf("the pattern's logs are not counted: %+v", got)
		} else if !got.Spreading && c.Live+c.Own+c.Full+c.Retired == c.Matching {
			return got
		}
	}
}

// TestPatternViews: deployed, replaced and retired by HTTP, with logs made before and after.
func TestPatternViews(t *testing.T) {
	s := start(t)
	for _, log := range []string{"customer-a", "customer-b", "other"} {
		s.createLog(log)
		s.append(log, `{"model":"m","time":"2025-03-01T00:00:00Z","tokens_in":1}`)
	}
	module := string(views.MonthlyTotals())
	deployed := decode[patternView](t, s.want(http.StatusCreated,
		s.call("POST", "/views/totals?logs=customer-*", module, "Tally-Actor: ada")))
	if deployed.Name != "totals" || deployed.Logs != "customer-*" || deployed.Version != 1 || deployed.Status != "active" ||
		deployed.Actor != "ada" || len(deployed.Module) != 64 {
		t.Errorf("deployed: %+v", deployed)
	}
	if got := *s.settled("totals").Covers; got.Matching != 2 || got.Live != 2 || got.Progress.Done != 2 || got.Progress.Total != 2 {
		t.Errorf("the logs: %+v", got)
	}
	s.createLog("customer-c")
	s.append("customer-c", `{"model":"m","time":"2025-03-01T00:00:00Z","tokens_in":7}`)
	body := s.want(http.StatusOK, s.call("GET", "/logs/customer-c/views/totals/query?month=2025-03", ""))
	if string(body) != `{"m":{"tokens_in":7,"tokens_out":0}}` {
		t.Errorf("a later log answers %s", body)
	}
	s.wantProblem(http.StatusNotFound, "view_not_found", s.call("GET", "/logs/other/views/totals/query", ""))

	s.want(http.StatusCreated, s.call("POST", "/logs/customer-a/views/totals", string(views.RateCheck())))
	named := fmt.Sprintf(`{"module":%q,"config":{},"gas":40000000}`, deployed.Module)
	again := decode[patternView](t, s.want(http.StatusCreated, s.call("PUT", "/views/totals", named)))
	if again.Version != 2 || again.Logs != "customer-*" {
		t.Errorf("deployed with more gas: %+v", again)
	}
	if got := *s.settled("totals").Covers; got.Matching != 3 || got.Live != 2 || got.Own != 1 {
		t.Errorf("the logs: %+v", got)
	}
	list := decode[struct{ Views []patternView }](t, s.want(http.StatusOK, s.call("GET", "/views", ""))).Views
	if len(list) != 1 || list[0].Name != "totals" || list[0].Covers != nil {
		t.Errorf("listed: %+v", list)
	}
	s.wantProblem(http.StatusConflict, "pattern_differs", s.call("POST", "/views/totals?logs=*", module), "customer-*")

	s.want(http.StatusOK, s.call("DELETE", "/views/totals", "", "Tally-Actor: grace"))
	for s.call("GET", "/views/totals", "").status == http.StatusOK {
	}
	s.wantProblem(http.StatusGone, "view_retired", s.call("GET", "/logs/customer-b/views/totals/query", ""))
	s.want(http.StatusOK, s.call("GET", "/logs/customer-a/views/totals/query?time=2025-03-01T00:00:00Z", ""))
	s.wantProblem(http.StatusNotFound, "pattern_not_found", s.call("DELETE", "/views/totals", ""))
	s.wantProblem(http.StatusNotFound, "pattern_not_found", s.call("GET", "/views/totals", ""))

	s.want(http.StatusCreated, s.call("POST", "/views/totals?logs=*", module))
	if got := *s.settled("totals").Covers; got.Matching != 4 || got.Live != 3 || got.Own != 1 {
		t.Errorf("the logs: %+v", got)
	}
	if got := decode[patternView](t, s.want(http.StatusOK, s.call("DELETE", "/views/totals?keep=true", ""))); got.Status != "retired" {
		t.Errorf("retired: %+v", got)
	}
	s.want(http.StatusOK, s.call("GET", "/logs/other/views/totals/query", ""))
}

// TestRefusedPatterns: nothing is recorded of what is refused.
func TestRefusedPatterns(t *testing.T) {
	s := start(t)
	before := s.stored()
	module := string(views.MonthlyTotals())
	s.wantProblem(http.StatusUnprocessableEntity, "invalid_pattern", s.call("POST", "/views/totals", module), "customer-*")
	s.wantProblem(http.StatusUnprocessableEntity, "invalid_pattern", s.call("POST", "/views/totals?logs=a%20b", module), "letters, digits")
	s.wantProblem(http.StatusUnprocessableEntity, "invalid_pattern", s.call("POST", "/views/totals?logs="+strings.Repeat("*", 9), module),
		"9 stars", "at most 8")
	s.wantProblem(http.StatusUnprocessableEntity, "invalid_request", s.call("POST", "/views/totals?logs="+strings.Repeat("a", 201), module))
	s.wantProblem(http.StatusBadRequest, "invalid_name", s.call("POST", "/views/to%20tals?logs=*", module))
	s.wantProblem(http.StatusBadRequest, "invalid_actor",
		s.call("POST", "/views/totals?logs=*", module, "Tally-Actor: "+strings.Repeat("a", 201)))
	s.wantProblem(http.StatusBadRequest, "invalid_actor", s.call("DELETE", "/views/totals", "", "Tally-Actor: "+strings.Repeat("a", 201)))
	s.wantProblem(http.StatusUnprocessableEntity, "not_wasm", s.call("POST", "/views/totals?logs=*", "no wasm"))
	s.wantProblem(http.StatusNotFound, "module_not_found",
		s.call("POST", "/views/totals?logs=*", `{"module":"`+strings.Repeat("0", 64)+`"}`))
	s.wantProblem(http.StatusUnprocessableEntity, "not_reproducible",
		s.call("POST", "/views/totals?logs=*", string(testrig.CountingGlobal())), "event 2", `"n"`, "globals")
	s.wantProblem(http.StatusMethodNotAllowed, "method_not_allowed", s.call("POST", "/views", module), "GET")
	if after := s.stored(); after != before {
		t.Errorf("stored %+v, before %+v", after, before)
	}
}

type auditReport struct {
	OK               bool
	View             string
	Version          int
	Sequence, Events int64
	Skipped, Keys    int64
	Ways             []string
	Seconds          float64
	Difference       *struct {
		Way, Key        string
		Sequence        int64
		Expected, Found *string
	}
}

// TestAudits: what an audit finds, and why one cannot be made.
func TestAudits(t *testing.T) {
	s := start(t)
	id := s.createLog("acme")
	s.wantProblem(http.StatusUnprocessableEntity, "not_reproducible",
		s.call("POST", "/logs/acme/views/v", string(testrig.CountingGlobal())), "event 2", `"n"`)
	s.deployTotals("acme")
	for range 3 {
		s.append("acme", `{"model":"m","time":"2025-03-01T00:00:00Z","tokens_in":1}`)
	}
	audit := func(query string) auditReport {
		t.Helper()
		return decode[auditReport](t, s.want(http.StatusOK, s.call("POST", "/logs/acme/views/totals/audit"+query, "")))
	}
	if got := audit(""); !got.OK || got.View != "totals" || got.Version != 1 || got.Sequence != 3 || got.Events != 3 || got.Keys != 1 ||
		len(got.Ways) != 5 || got.Seconds <= 0 || got.Difference != nil {
		t.Errorf("audited: %+v", got)
	}
	body := s.want(http.StatusOK, s.call("POST", "/logs/acme/views/totals/audit", "", "Accept: application/x-ndjson"))
	lines := bytes.Split(bytes.TrimSpace(body), []byte("\n"))
	type line struct {
		Progress *struct {
			What        string
			Done, Total int64
		}
		Report  *auditReport
		Problem *problem
	}
	if p := decode[line](t, lines[0]).Progress; p == nil || p.What != "totals" || p.Total != 3 {
		t.Errorf("in lines it begins with %s", lines[0])
	}
	if r := decode[line](t, lines[len(lines)-1]).Report; r == nil || !r.OK || r.Events != 3 {
		t.Errorf("in lines it ends with %s", lines[len(lines)-1])
	}
	body = s.want(http.StatusOK, s.call("POST", "/logs/acme/views/none/audit", "", "Accept: application/x-ndjson"))
	if p := decode[line](t, body).Problem; p == nil || p.Code != "view_not_found" {
		t.Errorf("in lines, of no view: %s", body)
	}
	edit := func(statement string) {
		t.Helper()
		if _, err := s.db.Exec(t.Context(), statement, id); err != nil {
			t.Fatal(err)
		}
	}
	testrig.StateToRows(t, s.db.Config().ConnString())
	edit(`UPDATE view_state_rows SET value = '{"tokens_in":4,"tokens_out":0}' WHERE log_id = $1`)
	got := audit("?version=1")
	if d := got.Difference; got.OK || d == nil || d.Way != "stored state" || d.Key != "2025-03/m" || d.Sequence != 3 ||
		d.Expected == nil || *d.Expected != `{"tokens_in":3,"tokens_out":0}` || d.Found == nil ||
		*d.Found != `{"tokens_in":4,"tokens_out":0}` {
		t.Errorf("with an edited value: %+v", got)
	}
	edit(`DELETE FROM view_state_rows WHERE log_id = $1`)
	if d := audit("").Difference; d == nil || d.Expected == nil || d.Found != nil {
		t.Errorf("with a value removed: %+v", d)
	}
	s.wantProblem(http.StatusNotFound, "view_not_found", s.call("POST", "/logs/acme/views/none/audit", ""))
	s.wantProblem(http.StatusNotFound, "log_not_found", s.call("POST", "/logs/none/views/totals/audit", ""))
	s.wantProblem(http.StatusNotFound, "version_not_found", s.call("POST", "/logs/acme/views/totals/audit?version=2", ""))
	s.wantProblem(http.StatusUnprocessableEntity, "invalid_request", s.call("POST", "/logs/acme/views/totals/audit?version=x", ""))
	edit(`UPDATE view_versions SET state = 'dropped', status = 'retired', recent_stored = true WHERE log_id = $1`)
	s.wantProblem(http.StatusGone, "state_not_kept", s.call("POST", "/logs/acme/views/totals/audit", ""), "rollback")
}
