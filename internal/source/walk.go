package source

import (
	"bytes"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// walker reads JSON that jsonscan has accepted, so it checks nothing again.
type walker struct {
	data []byte
	at   int
}

// next returns the first byte of what comes after white space, without reading it.
func (w *walker) next() byte {
	for {
		switch c := w.data[w.at]; c {
		case ' ', '\t', '\n', '\r':
			w.at++
		default:
			return c
		}
	}
}

// opens reads the byte that opens an object or array, and reports whether anything comes before the one that closes it, which it reads
// too where nothing does.
func (w *walker) opens(closing byte) bool {
	w.at++
	if w.next() != closing {
		return true
	}
	w.at++
	return false
}

// more reads the comma or the closing byte after a member or an element, and reports which it was.
func (w *walker) more() bool {
	c := w.next()
	w.at++
	return c == ','
}

// text reads a string and returns its value. Where plain is true the string has no escapes, and its value is its source.
func (w *walker) text() (text []byte, plain bool) {
	w.next()
	start := w.at + 1
	w.skipText()
	text = w.data[start : w.at-1]
	if bytes.IndexByte(text, '\\') < 0 {
		return text, true
	}
	return jsonscan.Unescape(text), false
}

// name reads a member's name and the colon after it.
func (w *walker) name() (name []byte, plain bool) {
	name, plain = w.text()
	w.next()
	w.at++
	return name, plain
}

// plain reads a number, true, false or null, and returns its source.
func (w *walker) plain() []byte {
	start := w.at
	for w.at < len(w.data) && !isDelimiter(w.data[w.at]) {
		w.at++
	}
	return w.data[start:w.at]
}

func isDelimiter(c byte) bool { return c <= ' ' || c == ',' || c == ']' || c == '}' }

// skip reads a value of any kind and returns its source.
func (w *walker) skip() []byte {
	first := w.next()
	start := w.at
	switch first {
	case '"':
		w.skipText()
	case '{', '[':
		w.skipNested()
	default:
		w.plain()
	}
	return w.data[start:w.at]
}

func (w *walker) skipNested() {
	for depth := 0; ; {
		switch w.data[w.at] {
		case '"':
			w.skipText()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		w.at++
		if depth == 0 {
			return
		}
	}
}

func (w *walker) skipText() {
	w.at++
	for {
		i := bytes.IndexByte(w.data[w.at:], '"')
		slashes := 0
		for slashes < i && w.data[w.at+i-1-slashes] == '\\' {
			slashes++
		}
		w.at += i + 1
		if slashes%2 == 0 {
			return
		}
	}
}
