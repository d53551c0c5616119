package main_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/intake"
)

// TestIngestToSource: the mapping of a source makes the events, for logs that it names, and keeps what it cannot take.
func TestIngestToSource(t *testing.T) {
	o, _ := operate(t)
	o.server.curl("--fail", "-X", "PUT", "$URL/sources/web", "-d", `{"log":"customer-{/customer}","create":{"most":10},
		"select":{"/status":{"not":500}},"type":"call","id":"{/request_id}","time":null,"keep":{"status":{"at":"/status","as":"integer"}}}`)
	write(t, filepath.Join(o.dir, "calls"), `{"customer":"a","request_id":"1","status":"200","secret":"x"}
{"customer":"b","request_id":"2","status":201}
{"customer":"b","request_id":"3","status":500}
{"customer":"b","status":204}
{"customer":"a","request_id":"5","status":"OK"}
{"customer":"a","request_id":"6","status":200
{"customer":"a","request_id":"7","status":200}
`)
	left := words("calls:6: it is not valid JSON", "; it is kept in the log rejects-web", "calls:4: ",
		"(id_missing); so are 1 others of the next 2 lines; it is kept in the log rejects-web")
	o.incomplete(append(left, "calls: 7 records: 3 stored, 0 were there already, 1 skipped by the mapping, 3 left out"),
		ingest("calls", "--source", "web")...)
	o.succeeds(words("calls: 0 records after 7 that were sent before"), ingest("calls", "--source", "web")...)
	o.incomplete(append(left, "0 stored, 3 were there already"), ingest("calls", "--source", "web", "--again")...)
	want := []string{`{"id":"1","status":200,"type":"call"}`, `{"id":"7","status":200,"type":"call"}`}
	if got := o.stored("customer-a"); !slices.Equal(got, want) {
		t.Errorf("customer-a has %q", got)
	}
	rejects := o.stored("rejects-web")
	if len(rejects) != 3 {
		t.Errorf("rejects are %q", rejects)
	}
	for _, reject := range rejects { // the mapping names members, of which what is no JSON has none
		unread := strings.Contains(reject, `"unread":true`)
		if unread != strings.Contains(reject, `"code":"unreadable","detail":"calls:6: `) ||
			strings.Contains(reject, "raw") == unread {
			t.Errorf("a reject is %s", reject)
		}
	}
	o.fails(words("source_not_found"), ingest("calls", "--source", "none")...)
}

// TestIngestByPositionToSource: the place in a file is an identity for a source, too.
func TestIngestByPositionToSource(t *testing.T) {
	o, _ := operate(t)
	o.server.curl("--fail", "-X", "PUT", "$URL/sources/site", "-d", `{"log":"website","create":{},"type":"http.request","id":"{/id}",
		"time":{"at":"/time","unit":"rfc3339"},"keep":{"status":"/status","bytes":"/bytes"}}`)
	text := accessLog(t)
	write(t, filepath.Join(o.dir, "access.log"), string(text))
	o.succeeds(words("10,000 stored"), ingest("access.log", "--source", "site", "--id-from", "position")...)
	o.succeeds(words("10,000 records: 0 stored, 10,000 were there already"),
		ingest("access.log", "--source", "site", "--id-from", "position", "--again")...)
	if got, want := o.totals("website"), counted(t, text); !maps.Equal(got, want) {
		t.Errorf("the log counts\n%v, awk\n%v", got, want)
	}
	// Two machines that log the same.
	for n := range 2 {
		args := ingest("-", "--source", "site", "--id-from", "position", "--origin", fmt.Sprintf("web-%d", n))
		line := `h - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5` + "\n"
		if out, err := o.piped(line+line, args...); err != nil || !strings.Contains(out, "2 records: 2 stored") {
			t.Errorf("%v: %s", err, out)
		}
	}
}

// TestIngestKeepsWhatItCannotRead: lines that are none of the file's format are in the source's log of rejects as they are in the file,
// once.
func TestIngestKeepsWhatItCannotRead(t *testing.T) {
	o, _ := operate(t)
	o.server.curl("--fail", "-X", "PUT", "$URL/sources/site", "-d", `{"log":"website","create":{},"id":"{/id}","keep":{"n":"/n"},
		"rejects":{"raw":"whole"}}`)
	long := `{"id":"` + strings.Repeat("x", 5<<20) + `"}`
	unreadable := []string{`{"id":"2","n":`, "[1,\xff\x00", `[{"id":"stored?"}]`, `{"id":"1","n":1} trailing`}
	lines := append([]string{`{"id":"1","n":1}`, long}, unreadable...)
	write(t, filepath.Join(o.dir, "calls"), strings.Join(append(lines, unreadable[0], `{"id":"3","n":3}`), "\n")+"\n")
	write(t, filepath.Join(o.dir, "calls.csv"), "id,n\n4,4\n5\n6,\"six\nsevens\" here\n7,7\n")
	for _, run := range []string{"2 stored", "2 were there already"} {
		o.incomplete(words("calls:2: it is longer than 4 MiB", "calls:5: it is no JSON object", run, "6 left out"),
			ingest("calls", "--source", "site", "--again", "--format", "ndjson")...)
		o.incomplete(words("it has 1 fields, and the header names 2", run, "2 left out"),
			ingest("calls.csv", "--source", "site", "--again")...)
	}
	stored := []string{`{"id":"1","n":1}`, `{"id":"3","n":3}`, `{"id":"4","n":"4"}`, `{"id":"7","n":"7"}`}
	if got := o.stored("website"); !slices.Equal(got, stored) {
		t.Errorf("website has %q", got)
	}
	var kept []string
	for _, text := range o.stored("rejects-site") {
		var reject intake.Reject
		if err := json.Unmarshal([]byte(text), &reject); err != nil || reject.Code != "unreadable" {
			t.Fatalf("%v: %s", err, text)
		}
		raw, err := reject.Record()
		if err != nil || reject.Whole == (len(raw) == 64<<10) || !reject.Unread {
			t.Errorf("%v: %.500s", err, text)
		}
		kept = append(kept, string(raw))
	}
	want := append([]string{long[:64<<10]}, append(unreadable, "5", "6,\"six\nsevens\" here")...)
	if !slices.Equal(kept, want) {
		t.Errorf("kept are %.100q, want %.100q", kept, want)
	}
}
