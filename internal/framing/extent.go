package framing

import (
	"bytes"
	"errors"
	"io"
)

// extent is how far the value goes that begins where the window does.
type extent struct {
	size    int // bytes of it that are held
	verdict verdict
	long    bool // it is longer than allowed; the window holds only its end
	second  bool // it is long, and the window begins with its second line
	lost    bool // it is long, and its second line is no longer held
	walks   bool // it is to be walked, and the window holds all of size
}

// extent reads to the end of a value, or to where it breaks. The verdict is goesOn where the body ends within it. Of a value that is too
// long it keeps the first bytes in head, and, outside of arrays, what comes after its first line: if that line turns out to be broken, the
// next one is a record of its own.
func (x *Records) extent() (extent, error) {
	var (
		s splitter
		e extent
	)
	for {
		held := x.in.Held()
		if x.walks > 0 && held[0] == '{' { // whatever else has come by now
			held = held[:min(len(held), x.walks+1)]
		}
		n, verdict := s.scan(held[e.size:])
		if x.singly && x.array == noArray {
			if at := bytes.IndexByte(held[e.size:e.size+n], '\n'); at >= 0 {
				n, verdict = at, broken
			}
		}
		e.size += n
		if e.walks = x.walks > 0 && e.size > x.walks && held[0] == '{'; e.walks {
			return e, nil
		}
		e.long = e.long || e.size > x.longest
		if e.verdict = verdict; verdict != goesOn {
			return e, nil
		}
		if e.long {
			x.drop(&e)
		}
		if err := x.in.More(); errors.Is(err, io.EOF) {
			if s.end() {
				e.verdict = ended
			}
			return e, nil
		} else if err != nil {
			return e, err
		}
	}
}

// drop lets go of what has been read of a value that is too long.
func (x *Records) drop(e *extent) {
	held := x.in.Held()[:e.size]
	if x.head == nil {
		x.head = bytes.Clone(held[:min(len(held), x.kept)])
	}
	drop := len(held)
	switch {
	case x.array != noArray || x.loose || e.lost:
	case e.second && e.size <= x.longest:
		return
	case e.second:
		e.second, e.lost = false, true
	default:
		if at := bytes.IndexByte(held, '\n'); at >= 0 {
			e.second, drop = true, at+1
		}
	}
	x.in.Take(drop)
	e.size -= drop
}
