package tally

import (
	"context"
	"iter"
	"net/http"
	"time"
)

// CreateKey makes a key of the tenant. It is not retried after a lost answer, which had the secret: revoke that key, and make another.
func (c *Client) CreateKey(ctx context.Context, k NewKey) (key CreatedKey, err error) {
	r, err := sending(http.MethodPost, k, "keys")
	return key, c.send(ctx, r, err, &key)
}

// KeyPage is a page of keys.
type KeyPage struct {
	Keys       []Key  `json:"keys"`
	NextCursor string `json:"next_cursor"` // "" on the last page
}

// ListKeys lists the tenant's keys, those that are revoked or expired too, a page at a time.
func (c *Client) ListKeys(ctx context.Context, o *ListOptions) (page KeyPage, err error) {
	o = orNew(o)
	_, err = c.call(ctx, get("keys").with("cursor", o.Cursor, "limit", number(o.Limit)), &page)
	return page, err
}

// Keys iterates over the tenant's keys, those that are revoked or expired too.
func (c *Client) Keys(ctx context.Context) iter.Seq2[Key, error] {
	return pages(func(cursor string) ([]Key, string, error) {
		page, err := c.ListKeys(ctx, &ListOptions{Cursor: cursor, Limit: listPage})
		return page.Keys, page.NextCursor, err
	})
}

// GetKey returns a key by its id.
func (c *Client) GetKey(ctx context.Context, id string) (key Key, err error) {
	_, err = c.call(ctx, get("keys", id), &key)
	return key, err
}

// RotateKey gives a key another secret. The one from before stays good for formerValid, of whole seconds, at most 7 days; nil leaves that
// to the server.
func (c *Client) RotateKey(ctx context.Context, id string, formerValid *time.Duration) (key CreatedKey, err error) {
	body := map[string]int64{}
	if formerValid != nil {
		body["former_valid_seconds"] = int64(*formerValid / time.Second)
	}
	r, err := sending(http.MethodPost, body, "keys", id, "rotate")
	return key, c.send(ctx, r, err, &key)
}

// RevokeKey ends a key, and the tokens that it made.
func (c *Client) RevokeKey(ctx context.Context, id string) (key Key, err error) {
	_, err = c.call(ctx, request{method: http.MethodDelete, path: []string{"keys", id}}, &key)
	return key, err
}

// CreateToken makes a token with the client's key.
func (c *Client) CreateToken(ctx context.Context, t NewToken) (token Token, err error) {
	r, err := sending(http.MethodPost, t, "tokens")
	return token, c.send(ctx, r, err, &token)
}

// Caller is who asks, and what it may do.
type Caller struct {
	Tenant    string      `json:"tenant"`     // that requests act in
	Suspended bool        `json:"suspended"`  // the tenant: it appends nothing
	Scopes    []string    `json:"scopes"`     // what the key or token may do
	Logs      string      `json:"logs"`       // the pattern of the logs that there are for it
	Keys      bool        `json:"keys"`       // the server asks for keys; without, everybody may do everything
	KeyID     string      `json:"key_id"`     // that of the key, or of the one that made the token; "" without
	KeyName   string      `json:"key_name"`   // likewise
	ExpiresAt *time.Time  `json:"expires_at"` // nil: it never ends
	Token     *TokenGrant `json:"token"`      // nil for a key
}

// TokenGrant is what a token is for.
type TokenGrant struct {
	Subject string   `json:"subject"` // who it was made for, "" where that was not said
	Logs    []string `json:"logs"`    // names
	Views   []string `json:"views"`   // names; empty for all of those logs
}

// GetCaller returns what the client's key or token may do.
func (c *Client) GetCaller(ctx context.Context) (caller Caller, err error) {
	_, err = c.call(ctx, get("caller"), &caller)
	return caller, err
}
