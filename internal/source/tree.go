package source

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/jsonscan"
)

// CodeInvalid is the code of what [Parse] refuses.
const CodeInvalid = "invalid_mapping"

// tree is a value of a mapping, which knows where it stands.
type tree struct {
	at      string // its JSON pointer in the mapping
	kind    jsonscan.Kind
	source  []byte // as it was sent
	text    string // of a string
	members []namedTree
	items   []*tree
}

type namedTree struct {
	name  string
	value *tree
}

// isNull reports whether a mapping says nothing here.
func (t *tree) isNull() bool { return t == nil || t.kind == jsonscan.Null }

func (t *tree) isScalar() bool {
	return t.kind != jsonscan.Missing && t.kind != jsonscan.Array && t.kind != jsonscan.Object
}

func (t *tree) get(name string) *tree {
	for _, m := range t.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// decoder turns trees into what a mapping is made of. It remembers the first fault, after which its results mean nothing.
type decoder struct {
	err      error
	pointers []string // of the record, each once
}

// fail says what is wrong with the value.
func (d *decoder) fail(t *tree, format string, args ...any) {
	if d.err != nil {
		return
	}
	where := "the mapping"
	if t.at != "" {
		where = "the mapping's " + t.at
	}
	d.err = event.Invalid(CodeInvalid, "%s %s", where, fmt.Sprintf(format, args...))
}

// grow reads a checked value. Two members of the same name are a fault: one of them would be ignored.
func (d *decoder) grow(w *walker, at string) *tree {
	t := &tree{at: at}
	first := w.next()
	start := w.at
	switch first {
	case '{':
		t.kind = jsonscan.Object
		seen := map[string]bool{}
		for more := w.opens('}'); more; more = w.more() {
			text, _ := w.name()
			name := string(text)
			if seen[name] {
				d.fail(t, "has %q twice: leave one of them out", name)
			}
			seen[name] = true
			t.members = append(t.members, namedTree{name, d.grow(w, at+"/"+jsonscan.EscapeToken(name))})
		}
	case '[':
		t.kind = jsonscan.Array
		for more := w.opens(']'); more; more = w.more() {
			t.items = append(t.items, d.grow(w, fmt.Sprintf("%s/%d", at, len(t.items))))
		}
	case '"':
		text, _ := w.text()
		t.kind, t.text = jsonscan.String, string(text)
	default:
		t.kind = kindOf(w.plain()[0])
	}
	t.source = w.data[start:w.at]
	return t
}

func kindOf(first byte) jsonscan.Kind {
	switch first {
	case 'n':
		return jsonscan.Null
	case 't':
		return jsonscan.True
	case 'f':
		return jsonscan.False
	default:
		return jsonscan.Number
	}
}

// object checks that the value is an object with no other members than these.
func (d *decoder) object(t *tree, names ...string) {
	if t.kind != jsonscan.Object {
		d.fail(t, "must be an object with the members %s", strings.Join(names, ", "))
		return
	}
	for _, m := range t.members {
		if !slices.Contains(names, m.name) {
			d.fail(m.value, "is not known: the members here are %s", strings.Join(names, ", "))
		}
	}
}

// list returns the items of an array of 1 to limit, or the value itself as the only one.
func (d *decoder) list(t *tree, limit int) []*tree {
	if t.kind != jsonscan.Array {
		return []*tree{t}
	}
	if len(t.items) == 0 || len(t.items) > limit {
		d.fail(t, "has %d elements: 1 to %d are allowed", len(t.items), limit)
	}
	return t.items
}

// string returns a string of 1 to limit bytes; what says what is expected.
func (d *decoder) string(t *tree, limit int, what string) string {
	switch {
	case t.kind != jsonscan.String:
		d.fail(t, "must be a string: %s", what)
	case t.text == "":
		d.fail(t, "is empty: write %s", what)
	case len(t.text) > limit:
		d.fail(t, "has %d bytes: at most %d are allowed", len(t.text), limit)
	}
	return t.text
}

// choice returns one of these strings.
func (d *decoder) choice(t *tree, choices ...string) string {
	if t.kind != jsonscan.String || !slices.Contains(choices, t.text) {
		d.fail(t, "must be one of these strings: %s", strings.Join(choices, ", "))
	}
	return t.text
}

func (d *decoder) boolean(t *tree) bool {
	if t.isNull() {
		return false
	}
	if t.kind != jsonscan.True && t.kind != jsonscan.False {
		d.fail(t, "must be true or false")
	}
	return t.kind == jsonscan.True
}

// pointer returns the slot of the value that a JSON pointer leads to.
func (d *decoder) pointer(t *tree) int {
	return d.slot(t, d.string(t, MaxPointerBytes, "a JSON pointer, such as /usage/tokens"))
}

func (d *decoder) slot(t *tree, pointer string) int {
	if i := slices.Index(d.pointers, pointer); i >= 0 || d.err != nil {
		return max(i, 0)
	}
	if err := checkPointer(pointer); err != "" {
		d.fail(t, "has %q, which is no JSON pointer: %s", pointer, err)
	}
	if len(d.pointers) >= MaxPointers {
		d.fail(t, "is one JSON pointer too many: at most %d different ones are allowed in a mapping", MaxPointers)
	}
	d.pointers = append(d.pointers, pointer)
	return len(d.pointers) - 1
}

// slots are those of a pointer, or of a list of them.
func (d *decoder) slots(t *tree) []int {
	var slots []int
	for _, item := range d.list(t, MaxAlternatives) {
		slots = append(slots, d.pointer(item))
	}
	return slots
}

// checkPointer returns what is wrong with a JSON pointer, "" when nothing is.
func checkPointer(pointer string) string {
	if len(pointer) > MaxPointerBytes {
		return fmt.Sprintf("it has %d bytes, and at most %d are allowed", len(pointer), MaxPointerBytes)
	}
	if pointer == "" || pointer[0] != '/' {
		return `it must start with "/"`
	}
	for i := range len(pointer) {
		if pointer[i] == '~' && (i+1 == len(pointer) || pointer[i+1] != '0' && pointer[i+1] != '1') {
			return `"~" must be followed by 0 or 1: write ~0 for "~" and ~1 for "/"`
		}
	}
	return ""
}
