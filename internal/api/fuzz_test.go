package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

// nasty are bodies that parsers, databases and views have stumbled over.
var nasty = []string{
	"", " ", "{}", "[]", "[{}]", "{}\n{}", "{}\r\n\r\n{}\n", "null", "\ufeff{}", "{", "}", "[", "{}}", "[{}", "[{}]]", "[{},]",
	"{\"a\":1,}",
	`{"type":"a","time":"2025-03-01T10:05:30.123456789+14:00","id":"1","source":"s"}`, `{"id":"1"}` + "\n" + `{"id":"1"}`,
	`[{"id":"1"},{"id":"1","n":2}]`, `{"id":"1"}` + "\n" + `{"id":"1","n":2}`,
	`{"time":"0000-01-01T00:00:00Z"}`, `{"time":"9999-12-31T23:59:59.999999999Z"}`, `{"time":"0001-01-01T00:00:00+23:59"}`,
	`{"time":"2025-02-29T00:00:00Z"}`, `{"time":"2016-12-31T23:59:60Z"}`, `{"time":"9999-12-31T23:59:59-23:59"}`,
	`{"a":"\u0000"}`, `{"\u0000":1}`, `{"a":"\ud800"}`, `{"a":"\udc00\ud800"}`, `{"type":"\ud800"}`, `{"id":"\u0000"}`,
	`{"id":"\ud83d\ude00"}`,
	"{\"a\":\"\x00\"}", "{\"a\":\"\xff\"}", "{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"\xf4\x90\x80\x80\"}", "{\"a\":\"\xc0\x80\"}",
	"{\"a\":\"\u2028\x7f\"}",
	`{"a":1e999999999}`, `{"a":-0}`, `{"a":01}`, `{"a":1.}`, `{"a":.1}`, `{"a":1e}`, `{"a":NaN}`, `{"a":Infinity}`, `{"a":0x1}`,
	`{"model":"m","tokens_in":123456789012345678901234567890}`, `{"model":"m","tokens_in":"1","tokens_out":-1e-27}`,
	`{"model":"m\u0000","tokens_in":1}`,
	`{"model":{},"tokens_in":[]}`, `{"tokens_in":1,"tokens_in":2}`, `{"type":"a","type":7}`, `{"id":null,"source":7}`, `{"":{"":[""]}}`,
	`{"a":` + strings.Repeat("[", 127) + strings.Repeat("]", 127) + `}`,
	`{"a":` + strings.Repeat("[", 128) + strings.Repeat("]", 128) + `}`,
	strings.Repeat(`{"a":`, 100_000), strings.Repeat("[", 100_000), "{\"a\":\"" + strings.Repeat(`\`, 65_536),
	`{"a":"` + strings.Repeat(`\ud800`, 10_000) + `"}`, `{"type":"` + strings.Repeat("x", 256) + `"}`,
	"/*c*/{}", "{}//", "{'a':1}", "{a:1}", "{\"a\":\t1}", "{\"a\":\"\t\"}",
}

// FuzzAppend sends hostile bodies to both kinds of append, on a log with a live view. They never fail the server; what is
// refused is not stored; what is accepted is JSON and is stored byte for byte.
func FuzzAppend(f *testing.F) {
	for _, body := range nasty {
		f.Add([]byte(body), false)
		f.Add([]byte(body), true)
	}
	s := start(f)
	id := s.createLog("acme")
	s.deployTotals("acme")
	f.Fuzz(func(t *testing.T, body []byte, batch bool) {
		s := *s
		s.t = t
		path := "/logs/acme/append"
		if batch {
			path += "_batch"
		}
		before := s.head("acme")
		r := s.call("POST", path, string(body))
		after := s.head("acme")
		switch {
		case r.status >= 500:
			t.Fatalf("%q is answered %d: %s", body, r.status, r.body)
		case r.status >= 400 && after != before:
			t.Fatalf("%q is refused, but the head moved from %+v to %+v", body, before, after)
		case r.status >= 400 && !batch && acceptable(body):
			t.Fatalf("%q is refused: %s", body, r.body)
		case r.status >= 400:
			return
		case !batch && !json.Valid(body):
			t.Fatalf("%q is accepted, but no JSON", body)
		}
		got := decode[appended](t, r.body)
		fresh := got.Appended
		if !batch && !got.Duplicate {
			fresh = 1
		}
		if after.Sequence != before.Sequence+int64(fresh) {
			t.Fatalf("%q: the head moved from %d to %d for %d new events", body, before.Sequence, after.Sequence, fresh)
		}
		s.wantStored(id, body, before.Sequence, after.Sequence)
		if q := s.call("GET", "/logs/acme/views/totals/query", ""); q.status != http.StatusOK {
			t.Fatalf("after %q the view answers %d: %s", body, q.status, q.body)
		}
	})
}

// wantStored fails the test unless the events after one sequence, up to another, are parts of body in order.
func (s *service) wantStored(log string, body []byte, after, until int64) {
	s.t.Helper()
	rows, err := s.db.Query(s.t.Context(),
		"SELECT data::text FROM events WHERE log_id = $1 AND sequence > $2 ORDER BY sequence", log, after)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	rest := body
	for rows.Next() {
		var event []byte
		if err := rows.Scan(&event); err != nil {
			s.t.Fatal(err)
		}
		at := bytes.Index(rest, event)
		if at < 0 {
			s.t.Fatalf("%q is stored, which is not the next part of %q", event, body)
		}
		rest = rest[at+len(event):]
		after++
	}
	if err := rows.Err(); err != nil || after != until {
		s.t.Fatalf("the log ends at %d, want %d: %v", after, until, err)
	}
}

// acceptable tells of bodies that nothing speaks against: flat JSON objects with none of the members that Tallystick reads.
func acceptable(body []byte) bool {
	var members map[string]json.RawMessage
	if !utf8.Valid(body) || json.Unmarshal(body, &members) != nil || members == nil {
		return false
	}
	for name, value := range members {
		if name == "type" || name == "time" || name == "id" || name == "source" || strings.ContainsAny(string(value), "[{") {
			return false
		}
	}
	return true
}
