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

// ReadEvents reads one event a line, as the server reads a batch: blank lines hold no event, and a line that has the
// idempotency key of an earlier one, and the same bytes, is not appended again. The error is a *LineError.
func ReadEvents(ndjson []byte) ([]Event, error) {
	type origin struct {
		line    int
		payload uuid.UUID
	}
	known := map[uuid.UUID]origin{}
	var events []Event
	line := 0
	for text := range bytes.Lines(ndjson) {
		line++
		if text = bytes.Trim(text, " \t\r\n"); len(text) == 0 {
			continue
		}
		e, err := parse(text)
		if err != nil {
			return nil, &LineError{line, err}
		}
		if !e.KeyHash.IsZero() {
			payload := e.PayloadHash()
			first, found := known[e.KeyHash]
			switch {
			case !found:
				known[e.KeyHash] = origin{line, payload}
			case first.payload == payload:
				continue
			default:
				return nil, &LineError{line, fmt.Errorf("the idempotency key %q is that of line %d, whose bytes differ, so the "+
					"server refuses it: give the event an id of its own", e.Key, first.line)}
			}
		}
		events = append(events, e)
	}
	return events, nil
}
