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
// Bodies are read as they come: there is one record in memory at a time, however long a body is and however many a hostile one claims to
// hold. Most encoders write the resource of a ResourceLogs or ResourceSpans before its records, and likewise the scope of a ScopeLogs or
// ScopeSpans. Some do not, such as that of the OpenTelemetry Collector, which writes fields from the last to the first, and those of JSON
// that sort members by name. A group of more than 32 KiB that begins with something else is read twice, for its resource or scope first:
// it is kept meanwhile, compressed. There is at most one of each. In JSON, what is skipped is checked for its brackets and strings alone
// where it has more than 32 KiB.
package otlp

import (
	"bytes"
	"fmt"
	"io"
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

// Detect tells the encoding of a body whose Content-Type names none by its beginning.
func Detect(beginning []byte) Encoding {
	rest, isObject := bytes.CutPrefix(bytes.TrimLeft(beginning, " \t\r\n"), []byte{'{'})
	if !isObject {
		return Protobuf
	}
	// A line feed is also the tag of a request's first field, and a brace the length of one of 123 bytes.
	rest = bytes.TrimLeft(rest, " \t\r\n")
	if len(rest) == 0 || rest[0] == '}' || rest[0] == '"' && (len(rest) == 1 || rest[1] >= ' ') {
		return JSON
	}
	return Protobuf
}

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

// Room is for requests that strangers send: what reading one takes is booked before it is taken, by calls with so many bytes in all, which
// may be fewer than before. The error of a call ends reading, and is returned. The zero value books nothing.
type Room struct {
	Body   func(bytes int64) error // for the part of the body that is held, as it is or compressed
	Record func(bytes int64) error // for a record: it is longer than what was sent of it, by its escapes, its resource and its scope
}

// Logs calls each for every record of an ExportLogsServiceRequest, in order, with its object, which is valid until each returns. An error
// of each, and one of the body, ends it and is returned. A body that is no such request, or passes a limit of this package, is an
// *InvalidError, which is noticed after each had the records before the fault.
func (room Room) Logs(body io.Reader, e Encoding, each func(record []byte) error) error {
	return export(body, e, logsShape, room, each)
}

// Spans does for the spans of an ExportTraceServiceRequest what Logs does for log records.
func (room Room) Spans(body io.Reader, e Encoding, each func(record []byte) error) error {
	return export(body, e, tracesShape, room, each)
}

// Logs is Room.Logs of a body that is in memory.
func Logs(body []byte, e Encoding, each func(record []byte) error) error {
	return Room{}.Logs(bytes.NewReader(body), e, each)
}

// Spans is Room.Spans of a body that is in memory.
func Spans(body []byte, e Encoding, each func(record []byte) error) error {
	return Room{}.Spans(bytes.NewReader(body), e, each)
}
