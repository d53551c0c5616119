// Package jsonscan reads a JSON document once: it checks the whole document, and extracts the few values that a set of JSON
// Pointers (RFC 6901) names.
//
// A document that passes is strict RFC 8259 in valid UTF-8, so PostgreSQL's json type stores it unchanged: no control
// characters inside strings, numbers by the grammar, nothing after the value, nested at most [MaxDepth] deep. Only the form
// of escapes is checked: \u0000 and lone surrogates are allowed in the source.
//
// If an object has two members of the same name, the last one counts, with everything below it: in {"a":{"b":1},"a":{}} the
// pointer /a/b is missing.
package jsonscan

import "fmt"

// MaxDepth is how deep arrays and objects may be nested. Real events nest a few levels; the limit bounds the stack that a
// hostile document can make this package, a view or PostgreSQL use.
const MaxDepth = 128

// Kind is the kind of a value. The numbers are those of the view ABI's slots.
type Kind uint32

const (
	Missing Kind = iota
	Null
	False
	True
	Number
	String
	Array
	Object
)

// Value is the value that a pointer names.
type Value struct {
	Kind Kind
	// Text is a string's value as UTF-8 with escapes resolved (a lone surrogate becomes U+FFFD), and the exact source
	// text of any other kind. It may alias the document: it is valid while the document is unchanged.
	Text []byte
	// Number is the nearest double of a number, infinite beyond the range of a double, and 0 for other kinds.
	Number float64
}

// SyntaxError reports where a document stops being acceptable JSON.
type SyntaxError struct {
	Offset int // in bytes
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON at byte %d: %s", e.Offset, e.Reason)
}

// Scan checks the whole document and sets values[i] to the value that the i-th compiled pointer names, of kind Missing if there
// is none. values must be as long as p. An error is a *SyntaxError, and leaves values unspecified.
//
// It allocates only to decode strings and member names that contain escapes, and to convert numbers of over 32 bytes.
func (p *Pointers) Scan(data []byte, values []Value) error {
	if len(values) != p.count {
		return fmt.Errorf("scan JSON: room for %d values, need %d", len(values), p.count)
	}
	clear(values)
	s := scanner{data: data, values: values}
	return s.document(p.root)
}

// Valid checks the whole document. An error is a *SyntaxError.
func Valid(data []byte) error {
	s := scanner{data: data}
	return s.document(nil)
}

// Elements checks that the document is an array and returns the exact source of each of its elements, aliasing data.
// [MaxDepth] applies to each element by itself, so that a value that is acceptable alone is acceptable in a batch. After limit
// elements it stops and leaves the rest of the document unread, since a slice per element may need far more memory than data.
// An error is a *SyntaxError.
func Elements(data []byte, limit int) ([][]byte, error) {
	s := scanner{data: data}
	i := s.space(0)
	if i >= len(data) || data[i] != '[' {
		s.unexpected(i, "an array")
		return nil, s.err
	}
	elements := [][]byte{}
	i = s.space(i + 1)
	if i < len(data) && data[i] == ']' {
		return elements, s.end(i + 1)
	}
	for {
		next := s.value(i, 0, nil)
		if next < 0 {
			return nil, s.err
		}
		elements = append(elements, data[i:next:next])
		if len(elements) >= limit {
			return elements, nil
		}
		i = s.space(next)
		switch {
		case i < len(data) && data[i] == ',':
			i = s.space(i + 1)
		case i < len(data) && data[i] == ']':
			return elements, s.end(i + 1)
		default:
			s.unexpected(i, "',' or ']'")
			return nil, s.err
		}
	}
}
