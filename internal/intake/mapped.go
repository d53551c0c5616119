package intake

import (
	"bytes"
	"errors"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/source"
)

// mapRecord makes an event of a record, which came with an idempotency key, "" for none. What the mapping makes and is no event, or may not
// go to its log, is rejected. The event keeps nothing of the record.
func mapRecord(m *source.Mapping, record []byte, key string) (source.Line, event.Event) {
	mapped := m.MapKeyed(record, key)
	if mapped.Outcome != source.Mapped {
		return mapped, event.Event{}
	}
	if isSame(mapped.Event, record) { // the mapping keeps records as they are
		mapped.Event = bytes.Clone(record)
		if isSame(mapped.Raw, record) {
			mapped.Raw = mapped.Event
		}
	}
	e, err := event.Parse(mapped.Event)
	if err == nil && mapped.Key != "" {
		err = e.SetKey(mapped.Key)
	}
	var invalid *event.InvalidError
	switch {
	case errors.As(err, &invalid):
		mapped.Outcome, mapped.Code, mapped.Detail = source.Rejected, invalid.Code, invalid.Detail
	case isReserved(mapped.Log):
		mapped.Outcome, mapped.Code, mapped.Detail = source.Rejected, "invalid_log_name", "the log's name would be that of a log of rejects"
	}
	return mapped, e
}

// isSame reports whether two slices are the same bytes in memory, from their beginning.
func isSame(a, b []byte) bool { return len(a) > 0 && len(b) > 0 && &a[0] == &b[0] }
