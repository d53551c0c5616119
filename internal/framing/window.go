package framing

import (
	"bytes"
	"io"
)

const (
	// firstBuffer is enough for most bodies of one record, of which a server may read thousands at a time.
	firstBuffer = 4 << 10
	// usualBuffer is what is read at a time from a longer body.
	usualBuffer = 32 << 10
	// largeReads is how often a buffer is filled that is larger than what it holds needs, before it is replaced by a smaller one.
	largeReads = 8
	// maxEmptyReads of a reader that returns neither bytes nor an error are as many as bufio allows.
	maxEmptyReads = 100
)

// window is the part of a body that is held: what has been read and not taken.
type window struct {
	r          io.Reader
	buf        []byte
	start, end int                     // what is held
	offset     int64                   // of what is held, in the body
	err        error                   // of r
	most       int                     // bytes that may have to be held
	idle       int                     // reads into a buffer that is larger than needed
	book       func(bytes int64) error // nil: memory is not accounted for
}

// held is valid until more is called.
func (w *window) held() []byte { return w.buf[w.start:w.end] }

// take lets go of the first n bytes.
func (w *window) take(n int) {
	w.start += n
	w.offset += int64(n)
}

// more reads at least one more byte. Its error is r's, and stays.
func (w *window) more() error {
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
func (w *window) makeRoom() error {
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
		return w.resize(min(max(2*size, usualBuffer), w.most+usualBuffer))
	default:
		return w.resize(size)
	}
}

// resize moves what is held to the start of a buffer of that size.
func (w *window) resize(size int) error {
	buf := w.buf
	if len(buf) != size {
		if w.book != nil {
			if err := w.book(int64(size + len(buf))); err != nil { // both are there for a moment
				return err
			}
		}
		buf, w.idle = make([]byte, size), 0
	}
	w.end = copy(buf, w.held())
	w.start, w.buf = 0, buf
	return nil
}

// newline returns the place of the first newline among the first n bytes that are held, -1 if there is none.
func (w *window) newline(n int) int { return bytes.IndexByte(w.buf[w.start:w.start+n], '\n') }
