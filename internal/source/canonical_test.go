package source_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/source"
)

// value is a JSON value that can be written in many ways.
type value struct {
	text    string // of a string
	literal string // of a number, true, false or null
	names   []string
	items   []*value // of an object those of its names, else of an array
	kind    byte     // { [ " or 0
}

var texts = []string{
	"", "a", "b", "id", "é", "\u0000", "\x1f\x7f\"\\/", "line\nbreak\ttab", "😀", "\u2028", "a/b~c", "secret", "10",
	"\ufffd",
}

func randomValue(random *rand.Rand, depth int) *value {
	v := &value{}
	switch n := random.IntN(7); {
	case n < 2 && depth > 0:
		v.kind = '{'
		for i, at := range random.Perm(len(texts)) {
			if i >= random.IntN(6) {
				break
			}
			v.names = append(v.names, texts[at])
			v.items = append(v.items, randomValue(random, depth-1))
		}
	case n == 2 && depth > 0:
		v.kind = '['
		for range random.IntN(4) {
			v.items = append(v.items, randomValue(random, depth-1))
		}
	case n < 5:
		v.kind, v.text = '"', texts[random.IntN(len(texts))]
	default:
		literals := []string{"null", "true", "false", "0", "-0", "1.35e-05", "0.10", "12345678901234567890", "1E400", "1e+2"}
		v.literal = literals[random.IntN(len(literals))]
	}
	return v
}

// write writes the value in one of many ways: members in any order, some preceded by others of the same name, white space, escapes.
func (v *value) write(random *rand.Rand, out *bytes.Buffer) {
	space := func() { out.WriteString([]string{"", "", "", " ", "\n\t", "\r\n  "}[random.IntN(6)]) }
	space()
	defer space()
	switch v.kind {
	case '{':
		out.WriteByte('{')
		space()
		comma := ""
		for _, i := range random.Perm(len(v.names)) {
			if random.IntN(5) == 0 {
				out.WriteString(comma)
				writeText(random, out, v.names[i])
				out.WriteByte(':')
				randomValue(random, 2).write(random, out) // it does not count
				comma = ","
			}
			out.WriteString(comma)
			space()
			writeText(random, out, v.names[i])
			space()
			out.WriteByte(':')
			v.items[i].write(random, out)
			comma = ","
		}
		out.WriteByte('}')
	case '[':
		out.WriteByte('[')
		space()
		for i, item := range v.items {
			if i > 0 {
				out.WriteByte(',')
			}
			item.write(random, out)
		}
		out.WriteByte(']')
	case '"':
		writeText(random, out, v.text)
	default:
		out.WriteString(v.literal)
	}
}

var shortEscapes = map[rune]string{'"': `\"`, '\\': `\\`, '/': `\/`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}

func writeText(random *rand.Rand, out *bytes.Buffer, text string) {
	out.WriteByte('"')
	for _, r := range text {
		short, hasShort := shortEscapes[r]
		switch {
		case hasShort && random.IntN(2) == 0:
			out.WriteString(short)
		case r < ' ' || r == '"' || r == '\\' || random.IntN(4) == 0:
			form := []string{`\u%04x`, `\u%04X`}[random.IntN(2)]
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(out, form, unit)
			}
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
}

// canonicalMappings keep a record's values in every way there is.
var canonicalMappings = []string{
	mapping(`"keep":true`),
	mapping(`"keep":{"x":"/a","y":"/é","z":{"at":["/b","/secret"]},"s":{"at":"/a","as":"string","default":"d"}}`),
	`{"log":["l-{/a}","m-{/b}","none"],"type":["{/a}","t"],"id":["{/id}","{/a}","{/b}","{/é}"],
		"keep":{"a":"/a~1b~0c"},"select":{"/a":{"not":"b"}}}`,
	`{"log":["{/a}","none"],"id":["{/id}","{/a}"],"keep":true}`,
}

// TestEqualRecordsGiveEqualLines: the order of members, white space and the spelling of strings do not matter.
func TestEqualRecordsGiveEqualLines(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, raw := range canonicalMappings {
		m := parse(t, raw)
		differing, outcomes := 0, map[source.Outcome]int{}
		for range 3_000 {
			v := randomValue(random, 4)
			for v.kind != '{' {
				v = randomValue(random, 4)
			}
			var first, second bytes.Buffer
			v.write(random, &first)
			v.write(random, &second)
			a, b := m.Map(first.Bytes()), m.Map(second.Bytes())
			if !equal(a, b) {
				t.Fatalf("%s\n%s\n%s\ngives %+v %s\nand %+v %s", raw, &first, &second, a, a.Event, b, b.Event)
			}
			rawA, _ := m.RejectRaw(first.Bytes())
			if rawB, whole := m.RejectRaw(second.Bytes()); !whole && !bytes.Equal(rawA, rawB) {
				t.Fatalf("%s\n%s\n%s\nis rejected with %s\nand %s", raw, &first, &second, rawA, rawB)
			}
			if !bytes.Equal(first.Bytes(), second.Bytes()) {
				differing++
			}
			outcomes[a.Outcome]++
			if a.Outcome == source.Mapped {
				checkCanonical(t, a.Event)
			}
		}
		if differing < 1000 || outcomes[source.Mapped] < 300 {
			t.Errorf("%s: %d records differed, outcomes %v", raw, differing, outcomes)
		}
	}
}

// checkCanonical compares an event with what encoding/json makes of it.
func checkCanonical(t *testing.T, data []byte) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	var encoded strings.Builder
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(decoded); err != nil {
		t.Fatal(err)
	}
	// encoding/json escapes two characters more, and not by their short names those that it has none for.
	want := strings.NewReplacer(`\u2028`, "\u2028", `\u2029`, "\u2029").Replace(strings.TrimSuffix(encoded.String(), "\n"))
	if string(data) != want {
		t.Fatalf("the event\n%s is in canonical form\n%s", data, want)
	}
}

// TestKeepTrueKeepsAll: the canonical form says what the record said.
func TestKeepTrueKeepsAll(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	m := parse(t, mapping(`"keep":true`))
	for range 3_000 {
		v := &value{kind: '{', names: []string{"a"}, items: []*value{randomValue(random, 5)}}
		var sent bytes.Buffer
		v.write(random, &sent)
		line := m.Map(sent.Bytes())
		if want := decodeAny(t, sent.Bytes()); line.Outcome != source.Mapped || decodeAny(t, line.Event) != want {
			t.Fatalf("%s became %s", &sent, line.Event)
		}
		if again := m.Map(line.Event); !bytes.Equal(again.Event, line.Event) {
			t.Fatalf("%s became %s", line.Event, again.Event)
		}
	}
	deepest := strings.Repeat(`{"b":1,"a":`, jsonscan.MaxDepth-1) + "{}" + strings.Repeat("}", jsonscan.MaxDepth-1)
	want := strings.Repeat(`{"a":`, jsonscan.MaxDepth-1) + "{}" + strings.Repeat(`,"b":1}`, jsonscan.MaxDepth-1)
	if got := m.Map([]byte(deepest)); string(got.Event) != want {
		t.Errorf("the deepest record became %s (%s)", got.Event, got.Detail)
	}
}

// decodeAny is what encoding/json understands, numbers as their text.
func decodeAny(t *testing.T, data []byte) string {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return fmt.Sprintf("%#v", decoded)
}

func equal(a, b source.Line) bool {
	return bytes.Equal(a.Event, b.Event) && a.Log == b.Log && a.Key == b.Key && a.Code == b.Code && a.Detail == b.Detail
}

func written(random *rand.Rand, v *value) []byte {
	var out bytes.Buffer
	v.write(random, &out)
	return out.Bytes()
}
