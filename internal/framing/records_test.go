package framing

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// read returns all records, with "!" and the code before those that are bad, and what ended the body.
func read(r io.Reader, longest int) (records []string, end error) {
	for x := NewRecords(r, longest); ; {
		record, err := x.Next()
		if err != nil {
			return records, err
		}
		text := string(record.Data)
		var bad *RecordError
		if errors.As(record.Err, &bad) {
			text = "!" + bad.Code + ":" + text
		}
		if records = append(records, text); record.Line != len(records) {
			return records, fmt.Errorf("record %d says that it is %d", len(records), record.Line)
		}
	}
}

// chunkings are ways to deliver a body.
var chunkings = map[string]func(io.Reader) io.Reader{
	"at once":            func(r io.Reader) io.Reader { return r },
	"one byte at a time": iotest.OneByteReader,
	"halves":             iotest.HalfReader,
	"with the error":     iotest.DataErrReader,
}

const badJSON = "!" + InvalidJSON + ":"

var deep = strings.Repeat("[", 200) + `"]"` + strings.Repeat("]", 200)

// bodies are read to their end.
var bodies = []struct {
	body string
	want []string
}{
	{"", nil},
	{" \r\n\t\n", nil},
	{"\ufeff", nil},
	{"\ufeff{}", []string{"{}"}},
	{"\ufeff[1]", []string{"1"}},
	{`{"a":1}`, []string{`{"a":1}`}},
	{"{\"a\":1}\n", []string{`{"a":1}`}},
	{"{\"a\":1}\r\n\r\n  {\"b\":2}  \r\n", []string{`{"a":1}`, `{"b":2}`}},
	{`{"a":1}{"b":2}[3,4]{"c":5}`, []string{`{"a":1}`, `{"b":2}`, "3", "4", `{"c":5}`}},
	{"{\n \"a\": 1\n}\n{\n \"b\": [\n{}\n]\n}", []string{"{\n \"a\": 1\n}", "{\n \"b\": [\n{}\n]\n}"}},
	{"{}\n{\n}\n{}", []string{"{}", "{\n}", "{}"}},
	{"[]", nil},
	{" [ ] ", nil},
	{"[{},\n {\"a\":[1,{}]} , \"x\",1.5e3,null]", []string{"{}", `{"a":[1,{}]}`, `"x"`, "1.5e3", "null"}},
	{"[{}]\n[{},{}]", []string{"{}", "{}", "{}"}},
	{`"a\"]}" 12 true`, []string{`"a\"]}"`, "12", "true"}},
	{"12", []string{"12"}},

	// Broken lines.
	{"{}\n{\"a\":\n{}", []string{"{}", badJSON + `{"a":`, "{}"}},
	{"nonsense\n{}", []string{badJSON + "nonsense", "{}"}},
	{"no sense at all\r\n{}", []string{badJSON + "no sense at all", "{}"}},
	{"{\"a\":1\n{\"b\":2}\n{\"c\":3}", []string{badJSON + `{"a":1`, `{"b":2}`, `{"c":3}`}},
	{"{\"a\":\n{\"b\":2}\n{\"c\":3}", []string{badJSON + `{"a":`, `{"b":2}`, `{"c":3}`}},
	{"{\"a\":\"x\n{\"b\":2}", []string{badJSON + `{"a":"x`, `{"b":2}`}},
	{"{\"a\":1}}\n{}", []string{badJSON + `{"a":1}}`, "{}"}},
	{"{\"a\":1},\n{\"b\":1},\n", []string{badJSON + `{"a":1},`, badJSON + `{"b":1},`}},
	{"{\"a\":1} x\n{}", []string{badJSON + `{"a":1} x`, "{}"}},
	{"}\n{}", []string{badJSON + "}", "{}"}},
	{"{}\n{\"a\":01}\n{\"b\":\"\\x\"}\n{\"c\":\"\xff\"}\n{}", []string{
		"{}", badJSON + `{"a":01}`, badJSON + `{"b":"\x"}`, badJSON + "{\"c\":\"\xff\"}", "{}",
	}},
	{"{}\n{\"a\":1", []string{"{}", badJSON + `{"a":1`}},
	{"{}\n{\"a\":1\n", []string{"{}", badJSON + `{"a":1`}},
	{"{\"a\":\n{\"b\":\n{\"c\":\n{\"d\":4}", []string{badJSON + `{"a":`, badJSON + `{"b":`, badJSON + `{"c":`, `{"d":4}`}},
	{"[nul,01,{\"a\":\"\\x\"}," + deep + ",{}]", []string{badJSON + "nul", badJSON + "01", badJSON + `{"a":"\x"}`, badJSON + deep, "{}"}},
}

func TestRecords(t *testing.T) {
	for _, c := range bodies {
		for name, chunks := range chunkings {
			got, err := read(chunks(strings.NewReader(c.body)), 1<<20)
			if !errors.Is(err, io.EOF) || !slices.Equal(got, c.want) {
				t.Errorf("%q, %s:\n got %q, %v\nwant %q", c.body, name, got, err, c.want)
			}
		}
	}
}

// brokenBodies are read up to where they break.
var brokenBodies = []struct {
	body   string
	want   []string
	offset int64
	reason string
}{
	{`[1,2`, []string{"1", "2"}, 4, "the body ends within an array"},
	{`[1 2]`, []string{"1"}, 3, `found "2", expected ',' or ']'`},
	{`[1,]`, []string{"1"}, 3, `found "]"`},
	{`[,1]`, nil, 1, `found ","`},
	{`[{"a":1,}]`, nil, 8, `found "}"`},
	{`[{"a":1}`, []string{`{"a":1}`}, 8, "the body ends within an array"},
	{"{}\n[{\"a\":1\n", []string{"{}"}, 11, "the body ends within a value"},
	{"{\n  \"a\": 1,\n  \"b\":", nil, 18, "the body ends within a value"},
	{"{\n  \"a\": 1\n}\n{\"a\"", []string{"{\n  \"a\": 1\n}"}, 17, "the body ends within a value"},
	{`{"a":1}{"b":2}{"c"}`, []string{`{"a":1}`, `{"b":2}`}, 18, `found "}"`},
}

func TestBrokenBodies(t *testing.T) {
	for _, c := range brokenBodies {
		for name, chunks := range chunkings {
			got, err := read(chunks(strings.NewReader(c.body)), 1<<20)
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || *syntax != (SyntaxError{c.offset, c.reason}) || !slices.Equal(got, c.want) {
				t.Errorf("%q, %s: got %q, %v", c.body, name, got, err)
			}
		}
	}
}

// TestLongRecords: a record that is too long is passed over, and what comes after it is read.
func TestLongRecords(t *testing.T) {
	long := `{"a":"` + strings.Repeat("x", 200_000) + `"}`
	const most = 100_000
	cut := "!" + TooLong + ":" + long[:keptBytes]
	for body, want := range map[string][]string{
		"{}\n" + long + "\n{}":                 {"{}", cut, "{}"},
		"{}" + long + "{}":                     {"{}", cut, "{}"},
		"[{}," + long + " , {}]":               {"{}", cut, "{}"},
		long:                                   {cut},
		long[:len(long)-2] + "\n{}\n":          {badJSON + long[:keptBytes], "{}"},
		long[:len(long)-1] + "\n{\"b\":1}\n{}": {badJSON + long[:keptBytes], `{"b":1}`, "{}"},
		long[:len(long)-1] + ",\"b\":\n{\"c\":1}\n{}\n{}": {badJSON + long[:keptBytes], `{"c":1}`, "{}", "{}"},
		"nonsense" + strings.Repeat(" x", most) + "\n{}":  {badJSON + "nonsense" + strings.Repeat(" x", keptBytes/2-4), "{}"},
		"{\n\"a\":\n" + long + "\n}\n{}":                  {"!" + TooLong + ":{\n\"a\":\n" + long[:keptBytes-7], "{}"},
		"[" + strings.Repeat("1", most+1) + ",2]":         {"!" + TooLong + ":" + strings.Repeat("1", keptBytes), "2"},
		strings.Repeat("[", 5*most) + "\n":                nil,
	} {
		for name, chunks := range chunkings {
			got, err := read(chunks(strings.NewReader(body)), most)
			if errors.Is(err, io.EOF) != (want != nil) || !slices.Equal(got, want) {
				t.Errorf("%.20q… of %d bytes, %s: %v, %d records", body, len(body), name, err, len(got))
				for _, r := range got {
					t.Logf("%.60q… of %d bytes", r, len(r))
				}
			}
		}
	}
}

func TestReaderErrors(t *testing.T) {
	broken := errors.New("the connection is gone")
	for body, want := range map[string][]string{
		"":                  nil,
		`{"a":1`:            nil,
		`{"a":1}`:           {`{"a":1}`},
		"{\"a\":1}\n{\"b\"": {`{"a":1}`},
		`[1,2`:              {"1"},
		"nonsense":          nil,
	} {
		for name, chunks := range chunkings {
			x := NewRecords(chunks(io.MultiReader(strings.NewReader(body), iotest.ErrReader(broken))), 100)
			for i := range len(want) + 2 {
				record, err := x.Next()
				if i < len(want) && (err != nil || string(record.Data) != want[i]) || i >= len(want) && !errors.Is(err, broken) {
					t.Errorf("%q, %s, call %d: %q, %v", body, name, i, record.Data, err)
				}
			}
		}
	}
	if _, err := NewRecords(silent{}, 100).Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that returns nothing: %v", err)
	}
}

type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }
