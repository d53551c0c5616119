//go:build !wasip1

package tally

import (
	"encoding/json"
	"strings"
	"testing"
	"unsafe"
)

// TestNoteUncounted counts reasons, in the state of this process.
func TestNoteUncounted(t *testing.T) {
	defer clear(localState)
	const key = "uncounted/2025-03/m"
	for _, c := range []struct {
		sequence int64
		reasons  []string
		want     string
		sum      uint64
	}{
		{7, []string{"b_not_a_number"}, `{"b_not_a_number":1,"last_sequence":7}`, 1},
		{9, []string{"a_not_text", "b_not_a_number"}, `{"b_not_a_number":2,"a_not_text":1,"last_sequence":9}`, 3},
		{
			999_999_999_999_999_999,
			[]string{"b_not_a_number", "b_not_a_number"},
			`{"b_not_a_number":4,"a_not_text":1,"last_sequence":999999999999999999}`, 5,
		},
		{1_000_000_000_000, nil, `{"b_not_a_number":4,"a_not_text":1,"last_sequence":1000000000000}`, 5},
	} {
		if err := NoteUncounted(key, c.sequence, c.reasons...); err != nil || localState[key] != c.want {
			t.Fatalf("%s, %v; %s is wanted", localState[key], err, c.want)
		}
		if sum, err := SumUncounted(key, []byte(c.want)); sum != c.sum || err != nil {
			t.Errorf("%s has the sum %d, %v", c.want, sum, err)
		}
		release()
	}
}

// TestForeignUncounted reads values that NoteUncounted does not write.
func TestForeignUncounted(t *testing.T) {
	defer clear(localState)
	for _, value := range []string{
		"", "{", "{}", "null", "1", `{"a":1}`, `{"a":1,}`, `{"last_sequence":1,"a":1}`, `{"a":1,"last_sequence":1} `,
		` {"a":1,"last_sequence":1}`, `{"a":01,"last_sequence":1}`, `{"a":-1,"last_sequence":1}`, `{"a":1.5,"last_sequence":1}`,
		`{"a":"1","last_sequence":1}`, `{"A":1,"last_sequence":1}`, `{"":1,"last_sequence":1}`, `{"a":1,"last_sequence":1}}`,
		`{"a":1 ,"last_sequence":1}`, `{"a":1000000000000000000,"last_sequence":1}`, `{"a":,"last_sequence":1}`, `{"a`,
		`{"last_sequence":1,"last_sequence":1}`,
	} {
		localState["key"] = value
		_, queried := SumUncounted("key", []byte(value))
		for _, err := range []error{queried, NoteUncounted("key", 1, "a")} {
			if err == nil || !strings.Contains(err.Error(), `"key" is not what this view writes`) {
				t.Errorf("%s: %v", value, err)
			}
		}
		if localState["key"] != value {
			t.Errorf("%s became %s", value, localState["key"])
		}
		release()
	}
	if sum, err := SumUncounted("key", []byte(`{"last_sequence":0}`)); sum != 0 || err != nil {
		t.Errorf("no reason is %d, %v", sum, err)
	}
}

// fieldOf is a field in the server's layout behind an event's header.
func fieldOf(kind Kind, text string) Field {
	laid := make([]uint64, (headerBytes+fieldBytes+len(text))/word+1)
	event := (*Event)(unsafe.Pointer(&laid[0]))
	f := (*field)(unsafe.Add(unsafe.Pointer(event), headerBytes))
	f.kind, f.textLen = kind, uint32(len(text))
	f.text = uint32(uintptr(unsafe.Pointer(event))) + headerBytes + fieldBytes
	copy(unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(event), headerBytes+fieldBytes)), len(text)), text)
	return Field{event, f}
}

func TestFaults(t *testing.T) {
	nines := strings.Repeat("9", inputWholeDigits)
	for _, c := range []struct {
		kind        Kind
		text        string
		number, key string
	}{
		{Missing, "", "", ""},
		{Null, "null", "", ""},
		{True, "true", NotANumber, ""},
		{Array, "[1]", NotANumber, NotText},
		{Object, "{}", NotANumber, NotText},
		{Number, "1e18", "", ""},
		{Number, nines, "", ""},
		{Number, "1e45", HasTooManyDigits, ""},
		{Number, "1e-28", HasTooManyDigits, ""},
		{String, "1e18", "", ""},
		{String, nines + "9", HasTooManyDigits, ""},
		{String, "1e99999999999999999999", HasTooManyDigits, ""},
		{String, "1,000", NotANumber, ""},
		{String, "", NotANumber, ""},
		{String, " 1", NotANumber, ""},
		{String, "01", NotANumber, ""},
		{String, "1e", NotANumber, ""},
		{String, "NaN", NotANumber, ""},
		{String, "a\x00", NotANumber, HasNUL},
		{String, "\x00" + strings.Repeat("x", 1016), NotANumber, TooLong},
		{String, strings.Repeat("x", 1016), NotANumber, ""},
		{String, strings.Repeat("x", 1017), NotANumber, TooLong},
	} {
		f := fieldOf(c.kind, c.text)
		if got := f.Uncounted(); got != c.number {
			t.Errorf("%.30q of kind %d has the fault %q as a number, not %q", c.text, c.kind, got, c.number)
		}
		if got := f.LabelFault("2025-03"); got != c.key {
			t.Errorf("%.30q of kind %d has the fault %q in a key, not %q", c.text, c.kind, got, c.key)
		}
		label, ok := f.Label()
		if _, fits := Key("2025-03", label); (ok && fits) != (c.key == "") {
			t.Errorf("%.30q of kind %d: a key is made, %v; the fault is %q", c.text, c.kind, ok && fits, c.key)
		}
		release()
	}
}

// TestSetKeepsStateReadable sets JSON as events may hold it: what PostgreSQL refuses to read becomes U+FFFD, and nothing else changes.
func TestSetKeepsStateReadable(t *testing.T) {
	defer clear(localState)
	for value, want := range map[string]string{
		`1`: `1`, `"a"`: `"a"`, `"\n\\"`: `"\n\\"`, `"\u0000"`: `"\ufffd"`,
		`{"a\u0000":["\u0000\u0001","x"]}`: `{"a\ufffd":["\ufffd\u0001","x"]}`, `"\ud83d\ude00"`: `"\ud83d\ude00"`, `"\ud83d"`: `"\ufffd"`,
		`"\uDE00\uD83D"`: `"\ufffd\ufffd"`, `"\ud83d\ud83d\ude00"`: `"\ufffd\ud83d\ude00"`, `"\ud83dx\ude00"`: `"\ufffdx\ufffd"`,
		`"\\u0000"`: `"\\u0000"`, `"\\\u0000"`: `"\\\ufffd"`, `"\ud83d\\ude00"`: `"\ufffd\\ude00"`, `"\ud83d\u0000"`: `"\ufffd\ufffd"`,
		`"\u00e9\uffff"`: `"\u00e9\uffff"`,
	} {
		given := []byte(value)
		Set("key", given)
		if got := localState["key"]; got != want || string(given) != value {
			t.Errorf("%s is kept as %s, not %s, and is then %s", value, got, want, given)
		}
		if !json.Valid([]byte(localState["key"])) {
			t.Errorf("%s is kept as %s, which is no JSON", value, localState["key"])
		}
		release()
	}
}

// TestCursors reads two side by side.
func TestCursors(t *testing.T) {
	defer clear(localState)
	for i := range 2*scanPage + 1 {
		name := string(AppendUint(nil, uint64(i), 5))
		Set("a/"+name, []byte("1"))
		Set("b/"+name, []byte("2"))
	}
	a, b := NewCursor("a/"), NewCursor("b/")
	n := 0
	for a.Next() && b.Next() {
		if name := string(AppendUint(nil, uint64(n), 5)); a.Key != "a/"+name || b.Key != "b/"+name ||
			string(a.Value)+string(b.Value) != "12" {
			t.Fatalf("entry %d is %s: %s, and %s: %s", n, a.Key, a.Value, b.Key, b.Value)
		}
		n++
	}
	if n != 2*scanPage+1 || b.Next() || b.Next() {
		t.Errorf("%d entries, and more after them", n)
	}
	release()
}
