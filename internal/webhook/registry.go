package webhook

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// MaxWebhooks bounds the receivers that a tenant has at a time.
	MaxWebhooks = 50
	// MaxDescriptionBytes bounds a receiver's description.
	MaxDescriptionBytes = 1000
	// FormerValid is how long the secret from before a rotation signs beside the new one.
	FormerValid = 24 * time.Hour
	// secretBytes is the length of a secret. The specification wants 24 to 64.
	secretBytes = 32
)

// Errors of webhooks.
var (
	ErrNotFound         = errors.New("webhook not found")
	ErrTooMany          = errors.New("too many webhooks")
	ErrDisabled         = errors.New("the webhook is disabled")
	ErrDeliveryNotFound = errors.New("delivery not found")
	ErrDeliveryPending  = errors.New("the delivery has not ended")
)

// Webhook is a receiver, without its secret.
type Webhook struct {
	ID           uuid.UUID
	URL          string
	Types        []string // what it is told of; all when empty
	Logs         eventlog.Pattern
	Description  string
	Enabled      bool
	DisabledWhy  string    // "" while it is enabled
	DisabledAt   time.Time // zero while it is enabled
	FailingSince time.Time // zero when its last try succeeded, or there was none
	FormerUntil  time.Time // until when the secret from before signs, too; zero where there is none
	CreatedAt    time.Time
	CreatedBy    string
	UpdatedAt    time.Time
}

// Settings are what can be said of a receiver. A field that is nil stays as it is, or is the default in a new one.
type Settings struct {
	URL         *string
	Types       *[]string
	Logs        *string // "" for all
	Description *string
	Enabled     *bool
}

// Create makes a receiver and returns it with its secret, which cannot be had again. The error is an *event.InvalidError, ErrTooMany, or
// the database's.
func (w *Webhooks) Create(ctx context.Context, by access.Actor, tenant uuid.UUID, s Settings) (created Webhook, secret string, err error) {
	present := dbsqlc.Webhook{Enabled: true, Types: []string{}}
	if err := w.apply(s, &present); err != nil {
		return created, "", err
	}
	key := newSecret()
	err = w.change(ctx, "making a webhook", func(tx pgx.Tx) error {
		if err := w.db.LockAccessLog(ctx, tx, tenant); err != nil { // so that two do not count at a time
			return err
		}
		count, err := w.db.CountWebhooks(ctx, tx, tenant)
		if err != nil {
			return err
		}
		if count >= MaxWebhooks {
			return ErrTooMany
		}
		row, err := w.db.InsertWebhook(ctx, tx, dbsqlc.InsertWebhookParams{
			WebhookID: uuid.New(), TenantID: tenant, Url: present.Url, Types: present.Types, Logs: present.Logs,
			Description: present.Description, Enabled: present.Enabled, DisabledWhy: present.DisabledWhy, Secret: key, CreatedBy: by.Name,
		})
		created = fromRow(row)
		if err != nil {
			return err
		}
		return w.record.Record(ctx, tx, tenant, by, "webhook.create", created.ID.String(), recorded(row))
	})
	return created, encodeSecret(key), err
}

// recorded is what the record says of a receiver. A URL may have a secret in its path or query: its host is enough.
func recorded(row dbsqlc.Webhook) map[string]any {
	return map[string]any{"host": hostOf(row.Url), "types": row.Types, "logs": row.Logs, "enabled": row.Enabled}
}

// apply checks settings and puts them into a row.
func (w *Webhooks) apply(s Settings, row *dbsqlc.Webhook) error {
	if s.URL != nil {
		row.Url = *s.URL
	}
	if s.URL != nil || row.Url == "" {
		if err := addresses(w.config.Allow).checkURL(row.Url); err != nil {
			return err
		}
	}
	if s.Types != nil {
		row.Types = []string{}
		for _, name := range *s.Types {
			if !slices.Contains(Types, name) {
				return event.Invalid("invalid_webhook", "there is no type %q; there are %s", shorten(name), strings.Join(Types, ", "))
			}
			if !slices.Contains(row.Types, name) {
				row.Types = append(row.Types, name)
			}
		}
	}
	if s.Logs != nil {
		row.Logs = *s.Logs
		if row.Logs != "" {
			if err := eventlog.Pattern(row.Logs).Check(); err != nil {
				return err
			}
		}
	}
	if s.Description != nil {
		row.Description = *s.Description
		if len(row.Description) > MaxDescriptionBytes || !utf8.ValidString(row.Description) || strings.Contains(row.Description, "\x00") {
			return event.Invalid("invalid_webhook", "the description must be text of at most %d bytes", MaxDescriptionBytes)
		}
	}
	if s.Enabled != nil {
		if row.Enabled = *s.Enabled; row.Enabled {
			row.DisabledWhy = ""
		} else if row.DisabledWhy == "" {
			row.DisabledWhy = disabledByHand
		}
	}
	return nil
}

// Update changes a receiver. The error is an *event.InvalidError, ErrNotFound, or the database's.
func (w *Webhooks) Update(
	ctx context.Context, by access.Actor, tenant, id uuid.UUID, s Settings,
) (updated Webhook, err error) {
	err = w.changeOne(ctx, "changing a webhook", tenant, id, func(tx pgx.Tx, row dbsqlc.Webhook) error {
		if err := w.apply(s, &row); err != nil {
			return err
		}
		row, err := w.db.UpdateWebhook(ctx, tx, dbsqlc.UpdateWebhookParams{
			WebhookID: id, Url: row.Url, Types: row.Types, Logs: row.Logs, Description: row.Description, Enabled: row.Enabled,
			DisabledWhy: row.DisabledWhy,
		})
		updated = fromRow(row)
		if err != nil {
			return err
		}
		return w.record.Record(ctx, tx, tenant, by, "webhook.update", id.String(), recorded(row))
	})
	return updated, err
}

// Rotate gives a receiver another secret and returns it. The one from before signs beside it for FormerValid; one from before that ends.
func (w *Webhooks) Rotate(ctx context.Context, by access.Actor, tenant, id uuid.UUID) (rotated Webhook, secret string, err error) {
	key := newSecret()
	err = w.changeOne(ctx, "rotating a webhook's secret", tenant, id, func(tx pgx.Tx, _ dbsqlc.Webhook) error {
		until := time.Now().Add(FormerValid)
		row, err := w.db.RotateWebhookSecret(ctx, tx, dbsqlc.RotateWebhookSecretParams{
			WebhookID: id, Secret: key, FormerUntil: pgtype.Timestamptz{Time: until, Valid: true},
		})
		rotated = fromRow(row)
		if err != nil {
			return err
		}
		return w.record.Record(ctx, tx, tenant, by, "webhook.rotate-secret", id.String(), map[string]any{"former_until": until.UTC()})
	})
	return rotated, encodeSecret(key), err
}

// Delete ends a receiver, and what was to be delivered to it.
func (w *Webhooks) Delete(ctx context.Context, by access.Actor, tenant, id uuid.UUID) error {
	return w.changeOne(ctx, "deleting a webhook", tenant, id, func(tx pgx.Tx, row dbsqlc.Webhook) error {
		if err := w.db.DeleteWebhook(ctx, tx, id); err != nil {
			return err
		}
		return w.record.Record(ctx, tx, tenant, by, "webhook.delete", id.String(), map[string]any{"host": hostOf(row.Url)})
	})
}

// Get returns one of the tenant's receivers. The error is ErrNotFound or the database's.
func (w *Webhooks) Get(ctx context.Context, tenant, id uuid.UUID) (Webhook, error) {
	row, err := w.db.GetWebhook(ctx, w.db.Read, dbsqlc.GetWebhookParams{TenantID: tenant, WebhookID: id})
	if err = found(err, ErrNotFound); err != nil {
		return Webhook{}, fmt.Errorf("reading a webhook: %w", err)
	}
	return fromRow(row), nil
}

// List returns up to limit of the tenant's receivers after one, in the order of their ids, which is that of their making.
func (w *Webhooks) List(ctx context.Context, tenant, after uuid.UUID, limit int32) ([]Webhook, error) {
	rows, err := w.db.ListWebhooks(ctx, w.db.Read, dbsqlc.ListWebhooksParams{TenantID: tenant, After: after, MaxRows: limit})
	if err != nil {
		return nil, fmt.Errorf("listing webhooks: %w", db.Classify(err))
	}
	list := make([]Webhook, len(rows))
	for i, row := range rows {
		list[i] = fromRow(row)
	}
	return list, nil
}

func (w *Webhooks) change(ctx context.Context, what string, fn func(tx pgx.Tx) error) error {
	if err := w.db.InTx(ctx, pgx.TxOptions{}, fn); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// changeOne runs fn with one of the tenant's receivers, locked.
func (w *Webhooks) changeOne(ctx context.Context, what string, tenant, id uuid.UUID, fn func(tx pgx.Tx, row dbsqlc.Webhook) error) error {
	return w.change(ctx, what, func(tx pgx.Tx) error {
		row, err := w.db.LockWebhook(ctx, tx, dbsqlc.LockWebhookParams{TenantID: tenant, WebhookID: id})
		if err = found(err, ErrNotFound); err != nil {
			return err
		}
		return fn(tx, row)
	})
}

// found returns absent for the error of a row that is not there.
func found(err, absent error) error {
	if err = db.Classify(err); errors.Is(err, db.ErrNotFound) {
		return absent
	}
	return err
}

func fromRow(row dbsqlc.Webhook) Webhook {
	w := Webhook{
		ID: row.WebhookID, URL: row.Url, Types: row.Types, Logs: eventlog.Pattern(row.Logs), Description: row.Description,
		Enabled: row.Enabled, DisabledWhy: row.DisabledWhy, DisabledAt: row.DisabledAt.Time, FailingSince: row.FailingSince.Time,
		CreatedAt: row.CreatedAt, CreatedBy: row.CreatedBy, UpdatedAt: row.UpdatedAt,
	}
	if row.FormerUntil.Time.After(time.Now()) {
		w.FormerUntil = row.FormerUntil.Time
	}
	return w
}

func newSecret() []byte {
	key := make([]byte, secretBytes)
	_, _ = rand.Read(key) // it never fails
	return key
}

// encodeSecret is the form that the specification gives secrets.
func encodeSecret(key []byte) string { return "whsec_" + base64.StdEncoding.EncodeToString(key) }
