package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/server"
)

// headers sends a request whose headers may come twice.
func (s *service) headers(method, path, body string, header http.Header) reply {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header = header
	return s.exchange(request)
}

// TestNothingIsLeftOut: a header that is empty or comes twice, and a parameter that does not exist, comes twice, or is empty and no text,
// are refused, not left out.
func TestNothingIsLeftOut(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	s.deployTotals("acme")
	before := s.stored()
	for _, path := range []string{"/logs/acme/append", "/logs/acme/append_batch"} {
		for name, code := range map[string]string{
			"Idempotency-Key": "invalid_idempotency_key", "Expected-Sequence": "invalid_expected_sequence",
		} {
			for what, values := range map[string][]string{"is empty": {""}, "2 headers": {"0", "0"}, "3 headers": {"", "1", "2"}} {
				s.wantProblem(http.StatusBadRequest, code, s.headers("POST", path, `{"id":"e"}`, http.Header{name: values}), what, name)
			}
		}
		for query, words := range map[string][]string{
			"idempotency_key=a": {`"idempotency_key"`, "takes dry_run"}, "x": {`"x"`}, "a=1&a=2": {`"a"`}, "%": {"percent-encoded", "%25"},
			"=": {`""`},
		} {
			s.wantProblem(http.StatusBadRequest, "invalid_parameter", s.call("POST", path+"?"+query, `{}`), words...)
		}
	}
	s.wantProblem(http.StatusBadRequest, "invalid_actor",
		s.headers("DELETE", "/logs/acme/views/totals", "", http.Header{"Tally-Actor": {"a", "b"}}))
	for path, words := range map[string][]string{
		"GET /logs?limit=1&limit=2":                                      {"limit", "twice"},
		"GET /logs?limt=1":                                               {`"limt"`, "cursor, limit"},
		"POST /logs?name=a":                                              {`"name"`},
		"GET /logs/acme?x=1":                                             {`"x"`, "none"},
		"GET /logs/acme/events?from=1&from=2":                            {"from", "twice"},
		"GET /logs/acme/events?%66rom=1&from=2":                          {"from", "twice"},
		"GET /logs/acme/events?typ=a":                                    {`"typ"`, "time_from"},
		"GET /logs/acme/events?time_from=%zz":                            {"percent-encoded"},
		"GET /logs/acme/events?time_from=":                               {"time_from is empty"},
		"GET /logs/acme/events?limit=1&recorded_to=":                     {"recorded_to is empty"},
		"GET /logs/acme/events?limit=":                                   {"limit is empty"},
		"GET /logs/acme/tail?after=":                                     {"after is empty"},
		"POST /logs/acme/append?dry_run=":                                {"dry_run is empty"},
		"GET /logs/acme/events/1?x":                                      {`"x"`},
		"GET /logs/acme/tail?after=0&after=1":                            {"after", "twice"},
		"GET /logs/acme/tail?since=0":                                    {`"since"`, "after, type"},
		"GET /logs/acme/checkpoint?x":                                    {`"x"`},
		"GET /checkpoint-key?x":                                          {`"x"`},
		"GET /logs/acme/verify?view=a":                                   {`"view"`, "views"},
		"GET /logs/acme/views?status=live":                               {`"status"`},
		"GET /logs/acme/views/totals?x":                                  {`"x"`},
		"POST /logs/acme/views/totals?gas=1&gas=2":                       {"gas", "twice"},
		"PUT /logs/acme/views/totals?conf=%7B%7D":                        {`"conf"`, "config, gas"},
		"GET /logs/acme/views/totals/versions?page=2":                    {`"page"`},
		"POST /logs/acme/views/totals/rollback?version=1":                {`"version"`},
		"POST /logs/acme/views/totals/resume?skip":                       {`"skip"`},
		"DELETE /logs/acme/views/totals?keep=true":                       {`"keep"`},
		"POST /logs/acme/views/totals/audit?versoin=1":                   {`"versoin"`, "version"},
		"GET /views?x":                                                   {`"x"`},
		"GET /views/totals?x":                                            {`"x"`},
		"DELETE /views/totals?kep=true":                                  {`"kep"`, "keep"},
		"POST /views/totals?log=a":                                       {`"log"`, "logs"},
		"GET /logs?" + strings.Repeat("x", 5000):                         {"…"},
		"GET /logs/acme/events?stream&type=a&stream=false":               {"stream", "twice"},
		"POST /logs/acme/append?" + strings.Repeat("a=1&", 1000) + "b=2": {`"a"`},
	} {
		method, target, _ := strings.Cut(path, " ")
		body := ""
		if method == "POST" {
			body = "{}"
		}
		s.wantProblem(http.StatusBadRequest, "invalid_parameter", s.call(method, target, body), words...)
	}
	if after := s.stored(); after != before {
		t.Errorf("something was stored: %+v, before it %+v", after, before)
	}
	// What is a view's own, or hangs on nothing, is left alone; and a parameter without a value counts wherever it stands.
	s.want(http.StatusOK, s.call("GET", "/logs/acme/views/totals/query?month=2025-03", ""))
	s.wantProblem(http.StatusBadRequest, "query_refused",
		s.call("GET", "/logs/acme/views/totals/query?month=2025-03&month=2025-03", ""), "month")
	s.want(http.StatusOK, s.call("GET", "/logs?prefix=&cursor=", ""))
	s.want(http.StatusOK, s.call("GET", "/healthz?now=1&now=2", ""))
	s.want(http.StatusOK, s.call("GET", "/readyz?verbose", ""))
	s.append("acme", `{"type":"a"}`)
	s.append("acme", `{"type":"b"}`)
	body := s.want(http.StatusOK, s.call("GET", "/logs/acme/events?stream&type=a&format=csv", ""))
	if strings.Count(string(body), "\n") != 2 {
		t.Errorf("?stream&type=a streams %q", body)
	}
}

// TestBinaryCloudEvents: an event whose id, type and time are in headers is refused rather than stored without them. In structured mode,
// and in batches, they are members and are taken.
func TestBinaryCloudEvents(t *testing.T) {
	s := start(t)
	id := s.createLog("acme")
	for _, path := range []string{"/logs/acme/append", "/logs/acme/append_batch"} {
		for _, header := range []string{
			"ce-id: 1", "CE-Type: a", "ce-time: 2025-03-01T10:05:30Z", "Ce-Source: s", "ce-specversion: 1.0", "ce-myextension: x",
		} {
			name, _, _ := strings.Cut(strings.ToLower(header), ":")
			s.wantProblem(http.StatusBadRequest, "binary_event",
				s.call("POST", path, `{"n":1}`, "Content-Type: application/json", header), name, "structured")
		}
	}
	if got := s.head("acme").Sequence; got != 0 {
		t.Fatalf("%d events were stored", got)
	}
	event := `{"specversion":"1.0","id":"1","source":"s","type":"a","time":"2025-03-01T10:05:30Z","data":{"n":1}}`
	s.append("acme", event, "Content-Type: application/cloudevents+json; charset=utf-8")
	got := s.call("POST", "/logs/acme/append_batch", "["+event+"]", "Content-Type: application/cloudevents-batch+json")
	if got := decode[appended](t, s.want(http.StatusOK, got)); got.FirstSequence != 1 || len(got.Duplicates) != 1 {
		t.Errorf("the event again, in a batch: %+v", got)
	}
	if events := s.events(id); len(events) != 1 || events[0] != event {
		t.Errorf("stored are %q", events)
	}
}

// TestHosts: a page whose own name leads to this server is not answered, on any path, whatever it says of its origin.
func TestHosts(t *testing.T) {
	s := start(t)
	port := s.url[strings.LastIndex(s.url, ":"):]
	ask := func(s *service, method, path, host string) reply {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(`{"name":"a"}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		request.Header.Set("Sec-Fetch-Site", "same-origin")
		return s.exchange(request)
	}
	for _, host := range []string{
		"evil.example", "evil.example" + port, "localhost.evil.example", "127.1.evil.example" + port,
		"10.0.0.1", "[fe80::1]", "0.0.0.0" + port, "xn--localhost",
	} {
		for _, request := range []string{
			"POST /logs", "GET /logs", "GET /docs", "GET /openapi.yaml", "GET /openapi.json",
			"GET /healthz", "GET /readyz", "GET /nothing", "DELETE /views/v",
		} {
			method, path, _ := strings.Cut(request, " ")
			s.wantProblem(http.StatusMisdirectedRequest, "host_not_allowed",
				ask(s, method, path, host), strings.TrimSuffix(host, port), "--allow-host")
		}
	}
	for _, host := range []string{
		"localhost", "LOCALHOST" + port, "localhost.", "127.0.0.1", "127.0.0.1" + port, "[::1]", "[::1]:1", "127.0.0.2",
	} {
		s.want(http.StatusOK, ask(s, "GET", "/logs", host))
		s.want(http.StatusOK, ask(s, "GET", "/healthz", host))
	}
	if rows := s.stored(); rows.Logs != 0 {
		t.Errorf("a log was made: %+v", rows)
	}
	named := start(t, func(c *server.Config) { c.AllowHosts = []string{"Tally.Internal", "other"} })
	named.want(http.StatusOK, ask(named, "GET", "/logs", "tally.internal:8443"))
	named.want(http.StatusOK, ask(named, "GET", "/logs", "other."))
	named.want(http.StatusOK, ask(named, "GET", "/logs", "localhost"))
	named.wantProblem(http.StatusMisdirectedRequest, "host_not_allowed", ask(named, "GET", "/logs", "another"))
	open := start(t, func(c *server.Config) { c.AllowHosts = []string{"*"} })
	open.want(http.StatusOK, ask(open, "GET", "/logs", "whatever.example"))
}
