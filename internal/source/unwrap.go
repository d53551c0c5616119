package source

import (
	"bytes"
	"errors"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/jsonscan"
)

// unwrap says where records are in an envelope.
type unwrap struct {
	at       string
	pointer  *jsonscan.Pointers
	data     string             // where in each of them there is JSON; "" when they are the records themselves
	inner    *jsonscan.Pointers // of data
	asBase64 bool
}

func (d *decoder) unwrap(t *tree) *unwrap {
	if t.isNull() {
		return nil
	}
	u := &unwrap{}
	if t.kind == jsonscan.String {
		u.at, u.pointer = d.alone(t)
		return u
	}
	d.object(t, "at", "data", "as")
	at := t.get("at")
	if at.isNull() {
		d.fail(t, "must have at, a JSON pointer to the records")
		return nil
	}
	u.at, u.pointer = d.alone(at)
	data, as := t.get("data"), t.get("as")
	if !data.isNull() {
		u.data, u.inner = d.alone(data)
	}
	if !as.isNull() {
		u.asBase64 = d.choice(as, "json", "base64") == "base64"
		if data.isNull() {
			d.fail(as, "goes with data, a JSON pointer to the text that holds the records")
		}
	}
	return u
}

// alone compiles one pointer.
func (d *decoder) alone(t *tree) (string, *jsonscan.Pointers) {
	pointer := d.string(t, MaxPointerBytes, "a JSON pointer, such as /records")
	if fault := checkPointer(pointer); fault != "" {
		d.fail(t, "has %q, which is no JSON pointer: %s", pointer, fault)
	}
	if d.err != nil {
		return "", nil
	}
	compiled, err := jsonscan.Compile([]string{pointer})
	if err != nil {
		d.fail(t, "is no JSON pointer: %v", err)
	}
	return pointer, compiled
}

// CodeEnvelope is the code of an envelope without records.
const CodeEnvelope = "invalid_envelope"

// Unwrap calls each for every record in a record: those in its envelope, or itself where the mapping has no unwrap. What each gets is valid
// until it returns, and may be no JSON: Map looks at that. An error of each ends Unwrap, which returns it.
//
// An *event.InvalidError with the code [CodeEnvelope] says that the envelope, or some of what is in it, is not as the mapping says. The
// records that could be read have been passed to each.
func (m *Mapping) Unwrap(record []byte, each func(record []byte) error) error {
	if m.unwrap == nil {
		return each(record)
	}
	return m.unwrap.open(record, each)
}

func (u *unwrap) open(record []byte, each func([]byte) error) error {
	var values [1]jsonscan.Value
	if err := u.pointer.Scan(record, values[:]); err != nil {
		return event.Invalid(CodeEnvelope, "%s", invalidJSON(err))
	}
	switch found := values[0]; found.Kind {
	case jsonscan.Object:
		return u.element(found.Text, each)
	case jsonscan.Array:
		return elements(found.Text, func(element []byte) error { return u.element(element, each) })
	default:
		return u.notThere()
	}
}

// elements calls each for the elements of a checked array. It goes on after an error about an envelope, and returns the first of them.
func elements(array []byte, each func([]byte) error) error {
	w := walker{data: array}
	w.next()
	var envelope error
	for more := w.opens(']'); more; more = w.more() {
		if err := each(w.skip()); err != nil {
			if !isEnvelope(err) {
				return err
			}
			if envelope == nil {
				envelope = err
			}
		}
	}
	return envelope
}

// element reads one of the values at u.at.
func (u *unwrap) element(element []byte, each func([]byte) error) error {
	if u.inner == nil {
		return each(element)
	}
	var values [1]jsonscan.Value
	if err := u.inner.Scan(element, values[:]); err != nil {
		return event.Invalid(CodeEnvelope, "%s", invalidJSON(err))
	}
	data := values[0]
	switch {
	case data.Kind == jsonscan.String && u.asBase64:
		decoded, err := jsonscan.Base64(data.Text)
		if err != nil {
			return event.Invalid(CodeEnvelope, "%s in an element of %s is not valid base64", u.data, u.at)
		}
		return split(decoded, each)
	case data.Kind == jsonscan.String:
		return split(data.Text, each)
	case data.Kind == jsonscan.Object && !u.asBase64:
		return each(data.Text)
	case data.Kind == jsonscan.Array && !u.asBase64:
		return elements(data.Text, each)
	default:
		return event.Invalid(CodeEnvelope, "an element of %s has no text at %s", u.at, u.data)
	}
}

// split calls each for the records in a text: values that follow one another, and the elements of arrays. What begins like neither an
// object nor an array is taken to the end of its line.
func split(text []byte, each func([]byte) error) error {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	for text = bytes.TrimSpace(text); len(text) > 0; text = bytes.TrimSpace(text) {
		n := valueEnd(text)
		value := text[:n:n]
		text = text[n:]
		var err error
		if value[0] == '[' && jsonscan.Valid(value) == nil {
			err = elements(value, each)
		} else {
			err = each(value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// valueEnd returns where the value that text begins with ends. The text may be no JSON.
func valueEnd(text []byte) int {
	if text[0] != '{' && text[0] != '[' {
		if end := bytes.IndexByte(text, '\n'); end >= 0 {
			return end
		}
		return len(text)
	}
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// Unwraps reports whether records are in envelopes.
func (m *Mapping) Unwraps() bool { return m.unwrap != nil }

func isEnvelope(err error) bool {
	invalid, ok := errors.AsType[*event.InvalidError](err)
	return ok && invalid.Code == CodeEnvelope
}
