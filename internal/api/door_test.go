package api_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/checkpoint"
	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/views"
)

var allScopes = []string{"append", "read", "query", "deploy", "admin", "operator"}

// frontDoor is a server with two tenants, acme and rival, that have the same and know nothing of each other.
type frontDoor struct {
	*service

	operator string            // of the tenant default
	owner    string            // everything in acme but operator
	rival    string            // likewise
	inside   string            // everything but operator, on the logs in-* of acme
	alone    map[string]string // by scope: that scope alone, on the logs in-* of acme
	module   string            // the SHA-256 of what both have uploaded
	spare    string            // id of a key of acme that nobody uses
	webhook  string            // id of a webhook of acme's, whose name has no address
	delivery string            // id of a delivery to it, which is tried again and again
	rivalLog string            // id of rival's log theirs
	rivalKey string            // id of a key of rival's
	fresh    atomic.Int64
}

func openDoor(t *testing.T, change ...func(*server.Config)) *frontDoor {
	t.Helper()
	d := &frontDoor{operator: access.GenerateKey(), alone: map[string]string{}}
	private, _, err := checkpoint.GenerateKey("billing.example.com")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "signing.key")
	if err := os.WriteFile(file, []byte(private+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sign := func(c *server.Config) { c.SigningKeyFile = file }
	d.service = start(t, append([]func(*server.Config){withKeys(d.operator), sign}, change...)...)
	body := string(views.MonthlyTotals())
	owners := map[string]string{}
	for _, tenant := range []string{"acme", "rival", "spare"} {
		d.want(http.StatusCreated, d.as(d.operator, "POST", "/tenants", `{"name":"`+tenant+`"}`))
		_, owners[tenant] = d.keyIn(tenant, "owner", "*", allScopes[:5]...)
	}
	d.owner, d.rival = owners["acme"], owners["rival"]
	for log, owner := range map[string]string{"in-1": d.owner, "in-2": d.owner, "out-1": d.owner, "theirs": d.rival} {
		d.want(http.StatusCreated, d.as(owner, "POST", "/logs", `{"name":"`+log+`","labels":{"plan":"gold"}}`))
		r := d.want(http.StatusCreated, d.as(owner, "POST", "/logs/"+log+"/views/totals", body))
		d.module = decode[struct{ Module string }](t, r).Module
		d.want(http.StatusCreated, d.as(owner, "POST", "/logs/"+log+"/append", `{"model":"m","tokens_in":1}`))
	}
	d.rivalLog = decode[struct {
		LogID string `json:"log_id"`
	}](t, d.want(http.StatusOK, d.as(d.rival, "GET", "/logs/theirs", ""))).LogID
	d.want(http.StatusCreated, d.as(d.owner, "POST", "/logs/in-1/views/rates", string(views.RateCheck())))
	d.want(http.StatusCreated, d.as(d.owner, "POST", "/views/on-none?logs=in-none", d.fill(`{"module":"{module}"}`, false)))
	d.want(http.StatusCreated, d.as(d.owner, "PUT", "/sources/gateway", `{"log":"in-1","id":"{/id}","keep":true}`))
	d.want(http.StatusCreated, d.as(d.rival, "POST", "/views/theirs-everywhere?logs=*", d.fill(`{"module":"{module}"}`, false)))
	d.want(http.StatusCreated, d.as(d.owner, "PUT", "/alerts/watched", `{"logs":"in-1","view":"totals","value":"/n","thresholds":["1"]}`))
	d.webhook = d.newWebhook()
	d.delivery = decode[struct {
		DeliveryID string `json:"delivery_id"`
	}](t, d.want(http.StatusAccepted, d.as(d.owner, "POST", "/webhooks/"+d.webhook+"/test", ""))).DeliveryID
	d.spare, _ = d.keyIn("acme", "spare", "in-*", "read")
	d.rivalKey, _ = d.keyIn("rival", "theirs", "*", "read")
	_, d.inside = d.keyIn("acme", "inside", "in-*", allScopes[:5]...)
	for _, scope := range allScopes {
		_, d.alone[scope] = d.keyIn("acme", "only-"+scope, "in-*", scope)
	}
	return d
}

// as is call with a key or token.
func (d *frontDoor) as(credential, method, path, body string, headers ...string) reply {
	d.t.Helper()
	return d.call(method, path, body, append(headers, "Authorization: Bearer "+credential)...)
}

// keyIn makes a key in a tenant.
func (d *frontDoor) keyIn(tenant, name, logs string, scopes ...string) (id, text string) {
	d.t.Helper()
	r := d.want(http.StatusCreated, d.as(d.operator, "POST", "/keys",
		fmt.Sprintf(`{"name":%q,"logs":%q,"scopes":["%s"]}`, name, logs, strings.Join(scopes, `","`)), "Tally-Tenant: "+tenant))
	made := decode[struct {
		KeyID string `json:"key_id"`
		Key   string
	}](d.t, r)
	return made.KeyID, made.Key
}

// newWebhook makes a webhook of acme's and returns its id.
func (d *frontDoor) newWebhook() string {
	d.t.Helper()
	return decode[struct {
		WebhookID string `json:"webhook_id"`
	}](d.t, d.want(http.StatusCreated, d.as(d.owner, "POST", "/webhooks", `{"url":"https://hooks.example.com/acme"}`))).WebhookID
}

// token makes a token with a key.
func (d *frontDoor) token(key, scopes, log string, seconds int, more string) string {
	d.t.Helper()
	body := fmt.Sprintf(`{"scopes":["%s"],"logs":[%q],"seconds":%d%s}`, strings.ReplaceAll(scopes, " ", `","`), log, seconds, more)
	return decode[struct{ Token string }](d.t, d.want(http.StatusCreated, d.as(key, "POST", "/tokens", body))).Token
}

// fill fills in what stands in braces, with what belongs to acme. What is fresh is made, if it will be needed.
func (d *frontDoor) fill(text string, needed bool) string {
	d.t.Helper()
	fresh := fmt.Sprint(d.fresh.Add(1))
	make := func(placeholder, path, body string) {
		if needed && strings.Contains(text, placeholder) {
			d.want(http.StatusCreated, d.as(d.owner, "PUT", path, body))
		}
	}
	module := `{"module":"` + d.module + `"}`
	make("{fresh-view}", "/logs/in-1/views/fresh-"+fresh, module)
	make("{fresh-pattern}", "/views/fresh-"+fresh+"?logs=in-none-"+fresh, module)
	const watched = `{"logs":"in-1","view":"totals","value":"/n","thresholds":["1"]}`
	text = strings.ReplaceAll(text, "{alert-definition}", watched)
	make("{fresh-alert}", "/alerts/fresh-"+fresh, watched)
	make("{fresh-source}", "/sources/fresh-"+fresh, `{"log":"in-1","id":"{/id}","keep":true}`)
	if needed && strings.Contains(text, "{fresh-key}") {
		id, _ := d.keyIn("acme", "fresh-"+fresh, "in-*", "read")
		text = strings.ReplaceAll(text, "{fresh-key}", id)
	}
	if needed && strings.Contains(text, "{fresh-webhook}") {
		text = strings.ReplaceAll(text, "{fresh-webhook}", d.newWebhook())
	}
	return strings.NewReplacer("{fresh}", fresh, "{webhook}", d.webhook, "{delivery}", d.delivery,
		"{fresh-webhook}", "01980000-0000-7000-8000-000000000000", "{fresh-view}", "fresh-"+fresh, "{fresh-pattern}", "fresh-"+fresh,
		"{fresh-source}", "fresh-"+fresh, "{fresh-key}", "0000000000000000",
		"{module}", d.module, "{module-bytes}", string(views.MonthlyTotals()),
		"{log}", "in-1", "{view}", "totals", "{sequence}", "1", "{key}", d.spare, "{tenant}", "spare",
		"{source}", "gateway", "{alert}", "watched", "{fresh-alert}", "fresh-"+fresh).Replace(text)
}

// attempt does an operation of the table, in the log that is named. may is a scope that allows it, and that a token is made for; "" where
// it will be refused anyway.
func (d *frontDoor) attempt(name, log, may string, headers ...string) reply {
	d.t.Helper()
	o := operations[name]
	method, path, _ := strings.Cut(name, " ")
	if o.path != "" {
		path = o.path
	}
	path = strings.ReplaceAll(path, "{log}", log)
	body := d.fill(strings.ReplaceAll(o.body, "{may}", may), may != "")
	return d.send(method, d.fill(path, may != ""), body, o.stream, headers...)
}

// send is call for an answer that may be a stream, of which it reads nothing.
func (d *frontDoor) send(method, path, body string, stream bool, headers ...string) reply {
	d.t.Helper()
	if !stream {
		return d.call(method, path, body, headers...)
	}
	ctx, cancel := context.WithCancel(d.t.Context())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	r := reply{status: response.StatusCode, header: response.Header}
	if r.status != http.StatusOK {
		if r.body, err = io.ReadAll(response.Body); err != nil {
			d.t.Fatal(err)
		}
		d.check(request, r)
	}
	return r
}

// alike fails the test unless two replies differ in nothing but what every reply has of its own.
func (d *frontDoor) alike(what string, got, want reply) {
	d.t.Helper()
	if got.status != want.status || string(got.body) != string(want.body) {
		d.t.Errorf("%s: answered %d %s, not %d %s", what, got.status, shorten(string(got.body)), want.status, shorten(string(want.body)))
	}
	one, other := maps.Clone(got.header), maps.Clone(want.header)
	for _, own := range []string{"Date", "Tally-Request-Id"} {
		delete(one, own)
		delete(other, own)
	}
	if !maps.EqualFunc(one, other, slices.Equal) {
		d.t.Errorf("%s: the headers are %v, not %v", what, one, other)
	}
}

// withSecret is a key with this id and another secret, and a right checksum.
func withSecret(id string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	text := "tally_" + id + "_" + access.GenerateKey()[23:66]
	sum, checksum := crc32.ChecksumIEEE([]byte(text)), ""
	for range 6 {
		checksum = digits[sum%62:][:1] + checksum
		sum /= 62
	}
	return text + checksum
}

func basic(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}
