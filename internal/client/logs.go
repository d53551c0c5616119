package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// CreateLog makes a log. Where one has the name already, the problem's code is name_taken.
func (c *Client) CreateLog(ctx context.Context, name string, labels map[string]string) error {
	body, err := json.Marshal(map[string]any{"name": name, "labels": labels})
	if err != nil {
		return fmt.Errorf("describing log %s: %w", name, err)
	}
	return c.call(ctx, request{method: http.MethodPost, path: []string{"logs"}, body: bytes.NewReader(body), contentType: jsonType}, nil)
}

// Append adds one event, a JSON object, and tells whether its idempotency key was there before.
func (c *Client) Append(ctx context.Context, log string, event []byte) (duplicate bool, err error) {
	var answer struct {
		Duplicate bool `json:"duplicate"`
	}
	r := request{method: http.MethodPost, path: []string{"logs", log, "append"}, body: bytes.NewReader(event), contentType: jsonType}
	err = c.call(ctx, r, &answer)
	return answer.Duplicate, err
}

// AppendBatch adds events, one a line, all or none, and returns how many are new. They are sent as they are read.
func (c *Client) AppendBatch(ctx context.Context, log string, lines io.Reader) (appended int, err error) {
	var answer struct {
		Appended int `json:"appended"`
	}
	r := request{method: http.MethodPost, path: []string{"logs", log, "append_batch"}, body: lines, contentType: "application/x-ndjson"}
	err = c.call(ctx, r, &answer)
	return answer.Appended, err
}

const jsonType = "application/json"
