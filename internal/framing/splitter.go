package framing

import (
	"encoding/binary"
	"math/bits"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// state is what a splitter expects next.
type state uint8

const (
	wantValue   state = iota
	wantFirst         // the first element of an array, or its end
	wantName          // a member's name
	wantMember        // the first member of an object, or its end
	wantColon         //
	wantNext          // a comma, or the end of what is open
	inString          //
	inEscape          // after a backslash
	inScalar          // in a number or a word
	beyondDepth       // deeper than is checked: brackets are counted, nothing else
)

// verdict is what a splitter says of the bytes that it was shown.
type verdict uint8

const (
	goesOn verdict = iota
	ended          // the value is complete
	broken         // the next byte cannot follow
)

// splitter finds where one JSON value ends, in bytes that come piece by piece. It checks the structure: brackets, commas, colons, names,
// and that strings hold no control characters. What numbers, words and strings are made of is left to jsonscan, once the value is
// complete. The zero value is ready.
type splitter struct {
	state  state
	name   bool // the string is a member's name
	beyond bool // the string is deeper than is checked
	depth  int
	object [jsonscan.MaxDepth/64 + 1]uint64 // a bit for each open value: it is an object
}

// scan reads data, the value's next bytes, and returns how many of them belong to it. A number or a word at the top ends before the byte
// that follows it; the value must not be shown more after it ended or broke.
func (s *splitter) scan(data []byte) (int, verdict) {
	for i := 0; i < len(data); {
		c := data[i]
		switch s.state {
		case inString:
			if i += plainBytes(data[i:]); i == len(data) {
				return i, goesOn
			}
			switch data[i] {
			case '"':
				s.endString()
			case '\\':
				s.state = inEscape
			default:
				return i, broken
			}
			i++
		case inEscape:
			if c < ' ' {
				return i, broken
			}
			s.state = inString
			i++
		case inScalar:
			for i < len(data) && scalarBytes[data[i]] {
				i++
			}
			if i == len(data) {
				return i, goesOn
			}
			s.state = wantNext
		case beyondDepth:
			s.pass(c)
			i++
		default:
			if isSpace(c) {
				i++
				continue
			}
			if !s.step(c) {
				return i, broken
			}
			i++
		}
		if s.depth == 0 && s.state == wantNext {
			return i, ended
		}
	}
	return len(data), goesOn
}

// end reports whether the value is complete if no byte follows.
func (s *splitter) end() bool { return s.depth == 0 && s.state == inScalar }

// step reads a byte between strings and scalars that is no white space.
func (s *splitter) step(c byte) bool {
	switch s.state {
	case wantFirst:
		if c == ']' {
			s.close()
			return true
		}
		return s.begin(c)
	case wantValue:
		return s.begin(c)
	case wantMember, wantName:
		switch {
		case c == '"':
			s.state, s.name = inString, true
		case c == '}' && s.state == wantMember:
			s.close()
		default:
			return false
		}
		return true
	case wantColon:
		s.state = wantValue
		return c == ':'
	case wantNext:
		object := s.inObject()
		switch {
		case c == ',' && object:
			s.state = wantName
		case c == ',':
			s.state = wantValue
		case c == '}' && object, c == ']' && !object:
			s.close()
		default:
			return false
		}
		return true
	default:
		return false
	}
}

// begin reads the first byte of a value.
func (s *splitter) begin(c byte) bool {
	switch {
	case c == '{':
		s.open(wantMember)
	case c == '[':
		s.open(wantFirst)
	case c == '"':
		s.state, s.name = inString, false
	case scalarBytes[c]:
		s.state = inScalar
	default:
		return false
	}
	return true
}

func (s *splitter) open(first state) {
	if s.depth++; s.depth > jsonscan.MaxDepth {
		s.state = beyondDepth
		return
	}
	bit := uint64(1) << (s.depth % 64)
	if s.object[s.depth/64] &^= bit; first == wantMember {
		s.object[s.depth/64] |= bit
	}
	s.state = first
}

func (s *splitter) inObject() bool { return s.object[s.depth/64]>>(s.depth%64)&1 == 1 }

func (s *splitter) close() {
	s.depth--
	s.state = wantNext
}

func (s *splitter) endString() {
	switch {
	case s.beyond:
		s.state, s.beyond = beyondDepth, false
	case s.name:
		s.state, s.name = wantColon, false
	default:
		s.state = wantNext
	}
}

// pass reads a byte of what is nested too deep: jsonscan will refuse the value, but the next one can be found.
func (s *splitter) pass(c byte) {
	switch c {
	case '"':
		s.state, s.beyond = inString, true
	case '{', '[':
		s.depth++
	case '}', ']':
		if s.depth--; s.depth == jsonscan.MaxDepth {
			s.state = wantNext
		}
	}
}

// scalarBytes are those of numbers, true, false and null, and of what people write instead, such as NaN: one wrong value, not many.
var scalarBytes = func() (set [256]bool) {
	for _, c := range []byte("+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz") {
		set[c] = true
	}
	return set
}()

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// eight repeats a byte eight times.
const eight = 0x0101010101010101

// plainBytes counts the bytes before the first that ends, escapes or breaks a string.
func plainBytes(data []byte) int {
	i := 0
	for ; i+8 <= len(data); i += 8 {
		w := binary.LittleEndian.Uint64(data[i:])
		quote, backslash := w^'"'*eight, w^'\\'*eight
		// The lowest mark is right: a subtraction borrows only from the bytes above one that is marked.
		marks := ((w-0x20*eight)&^w | (quote-eight)&^quote | (backslash-eight)&^backslash) & (0x80 * eight)
		if marks != 0 {
			return i + bits.TrailingZeros64(marks)/8
		}
	}
	for i < len(data) && data[i] >= ' ' && data[i] != '"' && data[i] != '\\' {
		i++
	}
	return i
}
