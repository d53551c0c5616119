package jsonscan

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// scanner reads one document. Its methods take the offset to read at, and return the offset after what they read, or set err
// and return failed.
type scanner struct {
	data   []byte
	values []Value
	err    *SyntaxError
}

const failed = -1

func (s *scanner) document(root *node) error {
	i := s.value(s.space(0), 0, root)
	if i < 0 {
		return s.err
	}
	return s.end(i)
}

// end checks that only white space is left.
func (s *scanner) end(i int) error {
	if i = s.space(i); i < len(s.data) {
		s.unexpected(i, "nothing after the document")
		return s.err
	}
	return nil
}

// value reads the value at i, nested in depth arrays and objects; n is its node, nil if no pointer leads to it.
func (s *scanner) value(i, depth int, n *node) int {
	if i >= len(s.data) {
		return s.unexpected(i, "a value")
	}
	var (
		end     int
		kind    Kind
		escaped bool
	)
	switch c := s.data[i]; c {
	case '"':
		kind = String
		end, escaped = s.str(i)
	case '{':
		kind = Object
		end = s.object(i, depth+1, n)
	case '[':
		kind = Array
		end = s.array(i, depth+1, n)
	case 't':
		kind = True
		end = s.literal(i, "true")
	case 'f':
		kind = False
		end = s.literal(i, "false")
	case 'n':
		kind = Null
		end = s.literal(i, "null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		kind = Number
		end = s.number(i)
	default:
		return s.unexpected(i, "a value")
	}
	if n != nil && len(n.targets) > 0 && end >= 0 {
		s.found(n, kind, s.data[i:end], escaped)
	}
	return end
}

// found stores the value with that source text for every pointer that ends at n.
func (s *scanner) found(n *node, kind Kind, text []byte, escaped bool) {
	v := Value{Kind: kind, Text: text}
	switch {
	case kind == Number:
		v.Number = float(text)
	case kind == String && escaped:
		v.Text = Unescape(text[1 : len(text)-1])
	case kind == String:
		v.Text = text[1 : len(text)-1]
	}
	for _, target := range n.targets {
		s.values[target] = v
	}
}

func (s *scanner) object(i, depth int, n *node) int {
	if depth > MaxDepth {
		return s.tooDeep(i)
	}
	i = s.space(i + 1)
	if i < len(s.data) && s.data[i] == '}' {
		return i + 1
	}
	for {
		if i >= len(s.data) || s.data[i] != '"' {
			return s.unexpected(i, "a member name in quotes")
		}
		end, escaped := s.str(i)
		if end < 0 {
			return failed
		}
		var child *node
		if n != nil {
			child = s.member(n, s.data[i+1:end-1], escaped)
		}
		if i = s.space(end); i >= len(s.data) || s.data[i] != ':' {
			return s.unexpected(i, "':' after the member name")
		}
		if i = s.value(s.space(i+1), depth, child); i < 0 {
			return failed
		}
		if i = s.space(i); i >= len(s.data) {
			return s.unexpected(i, "',' or '}'")
		}
		switch s.data[i] {
		case ',':
			i = s.space(i + 1)
		case '}':
			return i + 1
		default:
			return s.unexpected(i, "',' or '}'")
		}
	}
}

// member returns the node of a member, and clears the values of an earlier member of the same name: the last one
// counts.
func (s *scanner) member(n *node, name []byte, escaped bool) *node {
	if escaped {
		name = Unescape(name)
	}
	child := n.member(name)
	if child == nil {
		return nil
	}
	for _, target := range child.below {
		s.values[target] = Value{}
	}
	return child
}

func (s *scanner) array(i, depth int, n *node) int {
	if depth > MaxDepth {
		return s.tooDeep(i)
	}
	i = s.space(i + 1)
	if i < len(s.data) && s.data[i] == ']' {
		return i + 1
	}
	for index := 0; ; index++ {
		var child *node
		if n != nil {
			child = n.element(index)
		}
		if i = s.value(i, depth, child); i < 0 {
			return failed
		}
		if i = s.space(i); i >= len(s.data) {
			return s.unexpected(i, "',' or ']'")
		}
		switch s.data[i] {
		case ',':
			i = s.space(i + 1)
		case ']':
			return i + 1
		default:
			return s.unexpected(i, "',' or ']'")
		}
	}
}

// eight repeats a byte eight times.
const eight = 0x0101010101010101

// str reads the string whose opening quote is at i, and reports whether it contains escapes.
func (s *scanner) str(i int) (end int, escaped bool) {
	data := s.data
	i++
	for {
		// Skip plain bytes, eight at a time: all but control characters, '"', '\' and bytes that are not ASCII. A subtraction
		// may borrow from the bytes above the first special one, so only the lowest mark counts.
		for i+8 <= len(data) {
			w := binary.LittleEndian.Uint64(data[i:])
			marks := (w | (w - 0x20*eight) | ((w ^ '"'*eight) - eight) | ((w ^ '\\'*eight) - eight)) & (0x80 * eight)
			if marks != 0 {
				i += bits.TrailingZeros64(marks) / 8
				break
			}
			i += 8
		}
		if i >= len(data) {
			return s.fail(i, "the string is not closed"), false
		}
		switch c := data[i]; {
		case c == '"':
			return i + 1, escaped
		case c == '\\':
			escaped = true
			if i = s.escape(i); i < 0 {
				return failed, false
			}
		case c < 0x20:
			return s.fail(i, fmt.Sprintf("control character 0x%02x in a string; write it as \\u%04x", c, c)), false
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && size <= 1 {
				return s.fail(i, fmt.Sprintf("byte 0x%02x is not valid UTF-8", c)), false
			}
			i += size
		}
	}
}

// escape reads the escape whose backslash is at i.
func (s *scanner) escape(i int) int {
	if i+1 >= len(s.data) {
		return s.fail(i+1, "the string is not closed")
	}
	switch s.data[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		for j := i + 2; j < i+6; j++ {
			if j >= len(s.data) || !isHex(s.data[j]) {
				return s.unexpected(j, "four hexadecimal digits after \\u")
			}
		}
		return i + 6
	default:
		return s.unexpected(i+1, `one of "\/bfnrtu after a backslash`)
	}
}

func (s *scanner) number(i int) int {
	data := s.data
	if data[i] == '-' {
		i++
	}
	switch {
	case i < len(data) && data[i] == '0':
		i++
	case i < len(data) && isDigit(data[i]):
		i = digits(data, i)
	default:
		return s.unexpected(i, "a digit after '-'")
	}
	if i < len(data) && data[i] == '.' {
		if i++; i >= len(data) || !isDigit(data[i]) {
			return s.unexpected(i, "a digit after the decimal point")
		}
		i = digits(data, i)
	}
	if i < len(data) && (data[i] == 'e' || data[i] == 'E') {
		if i++; i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		if i >= len(data) || !isDigit(data[i]) {
			return s.unexpected(i, "a digit in the exponent")
		}
		i = digits(data, i)
	}
	return i
}

func (s *scanner) literal(i int, word string) int {
	end := i + len(word)
	if end > len(s.data) || string(s.data[i:end]) != word {
		return s.unexpected(i, "a value")
	}
	return end
}

func (s *scanner) space(i int) int {
	for i < len(s.data) && s.data[i] <= ' ' {
		switch s.data[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

func (s *scanner) tooDeep(i int) int {
	return s.fail(i, fmt.Sprintf("nested deeper than %d arrays and objects", MaxDepth))
}

// unexpected fails with what is at i and what was expected.
func (s *scanner) unexpected(i int, want string) int {
	switch {
	case i >= len(s.data):
		return s.fail(len(s.data), "the document ends where "+want+" is expected")
	case s.data[i] > ' ' && s.data[i] < 0x7f:
		return s.fail(i, fmt.Sprintf("found '%c', expected %s", s.data[i], want))
	default:
		return s.fail(i, fmt.Sprintf("found byte 0x%02x, expected %s", s.data[i], want))
	}
}

func (s *scanner) fail(i int, reason string) int {
	s.err = &SyntaxError{Offset: i, Reason: reason}
	return failed
}

func digits(data []byte, i int) int {
	for i < len(data) && isDigit(data[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
