// Package otlp reads what the OpenTelemetry Protocol (OTLP/HTTP) carries, logs and traces, in protobuf and in JSON, and makes one JSON
// object of each log record and of each span. It writes the answers of the protocol as well.
//
// The object is canonical: the same telemetry has the same bytes, whatever the encoding, the order of its attributes, and how often it was
// read from its source. Members are sorted by the bytes of their names, there is no white space, strings have only the escapes that they
// need, numbers are written as RFC 8785 says (a whole double is an integer), 64-bit integers are exact, and the time of observation, which
// differs each time that a file is read, is left out. What is not set is left out as well. Of attributes with the same key the last counts.
//
// A log record:
//
//	{"attributes":{"http.status":200},"body":…,"event":"…","resource":{"service.name":"…"},"scope":{"attributes":{…},"name":"…",
//	"version":"…"},"severity":9,"severity_text":"…","span_id":"00f067aa0ba902b7","time":1795846000250000000,"trace_id":"…"}
//
// A span:
//
//	{"attributes":{…},"duration_ns":1500,"end_time":…,"events":[{"attributes":{…},"name":"…","time":…}],"kind":3,"name":"…",
//	"parent_span_id":"…","resource":{…},"scope":{…},"span_id":"…","status":{"code":2,"message":"…"},"time":…,"trace_id":"…"}
//
// Times are Unix nanoseconds, severities, kinds and codes the numbers of the protocol. A value without a type is null; bytes are base64;
// NaN and the infinities are strings. Ids that are no ids (other lengths, all zero) count as not set, as the protocol has it. Bytes of
// protobuf strings that are no UTF-8 become U+FFFD.
//
// Bodies are read in place: beside the body there is one record in memory at a time, however many a hostile body claims to hold.
package otlp

import (
	"fmt"
	"strings"
)

const (
	// MaxNesting is how deep lists and maps of attributes and bodies may be nested. The JSON encoding needs four of jsonscan.MaxDepth
	// for each, so both encodings can carry the same.
	MaxNesting = 24
	// MaxRecordBytes is how long a record's object may be.
	MaxRecordBytes = 32 << 20
	// MaxExpandedBytes is how long all objects of one request may be together. The resource and the scope are part of each of them, so
	// that a small body could ask for any amount of work.
	MaxExpandedBytes = 256 << 20
	// maxMembers is how many attributes may be open at a time: those of a record, or of the maps that one value is nested in.
	maxMembers = 1 << 16
)

// Encoding is how a body is encoded, and the answer to it.
type Encoding int

const (
	Protobuf Encoding = iota
	JSON
)

// EncodingOf is the encoding that a Content-Type names: application/x-protobuf, application/protobuf or application/json, with or without
// parameters.
func EncodingOf(contentType string) (Encoding, bool) {
	name, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "application/x-protobuf", "application/protobuf":
		return Protobuf, true
	case "application/json":
		return JSON, true
	default:
		return Protobuf, false
	}
}

// ContentType is the Content-Type of an answer in this encoding.
func (e Encoding) ContentType() string {
	if e == JSON {
		return "application/json"
	}
	return "application/x-protobuf"
}

// Signal is what a request carries.
type Signal int

const (
	LogSignal Signal = iota
	TraceSignal
)

// InvalidError says why a body is no request of the protocol, or none that is read here.
type InvalidError struct{ Detail string }

func (e *InvalidError) Error() string { return "invalid OTLP request: " + e.Detail }

func invalid(format string, args ...any) error {
	return &InvalidError{Detail: fmt.Sprintf(format, args...)}
}

// Logs calls each for every record of an ExportLogsServiceRequest, in order, with its object, which is valid until each returns. An error
// of each ends it and is returned. A body that is no such request, or passes a limit of this package, is an *InvalidError, and may be
// noticed after each had the records before the fault.
func Logs(body []byte, e Encoding, each func(record []byte) error) error {
	return export(body, e, &logsRequest, nil, each)
}

// Booked is for requests that strangers send: a record is longer than what was sent of it, by its escapes, its resource and its scope. book
// is called with the most bytes that writing the next one may take, beside the body, before they are taken. Its error ends the call, and is
// returned.
type Booked func(bytes int64) error

// Logs is as the function Logs.
func (book Booked) Logs(body []byte, e Encoding, each func(record []byte) error) error {
	return export(body, e, &logsRequest, book, each)
}

// Spans is as the function Spans.
func (book Booked) Spans(body []byte, e Encoding, each func(record []byte) error) error {
	return export(body, e, &tracesRequest, book, each)
}

// Spans does for the spans of an ExportTraceServiceRequest what [Logs] does for log records.
func Spans(body []byte, e Encoding, each func(record []byte) error) error {
	return export(body, e, &tracesRequest, nil, each)
}
