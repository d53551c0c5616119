package otlp

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tallystick/tallystick/internal/jsonscan"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// canonicalLines reads a body, and checks what holds of every one: an error is an *InvalidError, the pieces in which it comes make no
// difference, and an object is what encoding/json makes of it, so its members are sorted and told once, its strings and numbers are in the
// one form, and it can be stored.
func canonicalLines(t *testing.T, traces bool, body []byte, e Encoding) (string, error) {
	t.Helper()
	original := bytes.Clone(body)
	all, err := lines(reading(traces), body, e)
	if !bytes.Equal(body, original) {
		t.Fatalf("%s became %s", shorten(original), shorten(body))
	}
	var wrong *InvalidError
	if err != nil && !errors.As(err, &wrong) {
		t.Fatalf("%s: %v", shorten(body), err)
	}
	again, failure := streamed(traces, iotest.HalfReader(bytes.NewReader(body)), e)
	if again != all || fmt.Sprint(failure) != fmt.Sprint(err) {
		t.Fatalf("%s: got\n%s%v\nand piece by piece\n%s%v", shorten(body), shorten(all), err, shorten(again), failure)
	}
	for line := range strings.Lines(all) {
		if err := jsonscan.Valid([]byte(line)); err != nil {
			t.Fatalf("%s: %s: %v", shorten(body), shorten(line), err)
		}
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.UseNumber()
		var v any
		if err := decoder.Decode(&v); err != nil {
			t.Fatal(err)
		}
		if again := encode(t, v); again != line {
			t.Fatalf("%s: %s is not %s", shorten(body), shorten(line), shorten(again))
		}
	}
	return all, err
}

// shorten quotes the beginning of what a test failed over.
func shorten[T string | []byte](text T) string {
	const most = 1_000
	return fmt.Sprintf("%q", text[:min(len(text), most)])
}

func emptyRequest(traces bool) proto.Message {
	if traces {
		return &tracepb.TracesData{}
	}
	return &logspb.LogsData{}
}

func oracle(t *testing.T, request proto.Message) string {
	t.Helper()
	if traces, ok := request.(*tracepb.TracesData); ok {
		return oracleSpans(t, traces)
	}
	logs, ok := request.(*logspb.LogsData)
	if !ok {
		t.Fatalf("a %T", request)
	}
	return oracleLogs(t, logs)
}

func seedRecordings(f *testing.F, e Encoding) {
	f.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for name := range records {
		if r := readRecording(f, name); r.encoding == e {
			f.Add(r.traces, r.body)
		}
	}
	for range 50 {
		for _, traces := range []bool{false, true} {
			request := randomRequest(random, traces)
			if e == JSON {
				f.Add(traces, toJSON(f, request, jsonStyles[random.IntN(len(jsonStyles))]))
			} else {
				f.Add(traces, marshal(f, request))
			}
		}
	}
}

func FuzzProtobuf(f *testing.F) {
	seedRecordings(f, Protobuf)
	f.Fuzz(func(t *testing.T, traces bool, body []byte) {
		got, err := canonicalLines(t, traces, body, Protobuf)
		request := emptyRequest(traces)
		if proto.Unmarshal(body, request) != nil {
			return // it refuses invalid UTF-8
		}
		// Generated code merges messages that come twice, and writes integers in the shortest way: what is as long was the same.
		if again := marshal(t, request); len(again) != len(body) || err != nil {
			return
		}
		if want := oracle(t, request); got != want {
			t.Fatalf("%s: got\n%s\ngenerated code says\n%s", shorten(body), shorten(got), shorten(want))
		}
	})
}

func FuzzJSON(f *testing.F) {
	seedRecordings(f, JSON)
	for _, members := range []string{
		`"body":{"intValue":"1e3"}`, `"traceId":"0AF7651916CD43DD8448EB211C80319C"`, `"body":{"doubleValue":"NaN"}`,
	} {
		f.Add(false, []byte(logJSON(members)))
	}
	f.Fuzz(func(t *testing.T, traces bool, body []byte) {
		got, err := canonicalLines(t, traces, body, JSON)
		if err != nil {
			return
		}
		request := emptyRequest(traces)
		inBase64, err := mapIDs(body, func(id string) string {
			raw, err := hex.DecodeString(id)
			if err != nil {
				raw = nil
			}
			return base64.StdEncoding.EncodeToString(raw)
		})
		// It knows neither members that come twice nor lone surrogates; and mapIDs drops the first of two.
		if err != nil || (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(inBase64, request) != nil || !once(body) {
			return
		}
		if want := oracle(t, request); got != want {
			t.Fatalf("%s: got\n%s\ngenerated code says\n%s", shorten(body), shorten(got), shorten(want))
		}
	})
}

// once reports whether no object has two members of a name, or two names of one field.
func once(source []byte) bool {
	decoder := json.NewDecoder(bytes.NewReader(source))
	var value func() bool
	value = func() bool {
		token, err := decoder.Token()
		if err != nil {
			return false
		}
		if token != json.Delim('{') && token != json.Delim('[') {
			return true
		}
		names := map[string]bool{}
		for decoder.More() {
			if token == json.Delim('{') {
				name, err := decoder.Token()
				if err != nil {
					return false
				}
				text, _ := name.(string)
				text = strings.ToLower(strings.ReplaceAll(text, "_", ""))
				if names[text] || strings.HasSuffix(text, "value") && len(names) > 0 {
					return false
				}
				names[text] = true
			}
			if !value() {
				return false
			}
		}
		_, err = decoder.Token()
		return err == nil
	}
	return value()
}

// Random telemetry, in both encodings and by generated code, is the same.
func TestEncodingsAgree(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 500 {
		traces := i%2 == 1
		request := randomRequest(random, traces)
		want := oracle(t, request)
		got, err := canonicalLines(t, traces, marshal(t, request), Protobuf)
		if err != nil || got != want {
			t.Fatalf("request %d in protobuf: %v, got\n%s\nwant\n%s", i, err, shorten(got), shorten(want))
		}
		style := jsonStyles[random.IntN(len(jsonStyles))]
		if got, err = canonicalLines(t, traces, toJSON(t, request, style), JSON); err != nil || got != want {
			t.Fatalf("request %d in JSON, %+v: %v, got\n%s\nwant\n%s", i, style, err, shorten(got), shorten(want))
		}
	}
}

func randomRequest(random *rand.Rand, traces bool) proto.Message {
	resource := &resourcepb.Resource{Attributes: randomAttributes(random, 0)}
	scope := &commonpb.InstrumentationScope{Name: randomText(random), Version: randomText(random), Attributes: randomAttributes(random, 0)}
	var logs []*logspb.LogRecord
	var spans []*tracepb.Span
	for range random.IntN(4) {
		logs = append(logs, &logspb.LogRecord{
			TimeUnixNano: random.Uint64() >> random.IntN(64), ObservedTimeUnixNano: random.Uint64(),
			SeverityNumber: logspb.SeverityNumber(random.IntN(30)), SeverityText: randomText(random),
			Body: randomValue(random, 0), Attributes: randomAttributes(random, 0), Flags: 1, DroppedAttributesCount: 2,
			TraceId: randomID(random, 16), SpanId: randomID(random, 8), EventName: randomText(random),
		})
		spans = append(spans, &tracepb.Span{
			TraceId: randomID(random, 16), SpanId: randomID(random, 8), ParentSpanId: randomID(random, 8), TraceState: "a=b",
			Name: randomText(random), Kind: tracepb.Span_SpanKind(random.IntN(7)), StartTimeUnixNano: random.Uint64() >> random.IntN(64),
			EndTimeUnixNano: random.Uint64() >> random.IntN(64), Attributes: randomAttributes(random, 0), Flags: 3,
			Events: []*tracepb.Span_Event{
				{TimeUnixNano: random.Uint64(), Name: randomText(random), Attributes: randomAttributes(random, 0)}, {},
			}[:random.IntN(3)],
			Links:  []*tracepb.Span_Link{{TraceId: randomID(random, 16)}},
			Status: &tracepb.Status{Message: randomText(random), Code: tracepb.Status_StatusCode(random.IntN(4))},
		})
	}
	if traces {
		return &tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{
			{Resource: resource, ScopeSpans: []*tracepb.ScopeSpans{{Scope: scope, Spans: spans}, {Spans: spans}}, SchemaUrl: "u"},
			{ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans}}},
		}}
	}
	return &logspb.LogsData{ResourceLogs: []*logspb.ResourceLogs{
		{Resource: resource, ScopeLogs: []*logspb.ScopeLogs{{Scope: scope, LogRecords: logs}, {LogRecords: logs}}, SchemaUrl: "u"},
		{ScopeLogs: []*logspb.ScopeLogs{{LogRecords: logs}}},
	}}
}

func randomID(random *rand.Rand, size int) []byte {
	id := make([]byte, []int{0, size, size, size, size - 1, 40}[random.IntN(6)])
	if random.IntN(8) > 0 {
		for i := range id {
			id[i] = byte(random.Uint32())
		}
	}
	return id
}

var someTexts = []string{
	"", "a", "b", "customer", "http.status", "é\u2028😀", "\x00\x1f\"\\/\b\f\n\r\t\x7f", "<&>", strings.Repeat("long ", 50),
}

func randomText(random *rand.Rand) string { return someTexts[random.IntN(len(someTexts))] }

func randomAttributes(random *rand.Rand, depth int) []*commonpb.KeyValue {
	var list []*commonpb.KeyValue
	for range random.IntN(6) {
		list = append(list, &commonpb.KeyValue{Key: randomText(random), Value: randomValue(random, depth)})
	}
	return list
}

var someDoubles = []float64{
	0, math.Copysign(0, -1), 10, 0.5, 1.35e-5, 1e-6, 9.99e-7, 1e20, 1e21, 1e22, 1 << 53, 1<<53 + 2, -1 << 53, math.MaxFloat64,
	math.SmallestNonzeroFloat64, math.NaN(), math.Inf(1), math.Inf(-1), 1e-10, 123456789.125,
}

func randomValue(random *rand.Rand, depth int) *commonpb.AnyValue {
	kinds := 9
	if depth == 4 {
		kinds = 7
	}
	switch random.IntN(kinds) {
	case 0:
		return nil
	case 1:
		return &commonpb.AnyValue{}
	case 2:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: randomText(random)}}
	case 3:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_BoolValue{BoolValue: random.IntN(2) == 1}}
	case 4:
		v := int64(random.Uint64()) >> random.IntN(64)
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: v}}
	case 5:
		v := math.Float64frombits(random.Uint64())
		if random.IntN(2) == 1 {
			v = someDoubles[random.IntN(len(someDoubles))]
		}
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: v}}
	case 6:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_BytesValue{BytesValue: randomID(random, 8)}}
	case 7:
		var values []*commonpb.AnyValue
		for range random.IntN(4) {
			v := randomValue(random, depth+1)
			if v == nil {
				v = &commonpb.AnyValue{} // a list has no holes
			}
			values = append(values, v)
		}
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: &commonpb.ArrayValue{Values: values}}}
	default:
		list := &commonpb.KeyValueList{Values: randomAttributes(random, depth+1)}
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_KvlistValue{KvlistValue: list}}
	}
}
