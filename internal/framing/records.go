package framing

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

const (
	// keptBytes is how much of a record that is not acceptable is returned, in bytes.
	keptBytes = 64 << 10
	// maxGap is how far after a value, in bytes, something else on its line is looked for. More white space is as good as a line's end.
	maxGap = 256
)

// Record is one JSON value of a body, or what stands in the place of one.
type Record struct {
	// Data is the value without the white space around it. Where Err is set, these are its first bytes, at most 64 KiB. It is valid until
	// the next record is asked for.
	Data []byte
	Line int // which record of the body this is, from 1; empty lines are not counted
	// Err, a *RecordError, says why the record is not acceptable; what follows it is read nevertheless.
	Err error
	// Long stands before an object that Walking is for, and must have passed it before the next record is asked for. Data are the object's
	// first bytes, until something is read.
	Long *Walker
}

// Records splits a body into JSON values, by its bytes alone: one value, lines, values one after the other with any white space or none
// between them, and arrays, of which each element is a record. An array is not held: its elements are returned as they come.
//
// A line that is not valid JSON is one bad record, and the next line is read. What breaks an array, a value of several lines, or values
// after others on the same lines ends the body with a *SyntaxError, since nobody could say where the next record begins.
//
// Memory is about that of the longest record that is allowed, at most; it is small until a record needs more, and soon after that again.
// Records is for one goroutine.
type Records struct {
	in      Window
	longest int
	kept    int    // bytes of a bad record that are returned
	head    []byte // the first bytes of a record that is too long to be held
	line    int
	failed  error // what every further call returns

	begun    bool // the byte order mark, if there is one, has been passed
	array    arrayState
	shares   bool // a value has been on this line
	loose    bool // values do not end where lines do
	singly   bool // a value ends on its line: a broken one was, and seemed to go on in the next
	skipping bool // the rest of the line belongs to a bad record
	walks    int  // bytes of an object that is longer than that are left to a Walker; 0 for never
}

// arrayState is where in an array a body is read.
type arrayState uint8

const (
	noArray arrayState = iota
	afterBracket
	afterElement
	afterComma
)

// NewRecords returns the records of r, each of at most longest bytes. A longer one is returned as a bad record: it is read, but not held.
func NewRecords(r io.Reader, longest int) *Records {
	kept := min(keptBytes, longest)
	return &Records{in: Window{r: r, most: longest}, longest: longest, kept: kept}
}

// Booked has book called with how many bytes the reader holds, before it holds more. An error of book is returned by Next.
func (x *Records) Booked(book func(bytes int64) error) *Records {
	x.in.book = book
	return x
}

// Walking has objects of more than held bytes read by Record.Long, whatever their length, and values of them held that have up to most
// bytes. They are not looked at before: a fault in one ends the body.
func (x *Records) Walking(held, most int) *Records {
	x.walks, x.in.most = held, max(x.in.most, most)
	return x
}

// Next returns the next record; io.EOF after the last one; a *SyntaxError where the body cannot be read further; or r's error, as it is.
// After an error it returns the same one again.
func (x *Records) Next() (Record, error) {
	if x.failed != nil {
		return Record{}, x.failed
	}
	record, err := x.next()
	if err != nil {
		x.failed = err
		x.in.buf, x.head = nil, nil
		return Record{}, err
	}
	x.line++
	record.Line = x.line
	return record, nil
}

func (x *Records) next() (Record, error) {
	x.head = nil
	if err := x.begin(); err != nil {
		return Record{}, err
	}
	for {
		c, err := x.space()
		switch {
		case x.array != noArray && errors.Is(err, io.EOF):
			return Record{}, &SyntaxError{Offset: x.in.offset, Reason: "the body ends within an array"}
		case err != nil:
			return Record{}, err
		case x.array == noArray && c != '[':
			return x.value()
		case x.array == noArray:
			x.share()
			x.array = afterBracket
		case c == ']' && x.array != afterComma:
			x.array = noArray
		case c == ',' && x.array == afterElement:
			x.array = afterComma
		case x.array == afterElement:
			return Record{}, x.syntax(0, "expected ',' or ']'")
		default:
			x.array = afterElement
			return x.element()
		}
		x.in.Take(1)
	}
}

// begin passes what comes before the next record and is no white space: the byte order mark, or the rest of a bad record's line.
func (x *Records) begin() error {
	for !x.begun {
		const mark = "\ufeff"
		held := x.in.Held()
		if n := min(len(held), len(mark)); string(held[:n]) != mark[:n] {
			x.begun = true
		} else if n == len(mark) {
			x.in.Take(n)
			x.begun = true
		} else if err := x.in.More(); errors.Is(err, io.EOF) {
			x.begun = true
		} else if err != nil {
			return err
		}
	}
	for x.skipping {
		held := len(x.in.Held())
		if at := x.in.newline(held); at >= 0 {
			x.in.Take(at)
			x.skipping = false
			break
		}
		x.in.Take(held)
		if err := x.in.More(); err != nil {
			return err
		}
	}
	return nil
}

// space passes white space, and returns the byte after it.
func (x *Records) space() (byte, error) {
	for {
		for i, c := range x.in.Held() {
			if !isSpace(c) {
				x.in.Take(i)
				return c, nil
			}
			if c == '\n' {
				x.shares = false
			}
		}
		x.in.Take(len(x.in.Held()))
		if err := x.in.More(); err != nil {
			return 0, err
		}
	}
}

// share notes that a value begins on this line.
func (x *Records) share() {
	if x.shares {
		x.loose = true
	}
	x.shares = true
}

// element returns the element of an array that begins here.
func (x *Records) element() (Record, error) {
	e, err := x.extent()
	if err != nil {
		return Record{}, err
	}
	if e.walks {
		return x.long(e), nil
	}
	if e.verdict != ended {
		return Record{}, x.syntax(e.size, "")
	}
	return x.whole(e, x.check(e)), nil
}

// long returns an object that is to be walked.
func (x *Records) long(e extent) Record {
	return Record{Data: x.in.Held()[:min(e.size, x.kept)], Long: NewWalker(&x.in)}
}

// wholeLine takes the rest of the line if that is held, and is an object: the usual case, which extent would come to more slowly.
func (x *Records) wholeLine() (Record, bool) {
	held := x.in.Held()
	if held[0] != '{' || x.loose || x.shares {
		return Record{}, false
	}
	size := x.in.newline(len(held))
	if size < 0 || x.walks > 0 && size > x.walks {
		return Record{}, false
	}
	data := bytes.TrimRight(held[:size], " \t\r")
	if len(data) > x.longest || jsonscan.Valid(data) != nil {
		return Record{}, false
	}
	x.share()
	x.in.Take(size)
	return Record{Data: data}, true
}

// value returns the value outside of an array that begins here.
func (x *Records) value() (Record, error) {
	if record, ok := x.wholeLine(); ok {
		return record, nil
	}
	e, err := x.extent()
	if err != nil {
		return Record{}, err
	}
	if e.walks {
		x.share()
		return x.long(e), nil
	}
	if e.verdict != ended {
		return x.broken(e)
	}
	problem := x.check(e)
	if !e.long && !x.loose {
		scalar := scalarBytes[x.in.Held()[0]]
		if next := x.following(e.size); next != 0 && !beginsValue(next) || problem != nil && scalar {
			return x.badLine()
		}
		x.loose = x.in.newline(e.size) >= 0
	}
	x.share()
	return x.whole(e, problem), nil
}

// check returns what is wrong with a value whose end was found, nil if nothing is.
func (x *Records) check(e extent) error {
	if e.long {
		return &RecordError{Code: TooLong, Detail: fmt.Sprintf("the record has more than %d bytes", x.longest)}
	}
	if err := jsonscan.Valid(x.in.Held()[:e.size]); err != nil {
		return &RecordError{Code: InvalidJSON, Detail: err.Error()}
	}
	return nil
}

// whole takes a value whose end was found.
func (x *Records) whole(e extent, problem error) Record {
	data := x.in.Held()[:e.size]
	x.in.Take(e.size)
	if problem != nil {
		if x.head != nil {
			data = x.head
		}
		data = data[:min(len(data), x.kept)]
	}
	return Record{Data: data, Err: problem}
}

// following returns the next byte after a value that is on the same line and no white space, 0 if there is none.
func (x *Records) following(size int) byte {
	for at := size; at < size+maxGap; at++ {
		if at == len(x.in.Held()) && x.in.More() != nil {
			return 0 // the error comes again, after this value
		}
		if c := x.in.Held()[at]; c == '\n' {
			return 0
		} else if !isSpace(c) {
			return c
		}
	}
	return 0
}

func beginsValue(c byte) bool {
	return c == '{' || c == '[' || c == '"' || c == '-' || c-'0' <= 9 || c == 't' || c == 'f' || c == 'n'
}

// broken returns the line of a value that is not JSON as a bad record, or the error that ends the body.
func (x *Records) broken(e extent) (Record, error) {
	if x.loose || e.lost {
		return Record{}, x.syntax(e.size, "")
	}
	lineEnd := x.in.newline(e.size)
	if e.second || lineEnd >= 0 { // if the value's first line was dropped, so was its end
		rest := x.in.Held()[:e.size]
		if !e.second {
			rest = rest[lineEnd+1:]
		}
		// Lines begin with an object. What else follows belongs to a value of several lines, unless nothing of it does.
		follows := len(bytes.TrimSpace(rest)) > 0
		if len(rest) > x.longest || follows && rest[0] != '{' {
			return Record{}, x.syntax(e.size, "")
		}
		x.singly = x.singly || follows
	}
	if x.head != nil {
		x.skipping = !e.second
		line, _, _ := bytes.Cut(x.head, []byte{'\n'})
		return x.notJSON(line), nil
	}
	return x.badLine()
}

// badLine returns what is left of the line as a bad record.
func (x *Records) badLine() (Record, error) {
	size := 0
	for {
		held := x.in.Held()
		if at := bytes.IndexByte(held[size:], '\n'); at >= 0 {
			size += at
			break
		}
		if size = len(held); size >= x.kept {
			x.skipping = true
			break
		}
		if err := x.in.More(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return Record{}, err
		}
	}
	line := x.in.Held()[:min(size, x.kept)]
	x.in.Take(size)
	return x.notJSON(line), nil
}

// notJSON is the bad record for a line, of which these are the first bytes.
func (x *Records) notJSON(line []byte) Record {
	data := bytes.TrimRight(line, " \t\r")
	detail := "the line is not valid JSON"
	var syntax *jsonscan.SyntaxError
	if whole := len(line) < x.kept; errors.As(jsonscan.Valid(data), &syntax) && (whole || syntax.Offset < len(data)) {
		detail = syntax.Error()
	}
	return Record{Data: data, Err: &RecordError{Code: InvalidJSON, Detail: detail}}
}

// syntax is the error that ends a body at the byte that comes after so many of those that are held.
func (x *Records) syntax(at int, expected string) error {
	held := x.in.Held()
	e := &SyntaxError{Offset: x.in.offset + int64(at), Reason: "the body ends within a value"}
	if at < len(held) {
		e.Reason = fmt.Sprintf("found %q", held[at:at+1])
		if expected != "" {
			e.Reason += ", " + expected
		}
	}
	return e
}
