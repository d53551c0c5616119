package access

import (
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/uuid"
)

// Caller is who sends a request, and what it may do. It is immutable.
type Caller struct {
	Tenant     uuid.UUID
	TenantName string
	Suspended  bool   // the tenant: it appends nothing
	Elsewhere  bool   // the tenant is not the key's own, in which an operator acts
	KeyID      string // "" where the server asks for no keys
	KeyName    string // who acts, in what is recorded
	Scopes     Scopes
	Logs       eventlog.Pattern // those that there are for the caller
	Token      *Grant           // nil unless the caller has a token
	Expires    time.Time        // when its key or token does; zero: never
	// KeyLimits and TenantLimits are JSON, as they are stored.
	KeyLimits, TenantLimits []byte
}

// Grant is what a token is for.
type Grant struct {
	Subject string   // for whom it was made, in the maker's words
	Logs    []string // names
	Views   []string // names; empty for all
	Expires time.Time
}

// Anyone is the caller on a server that asks for no keys.
func Anyone(tenant uuid.UUID, name string) *Caller {
	return &Caller{Tenant: tenant, TenantName: name, Scopes: AllScopes, Logs: "*"}
}

// SeesLog reports whether there is a log of that name, of the tenant's, for the caller.
func (c *Caller) SeesLog(name string) bool {
	if c.Token != nil && !slices.Contains(c.Token.Logs, name) {
		return false
	}
	return c.Logs == "*" || c.Logs.Matches(name)
}

// SeesView reports whether there is a view of that name, on logs that the caller sees.
func (c *Caller) SeesView(name string) bool {
	return c.Token == nil || len(c.Token.Views) == 0 || slices.Contains(c.Token.Views, name)
}

// endBy makes the caller expire at a time, if not before.
func (c *Caller) endBy(end time.Time) {
	if !end.IsZero() && (c.Expires.IsZero() || end.Before(c.Expires)) {
		c.Expires = end
	}
}

// in returns the caller acting in another tenant.
func (c *Caller) in(t Tenant) *Caller {
	other := *c
	if other.Elsewhere = t.ID != c.Tenant; other.Elsewhere {
		other.KeyName = c.KeyName + " of " + c.TenantName
	}
	other.Tenant, other.TenantName, other.Suspended, other.TenantLimits = t.ID, t.Name, !t.SuspendedAt.IsZero(), t.Limits
	return &other
}
