package source

import (
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/jsonscan"
)

// project appends the event that is made of some members of the record.
func (l *line) project(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, '{')
	for i := range l.mapping.members {
		m := &l.mapping.members[i]
		before := len(dst)
		written, ok := m.make(l, append(dst, m.start...), m)
		if l.code != "" {
			return dst[:start]
		}
		dst = written[:before]
		if ok {
			dst = append(written, ',')
		}
	}
	return closeWith(dst, start+1, '}')
}

func (l *line) appendType(dst []byte, _ *member) ([]byte, bool) {
	l.text = l.fitting(l.mapping.types, l.text[:0], "member_missing", "type")
	if l.code == "" {
		l.check("invalid_type", "the type", l.text, event.MaxTypeBytes)
	}
	return appendString(dst, l.text), true
}

func (l *line) appendSource(dst []byte, _ *member) ([]byte, bool) {
	return appendString(dst, l.source), true
}

func (l *line) appendID(dst []byte, _ *member) ([]byte, bool) {
	return appendString(dst, l.id), true
}

func (l *line) appendTime(dst []byte, _ *member) ([]byte, bool) {
	c := &l.mapping.clock
	v, slot := l.first(c.slots, isFilled)
	if slot < 0 {
		if !c.optional {
			l.reject("time_missing", "the record has none of the mapping's time: %s", l.mapping.list(c.slots))
		}
		return dst, false
	}
	t, ok := c.unit.read(v)
	if !ok {
		l.reject("invalid_time", "%s is no time of the years 0 to %d in the unit %s", l.mapping.paths[slot], maxYear, c.unit)
		return dst, false
	}
	dst = append(dst, '"')
	dst = t.AppendFormat(dst, timeForm)
	return append(dst, '"'), true
}

func (l *line) appendKept(dst []byte, m *member) ([]byte, bool) {
	v, slot := l.first(m.slots, isThere)
	switch {
	case slot < 0 && m.required:
		l.reject("member_missing", "the record has nothing to keep as %q: %s", m.name, l.mapping.list(m.slots))
		return dst, false
	case slot < 0:
		return append(dst, m.absent...), m.absent != nil
	case m.as != "":
		dst, ok := m.as.append(dst, v)
		if !ok {
			l.reject("invalid_member", "%s is a %s that is no %s, to be kept as %q", l.mapping.paths[slot], kindNames[v.Kind], m.as, m.name)
		}
		return dst, ok
	default:
		return l.writer.value(dst, v), true
	}
}

var kindNames = map[jsonscan.Kind]string{
	jsonscan.True: "boolean", jsonscan.False: "boolean", jsonscan.Number: "number", jsonscan.String: "string",
	jsonscan.Array: "list", jsonscan.Object: "object",
}

// first returns the first of the values that is there, and its slot, or -1.
func (l *line) first(slots []int, there func(jsonscan.Value) bool) (jsonscan.Value, int) {
	for _, slot := range slots {
		if there(l.values[slot]) {
			return l.values[slot], slot
		}
	}
	return jsonscan.Value{}, -1
}
