package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/views"
)

type readyView struct {
	Name, Title, Description string
	Gas                      int64
	Versions                 []struct {
		Version int
		Module  string
		Release string
	}
	Config map[string]any
}

// TestReadyViews: each ready view can be deployed by its name, on a log and on a pattern, without a byte of it.
func TestReadyViews(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	listed := decode[struct{ Views []readyView }](t, s.want(http.StatusOK, s.call("GET", "/ready-views", ""))).Views
	names := make([]string, len(listed))
	for i, ready := range listed {
		names[i] = ready.Name
		newest := ready.Versions[len(ready.Versions)-1]
		if ready.Title == "" || ready.Description == "" || ready.Gas != 50_000_000 || ready.Config["$schema"] == nil ||
			newest.Version != len(ready.Versions) {
			t.Errorf("listed: %+v", ready)
		}
		body := `{"ready":"` + ready.Name + `"}`
		if ready.Name == "quota" { // which limits nothing without a configuration, and so needs one
			body = `{"ready":"quota","config":{"limits":[{"name":"calls","window":"month","limit":1000}]}}`
		}
		deployed := decode[viewInfo](t, s.want(http.StatusCreated, s.call("POST", "/logs/acme/views/"+ready.Name, body)))
		if deployed.Module != newest.Module || deployed.Status != "live" {
			t.Errorf("%s: %+v", ready.Name, deployed)
		}
		everywhere := decode[shownReady](t, s.want(http.StatusCreated,
			s.call("POST", "/views/"+ready.Name+"-all?logs=ac*", body)))
		if want := fmt.Sprintf("%s@%d", ready.Name, newest.Version); everywhere.Ready != want {
			t.Errorf("on a pattern it is shown as %q, not %q", everywhere.Ready, want)
		}
	}
	if got, want := strings.Join(names, " "), "cost_by_team meter monthly_totals quota rate_check"; got != want {
		t.Errorf("listed are %s, not %s", got, want)
	}
	body := `{"ready":"meter","gas":40000000,"config":{"value":"/tokens","aggregations":["sum"]}}`
	s.want(http.StatusCreated, s.call("PUT", "/logs/acme/views/tokens", body))
	s.append("acme", `{"tokens":12}`)
	answer := s.want(http.StatusOK, s.call("GET", "/logs/acme/views/tokens/query", ""))
	if !strings.Contains(string(answer), `"sum":"12"`) {
		t.Errorf("answered %s", answer)
	}
}

// catalogs are the ready views of two servers, the second of a later release: its meter is another module, its monthly_totals the same.
func catalogs() (earlier, later views.Catalog) {
	meters := [][]byte{append([]byte(views.Meter()), 0, 2, 1, '1'), views.Meter()}
	version := func(release string, code []byte) views.ReadyVersion {
		return views.ReadyVersion{SHA256: hashOf(code), Release: release, Module: code}
	}
	totals := views.Ready{Name: "monthly_totals", Config: json.RawMessage(`{}`), Versions: []views.ReadyVersion{
		version("1.0.0", views.MonthlyTotals()),
	}}
	meter := views.Ready{Name: "meter", Config: json.RawMessage(`{}`), Versions: []views.ReadyVersion{version("1.0.0", meters[0])}}
	earlier = views.Catalog{meter, totals}
	meter.Versions = append(meter.Versions[:1:1], version("1.1.0", meters[1]))
	return earlier, views.Catalog{meter, totals}
}

// TestReadyViewsOfAnUpgrade: the same deployment by a newer server is another version only where the module is another one, and an earlier
// version can be named there too.
func TestReadyViewsOfAnUpgrade(t *testing.T) {
	earlier, later := catalogs()
	database := testdb.New(t)
	s := startOn(t, database, func(c *server.Config) { c.ReadyViews = earlier })
	s.createLog("acme")
	s.append("acme", `{"tokens":1}`)
	const meter = `{"ready":"meter","config":{"value":"/tokens","aggregations":["sum"]}}`
	deploy := func(s *service, view, body string) viewInfo {
		t.Helper()
		return decode[viewInfo](t, s.want(http.StatusCreated, s.call("POST", "/logs/acme/views/"+view, body)))
	}
	again := func(s *service, view, body string) viewInfo {
		t.Helper()
		return decode[viewInfo](t, s.want(http.StatusOK, s.call("POST", "/logs/acme/views/"+view, body)))
	}
	first := deploy(s, "tokens", meter)
	totals := deploy(s, "totals", `{"ready":"monthly_totals"}`)
	for _, same := range []string{
		meter, strings.ReplaceAll(meter, ",", " ,\n\t"), `{"ready":"meter@1","config":{"value":"/tokens","aggregations":["sum"]}}`,
		`{"module":"` + first.Module + `","config":{"value":"/tokens","aggregations":["sum"]}}`,
	} {
		if again := again(s, "tokens", same); again != first {
			t.Errorf("deployed again by %s: %+v, not %+v", same, again, first)
		}
	}
	s.wantProblem(http.StatusNotFound, "ready_view_not_found",
		s.call("POST", "/logs/acme/views/tokens", `{"ready":"meter@2"}`), "1 to 1", "newer")

	newer := &service{t: t, db: s.db, name: s.name, spec: s.spec}
	newer.url = newer.serve(database.DSN(), func(c *server.Config) { c.ReadyViews = later })
	if again := again(newer, "totals", `{"ready":"monthly_totals"}`); again != totals {
		t.Errorf("a newer server, with the same module: %+v, not %+v", again, totals)
	}
	digits := first.Module[:8]
	for _, pinned := range []string{"meter@1", "meter@" + digits, "meter@" + first.Module} {
		if again := again(newer, "tokens", strings.Replace(meter, `"meter"`, `"`+pinned+`"`, 1)); again != first {
			t.Errorf("a newer server, by %s: %+v, not %+v", pinned, again, first)
		}
	}
	second := deploy(newer, "tokens", meter)
	if second.Version != 2 || second.Module != hashOf(views.Meter()) || second.Status != "live" {
		t.Errorf("a newer server, with another module: %+v", second)
	}
	s.append("acme", `{"tokens":2}`)
	answer := s.want(http.StatusOK, s.call("GET", "/logs/acme/views/tokens/query", ""))
	if !strings.Contains(string(answer), `"sum":"3"`) {
		t.Errorf("answered %s", answer)
	}
	back := deploy(newer, "tokens", strings.Replace(meter, `"meter"`, `"meter@1"`, 1))
	if back.Version != 3 || back.Module != first.Module {
		t.Errorf("the earlier version, once it was replaced: %+v", back)
	}
	for _, version := range decode[struct{ Versions []shownReady }](t,
		s.want(http.StatusOK, newer.call("GET", "/logs/acme/views/tokens/versions", ""))).Versions {
		if want := fmt.Sprintf("meter@%d", 2-version.Version%2); version.Ready != want { // the third is the first again
			t.Errorf("version %d is shown as %q, not %q", version.Version, version.Ready, want)
		}
	}
	listed := decode[struct{ Views []readyView }](t, newer.want(http.StatusOK, newer.call("GET", "/ready-views", ""))).Views[0]
	if len(listed.Versions) != 2 || listed.Versions[0].Module != first.Module || listed.Versions[1].Release != "1.1.0" {
		t.Errorf("listed: %+v", listed)
	}
}

// shownReady is how a deployment is shown: which ready view it is.
type shownReady struct {
	Ready   string
	Version int
}

// TestDeployBodyIsStrict: whatever a deployment in JSON would have to leave out is refused, and nothing is deployed.
func TestDeployBodyIsStrict(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	hash := hashOf(views.MonthlyTotals())
	s.want(http.StatusCreated, s.putModule(views.MonthlyTotals()))
	for _, path := range []string{"/logs/acme/views/new", "/views/new?logs=ac*"} {
		for body, wants := range map[string][]string{
			`{}`:             {"422 invalid_request", `"ready"`, `"module"`},
			`{"config":{}}`:  {"422 invalid_request", `"ready"`},
			`{"ready":null}`: {"422 invalid_request", `"ready"`},
			`{"ready":"meter","module":"` + hash + `"}`:                        {"422 invalid_request", "either"},
			`{"ready":"meter","conifg":{}}`:                                    {"422 invalid_request", `"conifg"`, `"config"`},
			`{"Ready":"meter"}`:                                                {"422 invalid_request", `"Ready"`},
			`{"ready":"meter","ready":"rate_check"}`:                           {"422 invalid_request", "twice"},
			`{"ready":"meter","config":{},"config":null}`:                      {"422 invalid_request", "twice"},
			`{"ready":""}`:                                                     {"422 invalid_request", "empty"},
			`{"ready":7}`:                                                      {"422 invalid_request", `"ready" is 7`},
			`{"module":["` + hash + `"]}`:                                      {"422 invalid_request", `"module" is`},
			`{"module":"` + hash + `","gas":"50000000"}`:                       {"422 invalid_gas", `"50000000"`},
			`{"module":"` + hash + `","gas":1.5}`:                              {"422 invalid_gas", "1.5"},
			`{"module":"` + hash + `","gas":1e7}`:                              {"422 invalid_gas", "1e7"},
			`{"module":"` + hash + `","gas":-1}`:                               {"422 invalid_gas", "-1"},
			`{"module":"` + hash + `","gas":1000000001}`:                       {"422 invalid_gas", "1000000000"},
			`{"module":"` + hash + `","gas":4294967297000}`:                    {"422 invalid_gas"},
			`{"module":"` + hash + `","gas":` + strings.Repeat("9", 30) + `}`:  {"422 invalid_gas"},
			`{"ready":"meter"} {"ready":"meter"}`:                              {"400 invalid_json", "follows"},
			`{"ready":"meter"`:                                                 {"400 invalid_json"},
			`{"ready":"meter",}`:                                               {"400 invalid_json"},
			`{"ready":"no_such"}`:                                              {"404 ready_view_not_found", "cost_by_team, meter"},
			`{"ready":"meter@0"}`:                                              {"404 ready_view_not_found"},
			`{"ready":"meter@99"}`:                                             {"404 ready_view_not_found", "1 to "},
			`{"ready":"meter@"}`:                                               {"404 ready_view_not_found"},
			`{"ready":"meter@latest"}`:                                         {"404 ready_view_not_found"},
			`{"ready":"` + strings.Repeat("m", 5000) + `"}`:                    {"404 ready_view_not_found", "…"},
			`{"ready":"meter","config":[]}`:                                    {"422 view_refused_config"},
			`{"ready":"meter","config":"` + strings.Repeat("c", 64<<10) + `"}`: {"413 config_too_large"},
		} {
			status, code := 0, ""
			if _, err := fmt.Sscan(wants[0], &status, &code); err != nil {
				t.Fatal(err)
			}
			s.wantProblem(status, code, s.call("POST", path, body), wants[1:]...)
		}
	}
	for _, more := range []string{"?config=%7B%7D", "?gas=5"} {
		s.wantProblem(http.StatusUnprocessableEntity, "invalid_request",
			s.call("POST", "/logs/acme/views/new"+more, `{"ready":"meter"}`), "parameters")
	}
	if got := s.views("/logs/acme/views"); len(got) != 0 {
		t.Errorf("deployed: %+v", got)
	}
	for n, good := range []string{
		`{"ready":"meter","module":null,"config":null,"gas":null}`, " \n{\"gas\":0,\"module\":\"" + strings.ToUpper(hash) + "\"}\n",
	} {
		s.want(http.StatusCreated, s.call("POST", fmt.Sprintf("/logs/acme/views/good-%d", n), good))
	}
}
