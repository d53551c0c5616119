package tally

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// ViewPattern is a view that is deployed on every log whose name matches a pattern.
type ViewPattern struct {
	Name       string           `json:"name"`
	Logs       string           `json:"logs"` // the pattern
	Version    int32            `json:"version"`
	Status     string           `json:"status"`    // active, retiring, retired
	Spreading  bool             `json:"spreading"` // not every log has been considered yet
	Module     string           `json:"module"`    // SHA-256, hexadecimal
	Config     json.RawMessage  `json:"config"`
	Gas        int64            `json:"gas"` // budget of one event
	Actor      string           `json:"actor,omitempty"`
	CreatedAt  time.Time        `json:"created_at"`
	DeployedAt time.Time        `json:"deployed_at"`
	Covers     *PatternCoverage `json:"covers,omitempty"` // nil in lists
}

// PatternCoverage counts logs by the view's state on them; Matching is the sum of the others.
type PatternCoverage struct {
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

// DeployPattern deploys a view on all logs whose name matches a pattern, including later ones. It returns at once: the server deploys the
// view in the background.
func (c *Client) DeployViewPattern(ctx context.Context, logs, view string, d Deployment) (ViewPattern, error) {
	var result ViewPattern
	err := c.deploy(ctx, []string{"views", view}, url.Values{"logs": {logs}}, d, &result)
	return result, err
}

// Patterns lists the views that are deployed on patterns.
func (c *Client) ListViewPatterns(ctx context.Context) ([]ViewPattern, error) {
	var result struct {
		Views []ViewPattern `json:"views"`
	}
	err := c.call(ctx, request{method: http.MethodGet, path: []string{"views"}}, &result)
	return result.Views, err
}

// Pattern returns one such view, with its state on the logs.
func (c *Client) GetViewPattern(ctx context.Context, view string) (ViewPattern, error) {
	var result ViewPattern
	err := c.call(ctx, request{method: http.MethodGet, path: []string{"views", view}}, &result)
	return result, err
}

// Withdraw retires a view on the logs that have it from its pattern. With keep, it stays there, and only later logs do not get it.
func (c *Client) RetireViewPattern(ctx context.Context, view string, keep bool) (ViewPattern, error) {
	r := request{method: http.MethodDelete, path: []string{"views", view}}
	if keep {
		r.query = "keep=true"
	}
	var result ViewPattern
	err := c.call(ctx, r, &result)
	return result, err
}
