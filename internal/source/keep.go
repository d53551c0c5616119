package source

import (
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// keepMode is how much of a record becomes the event.
type keepMode int

const (
	keepMembers keepMode = iota // some members
	keepAll                     // the record in its canonical form
	keepBytes                   // the record as it was sent
)

// member is one member of the events that a mapping makes.
type member struct {
	name   string // as it stands in the event
	start  []byte // the name in its canonical form, and a colon
	make   func(l *line, dst []byte, m *member) ([]byte, bool)
	slots  []int // the first value that is there is kept
	as     conversion
	absent []byte // in its canonical form, what is written where nothing is there; nil for leaving the member out
	// required makes a record without the member a reject.
	required bool
}

// envelope are the members of an event that have members of the mapping of their own.
var envelope = []string{"type", "time", "id", "source"}

func (d *decoder) keep(t *tree) (mode keepMode, members []member) {
	switch {
	case t.isNull():
		d.fail(&tree{}, `has no keep: write the members to keep, such as {"tokens": "/usage/tokens"}, or true for all`)
	case t.kind == jsonscan.True:
		return keepAll, nil
	case t.kind == jsonscan.String && t.text == "bytes":
		return keepBytes, nil
	case t.kind != jsonscan.Object:
		d.fail(t, `must be an object of the members to keep, true, or "bytes"`)
	case len(t.members) > MaxKept:
		d.fail(t, "has %d members: at most %d are allowed", len(t.members), MaxKept)
	}
	if d.err != nil {
		return keepMembers, nil
	}
	for _, m := range t.members {
		if m.name == "" || len(m.name) > MaxKeptNameBytes {
			d.fail(m.value, "has a name of %d bytes: 1 to %d are allowed", len(m.name), MaxKeptNameBytes)
		}
		if slices.Contains(envelope, m.name) {
			d.fail(m.value, "is not a member to keep: the mapping's own %s says what an event's is", m.name)
		}
		members = append(members, d.kept(m.name, m.value))
	}
	return keepMembers, members
}

func newMember(name string, make func(*line, []byte, *member) ([]byte, bool)) member {
	return member{name: name, start: append(appendString(nil, []byte(name)), ':'), make: make}
}

func (d *decoder) kept(name string, t *tree) member {
	m := newMember(name, (*line).appendKept)
	if t.kind == jsonscan.String || t.kind == jsonscan.Array {
		m.slots = d.slots(t)
		return m
	}
	if value := t.get("value"); value != nil {
		d.object(t, "value")
		m.absent = d.constant(value)
		return m
	}
	d.object(t, "at", "as", "default", "required")
	at := t.get("at")
	if at.isNull() {
		d.fail(t, "must have at, a JSON pointer or a list of them, or value")
		return m
	}
	m.slots = d.slots(at)
	if as := t.get("as"); !as.isNull() {
		m.as = conversion(d.choice(as, string(asInteger), string(asNumber), string(asString), string(asBoolean)))
	}
	m.required = d.boolean(t.get("required"))
	if fallback := t.get("default"); !fallback.isNull() {
		m.absent = d.constant(fallback)
		if m.required {
			d.fail(t, "has a default and is required: write one of the two")
		}
		if d.err == nil && m.as != "" {
			converted, ok := m.as.append(nil, fallback.value())
			if !ok {
				d.fail(fallback, "is no %s", m.as)
			}
			m.absent = converted
		}
	}
	return m
}

// value is that of a scalar, as a record would have it.
func (t *tree) value() jsonscan.Value {
	if t.kind == jsonscan.String {
		return jsonscan.Value{Kind: t.kind, Text: []byte(t.text)}
	}
	return jsonscan.Value{Kind: t.kind, Text: t.source}
}

// constant returns the canonical form of a scalar.
func (d *decoder) constant(t *tree) []byte {
	if !t.isScalar() || t.isNull() {
		d.fail(t, "must be a string, a number, true or false")
		return nil
	}
	if t.kind == jsonscan.String {
		return appendString(nil, []byte(t.text))
	}
	return t.source
}

// conversion is what kind of value is made of one; "" for leaving it as it is.
type conversion string

const (
	asInteger conversion = "integer"
	asNumber  conversion = "number"
	asString  conversion = "string"
	asBoolean conversion = "boolean"
)

// append appends the converted scalar in its canonical form. It reports false, and dst is as it was, where it cannot be converted.
func (c conversion) append(dst []byte, v jsonscan.Value) ([]byte, bool) {
	scalar := v.Kind != jsonscan.Array && v.Kind != jsonscan.Object
	switch {
	case !scalar:
		return dst, false
	case c == asString:
		return appendString(dst, v.Text), true
	case c == asBoolean && (v.Kind == jsonscan.True || strings.EqualFold(string(v.Text), "true") && v.Kind == jsonscan.String):
		return append(dst, "true"...), true
	case c == asBoolean && (v.Kind == jsonscan.False || strings.EqualFold(string(v.Text), "false") && v.Kind == jsonscan.String):
		return append(dst, "false"...), true
	case c == asBoolean, v.Kind != jsonscan.Number && v.Kind != jsonscan.String:
		return dst, false
	}
	number, ok := parseDecimal(v.Text)
	if !ok {
		return dst, false
	}
	if c == asInteger {
		return appendInteger(dst, number)
	}
	return append(dst, v.Text...), true
}
