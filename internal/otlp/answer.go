package otlp

import (
	"bytes"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// Numbers of the fields of the answers: those of logs and of traces are the same.
const (
	answerPartialSuccess protowire.Number = 1

	partialRejected, partialMessage protowire.Number = 1, 2

	rpcCode, rpcMessage protowire.Number = 1, 2
)

// AppendAnswer is an ExportLogsServiceResponse or ExportTraceServiceResponse. It is the empty message if nothing was rejected and there is
// nothing to say; else it has a partial success. A message without rejected records is a warning.
func AppendAnswer(e Encoding, s Signal, rejected int64, message string) []byte {
	if e == JSON {
		return jsonAnswer(s, rejected, message)
	}
	partial := appendVarint(nil, partialRejected, rejected)
	partial = appendBytes(partial, partialMessage, validUTF8(message))
	return appendBytes([]byte{}, answerPartialSuccess, partial)
}

func jsonAnswer(s Signal, rejected int64, message string) []byte {
	if rejected == 0 && message == "" {
		return []byte("{}")
	}
	member := "rejectedLogRecords"
	if s == TraceSignal {
		member = "rejectedSpans"
	}
	answer := append(append([]byte(`{"partialSuccess":{"`), member...), `":"`...)
	answer = append(strconv.AppendInt(answer, rejected, 10), '"')
	answer = appendText(answer, "errorMessage", []byte(message))
	return append(answer, "}}"...)
}

// AppendStatus is a google.rpc.Status, the body of an answer that is an error. The code is one of gRPC's.
func AppendStatus(e Encoding, code int32, message string) []byte {
	if e == JSON {
		status := strconv.AppendInt([]byte(`{"code":`), int64(code), 10)
		return append(appendText(status, "message", []byte(message)), '}')
	}
	return appendBytes(appendVarint([]byte{}, rpcCode, int64(code)), rpcMessage, validUTF8(message))
}

// appendVarint appends a field, unless it has the value of one that is not there.
func appendVarint(dst []byte, number protowire.Number, value int64) []byte {
	if value == 0 {
		return dst
	}
	dst = protowire.AppendTag(dst, number, protowire.VarintType)
	return protowire.AppendVarint(dst, uint64(value)) //nolint:gosec // the bits of a signed integer
}

// appendBytes does for a string or a message what [appendVarint] does for an integer.
func appendBytes(dst []byte, number protowire.Number, value []byte) []byte {
	if len(value) == 0 {
		return dst
	}
	dst = protowire.AppendTag(dst, number, protowire.BytesType)
	return protowire.AppendBytes(dst, value)
}

func validUTF8(message string) []byte { return bytes.ToValidUTF8([]byte(message), replacement) }
