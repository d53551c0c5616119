// Package framing reads bodies as programs send them: it takes off a Content-Encoding, splits a stream of bytes into JSON values, and
// tells the forms of CloudEvents apart. What a body is follows from its bytes; the Content-Type decides only where it must. There is no
// HTTP server here, and no database.
package framing

import "fmt"

// EncodingError: a Content-Encoding that is not taken.
type EncodingError struct {
	Encoding string // as sent
}

func (e *EncodingError) Error() string {
	return fmt.Sprintf("the Content-Encoding is %.100q; send gzip, zstd, or none", e.Encoding)
}

// TooLargeError: a body has more than Limit bytes once its encoding is taken off, or, before that, so many that it cannot have fewer.
type TooLargeError struct {
	Limit int64 // in bytes
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the body has more than %d bytes without its Content-Encoding", e.Limit)
}

// CorruptError: a body is not what its Content-Encoding says, as it is where it was cut short.
type CorruptError struct {
	Encoding, Reason string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("the body is no whole %s stream: %s", e.Encoding, e.Reason)
}

// SyntaxError ends a body: nobody can say where its next record begins.
type SyntaxError struct {
	Offset int64 // in bytes from the body's start, without its encoding
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON at byte %d of the body: %s", e.Offset, e.Reason)
}

// Codes of a [RecordError].
const (
	InvalidJSON = "invalid_json"
	TooLong     = "record_too_large"
)

// RecordError: one record is not acceptable; those after it may be.
type RecordError struct {
	Code   string // InvalidJSON or TooLong
	Detail string // for people
}

func (e *RecordError) Error() string { return e.Code + ": " + e.Detail }
