package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	// connections is how many appends are under way at once.
	connections = 32
	// requestTimeout is far beyond what any request of the demo takes.
	requestTimeout = time.Minute
	// maxAnswerBytes bounds what is read of an answer: a view's is at most 1 MiB.
	maxAnswerBytes = 2 << 20
)

// client speaks the HTTP API of one server.
type client struct {
	url  string
	http *http.Client
}

func newClient(url string) *client {
	transport := &http.Transport{MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections}
	return &client{url: url, http: &http.Client{Transport: transport, Timeout: requestTimeout}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// problem is the error that the server answers with, RFC 9457.
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail) }

// createLog makes a log, unless one of that name is there.
func (c *client) createLog(ctx context.Context, name string) error {
	body, err := json.Marshal(map[string]any{"name": name, "labels": map[string]string{"demo": source}})
	if err != nil {
		return fmt.Errorf("describing log %s: %w", name, err)
	}
	err = c.post(ctx, "/logs", body, nil)
	var p *problem
	if errors.As(err, &p) && p.Code == "name_taken" {
		return nil
	}
	return err
}

// deployed is a view as a deploy leaves it.
type deployed struct {
	Status  string `json:"status"`
	Applied int64  `json:"applied"`
}

func (c *client) deploy(ctx context.Context, log, view string, module []byte, config string) (deployed, error) {
	path := "/logs/" + log + "/views/" + view
	if config != "" {
		path += "?" + url.Values{"config": {config}}.Encode()
	}
	var answer deployed
	return answer, c.post(ctx, path, module, &answer)
}

// append adds one event and tells whether its idempotency key was there before.
func (c *client) append(ctx context.Context, log string, event []byte) (duplicate bool, err error) {
	var answer struct {
		Duplicate bool `json:"duplicate"`
	}
	err = c.post(ctx, "/logs/"+log+"/append", event, &answer)
	return answer.Duplicate, err
}

// appendBatch adds events, one a line, and returns how many are new.
func (c *client) appendBatch(ctx context.Context, log string, lines []byte) (appended int, err error) {
	var answer struct {
		Appended int `json:"appended"`
	}
	err = c.post(ctx, "/logs/"+log+"/append_batch", lines, &answer)
	return answer.Appended, err
}

// query asks a view and reads its answer into answer.
func (c *client) query(ctx context.Context, log, view, question string, answer any) error {
	return c.post(ctx, "/logs/"+log+"/views/"+view+"/query?"+question, nil, answer)
}

// post sends body and reads the JSON that comes back into answer, when there is one. The error is a *problem when the
// server refused.
func (c *client) post(ctx context.Context, path string, body []byte, answer any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("asking %s: %w", path, err)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("asking %s: %w", path, err)
	}
	defer func() { _ = response.Body.Close() }() // it is read to its end
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return fmt.Errorf("reading the answer of %s: %w", path, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		p := problem{Status: response.StatusCode, Detail: string(text)}
		_ = json.Unmarshal(text, &p) // where it is no problem, its text stands for itself
		return fmt.Errorf("asking %s: %w", path, &p)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", path, err)
	}
	return nil
}
