package terminal_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/terminal"
)

var texts = map[string]string{
	"": "",
	"plain, größe, 日本, 👩‍👩‍👧\n\tx":         "plain, größe, 日本, 👩‍👩‍👧\n\tx",
	"\x1b[2J\x1b]0;title\x07":              `\u001b[2J\u001b]0;title\u0007`,
	"\u009b31m\u0085\x7f\x00\b":            `\u009b31m\u0085\u007f\u0000\u0008`,
	"a\r\nb\rok\r":                         "a\r\nb\\rok\\r",
	"pay \u202eelbbod\u202c now":           `pay \u202eelbbod\u202c now`,
	"\u2066\u2069\u200e\u200f\u061c\u2028": `\u2066\u2069\u200e\u200f\u061c\u2028`,
	"\ufeff\U000e0041":                     `\ufeff\u{e0041}`,
	"\x9b31m \xff \xe2\x80":                `\x9b31m \xff \xe2\x80`,
	"\ufffd":                               "\ufffd",
}

func TestText(t *testing.T) {
	for text, want := range texts {
		if got := terminal.Text(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
		if got := terminal.Text(want); got != want {
			t.Errorf("%q shown again is %q", want, got)
		}
	}
	if got := terminal.Line("a\tb\nc\r\nd\x1b"); got != `a b\nc\r\nd\u001b` {
		t.Errorf("a line is %q", got)
	}
	for r := range rune(0x20000) { // nothing that a terminal obeys is left, and nothing else is touched
		if !utf8.ValidRune(r) {
			continue
		}
		got := terminal.Text(string(r))
		if control := r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0; control && got == string(r) {
			t.Errorf("U+%04X is shown as it is", r)
		}
		if got != string(r) && strings.ContainsRune(got, r) {
			t.Errorf("U+%04X is shown as %q", r, got)
		}
	}
}

// TestWriter: the same comes out wherever the text is cut into writes.
func TestWriter(t *testing.T) {
	for text, want := range texts {
		text, want = text+"\n", terminal.Text(text+"\n")
		for _, size := range []int{1, 2, 3, 5, 100} {
			var out bytes.Buffer
			w := terminal.NewWriter(&out)
			for rest := text; rest != ""; {
				n := min(size, len(rest))
				if written, err := fmt.Fprint(w, rest[:n]); written != n || err != nil {
					t.Fatal(written, err)
				}
				rest = rest[n:]
			}
			if out.String() != want {
				t.Errorf("%q in pieces of %d is %q, want %q", text, size, out.String(), want)
			}
		}
	}
}
