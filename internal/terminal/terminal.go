// Package terminal makes text that somebody else wrote, an event, a view or another server, fit to be shown to people: a terminal obeys
// none of it, and it looks like what it is.
package terminal

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

// Text returns a text with all that a terminal could obey, or that changes the order of what is shown, as visible escapes in JSON's form:
// control characters except tabs and ends of lines, and marks of direction. A byte that is no UTF-8 is written such as \x9b.
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

// Line returns a text as one line: as Text does, with ends of lines as visible escapes too, and tabs as spaces.
func Line(text string) string {
	return strings.NewReplacer("\t", " ", "\r", `\r`, "\n", `\n`).Replace(Text(text))
}

// unsafe tells what is not shown as it is. The end of a line by two characters is looked at by itself.
func unsafe(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < ' ' || r >= 0x7f && r < 0xa0:
		return true
	case r == 0x061c, r >= 0x200e && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return true // directions, and Unicode's own ends of lines and paragraphs
	case r == 0xfeff, r >= 0xfff9 && r <= 0xfffb, r >= 0xe0000 && r <= 0xe007f:
		return true // not shown at all
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

// Writer writes to another writer what Text makes of all that is written to it. What may be the beginning of a character, or of an end
// of a line, waits for the next Write; so end with a newline. Safe for concurrent use.
type Writer struct {
	w    io.Writer
	mu   sync.Mutex
	rest []byte
}

// NewWriter returns a writer in front of w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

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

// unfinished is how many bytes at the end may be part of something that the next bytes complete.
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
