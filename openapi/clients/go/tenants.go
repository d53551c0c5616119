package tally

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Tenant owns logs, views, patterns and keys.
type Tenant struct {
	TenantID    string     `json:"tenant_id"`
	Name        string     `json:"name"`
	CreatedAt   time.Time  `json:"created_at"`
	Suspended   bool       `json:"suspended"`
	SuspendedAt *time.Time `json:"suspended_at,omitempty"`

	Limits map[string]int64 `json:"limits,omitempty"` // its own
}

// TenantUpdate says what is to be changed of a tenant; nil leaves it.
type TenantUpdate struct {
	Name      *string `json:"name,omitempty"`
	Suspended *bool   `json:"suspended,omitempty"`

	Limits *map[string]int64 `json:"limits,omitempty"` // all that it is to have of its own
}

// CreateTenant makes a tenant, with limits of its own, if any.
func (c *Client) CreateTenant(ctx context.Context, name string, limits map[string]int64) (t Tenant, err error) {
	body := map[string]any{"name": name}
	if len(limits) > 0 {
		body["limits"] = limits
	}
	return t, c.send(ctx, http.MethodPost, []string{"tenants"}, body, &t)
}

// Tenants lists all tenants by name.
func (c *Client) ListTenants(ctx context.Context) ([]Tenant, error) {
	tenants := []Tenant{}
	for query := (url.Values{"limit": {strconv.Itoa(listPage)}}); ; {
		var page struct {
			Tenants []Tenant `json:"tenants"`
			Next string `json:"next_cursor"`
		}
		if err := c.call(ctx, request{method: http.MethodGet, path: []string{"tenants"}, query: query.Encode()}, &page); err != nil {
			return nil, err
		}
		tenants = append(tenants, page.Tenants...)
		if page.Next == "" {
			return tenants, nil
		}
		query.Set("cursor", page.Next)
	}
}

// Tenant returns a tenant by its name or id.
func (c *Client) GetTenant(ctx context.Context, ref string) (t Tenant, err error) {
	return t, c.call(ctx, request{method: http.MethodGet, path: []string{"tenants", ref}}, &t)
}

// UpdateTenant changes a tenant, given by name or id.
func (c *Client) UpdateTenant(ctx context.Context, ref string, change TenantUpdate) (t Tenant, err error) {
	return t, c.send(ctx, http.MethodPatch, []string{"tenants", ref}, change, &t)
}

// AuditLogEntry is something that was done with the tenant, its keys, tokens or analysts.
type AuditLogEntry struct {
	EntryID int64           `json:"entry_id"`
	At      time.Time       `json:"at"`
	Actor   string          `json:"actor"`
	KeyID   string          `json:"key_id,omitempty"`
	Action  string          `json:"action"`
	Target  string          `json:"target"`
	Detail  json.RawMessage `json:"detail"`
}

// AuditLog returns the newest entries of the tenant's record from before an entry, newest first: at most limit. A before of 0 stands for
// the end of the record, a limit of 0 for all of it.
func (c *Client) ListAuditLog(ctx context.Context, before int64, limit int) ([]AuditLogEntry, error) {
	entries, cursor := []AuditLogEntry{}, ""
	if before > 0 {
		cursor = strconv.FormatInt(before, 10)
	}
	for {
		size := auditPage
		if limit > 0 {
			size = min(size, limit-len(entries))
		}
		query := url.Values{"limit": {strconv.Itoa(size)}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		var page struct {
			Entries []AuditLogEntry `json:"entries"`
			Next string `json:"next_cursor"`
		}
		if err := c.call(ctx, request{method: http.MethodGet, path: []string{"audit-log"}, query: query.Encode()}, &page); err != nil {
			return nil, err
		}
		entries = append(entries, page.Entries...)
		if page.Next == "" || limit > 0 && len(entries) >= limit {
			return entries, nil
		}
		cursor = page.Next
	}
}
