package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/views"
)

// watched is a server with metrics, whose log a test reads when it is stopped.
type watched struct {
	t   *testing.T
	s   *server.Server
	db  *testdb.Database
	log *syncBuffer
}

type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// startWatched runs a server on a database of its own until the test ends.
func startWatched(t *testing.T, change ...func(*server.Config)) *watched {
	t.Helper()
	w := &watched{t: t, db: testdb.New(t), log: &syncBuffer{}}
	config := server.DefaultConfig()
	config.Listen, config.DatabaseURL, config.AllowUnsafeDatabase = "127.0.0.1:0", w.db.DSN(), true
	config.ModuleCacheDir, config.OpsListen, config.Version = testrig.ModuleCache(), "127.0.0.1:0", "v-test"
	config.Log = slog.New(slog.NewJSONHandler(w.log, nil))
	config.RequestLog = config.Log
	for _, f := range change {
		f(&config)
	}
	s, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	w.s = s
	t.Cleanup(w.stop)
	return w
}

func (w *watched) stop() {
	http.DefaultClient.CloseIdleConnections()
	if err := w.s.Stop(context.WithoutCancel(w.t.Context())); err != nil {
		w.t.Error(err)
	}
}

// call returns the status and the body.
func (w *watched) call(method, url, body string, headers ...string) (int, string) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Add(name, value)
		if name == "Host" {
			request.Host = value
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is lost
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// want calls and checks the status.
func (w *watched) want(status int, method, path, body string, headers ...string) string {
	w.t.Helper()
	got, text := w.call(method, w.s.URL()+path, body, headers...)
	if got != status {
		w.t.Fatalf("%s %s: %d, %s", method, path, got, text)
	}
	return text
}

// scrape returns the series of /metrics, by name and labels as they are written there.
func (w *watched) scrape() map[string]float64 {
	w.t.Helper()
	status, text := w.call(http.MethodGet, w.s.OpsURL()+"/metrics", "")
	if status != http.StatusOK {
		w.t.Fatalf("/metrics: %d, %s", status, text)
	}
	series := map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		name, value, found := strings.Cut(lines.Text(), "} ")
		if found {
			name += "}"
		} else if name, value, _ = strings.Cut(lines.Text(), " "); name == "#" {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			w.t.Fatalf("%s: %v", lines.Text(), err)
		}
		series[name] = n
	}
	return series
}

// TestRejectsAreSeen: what gateways sent in vain is in the metrics, and operators are warned of it, without what it was.
func TestRejectsAreSeen(t *testing.T) {
	w := startWatched(t)
	answer := w.want(http.StatusOK, http.MethodPost, "/events",
		`{"log":"a","id":"1"}`+"\n"+`{"log":"a","canary":"canary-1"}`+"\nnonsense\n")
	if !strings.Contains(answer, `"stored":1`) || !strings.Contains(answer, `"rejected":2`) {
		t.Fatal(answer)
	}
	ready := w.want(http.StatusOK, http.MethodGet, "/readyz", "")
	for _, said := range []string{"source default", "2 lines", "rejects-default", "invalid_json"} {
		if !strings.Contains(ready, said) {
			t.Errorf("/readyz does not say %q: %s", said, ready)
		}
	}
	series := w.scrape()
	for name, want := range map[string]float64{
		`tally_source_lines_total{outcome="stored"}`: 1, `tally_source_lines_total{outcome="rejected"}`: 2,
		`tally_source_rejected_lines_total{code="id_missing"}`: 1, `tally_source_rejected_lines_total{code="invalid_json"}`: 1,
	} {
		if series[name] != want {
			t.Errorf("%s is %v, not %v", name, series[name], want)
		}
	}
	if strings.Contains(ready+w.log.String(), "canary-1") {
		t.Error("what was sent is in a warning, or in the server's log")
	}
}

// TestMetrics: what was done is what is counted.
func TestMetrics(t *testing.T) {
	w := startWatched(t)
	w.want(http.StatusCreated, "POST", "/logs", `{"name": "acme"}`)
	w.want(http.StatusCreated, "POST", "/logs/acme/views/totals", string(views.MonthlyTotals()))
	for range 3 {
		w.want(http.StatusCreated, "POST", "/logs/acme/append", `{"type": "api.call", "tokens_in": 1}`)
	}
	w.want(http.StatusCreated, "POST", "/logs/acme/append_batch", "{}\n{}\n")
	w.want(http.StatusOK, "GET", "/logs/acme/views/totals/query", "")
	for range 2 {
		w.want(http.StatusNotFound, "GET", "/logs/nobody", "")
	}
	w.want(http.StatusConflict, "POST", "/logs/acme/append", `{}`, "Expected-Sequence: 1")
	w.want(http.StatusMisdirectedRequest, "GET", "/logs", "", "Host: evil.example")
	w.want(http.StatusNotFound, "GET", "/nothing/here", "")
	w.want(http.StatusMethodNotAllowed, "BREW", "/logs", "")

	got := w.scrape()
	for series, want := range map[string]float64{
		`tally_build_info{go_version="` + runtime.Version() + `",version="v-test"}`:           1,
		`tally_http_requests_total{method="POST",route="/logs/{log}/append",status="201"}`:    3,
		`tally_http_requests_total{method="POST",route="/logs/{log}/append",status="409"}`:    1,
		`tally_http_request_duration_seconds_count{method="POST",route="/logs/{log}/append"}`: 4,
		`tally_http_requests_total{method="GET",route="/logs/{log}",status="404"}`:            2,
		`tally_http_requests_total{method="GET",route="none",status="404"}`:                   1,
		`tally_http_requests_total{method="GET",route="none",status="421"}`:                   1,
		`tally_http_requests_total{method="OTHER",route="none",status="405"}`:                 1,
		`tally_refusals_total{code="log_not_found"}`:                                          2,
		`tally_refusals_total{code="sequence_mismatch"}`:                                      1,
		`tally_refusals_total{code="host_not_allowed"}`:                                       1,
		`tally_refusals_total{code="no_such_path"}`:                                           1,
		`tally_refusals_total{code="method_not_allowed"}`:                                     1,
		`tally_refusals_total{code="internal"}`:                                               0,
		`tally_events_appended_total{lanes="shared"}`:                                         5,
		`tally_groups_committed_total{lanes="shared"}`:                                        5,
		`tally_groups_failed_total{lanes="shared"}`:                                           0,
		`tally_group_events_sum{lanes="shared"}`:                                              5,
		`tally_group_requests_sum{lanes="shared"}`:                                            5,
		`tally_append_wait_seconds_count{lanes="shared"}`:                                     5,
		`tally_view_queries_total`:                                                            1,
		`tally_http_requests_in_flight`:                                                       0,
		`tally_waiting_requests{lane="0"}`:                                                    0,
		`tally_watchers`:                                                                      0,
		`tally_pool_connections_limit{pool="read"}`:                                           16,
		`tally_cache_entries{cache="names"}`:                                                  1,
		`tally_memory_held_bytes{book="bodies"}`:                                              0,
	} {
		if value, ok := got[series]; !ok || value != want {
			t.Errorf("%s is %v (there: %v), not %v", series, value, ok, want)
		}
	}
	for _, series := range []string{
		`tally_gas_total{work="append"}`, `tally_gas_total{work="query"}`, `tally_commit_seconds_count{lanes="shared"}`,
		`tally_fold_seconds_count{lanes="shared"}`, `tally_cache_bytes{cache="snapshots"}`, `tally_cache_hits_total{cache="snapshots"}`,
		`tally_memory_limit_bytes{book="guests"}`, `tally_pool_acquires_total{pool="append"}`, `go_goroutines`, `process_open_fds`,
	} {
		if got[series] <= 0 {
			t.Errorf("%s is %v", series, got[series])
		}
	}
}

// TestMetricsOfTheDatabase: what is read of it as a whole is there a moment after the start.
func TestMetricsOfTheDatabase(t *testing.T) {
	w := startWatched(t)
	await(t, "the database was read", func() bool { _, ok := w.scrape()["tally_survey_age_seconds"]; return ok })
	got := w.scrape()
	if got["tally_partition_months_ahead"] < 3 || got["tally_partition_default_in_use"] != 0 {
		t.Errorf("%v months ahead, default partition: %v", got["tally_partition_months_ahead"], got["tally_partition_default_in_use"])
	}
	if n, ok := got[`tally_view_versions{status="halted"}`]; !ok || n != 0 {
		t.Errorf("%v versions are halted", n)
	}
}

// TestEveryRefusalIsCounted: however it comes about, each response of 400 or above counts once, under the code that its client sees.
func TestEveryRefusalIsCounted(t *testing.T) {
	w := startWatched(t)
	w.want(http.StatusCreated, "POST", "/logs", `{"name": "acme"}`)
	want := map[string]float64{}
	for _, call := range [][]string{
		{"POST", "/logs", `{"name": `},
		{"POST", "/logs", `{"name": 5}`},
		{"POST", "/logs", `{"name": "acme"}`},
		{"POST", "/logs", ``},
		{"POST", "/logs/acme/append", `[1]`},
		{"POST", "/logs/acme/append", `{`},
		{"POST", "/logs/acme/append", ``},
		{"POST", "/logs/acme/append", strings.Repeat(" ", 2<<20)},
		{"POST", "/logs/acme/append", `{}`, "Idempotency-Key: a", "Idempotency-Key: b"},
		{"POST", "/logs/acme/append", `{}`, "Ce-Id: 1"},
		{"POST", "/logs/acme/append", `{}`, "Content-Encoding: br"},
		{"POST", "/logs/acme/append", `{}`, "Sec-Fetch-Site: cross-site"},
		{"POST", "/logs/acme/append_batch", ``},
		{"POST", "/logs/acme/append_batch", "{}\nx"},
		{"POST", "/logs/acme/views/v", `no module`},
		{"GET", "/logs/acme/views/v/query", ``},
		{"GET", "/logs/acme/events?limit=no", ``},
		{"GET", "/logs/acme/events?limits=1", ``},
		{"GET", "/logs/acme/events?cursor=AAAA", ``},
		{"GET", "/logs/acme/events/17", ``},
		{"GET", "/logs/acme/events", ``, "Accept: image/png"},
		{"GET", "/logs/acme/tail?after=99", ``},
		{"GET", "/logs/acme/checkpoint", ``},
		{"DELETE", "/logs/acme", ``},
		{"GET", "/logs//acme", ``},
	} {
		before := w.scrape()
		status, text := w.call(call[0], w.s.URL()+call[1], call[2], call[3:]...)
		var problem struct{ Code string }
		if err := json.Unmarshal([]byte(text), &problem); err != nil || problem.Code == "" || status < http.StatusBadRequest {
			t.Errorf("%s %s: %d, %s: %v", call[0], call[1], status, text, err)
			continue
		}
		want[problem.Code]++
		after := w.scrape()
		series := fmt.Sprintf("tally_refusals_total{code=%q}", problem.Code)
		if after[series] != before[series]+1 {
			t.Errorf("%s %s is %s, which was counted %v times, then %v", call[0], call[1], problem.Code, before[series], after[series])
		}
	}
	if len(want) < 18 {
		t.Errorf("only %d codes were tried: %v", len(want), want)
	}
	var refusals, responses float64
	for series, n := range w.scrape() {
		if strings.HasPrefix(series, "tally_refusals_total") {
			refusals += n
		}
		if strings.HasPrefix(series, "tally_http_requests_total") && strings.Contains(series, `status="4`) ||
			strings.HasPrefix(series, "tally_http_requests_total") && strings.Contains(series, `status="5`) {
			responses += n
		}
	}
	if refusals == 0 || refusals != responses {
		t.Errorf("%v refusals in %v responses", refusals, responses)
	}
}

// TestOpsListener: it is for this machine, shows profiles and neither the command line nor the API, and the API does not show them.
func TestOpsListener(t *testing.T) {
	w := startWatched(t)
	for path, want := range map[string]int{
		"/metrics": 200, "/debug/pprof/": 200, "/debug/pprof/heap": 200, "/debug/pprof/goroutine?debug=1": 200,
		"/debug/pprof/profile?seconds=1": 200,
		"/debug/pprof/cmdline":           404, "/debug/vars": 404, "/logs": 404, "/": 404,
	} {
		if status, text := w.call("GET", w.s.OpsURL()+path, ""); status != want {
			t.Errorf("%s: %d, %.200s", path, status, text)
		}
	}
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/vars"} {
		w.want(http.StatusNotFound, "GET", path, "")
	}
	if status, _ := w.call("GET", w.s.OpsURL()+"/metrics", "", "Host: metrics.example"); status != http.StatusMisdirectedRequest {
		t.Errorf("by another name: %d", status)
	}
	if u, err := url.Parse(w.s.OpsURL()); err != nil || u.Hostname() != "127.0.0.1" {
		t.Errorf("it listens at %s: %v", w.s.OpsURL(), err)
	}
	config := server.DefaultConfig()
	config.DatabaseURL = "postgres://nowhere"
	for address, fits := range map[string]bool{
		"": true, "127.0.0.1:9464": true, "[::1]:0": true, "localhost:0": true,
		":9464": false, "0.0.0.0:9464": false, "10.0.0.1:9464": false, "9464": false,
	} {
		config.OpsListen = address
		if err := config.Validate(); (err == nil) != fits {
			t.Errorf("--ops-listen %q: %v", address, err)
		}
	}
	config.OpsListen = strings.TrimPrefix(w.s.OpsURL(), "http://")
	config.Listen = "127.0.0.1:0"
	if _, err := server.Start(t.Context(), config); err == nil || !strings.Contains(err.Error(), "--ops-listen") {
		t.Errorf("a second server on the same address: %v", err)
	}
}

// logLines returns the lines of the log that have the message.
func (w *watched) logLines(message string) (found []map[string]any) {
	w.t.Helper()
	for line := range strings.Lines(w.log.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			w.t.Fatalf("%s: %v", line, err)
		}
		if fields["msg"] == message {
			found = append(found, fields)
		}
	}
	return found
}

// TestRequestLog: a line for each request, with its route and no more of its path, its trace, and nothing secret.
func TestRequestLog(t *testing.T) {
	const trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	w := startWatched(t)
	w.want(http.StatusOK, "GET", "/readyz", "")
	w.want(http.StatusCreated, "POST", "/logs", `{"name": "acme"}`, "Traceparent: 00-"+trace+"-"+span+"-01")
	secret := []string{"Authorization: Bearer s3cret-a", "X-Api-Key: s3cret-b", "Cookie: s3cret-c"}
	for _, parent := range []string{
		"00-" + strings.Repeat("0", 32) + "-" + span + "-01", "00-" + trace + "-" + strings.Repeat("0", 16) + "-01",
		"ff-" + trace + "-" + span + "-01",
		"00-" + strings.ToUpper(trace) + "-" + span + "-01", "00-" + trace + "-" + span, "garbage\"s3cret-d", "",
	} {
		w.want(http.StatusNotFound, "GET", "/logs/s3cret-e/views/x/query?token=s3cret-f", "", append(secret, "Traceparent: "+parent)...)
	}
	w.want(http.StatusNotFound, "GET", "/logs/x", "", "Traceparent: 00-"+trace+"-"+span+"-01", "Traceparent: 00-"+trace+"-"+span+"-01")
	w.stop()
	lines := w.logLines("request")
	if len(lines) != 9 {
		t.Fatalf("%d lines: %v", len(lines), lines)
	}
	first := lines[0]
	for name, want := range map[string]any{
		"method": "POST", "route": "/logs", "status": 201.0, "client": "127.0.0.1", "trace_id": trace, "level": "INFO",
	} {
		if first[name] != want {
			t.Errorf("%s is %v in %v", name, first[name], first)
		}
	}
	if id, _ := first["request_id"].(string); len(id) != 16 || first["bytes"] == 0.0 || first["seconds"] == 0.0 {
		t.Errorf("the first line is %v", first)
	}
	for _, line := range lines[1:] {
		if line["trace_id"] != nil || line["problem"] != "log_not_found" || line["status"] != 404.0 {
			t.Errorf("a line is %v", line)
		}
	}
	if all := w.log.String(); strings.Contains(all, "s3cret") {
		t.Errorf("the log holds a secret: %s", all)
	}
}

// TestFailuresAreOfATrace: the line of a request that the server could not serve has the id that its client sees, and that of the trace.
func TestFailuresAreOfATrace(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	w := startWatched(t, func(c *server.Config) { c.RequestLog = nil })
	w.db.Exec(t, "REVOKE SELECT ON logs FROM tally_server")
	status, text := w.call("GET", w.s.URL()+"/logs/acme", "", "Traceparent: 00-"+trace+"-00f067aa0ba902b7-00")
	var problem struct {
		RequestID string `json:"request_id"`
	}
	if err := json.Unmarshal([]byte(text), &problem); err != nil || status < 500 || problem.RequestID == "" {
		t.Fatalf("%d, %s: %v", status, text, err)
	}
	lines := w.logLines("a request failed")
	at := slices.IndexFunc(lines, func(line map[string]any) bool { return line["request_id"] == problem.RequestID })
	if at < 0 || lines[at]["trace_id"] != trace {
		t.Errorf("the log says %v of request %s", lines, problem.RequestID)
	}
	if len(w.logLines("request")) > 0 {
		t.Error("requests are logged that nobody asked for")
	}
}

// TestKeysInLogAndMetrics: who asked is in the log, by name; a key itself is nowhere, good or not.
func TestKeysInLogAndMetrics(t *testing.T) {
	good, bad := access.GenerateKey(), access.GenerateKey()
	w := startWatched(t, func(c *server.Config) { c.Keys, c.BootstrapKey = true, good })
	w.want(http.StatusOK, "GET", "/logs", "", "Authorization: Bearer "+good)
	w.want(http.StatusOK, "GET", "/logs", "", "X-Api-Key: "+good)
	w.want(http.StatusUnauthorized, "GET", "/logs", "", "X-Api-Key: "+bad)
	w.want(http.StatusUnauthorized, "GET", "/logs", "")
	got := w.scrape()
	for series, want := range map[string]float64{
		`tally_refusals_total{code="unauthorized"}`: 2, `tally_key_refusals_total`: 1, `tally_key_checks_total`: 3,
		`tally_http_requests_total{method="GET",route="/logs",status="401"}`: 2,
	} {
		if got[series] != want {
			t.Errorf("%s is %v, not %v", series, got[series], want)
		}
	}
	if got["tally_key_lookups_total"] < 1 {
		t.Error("the key was never looked up")
	}
	// What is in memory is forgotten when the server first asks for changes, and when it cannot ask for a while.
	await(t, "the key is in memory", func() bool {
		w.want(http.StatusOK, "GET", "/logs", "", "X-Api-Key: "+good)
		return w.scrape()[`tally_cache_entries{cache="keys"}`] == 1
	})
	_, metrics := w.call("GET", w.s.OpsURL()+"/metrics", "")
	w.stop()
	lines := w.logLines("request")
	if len(lines) < 5 || lines[0]["tenant"] != "default" || lines[0]["key_id"] != good[len("tally_"):][:16] || lines[0]["key"] == "" {
		t.Errorf("the lines are %v", lines)
	}
	if lines[3]["tenant"] != nil || lines[3]["key_id"] != nil {
		t.Errorf("without a key, the line is %v", lines[3])
	}
	for _, secret := range []string{good[len(good)-49:], bad[len(bad)-49:]} {
		if strings.Contains(w.log.String(), secret) || strings.Contains(metrics, secret) {
			t.Errorf("the log or the metrics hold a key")
		}
	}
}
