package main_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// incomplete runs a command that leaves something out: it ends with status 3, and says the words.
func (o *operator) incomplete(words []string, args ...string) string {
	o.t.Helper()
	status, output := run(o.t, o.dir, o.args(args)...)
	if status != 3 {
		o.t.Fatalf("tally %s ended with status %d, want 3:\n%s", strings.Join(args, " "), status, output)
	}
	says(o.t, args, output, words...)
	return output
}

// ingest is the command with a state of its own for the test.
func ingest(args ...string) []string {
	return append([]string{"ingest", "--state", "state.json"}, args...)
}

func (o *operator) empty(log string) {
	o.t.Helper()
	if _, err := o.server.post(o.t.Context(), "/logs", `{"name":"`+log+`"}`, ""); err != nil {
		o.t.Fatal(err)
	}
}

// stored are the events of a log, as they were sent.
func (o *operator) stored(log string) []string {
	o.t.Helper()
	var events []string
	for line := range strings.Lines(o.prints("events", "list", log, "--all", "--output", "ndjson")) {
		var e struct{ Data json.RawMessage }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			o.t.Fatal(err)
		}
		events = append(events, string(e.Data))
	}
	return events
}

func accessLog(t *testing.T) []byte {
	t.Helper()
	file, err := os.Open("testdata/apache-access.log.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// counted are an access log's requests and bytes by status and by day, as awk sees them.
func counted(t *testing.T, text []byte) map[string]int64 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "awk", `{
		split(substr($4, 2, 11), d, "/")
		day = sprintf("%s-%02d-%s", d[3], (index("JanFebMarAprMayJunJulAugSepOctNovDec", d[2]) + 2) / 3, d[1])
		n["requests"]++; n["requests " $9]++; n["requests " day]++
		n["bytes"] += $10; n["bytes " $9] += $10; n["bytes " day] += $10
	} END { for (k in n) printf "%s=%.0f\n", k, n[k] }`)
	cmd.Stdin = bytes.NewReader(text)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int64{}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		var n int64
		if _, err := fmt.Sscan(value, &n); err != nil {
			t.Fatal(err)
		}
		counts[name] = n
	}
	return counts
}

// totals are the same of a log's events.
func (o *operator) totals(log string) map[string]int64 {
	o.t.Helper()
	counts := map[string]int64{}
	for _, text := range o.stored(log) {
		var e struct {
			Type, Time    string
			Status, Bytes int64
		}
		if err := json.Unmarshal([]byte(text), &e); err != nil || e.Type != "http.request" {
			o.t.Fatalf("%s: %v", text, err)
		}
		for _, of := range []string{"", fmt.Sprintf(" %d", e.Status), " " + e.Time[:10]} {
			counts["requests"+of]++
			counts["bytes"+of] += e.Bytes
		}
	}
	return counts
}

// TestIngestAccessLog: a real access log is counted as an independent program counts it, once, however often and in whatever form it comes.
func TestIngestAccessLog(t *testing.T) {
	o, _ := operate(t)
	o.empty("website")
	text := accessLog(t)
	want := counted(t, text)
	if want["requests"] != 10_000 || want["requests 404"] != 213 || want["bytes"] == 0 {
		t.Fatalf("awk counts %v", want)
	}
	zipped, err := os.ReadFile("testdata/apache-access.log.gz")
	if err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(o.dir, "access.log.2.gz"), string(zipped))
	write(t, filepath.Join(o.dir, "access.log.1"), string(text))
	write(t, filepath.Join(o.dir, "access.log"), string(z.EncodeAll(text, nil)))
	args := ingest("--log", "website", "--id-from", "position")
	o.succeeds(words("access.log.2.gz: 10,000 records: 10,000 stored, 0 were there already"), append(args, "access.log.2.gz")...)
	check := func() {
		t.Helper()
		if got := o.totals("website"); !maps.Equal(got, want) {
			t.Errorf("the log counts\n%v, awk\n%v", got, want)
		}
	}
	check()
	o.succeeds(words(
		"access.log.2.gz: 0 records after 10,000 that were sent before: 0 stored",
		"access.log.1: 0 records after 10,000 that were sent before",
		"access.log: 0 records after 10,000 that were sent before",
	), append(args, "access.log.2.gz", "access.log.1", "access.log")...)
	o.succeeds(words("access.log.1: 10,000 records: 0 stored, 10,000 were there already"), append(args, "--again", "access.log.1")...)
	o.succeeds(words("access.log: 10,000 records: 0 stored, 10,000 were there already"),
		append(args, "--state", "other.json", "access.log")...)
	out, err := o.piped(string(text), args...)
	if err != nil || !strings.Contains(out, "standard input: 10,000 records: 0 stored, 10,000") {
		t.Errorf("%v: %s", err, out)
	}
	check()
	if first := o.stored("website")[0]; !strings.Contains(first, `,"method":"GET","path":"/presentations/logstash-monitorama-2013/`) ||
		strings.Contains(first, "83.149.9.216") || strings.Contains(first, "Mozilla") {
		t.Errorf("an event is %s", first)
	}
}

// TestIngestFormats: what becomes of records of each format, by flags and by a mapping.
func TestIngestFormats(t *testing.T) {
	o, _ := operate(t)
	write(t, filepath.Join(o.dir, "mapping.json"), `{"log":"ignored-{/x}","create":{},"keep":{"tokens":"/t"},
		"select":{"/status":"success"},"type":"llm.call","id":"{/call}","time":{"at":"/end","unit":"s"}}`)
	for log, test := range map[string]struct {
		file string
		args []string
		want []string
	}{
		"whole": {"{\"id\":\"a\",\"n\": 1.50}\n\n{\"n\":2,\"id\":\"b\"}", nil, []string{`{"id":"a","n": 1.50}`, `{"n":2,"id":"b"}`}},
		"array": {"[{\"id\":\"a\",\n\"n\":1},{\"id\":\"b\"}]", nil, []string{`{"id":"a", "n":1}`, `{"id":"b"}`}},
		"id":    {`{"request":{"id":7}}`, []string{"--id", "/request/id"}, []string{`{"id":"7","request":{"id":7}}`}},
		"kept": {
			`{"req":"a","ts":1795847407.25,"usage":{"in":"12"},"prompt":"secret"}`,
			[]string{"--type", "llm", "--id", "{/req}", "--time", "/ts", "--time-unit", "s", "--keep", "in=/usage/in:integer,model"},
			[]string{`{"id":"a","in":12,"time":"2026-11-28T06:30:07.25Z","type":"llm"}`},
		},
		"mapped": {
			`{"call":"c","end":1.5,"t":7,"status":"success"}{"call":"d"}`,
			[]string{"--mapping", "mapping.json"},
			[]string{`{"id":"c","time":"1970-01-01T00:00:01.5Z","tokens":7,"type":"llm.call"}`},
		},
		"csv": {
			"id,time,type,tokens in,team\na,2025-03-01 00:00:01Z,x,12,\"a, b\"\n", nil,
			[]string{`{"id":"a","team":"a, b","time":"2025-03-01T00:00:01Z","tokens in":"12","type":"x"}`},
		},
		"csvkept": {
			"TIMESTAMP;tokens in\n2025-03-01 00:00:01.5Z;12\n",
			[]string{"--id", "{/TIMESTAMP}", "--time", "/TIMESTAMP", "--type", "t", "--keep", "tokens=/tokens in:integer"},
			[]string{`{"id":"2025-03-01 00:00:01.5Z","time":"2025-03-01T00:00:01.5Z","tokens":12,"type":"t"}`},
		},
		"access": {
			`h - ada [10/Oct/2000:13:55:36 -0700] "GET /a?token=x HTTP/1.1" 200 5 "-" "curl" r-1`,
			[]string{"--id", "{/extra/0}", "--keep", "status,agent=/user_agent"},
			[]string{`{"agent":"curl","id":"r-1","status":200,"time":"2000-10-10T20:55:36Z","type":"http.request"}`},
		},
	} {
		o.empty(log)
		write(t, filepath.Join(o.dir, log), test.file)
		o.succeeds(words(fmt.Sprintf(": %d stored, 0 were there already", len(test.want))),
			append(ingest(log, "--log", log), test.args...)...)
		if got := o.stored(log); !slices.Equal(got, test.want) {
			t.Errorf("%s is %q, want %q", log, got, test.want)
		}
	}
}

// TestIngestLeavesOut: lines that cannot be events are named, and the others are stored.
func TestIngestLeavesOut(t *testing.T) {
	o, _ := operate(t)
	o.empty("acme")
	long := strings.Repeat("x", 5<<20)
	write(t, filepath.Join(o.dir, "events"), strings.Join([]string{
		`{"id":"1"}`, `{"id":"2"`, `{"n":3}`, `{"id":4}`, `{"id":"5","time":"soon"}`, "\x1b[31m\xff\x00", `{"id":"` + long + `"}`,
		`{"id":"8"}`, "[]", `{"id":"10"}`,
	}, "\n"))
	o.append("acme", `{"id":"8","other":true}`)
	output := o.incomplete(words(
		"events:2: it is not valid JSON", "events:3: it has no id", "(id_missing)", "events:4: ", "(invalid_event_id)", "events:5: ",
		"(invalid_event_time)", "events:6: it is not valid JSON", "events:7: it is longer than 4 MiB", "events:8: ",
		"(idempotency_key_reused)", "events:9: it is no JSON object",
		"events: 10 records: 2 stored, 0 were there already, 8 left out",
	), ingest("events", "--log", "acme")...)
	if strings.ContainsAny(output, "\x1b\x00") || len(output) > 10_000 {
		t.Errorf("it shows what would control a terminal, or too much: %q", output)
	}
	if got := o.stored("acme"); !slices.Equal(got, []string{`{"id":"8","other":true}`, `{"id":"1"}`, `{"id":"10"}`}) {
		t.Errorf("stored are %q", got)
	}
	// All of them, and more than are named.
	var lines, others strings.Builder
	for n := range 3000 {
		fmt.Fprintf(&lines, "{\"id\":\"n%d\"}\n", n)
		fmt.Fprintf(&others, "{\"id\":\"n%d\",\"other\":true}\n", n)
	}
	write(t, filepath.Join(o.dir, "lines"), lines.String())
	write(t, filepath.Join(o.dir, "others"), others.String())
	o.succeeds(words("3,000 stored"), ingest("lines", "--log", "acme")...)
	output = o.incomplete(words("others:20: ", "0 stored, 0 were there already, 3,000 left out (2,980 of them not named above)"),
		ingest("others", "--log", "acme")...)
	if strings.Contains(output, "others:21") {
		t.Errorf("it names too many: %s", output)
	}
}

func TestIngestRefusals(t *testing.T) {
	o, _ := operate(t)
	o.empty("acme")
	write(t, filepath.Join(o.dir, "csv"), "a,b\n1,2\n")
	write(t, filepath.Join(o.dir, "words"), "hello\n")
	write(t, filepath.Join(o.dir, "no-id.json"), `{"id":null,"keep":{}}`)
	write(t, filepath.Join(o.dir, "broken.json"), `{"files":`)
	write(t, filepath.Join(o.dir, "untold.json"), `{"log":"acme","id":null,"keep":true}`)
	o.prints("source", "put", "untold", filepath.Join(o.dir, "untold.json"))
	for want, args := range map[string][]string{
		"stores records without identity":             {"words", "--source", "untold"},
		"--source names a source":                     {"csv"},
		"give one of them":                            {"csv", "--log", "acme", "--source", "s"},
		"two honest lines":                            {"csv", "--log", "acme", "--id-from", "line"},
		"--id-from \"x\"":                             {"csv", "--log", "acme", "--id-from", "x"},
		"--id and --id-from position":                 {"csv", "--log", "acme", "--id-from", "position", "--id", "/a"},
		"--type goes with --log":                      {"csv", "--source", "s", "--type", "x"},
		"--keep and --mapping":                        {"csv", "--log", "acme", "--mapping", "m", "--keep", "x"},
		"--keep says what of a record":                {"words", "--log", "acme", "--type", "x", "--format", "ndjson"},
		"is none of NAME, NAME=/pointer":              {"csv", "--log", "acme", "--keep", "a=b"},
		"nothing says what a record of this csv file": {"csv", "--log", "acme"},
		"\"id\": null":                                {"csv", "--log", "acme", "--mapping", "no-id.json"},
		"none of ndjson, json, csv and access":        {"words", "--log", "acme"},
		"\"xml\" is none of":                          {"csv", "--log", "acme", "--format", "xml"},
		"no such file":                                {"none", "--log", "acme"},
		"log_not_found":                               {"csv", "--log", "none"},
		"does not say how far files were read":        {"csv", "--log", "acme", "--id", "/a", "--state", "broken.json"},
		"standard input ends when it ends":            {"-", "--log", "acme", "--follow"},
		"not one character":                           {"csv", "--log", "acme", "--delimiter", "ab"},
		"is no mapping: ":                             {"csv", "--log", "acme", "--id", "{/a"},
		"--log names one log":                         {"csv", "--log", "x-{/a}"},
	} {
		o.fails(words(want), ingest(args...)...)
	}
	fails(t, o.dir, append(ingest("csv", "--log", "acme", "--id", "/a", "--retry-for", "1s"), "--url", "http://127.0.0.1:1"),
		"no server answers", "trying again", "--retry-for")
}
