package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tallystick/tallystick/internal/intake"
)

// protobuf is a protobuf message of fields that hold messages or strings.
func protobuf(fields ...any) []byte {
	var b []byte
	for i := 0; i < len(fields); i += 2 {
		b = protowire.AppendTag(b, protowire.Number(fields[i].(int)), protowire.BytesType)
		switch value := fields[i+1].(type) {
		case string:
			b = protowire.AppendString(b, value)
		case []byte:
			b = protowire.AppendBytes(b, value)
		}
	}
	return b
}

// attributes are attributes of strings, as the field of that number.
func attributes(number int, pairs ...string) (fields []any) {
	for i := 0; i < len(pairs); i += 2 {
		fields = append(fields, number, protobuf(1, pairs[i], 2, protobuf(1, pairs[i+1])))
	}
	return fields
}

// otlpOf is a request with a log record, or span, for each list of attributes, as protobuf.
func otlpOf(number int, records ...[]string) string {
	fields := []any{1, protobuf()} // the scope comes first, and so does the resource
	for _, pairs := range records {
		fields = append(fields, 2, protobuf(attributes(number, pairs...)...))
	}
	return string(protobuf(1, protobuf(1, protobuf(), 2, protobuf(fields...))))
}

// TestOTLP: logs and spans in both encodings are stored once whatever the encoding; the answer is in the request's, and tells of rejects;
// so are errors, whoever finds them.
func TestOTLP(t *testing.T) {
	d := openDoor(t)
	s := d.service
	as := "X-Api-Key: " + d.owner
	jsonOf := func(resource, scope, list, id string) string {
		return fmt.Sprintf(`{%q:[{%q:[{%q:[{"attributes":[{"key":"tally.log","value":{"stringValue":"in-otlp"}},`+
			`{"key":"tally.id","value":{"stringValue":%q}}]}]}]}]}`, resource, scope, list, id)
	}
	const binary = "application/x-protobuf"
	for _, c := range []struct {
		path, id, json string
		number         int
		rejected       string
	}{
		{"/v1/logs", "log", jsonOf("resourceLogs", "scopeLogs", "logRecords", "log"), 6, "rejectedLogRecords"},
		{"/v1/traces", "span", jsonOf("resourceSpans", "scopeSpans", "spans", "span"), 9, "rejectedSpans"},
	} {
		one := otlpOf(c.number, []string{"tally.id", c.id, "tally.log", "in-otlp"})
		for _, body := range []struct{ contentType, body string }{
			{binary, one},
			{binary, ""},
			{"", one},
			{"application/json", c.json},
			{"application/json; charset=utf-8", c.json},
			{"text/plain", c.json},
		} {
			r := s.delivered(c.path, gzipped(t, body.body), as, "Content-Type: "+body.contentType, "Content-Encoding: gzip")
			want, empty := binary, ""
			if strings.HasPrefix(body.body, "{") {
				want, empty = "application/json", "{}"
			}
			if r.status != http.StatusOK || r.header.Get("Content-Type") != want || string(r.body) != empty {
				t.Errorf("%s as %q: %d %s %q", c.path, body.contentType, r.status, r.header.Get("Content-Type"), r.body)
			}
		}
		r := s.delivered(c.path, otlpOf(c.number, []string{"tally.log", "in-otlp"}, []string{"tally.id", "1"}), as, "Content-Type: "+binary)
		partial, ok := fieldOf(r.body, 1)
		text, _ := fieldOf(partial, 2)
		if !ok || !strings.HasPrefix(string(partial), "\x08\x02") || !strings.Contains(string(text), "rejects-default") {
			t.Errorf("%s: %d %q", c.path, r.status, r.body)
		}
		r = s.delivered(c.path, strings.ReplaceAll(c.json, "tally.id", "other"), as, "Content-Type: application/json")
		success := decode[struct{ PartialSuccess map[string]string }](t, r.body).PartialSuccess
		if success[c.rejected] != "1" || success["errorMessage"] == "" {
			t.Errorf("%s: %s", c.path, r.body)
		}
		for _, e := range []struct {
			what, method, path, body, credential string
			status, code                         int
		}{
			{"nobody", "POST", c.path, "", "X-Api-Key: nonsense", 401, 16},
			{"no right to append", "POST", c.path, "", "X-Api-Key: " + d.alone["read"], 403, 7},
			{"no such source", "POST", "/sources/none" + c.path, "", as, 404, 5},
			{"no name of a source", "POST", "/sources/" + strings.Repeat("x", 300) + c.path, "", as, 404, 5},
			{"no such tenant", "POST", c.path, "", as + "\nTally-Tenant: none", 403, 7},
			{"two keys", "POST", c.path, "", as + "\nIdempotency-Key: ", 400, 3},
			{"another origin", "POST", c.path, "", as + "\nSec-Fetch-Site: cross-site", 403, 7},
			{"no request", "POST", c.path, "{]", as, 400, 3},
		} {
			for _, contentType := range []string{binary, "application/json"} {
				r := s.delivered(e.path, e.body, append(strings.Split(e.credential, "\n"), "Content-Type: "+contentType)...)
				code, text := statusOf(t, contentType, r.body)
				if r.status != e.status || r.header.Get("Content-Type") != contentType || code != e.code || !strings.Contains(text, ": ") {
					t.Errorf("%s, %s as %s: %d %s %d %q", c.path, e.what, contentType, r.status, r.header.Get("Content-Type"), code, r.body)
				}
			}
		}
	}
	if got := s.named("in-otlp"); len(got) != 2 || got[0] != `{"attributes":{"tally.id":"log","tally.log":"in-otlp"}}` {
		t.Errorf("stored %v", got)
	}
}

// fieldOf returns a field of a protobuf message that holds bytes.
func fieldOf(b []byte, number protowire.Number) ([]byte, bool) {
	for len(b) > 0 {
		n, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return nil, false
		}
		b = b[size:]
		if kind == protowire.BytesType && n == number {
			value, size := protowire.ConsumeBytes(b)
			return value, size >= 0
		}
		if size = protowire.ConsumeFieldValue(n, kind, b); size < 0 {
			return nil, false
		}
		b = b[size:]
	}
	return nil, false
}

// statusOf decodes a google.rpc.Status.
func statusOf(t *testing.T, contentType string, body []byte) (code int, text string) {
	t.Helper()
	if contentType == "application/json" {
		status := decode[struct {
			Code    int
			Message string
		}](t, body)
		return status.Code, status.Message
	}
	if len(body) > 2 && body[0] == 8 {
		code = int(body[1])
	}
	message, _ := fieldOf(body, 2)
	return code, string(message)
}

// TestSourcesOfOthers: that a source is another tenant's cannot be told from that there is none.
func TestSourcesOfOthers(t *testing.T) {
	d := openDoor(t)
	const mapping = `{"log": "in-1", "id": null, "keep": true}`
	var rival [16]byte
	if err := d.db.QueryRow(t.Context(), "SELECT tenant_id FROM tenants WHERE name = 'rival'").Scan(&rival); err != nil {
		t.Fatal(err)
	}
	d.putSourceOf(rival, "secret", mapping)
	for _, path := range []string{"/events", "/v1/logs", "/v1/traces", "/api/v1/events"} {
		for _, key := range []string{d.owner, d.inside, d.alone["append"]} {
			as := "Authorization: Bearer " + key
			theirs, nobodys := d.delivered("/sources/secret"+path, "{}", as), d.delivered("/sources/none"+path, "{}", as)
			d.alike(path, theirs, nobodys)
			if theirs.status != http.StatusNotFound || strings.Contains(string(theirs.body), "secret") {
				t.Errorf("%s: %d %s", path, theirs.status, theirs.body)
			}
			d.alike("OPTIONS "+path, d.as(key, "OPTIONS", "/sources/secret"+path, ""), d.as(key, "OPTIONS", "/sources/none"+path, ""))
		}
	}
	own := d.delivered("/sources/secret/events", "{}", "Authorization: Bearer "+d.rival)
	if got := d.summaryOf(own); got.Rejected != 1 { // it has no such log
		t.Errorf("its own: %+v", got)
	}
	// A key's pattern holds for what a mapping sends where it does not reach.
	got := d.summaryOf(d.delivered("/events", `{"log":"in-1","id":"1"}{"log":"out-1","id":"1"}`, "X-Api-Key: "+d.inside))
	if got.Stored != 1 || got.Rejected != 1 || got.FirstRejected.Code != "outside_pattern" {
		t.Errorf("%+v", got)
	}
}

// TestResultsWhileSending: results come as their lines are durable, while the body is still being sent, on HTTP/1.1 and HTTP/2.
func TestResultsWhileSending(t *testing.T) {
	two := slowly(t, patience)
	for name, client := range map[string]*http.Client{"HTTP/1.1": http.DefaultClient, "HTTP/2": two.client} {
		body, writer := io.Pipe()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, two.service.url+"/events", body)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept", "application/x-ndjson")
		responses := make(chan *http.Response, 1)
		go func() {
			response, err := client.Do(request)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			responses <- response
		}()
		sent, told := 0, 0
		send := func(lines int) {
			t.Helper()
			for range lines {
				sent++
				if _, err := fmt.Fprintf(writer, `{"log":"%s","id":"%d"}`+"\n", strings.ReplaceAll(name, "/", "-"), sent); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
		}
		send(5500)
		response := <-responses
		if response == nil {
			return
		}
		results := bufio.NewScanner(response.Body)
		read := func(lines int) {
			t.Helper()
			for range lines {
				var r intake.Result
				if !results.Scan() || json.Unmarshal(results.Bytes(), &r) != nil || r.Line != told+1 || r.Sequence != int64(told+1) {
					t.Fatalf("%s: after %d lines: %s, %v", name, told, results.Bytes(), results.Err())
				}
				told++
			}
		}
		read(4000)
		send(3000)
		read(4000)
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
		read(500)
		if results.Scan() || results.Err() != nil {
			t.Errorf("%s: then %s, %v", name, results.Bytes(), results.Err())
		}
		_ = response.Body.Close()
	}
}
