package source

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/framing"
	"github.com/tallystick/tallystick/internal/jsonscan"
)

// Envelope is an envelope that is read as it comes, of any length: one of its elements is held at a time.
type Envelope struct {
	In   *framing.Walker // stands before it
	Most int             // bytes of an element, as they were sent
	// Book is called with how many bytes are going to be held beside those of the window: an element's text without its base64.
	Book func(bytes int64) error
	// Fault is called for an element that is not as the mapping says, with its source and an *event.InvalidError with the code
	// [CodeEnvelope]; what follows is read nevertheless. Its error ends the envelope.
	Fault func(element []byte, fault *event.InvalidError) error
}

// Walk is Unwrap of an envelope that is read as it comes. Where a name that leads to the records is there several times, the records of all
// count. An error of In, of Book and of a call ends it, and is returned. An *event.InvalidError says that it has no records.
func (m *Mapping) Walk(e Envelope, each func(record []byte) error) error {
	w := &envelopeWalk{Envelope: e, unwrap: m.unwrap, each: each, path: strings.Split(m.unwrap.at[1:], "/")}
	for i, token := range w.path {
		w.path[i] = jsonscan.UnescapeToken(token)
	}
	if err := w.at(0); err != nil {
		return err
	}
	if !w.found {
		return m.unwrap.notThere()
	}
	return nil
}

func (u *unwrap) notThere() error {
	return event.Invalid(CodeEnvelope, "the record has no list and no object at %s", u.at)
}

type envelopeWalk struct {
	Envelope
	unwrap *unwrap
	each   func(record []byte) error
	path   []string
	found  bool
}

// at reads the value that is next, to which so many tokens of the path have led.
func (w *envelopeWalk) at(depth int) error {
	c, err := w.In.First()
	switch {
	case err != nil:
		return err
	case depth == len(w.path) && c == '{':
		w.found = true
		return w.element()
	case depth == len(w.path) && c == '[':
		w.found = true
		return w.inside(func([]byte, int) error { return w.element() })
	case depth < len(w.path) && c == '{':
		return w.inside(func(name []byte, _ int) error {
			if !isNamed(name, w.path[depth]) {
				return w.In.Skip()
			}
			return w.at(depth + 1)
		})
	case depth < len(w.path) && c == '[':
		return w.inside(func(_ []byte, i int) error {
			if strconv.Itoa(i) != w.path[depth] {
				return w.In.Skip()
			}
			return w.at(depth + 1)
		})
	default:
		return w.In.Skip()
	}
}

// inside calls visit for each member or element of the value that is next, which it has to read.
func (w *envelopeWalk) inside(visit func(name []byte, i int) error) error {
	if err := w.In.Enter(); err != nil {
		return err
	}
	for i := 0; ; i++ {
		name, more, err := w.In.Next()
		if err != nil || !more {
			return err
		}
		if err := visit(name, i); err != nil {
			return err
		}
	}
}

func isNamed(quoted []byte, name string) bool {
	text := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(text, '\\') >= 0 {
		text = jsonscan.Unescape(text)
	}
	return string(text) == name
}

// element reads the element that is next.
func (w *envelopeWalk) element() error {
	element, whole, err := w.In.Value(w.Most)
	if err == nil && !whole {
		return event.Invalid(CodeEnvelope, "an element of %s has more than %d bytes", w.unwrap.at, w.Most)
	}
	if err != nil {
		return err
	}
	if w.unwrap.asBase64 {
		if err := w.Book(int64(len(element))); err != nil {
			return err
		}
	}
	var failure error
	err = w.unwrap.element(element, func(record []byte) error {
		failure = w.each(record)
		return failure
	})
	var fault *event.InvalidError
	if failure == nil && errors.As(err, &fault) {
		return w.Fault(element, fault)
	}
	return err
}
