package tally_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// The commands' tests ask real servers. These are about what answers in their place: proxies, strangers, nobody.

// stranger answers in place of a server.
func stranger(t *testing.T, path string, result http.HandlerFunc) *tally.Client {
	t.Helper()
	server := httptest.NewServer(result)
	t.Cleanup(server.Close)
	c, err := tally.New(tally.Options{URL: server.URL + path, Anonymous: true, Actor: "ada", NoRetries: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestStrangers(t *testing.T) {
	cases := []struct {
		status            int
		contentType, body string
		words             string
	}{
		{502, "text/html", "<h1>Bad Gateway</h1>\n", "the server answered 502 Bad Gateway: <h1>Bad Gateway</h1>"},
		{404, "application/json", `{"message":"no"}`, `the server answered 404 Not Found: {"message":"no"}`},
		{500, "text/plain", "\xff\x00" + strings.Repeat("x", 1<<20), "the server answered 500"},
		{301, "text/html", "moved", "the server answered 301"},
		{200, "text/html", "<html>", "is not Tallystick's: invalid character"},
		{
			409, "application/problem+json",
			`{"status":409,"code":"name_taken","detail":"another log has that name"}`, "another log has that name (name_taken)",
		},
	}
	for _, c := range cases {
		asked := stranger(t, "", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", c.contentType)
			if c.status == http.StatusMovedPermanently {
				w.Header().Set("Location", "/elsewhere")
			}
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		})
		_, err := asked.ListViews(t.Context(), "acme")
		if err == nil || !strings.Contains(err.Error(), c.words) || len(err.Error()) > 100_000 {
			t.Errorf("%d %s: %.200v; %q is wanted", c.status, c.body[:min(20, len(c.body))], err, c.words)
		}
		if _, err := asked.QueryView(t.Context(), "acme", "totals", ""); err == nil {
			t.Errorf("%d %s is taken for a view's answer", c.status, c.contentType)
		}
		var problem *tally.Error
		if c.status != 200 && (!errors.As(err, &problem) || problem.Status != c.status) {
			t.Errorf("%d: %v", c.status, err)
		}
		if tally.IsCode(err, "name_taken") != (c.status == 409) {
			t.Errorf("%d: the code is not the one of the problem", c.status)
		}
	}
}

// TestOnce: no request is sent twice, whatever comes back, and no redirect turns it into another.
func TestOnce(t *testing.T) {
	for _, status := range []int{
		http.StatusServiceUnavailable, http.StatusTooManyRequests,
		http.StatusTemporaryRedirect, http.StatusSeeOther,
	} {
		var asked atomic.Int32
		c := stranger(t, "", func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.Header().Set("Location", "/")
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(status)
		})
		if _, err := c.AppendEvent(t.Context(), "acme", []byte(`{}`), nil); err == nil {
			t.Errorf("%d is no error", status)
		}
		if asked.Load() != 1 {
			t.Errorf("after %d the request was sent %d times", status, asked.Load())
		}
	}
	// A connection that breaks under a request does not tell whether it was done.
	var asked atomic.Int32
	c := stranger(t, "", func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		panic(http.ErrAbortHandler)
	})
	if _, err := c.AppendEvents(t.Context(), "acme", "{}\n{}\n", nil); err == nil || asked.Load() != 1 {
		t.Errorf("%v after %d requests", err, asked.Load())
	}
}

// TestRequests: names are escaped and stay within their segment, below the configured address; the actor is sent.
func TestRequests(t *testing.T) {
	var got *http.Request
	var body string
	c := stranger(t, "/tally/", func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		got, body = r, string(text)
		_, _ = io.WriteString(w, `{"name":"v","status":"live"}`)
	})
	small := tally.Deployment{Ready: "meter", Config: json.RawMessage(`{ "a": 0.10, "b": "<&>" }`), Gas: 7}
	if _, err := c.DeployView(t.Context(), "a/../b?c#d %", "v:1", small); err != nil {
		t.Fatal(err)
	}
	want := "/tally/logs/a%2F..%2Fb%3Fc%23d%20%25/views/v:1"
	if got.RequestURI != want || body != `{"ready":"meter","config":{ "a": 0.10, "b": "<&>" },"gas":7}` {
		t.Errorf("asked %s with %q, want %s", got.RequestURI, body, want)
	}
	if got.Header.Get("Tally-Actor") != "ada" || got.Method != http.MethodPost {
		t.Errorf("%s by %q", got.Method, got.Header.Get("Tally-Actor"))
	}
	if _, err := c.DeployViewPattern(t.Context(), "v", tally.Deployment{Module: "1234"},
		&tally.DeployViewPatternOptions{Logs: "a&b*"}); err != nil {
		t.Fatal(err)
	}
	if want = "/tally/views/v?logs=a%26b%2A"; got.RequestURI != want || body != `{"module":"1234"}` {
		t.Errorf("asked %s with %.200q, want %s", got.RequestURI, body, want)
	}
}

// TestRaw: a request of one's own is sent as it is, with the client's headers; what is refused is an error.
func TestRaw(t *testing.T) {
	c, log := server(t).Client, "raw-"+time.Now().Format("150405.000000000")
	made, err := c.Do(t.Context(), tally.Raw{Method: http.MethodPut, Path: "/logs/" + log, Body: map[string]any{}, Repeatable: true})
	if err != nil || made.Status != http.StatusCreated || !strings.Contains(string(made.Body), log) {
		t.Errorf("%+v, %v: %s", made, err, made.Body)
	}
	found, err := c.Do(t.Context(), tally.Raw{Path: "logs/" + log + "/events", Query: "format=ndjson"})
	if err != nil || found.Status != http.StatusOK || found.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err := c.Do(t.Context(), tally.Raw{Path: "/logs/no%20such"}); !tally.IsCode(err, "log_not_found") {
		t.Errorf("a log that there is not: %v", err)
	}
	if _, err := c.Do(t.Context(), tally.Raw{Path: "/logs/%zz"}); err == nil {
		t.Error("a path that is not percent-encoded is sent")
	}
}

// TestStoppedWaiting: whoever stops waiting gets the reason, not the transport's.
func TestStoppedWaiting(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	c := stranger(t, "", func(_ http.ResponseWriter, r *http.Request) {
		stop()
		<-r.Context().Done()
	})
	if _, err := c.ListViews(ctx, "acme"); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "http") {
		t.Errorf("%v", err)
	}
}

func TestAddresses(t *testing.T) {
	for _, url := range []string{"localhost:8080", "127.0.0.1:8080", "ftp://localhost", "http://", "://", "http://a b"} {
		if _, err := tally.New(tally.Options{URL: url}); err == nil {
			t.Errorf("%q is taken for the address of a server", url)
		}
	}
}

// TestProblemIsOneLine: what a view says in an error cannot look like other output.
func TestProblemIsOneLine(t *testing.T) {
	for code, want := range map[string]string{
		"query_refused": `no\ntally: ok\u001b[2J\u202e (query_refused)`,
		"":              `the server answered 400 Bad Request: no\ntally: ok\u001b[2J\u202e`,
	} {
		p := tally.Error{Status: http.StatusBadRequest, Code: code, Detail: "no\ntally: ok\x1b[2J\u202e"}
		if got := p.Error(); got != want {
			t.Errorf("the error is %q, want %q", got, want)
		}
	}
}
