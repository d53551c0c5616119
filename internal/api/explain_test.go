package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/testrig"
)

type explained struct {
	Sequence int64
	Type     string
	Views    []struct {
		View, Status, Outcome, Reason string
		Version                       int
		Changes                       []map[string]json.RawMessage
		ChangesLeftOut                *int `json:"changes_left_out"`
	}
}

// TestExplanationOverHTTP: values are shown as they are in the state, long ones as a text.
func TestExplanationOverHTTP(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	s.want(http.StatusCreated, s.call("POST", "/logs/acme/views/script", string(testrig.Scripted())))
	s.want(http.StatusCreated, s.call("POST", "/logs/acme/views/meter",
		`{"ready":"meter","config":{"value":"/tokens","aggregations":["sum"]}}`))
	long := `"` + strings.Repeat("<", 5000) + `"`
	s.append("acme", testrig.ScriptEvent(testrig.Line("set", "a", `{"n":12345678901234567890.10}`), testrig.Line("set", "n", "null")))
	s.append("acme", testrig.ScriptEvent(testrig.Line("set", "a", long), testrig.Line("delete", "n")))
	s.append("acme", `{"type":"call","tokens":null}`)
	get := func(path string) explained {
		t.Helper()
		return decode[explained](t, s.want(http.StatusOK, s.call("GET", "/logs/acme/events/"+path, "")))
	}
	first := get("1/explanation?view=script")
	if first.Sequence != 1 || first.Type != "" || len(first.Views) != 1 || *first.Views[0].ChangesLeftOut != 0 ||
		fmt.Sprintf("%s", first.Views[0].Changes) != `[map[after:{"n":12345678901234567890.10} key:"a"] map[after:null key:"n"]]` {
		t.Errorf("%+v, %s", first, first.Views[0].Changes)
	}
	second := get("2/explanation?view=script").Views[0]
	var cut string
	if err := json.Unmarshal(second.Changes[0]["after_cut"], &cut); err != nil || cut != long[:4096] || second.Changes[0]["after"] != nil ||
		string(second.Changes[0]["before"]) != `{"n":12345678901234567890.10}` ||
		fmt.Sprintf("%s", second.Changes[1]) != `map[before:null key:"n"]` {
		t.Errorf("%s", second.Changes)
	}
	third := get("3/explanation")
	if third.Type != "call" || len(third.Views) != 2 || third.Views[0].View != "meter" || third.Views[0].Outcome != "not_counted" ||
		third.Views[0].Reason != "value_null" || third.Views[1].Outcome != "ignored" || third.Views[1].Changes == nil {
		t.Errorf("%+v", third)
	}
	s.wantProblem(http.StatusNotFound, "sequence_not_found", s.call("GET", "/logs/acme/events/4/explanation", ""))
	s.wantProblem(http.StatusNotFound, "view_not_found", s.call("GET", "/logs/acme/events/1/explanation?view=none", ""))
	s.wantProblem(http.StatusNotFound, "log_not_found", s.call("GET", "/logs/none/events/1/explanation", ""))
	s.want(http.StatusNoContent, s.call("DELETE", "/logs/acme/views/meter", ""))
	s.wantProblem(http.StatusGone, "view_retired", s.call("GET", "/logs/acme/events/1/explanation?view=meter", ""))
	s.wantProblem(http.StatusUnprocessableEntity, "invalid_request", s.call("GET", "/logs/acme/events/0/explanation", ""))
	s.wantProblem(http.StatusBadRequest, "invalid_parameter", s.call("GET", "/logs/acme/events/1/explanation?views=meter", ""))
}

type previewed struct {
	From     int64 `json:"from_sequence"`
	To       int64 `json:"to_sequence"`
	LeftOut  int64 `json:"left_out"`
	Gas      int64 `json:"gas_per_event"`
	Events   int
	Complete bool
	Answer   json.RawMessage
	Type     string                         `json:"answer_type"`
	Problem  *struct{ Code, Detail string } `json:"answer_problem"`
	Halt     *struct {
		Sequence int
		Error    string
	}
}

// TestPreviewOverHTTP previews ready views and modules, asks them, and compares what is refused with what a deploy refuses.
func TestPreviewOverHTTP(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	for i := range 20 {
		s.append("acme", fmt.Sprintf(`{"tokens":%d,"time":"2025-03-%02dT12:00:00Z"}`, i, 1+i))
	}
	const path = "/logs/acme/views/tokens/preview"
	try := func(body string) previewed {
		t.Helper()
		return decode[previewed](t, s.want(http.StatusOK, s.call("POST", path, body)))
	}
	const meter = `"ready":"meter","config":{"value":"/tokens","aggregations":["sum"]}`
	p := try(`{` + meter + `,"events":5,"question":{"limit":2,"aggregation":["sum"],"window":"day"}}`)
	if p.From != 16 || p.To != 20 || p.LeftOut != 15 || p.Events != 5 || !p.Complete || p.Gas <= 0 || p.Halt != nil || p.Problem != nil ||
		!strings.Contains(string(p.Answer), `"rows":[{"from":"2025-03-16T00:00:00Z","to":"2025-03-17T00:00:00Z","sum":"15"},{`) {
		t.Errorf("%+v: %s", p, p.Answer)
	}
	p = try(`{` + meter + `,"question":{"format":"csv"}}`)
	if p.Type != "text/csv" || string(p.Answer) != `"from,to,sum,uncounted\r\n,,190,0\r\n"` {
		t.Errorf("in CSV: %+v: %s", p, p.Answer)
	}
	if p = try(`{` + meter + `,"question":{"nonsense":true}}`); p.Problem == nil || p.Problem.Code != "query_refused" || p.Answer != nil {
		t.Errorf("refused: %+v: %s", p, p.Answer)
	}
	module := hashOf(haltingAt(7))
	s.want(http.StatusCreated, s.call("PUT", "/modules/"+module, string(haltingAt(7))))
	if p = try(`{"module":"` + module + `"}`); p.Halt == nil || p.Halt.Sequence != 7 || p.To != 6 || p.Complete ||
		!strings.Contains(p.Halt.Error, refusal) || string(p.Answer) != "true" {
		t.Errorf("a view that halts: %+v", p)
	}
	if views := s.views("/logs/acme/views"); len(views) != 0 {
		t.Errorf("deployed: %+v", views)
	}
	for _, body := range []string{
		`{"ready":"none"}`, `{}`, `{` + meter + `,"module":"` + module + `"}`, `{"ready":"meter","config":{"nonsense":1}}`, `{"ready":1}`,
		`{"module":"` + strings.Repeat("5a", 32) + `"}`, `{"module":"short"}`, `{"ready":"meter","gas":-1}`, `{"ready":"meter","gas":0.5}`,
		`{"ready":"meter","on_halt":"refuse"}`, `{"ready":"meter","surprise":1}`, `{"ready":"meter","ready":"meter"}`, `{"ready":`,
	} {
		tried, deployed := s.call("POST", path, body), s.call("POST", "/logs/acme/views/tokens", body)
		if tried.status < 400 || tried.status != deployed.status || string(tried.body) != string(deployed.body) {
			t.Errorf("%s: a preview says %d %s, a deploy %d %s", body, tried.status, tried.body, deployed.status, deployed.body)
		}
	}
	for more, words := range map[string]string{
		`"events":0`: "100000", `"events":100001`: "100000", `"events":"5"`: "100000", `"events":1.5`: "100000", `"question":[]`: "object",
		`"question":{"a":{}}`: "question's", `"question":{"a":[null]}`: "question's",
		`"question":{"window":null}`: "window", `"question":{"a":1,"a":2}`: "twice",
	} {
		s.wantProblem(http.StatusUnprocessableEntity, "invalid_request", s.call("POST", path, `{`+meter+`,`+more+`}`), words)
	}
	s.wantProblem(http.StatusRequestURITooLong, "query_too_long",
		s.call("POST", path, `{`+meter+`,"question":{"a":"`+strings.Repeat("x", 8<<10)+`"}}`))
	s.wantProblem(http.StatusUnprocessableEntity, "invalid_request", s.call("POST", path, string(haltingAt(7))), "/modules/")
	s.wantProblem(http.StatusRequestEntityTooLarge, "body_too_large", s.call("POST", path, `{`+strings.Repeat(" ", 256<<10)+`}`))
	s.wantProblem(http.StatusNotFound, "log_not_found", s.call("POST", "/logs/none/views/tokens/preview", `{`+meter+`}`))
}

// TestInquiriesAreOfTheTenant: to another tenant, and to a key for other logs, there is nothing; a token tells nothing of views.
func TestInquiriesAreOfTheTenant(t *testing.T) {
	d := openDoor(t)
	const body = `{"ready":"meter"}`
	d.append("in-1", `{}`, "Authorization: Bearer "+d.owner)
	for _, log := range []string{"in-1", "out-1"} {
		d.want(http.StatusOK, d.as(d.owner, "GET", "/logs/"+log+"/views", ""))
		d.alike("an explanation in "+log, d.as(d.rival, "GET", "/logs/"+log+"/events/1/explanation", ""),
			d.as(d.rival, "GET", "/logs/nothing/events/1/explanation", ""))
		d.alike("a preview in "+log, d.as(d.rival, "POST", "/logs/"+log+"/views/v/preview", body),
			d.as(d.rival, "POST", "/logs/nothing/views/v/preview", body))
	}
	_, some := d.keyIn("acme", "for-in", "in-*", "read", "deploy")
	d.want(http.StatusOK, d.as(some, "GET", "/logs/in-1/events/1/explanation", ""))
	d.want(http.StatusOK, d.as(some, "POST", "/logs/in-1/views/v/preview", body))
	d.wantProblem(http.StatusNotFound, "log_not_found", d.as(some, "GET", "/logs/out-1/events/1/explanation", ""))
	d.wantProblem(http.StatusNotFound, "log_not_found", d.as(some, "POST", "/logs/out-1/views/v/preview", body))
	theirs := decode[struct{ Module string }](t,
		d.want(http.StatusCreated, d.as(d.owner, "POST", "/logs/in-1/views/unique", string(testrig.Scripted())))).Module
	d.wantProblem(http.StatusNotFound, "module_not_found",
		d.as(d.rival, "POST", "/logs/theirs/views/v/preview", `{"module":"`+theirs+`"}`))
	token := d.token(d.owner, "read query", "in-1", 60, "")
	d.wantProblem(http.StatusForbidden, "missing_scope", d.as(token, "GET", "/logs/in-1/events/1/explanation", ""))
	d.wantProblem(http.StatusForbidden, "missing_scope", d.as(token, "POST", "/logs/in-1/views/v/preview", body))
}
