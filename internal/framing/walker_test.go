package framing

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// walked writes the value that is next without white space; levels are entered, and deeper values taken as they are.
func walked(w *Walker, levels, most int) (string, error) {
	c, err := w.First()
	if err != nil {
		return "", err
	}
	if levels == 0 || c != '{' && c != '[' {
		value, whole, err := w.Value(most)
		if err != nil || whole {
			return compact(value), err
		}
		return `"long"`, w.Skip()
	}
	if err := w.Enter(); err != nil {
		return "", err
	}
	parts := []string{}
	for {
		name, more, err := w.Next()
		if err != nil {
			return "", err
		}
		if !more {
			break
		}
		prefix := ""
		if name != nil {
			prefix = string(name) + ":"
		}
		value, err := walked(w, levels-1, most)
		if err != nil {
			return "", err
		}
		parts = append(parts, prefix+value)
	}
	return string(c) + strings.Join(parts, ",") + string(c+2), nil
}

func compact(value []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, value) != nil {
		return "no JSON: " + string(value)
	}
	return b.String()
}

func walk(r io.Reader, levels, most int) (string, error) {
	w := NewWalker(NewWindow(r, 1<<20, nil))
	value, err := walked(w, levels, most)
	if err == nil {
		err = w.End()
	}
	return value, err
}

// someJSON is a random value with white space.
func someJSON(random *rand.Rand, depth int) string {
	space := []string{"", "", " ", "\n\t", "\r\n"}[random.IntN(5)]
	kind := random.IntN(7)
	if depth == 0 {
		kind = random.IntN(5)
	}
	var parts []string
	switch kind {
	case 5:
		for range random.IntN(4) {
			parts = append(parts, someJSON(random, depth-1))
		}
		return space + "[" + strings.Join(parts, ",") + space + "]" + space
	case 6:
		for range random.IntN(4) {
			parts = append(parts, space+`"a\"]}\\`+space[:len(space)/8]+`"`+space+":"+someJSON(random, depth-1))
		}
		return space + "{" + strings.Join(parts, ",") + space + "}" + space
	default:
		return space + []string{`-1.5e3`, `"[{\"é"`, `true`, `null`, `"` + strings.Repeat("x", random.IntN(100)) + `"`}[kind] + space
	}
}

// TestWalker: what is walked through is what stands there, at whatever levels it is entered and in whatever pieces it comes; and what is
// cut, or goes on, is an error.
func TestWalker(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2_000 {
		source := someJSON(random, 4)
		for _, r := range []io.Reader{strings.NewReader(source), iotest.OneByteReader(strings.NewReader(source))} {
			got, err := walk(r, random.IntN(4), 1<<20)
			if want := compact([]byte(source)); err != nil || got != want {
				t.Fatalf("%q: %v, got %s", source, err, got)
			}
		}
		whole := strings.TrimRight(source, " \t\r\n")
		if end := whole[len(whole)-1]; end != '"' && end != '}' && end != ']' {
			continue // a part of a number may be one
		}
		var syntax *SyntaxError
		cut := whole[:random.IntN(len(whole))]
		if got, err := walk(strings.NewReader(cut), random.IntN(4), 1<<20); !errors.As(err, &syntax) {
			t.Fatalf("%q: %v, got %s", cut, err, got)
		}
		got, err := walk(strings.NewReader(source+"x"), random.IntN(4), 1<<20)
		if !errors.As(err, &syntax) || syntax.Offset != int64(len(source)) {
			t.Fatalf("%qx: %v, got %s", source, err, got)
		}
	}
}

// TestBrokenWalks: what is no JSON is refused, whether it is entered, taken or skipped.
func TestBrokenWalks(t *testing.T) {
	for _, source := range []string{
		``, ` `, `}`, `]`, `,`, `{,}`, `[,]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, `[1 2]`, `{"a":1 "b":2}`, `{"a" 1}`, `{"a":1]`,
		`[1}`,
		`{1:2}`, `{"a":1,,"b":2}`, `["a]`, `{"a\":1}`, "[\"\x01\"]", `[truth]`, `[01]`,
		`[1]]`, `{}{}`, `{"\u12":1}`, `["\x"]`, "[\"\xff\"]",
	} {
		for levels := range 3 {
			for _, r := range []io.Reader{strings.NewReader(source), iotest.OneByteReader(strings.NewReader(source))} {
				var syntax *SyntaxError
				if got, err := walk(r, levels, 1<<20); !errors.As(err, &syntax) {
					t.Errorf("%q at %d levels: %v, got %s", source, levels, err, got)
				}
			}
			var syntax *SyntaxError
			if _, err := walk(strings.NewReader(source), levels, 0); !errors.As(err, &syntax) {
				t.Errorf("%q at %d levels, skipped: %v", source, levels, err)
			}
		}
	}
}

// TestSkippedWalks: long values and long names are passed without being held.
func TestSkippedWalks(t *testing.T) {
	long := strings.Repeat(`[1,"]\"",{"a":null}],`, 100_000)
	source := `{"` + strings.Repeat("n", 1<<20) + `":1,"long":[` + long + `0],"word":"` + strings.Repeat(`\\`, 1<<20) + `","a":2}`
	most := int64(0)
	w := NewWalker(NewWindow(strings.NewReader(source), 1<<30, func(n int64) error { most = max(most, n); return nil }))
	got, err := walked(w, 1, 100)
	if want := `{"":1,"long":"long","word":"long","a":2}`; err != nil || got != want {
		t.Errorf("%v, got %s", err, got)
	}
	if most > 4*usualBuffer {
		t.Errorf("%d bytes were held", most)
	}
}

func TestFirstName(t *testing.T) {
	for source, want := range map[string]string{
		`{"a":1}`: `"a"`, " \n{ \t\"b\\\"c\" :1}": `"b\"c"`, `{}`: "", `{"a`: "", `[1]`: "", `{1:2}`: "", "{\"\\x\":1}": "",
		`{` + strings.Repeat(" ", firstBuffer) + `"a":1}`: "", `{"` + strings.Repeat("a", firstBuffer) + `":1}`: "",
	} {
		w := NewWalker(NewWindow(iotest.OneByteReader(strings.NewReader(source)), 1<<20, nil))
		if name, err := w.FirstName(); err != nil || string(name) != want {
			t.Errorf("%.20q: %q, %v", source, name, err)
		}
		if c, err := w.First(); err != nil || c != strings.TrimSpace(source)[0] {
			t.Errorf("%.20q: then %q, %v", source, c, err)
		}
	}
}

// TestWindowSkips: bytes are skipped whether they are held or not, and the error of whoever reads is passed on.
func TestWindowSkips(t *testing.T) {
	w := NewWindow(iotest.HalfReader(strings.NewReader(strings.Repeat("x", 100_000)+"end")), 1<<20, nil)
	if held, err := w.Peek(10); err != nil || len(held) < 10 {
		t.Fatalf("%d, %v", len(held), err)
	}
	if err := w.Skip(100_000); err != nil || w.Offset() != 100_000 {
		t.Fatalf("at %d, %v", w.Offset(), err)
	}
	if held, err := w.Peek(10); err != nil || string(held) != "end" {
		t.Errorf("%q, %v", held, err)
	}
	if err := w.Skip(4); !errors.Is(err, io.EOF) {
		t.Errorf("beyond the end: %v", err)
	}
	gone := errors.New("gone")
	w = NewWindow(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(gone)), 1<<20, nil)
	if _, err := w.Peek(4); !errors.Is(err, gone) {
		t.Errorf("looking beyond: %v", err)
	}
	if err := w.Skip(4); !errors.Is(err, gone) {
		t.Errorf("skipping beyond: %v", err)
	}
}
