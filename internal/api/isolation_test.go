package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/views"
)

// TestTenantsKnowNothingOfEachOther: rival tries to learn what acme has. What acme has must get the same bytes as what nobody has.
func TestTenantsKnowNothingOfEachOther(t *testing.T) {
	d := openDoor(t)
	as := func(key string) func(method, path, body string, headers ...string) reply {
		return func(method, path, body string, headers ...string) reply {
			t.Helper()
			return d.as(key, method, path, body, headers...)
		}
	}
	acme, rival := as(d.owner), as(d.rival)
	// acme alone has these: a module, a view on its log, a pattern's view, a log, a key, a second event.
	unique := decode[struct{ Module string }](t,
		d.want(http.StatusCreated, acme("POST", "/logs/out-1/views/unique", string(views.RateCheck())))).Module
	d.want(http.StatusCreated, acme("POST", "/views/of-acme?logs=*", `{"module":"`+unique+`"}`))
	d.want(http.StatusCreated, acme("POST", "/logs", `{"name":"secret-log","labels":{"of":"acme"}}`))
	d.want(http.StatusCreated, acme("POST", "/logs/in-1/append", `{"model":"m","tokens_in":1}`, "Idempotency-Key: acme-1"))
	ownID := decode[struct {
		LogID string `json:"log_id"`
	}](t, d.want(http.StatusOK, acme("GET", "/logs/in-1", ""))).LogID

	unknown := strings.Repeat("5a", 32)
	for _, path := range []string{"/logs/theirs/views/stolen", "/views/stolen?logs=theirs"} {
		for _, method := range []string{"POST", "PUT"} {
			of := func(hash string) reply {
				r := rival(method, path, `{"module":"`+hash+`"}`)
				r.body = []byte(strings.ReplaceAll(string(r.body), hash, "HASH"))
				r.header.Del("Content-Length")
				return r
			}
			d.wantProblem(http.StatusNotFound, "module_not_found", of(unknown))
			d.alike(path+" by the hash of acme's module", of(unique), of(unknown))
		}
	}
	for what, pair := range map[string][2]string{
		"a pattern's view":      {"/views/of-acme", "/views/nothing"},
		"a source":              {"/sources/gateway", "/sources/nothing"},
		"a version of a source": {"/sources/gateway?version=1", "/sources/nothing?version=1"},
		"a source's versions":   {"/sources/gateway/versions", "/sources/nothing/versions"},
		"a webhook":             {"/webhooks/" + d.webhook, "/webhooks/01980000-0000-7000-8000-000000000000"},
		"its deliveries": {
			"/webhooks/" + d.webhook + "/deliveries", "/webhooks/01980000-0000-7000-8000-000000000000/deliveries",
		},
		"a delivery": {
			"/webhooks/" + d.webhook + "/deliveries/" + d.delivery,
			"/webhooks/01980000-0000-7000-8000-000000000000/deliveries/" + d.delivery,
		},
		"a key":                    {"/keys/" + d.spare, "/keys/0000000000000000"},
		"acme's view on own log":   {"/logs/theirs/views/unique", "/logs/theirs/views/nothing"},
		"its query":                {"/logs/theirs/views/unique/query", "/logs/theirs/views/nothing/query"},
		"its live answer":          {"/logs/theirs/views/unique/live", "/logs/theirs/views/nothing/live"},
		"its versions":             {"/logs/theirs/views/unique/versions", "/logs/theirs/views/nothing/versions"},
		"a log by id in the table": {"/logs/" + ownID, "/logs/01980000-0000-7000-8000-000000000000"},
		"a log by name":            {"/logs/secret-log", "/logs/nothing"},
	} {
		d.alike(what, rival("GET", pair[0], ""), rival("GET", pair[1], ""))
		if r := rival("DELETE", pair[0], ""); r.status != http.StatusMethodNotAllowed { // which quotes the path, whatever it is
			d.alike(what+", ended", r, rival("DELETE", pair[1], ""))
		}
	}
	d.alike("rotating acme's key", rival("POST", "/keys/"+d.spare+"/rotate", "{}"), rival("POST", "/keys/0000000000000000/rotate", "{}"))
	for _, does := range []string{"/test", "/rotate-secret", "/replay", "/deliveries/" + d.delivery + "/replay"} {
		d.alike("POST "+does+" to acme's webhook", rival("POST", "/webhooks/"+d.webhook+does, ""),
			rival("POST", "/webhooks/01980000-0000-7000-8000-000000000000"+does, ""))
	}
	for _, log := range []string{"secret-log", ownID} {
		d.alike("a token for "+log, rival("POST", "/tokens", `{"scopes":["read"],"logs":["`+log+`"]}`),
			rival("POST", "/tokens", `{"scopes":["read"],"logs":["nothing"]}`))
	}

	// Whatever acme has a name for is free, and what rival makes of it is its own.
	d.want(http.StatusCreated, rival("POST", "/logs", `{"name":"secret-log"}`))
	d.want(http.StatusCreated, rival("POST", "/views/of-acme?logs=mine-*", `{"module":"`+d.module+`"}`))
	d.want(http.StatusCreated, rival("POST", "/keys", `{"name":"spare","scopes":["read"]}`))
	placed := string(rival("GET", "/logs/secret-log/views", "").body)
	if strings.Contains(placed, "of-acme") || strings.Contains(placed, "unique") {
		t.Errorf("a pattern of acme's is on rival's log: %s", placed)
	}
	first := rival("POST", "/logs/secret-log/append", `{"model":"x"}`, "Idempotency-Key: acme-1")
	if r := decode[appended](t, d.want(http.StatusCreated, first)); r.Sequence != 1 || r.Duplicate {
		t.Errorf("an idempotency key of acme's is taken: %+v", r)
	}
	d.cursorsAreOfTheirLog(acme, rival)

	// Lists hold what is the caller's own.
	for _, path := range []string{
		"/logs?limit=1000", "/views", "/keys?limit=1000", "/audit-log?limit=200", "/logs/theirs/views", "/logs/secret-log",
		"/sources?limit=1000", "/webhooks",
	} {
		listed := string(d.want(http.StatusOK, rival("GET", path, "")))
		for _, of := range []string{
			"in-1", "in-2", "out-1", "unique", `"acme"`, ownID, d.spare, unique, "only-append", "on-none", "gateway", d.webhook,
		} {
			if strings.Contains(listed, of) {
				t.Errorf("%s lists %s of acme: %s", path, of, shorten(listed))
			}
		}
	}
	// Naming another tenant takes an operator; whether it exists makes no difference.
	for _, path := range []string{"/logs", "/keys", "/logs/in-1", "/logs/in-1/views/totals/query"} {
		there, not := rival("GET", path, "", "Tally-Tenant: acme"), rival("GET", path, "", "Tally-Tenant: nothing")
		d.wantProblem(http.StatusForbidden, "missing_scope", there, "operator")
		d.alike(path+" in acme", there, not)
	}
	d.wantProblem(http.StatusNotFound, "tenant_not_found", d.as(d.operator, "GET", "/logs", "", "Tally-Tenant: nothing"))
	d.wantProblem(http.StatusNotFound, "tenant_not_found", d.as(d.operator, "GET", "/logs", "", "Tally-Tenant: no\xffthing"))
	// All of this has changed nothing of acme's.
	for _, path := range []string{
		"/views/of-acme", "/sources/gateway", "/webhooks/" + d.webhook, "/keys/" + d.spare, "/logs/secret-log", "/logs/out-1/views/unique",
	} {
		d.want(http.StatusOK, acme("GET", path, ""))
	}
	if revoked := decode[struct {
		RevokedAt string `json:"revoked_at"`
	}](t, acme("GET", "/keys/"+d.spare, "").body).RevokedAt; revoked != "" {
		t.Errorf("acme's key was revoked at %s", revoked)
	}
}

// cursorsAreOfTheirLog: positions in one tenant's log are refused in another's as invented ones are.
func (d *frontDoor) cursorsAreOfTheirLog(acme, rival func(method, path, body string, headers ...string) reply) {
	d.t.Helper()
	cursor := decode[struct {
		Cursor string `json:"next_cursor"`
	}](d.t, d.want(http.StatusOK, acme("GET", "/logs/in-1/events?limit=1", ""))).Cursor
	d.want(http.StatusOK, acme("GET", "/logs/in-1/events?cursor="+cursor, ""))
	invented := rival("GET", "/logs/theirs/events?cursor=invented", "")
	d.wantProblem(http.StatusBadRequest, "invalid_cursor", invented)
	r := rival("GET", "/logs/theirs/events?cursor="+cursor, "")
	d.wantProblem(http.StatusBadRequest, "invalid_cursor", r)
	if strings.Contains(string(r.body), "acme") || strings.Contains(string(r.body), "in-1") {
		d.t.Errorf("acme's cursor in rival's log: %s", r.body)
	}
	// The id of the last event that came by a stream: that of acme's is beyond the end of rival's log, as any other.
	for _, id := range []string{"2", "77"} {
		r := rival("GET", "/logs/theirs/tail", "", "Last-Event-ID: "+id)
		d.wantProblem(http.StatusConflict, "unknown_event_id", r)
	}
}

// TestTokensStayInTheirTenant: an operator that acts in another tenant makes no token: it would be for logs of the same names in its own.
func TestTokensStayInTheirTenant(t *testing.T) {
	d := openDoor(t)
	d.want(http.StatusCreated, d.as(d.operator, "POST", "/logs", `{"name":"in-1"}`))
	body := `{"scopes":["read"],"logs":["in-1"]}`
	d.wantProblem(http.StatusConflict, "token_needs_key", d.as(d.operator, "POST", "/tokens", body, "Tally-Tenant: acme"), "acme")
	token := d.token(d.operator, "read", "in-1", 60, "")
	d.want(http.StatusOK, d.as(token, "GET", "/logs/in-1", "", "Tally-Tenant: default"))
	there, not := d.as(token, "GET", "/logs/in-1", "", "Tally-Tenant: acme"), d.as(token, "GET", "/logs/in-1", "", "Tally-Tenant: nothing")
	d.wantProblem(http.StatusForbidden, "missing_scope", there)
	d.alike("a token of an operator's in another tenant", there, not)
}

// TestWhatKeysCannotGive: nobody gets by a key that they make, rotate or revoke what they have not.
func TestWhatKeysCannotGive(t *testing.T) {
	d := openDoor(t)
	_, confined := d.keyIn("acme", "confined", "in-*", "admin", "append", "deploy", "read")
	wideID, _ := d.keyIn("acme", "wide", "*", "read")
	operatorID, _ := d.keyIn("acme", "operator", "in-*", "operator")
	for _, body := range []string{
		`{"name":"n","scopes":["read"]}`, `{"name":"n","scopes":["read"],"logs":"*"}`, `{"name":"n","scopes":["read"],"logs":"i*"}`,
		`{"name":"n","scopes":["read"],"logs":"out-1"}`, `{"name":"n","scopes":["operator"],"logs":"in-1"}`,
	} {
		d.wantProblem(http.StatusForbidden, "outside_pattern", d.as(confined, "POST", "/keys", body), "nothing was done")
	}
	for _, id := range []string{wideID, operatorID} {
		d.wantProblem(http.StatusForbidden, "outside_pattern", d.as(confined, "POST", "/keys/"+id+"/rotate", "{}"))
		d.wantProblem(http.StatusForbidden, "outside_pattern", d.as(confined, "DELETE", "/keys/"+id, ""))
	}
	d.want(http.StatusCreated, d.as(confined, "POST", "/keys", `{"name":"n","scopes":["read","query"],"logs":"in-1*"}`))
	d.wantProblem(http.StatusForbidden, "outside_pattern", d.as(confined, "POST", "/logs", `{"name":"out-2"}`), "in-*")
	// A name that is taken outside is refused as one that is not.
	d.alike("a log outside", d.as(confined, "POST", "/logs", `{"name":"out-1"}`), d.as(confined, "POST", "/logs", `{"name":"out-9"}`))
	for _, pattern := range []string{"*", "out-*", "in*"} {
		r := d.as(confined, "POST", "/views/wide?logs="+pattern, `{"module":"`+d.module+`"}`)
		d.wantProblem(http.StatusForbidden, "outside_pattern", r)
	}
	d.want(http.StatusCreated, d.as(d.owner, "POST", "/views/outside?logs=out-none", `{"module":"`+d.module+`"}`))
	for _, method := range []string{"GET", "DELETE"} {
		d.alike(method+" a pattern outside", d.as(confined, method, "/views/outside", ""), d.as(confined, method, "/views/nothing", ""))
	}
	of := func(view string) reply { return d.as(confined, "POST", "/views/"+view, `{"module":"`+d.module+`"}`) }
	d.alike("deploying anew what is outside", of("outside"), of("nothing"))
	r := d.as(confined, "POST", "/views/outside?logs=in-none", `{"module":"`+d.module+`"}`)
	d.wantProblem(http.StatusConflict, "pattern_differs", r)
	if strings.Contains(string(r.body), "out-none") {
		t.Errorf("the pattern of a view outside is told: %s", r.body)
	}
	if listed := string(d.as(confined, "GET", "/views", "").body); strings.Contains(listed, "outside") {
		t.Errorf("patterns outside are listed: %s", listed)
	}
	listed := string(d.as(confined, "GET", "/logs?limit=1000", "").body)
	if strings.Contains(listed, "out-1") || !strings.Contains(listed, "in-1") {
		t.Errorf("logs outside are listed: %s", listed)
	}
	for _, missing := range []string{"read", "query"} {
		other := map[string]string{"read": "query", "query": "read"}[missing]
		r := d.as(d.alone[other], "POST", "/tokens", fmt.Sprintf(`{"scopes":[%q],"logs":["in-1"]}`, missing))
		d.wantProblem(http.StatusForbidden, "missing_scope", r, missing)
	}
	outside := d.as(d.alone["read"], "POST", "/tokens", `{"scopes":["read"],"logs":["in-1","out-1"]}`)
	d.wantProblem(http.StatusNotFound, "log_not_found", outside)
}
