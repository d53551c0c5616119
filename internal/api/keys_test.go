package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/views"
)

// withKeys has a server ask for keys, and know this one, which may do everything.
func withKeys(key string) func(*server.Config) {
	return func(c *server.Config) { c.Keys, c.BootstrapKey = true, key }
}

// makeKey makes a key by the API and returns its id and text.
func (s *service) makeKey(admin, body string) (id, key string) {
	s.t.Helper()
	r := s.call(http.MethodPost, "/keys", body, "X-Api-Key: "+admin)
	var made struct {
		KeyID string `json:"key_id"`
		Key   string
	}
	if err := json.Unmarshal(r.body, &made); err != nil || r.status != http.StatusCreated {
		s.t.Fatalf("making a key: %d %s %v", r.status, r.body, err)
	}
	return made.KeyID, made.Key
}

// TestStreamsEndWithTheirKey: whoever follows a log or an answer is cut off when the key that opened the stream is revoked, or its token
// expires, and is told why.
func TestStreamsEndWithTheirKey(t *testing.T) {
	admin := access.GenerateKey()
	s := start(t, withKeys(admin))
	s.call(http.MethodPost, "/logs", `{"name":"acme"}`, "X-Api-Key: "+admin)
	id, reader := s.makeKey(admin, `{"name":"reader","scopes":["read"],"logs":"ac*"}`)
	r := s.call(http.MethodPost, "/tokens", `{"scopes":["read"],"logs":["acme"],"seconds":6}`, "X-Api-Key: "+reader)
	var made struct{ Token string }
	if err := json.Unmarshal(r.body, &made); err != nil || r.status != http.StatusCreated {
		t.Fatalf("%d %s", r.status, r.body)
	}
	began := time.Now()
	ended := make(chan string, 2)
	for name, credential := range map[string]string{"key": reader, "token": made.Token} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/logs/acme/tail", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+credential)
		response, err := http.DefaultClient.Do(request)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v %v", name, response, err)
		}
		go func() {
			defer func() { _ = response.Body.Close() }()
			var last string
			for lines := bufio.NewScanner(response.Body); lines.Scan(); {
				if strings.HasPrefix(lines.Text(), "data: ") {
					last = lines.Text()
				}
			}
			ended <- fmt.Sprint(name, " ", last)
		}()
	}
	first := <-ended
	if !strings.HasPrefix(first, "token ") || !strings.Contains(first, `"unauthorized"`) {
		t.Errorf("the first to end was %s", first)
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("a token of 6 s was good for %v", took)
	}
	if r := s.call(http.MethodDelete, "/keys/"+id, "", "X-Api-Key: "+admin); r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if second := <-ended; !strings.HasPrefix(second, "key ") || !strings.Contains(second, `"unauthorized"`) {
		t.Errorf("then %s", second)
	}
	if r := s.call(http.MethodGet, "/logs/acme", "", "X-Api-Key: "+reader); r.status != http.StatusUnauthorized {
		t.Errorf("a revoked key gets %d %s", r.status, r.body)
	}
}

// TestWhoDidIt: what is recorded of a view names the key by which it was done, and not only whoever its holder says they are; an operator's
// key in another tenant is named as what it is.
func TestWhoDidIt(t *testing.T) {
	owner := access.GenerateKey()
	s := start(t, withKeys(owner))
	s.call(http.MethodPost, "/tenants", `{"name":"rival"}`, "X-Api-Key: "+owner)
	_, ci := s.makeKey(owner, `{"name":"ci","scopes":["append","deploy","read"]}`)
	const elsewhere = "Tally-Tenant: rival"
	actors := func(headers ...string) string {
		t.Helper()
		if r := s.call(http.MethodPost, "/logs", `{"name":"acme"}`, headers...); r.status != http.StatusCreated {
			t.Fatalf("%d %s", r.status, r.body)
		}
		deploy := append([]string{"Tally-Actor: ann"}, headers...)
		r := s.call(http.MethodPost, "/logs/acme/views/totals", string(views.MonthlyTotals()), deploy...)
		if r.status != http.StatusCreated {
			t.Fatalf("%d %s", r.status, r.body)
		}
		var shown struct {
			Versions []struct{ Actor string }
			Actions  []struct{ Action, Actor string }
		}
		r = s.call(http.MethodGet, "/logs/acme/views/totals/versions", "", headers...)
		if err := json.Unmarshal(r.body, &shown); err != nil || len(shown.Versions) != 1 {
			t.Fatalf("%d %s %v", r.status, r.body, err)
		}
		all := shown.Versions[0].Actor
		for _, a := range shown.Actions {
			all += "; " + a.Action + " " + a.Actor
		}
		return all
	}
	if got, want := actors("X-Api-Key: "+ci), "ci (ann); live ; deploy ci (ann)"; got != want {
		t.Errorf("recorded as %q, want %q", got, want)
	}
	operator := "bootstrap-" + owner[len("tally_"):][:16] + " of default (ann)"
	if got, want := actors("X-Api-Key: "+owner, elsewhere), operator+"; live ; deploy "+operator; got != want {
		t.Errorf("recorded as %q, want %q", got, want)
	}
}
