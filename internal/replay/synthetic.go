package replay

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/jsonscan"
)

const (
	// syntheticEvents is enough for the few names below to come up again and again, so that a view reads what it wrote.
	syntheticEvents = 192
	// syntheticSeed makes the sample the same on every server and for ever.
	syntheticSeed = 0x7461_6c6c_7973_7469
	// maxSyntheticIndex bounds the arrays that are made for pointers such as /items/5.
	maxSyntheticIndex = 31
	// maxSyntheticDepth keeps events within jsonscan.MaxDepth; a field below it is missing.
	maxSyntheticDepth = 16
)

// syntheticStart is when the first synthetic event is recorded.
var syntheticStart = time.Date(2024, time.February, 28, 21, 17, 3, 5_000, time.UTC)

// syntheticValues are what an event's fields are made of: amounts as they should be, and what arrives all the same. Names
// are few, so that they meet under the same keys.
var syntheticValues = []string{
	`1`, `2`, `250`, `0`, `-3`, `0.5`, `12.75`, `1e3`, `0.1`, `99999999999999999999999999`, `1e400`, `-0`, `0.000000001`,
	`"gpt-4"`, `"gpt-4"`, `"small"`, `"Zürich"`, `"a b/c"`, `"7"`, `"3.25"`, `""`, `"2024-02-29T23:59:59Z"`, `"line\nbreak"`,
	`null`, `true`, `false`, `[]`, `[1,"two"]`, `{}`, `{"a":1}`,
}

// usualFields are put into the events of a view that asks for no fields: it reads the JSON by itself.
var usualFields = []string{"/type", "/name", "/amount", "/model", "/user/id", "/items/0"}

// Synthetic returns events that hold the fields that a view asks for, with values of all kinds and some missing. It returns
// the same events each time.
func Synthetic(fields []string) []event.Recorded {
	if len(fields) == 0 {
		fields = usualFields
	}
	random := rand.New(rand.NewPCG(syntheticSeed, uint64(len(fields)))) //nolint:gosec // repeatable, not secret
	events := make([]event.Recorded, syntheticEvents)
	for i := range events {
		recorded := syntheticStart.Add(time.Duration(i) * 17 * time.Minute)
		happened := recorded
		if random.IntN(6) == 0 { // late, now and then by weeks
			happened = recorded.Add(-time.Duration(random.IntN(40*24)) * time.Hour)
		}
		document := map[string]any{"n": i}
		for _, field := range random.Perm(len(fields)) { // of two fields in each other's way, now one is there and now the other
			if path := tokens(fields[field]); random.IntN(8) > 0 && len(path) <= maxSyntheticDepth {
				put(document, path, json.RawMessage(syntheticValues[random.IntN(len(syntheticValues))]))
			}
		}
		e := &events[i]
		e.Sequence, e.RecordedAt, e.Time, e.HasTime = int64(i+1), recorded.UnixMicro(), happened.UnixMicro(), true
		e.Data = encode(document)
	}
	return events
}

func encode(document map[string]any) []byte {
	data, err := json.Marshal(document)
	if err != nil {
		panic(fmt.Sprintf("a synthetic event cannot be encoded: %v", err)) // it holds nothing that cannot
	}
	return data
}

// tokens are the unescaped parts of a JSON pointer.
func tokens(pointer string) []string {
	parts := strings.Split(pointer, "/")[1:]
	for i, part := range parts {
		parts[i] = jsonscan.UnescapeToken(part)
	}
	return parts
}

// put puts a value where a pointer leads. Where another field's value stands in the way, it gives way: such an event
// lacks that field.
func put(object map[string]any, path []string, value any) {
	name := path[0]
	if len(path) == 1 {
		object[name] = value
		return
	}
	if index, err := strconv.Atoi(path[1]); err == nil && index >= 0 && index <= maxSyntheticIndex {
		array, _ := object[name].([]any)
		for len(array) <= index {
			array = append(array, nil)
		}
		array[index] = putIn(array[index], path[2:], value)
		object[name] = array
		return
	}
	object[name] = putIn(object[name], path[1:], value)
}

// putIn returns a value with another one put below it, where the rest of a path leads.
func putIn(there any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	object, ok := there.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	put(object, path, value)
	return object
}
