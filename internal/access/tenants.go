package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/uuid"
)

// ErrTenantNotFound: there is no tenant of that name.
var ErrTenantNotFound = errors.New("tenant not found")

// ErrTenantNameTaken: another tenant has the name.
var ErrTenantNameTaken = errors.New("another tenant has that name")

// Tenant owns logs, views, patterns, keys. Another tenant cannot tell that they exist.
type Tenant struct {
	ID          uuid.UUID
	Name        string
	CreatedAt   time.Time
	SuspendedAt time.Time // zero: it is not suspended
	Limits      []byte    // JSON
}

func tenantFromRow(row dbsqlc.Tenant) Tenant {
	return Tenant{ID: row.TenantID, Name: row.Name, CreatedAt: row.CreatedAt, SuspendedAt: row.SuspendedAt.Time, Limits: row.Limits}
}

// Tenant returns a tenant by its name or its id. The error is ErrTenantNotFound or the database's.
func (r *Registry) Tenant(ctx context.Context, ref string) (Tenant, error) {
	row, err := r.tenant(ctx, r.db.Read, ref)
	return tenantFromRow(row), err
}

func (r *Registry) tenant(ctx context.Context, from dbsqlc.DBTX, ref string) (row dbsqlc.Tenant, err error) {
	if id, parseErr := uuid.Parse(ref); parseErr == nil {
		row, err = r.db.GetTenant(ctx, from, id)
	} else if eventlog.CheckName("", ref) == nil {
		row, err = r.db.TenantByName(ctx, from, ref)
	} else {
		return row, ErrTenantNotFound
	}
	if isNotFound(err) {
		return row, ErrTenantNotFound
	} else if err != nil {
		return row, fmt.Errorf("reading a tenant: %w", db.Classify(err))
	}
	return row, nil
}

// Tenants returns up to limit tenants whose names come after the name after, in the order of their names.
func (r *Registry) Tenants(ctx context.Context, after string, limit int32) ([]Tenant, error) {
	rows, err := r.db.ListTenants(ctx, r.db.Read, dbsqlc.ListTenantsParams{After: after, MaxRows: limit})
	if err != nil {
		return nil, fmt.Errorf("listing tenants: %w", db.Classify(err))
	}
	tenants := make([]Tenant, len(rows))
	for i, row := range rows {
		tenants[i] = tenantFromRow(row)
	}
	return tenants, nil
}

// CreateTenant makes a tenant. The error is an *event.InvalidError, ErrTenantNameTaken, or the database's.
func (r *Registry) CreateTenant(ctx context.Context, by Actor, name string, limits []byte) (Tenant, error) {
	if err := eventlog.CheckName("the tenant's name", name); err != nil {
		return Tenant{}, err
	}
	if limits == nil {
		limits = []byte("{}")
	}
	t := Tenant{ID: uuid.New(), Name: name, Limits: limits}
	err := r.change(ctx, "making a tenant", func(tx pgx.Tx, version int64) (err error) {
		params := dbsqlc.InsertTenantParams{TenantID: t.ID, Name: name, Limits: limits, Changed: version}
		t.CreatedAt, err = r.db.InsertTenant(ctx, tx, params)
		if err != nil {
			return tenantNameError(err)
		}
		return r.Record(ctx, tx, t.ID, by, "tenant.create", name, nil)
	})
	return t, err
}

// TenantChange says what is to be changed of a tenant; nil leaves it.
type TenantChange struct {
	Name      *string
	Suspended *bool
	Limits    []byte // JSON
}

// UpdateTenant changes a tenant, given by name or id. The error is an *event.InvalidError, ErrTenantNotFound, ErrTenantNameTaken, or the
// database's.
func (r *Registry) UpdateTenant(ctx context.Context, by Actor, ref string, change TenantChange) (t Tenant, err error) {
	if change.Name != nil {
		if err := eventlog.CheckName("the tenant's name", *change.Name); err != nil {
			return Tenant{}, err
		}
	}
	err = r.change(ctx, "changing a tenant", func(tx pgx.Tx, version int64) error {
		row, err := r.tenant(ctx, tx, ref) // changes take turns: it stays as it is read
		if err != nil {
			return err
		}
		t = tenantFromRow(row)
		if change.Name != nil && *change.Name != t.Name {
			if err := r.Record(ctx, tx, t.ID, by, "tenant.rename", t.Name, map[string]string{"name": *change.Name}); err != nil {
				return err
			}
			t.Name = *change.Name
		}
		if change.Suspended != nil && *change.Suspended == t.SuspendedAt.IsZero() {
			action := "tenant.resume"
			t.SuspendedAt = time.Time{}
			if *change.Suspended {
				action, t.SuspendedAt = "tenant.suspend", time.Now().UTC().Truncate(time.Microsecond)
			}
			if err := r.Record(ctx, tx, t.ID, by, action, t.Name, nil); err != nil {
				return err
			}
		}
		if change.Limits != nil {
			t.Limits = change.Limits
			if err := r.Record(ctx, tx, t.ID, by, "tenant.limit", t.Name, map[string]any{"limits": rawJSON(t.Limits)}); err != nil {
				return err
			}
		}
		return tenantNameError(r.db.UpdateTenant(ctx, tx, dbsqlc.UpdateTenantParams{
			Name: t.Name, SuspendedAt: optionalTime(t.SuspendedAt), Limits: t.Limits, Changed: version, TenantID: t.ID,
		}))
	})
	return t, err
}

func tenantNameError(err error) error {
	if errors.Is(db.Classify(err), db.ErrAlreadyExists) {
		return ErrTenantNameTaken
	}
	return err
}
