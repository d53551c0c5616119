package api_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/intake"
	"github.com/tallystick/tallystick/internal/limits"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testdb"
)

// lockHeads keeps all appends to logs that are there waiting, until release is called.
func (s *service) lockHeads() (release func()) {
	s.t.Helper()
	tx, err := s.db.Begin(s.t.Context())
	if err == nil {
		_, err = tx.Exec(s.t.Context(), "SELECT FROM log_heads FOR UPDATE")
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(context.WithoutCancel(s.t.Context())); err != nil && err != pgx.ErrTxClosed { //nolint:errorlint // as it is
			s.t.Error(err)
		}
	}
}

// awaitLockWaiter returns when a connection waits for a lock.
func (s *service) awaitLockWaiter() {
	s.t.Helper()
	s.await("a connection waits for a lock", func() (waits bool) {
		const query = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
		if err := s.db.QueryRow(s.t.Context(), query).Scan(&waits); err != nil {
			s.t.Fatal(err)
		}
		return waits
	})
}

// wantTransient fails the test unless the reply is a 503 that says when to come back.
func (s *service) wantTransient(r reply) {
	s.t.Helper()
	p := s.problem(r)
	if r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" || p.Code == "" || p.Code == "internal" {
		s.t.Errorf("answered %d, Retry-After %q: %s", r.status, r.header.Get("Retry-After"), r.body)
	}
}

// TestBrokenBodies: what cannot be read is answered with what is wrong, once, and kept as a reject, also how it began; what came before is
// stored, and the server goes on.
func TestBrokenBodies(t *testing.T) {
	t.Parallel()
	s := start(t)
	good := func(id int) string { return fmt.Sprintf(`{"log":"l","id":"%d"}`, id) + "\n" }
	whole := gzipped(t, strings.Repeat(good(1), 100))
	bomb := gzipped(t, good(2)+strings.Repeat(" ", 33<<20))
	long := `{"log":"l","id":"x","x":"` + strings.Repeat("x", 5<<20) + `"}`
	for _, c := range []struct {
		what, path, body string
		headers          []string
		status           int
		code             string
	}{
		{"a bomb", "/events", bomb, []string{"Content-Encoding: gzip"}, 413, "body_too_large"},
		{"a bomb", "/events", zstandard(t, strings.Repeat("\n", 33<<20)), []string{"Content-Encoding: zstd"}, 413, "body_too_large"},
		{"a bomb", "/v1/logs", zstandard(t, strings.Repeat(" ", 33<<20)), []string{"Content-Encoding: zstd"}, 413, "body_too_large"},
		{"more than 32 MiB", "/events", good(3) + strings.Repeat(" ", 32<<20), nil, 413, "body_too_large"},
		{"cut", "/events", whole[:len(whole)-10], []string{"Content-Encoding: gzip"}, 400, "body_corrupt"},
		{"no gzip", "/events", good(1), []string{"Content-Encoding: gzip"}, 400, "body_corrupt"},
		{"trailing bytes", "/events", whole + "x", []string{"Content-Encoding: gzip"}, 400, "body_corrupt"},
		{"unknown encoding", "/events", "abc", []string{"Content-Encoding: br"}, 415, "content_encoding"},
		{"two encodings", "/events", whole, []string{"Content-Encoding: gzip, gzip"}, 415, "content_encoding"},
		{"MessagePack", "/events", "\x81\xa1a\x01", []string{"Content-Type: application/msgpack"}, 415, "unsupported_media_type"},
		{"a form", "/events", "--x\r\n", []string{"Content-Type: multipart/form-data; boundary=x"}, 415, "unsupported_media_type"},
		{"a broken array", "/events", "[" + good(4) + "," + good(5), nil, 400, "invalid_json"},
		{"no OTLP", "/v1/logs", "\xff\xff\xff", []string{"Content-Type: application/x-protobuf"}, 400, "invalid_otlp"},
		{"no OTLP", "/v1/traces", "{", []string{"Content-Type: application/json"}, 400, "invalid_otlp"},
		{"binary", "/events", "", []string{"Ce-Id: 1", "Ce-Data: x", "Ce-Specversion: 1.0"}, 422, "invalid_request"},
	} {
		before := len(s.rejected("default"))
		for range 2 {
			r := s.delivered(c.path, c.body, c.headers...)
			if strings.HasPrefix(c.path, "/v1/") {
				if r.status != c.status || !strings.Contains(string(r.body), c.code+": ") {
					t.Errorf("%s: %d %q", c.what, r.status, r.body)
				}
			} else {
				s.wantProblem(c.status, c.code, r)
			}
		}
		after := s.rejected("default")
		if len(after) != before+1 || after[before] != c.code {
			t.Errorf("%s: %d rejects more: %v", c.what, len(after)-before, after[before:])
			continue
		}
		kept := decode[intake.Reject](t, []byte(s.named(intake.RejectsOf("default"))[before]))
		raw, err := kept.Record()
		if err != nil || kept.Whole || !strings.HasPrefix(c.body, string(raw)) || len(raw) < min(len(c.body), 1000) && c.body != "" {
			t.Errorf("%s: kept %d bytes of %d, whole: %v, %v", c.what, len(raw), len(c.body), kept.Whole, err)
		}
	}
	// One record that is too long is one line's fault.
	if got := s.summaryOf(s.delivered("/events", long+"\n"+good(6))); got.Stored != 1 || got.Rejected != 1 {
		t.Errorf("%+v", got)
	}
	all := s.named(intake.RejectsOf("default"))
	if last := decode[intake.Reject](t, []byte(all[len(all)-1])); last.Code != "record_too_large" || last.Whole {
		t.Errorf("kept %+v", last)
	}
	events := s.named("l")
	slices.Sort(events)
	want := strings.Split(strings.TrimSpace(good(1)+good(2)+good(3)+good(4)+good(5)+good(6)), "\n")
	if !slices.Equal(events, want) {
		t.Errorf("stored %v", events)
	}
}

// TestLiesAboutLength: a body that is shorter than its length, or ends in the middle of a chunk, is kept as a reject with what came of it.
func TestLiesAboutLength(t *testing.T) {
	s := start(t)
	for i, head := range []string{"Content-Length: 1000", "Transfer-Encoding: chunked"} {
		body := fmt.Sprintf(`{"log":"l","id":"%d"} {"log":"l"`, i)
		if i == 1 {
			body = "50\r\n" + body
		}
		conn := s.send(t, "POST /events HTTP/1.1\r\nHost: localhost\r\n"+head+"\r\n\r\n"+body)
		if tcp, ok := conn.(interface{ CloseWrite() error }); !ok || tcp.CloseWrite() != nil {
			t.Fatal("the connection is none")
		}
		s.wantProblem(http.StatusBadRequest, "body_incomplete", receive(t, conn))
	}
	if got := s.rejected("default"); !slices.Equal(got, []string{"body_incomplete", "body_incomplete"}) {
		t.Errorf("rejected %v", got)
	}
	s.summaryOf(s.delivered("/events", `{"log":"l","id":"2"}`))
	if got := s.named("l"); len(got) != 3 {
		t.Errorf("stored %v", got)
	}
}

// TestNeverBeforeCommit: a delivery is not answered while what it holds is not committed.
func TestNeverBeforeCommit(t *testing.T) {
	s := start(t)
	s.summaryOf(s.delivered("/events", `{"log":"l","id":"0"} {"log":"l"}`))
	for i, c := range []struct{ path, body string }{
		{"/events", `{"log":"l","id":"1"}`},
		{"/events", `{"log":"l","n":1}`}, // a reject
		{"/api/v1/events", `{"subject":"l","id":"2"}`},
		{"/v1/logs", `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[{"key":"tally.log","value":{"stringValue":"l"}},` +
			`{"key":"tally.id","value":{"stringValue":"3"}}]}]}]}]}`},
	} {
		release := s.lockHeads()
		answers := make(chan reply, 1)
		go func() {
			r, err := s.deliver(c.path, strings.NewReader(c.body), "Content-Type: application/json")
			if err != nil {
				t.Error(err)
			}
			answers <- r
		}()
		s.awaitLockWaiter()
		select {
		case r := <-answers:
			t.Errorf("answered %d while nothing is committed: %s", r.status, r.body)
		default:
			release()
			if r := <-answers; r.status/100 != 2 {
				t.Errorf("%s: %d %s", c.path, r.status, r.body)
			}
		}
		release()
		if got := len(s.named("l")) + len(s.named(intake.RejectsOf("default"))); got != 3+i {
			t.Errorf("%d events are stored", got)
		}
	}
}

// TestPassingTroubles: whatever may pass is 503 with Retry-After, and the same delivery is stored when it has passed.
func TestPassingTroubles(t *testing.T) {
	key := access.GenerateKey()
	s := start(t, withKeys(key), limited(limits.Values{limits.Requests: 1000}))
	as := "Authorization: Bearer " + key
	deliver := func(body string, headers ...string) reply {
		return s.delivered("/events", body, append(headers, as)...)
	}
	s.summaryOf(deliver(`{"log":"l","id":"0"}`))
	for what, c := range map[string]struct{ break_, mend string }{
		"a fault of the server":   {"ALTER TABLE event_keys RENAME TO away", "ALTER TABLE away RENAME TO event_keys"},
		"no logs are found":       {"ALTER TABLE logs RENAME TO away", "ALTER TABLE away RENAME TO logs"},
		"nobody is let in":        {"", ""},
		"no log of rejects, ever": {"ALTER TABLE log_heads RENAME TO away", "ALTER TABLE away RENAME TO log_heads"},
	} {
		body := fmt.Sprintf(`{"log":"new %[1]s","id":"%[1]s"} {"log":"l","id":"%[1]s"} {"log":"l","why":%[1]q}`, what)
		if c.break_ == "" {
			s.disconnect()
		} else if _, err := s.db.Exec(t.Context(), c.break_); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			s.wantTransient(deliver(body))
		}
		if c.mend == "" {
			s.administer(`ALTER DATABASE "` + s.name + `" ALLOW_CONNECTIONS true`)
		} else if _, err := s.db.Exec(t.Context(), c.mend); err != nil {
			t.Fatal(err)
		}
		var r reply
		s.await("the trouble has passed", func() bool { r = deliver(body); return r.status == http.StatusOK })
		if got := s.summaryOf(r); got.Stored+got.Duplicates != 2 || got.Rejected != 1 {
			t.Errorf("%s: %+v", what, got)
		}
	}
	if got := s.named("l"); len(got) != 5 {
		t.Errorf("stored %v", got)
	}
	if got := s.rejected("default"); len(got) != 4 {
		t.Errorf("rejected %v", got)
	}
}

// TestRatesOfDeliveries: too many requests are 503, not 429; too many events wait, and are stored.
func TestRatesOfDeliveries(t *testing.T) {
	s := start(t)
	in := s.makeTenant("busy", `{"requests_per_second": 1}`)
	r := reply{}
	s.await("the rate is exceeded", func() bool { r = s.delivered("/events", "", in); return r.status != http.StatusOK })
	s.wantTransient(r)
	for _, path := range []string{"/v1/logs", "/v1/traces"} { // in their own form
		s.await("the rate is exceeded", func() bool {
			r = s.delivered(path, "{}", in, "Content-Type: application/json")
			return r.status != http.StatusOK
		})
		if status := decode[struct{ Code int }](t, r.body); r.status != 503 || status.Code != 14 || r.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	in = s.makeTenant("eager", `{"events_per_second": 5000}`)
	var body strings.Builder
	for i := range 15_000 { // 10,000 may come at once
		fmt.Fprintf(&body, `{"log":"l","id":"%d"}`, i)
	}
	if got := s.summaryOf(s.delivered("/events", body.String(), in)); got.Stored != 15_000 {
		t.Errorf("%+v", got)
	}
}

// slowly is a server whose clients have so much time.
func slowly(t *testing.T, patience time.Duration) *shared { return slowlyIn(t, patience, nil) }

// slowlyIn is slowly, and the server has so much room for bodies.
func slowlyIn(t *testing.T, patience time.Duration, bodies *memory.Book) *shared {
	t.Helper()
	node := newWatched(t, 10)
	two := newShared(t, node, api.Services{
		BodyTimeout: patience, Sources: intake.NewRegistry(node.DB), Intake: intake.New(node.DB, node.Logs, node.Ingest), Bodies: bodies,
	})
	pool, err := pgxpool.New(t.Context(), node.DB.Read.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	two.service.db = pool
	return two
}

// TestSlowDeliveries: a body that does not arrive in time is 503; what came before is stored. What the server takes time for is not the
// client's.
func TestSlowDeliveries(t *testing.T) {
	const patience = 500 * time.Millisecond
	two := slowly(t, patience)
	s := two.service
	for _, post := range []func(io.Reader) reply{
		func(body io.Reader) reply {
			r, err := s.deliver("/events", body)
			if err != nil {
				t.Error(err)
			}
			return r
		},
		func(body io.Reader) reply { return two.call("POST", "/events", body) },
	} {
		body, writer := io.Pipe()
		go func() { _, _ = io.WriteString(writer, `{"log":"l","id":"1"}{"log`) }()
		s.wantTransient(post(body))
		_ = writer.Close()
	}
	two.wantOneConnection()
}

// TestSlowCommits: the server may take longer to commit than a client has for a body, in the middle of one and after its end.
func TestSlowCommits(t *testing.T) {
	const patience, lines = 2 * time.Second, 6000 // more than a portion
	two := slowly(t, patience)
	s := two.service
	s.summaryOf(s.delivered("/events", `{"log":"l","id":"0"}`))
	posts := map[string]func(path string, body io.Reader) (reply, error){
		"http1": func(path string, body io.Reader) (reply, error) { return s.deliver(path, body) },
		"http2": func(path string, body io.Reader) (reply, error) { return two.call("POST", path, body), nil },
	}
	for name, post := range posts {
		for _, n := range []int{1, lines} {
			var body strings.Builder
			for i := range n {
				fmt.Fprintf(&body, `{"log":"l","id":"%s-%d-%d"}`+"\n", name, n, i)
			}
			body.WriteString(`{"log":"l"}`) // a reject, whose log is made after the wait
			source := fmt.Sprintf("%s-%d", name, n)
			s.putSource(source, `{"log": "{/log}", "id": "{/id}", "keep": true}`)
			release := s.lockHeads()
			answers := make(chan reply, 1)
			go func() {
				r, err := post("/sources/"+source+"/events", strings.NewReader(body.String()))
				if err != nil {
					t.Error(err)
				}
				answers <- r
			}()
			s.awaitLockWaiter()
			<-time.After(patience + patience/2)
			release()
			if got := s.summaryOf(<-answers); got.Stored != n || got.Rejected != 1 {
				t.Errorf("%s: %+v", source, got)
			}
		}
	}
	if got := len(s.named("l")); got != 1+len(posts)*(lines+1) {
		t.Errorf("%d events are stored", got)
	}
}

// TestStoppingDeliveries: a server that stops answers what is under way, also what will not be stored in time, and a client that still
// sends.
func TestStoppingDeliveries(t *testing.T) {
	database := testdb.New(t)
	s := startOn(t, database)
	s.summaryOf(s.delivered("/events", `{"log":"l","id":"0"}`))
	config := server.DefaultConfig()
	config.Listen, config.DatabaseURL, config.ModuleCacheDir = "127.0.0.1:0", database.DSN(), modules
	config.AllowUnsafeDatabase, config.ShutdownTimeout = true, 8*time.Second
	config.Log = slog.New(slog.NewTextHandler(&noSecrets{t, t.Output()}, nil))
	running, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	other := *s
	other.url = running.URL()
	release := s.lockHeads()
	defer release()
	answers := make(chan reply, 2)
	send := func(body io.Reader, headers ...string) {
		r, err := other.deliver("/events", body, headers...)
		if err != nil {
			t.Errorf("a delivery ended without an answer: %v", err)
		}
		answers <- r
	}
	go send(strings.NewReader(`{"log":"l","id":"1"}`))
	s.awaitLockWaiter()
	body, writer := io.Pipe()
	go send(body, "Expect: 100-continue") // the body is sent once the server reads it
	if _, err := io.WriteString(writer, `{"log":"l","id":"2"}`); err != nil {
		t.Fatal(err)
	}
	if err := running.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	_ = writer.Close()
	for range 2 {
		s.wantTransient(<-answers)
	}
	release()
	for i := range 3 {
		s.summaryOf(s.delivered("/events", fmt.Sprintf(`{"log":"l","id":"%d"}`, i)))
	}
	if got := s.named("l"); len(got) != 3 {
		t.Errorf("stored %v", got)
	}
}
