package source

import (
	"bytes"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// condition is what select asks of one value. Null counts as not being there.
type condition struct {
	slot    int
	any     []scalar // it must be one of these, where there are some
	none    []scalar // it must be none of these
	prefix  string   // it must be a string that begins so, where this is not empty
	present *bool    // whether it must be there
}

// scalar is a value of the mapping that values of records are compared with.
type scalar struct {
	kind   jsonscan.Kind
	text   []byte
	number decimal
}

func (d *decoder) conditions(t *tree) []condition {
	if t.isNull() {
		return nil
	}
	if t.kind != jsonscan.Object || len(t.members) > MaxConditions {
		d.fail(t, "must be an object of up to %d members, each a JSON pointer and what its value must be", MaxConditions)
		return nil
	}
	var all []condition
	for _, m := range t.members {
		c := condition{slot: d.slot(m.value, m.name)}
		if m.value.kind == jsonscan.Object {
			d.condition(m.value, &c)
		} else {
			c.any = d.scalars(m.value)
		}
		all = append(all, c)
	}
	return all
}

func (d *decoder) condition(t *tree, c *condition) {
	d.object(t, "present", "prefix", "not")
	if len(t.members) == 0 {
		d.fail(t, "is empty: write a value, a list of values, or an object with present, prefix or not")
	}
	if present := t.get("present"); present != nil {
		if present.kind == jsonscan.Null {
			d.fail(present, "must be true or false")
		}
		is := d.boolean(present)
		c.present = &is
	}
	if prefix := t.get("prefix"); prefix != nil {
		c.prefix = d.string(prefix, MaxTemplateBytes, "what the value must begin with")
	}
	if not := t.get("not"); not != nil {
		c.none = d.scalars(not)
	}
}

func (d *decoder) scalars(t *tree) []scalar {
	var all []scalar
	for _, item := range d.list(t, MaxConditions) {
		if !item.isScalar() {
			d.fail(item, "must be a string, a number, true, false or null")
			return nil
		}
		s := scalar{kind: item.kind, text: item.value().Text}
		if item.kind == jsonscan.Number {
			s.number, _ = parseDecimal(s.text)
		}
		all = append(all, s)
	}
	return all
}

func (c *condition) holds(v jsonscan.Value) bool {
	if v.Kind == jsonscan.Missing {
		v.Kind = jsonscan.Null
	}
	switch {
	case c.any != nil && !isOneOf(v, c.any),
		isOneOf(v, c.none),
		c.prefix != "" && (v.Kind != jsonscan.String || !bytes.HasPrefix(v.Text, []byte(c.prefix))),
		c.present != nil && *c.present != (v.Kind != jsonscan.Null):
		return false
	}
	return true
}

func isOneOf(v jsonscan.Value, scalars []scalar) bool {
	for i := range scalars {
		if scalars[i].equals(v) {
			return true
		}
	}
	return false
}

// equals compares numbers by their value: 200 is 200.0 and 2e2.
func (s *scalar) equals(v jsonscan.Value) bool {
	switch {
	case s.kind != v.Kind:
		return false
	case s.kind == jsonscan.String:
		return bytes.Equal(s.text, v.Text)
	case s.kind == jsonscan.Number && !bytes.Equal(s.text, v.Text):
		number, ok := parseDecimal(v.Text)
		return ok && number == s.number
	default:
		return true
	}
}
