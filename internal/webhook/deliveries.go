package webhook

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// MaxReplayed bounds how many deliveries one request replays.
	MaxReplayed = 1000
	// maxAttemptsShown bounds the tries that are shown of one delivery: the latest.
	maxAttemptsShown = 100
)

// Delivery is a message to a receiver, and what became of it.
type Delivery struct {
	ID         uuid.UUID // of the message
	Type       string
	Log        string
	Message    string // as it is sent; "" in a list
	Status     string // Pending, Delivered or Dead
	Attempts   int
	CreatedAt  time.Time
	NextAt     time.Time // zero for one that has ended
	FinishedAt time.Time // zero for one that is pending
	Error      string    // of the last try; "" if that succeeded or there was none
}

// Attempt is one try.
type Attempt struct {
	Number int
	At     time.Time
	Took   time.Duration
	Status int    // of the answer; 0 without one
	Answer string // the first MaxAnswerBytes of its body
	Error  string // "" for a success
}

// Deliveries returns up to limit of a receiver's deliveries from before one, newest first; with a status, those that have it. Their memory
// is booked in room, which may be nil. The error is ErrNotFound or the database's.
func (w *Webhooks) Deliveries(
	ctx context.Context, tenant, webhook uuid.UUID, status string, before uuid.UUID, limit int32, room *memory.Hold,
) ([]Delivery, error) {
	if _, err := w.Get(ctx, tenant, webhook); err != nil {
		return nil, err
	}
	if before.IsZero() {
		before = uuid.MustParse("ffffffff-ffff-ffff-ffff-ffffffffffff")
	}
	var rows []dbsqlc.ListDeliveriesRow
	var err error
	if status == "" {
		page := dbsqlc.ListDeliveriesParams{WebhookID: webhook, Before: before, MaxRows: limit}
		rows, err = w.db.ListDeliveries(ctx, db.Booked(w.db.Read, room), page)
	} else {
		page := dbsqlc.ListDeliveriesByStatusParams{WebhookID: webhook, Status: status, Before: before, MaxRows: limit}
		var those []dbsqlc.ListDeliveriesByStatusRow
		those, err = w.db.ListDeliveriesByStatus(ctx, db.Booked(w.db.Read, room), page)
		for _, row := range those {
			rows = append(rows, dbsqlc.ListDeliveriesRow(row))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("listing deliveries: %w", db.Classify(err))
	}
	list := make([]Delivery, len(rows))
	for i, row := range rows {
		list[i] = Delivery{
			ID: row.MessageID, Type: row.Type, Log: row.Log, Status: row.Status, Attempts: int(row.Attempts), CreatedAt: row.CreatedAt,
			NextAt: row.NextAt.Time, FinishedAt: row.FinishedAt.Time, Error: row.Error,
		}
	}
	return list, nil
}

// Delivery returns one with its latest tries, newest first. The error is ErrNotFound, ErrDeliveryNotFound, or the database's.
func (w *Webhooks) Delivery(ctx context.Context, tenant, webhook, id uuid.UUID) (d Delivery, tries []Attempt, err error) {
	if _, err := w.Get(ctx, tenant, webhook); err != nil {
		return d, nil, err
	}
	row, err := w.db.GetDelivery(ctx, w.db.Read, dbsqlc.GetDeliveryParams{WebhookID: webhook, MessageID: id})
	if err = found(err, ErrDeliveryNotFound); err != nil {
		return d, nil, fmt.Errorf("reading a delivery: %w", err)
	}
	d = Delivery{
		ID: row.MessageID, Type: row.Type, Log: row.Log, Message: row.Message, Status: row.Status, Attempts: int(row.Attempts),
		CreatedAt: row.CreatedAt, NextAt: row.NextAt.Time, FinishedAt: row.FinishedAt.Time, Error: row.Error,
	}
	latest := dbsqlc.ListAttemptsParams{WebhookID: webhook, MessageID: id, MaxRows: maxAttemptsShown}
	rows, err := w.db.ListAttempts(ctx, w.db.Read, latest)
	if err != nil {
		return d, nil, fmt.Errorf("reading a delivery's tries: %w", db.Classify(err))
	}
	tries = make([]Attempt, len(rows))
	for i, row := range rows {
		tries[i] = Attempt{
			Number: int(row.Attempt), At: row.At, Took: time.Duration(row.DurationMs) * time.Millisecond,
			Answer: row.Answer, Error: row.Error,
		}
		if row.Status != nil {
			tries[i].Status = int(*row.Status)
		}
	}
	return d, tries, nil
}

// Replay sends a delivery that has ended again, with the same id and the whole schedule before it. The error is ErrNotFound, ErrDisabled,
// ErrDeliveryNotFound, ErrDeliveryPending, or the database's.
func (w *Webhooks) Replay(ctx context.Context, by access.Actor, tenant, webhook, id uuid.UUID) error {
	return w.changeEnabled(ctx, "replaying a delivery", tenant, webhook, func(tx pgx.Tx, row dbsqlc.Webhook) error {
		replayed, err := w.db.ReplayDelivery(ctx, tx, dbsqlc.ReplayDeliveryParams{WebhookID: webhook, MessageID: id})
		if err != nil {
			return err
		}
		if replayed == 0 {
			if _, err = w.db.GetDelivery(ctx, tx, dbsqlc.GetDeliveryParams{WebhookID: webhook, MessageID: id}); err == nil {
				return ErrDeliveryPending
			}
			return found(err, ErrDeliveryNotFound)
		}
		if err := w.enqueue(ctx, tx, []river.InsertManyParams{jobOf(tenant, webhook, id, row.FailingSince.Valid)}); err != nil {
			return err
		}
		return w.record.Record(ctx, tx, tenant, by, "webhook.replay", webhook.String(), map[string]string{"delivery": MessageID(id)})
	})
}

// ReplayDead replays up to MaxReplayed of the receiver's dead deliveries, the oldest first, and returns how many. The error is ErrNotFound,
// ErrDisabled, or the database's.
func (w *Webhooks) ReplayDead(ctx context.Context, by access.Actor, tenant, webhook uuid.UUID) (replayed int, err error) {
	err = w.changeEnabled(ctx, "replaying dead deliveries", tenant, webhook, func(tx pgx.Tx, row dbsqlc.Webhook) error {
		dead, err := w.db.ReplayDeadDeliveries(ctx, tx, dbsqlc.ReplayDeadDeliveriesParams{WebhookID: webhook, MaxRows: MaxReplayed})
		if err != nil {
			return err
		}
		jobs := make([]river.InsertManyParams, len(dead))
		for i, id := range dead {
			jobs[i] = jobOf(tenant, webhook, id, row.FailingSince.Valid)
		}
		replayed = len(dead)
		if err := w.enqueue(ctx, tx, jobs); err != nil {
			return err
		}
		return w.record.Record(ctx, tx, tenant, by, "webhook.replay", webhook.String(), map[string]int{"deliveries": replayed})
	})
	return replayed, err
}

// SendTest puts down a webhook.test to the receiver, whatever types it wants, and returns the id of its message. The error is ErrNotFound,
// ErrDisabled, or the database's.
func (w *Webhooks) SendTest(ctx context.Context, by access.Actor, tenant, webhook uuid.UUID) (id uuid.UUID, err error) {
	err = w.changeEnabled(ctx, "testing a webhook", tenant, webhook, func(tx pgx.Tx, row dbsqlc.Webhook) error {
		to := []dbsqlc.WebhooksWantingRow{{WebhookID: webhook, Failing: row.FailingSince.Valid}}
		data := []byte(`{"message":"This is a test. The receiver answers it with a status of 200 to 299."}`)
		id, err = w.deliver(ctx, tx, tenant, Event{Type: Test, Data: data}, to)
		if err != nil {
			return err
		}
		return w.record.Record(ctx, tx, tenant, by, "webhook.test", webhook.String(), map[string]string{"delivery": MessageID(id)})
	})
	return id, err
}

func (w *Webhooks) changeEnabled(
	ctx context.Context, what string, tenant, webhook uuid.UUID, fn func(tx pgx.Tx, row dbsqlc.Webhook) error,
) error {
	return w.changeOne(ctx, what, tenant, webhook, func(tx pgx.Tx, row dbsqlc.Webhook) error {
		if !row.Enabled {
			return ErrDisabled
		}
		return fn(tx, row)
	})
}
