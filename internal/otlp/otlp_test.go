package otlp

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	collectorlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

func TestEncodingOf(t *testing.T) {
	for contentType, want := range map[string]Encoding{
		"application/x-protobuf": Protobuf, "application/json": JSON, "application/json; charset=utf-8": JSON,
		"Application/X-Protobuf": Protobuf, "application/protobuf": Protobuf, " application/json ;charset": JSON,
	} {
		if e, ok := EncodingOf(contentType); !ok || e != want {
			t.Errorf("EncodingOf(%q) = %d, %v", contentType, e, ok)
		}
	}
	for _, contentType := range []string{"", "text/plain", "application/grpc", "application/jsonx", "json"} {
		if _, ok := EncodingOf(contentType); ok {
			t.Errorf("EncodingOf(%q) is one", contentType)
		}
	}
}

// logJSON is a request with one log record of these members.
func logJSON(members string) string {
	return `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{` + members + `}]}]}]}`
}

func attributeJSON(value string) string {
	return logJSON(`"attributes":[{"key":"a","value":` + value + `}]`)
}

func TestValuesInJSON(t *testing.T) {
	for value, want := range map[string]string{
		`{}`:                        `null`,
		`null`:                      `null`,
		`{"futureValue":{"a":[1]}}`: `null`,
		`{"stringValue":null}`:      `null`,
		`{"stringValue":""}`:        `""`,
		`{"stringValue":"a\u0001\"\\\/\b\f\n\r\t\u2028<&>é\ud83d\ude00\ud800"}`: "\"a\\u0001\\\"\\\\/\\b\\f\\n\\r\\t\u2028<&>é😀\ufffd\"",
		`{"boolValue":true}`:                   `true`,
		`{"bool_value":false}`:                 `false`,
		`{"intValue":10}`:                      `10`,
		`{"intValue":"10"}`:                    `10`,
		`{"int_value":"-9223372036854775808"}`: `-9223372036854775808`,
		`{"intValue":9223372036854775807}`:     `9223372036854775807`,
		`{"intValue":1e3}`:                     `1000`,
		`{"intValue":10.0}`:                    `10`,
		`{"doubleValue":10}`:                   `10`,
		`{"doubleValue":10.0}`:                 `10`,
		`{"doubleValue":-0.0}`:                 `0`,
		`{"doubleValue":"0.5"}`:                `0.5`,
		`{"doubleValue":1e21}`:                 `1e+21`,
		`{"doubleValue":1e20}`:                 `100000000000000000000`,
		`{"doubleValue":1.35e-5}`:              `0.0000135`,
		`{"doubleValue":1.35e-7}`:              `1.35e-7`,
		`{"doubleValue":5e-324}`:               `5e-324`,
		`{"doubleValue":"NaN"}`:                `"NaN"`,
		`{"doubleValue":"Infinity"}`:           `"Infinity"`,
		`{"doubleValue":"-Infinity"}`:          `"-Infinity"`,
		`{"bytesValue":"+/8="}`:                `"+/8="`,
		`{"bytesValue":"-_8"}`:                 `"+/8="`,
		`{"bytesValue":""}`:                    `""`,
		`{"arrayValue":{}}`:                    `[]`,
		`{"arrayValue":{"values":[]}}`:         `[]`,
		`{"arrayValue":{"values":[{},{"intValue":1},{"arrayValue":{}}]}}`: `[null,1,[]]`,
		`{"kvlistValue":{}}`: `{}`,
		`{"kvlistValue":{"values":[{"key":"b","value":{"intValue":1}},{"key":"a"},{"key":"b","value":{}}]}}`: `{"a":null,"b":null}`,
		`{"intValue":1,"stringValue":"the last"}`:                                                            `"the last"`,
		"{\"\\u0069ntValue\" :\t1 , \"x\":[\"]}\\\\\\\"\",{\"}\":\"]\"}] }":                                  `1`,
	} {
		got, err := lines(Logs, []byte(attributeJSON(value)), JSON)
		if want = `{"attributes":{"a":` + want + "}}\n"; err != nil || got != want {
			t.Errorf("%s: %v, got %swant %s", value, err, got, want)
		}
	}
}

func TestRefusedValuesInJSON(t *testing.T) {
	for _, value := range []string{
		`1`, `"a"`, `[]`, `true`, `{"stringValue":1}`, `{"stringValue":{}}`, `{"boolValue":"true"}`, `{"boolValue":1}`,
		`{"intValue":9223372036854775808}`, `{"intValue":"-9223372036854775809"}`, `{"intValue":1.5}`, `{"intValue":"one"}`,
		`{"intValue":""}`, `{"intValue":"0x1p1"}`, `{"intValue":"1_0e0"}`, `{"intValue":"Inf"}`, `{"intValue":{}}`, `{"intValue":1e400}`,
		`{"doubleValue":1e400}`, `{"doubleValue":"inf"}`, `{"doubleValue":"0x1p1"}`, `{"doubleValue":""}`, `{"doubleValue":"[1]"}`,
		`{"doubleValue":true}`, `{"bytesValue":"a"}`, `{"bytesValue":"!"}`, `{"bytesValue":[1]}`, `{"arrayValue":[]}`,
		`{"arrayValue":{"values":{}}}`, `{"arrayValue":{"values":[1]}}`, `{"arrayValue":{"values":[null]}}`,
		`{"kvlistValue":{"values":[[]]}}`,
	} {
		var wrong *InvalidError
		if got, err := lines(Logs, []byte(attributeJSON(value)), JSON); !errors.As(err, &wrong) {
			t.Errorf("%s: %v, %s", value, err, got)
		}
	}
}

func TestRecordsInJSON(t *testing.T) {
	for body, want := range map[string]string{
		`{}`:                     "",
		`{"resourceLogs":null}`:  "",
		` {"resource_logs":[]} `: "",
		`{"resourceLogs":[{}]}`:  "",
		logJSON(``):              "{}\n",
		logJSON(`"body":{}`):     "{}\n",
		logJSON(`"body":null`):   "{}\n",
		logJSON(`"timeUnixNano":"18446744073709551615","observedTimeUnixNano":"1"`): `{"time":18446744073709551615}` + "\n",
		logJSON(`"time_unix_nano":5,"later":{"of":["it"]}`):                         `{"time":5}` + "\n",
		logJSON(`"severityNumber":9,"severityText":"INFO"`):                         `{"severity":9,"severity_text":"INFO"}` + "\n",
		logJSON(`"severityNumber":"SEVERITY_NUMBER_FATAL4"`):                        `{"severity":24}` + "\n",
		logJSON(`"severityNumber":"13"`):                                            `{"severity":13}` + "\n",
		logJSON(`"traceId":"0AF7651916CD43DD8448EB211C80319C","spanId":"b7ad6b7169203331"`): `{"span_id":"b7ad6b7169203331",` +
			`"trace_id":"0af7651916cd43dd8448eb211c80319c"}` + "\n",
		logJSON(`"traceId":"00000000000000000000000000000000","spanId":"b7ad"`): "{}\n",
		logJSON(`"traceId":"no hexadecimal","spanId":"b7ad6b716920333"`):        "{}\n",
		// What comes after the records belongs to them too, and the last one counts.
		`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}],"scope":{"name":"s"}}],"resource":{"attributes":[{"key":"r","value":{}}]}}]}`://
		`{"resource":{"r":null},"scope":{"name":"s"}}` + "\n",
	} {
		if got, err := lines(Logs, []byte(body), JSON); err != nil || got != want {
			t.Errorf("%s: %v, got %swant %s", body, err, got, want)
		}
	}
}

func TestRefusedBodies(t *testing.T) {
	for _, body := range []string{
		``, ` `, `[]`, `1`, `"resourceLogs"`, `null`, `{`, `{}{}`, `{"resourceLogs":{}}`, `{"resourceLogs":[1]}`, `{"resourceLogs":"x"}`,
		`{"log":"customer-acme","tokens":1}`, `{"resourceSpans":[]}`, logJSON(`"attributes":{}`), logJSON(`"attributes":["a"]`),
		logJSON(`"timeUnixNano":-1`), logJSON(`"timeUnixNano":"now"`), logJSON(`"timeUnixNano":18446744073709551616`),
		logJSON(`"severityNumber":"LOUD"`), logJSON(`"severityNumber":4294967296`), logJSON(`"traceId":1`), logJSON(`"severityText":1`),
		"{\"resourceLogs\":[{\"a\":\"\xff\"}]}", "\xef\xbb\xbf{}",
	} {
		var wrong *InvalidError
		if got, err := lines(Logs, []byte(body), JSON); !errors.As(err, &wrong) {
			t.Errorf("JSON %s: %v, %s", body, err, got)
		}
	}
	for _, body := range []string{
		"\x0a", "\x0a\xff\xff\xff\xff\x0f", "\x0a\x02\x0a", "\x10\x01", "hello", "{}", "\x00", "\x0b", "\x0a\x80",
	} {
		var wrong *InvalidError
		if got, err := lines(Logs, []byte(body), Protobuf); !errors.As(err, &wrong) {
			t.Errorf("protobuf %q: %v, %s", body, err, got)
		}
	}
	if got, err := lines(Logs, nil, Protobuf); got != "" || err != nil {
		t.Errorf("the empty request: %v, %s", err, got)
	}
}

func logsOf(records ...*logspb.LogRecord) *logspb.LogsData {
	return &logspb.LogsData{ResourceLogs: []*logspb.ResourceLogs{{ScopeLogs: []*logspb.ScopeLogs{{LogRecords: records}}}}}
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	body, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// Envoy sends the bytes of a path as they are, and generated code of Go would neither write nor read them.
func TestInvalidUTF8InProtobuf(t *testing.T) {
	body := marshal(t, logsOf(&logspb.LogRecord{SeverityText: "A~~", Attributes: []*commonpb.KeyValue{
		{Key: "p~", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: "first"}}},
		{Key: "p}", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: "/~/x"}}},
	}}))
	for i, c := range body {
		if c == '~' || c == '}' {
			body[i] = 0x80 + c
		}
	}
	want := "{\"attributes\":{\"p\ufffd\":\"/\ufffd/x\"},\"severity_text\":\"A\ufffd\"}\n"
	if got, err := lines(Logs, body, Protobuf); err != nil || got != want {
		t.Errorf("%v, got %swant %s", err, got, want)
	}
}

func TestSpans(t *testing.T) {
	request := &tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource: &resourcepb.Resource{Attributes: []*commonpb.KeyValue{{Key: "service.name"}}},
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{
			{},
			{StartTimeUnixNano: 5, EndTimeUnixNano: 5},
			{StartTimeUnixNano: 6, EndTimeUnixNano: 5},
			{EndTimeUnixNano: 5},
			{
				TraceId: []byte("0123456789abcdef"), SpanId: []byte("01234567"), ParentSpanId: []byte("7654321"), Name: "chat",
				Kind: tracepb.Span_SPAN_KIND_CLIENT, StartTimeUnixNano: 1, EndTimeUnixNano: math.MaxUint64,
				Status: &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: "no"},
				Events: []*tracepb.Span_Event{{}, {TimeUnixNano: 3, Name: "first", Attributes: []*commonpb.KeyValue{{Key: "k"}}}},
				Links:  []*tracepb.Span_Link{{TraceId: []byte("left out")}},
			},
			{Status: &tracepb.Status{Message: "code unset"}, ParentSpanId: []byte("12345678")},
		}}},
	}}}
	want := strings.ReplaceAll(`{R}
{"duration_ns":0,"end_time":5,R,"time":5}
{"end_time":5,R,"time":6}
{"end_time":5,R}
{"duration_ns":18446744073709551614,"end_time":18446744073709551615,"events":[{},{"attributes":{"k":null},"name":"first","time":3}],`+
		`"kind":3,"name":"chat",R,"span_id":"3031323334353637","status":{"code":2,"message":"no"},"time":1,`+
		`"trace_id":"30313233343536373839616263646566"}
{"parent_span_id":"3132333435363738",R,"status":{"message":"code unset"}}
`, "R", `"resource":{"service.name":null}`)
	got, err := lines(Spans, marshal(t, request), Protobuf)
	if err != nil || got != want {
		t.Errorf("%v, got\n%swant\n%s", err, got, want)
	}
	if oracle := oracleSpans(t, request); got != oracle {
		t.Errorf("got\n%sgenerated code says\n%s", got, oracle)
	}
	for _, style := range jsonStyles {
		if got, err := lines(Spans, toJSON(t, request, style), JSON); err != nil || got != want {
			t.Errorf("JSON %+v: %v, got\n%swant\n%s", style, err, got, want)
		}
	}
}

// One field twice: of a message within a message, too, the last one counts.
func TestFieldsTwice(t *testing.T) {
	body1 := &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: 1}}
	body2 := &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: 2}}
	one := marshal(t, &logspb.LogRecord{TimeUnixNano: 1, EventName: "a", Body: body1})
	two := marshal(t, &logspb.LogRecord{EventName: "b", Body: body2})
	if got, err := lines(Logs, wrap(append(one, two...), 2, 2, 1), Protobuf); err != nil || got != `{"body":2,"event":"b","time":1}`+"\n" {
		t.Errorf("%v, %s", err, got)
	}
}

func TestAnswers(t *testing.T) {
	for _, test := range []struct {
		rejected int64
		message  string
	}{{0, ""}, {3, `no "log": é`}, {0, "a warning"}, {math.MaxInt64, ""}, {1, "\xff"}} {
		logs, traces := &collectorlogs.ExportLogsServiceResponse{}, &collectortrace.ExportTraceServiceResponse{}
		decode(t, AppendAnswer(Protobuf, LogSignal, test.rejected, test.message), logs, proto.Unmarshal)
		decode(t, AppendAnswer(Protobuf, TraceSignal, test.rejected, test.message), traces, proto.Unmarshal)
		message := strings.ToValidUTF8(test.message, "\ufffd")
		for range 2 {
			if p := logs.GetPartialSuccess(); p.GetRejectedLogRecords() != test.rejected || p.GetErrorMessage() != message ||
				(p != nil) != (message != "" || test.rejected != 0) {
				t.Errorf("%+v: logs are answered %v", test, p)
			}
			if p := traces.GetPartialSuccess(); p.GetRejectedSpans() != test.rejected || p.GetErrorMessage() != message {
				t.Errorf("%+v: spans are answered %v", test, p)
			}
			decode(t, AppendAnswer(JSON, LogSignal, test.rejected, test.message), logs, protojson.Unmarshal)
			decode(t, AppendAnswer(JSON, TraceSignal, test.rejected, test.message), traces, protojson.Unmarshal)
		}
	}
	if answer := AppendAnswer(Protobuf, LogSignal, 0, ""); answer == nil || len(answer) != 0 {
		t.Errorf("the empty answer is %#v", answer)
	}
	if answer := string(AppendAnswer(JSON, LogSignal, 0, "")); answer != "{}" {
		t.Errorf("the empty answer is %s", answer)
	}
}

func TestStatus(t *testing.T) {
	for _, message := range []string{"", `not "now"`, "\xff"} {
		for _, code := range []int32{3, 14, 0, -1} {
			// This message has the same fields.
			var binary collectorlogs.ExportLogsPartialSuccess
			decode(t, AppendStatus(Protobuf, code, message), &binary, proto.Unmarshal)
			var text struct {
				Code    int32
				Message string
			}
			if err := json.Unmarshal(AppendStatus(JSON, code, message), &text); err != nil {
				t.Fatal(err)
			}
			want := strings.ToValidUTF8(message, "\ufffd")
			if binary.GetRejectedLogRecords() != int64(code) || binary.GetErrorMessage() != want ||
				text.Code != code || text.Message != want {
				t.Errorf("%d %q: protobuf %v, JSON %v", code, message, &binary, text)
			}
		}
	}
	if s := AppendStatus(JSON, 14, "busy"); !json.Valid(s) || string(s) != `{"code":14,"message":"busy"}` {
		t.Errorf("status %s", s)
	}
}

func decode(t *testing.T, raw []byte, into proto.Message, unmarshal func([]byte, proto.Message) error) {
	t.Helper()
	if err := unmarshal(raw, into); err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
}
