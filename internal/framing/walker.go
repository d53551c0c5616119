package framing

import (
	"bytes"
	"errors"
	"io"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

const (
	// maxName bounds the names that a Walker returns, in bytes, with quotes and escapes: of 1 KiB if each byte is escaped.
	maxName = 8 << 10
	// checkedSkip bounds the values that are checked though they are skipped, in bytes.
	checkedSkip = usualBuffer
)

// Walker reads a body that is one JSON value from the outside to the inside: it enters objects and arrays, and returns or skips the values
// in them, without holding what is around them. What it returns is valid JSON; of what it skips, a value of more than 32 KiB is checked for
// its structure alone. An error is a *SyntaxError or the window's, and there is nothing to be read after one. It is for one goroutine.
type Walker struct {
	in   *Window
	open []nest
	name []byte
}

// nest is an object or an array that has been entered.
type nest struct{ array, begun bool }

// NewWalker returns a walker that stands before the value.
func NewWalker(in *Window) *Walker { return &Walker{in: in} }

// First returns the first byte of the value that is next, which tells its kind.
func (w *Walker) First() (byte, error) {
	for {
		for i, c := range w.in.Held() {
			if !isSpace(c) {
				w.in.Take(i)
				return c, nil
			}
		}
		w.in.Take(len(w.in.Held()))
		if err := w.in.More(); errors.Is(err, io.EOF) {
			return 0, w.syntax(0, "the body ends within a value")
		} else if err != nil {
			return 0, err
		}
	}
}

// FirstName returns the name of the first member of the object that is next, which is not entered, until the next call; nil where the first
// 4 KiB of the object do not hold one.
func (w *Walker) FirstName() ([]byte, error) {
	if c, err := w.First(); err != nil || c != '{' {
		return nil, err
	}
	held, err := w.in.Peek(firstBuffer)
	if err != nil {
		return nil, err
	}
	rest := bytes.TrimLeft(held[1:min(len(held), firstBuffer)], " \t\r\n")
	if len(rest) == 0 || rest[0] != '"' {
		return nil, nil
	}
	var s splitter
	n, verdict := s.scan(rest)
	if verdict != ended || jsonscan.Valid(rest[:n]) != nil {
		return nil, nil
	}
	return rest[:n], nil
}

// Enter enters the object or array that is next.
func (w *Walker) Enter() error {
	c, err := w.First()
	switch {
	case err != nil:
		return err
	case c != '{' && c != '[':
		return w.syntax(0, "expected an object or an array")
	}
	w.in.Take(1)
	w.open = append(w.open, nest{array: c == '['})
	return nil
}

// Next goes to the next member or element of what was entered last, and leaves it where there is none: then more is false. The value
// before must have been read, skipped, or entered and left. The name of a member is as in the body, with its quotes, and valid until the
// next call; "" stands for one of more than 8 KiB.
func (w *Walker) Next() (name []byte, more bool, _ error) {
	in := &w.open[len(w.open)-1]
	c, err := w.First()
	if err != nil {
		return nil, false, err
	}
	if end := c == '}' && !in.array || c == ']' && in.array; end {
		w.in.Take(1)
		w.open = w.open[:len(w.open)-1]
		return nil, false, nil
	}
	if in.begun {
		if c != ',' {
			return nil, false, w.syntax(0, "expected ',' or the end of what is open")
		}
		w.in.Take(1)
	}
	in.begun = true
	if in.array {
		return nil, true, nil
	}
	return w.member()
}

// member reads a member's name and its colon.
func (w *Walker) member() (name []byte, more bool, _ error) {
	c, err := w.First()
	if err == nil && c != '"' {
		err = w.syntax(0, "expected a name")
	}
	if err != nil {
		return nil, false, err
	}
	name, whole, err := w.Value(maxName)
	if err == nil && !whole {
		name, err = []byte(`""`), w.Skip()
	}
	if err != nil {
		return nil, false, err
	}
	w.name = append(w.name[:0], name...)
	if c, err = w.First(); err == nil && c != ':' {
		err = w.syntax(0, "expected ':'")
	}
	if err != nil {
		return nil, false, err
	}
	w.in.Take(1)
	return w.name, true, nil
}

// Value returns the value that is next, until the next call. Where it has more than most bytes it is not whole, and still next.
func (w *Walker) Value(most int) (value []byte, whole bool, _ error) {
	if _, err := w.First(); err != nil {
		return nil, false, err
	}
	var s splitter
	for size := 0; ; {
		n, verdict := s.scan(w.in.Held()[size:])
		size += n
		switch {
		case verdict == broken:
			return nil, false, w.syntax(size, "unexpected byte")
		case size > most:
			return nil, false, nil
		case verdict == goesOn:
			err := w.in.More()
			if err == nil {
				continue
			} else if !errors.Is(err, io.EOF) {
				return nil, false, err
			} else if !s.end() {
				return nil, false, w.syntax(size, "the body ends within a value")
			}
		}
		value = w.in.Held()[:size:size]
		var syntax *jsonscan.SyntaxError
		if err := jsonscan.Valid(value); errors.As(err, &syntax) {
			return nil, false, w.syntax(syntax.Offset, syntax.Reason)
		}
		w.in.Take(size)
		return value, true, nil
	}
}

// Skip skips the value that is next.
func (w *Walker) Skip() error {
	if _, whole, err := w.Value(checkedSkip); err != nil || whole {
		return err
	}
	var s splitter
	for {
		n, verdict := s.scan(w.in.Held())
		if verdict == broken {
			return w.syntax(n, "unexpected byte")
		}
		w.in.Take(n)
		if verdict == ended {
			return nil
		}
		if err := w.in.More(); errors.Is(err, io.EOF) {
			if s.end() {
				return nil
			}
			return w.syntax(0, "the body ends within a value")
		} else if err != nil {
			return err
		}
	}
}

// End reads to the body's end, after the value.
func (w *Walker) End() error {
	for {
		for i, c := range w.in.Held() {
			if !isSpace(c) {
				return w.syntax(i, "something follows the value")
			}
		}
		w.in.Take(len(w.in.Held()))
		if err := w.in.More(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// syntax is an error at so many bytes from what is held.
func (w *Walker) syntax(at int, reason string) error {
	return &SyntaxError{Offset: w.in.offset + int64(at), Reason: reason}
}
