package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/uuid"
)

// Types of what receivers are told.
const (
	AlertFired        = "alert.fired"
	AlertResolved     = "alert.resolved"
	ViewHalted        = "view.halted"
	ViewLive          = "view.live"
	KeyExpiring       = "key.expiring"
	PartitionNotEmpty = "partition.default_not_empty"
	Test              = "webhook.test"
)

// Types are all types that a receiver may ask for. A test goes to whoever is tested.
var Types = []string{AlertFired, AlertResolved, ViewHalted, ViewLive, KeyExpiring, PartitionNotEmpty}

// MaxDataBytes bounds the data of one event.
const MaxDataBytes = 64 << 10

// Event is what receivers are told.
type Event struct {
	Type string
	Log  string          // the log that it is about; "" for none
	Data json.RawMessage // one JSON object
	// Key makes the event once only: a receiver that has had one with this key in the last 30 days is not told again. "" for none.
	Key string
}

// envelope is a message as it is sent.
type envelope struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Log       string          `json:"log,omitempty"`
	Data      json.RawMessage `json:"data"`
}

// Announce puts down, in the caller's transaction, a delivery to each enabled receiver of the tenant that wants the event. Nothing is sent
// before the transaction commits, and nothing if it does not. A transaction that announces a Key waits for others that have announced the
// same and have not ended. Without receivers it costs one read by index.
func (w *Webhooks) Announce(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, e Event) error {
	rows, err := w.db.WebhooksWanting(ctx, tx, dbsqlc.WebhooksWantingParams{TenantID: tenant, Type: e.Type})
	if err != nil {
		return fmt.Errorf("looking for webhooks: %w", err)
	}
	rows = slices.DeleteFunc(rows, func(row dbsqlc.WebhooksWantingRow) bool {
		return e.Log != "" && row.Logs != "" && !eventlog.Pattern(row.Logs).Matches(e.Log)
	})
	if len(rows) == 0 {
		return nil
	}
	_, err = w.deliver(ctx, tx, tenant, e, rows)
	return err
}

// deliver puts down a message to each of the receivers, and returns its id.
func (w *Webhooks) deliver(
	ctx context.Context, tx pgx.Tx, tenant uuid.UUID, e Event, to []dbsqlc.WebhooksWantingRow,
) (id uuid.UUID, err error) {
	if len(e.Data) > MaxDataBytes {
		return id, fmt.Errorf("the data of a webhook has %d bytes; at most %d are allowed", len(e.Data), MaxDataBytes)
	}
	id = uuid.New()
	message, err := json.Marshal(envelope{MessageID(id), e.Type, time.Now().UTC().Truncate(time.Millisecond), e.Log, e.Data})
	if err != nil {
		return id, fmt.Errorf("encoding a webhook's message: %w", err)
	}
	insert := dbsqlc.InsertDeliveriesParams{MessageID: id, Type: e.Type, Log: e.Log, Message: string(message)}
	if e.Key != "" {
		insert.Key = &e.Key
	}
	failing := map[uuid.UUID]bool{}
	for _, row := range to {
		insert.WebhookIds = append(insert.WebhookIds, row.WebhookID)
		failing[row.WebhookID] = row.Failing
	}
	inserted, err := w.db.InsertDeliveries(ctx, tx, insert)
	if err != nil {
		return id, fmt.Errorf("putting a webhook's message down: %w", err)
	}
	jobs := make([]river.InsertManyParams, len(inserted))
	for i, webhook := range inserted {
		jobs[i] = jobOf(tenant, webhook, id, failing[webhook])
	}
	return id, w.enqueue(ctx, tx, jobs)
}

func (w *Webhooks) enqueue(ctx context.Context, tx pgx.Tx, jobs []river.InsertManyParams) error {
	if len(jobs) == 0 {
		return nil
	}
	if _, err := w.queue.InsertManyTx(ctx, tx, jobs); err != nil {
		return fmt.Errorf("adding to the queue of webhooks: %w", err)
	}
	w.Stats.Announced.Add(int64(len(jobs)))
	return nil
}

// job is what the queue holds of a delivery.
type job struct {
	Tenant  uuid.UUID `json:"tenant"`
	Webhook uuid.UUID `json:"webhook"`
	Message uuid.UUID `json:"message"`
}

// Kind implements river.JobArgs.
func (job) Kind() string { return "webhook_delivery" }

// jobOf returns the job of a delivery. Those of receivers that fail come after all others.
func jobOf(tenant, webhook, message uuid.UUID, failing bool) river.InsertManyParams {
	priority := 1
	if failing {
		priority = 2
	}
	return river.InsertManyParams{
		Args:       job{tenant, webhook, message},
		InsertOpts: &river.InsertOpts{Queue: queue, Priority: priority, MaxAttempts: maxRuns},
	}
}

const messagePrefix = "msg_"

// MessageID is how a message is called where receivers see it.
func MessageID(id uuid.UUID) string { return messagePrefix + id.String() }

// ParseMessageID reads what MessageID returns.
func ParseMessageID(text string) (uuid.UUID, error) {
	rest, ok := strings.CutPrefix(text, messagePrefix)
	if !ok {
		return uuid.UUID{}, errors.New("a message's id begins with " + messagePrefix)
	}
	return uuid.Parse(rest)
}
