package tally

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// encode returns a body of JSON: bytes and strings as they are, anything else as encoding/json writes it, without escapes for HTML.
func encode(value any) ([]byte, error) {
	switch v := value.(type) {
	case []byte:
		return v, nil
	case json.RawMessage:
		return v, nil
	case string:
		return []byte(v), nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return nil, fmt.Errorf("encoding a request: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// encodeLine returns an event as one line. Line breaks of the JSON text, which can only be between its members, become spaces.
func encodeLine(event any) ([]byte, error) {
	text, err := encode(event)
	if err != nil {
		return nil, err
	}
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return nil, errors.New("an event is empty: it must be a JSON object")
	}
	if !bytes.ContainsAny(text, "\r\n") {
		return text, nil
	}
	if !json.Valid(text) { // a line break may be within a string, where a space would be another event
		return nil, errors.New("an event is not valid JSON, and has line breaks")
	}
	line := bytes.Clone(text)
	for i, c := range line {
		if c == '\n' || c == '\r' {
			line[i] = ' '
		}
	}
	return line, nil
}

// encodeLines returns events, a line each: bytes and strings hold lines already; otherwise it is a slice of events.
func encodeLines(events any) ([]byte, error) {
	switch v := events.(type) {
	case []byte:
		return v, nil
	case string:
		return []byte(v), nil
	case json.RawMessage:
		return v, nil
	}
	list := reflect.ValueOf(events)
	if !isList(list) {
		return nil, fmt.Errorf("events are a %T: give a slice of events, or lines of JSON as []byte", events)
	}
	var lines []byte
	for i := range list.Len() {
		line, err := encodeLine(list.Index(i).Interface())
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", i+1, err)
		}
		lines = append(append(lines, line...), '\n')
	}
	return lines, nil
}

func isList(v reflect.Value) bool { return v.Kind() == reflect.Slice || v.Kind() == reflect.Array }

// encodeRecords is encodeLines for one record, too.
func encodeRecords(records any) ([]byte, error) {
	if _, text := records.(string); text || isList(reflect.ValueOf(records)) {
		return encodeLines(records)
	}
	return encodeLine(records)
}

// newKey makes an idempotency key.
func newKey() string { return "go-" + rand.Text() }
