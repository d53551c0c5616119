package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

// Registry holds tenants and keys, and records what is done with them. It is safe for concurrent use.
type Registry struct{ db *db.DB }

// NewRegistry returns the registry of the database.
func NewRegistry(d *db.DB) *Registry { return &Registry{d} }

// Actor is who does something with tenants, keys, tokens or analysts.
type Actor struct {
	Name  string
	KeyID string // "" for a command that asks the database itself
}

// Entry is a line of the record.
type Entry struct {
	ID     int64
	At     time.Time
	Actor  Actor
	Action string // such as key.create
	Target string // what it was done to
	Detail json.RawMessage
}

// Record adds to the record of the tenant, in the caller's transaction.
func (r *Registry) Record(ctx context.Context, tx dbsqlc.DBTX, tenant uuid.UUID, by Actor, action, target string, detail any) error {
	encoded := []byte("{}")
	if detail != nil {
		var err error
		if encoded, err = json.Marshal(detail); err != nil {
			return fmt.Errorf("encoding a record: %w", err)
		}
	}
	params := dbsqlc.InsertAccessLogParams{TenantID: tenant, Actor: by.Name, Action: action, Target: target, Detail: encoded}
	if by.KeyID != "" {
		params.KeyID = &by.KeyID
	}
	if err := r.db.LockAccessLog(ctx, tx, tenant); err != nil {
		return err
	}
	return r.db.InsertAccessLog(ctx, tx, params)
}

// Recorded returns up to limit entries of the tenant's record from before an entry, newest first; 0 for the newest. Their memory is
// booked in room, which may be nil.
func (r *Registry) Recorded(
	ctx context.Context, tenant uuid.UUID, before int64, limit int32, room *memory.Hold,
) ([]Entry, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	page := dbsqlc.ListAccessLogParams{TenantID: tenant, Before: before, MaxRows: limit}
	rows, err := r.db.ListAccessLog(ctx, db.Booked(r.db.Read, room), page)
	if err != nil {
		return nil, fmt.Errorf("reading the record: %w", db.Classify(err))
	}
	entries := make([]Entry, len(rows))
	for i, row := range rows {
		entries[i] = Entry{
			ID: row.EntryID, At: row.At, Actor: Actor{Name: row.Actor}, Action: row.Action, Target: row.Target, Detail: row.Detail,
		}
		if row.KeyID != nil {
			entries[i].Actor.KeyID = *row.KeyID
		}
	}
	return entries, nil
}

// change runs fn in a transaction whose changes of keys or tenants servers notice by version.
func (r *Registry) change(ctx context.Context, what string, fn func(tx pgx.Tx, version int64) error) error {
	err := r.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		version, err := r.db.NextAccessVersion(ctx, tx)
		if err != nil {
			return err
		}
		return fn(tx, version)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func optionalTime(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()}
}

func isNotFound(err error) bool { return errors.Is(db.Classify(err), db.ErrNotFound) }
