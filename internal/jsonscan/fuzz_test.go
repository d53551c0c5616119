package jsonscan

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func seed(f *testing.F, add func(document string)) {
	f.Helper()
	for _, document := range validDocuments {
		add(document)
	}
	for _, document := range invalidDocuments {
		if len(document) < 10_000 {
			add(document)
		}
	}
	add(event)
}

// acceptable is this package's promise in the words of encoding/json.
func acceptable(data []byte) bool {
	return json.Valid(data) && utf8.Valid(data) && depth(data) <= MaxDepth
}

// depth counts how deep a valid document nests.
func depth(data []byte) int {
	deepest, open, quoted := 0, 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			open++
			deepest = max(deepest, open)
		case c == ']' || c == '}':
			open--
		}
	}
	return deepest
}

func FuzzValid(f *testing.F) {
	seed(f, func(document string) { f.Add([]byte(document)) })
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := Valid(data); (err == nil) != acceptable(data) {
			t.Fatalf("Valid = %v, encoding/json says %v", err, acceptable(data))
		}
	})
}

func FuzzScan(f *testing.F) {
	seed(f, func(document string) {
		f.Add([]byte(document), "/a\n/a/b\n/0\n/a/0/b\n/~01")
		f.Add([]byte(document), "//\n/é\n/2\n/a/b/c\n/a")
	})
	f.Fuzz(func(t *testing.T, data []byte, lines string) {
		pointers := strings.Split(lines, "\n")
		p, err := Compile(pointers)
		if err != nil {
			return
		}
		values := make([]Value, p.Len())
		if err := p.Scan(data, values); (err == nil) != acceptable(data) {
			t.Fatalf("Scan = %v, encoding/json says %v", err, acceptable(data))
		} else if err != nil {
			return
		}
		for i, pointer := range pointers {
			want := lookUp(t, data, pointer)
			if got := values[i]; got.Kind != want.Kind || !bytes.Equal(got.Text, want.Text) ||
				math.Float64bits(got.Number) != math.Float64bits(want.Number) {
				t.Fatalf("%q in %q: got %d %q %v, want %d %q %v",
					pointer, data, got.Kind, got.Text, got.Number, want.Kind, want.Text, want.Number)
			}
		}
	})
}

func FuzzElements(f *testing.F) {
	seed(f, func(document string) { f.Add([]byte("[" + document + "]")) })
	f.Fuzz(func(t *testing.T, data []byte) {
		var want []json.RawMessage
		ok := utf8.Valid(data) && bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("[")) &&
			json.Unmarshal(data, &want) == nil && depth(data) <= MaxDepth+1
		got, err := Elements(data, math.MaxInt)
		if (err == nil) != ok {
			t.Fatalf("Elements = %v, encoding/json says %v", err, ok)
		}
		if !ok {
			return
		}
		if len(got) != len(want) {
			t.Fatalf("%d elements, want %d", len(got), len(want))
		}
		for i := range want {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("element %d is %q, want %q", i, got[i], want[i])
			}
		}
	})
}

// lookUp finds what a pointer names by decoding level after level with encoding/json.
func lookUp(t *testing.T, data []byte, pointer string) Value {
	t.Helper()
	data = bytes.Trim(data, " \t\r\n")
	for token := range strings.SplitSeq(pointer[1:], "/") {
		name := strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch data[0] {
		case '{':
			var object map[string]json.RawMessage
			decode(t, data, &object)
			member, ok := object[name]
			if !ok {
				return Value{}
			}
			data = member
		case '[':
			var array []json.RawMessage
			decode(t, data, &array)
			index, err := strconv.Atoi(name)
			if err != nil || strconv.Itoa(index) != name || index < 0 || index >= len(array) {
				return Value{}
			}
			data = array[index]
		default:
			return Value{}
		}
	}
	return value(t, data)
}

func value(t *testing.T, data []byte) Value {
	t.Helper()
	v := Value{Text: data}
	switch data[0] {
	case '{':
		v.Kind = Object
	case '[':
		v.Kind = Array
	case '"':
		var text string
		decode(t, data, &text)
		v.Kind, v.Text = String, []byte(text)
	case 't':
		v.Kind = True
	case 'f':
		v.Kind = False
	case 'n':
		v.Kind = Null
	default:
		v.Kind = Number
		v.Number, _ = strconv.ParseFloat(string(data), 64)
	}
	return v
}

func decode(t *testing.T, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("encoding/json: %v", err)
	}
}
