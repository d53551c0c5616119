package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/source"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
)

// desk is a server that takes deliveries.
type desk struct {
	*testrig.Node

	t  testing.TB
	in *Intake
}

func startDesk(t testing.TB, dsn string, s testrig.Settings) *desk {
	t.Helper()
	node := testrig.Start(t, dsn, s)
	return &desk{Node: node, t: t, in: New(node.DB, node.Logs, node.Ingest)}
}

// sourceOf returns the source gateway with a mapping.
func sourceOf(t testing.TB, mapping string) *Source {
	t.Helper()
	m, err := source.Parse([]byte(mapping))
	if err != nil {
		t.Fatalf("%s: %v", mapping, err)
	}
	return &Source{Tenant: db.DefaultTenant, Name: "gateway", Version: 1, Mapping: m}
}

func anyLog(string) bool { return true }

// deliver sends records, and results in the order of the lines. It overwrites a record once it is added, as whoever reads a body does.
func (d *desk) deliver(s *Source, sender Sender, records ...string) (Summary, []Result, error) {
	return d.deliverKeyed(s, sender, "", records...)
}

func (d *desk) deliverKeyed(s *Source, sender Sender, key string, records ...string) (Summary, []Result, error) {
	sender.Tenant = db.DefaultTenant
	if sender.Sees == nil {
		sender.Sees = anyLog
	}
	var results []Result
	delivery := d.in.Deliver(s, sender, Events)
	delivery.Key = key
	delivery.Results = func(more []Result) error {
		results = append(results, more...)
		return nil
	}
	var buffer []byte
	for _, record := range records {
		buffer = append(buffer[:0], record...)
		if err := delivery.Add(d.t.Context(), buffer); err != nil {
			return delivery.summary, results, err
		}
		for i := range buffer {
			buffer[i] = '#'
		}
	}
	summary, err := delivery.Finish(d.t.Context())
	return summary, results, err
}

// must is deliver that has to succeed.
func (d *desk) must(s *Source, records ...string) (Summary, []Result) {
	d.t.Helper()
	summary, results, err := d.deliver(s, Sender{}, records...)
	if err != nil {
		d.t.Fatal(err)
	}
	return summary, results
}

// query returns the rows of one column.
func query[T any](t testing.TB, dsn, statement string, args ...any) []T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // nothing of value is lost
	rows, err := conn.Query(t.Context(), statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return found
}

// stored checks the whole database, and returns what each log holds, by its name.
func stored(t testing.TB, dsn string) map[string][]string {
	t.Helper()
	found := testrig.Check(t, dsn)
	logs := map[string][]string{}
	for _, row := range query[string](t, dsn, "SELECT log_id || ' ' || name FROM logs") {
		text, name, _ := strings.Cut(row, " ")
		id, err := uuid.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		logs[name] = []string{}
		if log := found[id]; log != nil {
			for i := range log.Events {
				logs[name] = append(logs[name], string(log.Events[i].Data))
			}
		}
	}
	return logs
}

const byCustomer = `{"log": "customer-{/customer}", "id": "{/id}", "create": {"most": 100}, "keep": {"n": "/n"}}`

func record(customer, id string, n int) string {
	return fmt.Sprintf(`{"customer":%q,"id":%q,"n":%d}`, customer, id, n)
}

func TestDelivery(t *testing.T) {
	d := testdb.New(t)
	n := startDesk(t, d.DSN(), testrig.Settings{})
	s := sourceOf(t, `{"select": {"/kind": "use"}, "log": "customer-{/customer}", "id": "{/id}", "create": {"most": 2},
		"keep": {"n": "/n"}}`)
	records := []string{
		`{"kind":"use","customer":"a","id":"1","n":1}`,
		`{"kind":"test"}`,
		`{"kind":"use","customer":"b","id":"1","n":1}`,
		`{"kind":"use","customer":"a","id":"1","n":1}`,
		`{"kind":"use","customer":"a","id":"1","n":2}`,
		`{"kind":"use","customer":"c","id":"1","n":1}`,
		`{"kind":"use","customer":"a","n":1}`,
		`{"kind":"use","customer":"a","id":"2","n":3}`,
		`no JSON`,
	}
	for round := range 3 {
		summary, results := n.must(s, records...)
		want := Summary{Stored: 3, Duplicates: 1, Skipped: 1, Rejected: 4}
		if round > 0 {
			want = Summary{Duplicates: 4, Skipped: 1, Rejected: 4}
		}
		first := summary.FirstRejected
		if first == nil || first.Line != 5 || first.Code != "idempotency_key_reused" || first.Detail == "" {
			t.Errorf("the first reject is %+v", first)
		}
		if summary.FirstRejected = nil; summary != want {
			t.Errorf("round %d: %+v, want %+v", round, summary, want)
		}
		for i, r := range results {
			if r.Line != i+1 {
				t.Errorf("result %d is of line %d", i, r.Line)
			}
			r.Detail, r.Line = "", 0
			want := []Result{
				{Log: "customer-a", Sequence: 1, Duplicate: round > 0},
				{Skipped: true},
				{Log: "customer-b", Sequence: 1, Duplicate: round > 0},
				{Log: "customer-a", Sequence: 1, Duplicate: true},
				{Code: "idempotency_key_reused"},
				{Code: "too_many_logs"},
				{Code: "id_missing"},
				{Log: "customer-a", Sequence: 2, Duplicate: round > 0},
				{Code: "invalid_json"},
			}[i]
			if !reflect.DeepEqual(r, want) {
				t.Errorf("round %d: line %d: %+v, want %+v", round, i+1, r, want)
			}
		}
	}
	logs := stored(t, d.DSN())
	if got := logs["customer-a"]; !slices.Equal(got, []string{`{"id":"1","n":1}`, `{"id":"2","n":3}`}) {
		t.Errorf("a has %v", got)
	}
	if len(logs) != 3 || len(logs["customer-b"]) != 1 || len(logs["rejects-gateway"]) != 4 {
		t.Errorf("stored %v", logs)
	}
	counted := n.in.Stats()
	if counted.Stored.Value() != 3 || counted.Duplicates.Value() != 9 || counted.Skipped.Value() != 3 {
		t.Errorf("counted %d, %d, %d", counted.Stored.Value(), counted.Duplicates.Value(), counted.Skipped.Value())
	}
	if got := counted.Rejected(); got["idempotency_key_reused"] != 3 || got["invalid_json"] != 3 {
		t.Errorf("counted %v", got)
	}
	if warned := n.in.Warnings(); len(warned) != 1 || !strings.Contains(warned[0], "rejects-gateway") {
		t.Errorf("warned of %v", warned)
	}
}

// TestKeptAsSent: events that are kept byte for byte are whole, although whoever adds them uses their memory again.
func TestKeptAsSent(t *testing.T) {
	d := testdb.New(t)
	n := startDesk(t, d.DSN(), testrig.Settings{})
	s := sourceOf(t, defaultMapping)
	var records []string
	for i := range 50 {
		records = append(records, fmt.Sprintf(`{"log": "l", "id": "%d", "text" : %q}`, i, strings.Repeat(fmt.Sprint(i), 20)))
	}
	n.must(s, records...)
	if got := stored(t, d.DSN())["l"]; !slices.Equal(got, records) {
		t.Errorf("stored %v", got)
	}
}

// TestPortions: a delivery of several portions, whose lines are for logs across them, is as if it were one.
func TestPortions(t *testing.T) {
	d := testdb.New(t)
	n := startDesk(t, d.DSN(), testrig.Settings{})
	s := sourceOf(t, byCustomer)
	const lines = 2*portionLines + 17
	records := make([]string, lines)
	for i := range records {
		records[i] = record(fmt.Sprint(i%7), fmt.Sprint(i), i)
	}
	records[portionLines+1] = records[0] // a duplicate of the portion before
	calls, told := 0, 0
	delivery := n.in.Deliver(s, Sender{Tenant: db.DefaultTenant, Sees: anyLog}, Events)
	delivery.Results = func(results []Result) error {
		calls++
		for _, r := range results {
			told++
			if r.Line != told {
				t.Fatalf("result %d is of line %d", told, r.Line)
			}
		}
		committed := query[int64](t, d.DSN(), "SELECT coalesce(sum(sequence), 0)::bigint FROM log_heads")[0]
		if want := int64(min(told, lines-1)); committed < want-1 {
			t.Errorf("%d lines are told of, %d events are committed", told, committed)
		}
		return nil
	}
	for _, r := range records {
		if err := delivery.Add(t.Context(), []byte(r)); err != nil {
			t.Fatal(err)
		}
	}
	summary, err := delivery.Finish(t.Context())
	if err != nil || summary.Stored != lines-1 || summary.Duplicates != 1 || calls != 3 || told != lines {
		t.Errorf("%+v, %v, told %d times of %d lines", summary, err, calls, told)
	}
	for customer := range 7 {
		previous := -1
		for _, event := range stored(t, d.DSN())[fmt.Sprint("customer-", customer)] {
			var id string
			var n int
			if _, err := fmt.Sscanf(event, `{"id":%q,"n":%d}`, &id, &n); err != nil || n <= previous {
				t.Fatalf("customer %d: %s after %d (%v)", customer, event, previous, err)
			}
			previous = n
		}
	}
}

// TestGivenKeys: an idempotency key identifies what has no identity of its own, also each record in an envelope.
func TestGivenKeys(t *testing.T) {
	d := testdb.New(t)
	n := startDesk(t, d.DSN(), testrig.Settings{})
	s := sourceOf(t, `{"unwrap": "/records", "log": "l", "keep": true}`)
	records := []string{`{"records":[{"n":1},{"n":1},{"n":2}]}`, `{"records":[{"n":1},{"id":"own","n":1}]}`}
	for round := range 2 {
		if round == 0 {
			if _, err := n.Logs.Create(t.Context(), db.DefaultTenant, "l", nil); err != nil {
				t.Fatal(err)
			}
		}
		summary, _, err := n.deliverKeyed(s, Sender{}, "delivery-1", records...)
		if want := (Summary{Stored: 5 * (1 - round), Duplicates: 5 * round}); err != nil || summary != want {
			t.Errorf("round %d: %+v, %v", round, summary, err)
		}
	}
	if summary, _ := n.must(s, records...); summary.Rejected != 4 || summary.Duplicates != 1 {
		t.Errorf("without a key: %+v", summary)
	}
	if got := len(stored(t, d.DSN())["l"]); got != 5 {
		t.Errorf("%d events are stored", got)
	}
}

// TestCallerGoes: an error of whoever is told of results ends the delivery, and what it was told of is stored.
func TestCallerGoes(t *testing.T) {
	d := testdb.New(t)
	n := startDesk(t, d.DSN(), testrig.Settings{})
	gone := errors.New("the client has gone")
	delivery := n.in.Deliver(sourceOf(t, byCustomer), Sender{Tenant: db.DefaultTenant, Sees: anyLog}, Events)
	delivery.Results = func([]Result) error { return gone }
	if err := delivery.Add(t.Context(), []byte(record("a", "1", 1))); err != nil {
		t.Fatal(err)
	}
	if _, err := delivery.Finish(t.Context()); !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
	if got := stored(t, d.DSN())["customer-a"]; len(got) != 1 {
		t.Errorf("stored %v", got)
	}
}

// TestCostlyLines: events that a log's views cannot take all at once are appended in smaller parts, in their order; one that they cannot
// take at all is rejected.
func TestCostlyLines(t *testing.T) {
	d := testdb.New(t)
	n := startDesk(t, d.DSN(), testrig.Settings{})
	log, err := n.Logs.Create(t.Context(), db.DefaultTenant, "scripts", nil)
	if err != nil {
		t.Fatal(err)
	}
	n.Deploy(t, log.ID, "scripted", testrig.Scripted(), "{}")
	s := sourceOf(t, `{"log": "scripts", "id": "{/id}", "keep": "bytes"}`)
	var records []string
	for i := range 400 {
		script := testrig.ScriptEvent(testrig.Line("spin", 50), testrig.Line("set", "last", i))
		records = append(records, fmt.Sprintf(`{"id":"%d",%s`, i, script[1:]))
	}
	if _, err := n.Ingest.Append(log.ID, requestOf(t, records)); !errors.As(err, new(*ingest.TooCostlyError)) {
		t.Fatalf("all at once: %v", err)
	}
	summary, results := n.must(s, records...)
	if summary.Stored != len(records) || results[17].Sequence != 18 {
		t.Errorf("%+v", summary)
	}
	if got := stored(t, d.DSN())["scripts"]; !slices.Equal(got, records) {
		t.Errorf("%d events are stored, or in another order", len(got))
	}
	if summary, _ := n.must(s, records...); summary.Duplicates != len(records) {
		t.Errorf("again: %+v", summary)
	}
}

func requestOf(t testing.TB, records []string) ingest.Request {
	r := ingest.Request{Expected: ingest.AnySequence}
	for _, data := range records {
		r.Events = append(r.Events, testrig.Parse(t, data, ""))
	}
	return r
}

// TestHaltedView: a view that fails over an event halts, and the delivery is stored.
func TestHaltedView(t *testing.T) {
	d := testdb.New(t)
	n := startDesk(t, d.DSN(), testrig.Settings{})
	log, err := n.Logs.Create(t.Context(), db.DefaultTenant, "scripts", nil)
	if err != nil {
		t.Fatal(err)
	}
	n.Deploy(t, log.ID, "scripted", testrig.Scripted(), "{}")
	s := sourceOf(t, `{"log": "scripts", "id": "{/id}", "keep": true}`)
	one := testrig.ScriptEvent(testrig.Line("set", "a", 1))
	records := []string{`{"id":"1",` + one[1:], `{"id":"2","script":"trap"}`, `{"id":"3",` + one[1:]}
	if summary, _ := n.must(s, records...); summary.Stored != 3 {
		t.Errorf("%+v", summary)
	}
	if got := query[string](t, d.DSN(), "SELECT status FROM view_versions"); !slices.Equal(got, []string{"halted"}) {
		t.Errorf("the view is %v", got)
	}
	if summary, _ := n.must(s, append(records, `{"id":"4",`+one[1:])...); summary.Duplicates != 3 || summary.Stored != 1 {
		t.Errorf("again: %+v", summary)
	}
	if got := stored(t, d.DSN())["scripts"]; len(got) != 4 || !bytes.Contains([]byte(got[1]), []byte("trap")) {
		t.Errorf("stored %v", got)
	}
}

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}
