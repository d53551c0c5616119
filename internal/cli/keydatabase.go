package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/limits"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// databaseKeys is the keyring of a database, without a server. What it does is recorded with the login.
type databaseKeys struct {
	db       *db.DB
	registry *access.Registry
	caller   *access.Caller // who may do anything in the tenant
	actor    access.Actor
}

// openDatabaseKeys opens the database for the keys of a tenant; "" for the one that is always there. It changes no schema. The record names
// the login, and the actor unless that is "".
func openDatabaseKeys(ctx context.Context, url, tenant, actor string) (_ *databaseKeys, err error) {
	if err := db.Check(ctx, url, true); err != nil { // events are not at stake
		return nil, err
	}
	d, err := db.Open(ctx, db.Config{URL: url, AppendConns: 1, ReadConns: 1})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			d.Close()
		}
	}()
	if err := d.CheckRole(ctx); err != nil {
		return nil, fmt.Errorf("%w; a database that no server has used yet needs tally migrate first", err)
	}
	if tenant == "" {
		tenant = db.DefaultTenant.String()
	}
	registry := access.NewRegistry(d)
	found, err := registry.Tenant(ctx, tenant)
	if errors.Is(err, access.ErrTenantNotFound) {
		return nil, usagef("--tenant: there is no tenant %s in the database", tenant)
	} else if err != nil {
		return nil, explainOldSchema(err)
	}
	config := d.Read.Config().ConnConfig
	name := "login " + config.User + "@" + config.Database
	if actor != "" {
		name += " (" + actor + ")"
	}
	return &databaseKeys{
		db: d, registry: registry, caller: access.Anyone(found.ID, found.Name), actor: access.Actor{Name: name},
	}, nil
}

// explainOldSchema says what to do about a database from before there were keys.
func explainOldSchema(err error) error {
	const undefinedTable, undefinedColumn = "42P01", "42703"
	refused, ok := errors.AsType[*pgconn.PgError](err)
	if ok && (refused.Code == undefinedTable || refused.Code == undefinedColumn) {
		return fmt.Errorf("the database's schema knows no keys yet: run tally migrate, or start a server of this version: %w", err)
	}
	return err
}

func (k *databaseKeys) Close() { k.db.Close() }

func (k *databaseKeys) CreateKey(ctx context.Context, q tally.NewKey) (tally.CreatedKey, error) {
	scopes, err := access.ParseScopes(q.Scopes)
	if err != nil {
		return tally.CreatedKey{}, err
	}
	wanted := access.KeyRequest{Name: q.Name, Scopes: scopes, Logs: eventlog.Pattern(q.Logs)}
	if len(q.Limits) > 0 {
		if wanted.Limits, err = storedLimits(q.Limits); err != nil {
			return tally.CreatedKey{}, err
		}
	}
	if q.ExpiresAt != nil {
		wanted.ExpiresAt = *q.ExpiresAt
	}
	key, text, err := k.registry.CreateKey(ctx, k.actor, k.caller.Tenant, wanted)
	return tally.CreatedKey{Key: describeKey(key), Secret: text}, err
}

// storedLimits are a key's own as they are stored.
func storedLimits(own map[string]int64) ([]byte, error) {
	encoded, err := json.Marshal(own)
	if err != nil {
		return nil, fmt.Errorf("encoding limits: %w", err)
	}
	parsed, err := limits.Parse(encoded)
	if err != nil {
		return nil, err
	}
	return encoded, parsed.CheckKey()
}

func (k *databaseKeys) Keys(ctx context.Context) iter.Seq2[tally.Key, error] {
	const page = 1000
	return func(yield func(tally.Key, error) bool) {
		for after := ""; ; {
			found, err := k.registry.Keys(ctx, k.caller.Tenant, after, page)
			if err != nil {
				yield(tally.Key{}, err)
				return
			}
			for _, key := range found {
				if !yield(describeKey(key), nil) {
					return
				}
			}
			if len(found) < page {
				return
			}
			after = found[len(found)-1].ID
		}
	}
}

func (k *databaseKeys) RotateKey(ctx context.Context, id string, formerValid *time.Duration) (tally.CreatedKey, error) {
	valid := access.DefaultFormerValid
	if formerValid != nil {
		valid = *formerValid
	}
	key, text, err := k.registry.RotateKey(ctx, k.caller, k.actor, id, valid)
	return tally.CreatedKey{Key: describeKey(key), Secret: text}, err
}

func (k *databaseKeys) RevokeKey(ctx context.Context, id string) (tally.Key, error) {
	key, err := k.registry.RevokeKey(ctx, k.caller, k.actor, id)
	return describeKey(key), err
}

// describeKey describes a key as a server does.
func describeKey(k access.Key) tally.Key {
	var own map[string]int64
	_ = json.Unmarshal(k.Limits, &own) // as they were stored
	return tally.Key{
		Limits: own,
		KeyID:  k.ID, Name: k.Name, Scopes: k.Scopes.Names(), Logs: string(k.Logs), CreatedAt: k.CreatedAt.UTC(), CreatedBy: k.CreatedBy,
		ExpiresAt: optionalMoment(k.ExpiresAt), RotatedAt: optionalMoment(k.RotatedAt), FormerUntil: optionalMoment(k.FormerUntil),
		RevokedAt: optionalMoment(k.RevokedAt), LastUsedAt: optionalMoment(k.LastUsedAt),
	}
}

func optionalMoment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
