package otlp

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// streamed are the objects of a request that is read from a stream.
func streamed(traces bool, body io.Reader, e Encoding) (string, error) {
	var all strings.Builder
	read := Room{}.Logs
	if traces {
		read = Room{}.Spans
	}
	err := read(body, e, func(record []byte) error {
		all.Write(record)
		all.WriteByte('\n')
		return nil
	})
	return all.String(), err
}

// natural has the members of groups in the order in which exporters send them.
func natural(t testing.TB, sorted []byte) []byte {
	t.Helper()
	type scope struct {
		Scope      json.RawMessage   `json:"scope,omitempty"`
		LogRecords []json.RawMessage `json:"logRecords,omitempty"`
		Spans      []json.RawMessage `json:"spans,omitempty"`
	}
	type group struct {
		Resource   json.RawMessage `json:"resource,omitempty"`
		ScopeLogs  []scope         `json:"scopeLogs,omitempty"`
		ScopeSpans []scope         `json:"scopeSpans,omitempty"`
		SchemaURL  json.RawMessage `json:"schemaUrl,omitempty"`
	}
	var request struct {
		ResourceLogs  []group `json:"resourceLogs,omitempty"`
		ResourceSpans []group `json:"resourceSpans,omitempty"`
	}
	if err := json.Unmarshal(sorted, &request); err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// backwards has the fields of groups and their parts from the last to the first, as the OpenTelemetry Collector writes them.
func backwards(t testing.TB, message []byte, levels int) []byte {
	t.Helper()
	fields := map[protowire.Number][]byte{}
	for len(message) > 0 {
		number, wireType, n := protowire.ConsumeTag(message)
		value, m := protowire.ConsumeBytes(message[max(n, 0):])
		if n < 0 || m < 0 || wireType != protowire.BytesType {
			t.Fatalf("field %d of wire type %d", number, wireType)
		}
		isGroup := levels == 2 || levels == 1 && number == groupScopes
		if message = message[n+m:]; isGroup {
			value = backwards(t, value, levels-1)
		}
		fields[number] = append(fields[number], wrap(value, number)...)
	}
	numbers := slices.Sorted(maps.Keys(fields))
	slices.Reverse(numbers)
	var all []byte
	for _, number := range numbers {
		all = append(all, fields[number]...)
	}
	return all
}

// longRequest has groups of groups of records, some of which are longer than is held.
func longRequest(random *rand.Rand, traces bool) proto.Message {
	request := randomRequest(random, traces)
	long := func() int { return 1 + random.IntN(2)*random.IntN(300) }
	if r, ok := request.(*tracepb.TracesData); ok {
		for _, group := range r.ResourceSpans {
			for _, scope := range group.ScopeSpans {
				for n := long(); len(scope.Spans) > 0 && len(scope.Spans) < n; {
					scope.Spans = append(scope.Spans, scope.Spans...)
				}
			}
		}
	}
	if r, ok := request.(*logspb.LogsData); ok {
		for _, group := range r.ResourceLogs {
			for _, scope := range group.ScopeLogs {
				for n := long(); len(scope.LogRecords) > 0 && len(scope.LogRecords) < n; {
					scope.LogRecords = append(scope.LogRecords, scope.LogRecords...)
				}
			}
		}
	}
	return request
}

// TestLongRequests: what is read as it comes is what generated code has in memory, in both encodings, whatever the pieces.
func TestLongRequests(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	longest := 0
	for i := range 16 {
		traces := i%2 == 1
		request := longRequest(random, traces)
		want := oracle(t, request)
		sorted := toJSON(t, request, jsonStyle{})
		for what, c := range map[string]struct {
			body []byte
			e    Encoding
		}{
			"protobuf": {marshal(t, request), Protobuf}, "JSON": {natural(t, sorted), JSON}, "sorted JSON": {sorted, JSON},
			"protobuf, backwards": {backwards(t, marshal(t, request), 2), Protobuf},
		} {
			longest = max(longest, len(c.body))
			if got, err := canonicalLines(t, traces, c.body, c.e); err != nil || got != want {
				t.Fatalf("request %d, %s: %v, got\n%s\nwant\n%s", i, what, err, shorten(got), shorten(want))
			}
		}
	}
	if longest < 4*orderBytes {
		t.Errorf("the longest of the requests has %d bytes", longest)
	}
}

// TestCutRequests: a request that is cut anywhere gives the records before the cut, or fewer, and says what is wrong; the error of whoever
// reads the body is passed on as it is.
func TestCutRequests(t *testing.T) {
	request := thousandRecords()
	request.ResourceLogs[0].ScopeLogs[0].LogRecords = request.ResourceLogs[0].ScopeLogs[0].LogRecords[:400]
	gone := errors.New("the client has gone")
	sorted := toJSON(t, request, jsonStyle{})
	for name, c := range map[string]struct {
		body []byte
		e    Encoding
	}{
		"protobuf": {marshal(t, request), Protobuf}, "protobuf, backwards": {backwards(t, marshal(t, request), 2), Protobuf},
		"JSON": {natural(t, sorted), JSON}, "sorted JSON": {sorted, JSON},
	} {
		body, e := c.body, c.e
		if len(body) < 2*orderBytes {
			t.Fatalf("%d bytes", len(body))
		}
		all, err := lines(Logs, body, e)
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(7, 8))
		for i := range 120 {
			cut := i
			if i >= 60 {
				cut = random.IntN(len(body))
			}
			got, err := streamed(false, bytes.NewReader(body[:cut]), e)
			var wrong *InvalidError
			if empty := cut == 0 && e == Protobuf; !strings.HasPrefix(all, got) || errors.As(err, &wrong) == empty {
				t.Fatalf("%s, cut at %d: %v, %s", name, cut, err, shorten(got))
			}
			failing := io.MultiReader(bytes.NewReader(body[:cut]), iotest.ErrReader(gone))
			if got, err := streamed(false, failing, e); !errors.Is(err, gone) || !strings.HasPrefix(all, got) {
				t.Fatalf("%s, gone at %d: %v, %s", name, cut, err, shorten(got))
			}
		}
	}
}

// TestOrder: a resource and a scope may come after their records where the group is short, and in JSON; there may not be two.
func TestOrder(t *testing.T) {
	resource := wrap(attributeOf("r", "1"), 1)
	scope := wrap([]byte("s"), 1)
	for _, long := range []bool{false, true} {
		record := attributeOf("a", "b")
		records := wrap(wrap(record, 6), 2)
		text := `{"attributes":[{"key":"a","value":{"stringValue":"b"}}]}`
		inJSON := text
		if long {
			n := 2 * orderBytes / len(records)
			records, inJSON = bytes.Repeat(records, n), strings.Repeat(text+",", n)+text
		}
		headed := concat(wrap(scope, 1), records)
		for name, c := range map[string]struct {
			body []byte
			e    Encoding
			want string // in each record, or in the error
			ok   bool
		}{
			"resource first": {
				wrap(concat(wrap(resource, 1), wrap(headed, 2)), 1), Protobuf, `"resource":{"r":"1"},"scope":{"name":"s"}`, true,
			},
			"resource last": {wrap(concat(wrap(headed, 2), wrap(resource, 1)), 1), Protobuf, `"resource":{"r":"1"}`, true},
			"scope last":    {wrap(concat(records, wrap(scope, 1)), 2, 1), Protobuf, `"scope":{"name":"s"}`, true},
			"no heads":      {wrap(records, 2, 1), Protobuf, `{"attributes":{"a":"b"}}`, true},
			"two resources": {
				wrap(concat(wrap(resource, 1), wrap(headed, 2), wrap(resource, 1)), 1), Protobuf, "more than one resource", false,
			},
			"two scopes": {wrap(concat(headed, wrap(scope, 1)), 2, 1), Protobuf, "more than one scope", false},
			"JSON, sorted": {
				[]byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + inJSON +
					`],"scope":{"name":"s"}}],"resource":{"attributes":[{"key":"r","value":{"stringValue":"1"}}]}}]}`),
				JSON, `"resource":{"r":"1"},"scope":{"name":"s"}`, true,
			},
			"JSON, two scopes": {
				[]byte(`{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{"name":"s"},"logRecords":[` + inJSON + `],"scope":{}}]}]}`),
				JSON, "more than one scope", false,
			},
		} {
			got, err := canonicalLines(t, false, c.body, c.e)
			switch {
			case (err == nil) != c.ok:
				t.Errorf("%s, long: %v: %v", name, long, err)
			case err == nil && (got == "" || strings.Count(got, c.want) != strings.Count(got, "\n")):
				t.Errorf("%s, long: %v: %s", name, long, shorten(got))
			case err != nil && !long && !strings.Contains(err.Error(), c.want):
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func attributeOf(key, value string) []byte {
	return concat(wrap([]byte(key), 1), wrap(wrap([]byte(value), 1), 2))
}

func concat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// TestMemoryOfLongBodies: of a body of any length little is held, also where heads come last, as far as it can be compressed; of what is
// held as a whole, all was booked before, and nothing is read beyond what was.
func TestMemoryOfLongBodies(t *testing.T) {
	const size = 2 << 20
	record := wrap(wrap(attributeOf("a", strings.Repeat("b", 1000)), 6), 2)
	text := `{"attributes":[{"key":"a","value":{"stringValue":"` + strings.Repeat("b", 1000) + `"}}]}`
	records, inJSON := bytes.Repeat(record, size/len(record)), strings.Repeat(text+",", size/len(text))+text
	noise := make([]byte, 700)
	random := rand.NewChaCha8([32]byte{})
	var noisy []byte
	for len(noisy) < size {
		_, _ = random.Read(noise)
		noisy = append(noisy, wrap(wrap(wrap(noise, 7), 5), 2)...)
	}
	const little = 256 << 10
	const spooled = size + size/64 + little
	const whole = MaxRecordBytes + 5<<20 // the largest window, and the one before it
	group := func(resource, scope, records string) []byte {
		return []byte(`{"resourceLogs":[{` + resource + `,"scopeLogs":[{` + scope + `,"logRecords":[` + records + `]}]}]}`)
	}
	one := `{"scopeLogs":[{"logRecords":[` + text + `]}]}`
	rest := `"resourceLogs":[` + one + `]}`
	for name, c := range map[string]struct {
		body []byte
		e    Encoding
		most int64
	}{
		"a group":          {wrap(concat(wrap(nil, 1), wrap(concat(wrap([]byte("s"), 1, 1), records), 2)), 1), Protobuf, little},
		"no resource":      {wrap(concat(wrap([]byte("s"), 1, 1), records), 2, 1), Protobuf, little},
		"resource last":    {wrap(concat(wrap(concat(records, wrap([]byte("s"), 1, 1)), 2), wrap(nil, 1)), 1), Protobuf, little},
		"scope last":       {wrap(concat(wrap(nil, 1), wrap(concat(records, wrap([]byte("s"), 1, 1)), 2)), 1), Protobuf, little},
		"noise":            {wrap(concat(wrap(concat(noisy, wrap([]byte("s"), 1, 1)), 2), wrap(nil, 1)), 1), Protobuf, spooled},
		"groups":           {bytes.Repeat(wrap(record, 2, 1), size/len(record)), Protobuf, little},
		"what is unknown":  {concat(wrap(bytes.Repeat([]byte{1}, size), 9), wrap(record, 2, 1)), Protobuf, little},
		"groups of proto2": {concat(bytes.Repeat([]byte{9<<3 | 3, 9<<3 | 4}, size/2), wrap(record, 2, 1)), Protobuf, little},
		"a long record": {
			wrap(concat(wrap(nil, 1), wrap(concat(wrap(nil, 1), wrap([]byte(strings.Repeat("b", size)), 1, 5, 2)), 2)), 1),
			Protobuf, whole,
		},
		"JSON":              {group(`"resource":{}`, `"scope":{}`, inJSON), JSON, little},
		"JSON, groups":      {[]byte(`{"resourceLogs":[` + strings.Repeat(one+`,`, size>>10) + `{}]}`), JSON, little},
		"JSON, no heads":    {group(`"x":1`, `"x":1`, inJSON), JSON, little},
		"JSON, unknown":     {[]byte(`{"a":["` + strings.Repeat("b", size) + `"],` + rest), JSON, little},
		"JSON, white space": {[]byte(strings.Repeat(" ", size) + `{` + rest + strings.Repeat(" ", size)), JSON, little},
		"JSON, a long name": {[]byte(`{"` + strings.Repeat("b", size) + `":1,` + rest), JSON, little},
	} {
		most, count := int64(0), 0
		room := Room{Body: func(n int64) error { most = max(most, n); return nil }}
		err := room.Logs(bytes.NewReader(c.body), c.e, func([]byte) error { count++; return nil })
		if err != nil || count == 0 {
			t.Errorf("%s: %d records, %v", name, count, err)
		}
		if most > c.most {
			t.Errorf("%s: %d bytes were booked", name, most)
		}
		full := errors.New("there is no room")
		from := &counted{Reader: bytes.NewReader(c.body)}
		room.Body = func(n int64) error {
			if n > little {
				return full
			}
			return nil
		}
		err = room.Logs(from, c.e, func([]byte) error { return nil })
		if c.most > little && (!errors.Is(err, full) || from.n > little) || c.most == little && err != nil {
			t.Errorf("%s: %v after %d bytes", name, err, from.n)
		}
	}
}

// counted counts the bytes that are read.
type counted struct {
	io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

// TestHostileLengths: what says that it is longer than what it is in, or than any body, is refused where that shows.
func TestHostileLengths(t *testing.T) {
	huge := []byte{2<<3 | 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}
	record := wrap(wrap(attributeOf("a", "b"), 6), 2)
	records := bytes.Repeat(record, 2*orderBytes/len(record))
	for name, body := range map[string][]byte{
		"a group":                         append([]byte{1<<3 | 2}, huge[1:]...),
		"a record of a short group":       wrap(concat(record, huge), 2, 1),
		"a record of a long group":        wrap(concat(records, huge), 2, 1),
		"a record beyond its group":       wrap(concat(records, []byte{2<<3 | 2, 4, 0}), 2, 1),
		"an unknown field beyond":         wrap(concat(records, []byte{9<<3 | 2, 4, 0}), 2, 1),
		"a number that is cut":            wrap(concat(records, []byte{9 << 3, 0x80}), 2, 1),
		"a tag that is cut":               wrap(concat(records, []byte{0x80}), 2, 1),
		"a group that does not end":       wrap(concat(records, []byte{9<<3 | 3}), 2, 1),
		"a group that ends within":        wrap(concat(records, []byte{9<<3 | 3, 8<<3 | 4}), 2, 1),
		"a group that did not begin":      wrap(concat(records, []byte{9<<3 | 4}), 2, 1),
		"field 0":                         wrap(concat(records, []byte{2, 0}), 2, 1),
		"wire type 6":                     wrap(concat(records, []byte{9<<3 | 6}), 2, 1),
		"records within a group":          wrap(concat(records, []byte{9<<3 | 3}, record), 2, 1),
		"an unknown field beyond a body":  concat(wrap(record, 2, 1), []byte{9<<3 | 2, 0xff, 0xff, 0x7f, 0}),
		"an unknown field longer than it": concat(wrap(record, 2, 1), append([]byte{9<<3 | 2}, huge[1:]...)),
	} {
		var wrong *InvalidError
		if _, err := canonicalLines(t, false, body, Protobuf); !errors.As(err, &wrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDetect(t *testing.T) {
	for beginning, want := range map[string]Encoding{
		"": Protobuf, "{": JSON, "{}": JSON, " \n{ \n\t}": JSON, `{"`: JSON, `{"resourceLogs"`: JSON, "{ \n \"a": JSON,
		"\n{\n\"\n\x04": Protobuf, "\n{\x12": Protobuf, "\n\x10": Protobuf, "[": Protobuf,
	} {
		if got := Detect([]byte(beginning)); got != want {
			t.Errorf("%q: %d", beginning, got)
		}
	}
	random := rand.New(rand.NewPCG(9, 10))
	for i := range 2_000 {
		if body := marshal(t, randomRequest(random, i%2 == 0)); Detect(body[:min(len(body), 64)]) != Protobuf {
			t.Errorf("%s is taken for JSON", shorten(body))
		}
	}
}
