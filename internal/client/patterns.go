package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// PatternView is a view that is deployed on every log whose name matches a pattern.
type PatternView struct {
	Name       string          `json:"name"`
	Logs       string          `json:"logs"` // the pattern
	Version    int32           `json:"version"`
	Status     string          `json:"status"`    // active, retiring, retired
	Spreading  bool            `json:"spreading"` // not every log has been looked at yet
	Module     string          `json:"module"`    // SHA-256, hexadecimal
	Config     json.RawMessage `json:"config"`
	Gas        int64           `json:"gas"` // budget of one event
	Actor      string          `json:"actor,omitempty"`
	CreatedAt  time.Time       `json:"created_at"`
	DeployedAt time.Time       `json:"deployed_at"`
	Covers     *Covered        `json:"covers,omitempty"` // nil in lists
}

// Covered counts logs by how the view stands there; Matching is the sum of the others.
type Covered struct {
	Matching int64 `json:"matching"`
	Live     int64 `json:"live"`
	Building int64 `json:"building"`
	Halted   int64 `json:"halted"`
	Retired  int64 `json:"retired"` // on the log itself
	Waiting  int64 `json:"waiting"` // for the newest version
	Full     int64 `json:"full"`    // without room for another view
	Own      int64 `json:"own"`     // with a view of that name of their own
	Progress struct {
		Done  int64 `json:"done"`
		Total int64 `json:"total"`
	} `json:"progress"` // events, of all logs together
}

// DeployPattern puts a view on all logs whose name matches a pattern, those that come later too. It answers at once: the
// logs get it in the background.
func (c *Client) DeployPattern(ctx context.Context, logs, view string, d Deployment) (PatternView, error) {
	var answer PatternView
	err := c.deploy(ctx, []string{"views", view}, url.Values{"logs": {logs}}, d, &answer)
	return answer, err
}

// Patterns lists the views that are deployed on patterns.
func (c *Client) Patterns(ctx context.Context) ([]PatternView, error) {
	var answer struct {
		Views []PatternView `json:"views"`
	}
	err := c.call(ctx, request{method: http.MethodGet, path: []string{"views"}}, &answer)
	return answer.Views, err
}

// Pattern gives one such view, with how its logs stand.
func (c *Client) Pattern(ctx context.Context, view string) (PatternView, error) {
	var answer PatternView
	err := c.call(ctx, request{method: http.MethodGet, path: []string{"views", view}}, &answer)
	return answer, err
}

// Withdraw retires a view on the logs that have it from its pattern, or keeps it there and only leaves out later logs.
func (c *Client) Withdraw(ctx context.Context, view string, keep bool) (PatternView, error) {
	r := request{method: http.MethodDelete, path: []string{"views", view}}
	if keep {
		r.query = "keep=true"
	}
	var answer PatternView
	err := c.call(ctx, r, &answer)
	return answer, err
}
