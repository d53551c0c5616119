package tally

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	// maxPageBytes bounds a page of events: the server ends a page at 8 MiB, and an escaped byte takes six.
	maxPageBytes = 96 << 20
	// streamIdle is how long a stream of events may be silent: with a filter that rarely matches, the server searches for a while.
	streamIdle = 2 * time.Minute
	// maxLineBytes bounds an event in a stream; see maxMessageBytes.
	maxLineBytes = maxMessageBytes
)

// Log is a log and its head.
type Log struct {
	ID         string    `json:"log_id"`
	Name       string    `json:"name"`
	Sequence   int64     `json:"sequence"` // of the last event; 0 if the log is empty
	Hash       string    `json:"hash"`     // of everything up to it, hexadecimal
	RecordedAt time.Time `json:"recorded_at"`
}

// Log describes a log.
func (c *Client) GetLog(ctx context.Context, log string) (Log, error) {
	var result Log
	err := c.call(ctx, request{method: http.MethodGet, path: []string{"logs", log}}, &result)
	return result, err
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

func (e *EventFilter) values() url.Values {
	v := url.Values{}
	for name, sequence := range map[string]int64{"from": e.From, "to": e.To} {
		if sequence != 0 {
			v.Set(name, strconv.FormatInt(sequence, 10))
		}
	}
	for name, t := range map[string]time.Time{
		"time_from": e.TimeFrom, "time_to": e.TimeTo,
		"recorded_from": e.RecordedFrom, "recorded_to": e.RecordedTo,
	} {
		if !t.IsZero() {
			v.Set(name, t.UTC().Format(time.RFC3339Nano))
		}
	}
	if e.Type != "" {
		v.Set("type", e.Type)
	}
	return v
}

// EventPage is one page of events.
type EventPage struct {
	Body []byte // in the requested format
	Next string // cursor of the next page; empty at the end
}

// EventPage reads a page of up to limit events in a format: json, ndjson or csv. cursor is Next of the page before, with the same filter;
// "" for the first page. A page that is short, or empty, need not be the last.
func (c *Client) EventPage(ctx context.Context, log string, e EventFilter, format, cursor string, limit int) (EventPage, error) {
	query := e.values()
	query.Set("format", format)
	query.Set("limit", strconv.Itoa(limit))
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	body, header, err := c.readAll(ctx, request{method: http.MethodGet, path: []string{"logs", log, "events"}, query: query.Encode()})
	return EventPage{Body: body, Next: header.Get("Tally-Next-Cursor")}, err
}

// Event reads one event, as JSON. If there is none, the problem's code is sequence_not_found.
func (c *Client) GetEvent(ctx context.Context, log string, sequence int64) ([]byte, error) {
	body, _, err := c.readAll(ctx, request{method: http.MethodGet, path: []string{"logs", log, "events", strconv.FormatInt(sequence, 10)}})
	return body, err
}

// readAll reads a response of at most maxPageBytes.
func (c *Client) readAll(ctx context.Context, r request) ([]byte, http.Header, error) {
	response, err := c.do(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = response.Body.Close() }() // it is read to its end
	body, err := io.ReadAll(io.LimitReader(response.Body, maxPageBytes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the answer of %s: %w", c.base, err)
	}
	if len(body) > maxPageBytes {
		return nil, nil, fmt.Errorf("the answer of %s is larger than any of Tallystick's; is --url right?", c.base)
	}
	return body, response.Header, nil
}

// EventStream is a stream of events, a line each.
type EventStream struct {
	body io.ReadCloser
	in   *bufio.Reader
	line []byte
}

// StreamEvents starts to read a whole range, up to the head at the time of the call. The caller must close the stream.
func (c *Client) StreamEvents(ctx context.Context, log string, e EventFilter) (*EventStream, error) {
	query := e.values()
	query.Set("format", "ndjson")
	query.Set("stream", "true")
	r := request{method: http.MethodGet, path: []string{"logs", log, "events"}, query: query.Encode()}
	if c.isLocal() { // compressing takes longer than sending
		r.header = http.Header{"Accept-Encoding": {"identity"}}
	}
	body, _, err := c.open(ctx, r, streamIdle)
	if err != nil {
		return nil, err
	}
	return &EventStream{body: body, in: bufio.NewReaderSize(body, 256<<10)}, nil
}

// Next returns the next event's line, with its end, valid until the next call. The error is io.EOF after the last event, and another if the
// connection was cut.
func (s *EventStream) Next() ([]byte, error) {
	s.line = s.line[:0]
	for {
		part, err := s.in.ReadSlice('\n')
		if err == nil && len(s.line) == 0 {
			return part, nil
		}
		s.line = append(s.line, part...)
		switch {
		case err == nil:
			return s.line, nil
		case len(s.line) > maxLineBytes:
			return nil, errMessageTooLarge
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(s.line) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

// Close closes the connection.
func (s *EventStream) Close() error { return s.body.Close() }
