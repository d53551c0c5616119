package tally

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// CreateLog creates a log. If the name is taken, the problem's code is name_taken.
func (c *Client) CreateLog(ctx context.Context, name string, labels map[string]string) error {
	body, err := json.Marshal(map[string]any{"name": name, "labels": labels})
	if err != nil {
		return fmt.Errorf("describing log %s: %w", name, err)
	}
	return c.call(ctx, request{method: http.MethodPost, path: []string{"logs"}, body: bytes.NewReader(body), contentType: jsonType}, nil)
}

// Appended is what became of an event.
type Appended struct {
	Sequence  int64 `json:"sequence"`
	Duplicate bool  `json:"duplicate"` // it was there before, by its idempotency key
	Ahead     bool  `json:"ahead"`     // its time is more than a day ahead of the server's
}

// AppendOptions go beside an event.
type AppendOptions struct {
	Key      string // an idempotency key for an event without an id; may be empty
	Expected string // append only if the log's last sequence is this; may be empty
}

// Append appends one event, a JSON object.
func (c *Client) AppendEvent(ctx context.Context, log string, event []byte, o AppendOptions) (Appended, error) {
	header := http.Header{}
	for name, value := range map[string]string{"Idempotency-Key": o.Key, "Expected-Sequence": o.Expected} {
		if value != "" {
			header.Set(name, value)
		}
	}
	var result Appended
	err := c.call(ctx, request{
		method: http.MethodPost, path: []string{"logs", log, "append"}, header: header, body: bytes.NewReader(event), contentType: jsonType,
	}, &result)
	return result, err
}

// AppendBatch appends events, one per line, all or none, and returns how many are new. It streams the lines.
func (c *Client) AppendEvents(ctx context.Context, log string, lines io.Reader) (appended int, err error) {
	var result struct {
		Appended int `json:"appended"`
	}
	r := request{method: http.MethodPost, path: []string{"logs", log, "append_batch"}, body: lines, contentType: "application/x-ndjson"}
	err = c.call(ctx, r, &result)
	return result.Appended, err
}

// Delivered is what became of the lines that a source was sent.
type Delivered struct {
	Stored     int `json:"stored"`
	Duplicates int `json:"duplicates"` // they were there before
	Skipped    int `json:"skipped"`    // the source's mapping does not select them
	Rejected   int `json:"rejected"`   // they cannot be stored, and are kept in the source's log of rejects
	// FirstRejected is the first of those; nil where there is none.
	FirstRejected *struct {
		Line   int    `json:"line"` // from 1
		Code   string `json:"code"`
		Detail string `json:"detail"`
	} `json:"first_rejected"`
}

// Deliver sends lines, a JSON object each, to a source. When it returns without an error, all of them are stored or kept as rejects. It
// streams the lines.
func (c *Client) SendEvents(ctx context.Context, source string, lines io.Reader) (Delivered, error) {
	var result Delivered
	err := c.call(ctx, request{
		method: http.MethodPost, path: []string{"sources", source, "events"}, body: lines, contentType: "application/x-ndjson",
	}, &result)
	return result, err
}

const jsonType = "application/json"
