package webhook

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// pruneEvery is how often a server removes what is kept no longer, and prunePage how much of it in one statement.
	pruneEvery = 10 * time.Minute
	prunePage  = 500
)

// prune removes deliveries whose time is over, and those of receivers that were deleted, until ctx ends.
func (w *Webhooks) prune(ctx context.Context) {
	for {
		if err := w.pruneAll(ctx); err != nil && ctx.Err() == nil {
			w.config.Log.LogAttrs(ctx, slog.LevelWarn, "removing old deliveries of webhooks failed; trying again", slog.Any("error", err))
		}
		timer := time.NewTimer(pruneEvery*9/10 + rand.N(pruneEvery/5)) //nolint:gosec // no secret
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

func (w *Webhooks) pruneAll(ctx context.Context) error {
	old := dbsqlc.PruneDeliveriesParams{
		Age: pgtype.Interval{Microseconds: KeptFor.Microseconds(), Valid: true}, MaxRows: prunePage,
	}
	for removed := int64(prunePage); removed == prunePage; {
		var err error
		if removed, err = w.db.PruneDeliveries(ctx, w.db.Queue, old); err != nil {
			return db.Classify(err)
		}
	}
	deleted, err := w.db.DeletedWebhooks(ctx, w.db.Queue, prunePage)
	if err != nil {
		return db.Classify(err)
	}
	for _, id := range deleted {
		if err := w.remove(ctx, id); err != nil {
			return db.Classify(err)
		}
	}
	return nil
}

// remove removes a receiver that was deleted, with all that was delivered to it.
func (w *Webhooks) remove(ctx context.Context, id uuid.UUID) error {
	for removed := int64(prunePage); removed == prunePage; {
		var err error
		if removed, err = w.db.PruneDeleted(ctx, w.db.Queue, dbsqlc.PruneDeletedParams{WebhookID: id, MaxRows: prunePage}); err != nil {
			return err
		}
	}
	return w.db.RemoveWebhook(ctx, w.db.Queue, id)
}
