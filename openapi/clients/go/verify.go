package tally

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// VerifyLogOptions select what to verify.
type VerifyLogOptions struct {
	Views    string // all, none, or names separated by commas; "" means all
	Sequence int64  // of a head recorded earlier
	Hash     string // of that head, hexadecimal; "" for none
	// Progress is called with the progress of the chain or of a view; may be nil.
	Progress func(what string, done, total int64)
}

// VerifyLog has the server read a whole log and check it, and returns when that is done.
func (c *Client) VerifyLog(ctx context.Context, log string, o *VerifyLogOptions) (LogVerification, error) {
	o = orNew(o)
	query := url.Values{}
	if o.Views != "" {
		query.Set("views", o.Views)
	}
	if o.Hash != "" {
		query.Set("sequence", strconv.FormatInt(o.Sequence, 10))
		query.Set("hash", o.Hash)
	}
	r := get("logs", log, "verify")
	r.query, r.header = query.Encode(), http.Header{"Accept": {ndjsonType}}
	var body io.ReadCloser
	_, err := c.retryingStream(ctx, r, func() (err error) {
		body, _, err = c.open(ctx, r, streamSilence)
		return err
	})
	if err != nil {
		return LogVerification{}, err
	}
	defer func() { _ = body.Close() }() // it is read, or does not matter
	lines := bufio.NewReader(io.LimitReader(body, maxAnswerBytes))
	for {
		text, err := lines.ReadBytes('\n')
		if err != nil {
			return LogVerification{}, c.disconnected(ctx, fmt.Errorf("the answer broke off before the verification was done: %w", err))
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
			return LogVerification{}, c.stranger(nil, err)
		}
		switch {
		case line.Report != nil:
			return *line.Report, nil
		case line.Problem != nil:
			return LogVerification{}, line.Problem
		case line.Progress != nil && o.Progress != nil:
			o.Progress(line.Progress.What, line.Progress.Done, line.Progress.Total)
		}
	}
}

// GetCheckpoint returns a log's head, signed by the server, as a signed note.
func (c *Client) GetCheckpoint(ctx context.Context, log string) ([]byte, error) {
	return c.text(ctx, "logs", log, "checkpoint")
}

// GetCheckpointKey returns the public key that verifies the server's checkpoints.
func (c *Client) GetCheckpointKey(ctx context.Context) ([]byte, error) {
	return c.text(ctx, "checkpoint-key")
}

func (c *Client) text(ctx context.Context, path ...string) ([]byte, error) {
	a, err := c.ask(ctx, get(path...))
	return a.body, err
}
