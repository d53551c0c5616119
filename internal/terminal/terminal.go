// Package terminal makes text from others (an event, a view, another server) safe to print on a terminal: control characters are escaped
// visibly.
package terminal

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

// Text returns text with visible escapes, in JSON's notation, for everything that could control a terminal or reorder what it shows:
// control characters except tabs and line ends, marks of direction, and invisible characters. A byte that is not UTF-8 becomes an escape
// such as \x9b.
func Text(text string) string {
	if !strings.ContainsFunc(text, unsafe) && utf8.ValidString(text) {
		return text
	}
	b := make([]byte, 0, len(text)+len(text)/4)
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		b = appendVisible(b, r, text[i:i+size], i+size < len(text) && text[i+size] == '\n')
		i += size
	}
	return string(b)
}

// Line returns text as one line: like Text, but line ends are escaped too, and tabs become spaces.
func Line(text string) string {
	return strings.NewReplacer("\t", " ", "\r", `\r`, "\n", `\n`).Replace(Text(text))
}

// unsafe reports whether r is escaped. The caller exempts a CR before an LF.
func unsafe(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < ' ' || r >= 0x7f && r < 0xa0:
		return true
	case r == 0x061c, r >= 0x200e && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return true // directions, and Unicode's line and paragraph separators
	case r == 0xfeff, r >= 0xfff9 && r <= 0xfffb, r >= 0xe0000 && r <= 0xe007f:
		return true // invisible
	}
	return false
}

func appendVisible(b []byte, r rune, source string, beforeNewline bool) []byte {
	switch {
	case r == utf8.RuneError && len(source) == 1:
		return fmt.Appendf(b, `\x%02x`, source[0])
	case r == '\r' && beforeNewline, !unsafe(r):
		return append(b, source...)
	case r == '\r':
		return append(b, `\r`...)
	case r > 0xffff:
		return fmt.Appendf(b, `\u{%x}`, r)
	}
	return fmt.Appendf(b, `\u%04x`, r)
}

// Writer passes what is written to it through Text. An incomplete character, or a CR, at the end of a Write waits for the next one, so the
// output should end with a newline. It is safe for concurrent use.
type Writer struct {
	w    io.Writer
	mu   sync.Mutex
	rest []byte
}

// NewWriter returns a Writer that writes to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Unchecked returns the writer that this one writes to, for text that is safe already and has styles.
func (w *Writer) Unchecked() io.Writer { return w.w }

func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := append(w.rest, p...)
	whole := len(text) - unfinished(text)
	_, err := io.WriteString(w.w, Text(string(text[:whole])))
	w.rest = append(w.rest[:0], text[whole:]...)
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// unfinished returns the number of bytes at the end that may be part of an incomplete character or line end.
func unfinished(text []byte) int {
	if len(text) > 0 && text[len(text)-1] == '\r' {
		return 1
	}
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if tail := text[len(text)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}
