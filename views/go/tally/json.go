package tally

import (
	"bytes"
	"iter"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendString appends text as a JSON string: quoted and escaped. What PostgreSQL cannot hold in a text, and would refuse to read
// from the state, becomes U+FFFD: NUL, and each byte that is not UTF-8.
func AppendString(b []byte, text string) []byte {
	b = append(b, '"')
	plain := 0 // what is before has been appended
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= utf8.RuneSelf {
			if r, n := utf8.DecodeRuneInString(text[i:]); r != utf8.RuneError || n > 1 {
				i += n - 1
				continue
			}
		} else if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, text[plain:i]...)
		plain = i + 1
		switch {
		case c == 0 || c >= utf8.RuneSelf:
			b = utf8.AppendRune(b, utf8.RuneError)
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, '\\', c)
		}
	}
	b = append(b, text[plain:]...)
	return append(b, '"')
}

// shownBytes are enough to recognise what was sent.
const shownBytes = 60

// Shown returns a text for an error: quoted, cut to a few words, safe whatever bytes it has.
func Shown(text string) string {
	b := []byte{'"'}
	for shown := 0; text != ""; {
		r, n := utf8.DecodeRuneInString(text)
		broken := r == utf8.RuneError && n == 1
		switch {
		case shown > shownBytes, !broken && shown+n > shownBytes:
			return string(append(b, `..."`...))
		case broken, r < 0x20:
			b = append(b, '?')
		default:
			b = append(b, text[:n]...)
		}
		shown += n
		text = text[n:]
	}
	return string(append(b, '"'))
}

// Members iterates over the members of a JSON object, in its order: names unescaped, values as source text. ok is false
// where json is not an object. json must be valid, as all is that the server passes.
func Members(json string) (members iter.Seq2[string, string], ok bool) {
	rest := trimSpace(json)
	if rest == "" || rest[0] != '{' {
		return nil, false
	}
	return func(yield func(string, string) bool) {
		for rest := trimSpace(rest[1:]); rest != "" && rest[0] == '"'; {
			end := pastString(rest)
			name, _ := Unquote(rest[:end])
			rest = trimSpace(trimSpace(rest[end:])[1:]) // the colon
			end = pastValue(rest)
			if !yield(name, rest[:end]) {
				return
			}
			rest = trimSpace(rest[end:])
			if rest == "" || rest[0] != ',' {
				return
			}
			rest = trimSpace(rest[1:])
		}
	}, true
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func trimSpace(s string) string {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	return s
}

// pastString returns where the string that starts s ends.
func pastString(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(s)
}

// pastValue returns where the value that starts s ends.
func pastValue(s string) int {
	depth := 0
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '"':
			i += pastString(s[i:])
			if depth == 0 {
				return i
			}
			continue
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth <= 0 {
				return i + 1 + depth // the bracket around s, where there is one, is not part of it
			}
		case depth == 0 && (c == ',' || isSpace(c)):
			return i
		}
		i++
	}
	return len(s)
}

// Unquote returns the value of a JSON string's source text, quotes included; false if the text is not a string. A lone
// surrogate becomes U+FFFD.
func Unquote(source string) (value string, ok bool) {
	if len(source) < 2 || source[0] != '"' || source[len(source)-1] != '"' {
		return "", false
	}
	source = source[1 : len(source)-1]
	i := 0
	for i < len(source) && source[i] != '\\' {
		i++
	}
	if i == len(source) {
		return source, true
	}
	b := append(Room(len(source)), source[:i]...)
	for i < len(source) {
		if source[i] != '\\' {
			b = append(b, source[i])
			i++
			continue
		}
		var n int
		if b, n = appendEscape(b, source[i:]); n == 0 {
			return "", false
		}
		i += n
	}
	return NoCopy(b), true
}

// appendEscape appends what the escape stands for that starts s and returns its length; 0 if it is none.
func appendEscape(b []byte, s string) (_ []byte, n int) {
	if len(s) < 2 {
		return b, 0
	}
	switch c := s[1]; c {
	case '"', '\\', '/':
		return append(b, c), 2
	case 'b':
		return append(b, '\b'), 2
	case 'f':
		return append(b, '\f'), 2
	case 'n':
		return append(b, '\n'), 2
	case 'r':
		return append(b, '\r'), 2
	case 't':
		return append(b, '\t'), 2
	}
	unit, ok := codeUnit(s)
	if !ok {
		return b, 0
	}
	if low, ok := codeUnit(s[6:]); ok && unit>>10 == 0xD800>>10 && low>>10 == 0xDC00>>10 {
		return utf8.AppendRune(b, 0x10000+(unit&0x3FF)<<10+low&0x3FF), 12
	}
	return utf8.AppendRune(b, unit), 6 // U+FFFD for a surrogate
}

// storable gives JSON whose strings PostgreSQL can read: where an escape stands for NUL or for half of a surrogate pair alone, as those
// of an event may, it puts \ufffd. It changes nothing in value itself.
func storable(value []byte) []byte {
	own := false
	for i := 0; ; {
		next := bytes.IndexByte(value[i:], '\\')
		if next < 0 || i+next+2 > len(value) {
			return value
		}
		i += next
		unit, ok := codeUnit(NoCopy(value[i:]))
		if !ok {
			i += 2
			continue
		}
		if low, ok := codeUnit(NoCopy(value[i+6:])); ok && unit>>10 == 0xD800>>10 && low>>10 == 0xDC00>>10 {
			i += 12
			continue
		}
		if unit == 0 || unit>>11 == 0xD800>>11 {
			if !own {
				value, own = append(Room(len(value)), value...), true
			}
			copy(value[i:], `\ufffd`)
		}
		i += 6
	}
}

// codeUnit reads the escape of a UTF-16 code unit that starts s: \u and four hexadecimal digits.
func codeUnit(s string) (unit rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for i := 2; i < 6; i++ {
		digit := hexDigit(s[i])
		if digit < 0 {
			return 0, false
		}
		unit = unit<<4 | rune(digit)
	}
	return unit, true
}

// hexDigit returns the value of a hexadecimal digit, -1 for another character.
func hexDigit(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
