package otlp

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// nestedValue is a value in so many lists or maps.
func nestedValue(levels int, maps bool) *commonpb.AnyValue {
	v := &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: 7}}
	for range levels {
		if maps {
			list := &commonpb.KeyValueList{Values: []*commonpb.KeyValue{{Key: "m", Value: v}}}
			v = &commonpb.AnyValue{Value: &commonpb.AnyValue_KvlistValue{KvlistValue: list}}
		} else {
			v = &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: &commonpb.ArrayValue{Values: []*commonpb.AnyValue{v}}}}
		}
	}
	return v
}

// The deepest that protobuf may carry is what JSON can carry as well, wherever it is.
func TestNesting(t *testing.T) {
	for _, maps := range []bool{false, true} {
		for _, tooDeep := range []int{0, 1} {
			attributes := []*commonpb.KeyValue{{Key: "a", Value: nestedValue(MaxNesting+tooDeep, maps)}}
			for where, request := range map[string]proto.Message{
				"body":      logsOf(&logspb.LogRecord{Body: attributes[0].GetValue()}),
				"attribute": logsOf(&logspb.LogRecord{Attributes: attributes}),
				"event": &tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{
					Spans: []*tracepb.Span{{Events: []*tracepb.Span_Event{{Attributes: attributes}}}},
				}}}}},
			} {
				_, traces := request.(*tracepb.TracesData)
				for e, body := range map[Encoding][]byte{Protobuf: marshal(t, request), JSON: toJSON(t, request, jsonStyle{})} {
					got, err := canonicalLines(t, traces, body, e)
					if tooDeep == 1 && err == nil {
						t.Errorf("%s, encoding %d: %d levels are accepted", where, e, MaxNesting+tooDeep)
					}
					if want := oracle(t, request); tooDeep == 0 && (err != nil || got != want) {
						t.Errorf("%s, encoding %d: %v, got %swant %s", where, e, err, got, want)
					}
				}
			}
		}
	}
}

// wrap puts content into a field of a message, over and over from the inside to the outside.
func wrap(content []byte, numbers ...protowire.Number) []byte {
	for _, number := range numbers {
		content = protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), content)
	}
	return content
}

// Hostile bodies of many megabytes end soon, with an error or with what they say, and take a small multiple of themselves as memory.
func TestHostileBodies(t *testing.T) {
	const size = 4 << 20
	deep := []byte{}
	for len(deep) < 1<<16 {
		deep = wrap(wrap(deep, 1), 5)
	}
	control := bytes.Repeat([]byte{1}, size)
	inProtobuf := map[string][]byte{
		"a string of control characters": wrap(control, 1, 5, 2, 2, 1),
		"a name of control characters":   wrap(wrap(control, 1), 6, 2, 2, 1),
		"attributes":                     wrap(bytes.Repeat([]byte{6<<3 | 2, 0}, size/2), 2, 2, 1),
		"attributes in maps":             wrap(bytes.Repeat([]byte{1<<3 | 2, 0}, size/2), 6, 2, 6, 2, 2, 1),
		"empty values":                   wrap(bytes.Repeat([]byte{1<<3 | 2, 0}, size/2), 5, 5, 2, 2, 1),
		"lists in lists":                 wrap(deep, 5, 2, 2, 1),
		"resources":                      bytes.Repeat([]byte{1<<3 | 2, 0}, size/2),
		"records":                        wrap(bytes.Repeat([]byte{2<<3 | 2, 0}, size/2), 2, 1),
		"one resource over and over":     wrap(bytes.Repeat([]byte{1<<3 | 2, 2, 1<<3 | 2, 0}, size/4), 1),
		"one body over and over":         wrap(bytes.Repeat([]byte{5<<3 | 2, 2, 1<<3 | 2, 0}, size/4), 2, 2, 1),
		"groups in groups":               bytes.Repeat([]byte{9<<3 | 3}, size),
	}
	inJSON := map[string]string{
		"a string of escapes": logJSON(`"body":{"stringValue":"` + strings.Repeat(`\u0001`, size/6) + `"}`),
		"attributes":          logJSON(`"attributes":[` + strings.Repeat(`{},`, size/3) + `{}]`),
		"empty values":        logJSON(`"body":{"arrayValue":{"values":[` + strings.Repeat(`{},`, size/3) + `{}]}}`),
		"resources":           `{"resourceLogs":[` + strings.Repeat(`{},`, size/3) + `{}]}`,
		"records":             logJSON(strings.Repeat(`},{`, size/3)),
		"unknown members":     `{` + strings.Repeat(`"":0,`, size/5) + `"resourceLogs":[]}`,
		"members of a record": logJSON(strings.Repeat(`"body":{},`, size/10) + `"body":{}`),
		"brackets":            strings.Repeat(`[`, size),
		"objects":             strings.Repeat(`{"":`, size/4),
	}
	check := func(name string, e Encoding, body []byte) {
		t.Helper()
		var err error
		allocated := allocatedBy(func() { err = Logs(body, e, func([]byte) error { return nil }) })
		var wrong *InvalidError
		if err != nil && !errors.As(err, &wrong) {
			t.Errorf("%s, encoding %d: %v", name, e, err)
		}
		if allocated > 40*size {
			t.Errorf("%s, encoding %d: %d MiB allocated for %d", name, e, allocated>>20, len(body)>>20)
		}
	}
	for name, body := range inProtobuf {
		check(name, Protobuf, body)
	}
	for name, body := range inJSON {
		check(name, JSON, []byte(body))
	}
}

func TestTooManyAttributes(t *testing.T) {
	attributes := make([]*commonpb.KeyValue, maxMembers)
	for i := range attributes {
		attributes[i] = &commonpb.KeyValue{Key: fmt.Sprint(i)}
	}
	request := logsOf(&logspb.LogRecord{Attributes: attributes}, &logspb.LogRecord{Attributes: attributes})
	if got, err := canonicalLines(t, false, marshal(t, request), Protobuf); err != nil || got != oracle(t, request) {
		t.Errorf("%d attributes: %v", maxMembers, err)
	}
	request.ResourceLogs[0].ScopeLogs[0].LogRecords[0].Attributes = append(attributes, attributes[0])
	if _, err := lines(Logs, marshal(t, request), Protobuf); err == nil {
		t.Errorf("%d attributes are accepted", maxMembers+1)
	}
}

func TestRecordTooLong(t *testing.T) {
	for extra, ok := range map[int]bool{0: true, 1: false} {
		text := strings.Repeat("x", MaxRecordBytes-len(`{"body":""}`)+extra)
		record := &logspb.LogRecord{Body: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: text}}}
		request := logsOf(record)
		request.ResourceLogs[0].Resource = &resourcepb.Resource{}
		request.ResourceLogs[0].ScopeLogs[0].Scope = &commonpb.InstrumentationScope{}
		err := Logs(marshal(t, request), Protobuf, func(record []byte) error {
			if len(record) != MaxRecordBytes {
				t.Errorf("%d bytes", len(record))
			}
			return nil
		})
		if (err == nil) != ok {
			t.Errorf("%d bytes more than allowed: %v", extra, err)
		}
	}
	// Escapes are six times as long as what they stand for: it ends before they are all written.
	body := wrap(bytes.Repeat([]byte{1}, MaxRecordBytes), 1, 5, 2, 2, 1)
	var err error
	allocated := allocatedBy(func() { err = Logs(body, Protobuf, func([]byte) error { return nil }) })
	if err == nil || allocated > 10*MaxRecordBytes {
		t.Errorf("control characters: %v, %d MiB allocated", err, allocated>>20)
	}
}

// allocatedBy returns the size of all that was allocated meanwhile, most of it by buffers that grow.
func allocatedBy(work func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A resource is part of each of its records, of which two bytes are enough to ask for one.
func TestTooMuchExpanded(t *testing.T) {
	const most = 64
	name := bytes.Repeat([]byte{'n'}, MaxExpandedBytes/most)
	resource := wrap(wrap(name, 1), 1, 1)
	body := wrap(append(resource, wrap(bytes.Repeat([]byte{2<<3 | 2, 0}, 1_000), 2)...), 1)
	count := 0
	err := Logs(body, Protobuf, func([]byte) error { count++; return nil })
	var wrong *InvalidError
	if !errors.As(err, &wrong) || count != most-1 {
		t.Errorf("%d records, then %v", count, err)
	}
}

// TestBookedBeforeItIsWritten: whatever a request makes of its bytes, so much was booked before: what is not may not be written.
func TestBookedBeforeItIsWritten(t *testing.T) {
	field := func(number protowire.Number, value []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), value)
	}
	attribute := field(1, field(1, bytes.Repeat([]byte{1}, 1<<20))) // a name that takes six bytes for each
	nothing := bytes.Repeat([]byte{byte(6<<3 | 2), 0}, 20_000)      // attributes of nothing
	resource := field(1, attribute)
	for name, request := range map[string][]byte{
		"resource": field(1, append(resource, field(2, field(2, nil))...)),
		"scope":    field(1, field(2, append(field(1, field(3, attribute[4:])), field(2, nil)...))),
		"record":   field(1, field(2, field(2, field(5, field(1, bytes.Repeat([]byte{1}, 1<<20)))))),
		"nothing":  field(1, field(2, field(2, nothing))),
	} {
		var booked int64
		records := 0
		room := Room{Record: func(n int64) error { booked = max(booked, n); return nil }}
		err := room.Logs(bytes.NewReader(request), Protobuf, func(record []byte) error {
			records++
			if int64(len(record)) > booked/2 {
				t.Errorf("%s: a record of %d bytes was written, and %d were booked", name, len(record), booked)
			}
			return nil
		})
		if err != nil || records != 1 {
			t.Errorf("%s: %d records, %v", name, records, err)
		}
		full := errors.New("there is no room")
		room.Record = func(n int64) error {
			if n > 1<<10 {
				return full
			}
			return nil
		}
		err = room.Logs(bytes.NewReader(request), Protobuf, func(record []byte) error {
			t.Errorf("%s: %d bytes were written, which could not be booked", name, len(record))
			return nil
		})
		if !errors.Is(err, full) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
