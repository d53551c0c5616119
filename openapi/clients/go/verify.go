package tally

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

// LogVerification is the result of verifying a log.
type LogVerification struct {
	OK      bool               `json:"ok"`
	LogID   string             `json:"log_id"`
	Name    string             `json:"name"`
	From    int64              `json:"from"`
	To      int64              `json:"to"`
	Hash    string             `json:"hash"`
	Events  int64              `json:"events"`
	Bytes   int64              `json:"bytes"`
	Wrong   int64              `json:"wrong"`
	Faults  []LogFault         `json:"faults"`
	Views   []ViewVerification `json:"views"`
	Seconds float64            `json:"seconds"`
	// Finished is the time at which the verification ended.
	Finished time.Time `json:"finished_at"`
}

// LogFault is one thing that is wrong with a log.
type LogFault struct {
	Kind     string `json:"kind"`
	Sequence int64  `json:"sequence"`
	Detail   string `json:"detail"`
}

// ViewVerification is the result of folding a view's events again, or the reason why that was not possible.
type ViewVerification struct {
	View   string     `json:"view"`
	OK     bool       `json:"ok"`
	Audit  *ViewAudit `json:"audit,omitempty"`
	Code   string     `json:"code,omitempty"`
	Detail string     `json:"detail,omitempty"`
}

// VerifyLogOptions select what to verify.
type VerifyLogOptions struct {
	Views    string // all, none, or names separated by commas; "" means all
	Sequence int64  // of a head recorded earlier
	Hash     string // of that head, hexadecimal; "" for none
	// Progress is called with the progress of the chain or of a view; may be nil.
	Progress func(what string, done, total int64)
}

// Verify has the server read a whole log and check it, and returns when that is done.
func (c *Client) VerifyLog(ctx context.Context, log string, options VerifyLogOptions) (LogVerification, error) {
	query := url.Values{}
	if options.Views != "" {
		query.Set("views", options.Views)
	}
	if options.Hash != "" {
		query.Set("sequence", strconv.FormatInt(options.Sequence, 10))
		query.Set("hash", options.Hash)
	}
	response, err := c.do(ctx, request{
		method: http.MethodGet, path: []string{"logs", log, "verify"},
		query: query.Encode(), header: http.Header{"Accept": {"application/x-ndjson"}},
	})
	if err != nil {
		return LogVerification{}, err
	}
	defer func() { _ = response.Body.Close() }() // it is read, or does not matter
	lines := bufio.NewReader(io.LimitReader(response.Body, maxResponseBytes))
	for {
		text, err := lines.ReadBytes('\n')
		if err != nil {
			if ctx.Err() != nil {
				return LogVerification{}, context.Cause(ctx)
			}
			return LogVerification{}, errors.New("the connection was cut off before the verification was done; try again")
		}
		var line struct {
			Progress *struct {
				What        string
				Done, Total int64
			}
			Report  *LogVerification
			Problem *Error
		}
		if err := json.Unmarshal(text, &line); err != nil {
			return LogVerification{}, fmt.Errorf("the answer of %s is not Tallystick's: %w; is --url right?", c.base, err)
		}
		switch {
		case line.Report != nil:
			return *line.Report, nil
		case line.Problem != nil:
			return LogVerification{}, line.Problem
		case line.Progress != nil && options.Progress != nil:
			options.Progress(line.Progress.What, line.Progress.Done, line.Progress.Total)
		}
	}
}

// Checkpoint returns a log's head, signed by the server, as a signed note.
func (c *Client) GetCheckpoint(ctx context.Context, log string) ([]byte, error) {
	return c.text(ctx, []string{"logs", log, "checkpoint"})
}

// CheckpointKey returns the public key that verifies the server's checkpoints.
func (c *Client) GetCheckpointKey(ctx context.Context) ([]byte, error) {
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
