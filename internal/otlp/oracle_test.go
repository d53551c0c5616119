package otlp

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math"
	"strings"
	"testing"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// The oracle is the generated code of the protocol with encoding/json, whose objects have sorted members, too.

type object = map[string]any

func put(o object, name string, value any) {
	switch v := value.(type) {
	case string:
		if v == "" {
			return
		}
	case uint64:
		if v == 0 {
			return
		}
	case int32:
		if v == 0 {
			return
		}
	case object:
		if len(v) == 0 {
			return
		}
	}
	o[name] = value
}

func putID(o object, name string, id []byte, size int) {
	if len(id) == size && !bytes.Equal(id, make([]byte, size)) {
		o[name] = hex.EncodeToString(id)
	}
}

func oracleValue(v *commonpb.AnyValue) any {
	switch v := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return v.StringValue
	case *commonpb.AnyValue_BoolValue:
		return v.BoolValue
	case *commonpb.AnyValue_IntValue:
		return v.IntValue
	case *commonpb.AnyValue_DoubleValue:
		switch {
		case math.IsNaN(v.DoubleValue):
			return "NaN"
		case math.IsInf(v.DoubleValue, 1):
			return "Infinity"
		case math.IsInf(v.DoubleValue, -1):
			return "-Infinity"
		case v.DoubleValue == 0:
			return 0
		}
		return v.DoubleValue
	case *commonpb.AnyValue_ArrayValue:
		values := []any{}
		for _, value := range v.ArrayValue.GetValues() {
			values = append(values, oracleValue(value))
		}
		return values
	case *commonpb.AnyValue_KvlistValue:
		return oracleAttributes(v.KvlistValue.GetValues())
	case *commonpb.AnyValue_BytesValue:
		return base64.StdEncoding.EncodeToString(v.BytesValue)
	default:
		return nil
	}
}

func oracleAttributes(list []*commonpb.KeyValue) object {
	o := object{}
	for _, kv := range list {
		o[kv.GetKey()] = oracleValue(kv.GetValue())
	}
	return o
}

func around(resource *resourcepb.Resource, scope *commonpb.InstrumentationScope) object {
	o, s := object{}, object{}
	put(s, "name", scope.GetName())
	put(s, "version", scope.GetVersion())
	put(s, "attributes", oracleAttributes(scope.GetAttributes()))
	put(o, "resource", oracleAttributes(resource.GetAttributes()))
	put(o, "scope", s)
	return o
}

func oracleLogs(t *testing.T, request *logspb.LogsData) string {
	t.Helper()
	var all strings.Builder
	for _, group := range request.GetResourceLogs() {
		for _, scoped := range group.GetScopeLogs() {
			for _, record := range scoped.GetLogRecords() {
				o := around(group.GetResource(), scoped.GetScope())
				put(o, "attributes", oracleAttributes(record.GetAttributes()))
				if record.GetBody().GetValue() != nil {
					o["body"] = oracleValue(record.GetBody())
				}
				put(o, "event", record.GetEventName())
				put(o, "severity", int32(record.GetSeverityNumber()))
				put(o, "severity_text", record.GetSeverityText())
				put(o, "time", record.GetTimeUnixNano())
				putID(o, "span_id", record.GetSpanId(), 8)
				putID(o, "trace_id", record.GetTraceId(), 16)
				all.WriteString(encode(t, o))
			}
		}
	}
	return all.String()
}

func oracleSpans(t *testing.T, request *tracepb.TracesData) string {
	t.Helper()
	var all strings.Builder
	for _, group := range request.GetResourceSpans() {
		for _, scoped := range group.GetScopeSpans() {
			for _, span := range scoped.GetSpans() {
				o := around(group.GetResource(), scoped.GetScope())
				oracleSpan(o, span)
				all.WriteString(encode(t, o))
			}
		}
	}
	return all.String()
}

func oracleSpan(o object, span *tracepb.Span) {
	put(o, "attributes", oracleAttributes(span.GetAttributes()))
	if start, end := span.GetStartTimeUnixNano(), span.GetEndTimeUnixNano(); start > 0 && end >= start {
		o["duration_ns"] = end - start
	}
	put(o, "end_time", span.GetEndTimeUnixNano())
	events := []object{}
	for _, event := range span.GetEvents() {
		e := object{}
		put(e, "name", event.GetName())
		put(e, "time", event.GetTimeUnixNano())
		put(e, "attributes", oracleAttributes(event.GetAttributes()))
		events = append(events, e)
	}
	if len(events) > 0 {
		o["events"] = events
	}
	put(o, "kind", int32(span.GetKind()))
	put(o, "name", span.GetName())
	status := object{}
	put(status, "code", int32(span.GetStatus().GetCode()))
	put(status, "message", span.GetStatus().GetMessage())
	put(o, "status", status)
	put(o, "time", span.GetStartTimeUnixNano())
	putID(o, "parent_span_id", span.GetParentSpanId(), 8)
	putID(o, "span_id", span.GetSpanId(), 8)
	putID(o, "trace_id", span.GetTraceId(), 16)
}

// encode writes a line. encoding/json writes numbers as RFC 8785 does, but escapes three characters more, and one otherwise.
func encode(t testing.TB, v any) string {
	t.Helper()
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	return escapes.Replace(line.String())
}

var escapes = strings.NewReplacer(`\\`, `\\`, `\u2028`, "\u2028", `\u2029`, "\u2029")

type jsonStyle struct {
	Snake, Numbers, Indented bool // names as in the protobuf definition; enums as numbers; with white space
}

var jsonStyles = []jsonStyle{{}, {Snake: true}, {Numbers: true}, {Snake: true, Numbers: true, Indented: true}, {Indented: true}}

// inJSON encodes a recording in protobuf anew.
func (r recording) inJSON(t *testing.T, style jsonStyle) []byte {
	t.Helper()
	var request proto.Message = &logspb.LogsData{}
	if r.traces {
		request = &tracepb.TracesData{}
	}
	if err := proto.Unmarshal(r.body, request); err != nil {
		t.Fatal(err)
	}
	return toJSON(t, request, style)
}

// toJSON makes OTLP's JSON of a message: protobuf's own, but with ids in hexadecimal.
func toJSON(t testing.TB, request proto.Message, style jsonStyle) []byte {
	t.Helper()
	source, err := protojson.MarshalOptions{UseProtoNames: style.Snake, UseEnumNumbers: style.Numbers}.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	source, err = mapIDs(source, func(id string) string {
		raw, err := base64.StdEncoding.DecodeString(id)
		if err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(raw)
	})
	if err != nil {
		t.Fatal(err)
	}
	if style.Indented {
		var indented bytes.Buffer
		if err := json.Indent(&indented, source, " \t", "\r\n"); err != nil {
			t.Fatal(err)
		}
		return indented.Bytes()
	}
	return source
}

// mapIDs replaces the text of the members that are ids.
func mapIDs(source []byte, replace func(id string) string) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(source))
	decoder.UseNumber()
	var document any
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, element := range v {
				walk(element)
			}
		case object:
			for name, value := range v {
				switch id, isString := value.(string); name {
				case "traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id":
					if isString {
						v[name] = replace(id)
					}
				default:
					walk(value)
				}
			}
		}
	}
	walk(document)
	return json.Marshal(document)
}
