package source

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// rawMode is what the rejects log keeps of a record.
type rawMode string

const (
	rawWhole rawMode = "whole"
	rawNamed rawMode = "named"
	rawNone  rawMode = "none"
)

// rejects decodes what is kept of rejects. Without it, that is no more than what is kept of events may be.
func (d *decoder) rejects(t *tree, keep keepMode) (mode rawMode, with []string) {
	mode = rawWhole
	if keep == keepMembers {
		mode = rawNamed
	}
	if t.isNull() {
		return mode, nil
	}
	d.object(t, "raw", "with")
	if raw := t.get("raw"); !raw.isNull() {
		mode = rawMode(d.choice(raw, string(rawWhole), string(rawNamed), string(rawNone)))
	}
	if list := t.get("with"); !list.isNull() {
		if mode != rawNamed {
			d.fail(list, `goes with "raw": "named" only`)
		}
		if list.kind != jsonscan.Array || len(list.items) > MaxPointers {
			d.fail(list, "must be a list of up to %d JSON pointers", MaxPointers)
		}
		for _, item := range list.items {
			pointer, _ := d.alone(item)
			with = append(with, pointer)
		}
	}
	return mode, with
}

// branch is a place of a record that pointers lead to or through.
type branch struct {
	slot     int    // of its value
	all      bool   // everything below it is kept
	name     string // of its member
	start    []byte // the name in its canonical form, and a colon
	index    int    // of its element, -1 for a name that is no index
	children []*branch
	elements []*branch // the children that are elements, in their order
}

// maxSteps bounds the places that the pointers of a mapping lead to or through.
const maxSteps = 2048

// branches returns what these pointers lead to, beside those of d, and adds the places in between to d, so that one scan finds all of them.
func (d *decoder) branches(with []string) *branch {
	root := &branch{slot: -1}
	all := []*branch{root}
	slots := map[string]int{}
	for slot, pointer := range d.pointers {
		slots[pointer] = slot
	}
	for _, pointer := range slices.Concat(d.pointers, with) {
		at, path := root, ""
		for token := range strings.SplitSeq(pointer[1:], "/") {
			path += "/" + token
			child := at.child(token)
			if child == nil {
				child = newBranch(token)
				slot, ok := slots[path]
				if !ok {
					slot = len(d.pointers)
					slots[path], d.pointers = slot, append(d.pointers, path)
				}
				child.slot = slot
				at.children, all = append(at.children, child), append(all, child)
			}
			at = child
		}
		at.all = true
	}
	if len(all) > maxSteps {
		d.fail(&tree{}, "has pointers that lead through %d places together; at most %d are allowed", len(all), maxSteps)
	}
	for _, b := range all {
		slices.SortFunc(b.children, func(a, b *branch) int { return cmp.Compare(a.name, b.name) })
		for _, child := range b.children {
			if child.index >= 0 {
				b.elements = append(b.elements, child)
			}
		}
		slices.SortFunc(b.elements, func(a, b *branch) int { return cmp.Compare(a.index, b.index) })
	}
	return root
}

func newBranch(token string) *branch {
	name := jsonscan.UnescapeToken(token)
	b := &branch{name: name, start: append(appendString(nil, []byte(name)), ':'), index: -1}
	if n, err := strconv.Atoi(name); err == nil && n >= 0 && strconv.Itoa(n) == name {
		b.index = n
	}
	return b
}

func (b *branch) child(token string) *branch {
	name := jsonscan.UnescapeToken(token)
	i := slices.IndexFunc(b.children, func(child *branch) bool { return child.name == name })
	if i < 0 {
		return nil
	}
	return b.children[i]
}

// RejectRaw returns what the rejects log may keep of a record, nil for nothing; whole says that it is the record itself. With named
// members, those stand where they stood, so that Map finds them again after the mapping was corrected.
func (m *Mapping) RejectRaw(record []byte) (raw []byte, whole bool) {
	if m.raw != rawNamed {
		return m.unnamed(record)
	}
	l := m.begin()
	defer l.release()
	if m.pointers.Scan(record, l.values) != nil || !isObject(record) {
		return nil, false
	}
	return l.named(), false
}

// unnamed is RejectRaw where no members are named.
func (m *Mapping) unnamed(record []byte) (raw []byte, whole bool) {
	if m.raw == rawWhole {
		return record, true
	}
	return nil, false
}

// named returns the members of a scanned object that are named.
func (l *line) named() []byte {
	l.out = l.appendMembers(l.out[:0], l.mapping.root)
	return slices.Clone(l.out)
}

func (l *line) appendMembers(dst []byte, b *branch) []byte {
	dst = append(dst, '{')
	start := len(dst)
	for _, child := range b.children {
		before := len(dst)
		written, ok := l.appendBranch(append(dst, child.start...), child)
		if dst = written[:before]; ok {
			dst = append(written, ',')
		}
	}
	return closeWith(dst, start, '}')
}

// appendElements keeps the index of each element. Those after the last that is kept are left out.
func (l *line) appendElements(dst []byte, b *branch) []byte {
	dst = append(dst, '[')
	start, next := len(dst), 0
	for _, child := range b.elements {
		if l.values[child.slot].Text == nil {
			continue // there are so many elements
		}
		for ; next < child.index; next++ {
			dst = append(dst, "null,"...)
		}
		written, ok := l.appendBranch(dst, child)
		if !ok {
			written = append(dst, "null"...)
		}
		dst = append(written, ',')
		next++
	}
	return closeWith(dst, start, ']')
}

// appendBranch appends what is kept of the value at a branch. It reports false where that is nothing.
func (l *line) appendBranch(dst []byte, b *branch) ([]byte, bool) {
	switch v := l.values[b.slot]; {
	case v.Text == nil:
		return dst, false
	case v.Kind == jsonscan.Missing: // see drop
		return appendString(dst, v.Text), b.all
	case b.all:
		return l.writer.value(dst, v), true
	case v.Kind == jsonscan.Object:
		return l.appendMembers(dst, b), true
	case v.Kind == jsonscan.Array:
		return l.appendElements(dst, b), true
	default:
		return dst, false
	}
}
