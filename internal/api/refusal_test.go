package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/views"
)

const mebibyte = 1 << 20

// refusalCase is a request and the problem that it must end in.
type refusalCase struct {
	method, path, body string
	headers            []string
	status             int
	code               string
	detail             []string // what the detail must hold
	check              func(t *testing.T, p problem, r reply)
}

func get(path string) refusalCase { return refusalCase{method: http.MethodGet, path: path} }

func post(path, body string, headers ...string) refusalCase {
	return refusalCase{method: http.MethodPost, path: path, body: body, headers: headers}
}

func put(path, body string) refusalCase {
	return refusalCase{method: http.MethodPut, path: path, body: body}
}

func (r refusalCase) refused(status int, code string, detail ...string) refusalCase {
	r.status, r.code, r.detail = status, code, detail
	return r
}

func (r refusalCase) also(check func(*testing.T, problem, reply)) refusalCase {
	r.check = check
	return r
}

// TestRefusals: a request that cannot be served gets a problem with the reason and what to do, and stores nothing.
func TestRefusals(t *testing.T) {
	s := start(t)
	acme := s.createLog("acme")
	s.createLog("empty")
	s.append("acme", `{"type":"api.call","model":"gpt-4","tokens_in":1}`, "Idempotency-Key: first")
	s.append("acme", `{"id":"2","source":"gateway","n":2}`)
	s.deployTotals("acme")
	s.want(http.StatusCreated, s.call("POST", "/logs/acme/views/picky", string(haltingAt(63))))
	before := s.stored()

	unknown := "0190b5a0-0000-7000-8000-00000000dead"
	namesLog := func(t *testing.T, p problem, _ reply) {
		if p.LogID != acme {
			t.Errorf("log_id is %q, want %s", p.LogID, acme)
		}
	}
	acceptsIdentity := func(t *testing.T, _ problem, r reply) {
		if got := r.header.Get("Accept-Encoding"); got != "identity" {
			t.Errorf("Accept-Encoding is %q", got)
		}
	}
	for name, c := range map[string]refusalCase{
		"log: no body":              post("/logs", "").refused(400, "body_missing"),
		"log: not JSON":             post("/logs", `{"name": acme}`).refused(400, "invalid_json"),
		"log: two documents":        post("/logs", `{"name":"a"} {"name":"b"}`).refused(400, "invalid_json"),
		"log: not an object":        post("/logs", `["acme"]`).refused(422, "invalid_request"),
		"log: no name":              post("/logs", `{}`).refused(422, "invalid_request", "name"),
		"log: name of a wrong kind": post("/logs", `{"name":1}`).refused(422, "invalid_request", "body.name", "string"),
		"log: unknown member":       post("/logs", `{"name":"a","nmae":"b"}`).refused(422, "invalid_request", "nmae"),
		"log: empty name":           post("/logs", `{"name":""}`).refused(400, "invalid_name", "0 bytes", "1 to 200"),
		"log: long name": post("/logs", `{"name":"`+strings.Repeat("a", 201)+`"}`).
			refused(400, "invalid_name", "201 bytes", "1 to 200"),
		"log: name with a slash":     post("/logs", `{"name":"a/b"}`).refused(400, "invalid_name", `"a/b"`),
		"log: name with a NUL":       post("/logs", `{"name":"a\u0000"}`).refused(400, "invalid_name"),
		"log: name like an id":       post("/logs", `{"name":"`+unknown+`"}`).refused(400, "invalid_name", "UUID"),
		"log: label with a NUL":      post("/logs", `{"name":"a","labels":{"a":"\u0000"}}`).refused(400, "invalid_labels"),
		"log: label with C1":         post("/logs", `{"name":"a","labels":{"a":"\u0090"}}`).refused(400, "invalid_labels"),
		"log: label name with C1":    post("/logs", `{"name":"a","labels":{"\u0080":""}}`).refused(400, "invalid_labels"),
		"log: label of a wrong kind": post("/logs", `{"name":"a","labels":{"a":1}}`).refused(422, "invalid_request"),
		"log: too large": post("/logs", `{"name":"`+strings.Repeat("a", 128<<10)+`"}`).
			refused(413, "body_too_large", "131072 bytes"),
		"log: name taken": post("/logs", `{"name":"acme"}`).
			refused(409, "name_taken", acme).also(namesLog),
		"logs: limit":  get("/logs?limit=1001").refused(422, "invalid_request", "query.limit", "1000"),
		"logs: prefix": get("/logs?prefix=%00").refused(422, "invalid_request", "query.prefix"),
		"logs: cursor": get("/logs?cursor=%ff").refused(422, "invalid_request", "query.cursor"),

		"get: unknown name":    get("/logs/nobody").refused(404, "log_not_found", "POST /logs"),
		"get: unknown id":      get("/logs/"+unknown).refused(404, "log_not_found"),
		"get: other spelling":  get("/logs/"+strings.ToUpper(acme)+"%20").refused(404, "log_not_found"),
		"get: escaped slash":   get("/logs/acme%2Fviews").refused(404, "log_not_found"),
		"get: NUL":             get("/logs/acme%00").refused(404, "log_not_found"),
		"get: no UTF-8":        get("/logs/%ff%fe").refused(404, "log_not_found"),
		"append: unknown name": post("/logs/nobody/append", `{}`).refused(404, "log_not_found"),
		"append: unknown id":   post("/logs/"+unknown+"/append", `{}`).refused(404, "log_not_found"),
		"batch: unknown name":  post("/logs/nobody/append_batch", `{}`).refused(404, "log_not_found"),
		"deploy: unknown name": post("/logs/nobody/views/v", string(views.MonthlyTotals())).refused(404, "log_not_found"),
		"views: unknown name":  get("/logs/nobody/views").refused(404, "log_not_found"),
		"query: unknown log":   get("/logs/nobody/views/v/query").refused(404, "log_not_found"),

		"append: no body":       post("/logs/acme/append", "").refused(400, "body_missing"),
		"append: blank":         post("/logs/acme/append", " \n").refused(400, "invalid_json"),
		"append: a form":        post("/logs/acme/append", "type=api.call&tokens=1").refused(400, "invalid_json"),
		"append: cut short":     post("/logs/acme/append", `{"type":"api.call"`).refused(400, "invalid_json", "byte"),
		"append: two documents": post("/logs/acme/append", "{}\n{}").refused(400, "invalid_json"),
		"append: no UTF-8":      post("/logs/acme/append", "{\"a\":\"\xff\"}").refused(400, "invalid_json"),
		"append: deep": post("/logs/acme/append", `{"a":`+strings.Repeat("[", 200)+strings.Repeat("]", 200)+`}`).
			refused(400, "invalid_json", "128"),
		"append: an array":      post("/logs/acme/append", `[{}]`).refused(400, "not_an_object"),
		"append: a string":      post("/logs/acme/append", `"api.call"`).refused(400, "not_an_object"),
		"append: null":          post("/logs/acme/append", `null`).refused(400, "not_an_object"),
		"append: type":          post("/logs/acme/append", `{"type":7}`).refused(400, "invalid_event_type"),
		"append: type with NUL": post("/logs/acme/append", `{"type":"\u0000"}`).refused(400, "invalid_event_type"),
		"append: type with C1": post("/logs/acme/append", `{"type":"a\u009b31m"}`).
			refused(400, "invalid_event_type", "U+009B"),
		"append: id with C1": post("/logs/acme/append", `{"id":"\u0085"}`).refused(400, "invalid_event_id", "U+0085"),
		"append: time":       post("/logs/acme/append", `{"time":"yesterday"}`).refused(400, "invalid_event_time", "RFC 3339"),
		"append: id":         post("/logs/acme/append", `{"id":7}`).refused(400, "invalid_event_id"),
		"append: empty id":   post("/logs/acme/append", `{"id":""}`).refused(400, "invalid_event_id"),
		"append: 1 MiB and a byte": post("/logs/acme/append", padded(mebibyte+1)).
			refused(413, "body_too_large", "1048576 bytes"),
		"append: 20 MiB": post("/logs/acme/append", padded(20*mebibyte)).refused(413, "body_too_large"),
		"log: compressed": post("/logs", "{}", "Content-Encoding: gzip").
			refused(415, "content_encoding", "gzip").also(acceptsIdentity),
		"append: no gzip": post("/logs/acme/append", "{}", "Content-Encoding: gzip").
			refused(400, "body_corrupt", "gzip", "nothing was stored"),
		"append: from another site": post("/logs/acme/append", "{}", "Origin: https://example.com").
			refused(403, "cross_origin"),

		"key: control character": post("/logs/acme/append", `{}`, "Idempotency-Key: a\tb").
			refused(400, "invalid_idempotency_key", "U+0009"),
		"key: C1": post("/logs/acme/append", `{}`, "Idempotency-Key: a\u0085b").
			refused(400, "invalid_idempotency_key", "U+0085"),
		"key: no UTF-8": post("/logs/acme/append", `{}`, "Idempotency-Key: \xe9").refused(400, "invalid_idempotency_key"),
		"key: long": post("/logs/acme/append", `{}`, "Idempotency-Key: "+strings.Repeat("k", 513)).
			refused(400, "invalid_idempotency_key", "513", "512"),
		"key: reused": post("/logs/acme/append", `{"other":1}`, "Idempotency-Key: first").
			refused(422, "idempotency_key_reused", `"first"`, "event 1").also(wantSequence(1)),
		"key: reused id": post("/logs/acme/append", `{"id":"2","source":"gateway","n":3}`).
			refused(422, "idempotency_key_reused").also(wantSequence(2)),
		"key: reused in a batch": post("/logs/acme/append_batch", "{}\n\n{\"id\":\"2\",\"source\":\"gateway\",\"n\":3}").
			refused(422, "idempotency_key_reused", "line 3").also(wantLine(3)),
		"key: twice in a batch": post("/logs/acme/append_batch", `[{"id":"a"},{"id":"a","n":1}]`).
			refused(422, "idempotency_key_reused", "element 2").also(wantLine(2)),

		"expected: a word": post("/logs/acme/append", `{}`, "Expected-Sequence: two").
			refused(400, "invalid_expected_sequence", "whole number"),
		"expected: negative": post("/logs/acme/append", `{}`, "Expected-Sequence: -1").
			refused(400, "invalid_expected_sequence"),
		"expected: too large": post("/logs/acme/append", `{}`, "Expected-Sequence: 9223372036854775808").
			refused(400, "invalid_expected_sequence"),
		"expected: behind": post("/logs/acme/append", `{}`, "Expected-Sequence: 1").
			refused(409, "sequence_mismatch", "at sequence 2, not at 1").also(wantHead(2)),
		"expected: ahead": post("/logs/acme/append", `{}`, "Expected-Sequence: 3").
			refused(409, "sequence_mismatch").also(wantHead(2)),
		"expected: empty log": post("/logs/empty/append", `{}`, "Expected-Sequence: 1").
			refused(409, "sequence_mismatch").also(wantHead(0)),
		"expected: batch": post("/logs/acme/append_batch", `{}`, "Expected-Sequence: 0").
			refused(409, "sequence_mismatch").also(wantHead(2)),

		"batch: no body":     post("/logs/acme/append_batch", "").refused(400, "body_missing"),
		"batch: blank lines": post("/logs/acme/append_batch", "\n \r\n\t\n").refused(400, "empty_batch"),
		"batch: empty array": post("/logs/acme/append_batch", " [ ] ").refused(400, "empty_batch"),
		"batch: a bad line": post("/logs/acme/append_batch", "{\"a\":1}\r\n\n{\"a\":2}\n{\"a\":\n").
			refused(400, "invalid_json", "line 4: ").also(wantLine(4)),
		"batch: a line that is no object": post("/logs/acme/append_batch", "{}\n3\n{}").
			refused(400, "not_an_object", "line 2: ").also(wantLine(2)),
		"batch: a bad element": post("/logs/acme/append_batch", `[{},{"time":1}]`).
			refused(400, "invalid_event_time", "element 2: ").also(wantLine(2)),
		"batch: array cut short":  post("/logs/acme/append_batch", `[{},{}`).refused(400, "invalid_json"),
		"batch: text after array": post("/logs/acme/append_batch", "[{}]\n{}").refused(400, "invalid_json"),
		"batch: a large line": post("/logs/acme/append_batch", "{}\n"+padded(mebibyte+1)).
			refused(413, "event_too_large", "line 2: ", "1048577 bytes", "1048576").also(wantLine(2)),
		"batch: a long key": post("/logs/acme/append_batch", "{}\n{}", "Idempotency-Key: "+strings.Repeat("k", 511)).
			refused(400, "invalid_idempotency_key", "line 1: "),
		"batch: 10,001 lines": post("/logs/acme/append_batch", strings.Repeat("{}\n", 10_001)).
			refused(413, "batch_too_large", "10000"),
		"batch: 10,001 elements": post("/logs/acme/append_batch", "["+strings.Repeat("{},", 10_000)+"{}]").
			refused(413, "batch_too_large"),
		"batch: 5 million lines": post("/logs/acme/append_batch", strings.Repeat("1\n", 5*mebibyte)).
			refused(413, "batch_too_large"),
		"batch: 10 MiB and a byte": post("/logs/acme/append_batch", padded(10*mebibyte+1)).
			refused(413, "body_too_large", "10485760 bytes"),

		"deploy: no body":         post("/logs/acme/views/new", "").refused(400, "body_missing"),
		"deploy: text":            post("/logs/acme/views/new", "(module)").refused(422, "not_wasm", `\x00asm`),
		"deploy: an empty module": post("/logs/acme/views/new", string(magic)).refused(422, "missing_export", `"memory"`),
		"deploy: lacks an export": post("/logs/acme/views/new", string(withoutExport("tally_query"))).
			refused(422, "missing_export", "tally_query"),
		"deploy: unknown import": post("/logs/acme/views/new", string(importing("env", "abort"))).
			refused(422, "unknown_import", `"env"."abort"`),
		"deploy: cut short": post("/logs/acme/views/new", string(views.MonthlyTotals()[:5000])).
			refused(422, "invalid_module"),
		"deploy: too large": post("/logs/acme/views/new", strings.Repeat("\x00", 4*mebibyte+1)).
			refused(413, "body_too_large", "4194304 bytes"),
		"deploy: as large as may be": put("/logs/acme/views/new", strings.Repeat("\x00", 4*mebibyte)).
			refused(422, "not_wasm"),
		"deploy: name": post("/logs/acme/views/-new", string(views.MonthlyTotals())).
			refused(400, "invalid_name", `"-new"`),
		"deploy: long name": post("/logs/acme/views/"+strings.Repeat("v", 201), string(views.MonthlyTotals())).
			refused(422, "invalid_request"),
		"deploy: config": post("/logs/acme/views/new?config=%7B", string(views.CostByTeam())).
			refused(422, "invalid_config"),
		"deploy: refused config": post("/logs/acme/views/new?config=%7B%22price%22:1%7D", string(views.CostByTeam())).
			refused(422, "view_refused_config", "unknown member", "price"),
		"deploy: large config": post("/logs/acme/views/new",
			`{"module":"`+strings.Repeat("0", 64)+`","config":"`+strings.Repeat("c", 64<<10)+`"}`).
			refused(404, "module_not_found"),
		"deploy: not JSON": post("/logs/acme/views/new", `{"module":`).refused(400, "invalid_json"),
		"deploy: no hash": post("/logs/acme/views/new", `{"module":"abc"}`).
			refused(400, "invalid_module_hash", "64 hexadecimal"),
		"deploy: unknown module": post("/logs/acme/views/new", `{"module":"`+strings.Repeat("0", 64)+`"}`).
			refused(404, "module_not_found"),

		"view: unknown":       get("/logs/acme/views/nobody").refused(404, "view_not_found"),
		"query: unknown view": post("/logs/acme/views/nobody/query", "").refused(404, "view_not_found", "/views"),
		"query: refused":      get("/logs/acme/views/totals/query?month=may").refused(400, "query_refused", "may"),
		"query: trap":         get("/logs/acme/views/picky/query?trap").refused(500, "query_failed", "unreachable"),
		"query: a body": post("/logs/acme/views/totals/query", "month=2025-03").
			refused(422, "invalid_request", "query string"),
		"query: too long": get("/logs/acme/views/totals/query?"+strings.Repeat("q", 8<<10+1)).
			refused(414, "query_too_long", "8193", "8192"),
	} {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			r := s.call(c.method, c.path, c.body, c.headers...)
			p := s.wantProblem(c.status, c.code, r, c.detail...)
			if c.check != nil {
				c.check(t, p, r)
			}
			if after := s.stored(); after != before {
				t.Errorf("something was stored:\n%+v, before it\n%+v", after, before)
			}
		})
	}
}

func wantSequence(sequence int64) func(*testing.T, problem, reply) {
	return func(t *testing.T, p problem, _ reply) {
		if p.Sequence == nil || *p.Sequence != sequence {
			t.Errorf("sequence is not %d", sequence)
		}
	}
}

func wantHead(sequence int64) func(*testing.T, problem, reply) {
	return func(t *testing.T, p problem, _ reply) {
		if p.Head == nil || *p.Head != sequence {
			t.Errorf("head is not %d", sequence)
		}
	}
}

func wantLine(line int) func(*testing.T, problem, reply) {
	return func(t *testing.T, p problem, _ reply) {
		if p.Line != line {
			t.Errorf("line is %d, want %d", p.Line, line)
		}
	}
}

// padded is an event of so many bytes.
func padded(size int) string {
	const start, end = `{"a":"`, `"}`
	return start + strings.Repeat("x", size-len(start)-len(end)) + end
}
