package tally

import (
	"context"
	"net/http"
)

// ListViewPatterns lists the views that are deployed on patterns.
func (c *Client) ListViewPatterns(ctx context.Context) ([]ViewPattern, error) {
	var result struct {
		Views []ViewPattern `json:"views"`
	}
	_, err := c.call(ctx, get("views"), &result)
	return result.Views, err
}

// GetViewPattern returns one such view, with its state on the logs.
func (c *Client) GetViewPattern(ctx context.Context, view string) (found ViewPattern, err error) {
	_, err = c.call(ctx, get("views", view), &found)
	return found, err
}

// RetireViewPatternOptions say what becomes of the logs.
type RetireViewPatternOptions struct {
	// Keep leaves the view on the logs that have it; only later logs do not get it.
	Keep bool
}

// RetireViewPattern retires a view on the logs that have it from its pattern.
func (c *Client) RetireViewPattern(ctx context.Context, view string, o *RetireViewPatternOptions) (retired ViewPattern, err error) {
	r := request{method: http.MethodDelete, path: []string{"views", view}}
	if orNew(o).Keep {
		r = r.with("keep", "true")
	}
	_, err = c.call(ctx, r, &retired)
	return retired, err
}
