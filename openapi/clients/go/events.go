package tally

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"time"
)

// Event is an event of a log.
type Event struct {
	Sequence   int64           `json:"sequence"` // its place in the log: 1, 2, 3 … with no gap
	Type       string          `json:"type,omitempty"`
	Time       time.Time       `json:"time"`        // when it happened
	RecordedAt time.Time       `json:"recorded_at"` // when it was recorded
	Key        string          `json:"key,omitempty"`
	Hash       string          `json:"hash"` // of everything up to it, hexadecimal
	Data       json.RawMessage `json:"data"` // the event as it was sent
	// Raw is how it was sent where Data differs from that: with white space around it, or with line breaks in it. See Bytes.
	Raw string `json:"raw,omitempty"`

	text []byte
}

// UnmarshalJSON reads an event as the server sends it.
func (e *Event) UnmarshalJSON(text []byte) error {
	type plain Event
	var p plain
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	p.text = bytes.Clone(text)
	*e = Event(p)
	return nil
}

// Bytes is the event exactly as it was appended.
func (e *Event) Bytes() []byte {
	if e.Raw != "" {
		return []byte(e.Raw)
	}
	return e.Data
}

// JSON is the event with its sequence, times and hash, exactly as the server sent it. The caller must not change it.
func (e *Event) JSON() []byte { return e.text }

// Decode stores the event in value. Numbers keep their digits: where value leaves their type open, as a map does, they become json.Number.
func (e *Event) Decode(value any) error { return decodeExactly(e.Data, value) }

func decodeExactly(text []byte, value any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(value)
}

// EventFilter selects events of a log. The zero value selects all of them.
type EventFilter struct {
	From, To                 int64 // sequences, inclusive; 0: from the first, to the last
	TimeFrom, TimeTo         time.Time
	RecordedFrom, RecordedTo time.Time // the second is exclusive, as above
	Type                     string
}

// Filtered reports whether events between From and To may be left out.
func (e *EventFilter) Filtered() bool {
	return e.Type != "" || !e.TimeFrom.IsZero() || !e.TimeTo.IsZero() || !e.RecordedFrom.IsZero() || !e.RecordedTo.IsZero()
}

func (e *EventFilter) parameters() []string {
	return []string{
		"from", number(e.From), "to", number(e.To), "type", e.Type,
		"time_from", instant(e.TimeFrom), "time_to", instant(e.TimeTo),
		"recorded_from", instant(e.RecordedFrom), "recorded_to", instant(e.RecordedTo),
	}
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// ListEventsOptions select a page of events.
type ListEventsOptions struct {
	EventFilter
	ListOptions // a Limit of at most 10,000
}

// EventPage is a page of events.
type EventPage struct {
	Events     []Event `json:"events"`
	NextCursor string  `json:"next_cursor"` // "" at the end of the range
}

// ListEvents reads events in their order, a page at a time. A page that is short, or empty, need not be the last: see its NextCursor.
func (c *Client) ListEvents(ctx context.Context, log string, o *ListEventsOptions) (page EventPage, err error) {
	_, err = c.call(ctx, o.request(log, "json"), &page)
	return page, err
}

func (o *ListEventsOptions) request(log, format string) request {
	o = orNew(o)
	return get("logs", log, "events").with(append(o.parameters(), "format", format, "limit", number(o.Limit), "cursor", o.Cursor)...)
}

// EncodedEvents is a page of events as text.
type EncodedEvents struct {
	Body       []byte // in the format that was asked for
	NextCursor string // "" at the end of the range
}

// ListEventsAs is ListEvents in a format of the server's, for whoever passes events on as they are: json, ndjson or csv.
func (c *Client) ListEventsAs(ctx context.Context, log, format string, o *ListEventsOptions) (EncodedEvents, error) {
	a, err := c.ask(ctx, o.request(log, format))
	return EncodedEvents{Body: a.body, NextCursor: a.header.Get("Tally-Next-Cursor")}, err
}

// Events iterates over the events that a filter selects, in their order, up to the log's head at the time of each page.
func (c *Client) Events(ctx context.Context, log string, filter EventFilter) iter.Seq2[Event, error] {
	return pages(func(cursor string) ([]Event, string, error) {
		o := &ListEventsOptions{EventFilter: filter, ListOptions: ListOptions{Cursor: cursor, Limit: listPage}}
		page, err := c.ListEvents(ctx, log, o)
		return page.Events, page.NextCursor, err
	})
}

// GetEvent reads one event. If there is none, the error's code is sequence_not_found.
func (c *Client) GetEvent(ctx context.Context, log string, sequence int64) (event Event, err error) {
	_, err = c.call(ctx, get("logs", log, "events", strconv.FormatInt(sequence, 10)), &event)
	return event, err
}

// StreamEvents reads a whole range over one connection, up to the head at the time of the call, as lines of NDJSON: the fastest way to
// copy a log. A stream that is cut off is not taken up again. The caller must close it.
func (c *Client) StreamEvents(ctx context.Context, log string, filter EventFilter) (*EventStream, error) {
	r := get("logs", log, "events").with(append(filter.parameters(), "format", "ndjson", "stream", "true")...)
	if c.isLocal() { // compressing takes longer than sending
		r.header = http.Header{"Accept-Encoding": {"identity"}}
	}
	var s *EventStream
	_, err := c.retryingStream(ctx, r, func() error {
		body, _, err := c.open(ctx, r, streamSilence)
		if err != nil {
			return err
		}
		s = newEventStream(body)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	return s, nil
}
