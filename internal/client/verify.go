package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Verification is what reading a log again has shown.
type Verification struct {
	OK      bool      `json:"ok"`
	LogID   string    `json:"log_id"`
	Name    string    `json:"name"`
	From    int64     `json:"from"`
	To      int64     `json:"to"`
	Hash    string    `json:"hash"`
	Events  int64     `json:"events"`
	Bytes   int64     `json:"bytes"`
	Wrong   int64     `json:"wrong"`
	Faults  []Fault   `json:"faults"`
	Views   []Verdict `json:"views"`
	Seconds float64   `json:"seconds"`
	// Finished is when.
	Finished time.Time `json:"finished_at"`
}

// Fault is one thing that is wrong with a log.
type Fault struct {
	Kind     string `json:"kind"`
	Sequence int64  `json:"sequence"`
	Detail   string `json:"detail"`
}

// Verdict is what folding a view's events again has shown, or why that could not be done.
type Verdict struct {
	View   string `json:"view"`
	OK     bool   `json:"ok"`
	Audit  *Audit `json:"audit,omitempty"`
	Code   string `json:"code,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// VerifyOptions say what a log is verified for.
type VerifyOptions struct {
	Views    string // all, none, or names with commas between them; "" stands for all
	Sequence int64  // of a head noted earlier
	Hash     string // of that head, in hexadecimal; "" for none
	// Progress is told how far what is, the chain or a view; may be nil.
	Progress func(what string, done, total int64)
}

// Verify has the server read a log again and check it. It takes as long as that does.
func (c *Client) Verify(ctx context.Context, log string, options VerifyOptions) (Verification, error) {
	query := url.Values{}
	if options.Views != "" {
		query.Set("views", options.Views)
	}
	if options.Hash != "" {
		query.Set("sequence", strconv.FormatInt(options.Sequence, 10))
		query.Set("hash", options.Hash)
	}
	response, err := c.do(ctx, request{method: http.MethodGet, path: []string{"logs", log, "verify"}, query: query.Encode(), header: http.Header{"Accept": {"application/x-ndjson"}}})
	if err != nil {
		return Verification{}, err
	}
	defer func() { _ = response.Body.Close() }() // what it says has been read, or does not matter
	lines := bufio.NewReader(io.LimitReader(response.Body, maxAnswerBytes))
	for {
		text, err := lines.ReadBytes('\n')
		if err != nil {
			if ctx.Err() != nil {
				return Verification{}, context.Cause(ctx)
			}
			return Verification{}, errors.New("the connection was cut off before the verification was done; try again")
		}
		var line struct {
			Progress *struct {
				What        string
				Done, Total int64
			}
			Report  *Verification
			Problem *Problem
		}
		if err := json.Unmarshal(text, &line); err != nil {
			return Verification{}, fmt.Errorf("the answer of %s is not Tallystick's: %w; is --url right?", c.base, err)
		}
		switch {
		case line.Report != nil:
			return *line.Report, nil
		case line.Problem != nil:
			return Verification{}, line.Problem
		case line.Progress != nil && options.Progress != nil:
			options.Progress(line.Progress.What, line.Progress.Done, line.Progress.Total)
		}
	}
}

// Checkpoint has the server sign a log's head: a signed note.
func (c *Client) Checkpoint(ctx context.Context, log string) ([]byte, error) {
	return c.text(ctx, []string{"logs", log, "checkpoint"})
}

// CheckpointKey is the public key that the server's checkpoints are verified with.
func (c *Client) CheckpointKey(ctx context.Context) ([]byte, error) {
	return c.text(ctx, []string{"checkpoint-key"})
}

func (c *Client) text(ctx context.Context, path []string) ([]byte, error) {
	response, err := c.do(ctx, request{method: http.MethodGet, path: path})
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // it is read to its end
	text, err := io.ReadAll(io.LimitReader(response.Body, maxProblemBytes))
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", c.base, err)
	}
	return text, nil
}
