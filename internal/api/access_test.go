package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/api"
)

// TestTableIsComplete: every operation is in the table, with the scopes that its description says, and no other is.
func TestTableIsComplete(t *testing.T) {
	there := map[string]bool{}
	for _, operation := range api.Operations() {
		name := operation.Method + " " + operation.Path
		there[name] = true
		known, ok := operations[name]
		if !ok {
			t.Errorf("%s is not in the table: say there who may do it, and how it is tried", name)
		}
		if operation.Security == nil {
			t.Errorf("%s does not say which keys it takes, if any", name)
		}
		for _, scheme := range []string{"bearer", "apiKey", "basic"} {
			var scopes []string
			for _, choice := range operation.Security {
				scopes = append(scopes, choice[scheme]...)
			}
			if got := strings.Join(scopes, " "); got != known.scopes {
				t.Errorf("%s: the description has the scopes %q by %s, the table %q", name, got, scheme, known.scopes)
			}
		}
	}
	for name := range operations {
		if !there[name] {
			t.Errorf("%s is in the table, and there is no such operation", name)
		}
	}
}

// refused are credentials that are not good, by what is wrong with them, as headers.
func (d *frontDoor) refused() map[string][]string {
	d.t.Helper()
	id, key := d.keyIn("acme", "to-be-revoked", "*", allScopes[:5]...)
	token := d.token(key, "read query", "in-1", 3600, "")
	d.want(http.StatusOK, d.as(d.owner, "DELETE", "/keys/"+id, ""))
	expiredID, expired := d.keyIn("acme", "to-expire", "*", allScopes[:5]...)
	const expire = "UPDATE access_keys SET expires_at = now() - interval '1 second' WHERE key_id = $1"
	if _, err := d.db.Exec(d.t.Context(), expire, expiredID); err != nil {
		d.t.Fatal(err)
	}
	_, former := d.keyIn("acme", "to-be-rotated", "*", allScopes[:5]...)
	d.want(http.StatusOK, d.as(d.owner, "POST", "/keys/"+former[6:22]+"/rotate", `{"former_valid_seconds":0}`))
	brief := d.token(d.owner, "read query", "in-1", 1, "")
	d.await("everything has ended", func() bool {
		return !slices.ContainsFunc([]string{key, token, expired, former, brief}, func(credential string) bool {
			return d.as(credential, "GET", "/logs/in-1", "").status != http.StatusUnauthorized
		})
	})
	bearer := func(credential string) []string { return []string{"Authorization: Bearer " + credential} }
	typo := d.owner[:23] + strings.Repeat("0", 43) + d.owner[66:]
	return map[string][]string{
		"none":                     nil,
		"empty":                    {"Authorization: Bearer ", "X-Api-Key: "},
		"malformed":                bearer("nonsense"),
		"cut off":                  bearer(d.owner[:len(d.owner)-1]),
		"wrong checksum":           bearer(typo),
		"unknown":                  bearer(access.GenerateKey()),
		"another secret":           bearer(withSecret(d.owner[6:22])),
		"expired":                  bearer(expired),
		"revoked":                  bearer(key),
		"former":                   bearer(former),
		"token of a revoked key":   bearer(token),
		"expired token":            bearer(brief),
		"malformed token":          bearer("eyJhbGciOiJub25lIn0.e30."),
		"token with NUL":           bearer("eyJhbGciOiJFZERTQSIsImtpZCI6IjAwMDAwMDAwMDAwMDAwMFx1MDAwMCJ9.e30.AAAA"),
		"unknown in X-Api-Key":     {"X-Api-Key: " + access.GenerateKey()},
		"unknown in Basic":         {basic("user", access.GenerateKey())},
		"key as the user of Basic": {basic(d.owner, "")},
		"Basic without a colon":    {"Authorization: Basic dGFsbHk="},
		"Basic that is none":       {"Authorization: Basic ***"},
		"another scheme":           {"Authorization: Token " + d.owner},
		"no scheme":                {"Authorization: " + d.owner},
		"a cookie":                 {"Cookie: key=" + d.owner + "; X-Api-Key=" + d.owner},
		"the good one second":      {"X-Api-Key: nonsense", "Authorization: Bearer " + d.owner},
		"the good one third":       {"Authorization: Bearer nonsense", "X-Amz-Firehose-Access-Key: " + d.owner},
	}
}

// ensuresItsOwn: who asks for a log gets one of their own tenant and pattern, whatever others have.
func (d *frontDoor) ensuresItsOwn() {
	d.t.Helper()
	mine := d.want(http.StatusCreated, d.as(d.owner, "PUT", "/logs/theirs", ""))
	if decode[logInfo](d.t, mine).LogID == d.rivalLog {
		d.t.Error("PUT /logs/theirs gave the log of another tenant")
	}
	d.wantProblem(http.StatusBadRequest, "invalid_name", d.as(d.owner, "PUT", "/logs/"+d.rivalLog, ""))
	for _, name := range []string{"out-1", "out-2"} { // one that there is, and one that there is not
		d.wantProblem(http.StatusForbidden, "outside_pattern", d.as(d.inside, "PUT", "/logs/"+name, ""))
	}
}

// TestWhoMayDoWhat tries every operation with credentials of all kinds.
func TestWhoMayDoWhat(t *testing.T) {
	d := openDoor(t)
	refused := d.refused()
	unauthorized := map[bool]*reply{} // of OTLP, which has a form of its own, and of all others
	names := slices.Sorted(maps.Keys(operations))
	for _, name := range names {
		o := operations[name].forSome() // as the keys are
		may := strings.Fields(o.scopes)
		if o.scopes == "" {
			for what, headers := range refused {
				if r := d.attempt(name, "in-1", "", headers...); r.status != o.status {
					t.Errorf("%s with %s: %d, want %d: %s", name, what, r.status, o.status, r.body)
				}
			}
			continue
		}
		isOTLP := strings.HasPrefix(name, "POST ") && isOTLPPath(name)
		for what, headers := range refused {
			r := d.attempt(name, "in-1", "", headers...)
			if unauthorized[isOTLP] == nil {
				d.wantUnauthorized(r)
				unauthorized[isOTLP] = &r
			}
			d.alike(name+" with "+what, r, *unauthorized[isOTLP])
		}
		d.alike(name+" with keys in the query string", d.inQuery(name), *unauthorized[isOTLP])
		for _, scope := range allScopes {
			if slices.Contains(may, scope) {
				d.allowed(name+" with the scope "+scope+" alone", o, d.attempt(name, "in-1", scope, "X-Api-Key: "+d.alone[scope]))
				continue
			}
			r := d.attempt(name, "in-1", "", "X-Api-Key: "+d.alone[scope])
			p := d.problem(r)
			if r.status != http.StatusForbidden || p.Code != "missing_scope" || !strings.Contains(p.Detail, strings.Join(may, " or ")) {
				t.Errorf("%s with the scope %s alone: %d %s", name, scope, r.status, r.body)
			}
		}
		key := d.alone[may[0]]
		for _, headers := range [][]string{
			{"Authorization: Bearer " + key},
			{"Authorization: bearer   " + key},
			{"X-Api-Key: " + key},
			{"X-Amz-Firehose-Access-Key: " + key},
			{basic("", key)},
			{basic("any body", key)},
			{"X-Api-Key: " + key, "Authorization: Bearer nonsense"},
		} {
			d.allowed(fmt.Sprintf("%s with a key as %.24s", name, headers), o, d.attempt(name, "in-1", may[0], headers...))
		}
		if strings.Contains(name, "{log}") && name != "PUT /logs/{log}" { // which makes a log where there is none
			d.onlyItsLogs(name)
		}
	}
	d.ensuresItsOwn()
	d.tokensAreFor(names)
	d.suspended(names)
}

func (d *frontDoor) allowed(what string, o operation, r reply) {
	d.t.Helper()
	if r.status != o.status {
		d.t.Errorf("%s: %d, want %d: %s", what, r.status, o.status, shorten(string(r.body)))
	}
}

func (d *frontDoor) wantUnauthorized(r reply) {
	d.t.Helper()
	d.wantProblem(http.StatusUnauthorized, "unauthorized", r, "Bearer", "X-Api-Key", "Basic")
	got := r.header.Values("WWW-Authenticate")
	if len(got) != 2 || !strings.HasPrefix(got[0], "Bearer ") || !strings.HasPrefix(got[1], "Basic ") {
		d.t.Errorf("WWW-Authenticate is %q", got)
	}
}

// inQuery has the key in the query string, by all names that others use.
func (d *frontDoor) inQuery(name string) reply {
	d.t.Helper()
	method, path, _ := strings.Cut(name, " ")
	query := "?"
	for _, parameter := range []string{"key", "api_key", "apikey", "access_token", "token", "X-Api-Key", "Authorization"} {
		query += parameter + "=" + d.owner + "&"
	}
	return d.send(method, d.fill(path, false)+query, d.fill(operations[name].body, false), operations[name].stream)
}

// onlyItsLogs: a log beyond the key's pattern, and one of another tenant by its name or id, are the same as one that does not exist.
func (d *frontDoor) onlyItsLogs(name string) {
	d.t.Helper()
	for _, key := range []string{d.inside, d.owner} {
		nonesuch := d.attempt(name, "nonesuch", "", "X-Api-Key: "+key)
		d.wantProblem(http.StatusNotFound, "log_not_found", nonesuch)
		unlike := []string{"theirs", d.rivalLog, "01980000-0000-7000-8000-000000000000", "THEIRS"}
		if key == d.inside {
			unlike = append(unlike, "out-1")
		}
		for _, log := range unlike {
			d.alike(name+" in "+log, d.attempt(name, log, "", "X-Api-Key: "+key), nonesuch)
		}
	}
}

// tokensAreFor: a token does what its scopes say, in its logs and views, and nothing else.
func (d *frontDoor) tokensAreFor(names []string) {
	d.t.Helper()
	for _, scope := range []string{"read", "query"} {
		token := "Authorization: Bearer " + d.token(d.inside, scope, "in-1", 3600, "")
		narrow := "Authorization: Bearer " + d.token(d.inside, "query", "in-1", 3600, `,"views":["totals"]`)
		for _, name := range names {
			o := operations[name]
			switch {
			case o.scopes == "":
				d.allowed(name+" with a token", o, d.attempt(name, "in-1", scope, token))
				continue
			case !slices.Contains(strings.Fields(o.token), scope):
				if r := d.attempt(name, "in-1", "", token); d.problem(r).Code != "missing_scope" || r.status != http.StatusForbidden {
					d.t.Errorf("%s with a token to %s: %d %s", name, scope, r.status, r.body)
				}
				continue
			}
			d.allowed(name+" with a token to "+scope, o, d.attempt(name, "in-1", scope, token))
			nonesuch := d.attempt(name, "nonesuch", scope, token)
			for _, log := range []string{"in-2", "out-1", "theirs", d.rivalLog} {
				d.alike(name+" with a token in "+log, d.attempt(name, log, scope, token), nonesuch)
			}
			if scope == "query" && strings.Contains(name, "{view}") {
				d.allowed(name+" with a token for the view", o, d.attempt(name, "in-1", scope, narrow))
				method, path, _ := strings.Cut(name, " ")
				of := func(view string) reply {
					return d.send(method, d.fill(strings.ReplaceAll(path, "{view}", view), false), "", o.stream, narrow)
				}
				d.wantProblem(http.StatusNotFound, "view_not_found", of("nonesuch"))
				d.alike(name+" with a token for another view", of("rates"), of("nonesuch"))
			}
		}
		if shown := string(d.call("GET", "/logs/in-1", "", token).body); !strings.Contains(shown, `"labels":{}`) {
			d.t.Errorf("a customer's token shows the log as %s", shown)
		}
	}
}

// suspended: a tenant that is suspended appends nothing, and all else goes on, until it is resumed.
func (d *frontDoor) suspended(names []string) {
	d.t.Helper()
	set := func(suspended bool) {
		d.want(http.StatusOK, d.as(d.operator, "PATCH", "/tenants/acme", fmt.Sprintf(`{"suspended":%t}`, suspended)))
		began := time.Now()
		d.await("the tenant is suspended or not", func() bool {
			return (d.attempt("POST /logs/{log}/append", "in-1", "", "X-Api-Key: "+d.owner).status == http.StatusForbidden) == suspended
		})
		d.t.Logf("suspended: %t after %v", suspended, time.Since(began))
	}
	set(true)
	for _, name := range names {
		o := operations[name]
		if o.scopes == "" || o.scopes == "operator" {
			continue
		}
		for _, headers := range [][]string{{"X-Api-Key: " + d.inside}, {"X-Api-Key: " + d.operator, "Tally-Tenant: acme"}} {
			r := d.attempt(name, "in-1", "read", headers...)
			switch {
			case o.scopes == "append":
				d.wantProblem(http.StatusForbidden, "tenant_suspended", r, "nothing was stored")
			case name == "POST /tokens" && len(headers) > 1:
				d.wantProblem(http.StatusConflict, "token_needs_key", r, "acme")
			case len(headers) == 1:
				d.allowed(name+" in a suspended tenant", o.forSome(), r)
			default:
				d.allowed(name+" in a suspended tenant, by an operator", o, r)
			}
		}
	}
	set(false)
	d.allowed("resumed", operations["POST /logs/{log}/append"], d.attempt("POST /logs/{log}/append", "in-1", "", "X-Api-Key: "+d.inside))
}
