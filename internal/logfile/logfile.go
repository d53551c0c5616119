// Package logfile reads files that programs log into, record by record: lines of JSON, JSON documents, CSV and the access logs of web
// servers, plain or compressed, while they grow and are rotated. Each record becomes one JSON object. A reader knows its position, so that
// another one can go on from there, whatever the file is called by then.
//
// It uses no network and no database.
package logfile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

const (
	// MaxRecordBytes is the longest record. A longer one is reported and left out.
	MaxRecordBytes = 4 << 20
	// keptOfLong is how much of a record that is too long its identity covers, and how much of one that cannot be read is returned, in
	// bytes.
	keptOfLong = 64 << 10
)

// Record is one record of a file.
type Record struct {
	Data []byte // a JSON object, valid until the next call; nil with Err
	Line int64  // where it begins, from 1
	ID   string // its identity by position: see Chain
	Err  error  // why it is none; reading goes on after it
	// With Err: what is there instead, without its line end, at most 64 KiB, and whether that is all of it. Raw is valid as Data is.
	Raw   []byte
	Whole bool
}

// Records reads a file's records. It is not safe for concurrent use.
type Records interface {
	// Next returns the next record, or io.EOF when there is no complete one, which may change while the file grows.
	Next() (Record, error)
	// Finish says that the file does not grow: what follows the last line end is the last record.
	Finish()
	// Position is the place after the last record.
	Position() Position
	// place is the Position without its window.
	place() Position
	// pass has Next read records for their chain alone, or no longer.
	pass(on bool)
}

// Position is a place between two records of a file.
type Position struct {
	Records int64  `json:"records"`
	Lines   int64  `json:"lines"`
	Offset  int64  `json:"offset"`         // bytes of the content, decompressed; not known, and 0, in JSON documents
	Chain   Chain  `json:"chain"`          // of the records before it
	Window  Window `json:"window"`         // the bytes before it
	Open    bool   `json:"open,omitempty"` // the last record had no line end
	// Columns are those of CSV, from its header, and Delimiter what is between them.
	Columns   []string `json:"columns,omitempty"`
	Delimiter string   `json:"delimiter,omitempty"`
}

// Chain is a digest of a file's records up to a place. So the record before that place is known by what it is and by all that is before
// it: a line that is there twice is two, and a line of a file that was renamed, copied or compressed is the same. Two files that begin
// alike are one up to where they differ, unless their chains begin differently: see NewChain.
type Chain [sha256.Size]byte

// NewChain returns the chain of no records. Files of different origins have nothing in common; it may be empty.
func NewChain(origin string) Chain { return sha256.Sum256([]byte("tallystick records 1\n" + origin)) }

// next returns the chain with one more record.
func (c Chain) next(record []byte) Chain {
	h := sha256.New()
	h.Write(c[:])
	h.Write(record)
	var next Chain
	h.Sum(next[:0])
	return next
}

// id is the identity of the last record.
func (c Chain) id() string { return hex.EncodeToString(c[:16]) }

// MarshalText writes the chain as hexadecimal digits.
func (c Chain) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, c[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (c *Chain) UnmarshalText(text []byte) error { return decodeHex(c[:], text) }

// windowBytes is how many bytes a window covers: a few lines.
const windowBytes = 512

// Window is a digest of the bytes before a place, by which a file shows that it still is what it was there.
type Window struct {
	Bytes  int    `json:"bytes"` // how many
	Digest digest `json:"digest"`
}

type digest [16]byte

func windowOf(content []byte) Window {
	content = content[max(0, len(content)-windowBytes):]
	sum := sha256.Sum256(content)
	return Window{Bytes: len(content), Digest: digest(sum[:16])}
}

// MarshalText writes the digest as hexadecimal digits.
func (d digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *digest) UnmarshalText(text []byte) error { return decodeHex(d[:], text) }

func decodeHex(to, text []byte) error {
	if hex.DecodedLen(len(text)) != len(to) || len(text)%2 != 0 {
		return fmt.Errorf("%d hexadecimal digits are wanted, not %d", hex.EncodedLen(len(to)), len(text))
	}
	_, err := hex.Decode(to, text)
	return err
}

// errTooLong is the error of a record that is longer than MaxRecordBytes.
var errTooLong = fmt.Errorf("it is longer than %d MiB, the most that is read as one", MaxRecordBytes>>20)

// errNotUTF8 is the error of a record in another encoding.
var errNotUTF8 = errors.New("it is not UTF-8")

// UselessError ends a file of which nothing can be read.
type UselessError struct{ reason string }

func (e *UselessError) Error() string { return e.reason }

func useless(format string, args ...any) error { return &UselessError{fmt.Sprintf(format, args...)} }

// unread returns the record with what stands in its place.
func (r Record) unread(raw []byte) Record {
	r.Data, r.Raw, r.Whole = nil, raw[:min(len(raw), keptOfLong)], len(raw) <= keptOfLong && !errors.Is(r.Err, errTooLong)
	return r
}
