package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/uuid"
)

// Limits of keys.
const (
	// MaxFormerValid is how long a secret can stay good after its key was rotated.
	MaxFormerValid = 7 * 24 * time.Hour
	// DefaultFormerValid is how long it does unless the rotation says otherwise.
	DefaultFormerValid = time.Hour
)

// Errors of keys.
var (
	ErrKeyNotFound  = errors.New("key not found")
	ErrKeyNameTaken = errors.New("another key has that name")
	ErrKeyRevoked   = errors.New("the key is revoked")
	// ErrNotCovered: a key would have a right that whoever makes it lacks.
	ErrNotCovered = errors.New("a key cannot give what it does not have")
)

// Key is a key as it is described: without its secret.
type Key struct {
	ID          string
	Name        string
	Scopes      Scopes
	Logs        eventlog.Pattern
	Limits      []byte // JSON
	CreatedAt   time.Time
	CreatedBy   string
	ExpiresAt   time.Time // zero: never
	RotatedAt   time.Time // zero: never
	FormerUntil time.Time // until when the secret from before the rotation is good
	RevokedAt   time.Time // zero: it is not revoked
	LastUsedAt  time.Time // to the minute; zero: never
}

func keyFromRow(row dbsqlc.AccessKey) Key {
	var scopes Scopes
	for _, name := range row.Scopes {
		scope, err := ParseScopes([]string{name})
		if err != nil { // of a newer server: only who may do everything changes such a key
			scope = Operator
		}
		scopes |= scope
	}
	return Key{
		ID: row.KeyID, Name: row.Name, Scopes: scopes, Logs: eventlog.Pattern(row.Logs), Limits: row.Limits,
		CreatedAt: row.CreatedAt, CreatedBy: row.CreatedBy, ExpiresAt: row.ExpiresAt.Time, RotatedAt: row.RotatedAt.Time,
		FormerUntil: row.FormerUntil.Time, RevokedAt: row.RevokedAt.Time, LastUsedAt: row.LastUsedAt.Time,
	}
}

// KeyRequest says what a key is to be.
type KeyRequest struct {
	Name      string
	Scopes    Scopes
	Logs      eventlog.Pattern // "" for all
	ExpiresAt time.Time        // zero: never
	Limits    []byte           // JSON; nil for none of its own
}

func (q *KeyRequest) check() error {
	if err := eventlog.CheckName("the key's name", q.Name); err != nil {
		return err
	}
	if q.Logs == "" {
		q.Logs = "*"
	}
	if q.Limits == nil {
		q.Limits = []byte("{}")
	}
	if !q.ExpiresAt.IsZero() && !q.ExpiresAt.After(time.Now()) {
		return event.Invalid("invalid_expiry", "the key would have expired at %s, which has passed", q.ExpiresAt.UTC().Format(time.RFC3339))
	}
	if q.Scopes == 0 {
		_, err := ParseScopes(nil)
		return err
	}
	return q.Logs.Check()
}

// Covers returns ErrNotCovered where a key would have more rights than the caller: the scope operator, or logs beyond the caller's pattern.
// An admin gives the other scopes whether it has them or not.
func (c *Caller) Covers(q KeyRequest) error {
	if q.Scopes.Has(Operator) && !c.Scopes.Has(Operator) || q.Logs != c.Logs && !c.Logs.Covers(cover(q.Logs)) {
		return ErrNotCovered
	}
	return nil
}

func cover(logs eventlog.Pattern) eventlog.Pattern {
	if logs == "" {
		return "*"
	}
	return logs
}

// CreateKey makes a key and returns it with its text, which cannot be had again. The error is an *event.InvalidError, ErrKeyNameTaken, or
// the database's.
func (r *Registry) CreateKey(ctx context.Context, by Actor, tenant uuid.UUID, q KeyRequest) (key Key, text string, err error) {
	text = GenerateKey()
	key, err = r.insertKey(ctx, by, tenant, q, text)
	return key, text, err
}

func (r *Registry) insertKey(ctx context.Context, by Actor, tenant uuid.UUID, q KeyRequest, text string) (key Key, err error) {
	if err := q.check(); err != nil {
		return Key{}, err
	}
	id, _ := parseKey(text)
	key = Key{ID: id, Name: q.Name, Scopes: q.Scopes, Logs: q.Logs, Limits: q.Limits, CreatedBy: by.Name, ExpiresAt: q.ExpiresAt}
	hash := secretHash(text)
	err = r.change(ctx, "making a key", func(tx pgx.Tx, version int64) (err error) {
		key.CreatedAt, err = r.db.InsertKey(ctx, tx, dbsqlc.InsertKeyParams{
			KeyID: id, TenantID: tenant, Name: q.Name, Scopes: q.Scopes.Names(), Logs: string(q.Logs), Limits: q.Limits,
			SecretHash: hash[:], TokenKey: verifyingKey(text), CreatedBy: by.Name, ExpiresAt: optionalTime(q.ExpiresAt), Changed: version,
		})
		if errors.Is(db.Classify(err), db.ErrAlreadyExists) {
			return ErrKeyNameTaken
		} else if err != nil {
			return err
		}
		return r.Record(ctx, tx, tenant, by, "key.create", q.Name, map[string]any{
			"key_id": id, "scopes": q.Scopes.Names(), "logs": q.Logs, "expires_at": presentTime(q.ExpiresAt),
		})
	})
	return key, err
}

// HasKeys reports whether there is a key that could make others.
func (r *Registry) HasKeys(ctx context.Context) (bool, error) {
	any, err := r.db.AnyKey(ctx, r.db.Read)
	if err != nil {
		return false, fmt.Errorf("looking for keys: %w", db.Classify(err))
	}
	return any, nil
}

// Bootstrap makes the key with this text, unless it exists already, with all scopes in the tenant default. A key that was revoked stays so.
func (r *Registry) Bootstrap(ctx context.Context, text string) error {
	id, ok := parseKey(text)
	if !ok {
		return errors.New("the bootstrap key has not the form of a key: tally key generate makes one")
	}
	exists, err := r.db.KeyExists(ctx, r.db.Read, id)
	if err != nil {
		return fmt.Errorf("looking for the bootstrap key: %w", db.Classify(err))
	}
	if exists {
		return nil
	}
	_, err = r.insertKey(ctx, Actor{Name: "bootstrap"}, db.DefaultTenant, KeyRequest{Name: "bootstrap-" + id, Scopes: AllScopes}, text)
	if errors.Is(err, ErrKeyNameTaken) { // another server has just made it
		return nil
	}
	return err
}

// Keys returns up to limit of the tenant's keys, revoked ones too, whose ids come after the id after, in the order of their ids.
func (r *Registry) Keys(ctx context.Context, tenant uuid.UUID, after string, limit int32) ([]Key, error) {
	rows, err := r.db.ListKeys(ctx, r.db.Read, dbsqlc.ListKeysParams{TenantID: tenant, After: after, MaxRows: limit})
	if err != nil {
		return nil, fmt.Errorf("listing keys: %w", db.Classify(err))
	}
	keys := make([]Key, len(rows))
	for i, row := range rows {
		keys[i] = keyFromRow(row)
	}
	return keys, nil
}

// Key returns one of the tenant's keys. The error is ErrKeyNotFound or the database's.
func (r *Registry) Key(ctx context.Context, tenant uuid.UUID, id string) (Key, error) {
	row, err := r.db.GetKey(ctx, r.db.Read, dbsqlc.GetKeyParams{TenantID: tenant, KeyID: id})
	if isNotFound(err) {
		return Key{}, ErrKeyNotFound
	} else if err != nil {
		return Key{}, fmt.Errorf("reading a key: %w", db.Classify(err))
	}
	return keyFromRow(row), nil
}

// RotateKey gives a key another secret and returns its new text. The one from before stays good for formerValid; the one from before that
// ends. The error is an *event.InvalidError, ErrKeyNotFound, ErrKeyRevoked, ErrNotCovered, or the database's.
func (r *Registry) RotateKey(
	ctx context.Context, by *Caller, actor Actor, id string, formerValid time.Duration,
) (key Key, text string, err error) {
	if formerValid < 0 || formerValid > MaxFormerValid {
		return Key{}, "", event.Invalid("invalid_expiry", "the former secret can stay good for 0 to %v; %v were asked for",
			MaxFormerValid, formerValid)
	}
	text = newKey(id)
	hash := secretHash(text)
	err = r.changeKey(ctx, "rotating a key", by, id, func(tx pgx.Tx, row dbsqlc.AccessKey, version int64) error {
		if row.RevokedAt.Valid {
			return ErrKeyRevoked
		}
		until := time.Now().Add(formerValid)
		err := r.db.RotateKey(ctx, tx, dbsqlc.RotateKeyParams{
			FormerUntil: optionalTime(until), SecretHash: hash[:], TokenKey: verifyingKey(text), Changed: version, KeyID: id,
		})
		if err != nil {
			return err
		}
		return r.Record(ctx, tx, by.Tenant, actor, "key.rotate", row.Name, map[string]any{"key_id": id, "former_until": until.UTC()})
	})
	if err != nil {
		return Key{}, "", err
	}
	key, err = r.Key(ctx, by.Tenant, id)
	return key, text, err
}

// RevokeKey ends a key, and the tokens that it made: within a second on every server. The error is ErrKeyNotFound, ErrNotCovered, or the
// database's.
func (r *Registry) RevokeKey(ctx context.Context, by *Caller, actor Actor, id string) (Key, error) {
	err := r.changeKey(ctx, "revoking a key", by, id, func(tx pgx.Tx, row dbsqlc.AccessKey, version int64) error {
		if row.RevokedAt.Valid {
			return nil
		}
		if err := r.db.RevokeKey(ctx, tx, dbsqlc.RevokeKeyParams{Changed: version, KeyID: id}); err != nil {
			return err
		}
		return r.Record(ctx, tx, by.Tenant, actor, "key.revoke", row.Name, map[string]any{"key_id": id})
	})
	if err != nil {
		return Key{}, err
	}
	return r.Key(ctx, by.Tenant, id)
}

// changeKey runs fn with a key that the caller could have made.
func (r *Registry) changeKey(
	ctx context.Context, what string, by *Caller, id string, fn func(tx pgx.Tx, row dbsqlc.AccessKey, version int64) error,
) error {
	return r.change(ctx, what, func(tx pgx.Tx, version int64) error {
		row, err := r.db.LockKey(ctx, tx, dbsqlc.LockKeyParams{TenantID: by.Tenant, KeyID: id})
		if isNotFound(err) {
			return ErrKeyNotFound
		} else if err != nil {
			return err
		}
		key := keyFromRow(row)
		if err := by.Covers(KeyRequest{Scopes: key.Scopes, Logs: key.Logs}); err != nil {
			return err
		}
		return fn(tx, row, version)
	})
}

// MakeToken makes a token with the caller's key, given as text: the server itself could not. The error is an *event.InvalidError or the
// database's.
func (r *Registry) MakeToken(
	ctx context.Context, by *Caller, actor Actor, key string, q TokenRequest,
) (token string, expires time.Time, err error) {
	if err := q.check(); err != nil {
		return "", expires, err
	}
	if token, expires, err = q.sign(by.KeyID, key, time.Now()); err != nil {
		return "", expires, err
	}
	err = r.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		return r.Record(ctx, tx, by.Tenant, actor, "token.create", q.Subject, map[string]any{
			"scopes": q.Scopes.Names(), "logs": q.Logs, "views": q.Views, "expires_at": expires.UTC(),
		})
	})
	if err != nil {
		return "", expires, fmt.Errorf("recording a token: %w", err)
	}
	return token, expires, nil
}

// rawJSON has JSON encoded as it is.
type rawJSON = json.RawMessage

func presentTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
