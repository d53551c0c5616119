package framing

import (
	"bytes"
	"cmp"
	"errors"
	"io"
)

const (
	// firstBuffer is enough for most bodies of one record, of which a server may read thousands at a time.
	firstBuffer = 4 << 10
	// usualBuffer is what is read at a time from a longer body.
	usualBuffer = 32 << 10
	// largeBuffer is followed by the largest: to double once more, both at once, would take half as much again.
	largeBuffer = 4 << 20
	// largeReads is how often a buffer is filled that is larger than what it holds needs, before it is replaced by a smaller one.
	largeReads = 8
	// maxEmptyReads of a reader that returns neither bytes nor an error are as many as bufio allows.
	maxEmptyReads = 100
)

// Window is the part of a body that is held: what has been read and not taken. It is small until more has to be held at once, and soon
// after that again. It is for one goroutine.
type Window struct {
	r          io.Reader
	buf        []byte
	start, end int                     // what is held
	offset     int64                   // of what is held, in the body
	err        error                   // of r
	most       int                     // bytes that may have to be held
	wanted     int                     // bytes that are known to be wanted; 0 for unknown
	idle       int                     // reads into a buffer that is larger than needed
	book       func(bytes int64) error // nil: memory is not accounted for
	spool      *Spool                  // gets what is let go of; nil for none
}

// NewWindow returns a window on r, for a reader that takes what it has before it asks for more than most bytes at once. book is called with
// how many bytes the window is going to take, before it takes them; nil: with none. Its error ends the body.
func NewWindow(r io.Reader, most int, book func(bytes int64) error) *Window {
	return &Window{r: r, most: most, book: book}
}

// Held is valid until more is read.
func (w *Window) Held() []byte { return w.buf[w.start:w.end] }

// Offset is where in the body what is held begins, in bytes.
func (w *Window) Offset() int64 { return w.offset }

// Copy has what is let go of written to a spool, until it is called with nil.
func (w *Window) Copy(to *Spool) {
	if w.spool = to; to != nil {
		to.offset = w.offset
	}
}

// Take lets go of the first n bytes that are held.
func (w *Window) Take(n int) {
	if w.spool != nil {
		w.spool.write(w.buf[w.start : w.start+n])
	}
	w.start += n
	w.offset += int64(n)
}

// Skip lets go of the next n bytes, held or not. The error is r's: io.EOF where there are fewer.
func (w *Window) Skip(n int64) error {
	for {
		held := min(n, int64(w.end-w.start))
		w.Take(int(held))
		if n -= held; n == 0 {
			return nil
		}
		if err := w.More(); err != nil {
			return err
		}
	}
}

// Peek returns what is held: at least n bytes, or all there are before the body's end. The error is r's.
func (w *Window) Peek(n int) ([]byte, error) {
	for w.wanted = n; w.end-w.start < n; {
		if err := w.More(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
	}
	w.wanted = 0
	return w.Held(), nil
}

// More reads at least one more byte. Its error is r's, or that of a spool, and stays.
func (w *Window) More() error {
	if w.err == nil && w.spool != nil {
		w.err = w.spool.err
	}
	if w.err != nil {
		return w.err
	}
	if w.err = w.makeRoom(); w.err != nil {
		return w.err
	}
	for range maxEmptyReads {
		n, err := w.r.Read(w.buf[w.end:])
		w.end += n
		w.err = err
		if n > 0 {
			return nil
		} else if err != nil {
			return err
		}
	}
	w.err = io.ErrNoProgress
	return w.err
}

// makeRoom makes room for at least one byte after what is held. Its error is that of book.
func (w *Window) makeRoom() error {
	size, held := len(w.buf), w.end-w.start
	switch {
	case size == 0:
		return w.resize(firstBuffer)
	case size > usualBuffer && held < usualBuffer/2:
		if w.idle++; w.idle > largeReads {
			return w.resize(usualBuffer)
		}
		return w.resize(size)
	case w.end < size:
		return nil
	case size < usualBuffer || held > size/2 && size < w.most+usualBuffer:
		next := max(2*size, usualBuffer)
		if next > largeBuffer {
			next = cmp.Or(w.wanted, w.most) + usualBuffer
		}
		return w.resize(min(next, w.most+usualBuffer))
	default:
		return w.resize(size)
	}
}

// resize moves what is held to the start of a buffer of that size.
func (w *Window) resize(size int) error {
	buf, old := w.buf, len(w.buf)
	if old != size {
		if err := w.reserve(size + old); err != nil { // both are there for a moment
			return err
		}
		buf, w.idle = make([]byte, size), 0
	}
	w.end = copy(buf, w.Held())
	w.start, w.buf = 0, buf
	if old != size {
		return w.reserve(size)
	}
	return nil
}

func (w *Window) reserve(size int) error {
	if w.book == nil {
		return nil
	}
	return w.book(int64(size))
}

// newline returns the place of the first newline among the first n bytes that are held, -1 if there is none.
func (w *Window) newline(n int) int { return bytes.IndexByte(w.buf[w.start:w.start+n], '\n') }
