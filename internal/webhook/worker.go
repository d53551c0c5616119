package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/riverqueue/river"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// databaseRetry is when a delivery is looked at again that the database had no answer about.
	databaseRetry = 5 * time.Second
	// recording bounds how long it takes to record a try, also when the server stops.
	recording = 10 * time.Second
)

// Statuses of a delivery.
const (
	Pending   = "pending"
	Delivered = "delivered"
	Dead      = "dead"
)

// Why a receiver is disabled.
const (
	disabledGone    = "it answered 410 Gone"
	disabledFailing = "all tries failed for five days"
	disabledByHand  = "it was disabled by request"
)

// worker runs the queue's jobs.
type worker struct {
	river.WorkerDefaults[job]

	of *Webhooks
}

// Work implements river.Worker: one try of a delivery, unless its turn has not come.
func (w *worker) Work(ctx context.Context, j *river.Job[job]) error {
	ended, wait := w.of.turns.take(j.Args.Tenant, j.Args.Webhook, time.Now())
	if ended == nil {
		w.of.Stats.Postponed.Add(1)
		return river.JobSnooze(wait)
	}
	again, sent, err := w.of.try(ctx, j.Args)
	ended(sent.took, sent.err == nil) // what the receiver took, and not the database
	switch {
	case ctx.Err() != nil: // the server stops: another goes on
		return river.JobSnooze(0)
	case err != nil:
		w.of.config.Log.LogAttrs(ctx, slog.LevelWarn, "a webhook's delivery waits for the database",
			slog.String("webhook", j.Args.Webhook.String()), slog.String("message", MessageID(j.Args.Message)), slog.Any("error", err))
		return river.JobSnooze(databaseRetry)
	case again > 0:
		return river.JobSnooze(again)
	}
	return nil
}

// try sends a delivery once, if it is still to be sent, and records what became of it. It returns when to try again; 0 for never. The error
// is the database's: then nothing was recorded, and the same is to be sent again.
func (w *Webhooks) try(ctx context.Context, j job) (again time.Duration, sent result, err error) {
	row, err := w.db.GetDeliveryToSend(ctx, w.db.Queue, dbsqlc.GetDeliveryToSendParams{WebhookID: j.Webhook, MessageID: j.Message})
	if err = db.Classify(err); errors.Is(err, db.ErrNotFound) {
		return 0, sent, nil
	} else if err != nil {
		return 0, sent, err
	}
	age := time.Since(row.BegunAt)
	switch {
	case row.Status != Pending || row.DeletedAt.Valid:
		return 0, sent, nil
	case !row.Enabled:
		return 0, sent, w.giveUp(ctx, j, "the webhook is disabled: "+row.DisabledWhy)
	case row.Tries > 0 && age > GiveUpAfter:
		return 0, sent, w.giveUp(ctx, j, fmt.Sprintf("given up after %d tries", row.Tries))
	}
	secrets := [][]byte{row.Secret}
	if len(row.FormerSecret) > 0 {
		secrets = append(secrets, row.FormerSecret)
	}
	sent = w.sender.send(ctx, row.Url, MessageID(j.Message), []byte(row.Message), secrets)
	if sent.err != nil && ctx.Err() != nil { // cut off, which is not the receiver's fault
		return 0, result{}, nil
	}
	again, err = w.recordTry(ctx, j, row, sent, age)
	return again, sent, err
}

// recordTry puts down what became of a try, and what follows for the receiver.
func (w *Webhooks) recordTry(
	ctx context.Context, j job, row dbsqlc.GetDeliveryToSendRow, r result, age time.Duration,
) (again time.Duration, err error) {
	tried := dbsqlc.RecordAttemptParams{
		WebhookID: j.Webhook, MessageID: j.Message, Status: Delivered, At: r.at, Answer: r.answer,
		DurationMs: int32(r.took.Milliseconds()), //nolint:gosec // about TryTimeout at most
	}
	if r.status > 0 {
		status := int32(r.status) //nolint:gosec // three digits
		tried.AnswerStatus = &status
	}
	disable := ""
	if r.err != nil {
		tried.Error = r.err.Error()
		again, tried.Status = 0, Dead
		wait, more := nextTry(w.config.schedule, int(row.Tries)+1, age, r.retryAfter)
		switch {
		case r.status == http.StatusGone:
			disable = disabledGone
		case row.FailingSince.Valid && time.Since(row.FailingSince.Time) > DisableAfter:
			disable = disabledFailing
		case more:
			again, tried.Status = wait, Pending
			tried.NextAt = pgtype.Timestamptz{Time: time.Now().Add(wait), Valid: true}
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recording)
	defer cancel()
	if r.err == nil && !row.FailingSince.Valid { // as a rule, one statement
		_, err = w.db.RecordAttempt(ctx, w.db.Queue, tried)
	} else {
		err = pgx.BeginFunc(ctx, w.db.Queue, func(tx pgx.Tx) error { return w.recordChange(ctx, tx, j, row.TenantID, tried, disable) })
	}
	if err != nil {
		return 0, db.Classify(err)
	}
	w.count(r, tried.Status, disable)
	return again, nil
}

// recordChange records a try by which a receiver begins or ends to fail, or is disabled.
func (w *Webhooks) recordChange(
	ctx context.Context, tx pgx.Tx, j job, tenant uuid.UUID, tried dbsqlc.RecordAttemptParams, disable string,
) error {
	recorded, err := w.db.RecordAttempt(ctx, tx, tried)
	if err != nil || recorded == 0 {
		return err
	}
	switch {
	case tried.Status == Delivered:
		return w.db.SetWebhookWorking(ctx, tx, j.Webhook)
	case disable == "":
		return w.db.SetWebhookFailing(ctx, tx, j.Webhook)
	}
	disabled, err := w.db.DisableWebhook(ctx, tx, dbsqlc.DisableWebhookParams{DisabledWhy: disable, WebhookID: j.Webhook})
	if err != nil || disabled == 0 {
		return err
	}
	return w.record.Record(ctx, tx, tenant, access.Actor{Name: "server"}, "webhook.disable", j.Webhook.String(),
		map[string]string{"why": disable})
}

func (w *Webhooks) count(r result, status, disable string) {
	w.Stats.Tries.ObserveTime(r.took)
	if r.err == nil {
		w.Stats.Delivered.Add(1)
		return
	}
	w.Stats.Failed.Add(1)
	if r.forbidden {
		w.Stats.Refused.Add(1)
	}
	if status == Dead {
		w.Stats.Dead.Add(1)
	}
	if disable != "" {
		w.Stats.Disabled.Add(1)
	}
}

func (w *Webhooks) giveUp(ctx context.Context, j job, why string) error {
	err := w.db.GiveUpDelivery(ctx, w.db.Queue, dbsqlc.GiveUpDeliveryParams{Error: why, WebhookID: j.Webhook, MessageID: j.Message})
	if err != nil {
		return db.Classify(err)
	}
	w.Stats.Dead.Add(1)
	return nil
}
