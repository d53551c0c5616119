package viewtest

import (
	"bytes"
	"fmt"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/uuid"
)

// Event is an event as the server reads it; its time is that of recording where it has none of its own.
type Event = event.Event

func parse(data []byte) (Event, error) {
	e, err := event.Parse(data)
	if err == nil && !e.HasTime {
		e.Time = RecordedAt.UnixMicro()
	}
	return e, err
}

// LineError is why the server would not accept a line of events.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the reason.
func (e *LineError) Unwrap() error { return e.Err }

// Line is an event and its line, from 1.
type Line struct {
	Number int
	Event
}

// readLines reads one event a line; blank lines hold none. The error is a *LineError.
func readLines(ndjson []byte) ([]Line, error) {
	var events []Line
	number := 0
	for text := range bytes.Lines(ndjson) {
		number++
		if text = bytes.Trim(text, " \t\r\n"); len(text) == 0 {
			continue
		}
		e, err := parse(text)
		if err != nil {
			return nil, &LineError{number, err}
		}
		events = append(events, Line{number, e})
	}
	return events, nil
}

// ReadEvents reads one event a line, as the server reads a batch: blank lines hold no event, and a line that has the
// idempotency key of an earlier one, and the same bytes, is not appended again. The error is a *LineError.
func ReadEvents(ndjson []byte) ([]Event, error) {
	read, err := readLines(ndjson)
	if err != nil {
		return nil, err
	}
	var appended keys
	var events []Event
	for i := range read {
		duplicate, err := appended.has(&read[i])
		if err != nil {
			return nil, err
		}
		if !duplicate {
			appended.add(&read[i])
			events = append(events, read[i].Event)
		}
	}
	return events, nil
}

// keys are the idempotency keys of the events that are appended.
type keys map[uuid.UUID]origin

type origin struct {
	line    int
	payload uuid.UUID
}

// has reports whether the event was appended before. The error is a *LineError: it has the key of another one.
func (k keys) has(e *Line) (duplicate bool, err error) {
	first, found := k[e.KeyHash]
	switch {
	case !found || e.KeyHash.IsZero():
		return false, nil
	case first.payload == e.PayloadHash():
		return true, nil
	}
	return false, &LineError{e.Number, fmt.Errorf("the idempotency key %q is that of line %d, whose bytes differ, so the "+
		"server refuses it: give the event an id of its own", e.Key, first.line)}
}

func (k *keys) add(e *Line) {
	if *k == nil {
		*k = keys{}
	}
	if !e.KeyHash.IsZero() {
		(*k)[e.KeyHash] = origin{e.Number, e.PayloadHash()}
	}
}
