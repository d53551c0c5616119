package jsonscan

import (
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// validDocuments and invalidDocuments are the nasty cases; the fuzz targets start from them too.
var validDocuments = []string{
	`{}`, `[]`, `null`, `true`, `false`, `0`, `-0`, `-0.0e-0`, `1E+400`, `""`, " \t\r\n{ } \n",
	`{"":1}`, `{"a":1,"a":2}`, `{"a":{"b":1},"a":{}}`, `{"a":{"b":1},"a":3}`, `{"a":[1,2],"a":{"0":5}}`, `[[],[[]],{}]`,
	`{"a/b":1,"~":2,"~1":3}`, `{"0":"member","01":2,"-":3}`, `[10,11,12]`, `[{"a":[0,{"b":"x"}]}]`,
	`"\u0000\ud800\udc00\ud800\ud800\udc00\udc00x\ud83d\u0041"`, `"\"\\\/\b\f\n\r\t"`, `{"\u0061":{"\u0062":1}}`,
	"\"\x7f\u0080\u07ff\uffff\U0010ffff\"", `{"é":"日本語","😀":1}`, `123456789012345678901234567890.5e-30`,
	`0.1234567890123456789`, `4.9e-324`, `1e-400`, `9007199254740993`, `999999999999999`, `-123456.789`, `"12345678"`,
	`"1234567\n"`, `"1234567é89"`, `{"a":1,"b":[true,false,null],"c":{"d":"e"}}`,
	strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth),
	strings.Repeat(`{"a":`, MaxDepth) + "1" + strings.Repeat("}", MaxDepth),
}

var invalidDocuments = []string{
	``, ` `, `{`, `}`, `[`, `]`, `[1`, `[1,`, `[1,]`, `[,1]`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{a:1}`, `{1:1}`,
	`{"a" 1}`, `{"a":1 "b":2}`, `[1 2]`, `1 2`, `{}{}`, `nul`, `nulll`, `True`, `NaN`, `Infinity`, `-`, `+1`, `01`, `-01`, `1.`, `.1`,
	`1.e1`, `1e`, `1e+`, `0x1`, `1_000`, `"`, `"a`, `"\`, `"\"`, `"\x"`, `"\u12"`, `"\u123g"`, `"\u`, `'a'`, "\"\x00\"", "\"\n\"",
	"\"\x1f\"", "\"\x80\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "\ufeff{}", "{\"\xff\":1}", "\v1",
	"1\x00", "\u00a01", `// c`, `{"a":1}//`,
	strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1),
	strings.Repeat(`{"a":`, MaxDepth+1) + "1" + strings.Repeat("}", MaxDepth+1),
	strings.Repeat("[", 1_000_000),
}

func TestValid(t *testing.T) {
	for _, document := range validDocuments {
		if err := Valid([]byte(document)); err != nil {
			t.Errorf("Valid(%.60q) = %v", document, err)
		}
	}
	for _, document := range invalidDocuments {
		var syntax *SyntaxError
		if err := Valid([]byte(document)); !errors.As(err, &syntax) {
			t.Errorf("Valid(%.60q) = %v, want a *SyntaxError", document, err)
		} else if syntax.Offset < 0 || syntax.Offset > len(document) || syntax.Reason == "" {
			t.Errorf("Valid(%.60q): offset %d, reason %q", document, syntax.Offset, syntax.Reason)
		}
	}
}

func TestErrorsSayWhatAndWhere(t *testing.T) {
	for document, want := range map[string]string{
		`{"a":1,}`:                  "invalid JSON at byte 7: found '}', expected a member name in quotes",
		`{"a":01}`:                  "invalid JSON at byte 6: found '1', expected ',' or '}'",
		"[\"a\nb\"]":                "invalid JSON at byte 3: control character 0x0a in a string; write it as \\u000a",
		"\"\xff\"":                  "invalid JSON at byte 1: byte 0xff is not valid UTF-8",
		``:                          "invalid JSON at byte 0: the document ends where a value is expected",
		`{} x`:                      "invalid JSON at byte 3: found 'x', expected nothing after the document",
		strings.Repeat("[", 200):    "invalid JSON at byte 128: nested deeper than 128 arrays and objects",
		`"\u12x4"`:                  "invalid JSON at byte 5: found 'x', expected four hexadecimal digits after \\u",
		`"open`:                     "invalid JSON at byte 5: the string is not closed",
		string([]byte{'1', '.', 0}): "invalid JSON at byte 2: found byte 0x00, expected a digit after the decimal point",
	} {
		if err := Valid([]byte(document)); err == nil || err.Error() != want {
			t.Errorf("Valid(%.40q) = %v, want %s", document, err, want)
		}
	}
}

func TestScan(t *testing.T) {
	tests := []struct {
		document, pointer string
		kind              Kind
		text              string
		number            float64
	}{
		{`{"a":1}`, "/b", Missing, "", 0},
		{`1`, "/a", Missing, "", 0},
		{`{"a":null}`, "/a", Null, "null", 0},
		{`{"a":true,"b":false}`, "/b", False, "false", 0},
		{`{"a":true,"b":false}`, "/a", True, "true", 0},
		{`{"a": 150 }`, "/a", Number, "150", 150},
		{`{"a":0.10}`, "/a", Number, "0.10", 0.1},
		{`{"a":-0}`, "/a", Number, "-0", math.Copysign(0, -1)},
		{`{"a":1e400}`, "/a", Number, "1e400", math.Inf(1)},
		{`{"a":-1e400}`, "/a", Number, "-1e400", math.Inf(-1)},
		{`{"a":9007199254740993}`, "/a", Number, "9007199254740993", 9007199254740992},
		{`{"a":"gpt-4"}`, "/a", String, "gpt-4", 0},
		{`{"a":""}`, "/a", String, "", 0},
		{`{"a":"x\n\u0000\u00e9\ud83d\ude00"}`, "/a", String, "x\n\x00é😀", 0},
		{`{"a":"\ud800\u0041\udc00"}`, "/a", String, "\ufffdA\ufffd", 0},
		{`{"a":"\ud800\ud800\udc00"}`, "/a", String, "\ufffd\U00010000", 0},
		{`{"a": [ 1, 2 ] }`, "/a", Array, "[ 1, 2 ]", 0},
		{`{"a":{"b" : 1}}`, "/a", Object, `{"b" : 1}`, 0},
		{`{"a":{"b":{"c":3}}}`, "/a/b/c", Number, "3", 3},
		{`{"a":[10,11,12]}`, "/a/1", Number, "11", 11},
		{`{"a":[10,11,12]}`, "/a/01", Missing, "", 0},
		{`{"a":[10,11,12]}`, "/a/3", Missing, "", 0},
		{`{"a":[10,11,12]}`, "/a/-", Missing, "", 0},
		{`{"a":{"01":1,"-":2}}`, "/a/01", Number, "1", 1},
		{`{"a":{"01":1,"-":2}}`, "/a/-", Number, "2", 2},
		{`{"a":{"0":7}}`, "/a/0", Number, "7", 7},
		{`[[1,2],[3,4]]`, "/1/0", Number, "3", 3},
		{`{"a/b":1,"m~n":2,"~1":3}`, "/a~1b", Number, "1", 1},
		{`{"a/b":1,"m~n":2,"~1":3}`, "/m~0n", Number, "2", 2},
		{`{"a/b":1,"m~n":2,"~1":3}`, "/~01", Number, "3", 3},
		{`{"":{"":5}}`, "//", Number, "5", 5},
		{`{"\u0061\u0062":4}`, "/ab", Number, "4", 4},
		{`{"é":4}`, "/é", Number, "4", 4},
		// The last member of a name counts, with everything below it.
		{`{"a":1,"a":2}`, "/a", Number, "2", 2},
		{`{"a":{"b":1},"a":{}}`, "/a/b", Missing, "", 0},
		{`{"a":{"b":1},"a":null}`, "/a/b", Missing, "", 0},
		{`{"a":{"b":1},"\u0061":{"c":2}}`, "/a/b", Missing, "", 0},
		{`{"a":{"b":{"c":1}},"a":{"b":2}}`, "/a/b/c", Missing, "", 0},
		{`{"a":[{"b":1}],"a":[]}`, "/a/0/b", Missing, "", 0},
	}
	for _, tt := range tests {
		p, err := Compile([]string{tt.pointer})
		if err != nil {
			t.Fatal(err)
		}
		values := []Value{{Kind: Object, Text: []byte("from an earlier scan"), Number: 1}}
		if err := p.Scan([]byte(tt.document), values); err != nil {
			t.Errorf("%s: %v", tt.document, err)
			continue
		}
		v := values[0]
		if v.Kind != tt.kind || string(v.Text) != tt.text || math.Float64bits(v.Number) != math.Float64bits(tt.number) {
			t.Errorf("%s at %s: kind %d text %q number %v, want %d %q %v",
				tt.document, tt.pointer, v.Kind, v.Text, v.Number, tt.kind, tt.text, tt.number)
		}
	}
}

func TestScanSet(t *testing.T) {
	p, err := Compile([]string{"/a", "/a/b", "/a", "/a/b/c", "/d", "/a/b/0"})
	if err != nil {
		t.Fatal(err)
	}
	if p.Len() != 6 {
		t.Fatalf("Len() = %d", p.Len())
	}
	values := make([]Value, 6)
	if err := p.Scan([]byte(`{"a":{"b":[1]},"d":4,"a":{"b":{"c":2}}}`), values); err != nil {
		t.Fatal(err)
	}
	want := []string{`{"b":{"c":2}}`, `{"c":2}`, `{"b":{"c":2}}`, "2", "4", ""}
	for i, v := range values {
		if string(v.Text) != want[i] {
			t.Errorf("value %d: %q, want %q", i, v.Text, want[i])
		}
	}
	if err := p.Scan([]byte(`{}`), values[:5]); err == nil {
		t.Error("Scan accepted room for fewer values than pointers")
	}
	var syntax *SyntaxError
	if err := p.Scan([]byte(`{"a":1`), values); !errors.As(err, &syntax) {
		t.Errorf("Scan of a broken document: %v", err)
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, pointer := range []string{"", "a", "#/a", "/~", "/a~2", "/a~", "/\xff"} {
		if _, err := Compile([]string{"/fine", pointer}); err == nil {
			t.Errorf("Compile accepted %q", pointer)
		} else if !strings.Contains(err.Error(), "JSON pointer 2") {
			t.Errorf("Compile(%q): %v does not say which pointer", pointer, err)
		}
	}
	if _, err := Compile(nil); err != nil {
		t.Errorf("Compile of no pointers: %v", err)
	}
}

func TestElements(t *testing.T) {
	for document, want := range map[string][]string{
		`[]`:                               {},
		" [ ] ":                            {},
		`[1]`:                              {"1"},
		"\n[ {\"a\": [1]} , \"x,]\",null]": {`{"a": [1]}`, `"x,]"`, "null"},
	} {
		elements, err := Elements([]byte(document), math.MaxInt)
		if err != nil || len(elements) != len(want) {
			t.Errorf("Elements(%q) = %q, %v", document, elements, err)
			continue
		}
		for i, element := range elements {
			if string(element) != want[i] || cap(element) != len(element) {
				t.Errorf("Elements(%q)[%d] = %q, want %q", document, i, element, want[i])
			}
		}
	}
	for _, document := range []string{``, `{}`, `1`, `[`, `[1`, `[1,]`, `[,]`, `[1]]`, `[1] x`, `[1 2]`, `["\x"]`} {
		var syntax *SyntaxError
		if _, err := Elements([]byte(document), math.MaxInt); !errors.As(err, &syntax) {
			t.Errorf("Elements(%q): %v, want a *SyntaxError", document, err)
		}
	}
	if elements, err := Elements([]byte(`[1,2,3 and no JSON`), 2); err != nil || len(elements) != 2 {
		t.Errorf("two elements of a longer array: %q, %v", elements, err)
	}
	deepest := strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)
	if _, err := Elements([]byte("["+deepest+"]"), math.MaxInt); err != nil {
		t.Errorf("an element nested %d deep: %v", MaxDepth, err)
	}
	if _, err := Elements([]byte("[["+deepest+"]]"), math.MaxInt); err == nil {
		t.Errorf("an element nested %d deep was accepted", MaxDepth+1)
	}
}

// The short way to a double gives what the long way gives.
func TestShortFloat(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	short := 0
	for range 200_000 {
		text := strconv.FormatUint(random.Uint64()>>random.IntN(64), 10)
		if at := random.IntN(len(text) + 4); at < len(text)-1 {
			text = text[:at+1] + "." + text[at+1:]
		}
		if text = strings.Repeat("-", random.IntN(2)) + text; random.IntN(8) == 0 {
			text = "0." + strings.Repeat("0", random.IntN(9)) + "7"
		}
		want, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := shortFloat([]byte(text))
		if ok {
			short++
		}
		if ok && math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%s became %v, want %v", text, got, want)
		}
	}
	if short < 100_000 {
		t.Errorf("only %d of 200,000 numbers took the short way", short)
	}
}

// event is a typical metering event of 181 bytes.
const event = `{"type":"api.call","time":"2025-03-01T10:05:30.123456Z","endpoint":"/v1/generate","tokens_in":150,` +
	`"tokens_out":420,"model":"gpt-4","team":"search","request_id":"7f3c2a9e-5b1d-4c8a"}`

func TestScanAllocatesNothing(t *testing.T) {
	p, err := Compile([]string{"/tokens_in", "/tokens_out", "/model", "/team"})
	if err != nil {
		t.Fatal(err)
	}
	values, data := make([]Value, 4), []byte(event)
	if n := testing.AllocsPerRun(100, func() {
		if err := p.Scan(data, values); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations per scan", n)
	}
}

func BenchmarkScanFourFields(b *testing.B) {
	p, err := Compile([]string{"/tokens_in", "/tokens_out", "/model", "/team"})
	if err != nil {
		b.Fatal(err)
	}
	values, data := make([]Value, 4), []byte(event)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Scan(data, values); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValid(b *testing.B) {
	data := []byte(event)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Valid(data); err != nil {
			b.Fatal(err)
		}
	}
}
