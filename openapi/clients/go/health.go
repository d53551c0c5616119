package tally

import "context"

// Health says that a process is alive.
type Health struct {
	Status string `json:"status"` // ok
}

// Health asks whether the server's process is alive.
func (c *Client) Health(ctx context.Context) (h Health, err error) {
	_, err = c.call(ctx, get("healthz"), &h)
	return h, err
}

// Readiness says that a server reaches its database and can store events there.
type Readiness struct {
	Status   string   `json:"status"`             // ready
	Warnings []string `json:"warnings,omitempty"` // for operators: what somebody should act on although it serves
}

// Ready asks whether the server can do its work. Where it cannot, the error says why not; it is retried like any other.
func (c *Client) Ready(ctx context.Context) (r Readiness, err error) {
	_, err = c.call(ctx, get("readyz"), &r)
	return r, err
}
