package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// noticeEvery is how often a server looks for changes of views, and keysEvery for keys that expire.
	noticeEvery = time.Second
	keysEvery   = time.Minute
	// noticePage bounds what one transaction announces.
	noticePage = 200
	// keysStep bounds the time whose keys one transaction announces, however long no server ran.
	keysStep = time.Hour
)

// keyNotices are how long before a key expires it is announced.
var keyNotices = []time.Duration{7 * 24 * time.Hour, 24 * time.Hour}

// notice announces what the database says has happened, until ctx ends. Each change is announced in the transaction that takes it off, by
// whichever server comes to it first.
func (w *Webhooks) notice(ctx context.Context) {
	ticker := time.NewTicker(noticeEvery)
	defer ticker.Stop()
	var keys time.Time
	for {
		err := w.noticeViews(ctx)
		if err == nil && time.Since(keys) >= keysEvery {
			keys = time.Now()
			err = w.noticeKeys(ctx)
		}
		if err != nil && ctx.Err() == nil {
			w.config.Log.LogAttrs(ctx, slog.LevelWarn, "looking for what webhooks are to be told failed; trying again",
				slog.Any("error", err))
			keys = time.Time{}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// viewChange is the data of view.halted and view.live.
type viewChange struct {
	View     string    `json:"view"`
	Version  int32     `json:"version"`
	Sequence *int64    `json:"sequence,omitempty"`
	Error    *string   `json:"error,omitempty"`
	At       time.Time `json:"at"`
}

// noticeViews announces the changes of views that have been committed.
func (w *Webhooks) noticeViews(ctx context.Context) error {
	for {
		taken := 0
		err := w.inTx(ctx, func(tx pgx.Tx) error {
			rows, err := w.db.TakeViewChanges(ctx, tx, noticePage)
			taken = len(rows)
			for _, row := range rows {
				if err == nil {
					err = w.announce(ctx, tx, row.TenantID, Event{Type: "view." + row.Status, Log: row.Log}, viewChange{
						View: row.View, Version: row.Version, Sequence: row.Sequence, Error: row.Detail, At: row.At.UTC(),
					})
				}
			}
			return err
		})
		if err != nil || taken < noticePage {
			return err
		}
	}
}

// keyExpiry is the data of key.expiring.
type keyExpiry struct {
	KeyID     string    `json:"key_id"`
	Name      string    `json:"name"`
	ExpiresAt time.Time `json:"expires_at"`
}

// noticeKeys announces the keys that have come within a notice of their end since a server last looked.
func (w *Webhooks) noticeKeys(ctx context.Context) error {
	for more := true; more; {
		err := w.inTx(ctx, func(tx pgx.Tx) error {
			from, err := w.db.LockNotices(ctx, tx)
			if errors.Is(err, pgx.ErrNoRows) { // another server does it
				more = false
				return nil
			} else if err != nil {
				return err
			}
			now := time.Now()
			to := from.Add(keysStep)
			if more = to.Before(now); !more {
				to = now
			}
			if !from.Before(to) {
				return nil
			}
			for _, notice := range keyNotices {
				if err := w.noticeKeysBetween(ctx, tx, later(from.Add(notice), now), to.Add(notice)); err != nil {
					return err
				}
			}
			return w.db.SetNotices(ctx, tx, to)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// noticeKeysBetween announces the keys that expire after one time, until another.
func (w *Webhooks) noticeKeysBetween(ctx context.Context, tx pgx.Tx, after, until time.Time) error {
	page := dbsqlc.KeysExpiringParams{After: after, Until: until, AfterAt: after, MaxRows: noticePage}
	for {
		rows, err := w.db.KeysExpiring(ctx, tx, page)
		if err != nil {
			return err
		}
		for _, row := range rows {
			err := w.announce(ctx, tx, row.TenantID, Event{Type: KeyExpiring}, keyExpiry{row.KeyID, row.Name, row.ExpiresAt.UTC()})
			if err != nil {
				return err
			}
			page.AfterAt, page.AfterKey = row.ExpiresAt, row.KeyID
		}
		if len(rows) < noticePage {
			return nil
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// DefaultPartitionNotEmpty announces to the operators' tenant, once a day, that the default partition holds events.
func (w *Webhooks) DefaultPartitionNotEmpty(ctx context.Context) error {
	return w.inTx(ctx, func(tx pgx.Tx) error {
		e := Event{Type: PartitionNotEmpty, Key: PartitionNotEmpty + " " + time.Now().UTC().Format(time.DateOnly)}
		return w.announce(ctx, tx, db.DefaultTenant, e, map[string]string{
			"message": "The default partition holds events that no partition of a month has taken: run tally maintain.",
		})
	})
}

// announce announces an event with data that is still to be encoded.
func (w *Webhooks) announce(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, e Event, data any) (err error) {
	if e.Data, err = json.Marshal(data); err != nil {
		return fmt.Errorf("encoding what webhooks are told: %w", err)
	}
	return w.Announce(ctx, tx, tenant, e)
}

// inTx runs fn in a transaction of the queue's connections.
func (w *Webhooks) inTx(ctx context.Context, fn func(tx pgx.Tx) error) error {
	return db.Classify(pgx.BeginFunc(ctx, w.db.Queue, fn))
}
