package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/views"
)

const mebibyte = 1 << 20

// TestRefusals: whatever cannot be done is answered with a problem that says why and what to do, and stores nothing.
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
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		code               string
		detail             []string
		also               func(t *testing.T, p problem, r reply)
	}{
		"log: no body":               {path: "/logs", status: 400, code: "body_missing"},
		"log: not JSON":              {path: "/logs", body: `{"name": acme}`, status: 400, code: "invalid_json"},
		"log: two documents":         {path: "/logs", body: `{"name":"a"} {"name":"b"}`, status: 400, code: "invalid_json"},
		"log: not an object":         {path: "/logs", body: `["acme"]`, status: 422, code: "invalid_request"},
		"log: no name":               {path: "/logs", body: `{}`, status: 422, code: "invalid_request", detail: []string{"name"}},
		"log: name of a wrong kind":  {path: "/logs", body: `{"name":1}`, status: 422, code: "invalid_request", detail: []string{"body.name", "string"}},
		"log: unknown member":        {path: "/logs", body: `{"name":"a","nmae":"b"}`, status: 422, code: "invalid_request", detail: []string{"nmae"}},
		"log: empty name":            {path: "/logs", body: `{"name":""}`, status: 400, code: "invalid_name", detail: []string{"0 bytes", "1 to 200"}},
		"log: long name":             {path: "/logs", body: `{"name":"` + strings.Repeat("a", 201) + `"}`, status: 400, code: "invalid_name", detail: []string{"201 bytes", "1 to 200"}},
		"log: name with a slash":     {path: "/logs", body: `{"name":"a/b"}`, status: 400, code: "invalid_name", detail: []string{`"a/b"`}},
		"log: name with a NUL":       {path: "/logs", body: `{"name":"a\u0000"}`, status: 400, code: "invalid_name"},
		"log: name like an id":       {path: "/logs", body: `{"name":"` + unknown + `"}`, status: 400, code: "invalid_name", detail: []string{"UUID"}},
		"log: label with a NUL":      {path: "/logs", body: `{"name":"a","labels":{"a":"\u0000"}}`, status: 400, code: "invalid_labels"},
		"log: label with C1":         {path: "/logs", body: `{"name":"a","labels":{"a":"\u0090"}}`, status: 400, code: "invalid_labels"},
		"log: label name with C1":    {path: "/logs", body: `{"name":"a","labels":{"\u0080":""}}`, status: 400, code: "invalid_labels"},
		"log: label of a wrong kind": {path: "/logs", body: `{"name":"a","labels":{"a":1}}`, status: 422, code: "invalid_request"},
		"log: too large":             {path: "/logs", body: `{"name":"` + strings.Repeat("a", 128<<10) + `"}`, status: 413, code: "body_too_large", detail: []string{"131072 bytes"}},
		"log: name taken": {path: "/logs", body: `{"name":"acme"}`, status: 409, code: "name_taken", detail: []string{acme}, also: func(t *testing.T, p problem, _ reply) {
			if p.LogID != acme {
				t.Errorf("log_id is %q, want %s", p.LogID, acme)
			}
		}},
		"logs: limit":  {method: "GET", path: "/logs?limit=1001", status: 422, code: "invalid_request", detail: []string{"query.limit", "1000"}},
		"logs: prefix": {method: "GET", path: "/logs?prefix=%00", status: 422, code: "invalid_request", detail: []string{"query.prefix"}},
		"logs: after":  {method: "GET", path: "/logs?after=%ff", status: 422, code: "invalid_request", detail: []string{"query.after"}},

		"get: unknown name":    {method: "GET", path: "/logs/nobody", status: 404, code: "log_not_found", detail: []string{"POST /logs"}},
		"get: unknown id":      {method: "GET", path: "/logs/" + unknown, status: 404, code: "log_not_found"},
		"get: other spelling":  {method: "GET", path: "/logs/" + strings.ToUpper(acme) + "%20", status: 404, code: "log_not_found"},
		"get: escaped slash":   {method: "GET", path: "/logs/acme%2Fviews", status: 404, code: "log_not_found"},
		"get: NUL":             {method: "GET", path: "/logs/acme%00", status: 404, code: "log_not_found"},
		"get: no UTF-8":        {method: "GET", path: "/logs/%ff%fe", status: 404, code: "log_not_found"},
		"append: unknown name": {path: "/logs/nobody/append", body: `{}`, status: 404, code: "log_not_found"},
		"append: unknown id":   {path: "/logs/" + unknown + "/append", body: `{}`, status: 404, code: "log_not_found"},
		"batch: unknown name":  {path: "/logs/nobody/append_batch", body: `{}`, status: 404, code: "log_not_found"},
		"deploy: unknown name": {path: "/logs/nobody/views/v", body: string(views.MonthlyTotals()), status: 404, code: "log_not_found"},
		"views: unknown name":  {method: "GET", path: "/logs/nobody/views", status: 404, code: "log_not_found"},
		"query: unknown log":   {method: "GET", path: "/logs/nobody/views/v/query", status: 404, code: "log_not_found"},

		"append: no body":          {path: "/logs/acme/append", status: 400, code: "body_missing"},
		"append: blank":            {path: "/logs/acme/append", body: " \n", status: 400, code: "invalid_json"},
		"append: a form":           {path: "/logs/acme/append", body: "type=api.call&tokens=1", status: 400, code: "invalid_json"},
		"append: cut short":        {path: "/logs/acme/append", body: `{"type":"api.call"`, status: 400, code: "invalid_json", detail: []string{"byte"}},
		"append: two documents":    {path: "/logs/acme/append", body: "{}\n{}", status: 400, code: "invalid_json"},
		"append: no UTF-8":         {path: "/logs/acme/append", body: "{\"a\":\"\xff\"}", status: 400, code: "invalid_json"},
		"append: deep":             {path: "/logs/acme/append", body: `{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, status: 400, code: "invalid_json", detail: []string{"128"}},
		"append: an array":         {path: "/logs/acme/append", body: `[{}]`, status: 400, code: "not_an_object"},
		"append: a string":         {path: "/logs/acme/append", body: `"api.call"`, status: 400, code: "not_an_object"},
		"append: null":             {path: "/logs/acme/append", body: `null`, status: 400, code: "not_an_object"},
		"append: type":             {path: "/logs/acme/append", body: `{"type":7}`, status: 400, code: "invalid_event_type"},
		"append: type with NUL":    {path: "/logs/acme/append", body: `{"type":"\u0000"}`, status: 400, code: "invalid_event_type"},
		"append: type with C1":     {path: "/logs/acme/append", body: `{"type":"a\u009b31m"}`, status: 400, code: "invalid_event_type", detail: []string{"U+009B"}},
		"append: id with C1":       {path: "/logs/acme/append", body: `{"id":"\u0085"}`, status: 400, code: "invalid_event_id", detail: []string{"U+0085"}},
		"append: time":             {path: "/logs/acme/append", body: `{"time":"yesterday"}`, status: 400, code: "invalid_event_time", detail: []string{"RFC 3339"}},
		"append: id":               {path: "/logs/acme/append", body: `{"id":7}`, status: 400, code: "invalid_event_id"},
		"append: empty id":         {path: "/logs/acme/append", body: `{"id":""}`, status: 400, code: "invalid_event_id"},
		"append: 1 MiB and a byte": {path: "/logs/acme/append", body: padded(mebibyte + 1), status: 413, code: "body_too_large", detail: []string{"1048576 bytes"}},
		"append: 20 MiB":           {path: "/logs/acme/append", body: padded(20 * mebibyte), status: 413, code: "body_too_large"},
		"append: compressed": {path: "/logs/acme/append", body: "{}", headers: []string{"Content-Encoding: gzip"}, status: 415, code: "content_encoding", detail: []string{"gzip"}, also: func(t *testing.T, _ problem, r reply) {
			if got := r.header.Get("Accept-Encoding"); got != "identity" {
				t.Errorf("Accept-Encoding is %q", got)
			}
		}},
		"append: from another site": {path: "/logs/acme/append", body: "{}", headers: []string{"Origin: https://example.com"}, status: 403, code: "cross_origin"},

		"key: control character": {path: "/logs/acme/append", body: `{}`, headers: []string{"Idempotency-Key: a\tb"}, status: 400, code: "invalid_idempotency_key", detail: []string{"U+0009"}},
		"key: C1":                {path: "/logs/acme/append", body: `{}`, headers: []string{"Idempotency-Key: a\u0085b"}, status: 400, code: "invalid_idempotency_key", detail: []string{"U+0085"}},
		"key: no UTF-8":          {path: "/logs/acme/append", body: `{}`, headers: []string{"Idempotency-Key: \xe9"}, status: 400, code: "invalid_idempotency_key"},
		"key: long":              {path: "/logs/acme/append", body: `{}`, headers: []string{"Idempotency-Key: " + strings.Repeat("k", 513)}, status: 400, code: "invalid_idempotency_key", detail: []string{"513", "512"}},
		"key: reused":            {path: "/logs/acme/append", body: `{"other":1}`, headers: []string{"Idempotency-Key: first"}, status: 422, code: "idempotency_key_reused", detail: []string{`"first"`, "event 1"}, also: wantSequence(1)},
		"key: reused id":         {path: "/logs/acme/append", body: `{"id":"2","source":"gateway","n":3}`, status: 422, code: "idempotency_key_reused", also: wantSequence(2)},
		"key: reused in a batch": {path: "/logs/acme/append_batch", body: "{}\n\n{\"id\":\"2\",\"source\":\"gateway\",\"n\":3}", status: 422, code: "idempotency_key_reused", detail: []string{"line 3"}, also: wantLine(3)},
		"key: twice in a batch":  {path: "/logs/acme/append_batch", body: `[{"id":"a"},{"id":"a","n":1}]`, status: 422, code: "idempotency_key_reused", detail: []string{"element 2"}, also: wantLine(2)},

		"expected: a word":    {path: "/logs/acme/append", body: `{}`, headers: []string{"Expected-Sequence: two"}, status: 400, code: "invalid_expected_sequence", detail: []string{"whole number"}},
		"expected: negative":  {path: "/logs/acme/append", body: `{}`, headers: []string{"Expected-Sequence: -1"}, status: 400, code: "invalid_expected_sequence"},
		"expected: too large": {path: "/logs/acme/append", body: `{}`, headers: []string{"Expected-Sequence: 9223372036854775808"}, status: 400, code: "invalid_expected_sequence"},
		"expected: behind":    {path: "/logs/acme/append", body: `{}`, headers: []string{"Expected-Sequence: 1"}, status: 409, code: "sequence_mismatch", detail: []string{"at sequence 2, not at 1"}, also: wantHead(2)},
		"expected: ahead":     {path: "/logs/acme/append", body: `{}`, headers: []string{"Expected-Sequence: 3"}, status: 409, code: "sequence_mismatch", also: wantHead(2)},
		"expected: empty log": {path: "/logs/empty/append", body: `{}`, headers: []string{"Expected-Sequence: 1"}, status: 409, code: "sequence_mismatch", also: wantHead(0)},
		"expected: batch":     {path: "/logs/acme/append_batch", body: `{}`, headers: []string{"Expected-Sequence: 0"}, status: 409, code: "sequence_mismatch", also: wantHead(2)},

		"batch: no body":                  {path: "/logs/acme/append_batch", status: 400, code: "body_missing"},
		"batch: blank lines":              {path: "/logs/acme/append_batch", body: "\n \r\n\t\n", status: 400, code: "empty_batch"},
		"batch: empty array":              {path: "/logs/acme/append_batch", body: " [ ] ", status: 400, code: "empty_batch"},
		"batch: a bad line":               {path: "/logs/acme/append_batch", body: "{\"a\":1}\r\n\n{\"a\":2}\n{\"a\":\n", status: 400, code: "invalid_json", detail: []string{"line 4: "}, also: wantLine(4)},
		"batch: a line that is no object": {path: "/logs/acme/append_batch", body: "{}\n3\n{}", status: 400, code: "not_an_object", detail: []string{"line 2: "}, also: wantLine(2)},
		"batch: a bad element":            {path: "/logs/acme/append_batch", body: `[{},{"time":1}]`, status: 400, code: "invalid_event_time", detail: []string{"element 2: "}, also: wantLine(2)},
		"batch: array cut short":          {path: "/logs/acme/append_batch", body: `[{},{}`, status: 400, code: "invalid_json"},
		"batch: text after array":         {path: "/logs/acme/append_batch", body: "[{}]\n{}", status: 400, code: "invalid_json"},
		"batch: a large line":             {path: "/logs/acme/append_batch", body: "{}\n" + padded(mebibyte+1), status: 413, code: "event_too_large", detail: []string{"line 2: ", "1048577 bytes", "1048576"}, also: wantLine(2)},
		"batch: a long key":               {path: "/logs/acme/append_batch", body: "{}\n{}", headers: []string{"Idempotency-Key: " + strings.Repeat("k", 511)}, status: 400, code: "invalid_idempotency_key", detail: []string{"line 1: "}},
		"batch: 10,001 lines":             {path: "/logs/acme/append_batch", body: strings.Repeat("{}\n", 10_001), status: 413, code: "batch_too_large", detail: []string{"10000"}},
		"batch: 10,001 elements":          {path: "/logs/acme/append_batch", body: "[" + strings.Repeat("{},", 10_000) + "{}]", status: 413, code: "batch_too_large"},
		"batch: 5 million lines":          {path: "/logs/acme/append_batch", body: strings.Repeat("1\n", 5*mebibyte), status: 413, code: "batch_too_large"},
		"batch: 10 MiB and a byte":        {path: "/logs/acme/append_batch", body: padded(10*mebibyte + 1), status: 413, code: "body_too_large", detail: []string{"10485760 bytes"}},

		"deploy: no body":            {path: "/logs/acme/views/new", status: 400, code: "body_missing"},
		"deploy: text":               {path: "/logs/acme/views/new", body: "(module)", status: 422, code: "not_wasm", detail: []string{`\x00asm`}},
		"deploy: an empty module":    {path: "/logs/acme/views/new", body: string(magic), status: 422, code: "missing_export", detail: []string{`"memory"`}},
		"deploy: lacks an export":    {path: "/logs/acme/views/new", body: string(withoutExport("tally_query")), status: 422, code: "missing_export", detail: []string{"tally_query"}},
		"deploy: unknown import":     {path: "/logs/acme/views/new", body: string(importing("env", "abort")), status: 422, code: "unknown_import", detail: []string{`"env"."abort"`}},
		"deploy: cut short":          {path: "/logs/acme/views/new", body: string(views.MonthlyTotals()[:5000]), status: 422, code: "invalid_module"},
		"deploy: too large":          {path: "/logs/acme/views/new", body: strings.Repeat("\x00", 4*mebibyte+1), status: 413, code: "body_too_large", detail: []string{"4194304 bytes"}},
		"deploy: as large as may be": {method: "PUT", path: "/logs/acme/views/new", body: strings.Repeat("\x00", 4*mebibyte), status: 422, code: "not_wasm"},
		"deploy: name":               {path: "/logs/acme/views/-new", body: string(views.MonthlyTotals()), status: 400, code: "invalid_name", detail: []string{`"-new"`}},
		"deploy: long name":          {path: "/logs/acme/views/" + strings.Repeat("v", 201), body: string(views.MonthlyTotals()), status: 422, code: "invalid_request"},
		"deploy: config":             {path: "/logs/acme/views/new?config=%7B", body: string(views.CostByTeam()), status: 422, code: "invalid_config"},
		"deploy: refused config":     {path: "/logs/acme/views/new?config=%7B%22price%22:1%7D", body: string(views.CostByTeam()), status: 422, code: "view_refused_config", detail: []string{"unknown member", "price"}},
		"deploy: large config":       {path: "/logs/acme/views/new", body: `{"module":"` + strings.Repeat("0", 64) + `","config":"` + strings.Repeat("c", 64<<10) + `"}`, status: 422, code: "module_not_found"},
		"deploy: not JSON":           {path: "/logs/acme/views/new", body: `{"module":`, status: 400, code: "invalid_json"},
		"deploy: no hash":            {path: "/logs/acme/views/new", body: `{"module":"abc"}`, status: 400, code: "invalid_module_hash", detail: []string{"64 hexadecimal"}},
		"deploy: unknown module":     {path: "/logs/acme/views/new", body: `{"module":"` + strings.Repeat("0", 64) + `"}`, status: 422, code: "module_not_found"},

		"view: unknown":       {method: "GET", path: "/logs/acme/views/nobody", status: 404, code: "view_not_found"},
		"query: unknown view": {path: "/logs/acme/views/nobody/query", status: 404, code: "view_not_found", detail: []string{"/views"}},
		"query: refused":      {method: "GET", path: "/logs/acme/views/totals/query?month=may", status: 400, code: "query_refused", detail: []string{"may"}},
		"query: trap":         {method: "GET", path: "/logs/acme/views/picky/query?trap", status: 500, code: "query_failed", detail: []string{"unreachable"}},
		"query: a body":       {path: "/logs/acme/views/totals/query", body: "month=2025-03", status: 422, code: "invalid_request", detail: []string{"query string"}},
		"query: too long":     {method: "GET", path: "/logs/acme/views/totals/query?" + strings.Repeat("q", 8<<10+1), status: 414, code: "query_too_long", detail: []string{"8193", "8192"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			if c.method == "" {
				c.method = "POST"
			}
			r := s.call(c.method, c.path, c.body, c.headers...)
			p := s.wantProblem(c.status, c.code, r, c.detail...)
			if c.also != nil {
				c.also(t, p, r)
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
