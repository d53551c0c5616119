package tally

import (
	"bytes"
	"context"
	"net/http"
)

// SendOptions go beside what a source is sent.
type SendOptions struct {
	// IdempotencyKey identifies lines that have no identity by the source's mapping: line n, from 0, gets it with :n added. "": none. The
	// client makes none by itself, since sources refuse lines without identity unless their mapping says otherwise.
	IdempotencyKey string
	// ContentType is the body's media type; "" for the method's own.
	ContentType string
}

// Delivered is what became of the lines that a source was sent.
type Delivered struct {
	Stored     int `json:"stored"`
	Duplicates int `json:"duplicates"` // they were there before
	Skipped    int `json:"skipped"`    // the source's mapping does not select them
	Rejected   int `json:"rejected"`   // they cannot be stored, and are kept in the source's log of rejects
	// FirstRejected is the first of those; nil where there is none.
	FirstRejected *RejectedLine `json:"first_rejected"`
}

// RejectedLine is a line that could not be stored.
type RejectedLine struct {
	Line   int    `json:"line"` // from 1
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// SendEvents sends records to a source, whose mapping makes events of them; the source "default" is always there. When it returns without
// an error, all of them are stored or kept as rejects. They are one record or a slice of them, each encoded as AppendEvent does, or lines
// of JSON in []byte or a string.
func (c *Client) SendEvents(ctx context.Context, source string, records any, o *SendOptions) (done Delivered, err error) {
	body, contentType, err := encodeRecords(records)
	if err != nil {
		return done, err
	}
	_, err = c.call(ctx, o.request(body, contentType, "sources", source, "events"), &done)
	return done, err
}

// SendOpenMeterEvents sends CloudEvents to a source the way OpenMeter's clients do: one event, or a slice of them.
func (c *Client) SendOpenMeterEvents(ctx context.Context, source string, events any, o *SendOptions) error {
	body, err := encode(events)
	if err != nil {
		return err
	}
	contentType := "application/cloudevents+json"
	if bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("[")) {
		contentType = "application/cloudevents-batch+json"
	}
	_, err = c.call(ctx, o.request(body, contentType, "sources", source, "api", "v1", "events"), nil)
	return err
}

// SendOTLPLogs sends an ExportLogsServiceRequest of OpenTelemetry to a source: protobuf, or JSON with the ContentType application/json. It
// returns the protocol's answer in the same encoding, which may tell of a partial success.
func (c *Client) SendOTLPLogs(ctx context.Context, source string, body []byte, o *SendOptions) ([]byte, error) {
	a, err := c.ask(ctx, o.request(body, "application/x-protobuf", "sources", source, "v1", "logs"))
	return a.body, err
}

// SendOTLPTraces is SendOTLPLogs for an ExportTraceServiceRequest.
func (c *Client) SendOTLPTraces(ctx context.Context, source string, body []byte, o *SendOptions) ([]byte, error) {
	a, err := c.ask(ctx, o.request(body, "application/x-protobuf", "sources", source, "v1", "traces"))
	return a.body, err
}

func (o *SendOptions) request(body []byte, contentType string, path ...string) request {
	o = orNew(o)
	if o.ContentType != "" {
		contentType = o.ContentType
	}
	r := request{method: http.MethodPost, path: path, body: body, contentType: contentType, safe: true}
	if o.IdempotencyKey != "" {
		r.header = http.Header{"Idempotency-Key": {o.IdempotencyKey}}
	}
	return r
}
