package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/views"
)

// requestTimeout is far above what any request takes: it turns a hang into a failure.
const requestTimeout = 2 * time.Minute

// modules is where the tests' servers keep compiled views, so that each view is compiled once.
var modules = testrig.ModuleCache()

// service is a running server with a database of its own, and a client that checks the form of every answer.
type service struct {
	t    testing.TB
	url  string
	spec description
	db   *pgxpool.Pool
	name string // the database's
	// outages has call ask again while it is told that the database is away: its connections were cut a moment ago, and which of them a
	// server takes next is luck.
	outages bool
}

// start runs a server until the test ends. The settings are the defaults, changed by change.
func start(t testing.TB, change ...func(*server.Config)) *service {
	t.Helper()
	return startOn(t, testdb.New(t), change...)
}

// startOn is start on a database that is there.
func startOn(t testing.TB, database *testdb.Database, change ...func(*server.Config)) *service {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), database.DSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s := &service{t: t, db: pool, name: database.Name()}
	s.url = s.serve(database.DSN(), change...)
	s.spec = s.describe()
	return s
}

// serve runs a server on a database and returns its URL.
func (s *service) serve(dsn string, change ...func(*server.Config)) string {
	s.t.Helper()
	config := server.DefaultConfig()
	config.Listen, config.DatabaseURL, config.ModuleCacheDir = "127.0.0.1:0", dsn, modules
	config.AllowUnsafeDatabase = true // the tests' database may run without fsync
	config.Log = slog.New(slog.NewTextHandler(&noSecrets{s.t, s.t.Output()}, nil))
	for _, f := range change {
		f(&config)
	}
	running, err := server.Start(s.t.Context(), config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections() // the server would wait for those that never sent a request
		if err := running.Stop(context.WithoutCancel(s.t.Context())); err != nil {
			s.t.Errorf("stopping the server: %v", err)
		}
	})
	return running.URL()
}

// await returns once a condition holds that nothing announces.
func (s *service) await(what string, holds func() bool) {
	s.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-s.t.Context().Done():
			s.t.Fatalf("the test was ended before %s", what)
		}
	}
}

// reply is an answer that was read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// problem is what an error's body holds.
type problem struct {
	Type, Title, Code, Detail string
	Status                    int
	Fields                    []struct{ Location, Message string }
	LogID                     string `json:"log_id"`
	Line, Events              int
	Head, Sequence, Applied   *int64
}

// call sends a request whose headers are given as "Name: value". It sends the content type that curl sends.
func (s *service) call(method, path, body string, headers ...string) reply {
	s.t.Helper()
	for began := time.Now(); ; {
		r, err := s.try(method, path, strings.NewReader(body), headers...)
		if err != nil {
			s.t.Fatalf("%s %s: %v", method, shorten(path), err)
		}
		if !s.outages || r.status != http.StatusServiceUnavailable || time.Since(began) > patience {
			return r
		}
	}
}

// try is call for any body and any goroutine.
func (s *service) try(method, path string, body io.Reader, headers ...string) (reply, error) {
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	return s.do(request)
}

// exchange sends a request as it is.
func (s *service) exchange(request *http.Request) reply {
	s.t.Helper()
	r, err := s.do(request)
	if err != nil {
		s.t.Fatalf("%s %s: %v", request.Method, shorten(request.URL.Path), err)
	}
	return r
}

func (s *service) do(request *http.Request) (reply, error) {
	client := http.Client{
		Timeout:       requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return reply{}, err
	}
	r := reply{response.StatusCode, response.Header, content}
	s.check(request, r)
	return r, nil
}

// check looks at what holds for every answer: errors are problems, say nothing of the inside, and are documented.
func (s *service) check(request *http.Request, r reply) {
	s.t.Helper()
	what := request.Method + " " + shorten(request.URL.Path)
	if statuses, ok := s.spec.statuses(request.Method, request.URL.EscapedPath()); ok && !slices.Contains(statuses, r.status) {
		s.t.Errorf("%s answered %d, which the OpenAPI description does not know; it knows %v: %s", what, r.status, statuses, r.body)
	}
	if r.status < 400 || request.Method == http.MethodHead {
		return
	}
	if isOTLPPath(request.URL.Path) && request.Method == http.MethodPost { // a google.rpc.Status
		if p := s.problem(r); p.Code == "" || p.Detail == "" {
			s.t.Errorf("%s answered %d with an incomplete status: %q", what, r.status, r.body)
		}
		return
	}
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		s.t.Errorf("%s answered %d as %q, not as a problem: %s", what, r.status, got, r.body)
		return
	}
	p := s.problem(r)
	if p.Status != r.status || p.Code == "" || p.Title != http.StatusText(r.status) || p.Detail == "" ||
		p.Type != "urn:tallystick:problem:"+p.Code {
		s.t.Errorf("%s answered %d with an incomplete problem: %s", what, r.status, r.body)
	}
	for _, marker := range leaks {
		if bytes.Contains(r.body, []byte(marker)) {
			s.t.Errorf("%s answered %d with %q in it: %s", what, r.status, marker, r.body)
		}
	}
}

func isOTLPPath(path string) bool {
	return strings.HasSuffix(path, "/v1/logs") || strings.HasSuffix(path, "/v1/traces")
}

// leaks are what a client must never see of the inside: SQL, stacks, paths, addresses, names of packages.
var leaks = []string{
	"SELECT", "INSERT", "UPDATE", "SQLSTATE", "relation", "log_heads", "event_keys", "goroutine", ".go:", "panic",
	"runtime error", "pgx", "pgconn", "wazero", "huma", "/root", "/usr", "/tmp", "/home", "127.0.0.1", "dial ", "socket", "host=",
}

// problem returns the problem of a reply, also of one in OTLP's form as protobuf.
func (s *service) problem(r reply) (p problem) {
	s.t.Helper()
	if r.header.Get("Content-Type") == "application/x-protobuf" {
		message, _ := fieldOf(r.body, 2)
		p.Status = r.status
		p.Code, p.Detail, _ = strings.Cut(string(message), ": ")
		return p
	}
	if err := json.Unmarshal(r.body, &p); err != nil {
		s.t.Errorf("the problem is not JSON: %v: %s", err, r.body)
	}
	return p
}

// want fails the test unless the reply has the status, and returns its body.
func (s *service) want(status int, r reply) []byte {
	s.t.Helper()
	if r.status != status {
		s.t.Fatalf("answered %d, want %d: %s", r.status, status, shorten(string(r.body)))
	}
	return r.body
}

// wantProblem fails the test unless the reply is this problem and its detail holds all of the words.
func (s *service) wantProblem(status int, code string, r reply, words ...string) problem {
	s.t.Helper()
	p := s.problem(r)
	if r.status != status || p.Code != code {
		s.t.Errorf("answered %d %s, want %d %s: %s", r.status, p.Code, status, code, shorten(string(r.body)))
	}
	for _, word := range words {
		if !strings.Contains(p.Detail, word) {
			s.t.Errorf("the detail %q does not say %q", shorten(p.Detail), word)
		}
	}
	return p
}

// createLog makes a log and returns its id.
func (s *service) createLog(name string) string {
	s.t.Helper()
	return decode[struct {
		LogID string `json:"log_id"`
	}](s.t, s.want(http.StatusCreated, s.call("POST", "/logs", `{"name": "`+name+`"}`))).LogID
}

// deployTotals deploys monthly_totals on the log, as the view totals.
func (s *service) deployTotals(log string) {
	s.t.Helper()
	s.want(http.StatusCreated, s.call("POST", "/logs/"+log+"/views/totals", string(views.MonthlyTotals())))
}

// appended is the answer to an append or a batch.
type appended struct {
	Sequence      int64
	Duplicate     bool
	FirstSequence int64 `json:"first_sequence"`
	LastSequence  int64 `json:"last_sequence"`
	Appended      int
	Duplicates    []struct{ Line, Sequence int64 }
}

func (s *service) append(log, event string, headers ...string) appended {
	s.t.Helper()
	return decode[appended](s.t, s.want(http.StatusCreated, s.call("POST", "/logs/"+log+"/append", event, headers...)))
}

// head is a log's last sequence and hash.
type head struct {
	Sequence int64
	Hash     string
}

func (s *service) head(log string) head {
	s.t.Helper()
	return decode[head](s.t, s.want(http.StatusOK, s.call("GET", "/logs/"+log, "")))
}

// stored are the rows of a database that requests may add to.
type stored struct {
	Logs, Events, Keys, Modules, Views, Versions, State int
	Heads                                               string
}

func (s *service) stored() (rows stored) {
	s.t.Helper()
	err := s.db.QueryRow(s.t.Context(), `SELECT
		(SELECT count(*) FROM logs), (SELECT count(*) FROM events), (SELECT count(*) FROM event_keys),
		(SELECT count(*) FROM modules), (SELECT count(*) FROM views), (SELECT count(*) FROM view_versions),
		(SELECT count(*) FROM view_state),
		(SELECT coalesce(string_agg(h::text, ' ' ORDER BY log_id), '') FROM log_heads h)`).
		Scan(&rows.Logs, &rows.Events, &rows.Keys, &rows.Modules, &rows.Views, &rows.Versions, &rows.State, &rows.Heads)
	if err != nil {
		s.t.Fatalf("counting what is stored: %v", err)
	}
	return rows
}

// events returns a log's events as they are stored, in order.
func (s *service) events(log string) []string {
	s.t.Helper()
	rows, err := s.db.Query(s.t.Context(), "SELECT data::text FROM events WHERE log_id = $1 ORDER BY sequence", log)
	if err != nil {
		s.t.Fatal(err)
	}
	events, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.t.Fatal(err)
	}
	return events
}

func decode[T any](t testing.TB, body []byte) (value T) {
	t.Helper()
	if err := json.Unmarshal(body, &value); err != nil {
		t.Fatalf("%v: %s", err, shorten(string(body)))
	}
	return value
}

func shorten(text string) string {
	const enough = 600
	if len(text) <= enough {
		return text
	}
	return text[:enough] + "…"
}

// description is what the tests need of the OpenAPI description.
type description struct {
	Paths map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Summary     string
		Security    *[]map[string][]string
		Responses   map[string]struct {
			Description string
			Content     map[string]json.RawMessage
			Statuses    []int `json:"x-statuses"`
		}
	}
}

func (s *service) describe() description {
	s.t.Helper()
	response, err := http.Get(s.url + "/openapi.json")
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return decode[description](s.t, body)
}

// statuses are what the description says that a request may be answered with; false when it does not know the request.
func (d description) statuses(method, path string) (statuses []int, ok bool) {
	for template, operations := range d.Paths {
		operation, known := operations[strings.ToLower(method)]
		if !known || !fits(template, path) {
			continue
		}
		for text, response := range operation.Responses {
			if status, err := strconv.Atoi(text); err == nil {
				statuses = append(statuses, status)
			}
			statuses = append(statuses, response.Statuses...)
		}
		slices.Sort(statuses)
		return statuses, true
	}
	return nil, false
}

func fits(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != got[i] && !strings.HasPrefix(want[i], "{") {
			return false
		}
	}
	return true
}
