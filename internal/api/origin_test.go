package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/server"
)

const app, evil = "https://app.example.com", "https://evil.example.com"

// browser has what browsers add to a request for a page of another origin.
func browser(origin string, more ...string) []string {
	return append(more, "Origin: "+origin, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors")
}

// readable reports whether a browser would let the page of an origin read the answer.
func readable(r reply, origin string) bool {
	allowed := r.header.Get("Access-Control-Allow-Origin")
	return allowed == "*" || allowed == origin
}

func (d *frontDoor) wantVary(what string, r reply) {
	d.t.Helper()
	if !slices.Contains(r.header.Values("Vary"), "Origin") {
		d.t.Errorf("%s: a cache would take the answer for that of another origin: Vary is %q", what, r.header.Values("Vary"))
	}
	if r.header.Get("Access-Control-Allow-Credentials") != "" {
		d.t.Errorf("%s: the answer allows credentials that browsers keep", what)
	}
}

// TestBrowsersOfOtherOrigins: a page of an allowed origin reads answers with a token, and with nothing else; one of another origin nothing.
func TestBrowsersOfOtherOrigins(t *testing.T) {
	d := openDoor(t, func(c *server.Config) { c.Origins = []string{app} })
	token := "Authorization: Bearer " + d.token(d.owner, "read query", "in-1", 3600, "")
	reads := []string{
		"GET /logs/in-1", "GET /logs/in-1/events", "GET /logs/in-1/views/totals/query", "POST /logs/in-1/views/totals/query",
		"GET /logs/in-1/views/totals/live", "GET /logs/in-1/tail",
	}
	for _, name := range reads {
		method, path, _ := strings.Cut(name, " ")
		stream := strings.HasSuffix(path, "/live") || strings.HasSuffix(path, "/tail")
		preflight := func(origin string) reply {
			return d.send("OPTIONS", path, "", false, "Origin: "+origin, "Access-Control-Request-Method: "+method,
				"Access-Control-Request-Headers: authorization", "Sec-Fetch-Mode: cors", "Sec-Fetch-Site: cross-site")
		}
		r := preflight(app)
		if r.status != http.StatusNoContent || !readable(r, app) || len(r.body) > 0 ||
			!strings.Contains(r.header.Get("Access-Control-Allow-Methods"), method) ||
			!strings.Contains(r.header.Get("Access-Control-Allow-Headers"), "Authorization") {
			t.Errorf("%s: a preflight of an allowed origin: %d %v %s", name, r.status, r.header, r.body)
		}
		if strings.Contains(strings.ToLower(r.header.Get("Access-Control-Allow-Headers")), "x-api-key") {
			t.Errorf("%s: pages may send keys: %v", name, r.header)
		}
		d.wantVary(name, r)
		for _, origin := range []string{
			evil, "null", "https://app.example.com.evil.com", "http://app.example.com", app + ":8443", "https://APP.example.com",
		} {
			r := preflight(origin)
			if r.status < 300 || r.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s: a preflight of %s: %d %v", name, origin, r.status, r.header)
			}
			d.wantVary(name, r)
			r = d.send(method, path, "", stream, browser(origin, token)...)
			if readable(r, origin) || method != http.MethodGet && r.status != http.StatusForbidden {
				t.Errorf("%s: a page of %s: %d %v", name, origin, r.status, r.header)
			}
			d.wantVary(name, r)
		}
		r = d.send(method, path, "", stream, browser(app, token)...)
		if r.status != http.StatusOK || !readable(r, app) {
			t.Errorf("%s: with a token: %d %v %s", name, r.status, r.header, r.body)
		}
		d.wantVary(name, r)
		for what, headers := range map[string][]string{
			"a key": {"Authorization: Bearer " + d.owner}, "a key in its header": {"X-Api-Key: " + d.owner},
			"a key as a password": {basic("", d.owner)}, "an operator's key": {"Authorization: Bearer " + d.operator},
			"a key elsewhere": {"X-Api-Key: " + d.operator, "Tally-Tenant: acme"},
		} {
			r := d.send(method, path, "", stream, browser(app, headers...)...)
			d.wantProblem(http.StatusForbidden, "cross_origin", r, "token")
			if !readable(r, app) {
				t.Errorf("%s with %s: the page cannot read why it is refused", name, what)
			}
			d.wantVary(name, r)
		}
		for _, bad := range []string{"", "Authorization: Bearer " + access.GenerateKey(), token + "x"} {
			headers := browser(app)
			if bad != "" {
				headers = append(headers, bad)
			}
			r := d.send(method, path, "", stream, headers...)
			d.wantProblem(http.StatusUnauthorized, "unauthorized", r)
			if got := r.header.Values("WWW-Authenticate"); len(got) != 1 || !strings.HasPrefix(got[0], "Bearer ") {
				t.Errorf("%s: the browser would ask its user for a password: %q", name, got)
			}
			if !readable(r, app) {
				t.Errorf("%s: the page cannot read that it is refused", name)
			}
		}
	}
	// What a page may not do at all, with a token neither.
	for _, name := range []string{
		"POST /logs/in-1/append", "POST /logs", "GET /logs", "POST /tokens", "DELETE /logs/in-1/views/totals", "GET /keys",
	} {
		method, path, _ := strings.Cut(name, " ")
		d.wantProblem(http.StatusForbidden, "missing_scope", d.call(method, path, "{}", browser(app, token)...))
	}
	// A page of the server itself, such as its documentation, may send a key; and a program that sends an Origin of its own host.
	own := []string{"X-Api-Key: " + d.owner, "Origin: " + d.url}
	d.want(http.StatusOK, d.call("GET", "/logs/in-1", "", append(own, "Sec-Fetch-Site: same-origin")...))
	d.want(http.StatusCreated, d.call("POST", "/logs/in-1/append", "{}", own...))
}

// TestAnyOrigin: with * a page of any origin reads answers with a token, one without an origin too, and none with a key.
func TestAnyOrigin(t *testing.T) {
	d := openDoor(t, func(c *server.Config) { c.Origins = []string{"*"} })
	token := "Authorization: Bearer " + d.token(d.owner, "query", "in-1", 3600, "")
	for _, origin := range []string{app, evil, "null"} {
		r := d.call("GET", "/logs/in-1", "", browser(origin, token)...)
		if r.status != http.StatusOK || !readable(r, origin) {
			t.Errorf("%s: %d %v", origin, r.status, r.header)
		}
		d.wantVary(origin, r)
		d.wantProblem(http.StatusForbidden, "cross_origin", d.call("GET", "/logs/in-1", "", browser(origin, "X-Api-Key: "+d.owner)...))
	}
}

// TestOriginsWithoutKeys: a server that asks for no keys still wants a token of a page of another origin, which else could do everything.
func TestOriginsWithoutKeys(t *testing.T) {
	s := start(t, func(c *server.Config) { c.Origins = []string{app} })
	s.createLog("acme")
	for _, name := range []string{"GET /logs", "GET /logs/acme", "POST /logs/acme/append", "GET /keys", "POST /tenants"} {
		method, path, _ := strings.Cut(name, " ")
		for _, origin := range []string{app, evil} {
			r := s.call(method, path, "{}", browser(origin)...)
			if r.status != http.StatusForbidden && (origin == app || readable(r, origin)) {
				t.Errorf("%s from a page of %s: %d %s", name, origin, r.status, r.body)
			}
		}
	}
	if n := s.stored().Events; n != 0 {
		t.Errorf("%d events were stored", n)
	}
}
