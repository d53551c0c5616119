package source

import (
	"slices"
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

// newBranch returns what pointers, which are valid, lead to.
func newBranch(pointers []string) *branch {
	root := &branch{}
	for _, pointer := range pointers {
		at := root
		for token := range strings.SplitSeq(pointer[1:], "/") {
			name := strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
			if at.children == nil {
				at.children = map[string]*branch{}
			}
			if at.children[name] == nil {
				at.children[name] = &branch{}
			}
			at = at.children[name]
		}
		at.all = true
	}
	return root
}

// RejectRaw returns what the rejects log may keep of a record that Map rejected, nil for nothing; whole says that it is the record itself.
// With named members, those stand where they stood, so that Map finds them again after the mapping was corrected.
func (m *Mapping) RejectRaw(record []byte) (raw []byte, whole bool) {
	if m.raw == rawWhole {
		return record, true
	}
	if m.raw == rawNone || jsonscan.Valid(record) != nil || !isObject(record) {
		return nil, false
	}
	l := lines.Get().(*line) //nolint:forcetypeassert // the pool holds nothing else
	defer l.release()
	l.out, _ = l.writer.append(l.out[:0], &walker{data: record}, m.namedPart)
	return slices.Clone(l.out), false
}
