package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/intake"
	"github.com/tallystick/tallystick/internal/uuid"
)

// putSource gives the tenant default a source, or what an existing one is to do.
func (s *service) putSource(name, mapping string) {
	s.t.Helper()
	s.putSourceOf(db.DefaultTenant, name, mapping)
}

func (s *service) putSourceOf(tenant uuid.UUID, name, mapping string) {
	s.t.Helper()
	d, err := db.Open(s.t.Context(), db.Config{URL: s.db.Config().ConnString(), ReadConns: 2, AppendConns: 1})
	if err != nil {
		s.t.Fatal(err)
	}
	defer d.Close()
	if _, _, err := intake.NewRegistry(d).Put(s.t.Context(), access.Actor{Name: "a test"}, tenant, name, []byte(mapping)); err != nil {
		s.t.Fatalf("%s: %v", mapping, err)
	}
}

// deliver sends a body with just these headers, and looks at nothing of the answer.
func (s *service) deliver(path string, body io.Reader, headers ...string) (reply, error) {
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, body)
	if err != nil {
		return reply{}, err
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, content}, err
}

// delivered is deliver of a text that has to be answered.
func (s *service) delivered(path, body string, headers ...string) reply {
	s.t.Helper()
	r, err := s.deliver(path, strings.NewReader(body), headers...)
	if err != nil {
		s.t.Fatalf("POST %s: %v", path, err)
	}
	return r
}

// summaryOf returns the summary that a delivery was answered with.
func (s *service) summaryOf(r reply) intake.Summary {
	s.t.Helper()
	return decode[intake.Summary](s.t, s.want(http.StatusOK, r))
}

// named returns the events of a log, by its name, in order.
func (s *service) named(log string) []string {
	s.t.Helper()
	var id string
	if err := s.db.QueryRow(s.t.Context(), "SELECT coalesce(max(log_id::text), '') FROM logs WHERE name = $1", log).Scan(&id); err != nil {
		s.t.Fatal(err)
	}
	if id == "" {
		return nil
	}
	return s.events(id)
}

// rejected returns the codes of a source's rejects, in order.
func (s *service) rejected(source string) (codes []string) {
	s.t.Helper()
	for _, event := range s.named(intake.RejectsOf(source)) {
		codes = append(codes, decode[intake.Reject](s.t, []byte(event)).Code)
	}
	return codes
}

// TestBodiesAsTheyCome: whatever a body's framing, its Content-Type and its encoding, its lines are stored once each, however often it
// comes.
func TestBodiesAsTheyCome(t *testing.T) {
	s := start(t)
	records := []string{`{"log":"%s","id":"1","n":1}`, `{"log":"%s","id":"2", "text":"a\nb é"}`, `{ "log":"%s","id":"3"}`}
	framings := map[string]string{
		"lines": strings.Join(records, "\n") + "\n", "no final newline": strings.Join(records, "\n"),
		"CRLF": strings.Join(records, "\r\n") + "\r\n", "byte order mark": "\ufeff" + strings.Join(records, "\n"),
		"concatenated": strings.Join(records, ""), "spaces": " " + strings.Join(records, " \t ") + " ",
		"array": "[" + strings.Join(records, ",") + "]", "array of lines": "[\n" + strings.Join(records, ",\n") + "\n]\n",
		"empty lines": "\n\n" + strings.Join(records, "\n\n\n") + "\n\n",
	}
	types := []string{
		"", "application/json", "application/x-ndjson", "text/plain", "application/json; charset=utf-8", "application/octet-stream",
		"application/x-www-form-urlencoded", "nonsense",
	}
	pack := func(text string) string { return gzipped(t, text) }
	encodings := map[string]func(string) string{
		"": strings.Clone, "identity": strings.Clone, "gzip": pack, "x-gzip": pack,
		"zstd": func(text string) string { return zstandard(t, text) },
	}
	number := 0
	try := func(framing, body, contentType, encoding string, chunked bool) {
		t.Helper()
		number++
		log := fmt.Sprint("log-", number)
		body = encodings[encoding](strings.ReplaceAll(body, "%s", log))
		for round := range 2 {
			var reader io.Reader = strings.NewReader(body)
			if chunked {
				reader = io.MultiReader(reader)
			}
			headers := []string{"Content-Encoding: " + encoding, "Content-Type: " + contentType}
			if encoding == "" {
				headers = headers[1:]
			}
			r, err := s.deliver("/events", reader, headers...)
			if err != nil {
				t.Fatal(err)
			}
			want := intake.Summary{Stored: len(records) * (1 - round), Duplicates: len(records) * round}
			if got := s.summaryOf(r); got != want {
				t.Errorf("%s as %q in %q: %+v", framing, contentType, encoding, got)
			}
		}
		for i, event := range s.named(log) {
			if event != strings.ReplaceAll(records[i], "%s", log) {
				t.Errorf("%s: event %d is %s", framing, i+1, event)
			}
		}
	}
	for framing, body := range framings {
		try(framing, body, types[number%len(types)], "", false)
		try(framing, body, "", "", true)
	}
	for _, contentType := range types {
		try("lines", framings["lines"], contentType, "", false)
	}
	for encoding := range encodings {
		try("lines", framings["lines"], "application/json", encoding, false)
		try("array", framings["array"], "", encoding, true)
	}
	if got := s.summaryOf(s.delivered("/events", "")); got != (intake.Summary{}) {
		t.Errorf("nothing: %+v", got)
	}
	if got := s.rejected("default"); got != nil {
		t.Errorf("rejected %v", got)
	}
}

// TestCloudEvents: the three modes, and the call of OpenMeter.
func TestCloudEvents(t *testing.T) {
	s := start(t)
	one := `{"specversion":"1.0","id":"1","source":"/s","type":"t","subject":"customer-1","data":{"n":1}}`
	for _, c := range []struct {
		path, body string
		headers    []string
		status     int
	}{
		{"/events", one, []string{"Content-Type: application/cloudevents+json"}, 200},
		{"/events", one, []string{"Content-Type: application/cloudevents+json; charset=UTF-8"}, 200},
		{
			"/events", "[" + one + "," + strings.Replace(one, `"1","source"`, `"2","source"`, 1) + "]",
			[]string{"Content-Type: application/cloudevents-batch+json"},
			200,
		},
		{"/events", `{"n":3}`, []string{
			"Content-Type: application/json", "Ce-Specversion: 1.0", "Ce-Id: 3", "Ce-Source: /s", "Ce-Type: t",
			"Ce-Subject: customer-1",
		}, 200},
		{"/events", `text`, []string{
			"Content-Type: text/plain", "Ce-Specversion: 1.0", "Ce-Id: 4", "Ce-Source: /s", "Ce-Type: t",
			"Ce-Subject: customer-1",
		}, 200},
		{"/events", "", []string{"Ce-Specversion: 1.0", "Ce-Id: 5", "Ce-Source: /s", "Ce-Type: t", "Ce-Subject: customer-1"}, 200},
		{
			"/api/v1/events", strings.Replace(one, `"1","source"`, `"6","source"`, 1),
			[]string{"Content-Type: application/cloudevents+json"},
			204,
		},
		{
			"/sources/default/api/v1/events", "[" + strings.Replace(one, `"1","source"`, `"7","source"`, 1) + "]",
			[]string{"Content-Type: application/json"},
			204,
		},
	} {
		for range 2 {
			if r := s.delivered(c.path, c.body, c.headers...); r.status != c.status || r.status == 204 && len(r.body) > 0 {
				t.Errorf("%s: %d %s", c.body, r.status, r.body)
			}
		}
	}
	events := s.named("customer-1")
	if len(events) != 7 || events[0] != one || !strings.Contains(events[2], `"data":{"n":3}`) ||
		!strings.Contains(events[3], `"data":"text"`) {
		t.Errorf("stored %s", strings.Join(events, "\n"))
	}
}

// TestLongEnvelopes: an envelope may be as long as a delivery, with more in it than one record may have.
func TestLongEnvelopes(t *testing.T) {
	s := start(t)
	s.putSource("firehose", `{"unwrap": {"at": "/records", "data": "/data", "as": "base64"}, "log": "f", "id": "{/id}", "create": {},
		"keep": {"n": "/id"}, "answer": "firehose"}`)
	const records = 2000
	var body strings.Builder
	body.WriteString(`{"requestId":"r-1","timestamp":1,"records":[`)
	filler := strings.Repeat("x", 3000)
	for i := range records {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"data":%q}`, base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"id":"%d","x":%q}`, i, filler)))
	}
	body.WriteString("]}")
	for range 2 {
		r := s.delivered("/sources/firehose/events", body.String(), "X-Amz-Firehose-Request-Id: r-1")
		if r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	if got := s.named("f"); len(got) != records {
		t.Errorf("%d of %d records are stored, of %d bytes", len(got), records, body.Len())
	}
}

// TestFaultyLongEnvelopes: envelopes that are read as they come follow one another on lines, among others. What is wrong in one is a reject
// of its element, what follows is stored; where one is no JSON any more the body ends, and what came before is stored.
func TestFaultyLongEnvelopes(t *testing.T) {
	s := start(t)
	s.putSource("wrapped", `{"unwrap": {"at": "/records", "data": "/data", "as": "base64"}, "log": "w", "id": "{/id}", "create": {},
		"keep": true, "rejects": {"raw": "whole"}}`)
	data := func(id string) string {
		return `{"data":"` + base64.StdEncoding.EncodeToString([]byte(`{"id":"`+id+`"}`)) + `"}`
	}
	filler := `"filler":["` + strings.Repeat("x", 20<<10) + `"],`
	body := `{` + filler + `"records":[` + data("1") + `,{"data":"%"},` + data("2") + `,{"n":1}]}` + "\n" +
		`{"broken` + "\n" +
		`{` + filler + `"records":null}` + "\n" +
		`{"records":[` + data("3") + `]} {` + filler + `"records":` + data("4") + `}`
	const summary = `{"stored":%d,"duplicates":%d,"skipped":0,"rejected":4,"first_rejected":{"line":1,"code":"invalid_envelope"`
	for i := range 2 {
		r := s.delivered("/sources/wrapped/events", body)
		if want := fmt.Sprintf(summary, 4*(1-i), 4*i); r.status != 200 || !strings.HasPrefix(string(r.body), want) {
			t.Errorf("%d %s, want %s", r.status, r.body, want)
		}
	}
	r := s.delivered("/sources/wrapped/events", `{`+filler+`"records":[`+data("5")+`,}`)
	s.wantProblem(http.StatusBadRequest, "invalid_json", r, "came before is stored")
	if got := s.named("w"); strings.Join(got, "") != `{"id":"1"}{"id":"2"}{"id":"3"}{"id":"4"}{"id":"5"}` {
		t.Errorf("stored %v", got)
	}
	rejects := s.named(intake.RejectsOf("wrapped"))
	if all := strings.Join(rejects, "\n"); len(rejects) != 5 || !strings.Contains(all, `"raw":"{\"data\":\"%\"}"`) ||
		!strings.Contains(all, `"raw":"{\"n\":1}"`) || !strings.Contains(all, `"line":3,`) {
		t.Errorf("%d rejects: %s", len(rejects), all)
	}
}

// TestOtherAnswers: Firehose's form, in success and failure; what health checks and Event Grid ask for.
func TestOtherAnswers(t *testing.T) {
	s := start(t)
	s.putSource("firehose", `{"unwrap": {"at": "/records", "data": "/data", "as": "base64"}, "log": "f", "id": "{/id}", "create": {},
		"keep": true, "answer": "firehose", "origins": ["eventgrid.azure.net"]}`)
	body := `{"requestId":"r-1","timestamp":1,"records":[{"data":"eyJpZCI6IjEifQ=="},{"data":"eyJpZCI6IjIifQ=="}]}`
	for range 2 {
		for _, c := range []struct {
			body    string
			status  int
			failure bool
		}{{body, 200, false}, {"[" + body, 400, true}} {
			r := s.delivered("/sources/firehose/events", c.body, "X-Amz-Firehose-Request-Id: r-1", "Content-Type: application/json")
			answer := decode[struct {
				RequestID    string `json:"requestId"`
				Timestamp    int64
				ErrorMessage string
			}](t, r.body)
			if r.status != c.status || r.header.Get("Content-Type") != "application/json" ||
				answer.RequestID != "r-1" || answer.Timestamp == 0 || (answer.ErrorMessage != "") != c.failure {
				t.Errorf("%d %s", r.status, r.body)
			}
		}
	}
	if got := s.named("f"); !slices.Equal(got, []string{`{"id":"1"}`, `{"id":"2"}`}) {
		t.Errorf("stored %v", got)
	}
	for _, path := range []string{"/events", "/v1/logs", "/v1/traces", "/api/v1/events"} {
		for _, prefix := range []string{"", "/sources/firehose", "/sources/none"} {
			for _, method := range []string{"GET", "HEAD"} {
				if r := s.call(method, prefix+path+"?any=query", ""); r.status != http.StatusOK {
					t.Errorf("%s %s: %d", method, prefix+path, r.status)
				}
			}
		}
		for origin, allowed := range map[string]string{"eventgrid.azure.net": "eventgrid.azure.net", "evil.example": "", "": ""} {
			r := s.call("OPTIONS", "/sources/firehose"+path, "", "WebHook-Request-Origin: "+origin)
			if r.status != http.StatusOK || r.header.Get("WebHook-Allowed-Origin") != allowed ||
				(r.header.Get("WebHook-Allowed-Rate") != "") != (allowed != "") || !strings.Contains(r.header.Get("Allow"), "POST") {
				t.Errorf("OPTIONS %s for %q: %d %v", path, origin, r.status, r.header)
			}
		}
		s.wantProblem(http.StatusMethodNotAllowed, "method_not_allowed", s.call("DELETE", path, ""))
	}
}

// TestKeysOfDeliveries: an Idempotency-Key identifies lines that have no identity.
func TestKeysOfDeliveries(t *testing.T) {
	s := start(t)
	body := `{"log":"l","n":1}` + "\n" + `{"log":"l","n":1}`
	for round := range 2 {
		got := s.summaryOf(s.delivered("/events", body, "Idempotency-Key: k"))
		if got.Stored != 2*(1-round) || got.Duplicates != 2*round {
			t.Errorf("round %d: %+v", round, got)
		}
	}
	got := s.summaryOf(s.delivered("/events", body))
	if got.Rejected != 2 || got.FirstRejected.Code != "id_missing" || got.FirstRejected.Line != 1 {
		t.Errorf("without: %+v", got)
	}
	if got := s.rejected("default"); !slices.Equal(got, []string{"id_missing"}) { // both are the same
		t.Errorf("rejected %v", got)
	}
}

// linesOf decodes NDJSON.
func linesOf(t testing.TB, body []byte) (results []intake.Result) {
	t.Helper()
	for decoder := json.NewDecoder(bytes.NewReader(body)); decoder.More(); {
		var r intake.Result
		if err := decoder.Decode(&r); err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	return results
}

// TestResultsByLine: with Accept: application/x-ndjson each line has its result.
func TestResultsByLine(t *testing.T) {
	s := start(t)
	const body = `{"log":"l","id":"1"} {"log":"l","id":"1"} {"log":"l"} {"log":"m","id":"1"}`
	r := s.delivered("/events", body, "Accept: application/x-ndjson")
	got := linesOf(t, s.want(http.StatusOK, r))
	for i := range got {
		got[i].Detail = ""
	}
	want := []intake.Result{
		{Line: 1, Log: "l", Sequence: 1},
		{Line: 2, Log: "l", Sequence: 1, Duplicate: true},
		{Line: 3, Code: "id_missing"},
		{Line: 4, Log: "m", Sequence: 1},
	}
	if !reflect.DeepEqual(got, want) || r.header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("%v, %s", got, r.body)
	}
	if r := s.delivered("/events", "", "Accept: application/x-ndjson"); len(s.want(http.StatusOK, r)) != 0 {
		t.Errorf("nothing: %s", r.body)
	}
}
