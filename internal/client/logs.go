package client

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

// Append appends one event, a JSON object, and reports whether its idempotency key was known already.
func (c *Client) Append(ctx context.Context, log string, event []byte) (duplicate bool, err error) {
	var result struct {
		Duplicate bool `json:"duplicate"`
	}
	r := request{method: http.MethodPost, path: []string{"logs", log, "append"}, body: bytes.NewReader(event), contentType: jsonType}
	err = c.call(ctx, r, &result)
	return result.Duplicate, err
}

// AppendBatch appends events, one per line, all or none, and returns how many are new. It streams the lines.
func (c *Client) AppendBatch(ctx context.Context, log string, lines io.Reader) (appended int, err error) {
	var result struct {
		Appended int `json:"appended"`
	}
	r := request{method: http.MethodPost, path: []string{"logs", log, "append_batch"}, body: lines, contentType: "application/x-ndjson"}
	err = c.call(ctx, r, &result)
	return result.Appended, err
}

const jsonType = "application/json"
