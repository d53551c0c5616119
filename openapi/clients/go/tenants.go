package tally

import (
	"context"
	"iter"
	"net/http"
)

// CreateTenant makes a tenant, with limits of its own, if any.
func (c *Client) CreateTenant(ctx context.Context, name string, limits map[string]int64) (t Tenant, err error) {
	body := map[string]any{"name": name}
	if len(limits) > 0 {
		body["limits"] = limits
	}
	r, err := sending(http.MethodPost, body, "tenants")
	return t, c.send(ctx, r, err, &t)
}

// TenantPage is a page of tenants.
type TenantPage struct {
	Tenants    []Tenant `json:"tenants"`
	NextCursor string   `json:"next_cursor"` // "" on the last page
}

// ListTenants lists tenants by name, a page at a time.
func (c *Client) ListTenants(ctx context.Context, o *ListOptions) (page TenantPage, err error) {
	o = orNew(o)
	_, err = c.call(ctx, get("tenants").with("cursor", o.Cursor, "limit", number(o.Limit)), &page)
	return page, err
}

// Tenants iterates over all tenants by name.
func (c *Client) Tenants(ctx context.Context) iter.Seq2[Tenant, error] {
	return pages(func(cursor string) ([]Tenant, string, error) {
		page, err := c.ListTenants(ctx, &ListOptions{Cursor: cursor, Limit: listPage})
		return page.Tenants, page.NextCursor, err
	})
}

// GetTenant returns a tenant by its name or id.
func (c *Client) GetTenant(ctx context.Context, tenant string) (t Tenant, err error) {
	_, err = c.call(ctx, get("tenants", tenant), &t)
	return t, err
}

// UpdateTenant changes a tenant, given by name or id.
func (c *Client) UpdateTenant(ctx context.Context, tenant string, change TenantUpdate) (t Tenant, err error) {
	r, err := sending(http.MethodPatch, change, "tenants", tenant)
	return t, c.send(ctx, r, err, &t)
}

// AuditLogPage is a page of the tenant's record.
type AuditLogPage struct {
	Entries    []AuditLogEntry `json:"entries"`               // newest first
	NextCursor string          `json:"next_cursor,omitempty"` // "" on the last page
}

// ListAuditLog returns the tenant's record, newest first, a page at a time.
func (c *Client) ListAuditLog(ctx context.Context, o *ListOptions) (page AuditLogPage, err error) {
	o = orNew(o)
	_, err = c.call(ctx, get("audit-log").with("cursor", o.Cursor, "limit", number(o.Limit)), &page)
	return page, err
}

// AuditLog iterates over the tenant's record, newest first.
func (c *Client) AuditLog(ctx context.Context) iter.Seq2[AuditLogEntry, error] {
	return pages(func(cursor string) ([]AuditLogEntry, string, error) {
		page, err := c.ListAuditLog(ctx, &ListOptions{Cursor: cursor, Limit: auditPage})
		return page.Entries, page.NextCursor, err
	})
}
