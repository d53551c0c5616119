package api_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
)

// TestDirectAppends: an append that takes the short way is answered as one that takes the long one, which a body of unknown length does:
// same status, headers and body, for events that are new, were there before, and are refused for any reason.
func TestDirectAppends(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	send := func(path, body string, headers []string, chunked bool) (int, http.Header, string) {
		t.Helper()
		var reader io.Reader = strings.NewReader(body)
		if chunked {
			reader = struct{ io.Reader }{reader}
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, reader)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(headers); i += 2 {
			r.Header.Add(headers[i], headers[i+1])
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		answer, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		id := response.Header.Get("Tally-Request-Id")
		response.Header.Del("Tally-Request-Id")
		response.Header.Del("Date")
		if id == "" {
			t.Errorf("%s: the answer has no request id", body)
		}
		return response.StatusCode, response.Header, string(bytes.ReplaceAll(answer, []byte(id), []byte("ID")))
	}
	const expected, key = "Expected-Sequence", "Idempotency-Key"
	for _, test := range []struct {
		path, body string
		headers    []string
		want       int
	}{
		{"/logs/acme/append", `{"id":"1"}`, nil, 201},
		{"/logs/acme/append", `{"id":"1"}`, nil, 200},
		{"/logs/acme/append", `{"id":"1","more":1}`, nil, 422},
		{"/logs/acme/append", `{"n":1}`, []string{key, "k"}, 201},
		{"/logs/acme/append", `{"n":1}`, []string{key, ""}, 400},
		{"/logs/acme/append", `{"n":1}`, []string{key, "a", key, "b"}, 400},
		{"/logs/acme/append", `{"n":2}`, []string{expected, "99"}, 409},
		{"/logs/acme/append", `{"n":2}`, []string{expected, "x"}, 400},
		{"/logs/acme/append", `{"n":`, nil, 400},
		{"/logs/acme/append", `[]`, nil, 400},
		{"/logs/acme/append", `{"time":"yesterday"}`, nil, 400},
		{"/logs/acme/append", `{}`, []string{"Ce-Id", "1"}, 400},
		{"/logs/acme/append?x=1", `{}`, nil, 400},
		{"/logs/acme/append", `{"a":1}`, []string{"Accept", "application/json", key, "accept"}, 201},
		{"/logs/acme/append", `{"a":1}`, []string{"Accept", "text/html", key, "html"}, 201},
		{"/logs/acme/append", `{"a":1}`, []string{"Content-Encoding", "gzip"}, 400},
		{"/logs/acme/append", gzipped(t, `{"b":1}`), []string{"Content-Encoding", "gzip", key, "gzip"}, 201},
		{"/logs/acme/append", `{"a":1}`, []string{"Content-Encoding", "br"}, 415},
		{"/logs/none/append", `{}`, nil, 404},
		{"/logs/" + strings.Repeat("x", 201) + "/append", `{}`, nil, 422},
		{"/logs/acme%2fb/append", `{}`, nil, 404},
	} {
		status, header, body := send(test.path, test.body, test.headers, false)
		status2, header2, body2 := send(test.path, test.body, test.headers, true)
		if status == http.StatusCreated { // the second one was there before
			status2, body2 = status, strings.Replace(body2, `,"duplicate":true`, "", 1)
			header2.Set("Content-Length", header.Get("Content-Length"))
		}
		if status != test.want || status != status2 || body != body2 ||
			!maps.EqualFunc(header, header2, func(a, b []string) bool { return strings.Join(a, ",") == strings.Join(b, ",") }) {
			t.Errorf("%s %s %v:\n%d %v %s\n%d %v %s", test.path, test.body, test.headers, status, header, body, status2, header2, body2)
		}
	}
}
