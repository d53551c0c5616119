package source

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// writer writes values in their canonical form: members sorted by the bytes of their names, the last of those with the same name, no white
// space, strings with no escapes but those that JSON demands, and numbers as they were sent. The zero value is ready; it keeps its memory
// for the next value.
type writer struct {
	members []span
	names   [][]byte // of members; apart from them, since what has no pointers is sorted much faster
	moved   []byte
}

// span is where a member of an object that is being written stands.
type span struct{ name, from, to int }

// append reads a value and appends it.
func (w *writer) append(dst []byte, in *walker) []byte {
	switch in.next() {
	case '{':
		return w.object(dst, in)
	case '[':
		return w.array(dst, in)
	case '"':
		text, plain := in.text()
		return appendText(dst, text, plain)
	default:
		return append(dst, in.plain()...)
	}
}

func (w *writer) object(dst []byte, in *walker) []byte {
	start, base, ordered := len(dst), len(w.members), true
	dst = append(dst, '{')
	for more := in.opens('}'); more; more = in.more() {
		name, plain := in.name()
		from := len(dst)
		dst = append(w.append(append(appendText(dst, name, plain), ':'), in), ',')
		if last := len(w.names) - 1; last >= base && bytes.Compare(w.names[last], name) >= 0 {
			ordered = false
		}
		w.members = append(w.members, span{name: len(w.names), from: from, to: len(dst)})
		w.names = append(w.names, name)
	}
	if !ordered {
		dst = w.sort(dst, start+1, w.members[base:])
	}
	clear(w.names[base:])
	w.members, w.names = w.members[:base], w.names[:base]
	return closeWith(dst, start+1, '}')
}

// sort brings the members, which are written from start on, into their order.
func (w *writer) sort(dst []byte, start int, members []span) []byte {
	slices.SortFunc(members, func(a, b span) int {
		return cmp.Or(bytes.Compare(w.names[a.name], w.names[b.name]), cmp.Compare(a.name, b.name))
	})
	w.moved = append(w.moved[:0], dst[start:]...)
	dst = dst[:start]
	for i, m := range members {
		if i+1 < len(members) && bytes.Equal(w.names[m.name], w.names[members[i+1].name]) {
			continue
		}
		dst = append(dst, w.moved[m.from-start:m.to-start]...)
	}
	return dst
}

func (w *writer) array(dst []byte, in *walker) []byte {
	start := len(dst)
	dst = append(dst, '[')
	for more := in.opens(']'); more; more = in.more() {
		dst = append(w.append(dst, in), ',')
	}
	return closeWith(dst, start+1, ']')
}

// closeWith replaces the comma after the last of what begins at start, where there is one.
func closeWith(dst []byte, start int, closing byte) []byte {
	if len(dst) > start {
		dst = dst[:len(dst)-1]
	}
	return append(dst, closing)
}

// value appends a value that is there.
func (w *writer) value(dst []byte, v jsonscan.Value) []byte {
	if v.Kind == jsonscan.String {
		return appendString(dst, v.Text)
	}
	return w.append(dst, &walker{data: v.Text})
}

// appendText is appendString for what a walker read.
func appendText(dst, text []byte, plain bool) []byte {
	if !plain {
		return appendString(dst, text)
	}
	return append(append(append(dst, '"'), text...), '"')
}

// appendString appends a JSON string of that value, which is valid UTF-8.
func appendString(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	plain := 0
	for i, c := range text {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(append(dst, text[plain:i]...), '\\')
		plain = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, c)
		case '\b':
			dst = append(dst, 'b')
		case '\f':
			dst = append(dst, 'f')
		case '\n':
			dst = append(dst, 'n')
		case '\r':
			dst = append(dst, 'r')
		case '\t':
			dst = append(dst, 't')
		default:
			dst = append(dst, 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, text[plain:]...), '"')
}
