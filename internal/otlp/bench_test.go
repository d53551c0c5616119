package otlp

import (
	"fmt"
	"testing"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/proto"
)

// thousandRecords are log records as the semantic conventions of generative AI describe them.
func thousandRecords() *logspb.LogsData {
	text := func(key, value string) *commonpb.KeyValue {
		return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
	}
	count := func(key string, value int64) *commonpb.KeyValue {
		return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: value}}}
	}
	scope := &logspb.ScopeLogs{Scope: &commonpb.InstrumentationScope{Name: "usage", Version: "1.2.3"}}
	for i := range 1_000 {
		scope.LogRecords = append(scope.LogRecords, &logspb.LogRecord{
			TimeUnixNano: uint64(1795846000250000000 + i), ObservedTimeUnixNano: uint64(1795846000250000000 + i),
			SeverityNumber: 9, EventName: "gen_ai.client.inference.operation.details",
			Attributes: []*commonpb.KeyValue{
				text("gen_ai.operation.name", "chat"), text("gen_ai.provider.name", "openai"), text("gen_ai.request.model", "gpt-4o-mini"),
				text("gen_ai.response.id", fmt.Sprint("chatcmpl-", i)), count("gen_ai.usage.input_tokens", 10), text("user.id", "acme"),
				count("gen_ai.usage.output_tokens", 20), count("gen_ai.usage.cache_read.input_tokens", 4), text("server.address", "api"),
				{Key: "seconds", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: 0.25}}},
			},
			TraceId: []byte("0123456789abcdef"), SpanId: []byte("01234567"),
		})
	}
	attributes := []*commonpb.KeyValue{text("service.name", "gateway"), text("telemetry.sdk.language", "go")}
	resource := &resourcepb.Resource{Attributes: attributes}
	return &logspb.LogsData{ResourceLogs: []*logspb.ResourceLogs{{Resource: resource, ScopeLogs: []*logspb.ScopeLogs{scope}}}}
}

func BenchmarkLogs(b *testing.B) {
	request := thousandRecords()
	for name, body := range map[string][]byte{
		"protobuf": marshal(b, request), "backwards": backwards(b, marshal(b, request), 2), "JSON": toJSON(b, request, jsonStyle{}),
	} {
		e := Protobuf
		if name == "JSON" {
			e = JSON
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := Logs(body, e, func([]byte) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	// What generated code takes for decoding alone.
	b.Run("generated", func(b *testing.B) {
		body := marshal(b, request)
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			if err := proto.Unmarshal(body, &logspb.LogsData{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
