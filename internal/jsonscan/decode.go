package jsonscan

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Base64 returns the bytes that a string's text stands for, as protobuf's JSON and the envelopes of clouds have it: in either alphabet (RFC
// 4648), with or without padding, and with line ends. They take less room than the text.
func Base64(text []byte) ([]byte, error) {
	text = bytes.TrimRight(text, "=\r\n")
	encoding := base64.RawStdEncoding
	if bytes.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	decoded := make([]byte, encoding.DecodedLen(len(text)))
	n, err := encoding.Decode(decoded, text)
	return decoded[:n], err
}

// Unescape resolves the escapes of a string's checked source, which is what stands between its quotes. A surrogate without its partner
// becomes U+FFFD.
func Unescape(source []byte) []byte {
	out := make([]byte, 0, len(source)) // no escape stands for more bytes than it takes
	for {
		i := bytes.IndexByte(source, '\\')
		if i < 0 {
			return append(out, source...)
		}
		out = append(out, source[:i]...)
		c := source[i+1]
		source = source[i+2:]
		if c != 'u' {
			out = append(out, shortEscape(c))
			continue
		}
		r := hex4(source)
		source = source[4:]
		if utf16.IsSurrogate(r) {
			pair := rune(utf8.RuneError)
			if len(source) >= 6 && source[0] == '\\' && source[1] == 'u' {
				pair = utf16.DecodeRune(r, hex4(source[2:]))
			}
			if pair != utf8.RuneError {
				source = source[6:]
			}
			r = pair
		}
		out = utf8.AppendRune(out, r)
	}
}

func shortEscape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default: // '"', '\' and '/' stand for themselves
		return c
	}
}

// hex4 reads the four hexadecimal digits that source starts with.
func hex4(source []byte) rune {
	var r rune
	for _, c := range source[:4] {
		r <<= 4
		if isDigit(c) {
			r |= rune(c - '0')
		} else {
			r |= rune(c|0x20-'a') + 10
		}
	}
	return r
}

// A decimal whose digits are an integer up to 2^53 and whose power of ten is at most 10^22 is the quotient of two exact doubles,
// so one division rounds it correctly. 15 digits are always below 2^53.
const maxExactDigits = 15

var exactPowersOfTen = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
}

// float returns the double nearest to a checked number, an infinity beyond the range of a double.
func float(text []byte) float64 {
	if f, ok := shortFloat(text); ok {
		return f
	}
	// The only possible error is the range, and then it returns an infinity.
	f, _ := strconv.ParseFloat(string(text), 64)
	return f
}

// shortFloat converts the usual numbers of events: at most 15 digits without an exponent.
func shortFloat(text []byte) (float64, bool) {
	if len(text) > maxExactDigits+2 { // and a sign and a decimal point
		return 0, false
	}
	var (
		mantissa uint64
		count    int
		fraction int
		point    bool
	)
	negative := text[0] == '-'
	if negative {
		text = text[1:]
	}
	for _, c := range text {
		switch {
		case isDigit(c):
			mantissa = mantissa*10 + uint64(c-'0')
			count++
			if point {
				fraction++
			}
		case c == '.':
			point = true
		default:
			return 0, false
		}
	}
	if count > maxExactDigits {
		return 0, false
	}
	f := float64(mantissa)
	if fraction > 0 {
		f /= exactPowersOfTen[fraction]
	}
	if negative {
		f = -f
	}
	return f, true
}
