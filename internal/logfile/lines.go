package logfile

import (
	"bytes"
	"errors"
	"io"
)

// syntax is how a format of lines is cut into records, and what they mean.
type syntax interface {
	// end returns the number of bytes of the record at the beginning of data, with its line end; 0 while that is not there. The first
	// scanned bytes of data were passed before, and had none.
	end(data []byte, scanned int) int
	// object appends the record, which has no line end, to b as a JSON object. It returns nil for one that is no record of its own, such
	// as a header.
	object(b, record []byte) ([]byte, error)
}

const firstBuffer = 256 << 10

var byteOrderMark = []byte("\uFEFF")

var (
	errUnclosed = errors.New(`a quote is opened here and never closed: in CSV, a quote within a quoted field is written ""`)
	errGrown    = errors.New("this is the rest of a line that was read before it was complete: read files that others write to by --follow")
)

// lines reads records of a format of lines.
type lines struct {
	in      io.Reader
	syntax  syntax
	longest int

	buf      []byte
	from, to int // what is not consumed; before it are the last bytes that are
	scanned  int // of that, without a record's end
	final    bool
	ended    bool // all is read, and final
	at       Position
	wasOpen  bool     // the record that was consumed follows an open one
	long     []byte   // the beginning of a record that is too long, while its rest is left out
	before   Position // before that record
	object   []byte
	passing  bool
}

// newLines reads on from a position. window has the bytes before it.
func newLines(in io.Reader, s syntax, at Position, window []byte, longest int) *lines {
	r := &lines{in: in, syntax: s, longest: longest, at: at, buf: make([]byte, firstBuffer)}
	r.from = copy(r.buf, window)
	r.to = r.from
	return r
}

// Finish implements Records.
func (r *lines) Finish() { r.final = true }

// Position implements Records.
func (r *lines) Position() Position {
	if r.long != nil {
		return r.before
	}
	at := r.place()
	at.Window = windowOf(r.buf[max(0, r.from-windowBytes):r.from])
	return at
}

func (r *lines) pass(on bool) { r.passing = on }

func (r *lines) place() Position {
	if r.long != nil {
		return r.before
	}
	at := r.at
	if c, ok := r.syntax.(*csvSyntax); ok && c.columns != nil {
		at.Columns, at.Delimiter = c.columns, string([]byte{c.delimiter})
	}
	return at
}

// Next implements Records.
func (r *lines) Next() (Record, error) {
	for {
		first, line := r.at.Offset == 0, r.at.Lines+1
		raw, broken, err := r.read()
		if err != nil {
			return Record{}, err
		}
		if first {
			raw = bytes.TrimPrefix(raw, byteOrderMark)
		}
		raw = bytes.TrimRight(raw, "\r\n")
		if len(bytes.TrimSpace(raw)) == 0 {
			continue
		}
		r.at.Chain = r.at.Chain.next(raw)
		r.at.Records++
		record := Record{Line: line, ID: r.at.Chain.id()}
		switch {
		case r.wasOpen:
			record.Err = errGrown
		case broken != nil:
			record.Err = broken
		case r.passing && !r.isHeader():
			return record, nil
		default:
			record.Data, record.Err = r.syntax.object(r.object[:0], raw)
		}
		if useless := (*UselessError)(nil); errors.As(record.Err, &useless) {
			return Record{}, useless
		}
		if record.Err != nil {
			return record.unread(raw), nil
		}
		if record.Data != nil {
			r.object = record.Data
			return record, nil
		}
	}
}

// isHeader reports whether the next record names the columns.
func (r *lines) isHeader() bool {
	c, ok := r.syntax.(*csvSyntax)
	return ok && c.columns == nil
}

// read consumes the next record and returns it with its line end, and why it is none. A record that is too long is cut off.
func (r *lines) read() (raw []byte, broken, err error) {
	for {
		r.leaveOutHole()
		data := r.buf[r.from:r.to]
		if r.long == nil {
			n := r.syntax.end(data, r.scanned)
			if n > 0 && n <= r.longest {
				return r.consume(n), nil, nil
			}
			r.scanned = len(data)
			if len(data) > r.longest {
				if n := bytes.IndexByte(data, '\n') + 1; n > r.longest {
					return r.consume(n)[:min(keptOfLong, r.longest)], errTooLong, nil
				} else if n > 0 {
					return r.consume(n), errUnclosed, nil
				}
				r.before, r.long = r.Position(), bytes.Clone(data[:min(keptOfLong, r.longest)])
			}
		}
		if r.long != nil {
			n := bytes.IndexByte(data, '\n') + 1
			if n > 0 || r.ended {
				raw, r.long = r.long, nil
				if n == 0 {
					n = len(data)
				}
				r.consume(n)
				return raw, errTooLong, nil
			}
			r.consume(len(data))
		}
		if r.ended {
			if len(data) == 0 {
				return nil, nil, io.EOF
			}
			if n := bytes.IndexByte(data, '\n') + 1; n > 0 {
				return r.consume(n), errUnclosed, nil
			}
			raw = r.consume(len(data))
			r.at.Open = true
			return raw, nil, nil
		}
		if err := r.fill(); err != nil {
			if !errors.Is(err, io.EOF) || !r.final {
				return nil, nil, err
			}
			r.ended = true
		}
	}
}

// leaveOutHole passes zeros before a record: a writer that goes on at its old place in a file that was truncated leaves as many.
func (r *lines) leaveOutHole() {
	if r.scanned > 0 || r.long != nil {
		return
	}
	n := 0
	for n < r.to-r.from && r.buf[r.from+n] == 0 {
		n++
	}
	r.from += n
	r.at.Offset += int64(n)
}

func (r *lines) consume(n int) []byte {
	raw := r.buf[r.from : r.from+n]
	r.from += n
	r.scanned = 0
	r.wasOpen, r.at.Open = r.at.Open, false
	r.at.Offset += int64(n)
	r.at.Lines += int64(bytes.Count(raw, []byte{'\n'}))
	return raw
}

// fill reads more. It keeps a window of what is consumed.
func (r *lines) fill() error {
	if r.to == len(r.buf) {
		kept := max(0, r.from-windowBytes)
		if buf := r.buf; kept == 0 || r.to-kept > len(buf)/2 {
			r.buf = make([]byte, 2*len(buf))
			copy(r.buf, buf[kept:r.to])
		} else {
			copy(r.buf, buf[kept:r.to])
		}
		r.from, r.to = r.from-kept, r.to-kept
	}
	n, err := r.in.Read(r.buf[r.to:])
	r.to += n
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// plainLine is the end of a record in formats where each line is one.
func plainLine(data []byte, scanned int) int {
	i := bytes.IndexByte(data[scanned:], '\n')
	if i < 0 {
		return 0
	}
	return scanned + i + 1
}
