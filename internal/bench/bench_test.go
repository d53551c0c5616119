package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/testdb"
)

// TestByHand: by-hand SQL does the whole work that it stands for.
func TestByHand(t *testing.T) {
	ctx := t.Context()
	database := testdb.New(t)
	conn, err := pgx.Connect(ctx, database.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is lost
	if _, err := conn.Exec(ctx, byHandSchema); err != nil {
		t.Fatal(err)
	}
	w, err := byHandWorkers(database.DSN(), 3, (*byHand).transaction)(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	const events = 200
	for range events {
		if n, err := w.once(ctx); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	var stored, requests, teamRequests, customers int64
	var tokens, monthTokens, teamTokens int64
	var priced bool
	err = conn.QueryRow(ctx, `SELECT
		(SELECT count(*) FROM by_hand_events), (SELECT sum(requests) FROM by_hand_minutes), (SELECT sum(requests) FROM by_hand_teams),
		(SELECT count(DISTINCT customer) FROM by_hand_months),
		(SELECT sum((data->>'tokens_in')::bigint + (data->>'tokens_out')::bigint) FROM by_hand_events),
		(SELECT sum(tokens_in + tokens_out) FROM by_hand_months), (SELECT sum(tokens_in + tokens_out) FROM by_hand_teams),
		(SELECT bool_and(cost > 0) FROM by_hand_teams)`,
	).Scan(&stored, &requests, &teamRequests, &customers, &tokens, &monthTokens, &teamTokens, &priced)
	if err != nil {
		t.Fatal(err)
	}
	if stored != events || requests != events || teamRequests != events || customers != 3 {
		t.Errorf("stored %d events, counted %d by minute and %d by team, for %d customers", stored, requests, teamRequests, customers)
	}
	if monthTokens != tokens || teamTokens != tokens || !priced {
		t.Errorf("the events have %d tokens; counted were %d by month and %d by team, priced: %t", tokens, monthTokens, teamTokens, priced)
	}
}

// TestCopy: COPY fills whole rows, in logs of 1,000 events in sequence.
func TestCopy(t *testing.T) {
	ctx := t.Context()
	database := testdb.New(t)
	conn, err := pgx.Connect(ctx, database.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is lost
	if _, err := conn.Exec(ctx, copySchema); err != nil {
		t.Fatal(err)
	}
	w, err := copyWorkers(database.DSN(), 15)(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	for range 3 {
		if n, err := w.once(ctx); n != copyRows || err != nil {
			t.Fatal(n, err)
		}
	}
	var logs, rows, shortest, longest int
	err = conn.QueryRow(ctx, `SELECT count(*), sum(n), min(n), max(n) FROM (
		SELECT count(*) AS n FROM copy_events WHERE octet_length(hash) = 32 AND json_typeof(data) = 'object'
		GROUP BY log_id HAVING max(sequence) = count(*) AND min(sequence) = 1) AS l`).Scan(&logs, &rows, &shortest, &longest)
	if err != nil {
		t.Fatal(err)
	}
	if logs != 15 || rows != 3*copyRows || shortest != 2*copyPerLog || longest != 2*copyPerLog {
		t.Errorf("%d rows in %d whole logs of %d to %d events", rows, logs, shortest, longest)
	}
}

func TestClient(t *testing.T) {
	long := strings.Repeat("x", 50_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		switch {
		case err != nil:
			t.Error(err)
		case r.URL.Path == "/refused":
			http.Error(w, "no such log", http.StatusNotFound)
		case r.URL.Path == "/long":
			_, _ = io.WriteString(w, long)
		default:
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, r.Method+" "+r.URL.String()+" "+r.Header.Get("Idempotency-Key")+" "+string(body))
		}
	}))
	defer server.Close()
	c, err := dial(t.Context(), strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for range 2 { // on the same connection
		body, err := c.do("POST", "/a?b=c", "Idempotency-Key: k\r\n", []byte("{}"))
		if string(body) != "POST /a?b=c k {}" || err != nil {
			t.Errorf("body %q, %v", body, err)
		}
		if answer, err := c.do("GET", "/long", "", nil); string(answer) != long || err != nil {
			t.Errorf("an answer in chunks has %d bytes, %v", len(answer), err)
		}
		if _, err := c.do("GET", "/refused", "", nil); err == nil || !strings.Contains(err.Error(), "404: no such log") {
			t.Errorf("a refusal does not quote the server: %v", err)
		}
	}
}

func TestEvents(t *testing.T) {
	g, again := newGenerator(7), newGenerator(7)
	at := time.Date(2025, 3, 1, 10, 5, 30, 0, time.UTC)
	total := 0
	for range 1000 {
		document := g.json(at)
		total += len(document)
		var decoded map[string]any
		if err := json.Unmarshal(document, &decoded); err != nil || decoded["time"] != "2025-03-01T10:05:30.000Z" {
			t.Fatalf("%s is not an event: %v", document, err)
		}
		if !bytes.Equal(document, again.json(at)) {
			t.Fatal("the same seed made other events")
		}
	}
	if mean := total / 1000; mean < 155 || mean > 185 {
		t.Errorf("an event has %d bytes on average", mean)
	}
}

// TestNeeds: every row's measurements exist, every one is of use to a row, and each has a name of its own.
func TestNeeds(t *testing.T) {
	var names, needed []string
	for _, phase := range phases() {
		for _, m := range phase.measurements {
			names = append(names, m.names...)
		}
	}
	for _, kind := range append(rowKinds(), kafkaRows()...) {
		needed = append(needed, kind.needs...)
		for _, name := range kind.needs {
			if !slices.Contains(names, name) {
				t.Errorf("row %s needs %s, which is not measured", kind.name, name)
			}
		}
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			t.Errorf("two measurements are called %s", name)
		}
		if name != appendQueried && name != attackLoaded && !slices.Contains(needed, name) {
			t.Errorf("%s is of no use to any row", name)
		}
	}
}

// TestAttacks: an attack has bytes of its own each time, and says how it is to end.
func TestAttacks(t *testing.T) {
	for i := range attacks {
		a := &attacks[i]
		if bytes.Equal(a.module(1), a.module(2)) || !bytes.Equal(a.module(1), a.module(1)) {
			t.Errorf("%s: modules do not differ by their number alone", a.name)
		}
		if len(a.refused) == 0 && a.halts == "" && a.fails == "" {
			t.Errorf("%s does not say what must become of it", a.name)
		}
	}
}

func TestVerdicts(t *testing.T) {
	s := &stage{}
	all := figures{
		appendOne + "256": {PerSecond: 12_000}, handOne + "16": {PerSecond: 1000}, handOne + "64": {PerSecond: 600},
		appendOne + "1": {P50: 2.6}, bareInsert: {P50: 1},
	}
	for name, want := range map[string]string{"one-log": "yes", "one-log-64": "NO", "latency": "NO", "many-logs": "–", "keys": "–"} {
		kinds, err := selectRows([]string{name}, false)
		if err != nil {
			t.Fatal(err)
		}
		row := kinds[0].row(all, s)
		if got := row.verdict(); got != want {
			t.Errorf("%s: %g against %q is %q, want %q", name, row.Value, row.Bar, got, want)
		}
	}
	if _, err := selectRows([]string{"speed"}, false); err == nil || !strings.Contains(err.Error(), "one-log") {
		t.Errorf("an unknown row is not refused with those that there are: %v", err)
	}
}

func TestMedians(t *testing.T) {
	var r recorder
	for _, ms := range []int{30, 10, 20} {
		s := sample{count: ms, seconds: 2}
		for i := range 100 {
			s.latencies = append(s.latencies, time.Duration(ms+i)*time.Millisecond)
		}
		r.add("x", s)
	}
	f := r.figures()[0]
	if f.PerSecond != 10 || f.P50 != 70 || f.P99 != 119 || !slices.Equal(f.Rounds, []float64{15, 5, 10}) {
		t.Errorf("%+v", f)
	}
	if median([]float64{4, 1, 3, 2}) != 2.5 || count(1234567) != "1,234,567" || count(999) != "999" {
		t.Error("medians or thousands are wrong")
	}
}

func TestWithDatabase(t *testing.T) {
	for connection, want := range map[string]string{
		"postgres://u:p@h:5433/a?sslmode=disable": "postgres://u:p@h:5433/b?sslmode=disable",
		"host=h user=u dbname=a":                  "host=h user=u dbname=a dbname=b",
		"postgres:///a?host=/run/x&user=u":        "postgres:///b?host=/run/x&user=u",
	} {
		got, err := withDatabase(connection, "b")
		if err != nil || got != want {
			t.Errorf("%s became %s, %v", connection, got, err)
		}
		config, err := pgx.ParseConfig(got)
		if err != nil || config.Database != "b" {
			t.Errorf("%s does not name the other database: %v", got, err)
		}
	}
}
