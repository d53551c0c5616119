package main_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// calls returns events of two types, an hour apart, the first on the first of March.
func calls(n int) []string {
	at := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	events := make([]string, n)
	for i := range events {
		happened := at.Add(time.Duration(i) * time.Hour).Format(time.RFC3339)
		events[i] = fmt.Sprintf(`{"id":"call-%d","type":"t%d","model":"m","tokens_in":%d,"time":%q}`, i+1, i%2, i+1, happened)
	}
	return events
}

// prints runs a command that succeeds and returns its standard output alone.
func (o *operator) prints(args ...string) string {
	o.t.Helper()
	cmd := exec.CommandContext(o.t.Context(), tally, o.args(args)...)
	cmd.Dir = o.dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		o.t.Fatalf("tally %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(text)
}

// sequences are those of events that were printed, a line of JSON each.
func sequences(t *testing.T, lines string) string {
	t.Helper()
	var all []string
	for line := range strings.Lines(lines) {
		var e struct{ Sequence int64 }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, strconv.FormatInt(e.Sequence, 10))
	}
	return strings.Join(all, " ")
}

func TestEvents(t *testing.T) {
	o, _ := operate(t)
	o.append("acme", calls(1500)...)
	for want, args := range map[string][]string{
		"1 2 3":  {"--limit", "3"},
		"8 9 10": {"--after", "7", "--to", "10"},
		"8 9":    {"--from", "8", "--to", "9"},
		"24 26":  {"--from", "23", "--to", "26", "--type", "t1"},
		"25 26":  {"--time-from", "2025-03-02", "--time-to", "2025-03-02T02:00Z", "--all"},
		// Lower-case letters, a leap second.
		"25 26 ":    {"--time-from", "2025-03-01t23:59:60z", "--time-to", "2025-03-02t02:00z", "--all"},
		"745 746":   {"--time-from", "2025-04", "--limit", "2"},
		"1500":      {"--from", "1500", "--recorded-from", "2025-03"},
		"":          {"--recorded-to", "2025-03-01T10:05:30Z", "--all"},
		"1499 1500": {"--after", "1498"},
	} {
		got := sequences(t, o.prints(append([]string{"events", "list", "acme", "--output", "ndjson"}, args...)...))
		if got != strings.TrimSpace(want) {
			t.Errorf("%v gives %s, want %s", args, got, want)
		}
	}
	// More than a page has.
	all := strings.Fields(sequences(t, o.prints("events", "list", "acme", "--all", "--output", "ndjson")))
	if len(all) != 1500 || all[1499] != "1500" {
		t.Errorf("all events are %d", len(all))
	}
	limited := strings.Fields(sequences(t, o.prints("events", "list", "acme", "--limit", "1001", "--after", "100", "--output", "ndjson")))
	if len(limited) != 1001 || limited[1000] != "1101" {
		t.Errorf("--limit 1001 gives %d events", len(limited))
	}
	// The forms for programs are the server's, byte for byte.
	for _, format := range []string{"ndjson", "csv", "json"} {
		got := o.prints("events", "list", "acme", "--all", "--output", format)
		if want := o.server.curl("$URL/logs/acme/events?stream=true&format="+format) + "\n"; got != want {
			t.Errorf("%s differs from what the server streams: %.300s\nwant %.300s", format, got, want)
		}
	}
	o.append("formulas", `{"type":"=1+1","id":"@a"}`)
	if got := o.prints("events", "list", "formulas", "--output", "csv"); !strings.Contains(got, ",'=1+1,'@a,") {
		t.Errorf("CSV for people: %s", got)
	}
	if got := o.prints("events", "list", "formulas", "--output", "csv", "--raw"); !strings.Contains(got, ",=1+1,@a,") {
		t.Errorf("CSV for programs: %s", got)
	}
	o.fails(words("--raw goes with --output csv"), "events", "list", "formulas", "--raw")
	rows, err := csv.NewReader(strings.NewReader(o.prints("events", "list", "acme", "--limit", "2", "--output", "csv"))).ReadAll()
	if err != nil || len(rows) != 3 || rows[2][6] != calls(2)[1] {
		t.Errorf("%v: %v", err, rows)
	}
	array := o.prints("events", "list", "acme", "--output", "json", "--from", "5", "--to", "5")
	if member(t, strings.Trim(strings.TrimSpace(array), "[]"), "key") == "" {
		t.Errorf("as JSON: %s", array)
	}
	if got := sequences(t, o.prints("events", "show", "acme", "17", "--output", "ndjson")); got != "17" {
		t.Errorf("event 17 is %s", got)
	}
	o.succeeds(words("SEQUENCE", "TIME", "TYPE", "EVENT", "1,500", "2025-05-02 11:00:00", "t1", `{"id":"call-1500","type":"t1","mod`),
		"events", "list", "acme", "--after", "1498")
	o.succeeds(words("there may be more: --after 2 goes on from here"), "events", "list", "acme", "--limit", "2")
	o.succeeds(words("no such events"), "events", "list", "acme", "--type", "none")

	if _, err := o.server.post(t.Context(), "/logs", `{"name":"empty"}`, ""); err != nil {
		t.Fatal(err)
	}
	o.succeeds(words("[\n\n]"), "events", "list", "empty", "--output", "json")
	o.fails(words("log_not_found"), "events", "list", "none")
	o.fails(words("sequence_not_found", "ends at 1500"), "events", "show", "acme", "1501")
	o.fails(words("sequence_not_found", "ends at 1500"), "events", "list", "acme", "--from", "1502")
	o.fails(words(`SEQUENCE is "0"`), "events", "show", "acme", "0")
	o.fails(words("starts at 8 and ends at 7"), "events", "list", "acme", "--from", "8", "--to", "7")
	o.fails(words("crossed_range"), "events", "list", "acme", "--time-from", "2025-04", "--time-to", "2025-03")
	o.fails(words("--from and --after"), "events", "list", "acme", "--from", "8", "--after", "7")
	o.fails(words("--to -1"), "events", "list", "acme", "--to", "-1")
	o.fails(words("--time-from", `"March"`, "2025-03"), "events", "list", "acme", "--time-from", "March")
	o.fails(words(`"xml"`, "table, json, csv, ndjson"), "events", "list", "acme", "--output", "xml")
	o.fails(words("--limit -1"), "events", "list", "acme", "--limit", "-1")
}

// TestTail: what is recorded is printed, without a gap or a repetition also when the server stops and comes back.
func TestTail(t *testing.T) {
	o, dsn := operate(t)
	events := calls(12)
	o.append("acme", events[:3]...)
	o.fails(words("log_not_found"), "events", "tail", "none")
	o.fails(words("unknown_event_id", "ends at 3"), "events", "tail", "acme", "--after", "4")
	o.fails(words("--from 0"), "events", "tail", "acme", "--from", "0")
	o.fails(words("--from and --after"), "events", "tail", "acme", "--from", "1", "--after", "1")
	fails(t, o.dir, []string{"events", "tail", "acme", "--url", "http://127.0.0.1:1"}, "no server answers")

	all := start(t, nil, o.args([]string{"events", "tail", "acme", "--from", "2"})...)
	typed := start(t, nil, o.args([]string{"events", "tail", "acme", "--type", "t1", "--after", "0"})...)
	all.says(`"sequence":3,`)
	typed.says(`"sequence":2,`)
	o.append("acme", events[3:6]...)
	all.says(`"sequence":6,`)

	o.server.signal(syscall.SIGTERM)
	if status := o.server.wait(); status != 0 {
		t.Errorf("the server that is followed ends with status %d", status)
	}
	all.says("trying again")
	address := strings.TrimPrefix(o.server.url, "http://")
	o.server = serving(t, nil, "serve", "--listen", address, "--database-url", dsn)
	o.append("acme", events[6:9]...)
	all.says("connected again", `"sequence":9,`)
	typed.says(`"sequence":8,`)
	o.server.signal(syscall.SIGKILL) // no farewell
	<-o.server.done
	o.server = serving(t, nil, "serve", "--listen", address, "--database-url", dsn)
	o.append("acme", events[9:]...)
	all.says(`"sequence":12,`)
	typed.says(`"sequence":12,`)
	for p, want := range map[*process]string{all: "2 3 4 5 6 7 8 9 10 11 12", typed: "2 4 6 8 10 12"} {
		p.signal(syscall.SIGINT)
		if status := p.wait(); status != 0 {
			t.Errorf("after Ctrl-C the status is %d", status)
		}
		var lines strings.Builder
		for line := range strings.Lines(p.output.String()) {
			if !strings.HasPrefix(line, "tally: ") {
				lines.WriteString(line)
			}
		}
		if got := sequences(t, lines.String()); got != want {
			t.Errorf("it printed %s, want %s", got, want)
		}
	}
}

// TestWatch: every new answer is printed, also after the server was away, and none twice.
func TestWatch(t *testing.T) {
	o, dsn := operate(t)
	event := func(tokens int) string {
		return fmt.Sprintf(`{"model":"m","tokens_in":%d,"time":"2025-03-01T00:00:00Z"}`, tokens)
	}
	answer := func(tokens int) string { return fmt.Sprintf(`{"m":{"tokens_in":%d,"tokens_out":0}}`, tokens) + "\n" }
	o.append("acme", event(1))
	o.fails(words("view_not_found"), "watch", "acme", "totals")
	o.succeeds(nil, "view", "deploy", "acme", "totals", "--ready", "monthly_totals")
	o.fails(words("log_not_found"), "watch", "none", "totals")
	o.fails(words("query_refused"), "watch", "acme", "totals", "moth=3")

	p := start(t, nil, o.args([]string{"watch", "acme", "totals", "month=2025-03"})...)
	p.says(answer(1))
	o.append("acme", event(10))
	p.says(answer(11))
	o.append("acme", `{"type":"other","time":"2025-04-01T00:00:00Z","model":"m","tokens_in":5}`) // another month's
	o.server.signal(syscall.SIGTERM)
	o.server.wait()
	p.says("trying again")
	o.server = serving(t, nil, "serve", "--listen", strings.TrimPrefix(o.server.url, "http://"), "--database-url", dsn)
	p.says("connected again")
	o.append("acme", event(100))
	p.says(answer(111))
	o.succeeds(nil, "view", "retire", "--yes", "acme", "totals")
	p.says("view_retired")
	p.signal(syscall.SIGINT)
	if status := p.wait(); status != 0 {
		t.Errorf("after Ctrl-C the status is %d", status)
	}
	if output := p.output.String(); strings.Count(output, answer(11)) != 1 || strings.Count(output, `{"m":`) != 3 {
		t.Errorf("not each answer once:\n%s", output)
	}
}
