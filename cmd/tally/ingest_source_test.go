package main_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
	left := words("calls:6: it is not valid JSON", "calls:4: ",
		"(id_missing); so are 1 others of the next 2 lines; it is kept in the log rejects-web")
	o.incomplete(append(left, "calls: 7 records: 3 stored, 0 were there already, 1 skipped by the mapping, 3 left out"),
		ingest("calls", "--source", "web")...)
	o.succeeds(words("calls: 0 records after 7 that were sent before"), ingest("calls", "--source", "web")...)
	o.incomplete(append(left, "0 stored, 3 were there already"), ingest("calls", "--source", "web", "--again")...)
	want := []string{`{"id":"1","status":200,"type":"call"}`, `{"id":"7","status":200,"type":"call"}`}
	if got := o.stored("customer-a"); !slices.Equal(got, want) {
		t.Errorf("customer-a has %q", got)
	}
	if rejects := o.stored("rejects-web"); len(rejects) != 2 {
		t.Errorf("rejects are %q", rejects)
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
