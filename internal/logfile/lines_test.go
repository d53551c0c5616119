package logfile

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// dribble reads a few bytes at a time, and now and then nothing: the end of a file that grows.
type dribble struct {
	text   string
	random *rand.Rand
}

func (d *dribble) Read(p []byte) (int, error) {
	if len(d.text) == 0 || d.random.IntN(5) == 0 {
		return 0, io.EOF
	}
	n := copy(p, d.text[:min(len(d.text), 1+d.random.IntN(40))])
	d.text = d.text[n:]
	return n, nil
}

// shown is a record as a text: its line, and its data or error.
func shown(r Record) string {
	if r.Err != nil {
		return fmt.Sprintf("%d: %v", r.Line, r.Err)
	}
	return fmt.Sprintf("%d: %s", r.Line, r.Data)
}

// all reads to the end. It asks again after an end that is none for good, and goes on from its own position in the middle.
func all(t *testing.T, text string, format Format, longest int) (records []string, ids []string) {
	t.Helper()
	open := func(from int, at Position) *lines {
		window := text[max(0, from-windowBytes):from]
		in := &dribble{text[from:], rand.New(rand.NewPCG(uint64(from), 1))}
		return newLines(in, syntaxOf(format, Options{}, at), at, []byte(window), longest)
	}
	r := open(0, Position{Chain: NewChain("")})
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			if d := r.in.(*dribble); len(d.text) == 0 {
				if r.ended {
					return records, ids
				}
				r.Finish()
			}
			continue
		}
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		records, ids = append(records, shown(record)), append(ids, record.ID)
		if at := r.Position(); !r.final {
			if at.Window != windowOf([]byte(text[:at.Offset])) {
				t.Errorf("%q: the window at %d is not what is there", text, at.Offset)
			}
			r = open(int(at.Offset), at)
		}
	}
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, test := range []struct {
		format Format
		text   string
		want   []string
	}{
		{NDJSON, "", nil},
		{NDJSON, "\n\r\n \n", nil},
		{NDJSON, "{\"a\":1}\n{\"a\":2}\r\n\n{\"a\":3}", []string{`1: {"a":1}`, `2: {"a":2}`, `4: {"a":3}`}},
		{NDJSON, "\uFEFF {\"a\":1} \t\n\uFEFF{}\n", []string{
			`1: {"a":1}`, `2: it is not valid JSON: invalid JSON at byte 0: found byte 0xef, expected a value`,
		}},
		{NDJSON, "{\"a\":\n{\"a\":2}\n", []string{
			`1: it is not valid JSON: invalid JSON at byte 5: the document ends where a value is expected`, `2: {"a":2}`,
		}},
		{NDJSON, "[1]\n{\"a\":\"\xff\"}\n{}{}\n", []string{
			`1: it is no JSON object, but another JSON value`,
			`2: it is not valid JSON: invalid JSON at byte 6: byte 0xff is not valid UTF-8`,
			`3: it is not valid JSON: invalid JSON at byte 2: found '{', expected nothing after the document`,
		}},
		{NDJSON, "\x00\x00\x00{\"a\":1}\n\x00\x00", []string{`1: {"a":1}`}},
		{NDJSON, `{"a":"` + long + "\"}\n{\"a\":2}\n", []string{"1: " + errTooLong.Error(), `2: {"a":2}`}},
		{NDJSON, `{}` + "\n" + `{"a":"` + long + `"}`, []string{`1: {}`, "2: " + errTooLong.Error()}},
		{CSV, "a,b\n1,2\n", []string{`2: {"a":"1","b":"2"}`}},
		{CSV, "a,b\n", nil},
		{CSV, "\uFEFFa;b c\r\n1;\"2\n\"\"3\"\"\"\r\n\r\n; \r\n", []string{`2: {"a":"1","b c":"2\n\"3\""}`, `5: {"a":"","b c":" "}`}},
		{CSV, "a\tb\n1\t\n\"\"\t\"\"\n", []string{`2: {"a":"1","b":""}`, `3: {"a":"","b":""}`}},
		{CSV, "\"a\",\"b,c\"\n1,2", []string{`2: {"a":"1","b,c":"2"}`}},
		{CSV, "a,b\n1\n1,2,3\n1,2\n", []string{
			`2: it has 1 fields, and the header names 2`, `3: it has 3 fields, and the header names 2`, `4: {"a":"1","b":"2"}`,
		}},
		{CSV, "a,b\n5\" disk,2\n\"x\"y,2\n\xff,1\n1,2\n", []string{
			`2: field 1 holds a quote and is not quoted itself: it is written "5"" disk"`, `3: field 1 goes on after its closing quote`,
			"4: " + errNotUTF8.Error(), `5: {"a":"1","b":"2"}`,
		}},
		{CSV, "a,b\n1,\"2\n3,4\n", []string{"2: " + errUnclosed.Error(), `3: {"a":"3","b":"4"}`}},
		{CSV, "a,b\n1,\"2\n3,4\n" + long + "\n5,6\n", []string{
			"2: " + errUnclosed.Error(), `3: {"a":"3","b":"4"}`, "4: " + errTooLong.Error(), `5: {"a":"5","b":"6"}`,
		}},
		{Access, "x\n", []string{"1: " + errNoAccessLine.Error()}},
	} {
		got, ids := all(t, test.text, test.format, 256)
		if !slices.Equal(got, test.want) {
			t.Errorf("%.60q as %s is\n%q, want\n%q", test.text, test.format, got, test.want)
		}
		slices.Sort(ids)
		if len(slices.Compact(ids)) != len(got) {
			t.Errorf("%.60q: two records have the same identity", test.text)
		}
	}
}

// TestGrownLastLine: when a line was taken that had no end, its rest is no record.
func TestGrownLastLine(t *testing.T) {
	const before = "{\"a\":1}\n{\"a\":2}"
	for rest, want := range map[string][]string{
		"":               nil,
		"\n":             nil,
		"\n{\"a\":3}\n":  {`3: {"a":3}`},
		" \r\n{\"a\":3}": {`3: {"a":3}`},
		"0\n{\"a\":3}\n": {"2: " + errGrown.Error(), `3: {"a":3}`},
	} {
		r := newLines(strings.NewReader(before), ndjsonSyntax{}, Position{}, nil, 100)
		r.Finish()
		for range 2 {
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		r = newLines(strings.NewReader(rest), ndjsonSyntax{}, r.Position(), nil, 100)
		r.Finish()
		var got []string
		for {
			record, err := r.Next()
			if err != nil {
				break
			}
			got = append(got, shown(record))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q gives %q, want %q", rest, got, want)
		}
	}
}

func TestUselessCSV(t *testing.T) {
	for text, want := range map[string]string{
		"a,b,a\n1,2,3\n": `two columns of this CSV are named "a"`,
		"a,,b\n":         "column 2 of this CSV has no name",
		"a,b\"\n":        "the header of this CSV cannot be read: field 2",
	} {
		_, err := newLines(strings.NewReader(text), newCSV(0, nil), Position{}, nil, 100).Next()
		if useless := (*UselessError)(nil); !errors.As(err, &useless) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestReadErrorsPass(t *testing.T) {
	broken := errors.New("broken")
	r := newLines(io.MultiReader(strings.NewReader("{}\n{"), iotest.ErrReader(broken)), ndjsonSyntax{}, Position{}, nil, 100)
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
}

// FuzzCSV: what another implementation writes is read as it was meant.
func FuzzCSV(f *testing.F) {
	f.Add("a", "b\"c", "\r\n;,\t")
	f.Add("", " ", "\"\"")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		row := []string{"x" + clean(a), clean(b), clean(c)} // a row that is empty but for white space is none
		var text bytes.Buffer
		w := csv.NewWriter(&text)
		_ = w.WriteAll([][]string{{"a", "b", "c"}, row, row})
		r := newLines(&text, newCSV(',', nil), Position{}, nil, 1<<20)
		for range 2 {
			record, err := r.Next()
			if err != nil || record.Err != nil {
				t.Fatalf("%q: %v, %v", row, err, record.Err)
			}
			var got struct{ A, B, C string }
			if err := json.Unmarshal(record.Data, &got); err != nil || !slices.Equal([]string{got.A, got.B, got.C}, row) {
				t.Errorf("%q is %s, %v", row, record.Data, err)
			}
		}
	})
}

// clean makes a field one that encoding/csv does not change.
func clean(field string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(field, "\r\n", "\n"), "?")
}

// TestLongLineAtOnce: a line that is too long is one, also when all of it is there at once; and it has the same identity.
func TestLongLineAtOnce(t *testing.T) {
	text := `{"a":"` + strings.Repeat("x", 300) + "\"}\n{}\n"
	_, want := all(t, text, NDJSON, 256)
	r := newLines(strings.NewReader(text), ndjsonSyntax{}, Position{Chain: NewChain("")}, nil, 256)
	for n := range 2 {
		record, err := r.Next()
		if err != nil || (n == 0) != errors.Is(record.Err, errTooLong) || record.ID != want[n] {
			t.Errorf("record %d is %v, %v", n, record, err)
		}
	}
}
