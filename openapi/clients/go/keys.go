package tally

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The most that the server gives of a list in one response.
const (
	listPage  = 1000
	auditPage = 200 // of the audit log
)

// Key describes a key, without its secret.
type Key struct {
	KeyID       string     `json:"key_id"`
	Name        string     `json:"name"`
	Scopes      []string   `json:"scopes"`
	Logs        string     `json:"logs"` // the pattern of the logs that it is for
	CreatedAt   time.Time  `json:"created_at"`
	CreatedBy   string     `json:"created_by"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`   // nil: never
	RotatedAt   *time.Time `json:"rotated_at,omitempty"`   // nil: never
	FormerUntil *time.Time `json:"former_until,omitempty"` // until when the secret from before the rotation is good
	RevokedAt   *time.Time `json:"revoked_at,omitempty"`   // nil: it is not revoked
	LastUsedAt  *time.Time `json:"last_used_at,omitempty"` // nil: never

	Limits map[string]int64 `json:"limits,omitempty"` // its own
}

// CreatedKey is a key with its secret, which the server tells this once.
type CreatedKey struct {
	Key

	Secret string `json:"key"`
}

// NewKey says what a key is to be.
type NewKey struct {
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes"`
	Logs      string     `json:"logs,omitempty"`       // "" for all
	ExpiresAt *time.Time `json:"expires_at,omitempty"` // nil: never

	Limits map[string]int64 `json:"limits,omitempty"` // of its own
}

// CreateKey makes a key of the tenant.
func (c *Client) CreateKey(ctx context.Context, q NewKey) (key CreatedKey, err error) {
	return key, c.send(ctx, http.MethodPost, []string{"keys"}, q, &key)
}

// Keys lists the tenant's keys, those that are revoked or expired too.
func (c *Client) ListKeys(ctx context.Context) ([]Key, error) {
	keys := []Key{}
	for query := (url.Values{"limit": {strconv.Itoa(listPage)}}); ; {
		var page struct {
			Keys []Key  `json:"keys"`
			Next string `json:"next_cursor"`
		}
		if err := c.call(ctx, request{method: http.MethodGet, path: []string{"keys"}, query: query.Encode()}, &page); err != nil {
			return nil, err
		}
		keys = append(keys, page.Keys...)
		if page.Next == "" {
			return keys, nil
		}
		query.Set("cursor", page.Next)
	}
}

// RotateKey gives a key another secret. The one from before stays good for formerValid; nil leaves that to the server.
func (c *Client) RotateKey(ctx context.Context, id string, formerValid *time.Duration) (key CreatedKey, err error) {
	body := map[string]int64{}
	if formerValid != nil {
		body["former_valid_seconds"] = int64(*formerValid / time.Second)
	}
	return key, c.send(ctx, http.MethodPost, []string{"keys", id, "rotate"}, body, &key)
}

// RevokeKey ends a key, and the tokens that it made.
func (c *Client) RevokeKey(ctx context.Context, id string) (key Key, err error) {
	return key, c.call(ctx, request{method: http.MethodDelete, path: []string{"keys", id}}, &key)
}

// NewToken says what a token is to be for.
type NewToken struct {
	Scopes  []string `json:"scopes"`
	Logs    []string `json:"logs"`
	Views   []string `json:"views,omitempty"` // empty for all
	Seconds int64    `json:"seconds,omitempty"`
	Subject string   `json:"subject,omitempty"`
}

// Token is a token for a product's customer.
type Token struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
}

// CreateToken makes a token with the client's key.
func (c *Client) CreateToken(ctx context.Context, q NewToken) (token Token, err error) {
	return token, c.send(ctx, http.MethodPost, []string{"tokens"}, q, &token)
}

// send calls with a body of JSON.
func (c *Client) send(ctx context.Context, method string, path []string, body, result any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encoding a request: %w", err)
	}
	return c.call(ctx, request{method: method, path: path, body: bytes.NewReader(encoded), contentType: jsonType}, result)
}
