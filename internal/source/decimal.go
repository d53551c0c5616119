package source

import (
	"bytes"
	"strconv"
)

const (
	// maxIntegerDigits bounds an integer that is written out: 1e400 is one of 401 digits.
	maxIntegerDigits = 64
	// maxExponent bounds exponents, beyond anything that is told apart.
	maxExponent = 1e15
)

// decimal is an exact number: digits times ten to the exponent. Digits has no zeros at its ends; that of zero is empty.
type decimal struct {
	negative bool
	digits   string
	exponent int64
}

// parseDecimal parses a number by the grammar of JSON.
func parseDecimal(text []byte) (d decimal, ok bool) {
	rest, negative := bytes.CutPrefix(text, []byte("-"))
	whole := countDigits(rest)
	if whole == 0 || whole > 1 && rest[0] == '0' {
		return d, false
	}
	digits, rest := rest[:whole], rest[whole:]
	if len(rest) > 0 && rest[0] == '.' {
		n := countDigits(rest[1:])
		if n == 0 {
			return d, false
		}
		digits = append(bytes.Clone(digits), rest[1:1+n]...)
		d.exponent, rest = -int64(n), rest[1+n:]
	}
	if len(rest) > 0 {
		exponent, ok := parseExponent(rest)
		if !ok {
			return d, false
		}
		d.exponent += exponent
	}
	kept := bytes.TrimRight(digits, "0")
	d.exponent += int64(len(digits) - len(kept))
	d.digits = string(bytes.TrimLeft(kept, "0"))
	if d.digits == "" {
		return decimal{}, true
	}
	d.negative = negative
	return d, true
}

// parseExponent parses what begins with e or E. An exponent that is too large to matter becomes ±maxExponent.
func parseExponent(text []byte) (exponent int64, ok bool) {
	if text[0]|0x20 != 'e' || len(text) == 1 {
		return 0, false
	}
	text = text[1:]
	negative := text[0] == '-'
	if negative || text[0] == '+' {
		text = text[1:]
	}
	if n := countDigits(text); n == 0 || n != len(text) {
		return 0, false
	}
	exponent, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || exponent > maxExponent {
		exponent = maxExponent
	}
	if negative {
		exponent = -exponent
	}
	return exponent, true
}

func countDigits(text []byte) int {
	n := 0
	for n < len(text) && isDigit(text[n]) {
		n++
	}
	return n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// appendInteger appends the number as an integer without exponent. It reports false for one that is none, or has more than
// maxIntegerDigits.
func appendInteger(dst []byte, d decimal) ([]byte, bool) {
	if d.exponent < 0 || int64(len(d.digits))+d.exponent > maxIntegerDigits {
		return dst, false
	}
	if d.digits == "" {
		return append(dst, '0'), true
	}
	if d.negative {
		dst = append(dst, '-')
	}
	dst = append(dst, d.digits...)
	for range d.exponent {
		dst = append(dst, '0')
	}
	return dst, true
}
