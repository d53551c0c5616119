package tally

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
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

// encodeText returns an event as JSON text, without white space around it.
func encodeText(event any) ([]byte, error) {
	text, err := encode(event)
	if err != nil {
		return nil, err
	}
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return nil, errors.New("an event is empty: it must be a JSON object")
	}
	if hasBreaks(text) && !json.Valid(text) {
		return nil, errors.New("an event is not valid JSON, and has line breaks")
	}
	return text, nil
}

// encodeBatch returns events as the body of a request, and its type. Bytes and strings hold lines already; otherwise it is a slice of
// events.
func encodeBatch(events any) (body []byte, contentType string, err error) {
	switch v := events.(type) {
	case []byte:
		return v, ndjsonType, nil
	case string:
		return []byte(v), ndjsonType, nil
	case json.RawMessage:
		return v, ndjsonType, nil
	}
	list := reflect.ValueOf(events)
	if !isList(list) {
		return nil, "", fmt.Errorf("events are a %T: give a slice of events, or lines of JSON as []byte", events)
	}
	texts := make([][]byte, list.Len())
	for i := range texts {
		if texts[i], err = encodeText(list.Index(i).Interface()); err != nil {
			return nil, "", fmt.Errorf("event %d: %w", i+1, err)
		}
	}
	if i := firstInvalid(texts); i >= 0 {
		return nil, "", fmt.Errorf("event %d is not valid JSON", i+1)
	}
	body, contentType = joinTexts(texts)
	return body, contentType, nil
}

// hasBreaks reports whether a text cannot be a line.
func hasBreaks(text []byte) bool { return bytes.ContainsAny(text, "\r\n") }

// joinTexts makes a body of events: a line for each, or an array where one of them has line breaks, which are part of its bytes.
func joinTexts(texts [][]byte) (body []byte, contentType string) {
	if !slices.ContainsFunc(texts, hasBreaks) {
		return append(bytes.Join(texts, []byte("\n")), '\n'), ndjsonType
	}
	return slices.Concat([]byte("["), bytes.Join(texts, []byte(",")), []byte("]")), jsonType
}

// firstInvalid returns the first of events that would be something else in the array that joinTexts makes of them; -1 for none. In lines,
// the server finds it.
func firstInvalid(texts [][]byte) int {
	if !slices.ContainsFunc(texts, hasBreaks) {
		return -1
	}
	return slices.IndexFunc(texts, func(text []byte) bool { return !json.Valid(text) })
}

func isList(v reflect.Value) bool { return v.Kind() == reflect.Slice || v.Kind() == reflect.Array }

// encodeRecords is encodeBatch for one record, too.
func encodeRecords(records any) (body []byte, contentType string, err error) {
	if _, text := records.(string); text || isList(reflect.ValueOf(records)) {
		return encodeBatch(records)
	}
	body, err = encodeText(records)
	return body, ndjsonType, err
}

// newKey makes an idempotency key.
func newKey() string { return "go-" + rand.Text() }
