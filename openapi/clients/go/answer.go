package tally

import (
	"context"
	"errors"
	"mime"
	"strconv"
)

// Answer is a view's answer to a query.
type Answer struct {
	Type     string // its media type, without parameters: application/json, text/csv or text/plain
	Sequence int64  // the last event that it reflects
	Body     []byte
}

// Decode stores an answer of JSON in value. Numbers keep their digits: where value leaves their type open, as a map does, they become
// json.Number.
func (a *Answer) Decode(value any) error { return decodeExactly(a.Body, value) }

// QueryView asks a view. The question is a query string, which is the view's own, such as "month=2025-03", or what url.Values encodes; it
// may be empty.
func (c *Client) QueryView(ctx context.Context, log, view, question string) (Answer, error) {
	r := get("logs", log, "views", view, "query")
	r.query = question
	a, err := c.ask(ctx, r)
	if err != nil {
		return Answer{}, err
	}
	sequence, err := strconv.ParseInt(a.header.Get("Tally-Sequence"), 10, 64)
	if err != nil {
		return Answer{}, c.stranger(a.header, errors.New("it has no Tally-Sequence header, as a view's has"))
	}
	mediaType, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil {
		return Answer{}, c.stranger(a.header, err)
	}
	return Answer{Type: mediaType, Sequence: sequence, Body: a.body}, nil
}
