package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/webhook"
)

// WebhookDelivery is a message to a webhook, and what became of it.
type WebhookDelivery struct {
	DeliveryID string     `json:"delivery_id" doc:"The message's id, which goes with each try as webhook-id."`
	Type       string     `json:"type" doc:"What the message tells."`
	Log        string     `json:"log,omitempty" doc:"The log that it is about; absent when it is about none."`
	Status     string     `json:"status" doc:"pending: it has not been taken yet; delivered; dead: it was given up." enum:"pending,delivered,dead"`
	Attempts   int        `json:"attempts" doc:"How often it was tried."`
	CreatedAt  time.Time  `json:"created_at" doc:"When it was announced."`
	NextAt     *time.Time `json:"next_at,omitempty" doc:"When it is tried next, at the earliest; absent when it has ended."`
	FinishedAt *time.Time `json:"finished_at,omitempty" doc:"When it was delivered or given up; absent while it is pending."`
	Error      string     `json:"error,omitempty" doc:"Why the last try failed; absent when it did not."`
}

func presentDelivery(d webhook.Delivery) WebhookDelivery {
	return WebhookDelivery{
		DeliveryID: webhook.MessageID(d.ID), Type: d.Type, Log: d.Log, Status: d.Status, Attempts: d.Attempts, CreatedAt: d.CreatedAt.UTC(),
		NextAt: presentTime(d.NextAt), FinishedAt: presentTime(d.FinishedAt), Error: d.Error,
	}
}

// DeliveryAttempt is one try of a delivery.
type DeliveryAttempt struct {
	Attempt    int       `json:"attempt" doc:"1 for the first."`
	At         time.Time `json:"at" doc:"When it began."`
	DurationMs int64     `json:"duration_ms" doc:"How long it took, in milliseconds."`
	Status     int       `json:"status,omitempty" doc:"The HTTP status of the answer; absent when there was none."`
	Answer     string    `json:"answer,omitempty" doc:"The first 1,024 bytes of the answer's body."`
	Error      string    `json:"error,omitempty" doc:"Why it failed; absent when it did not."`
}

// WebhookDeliveryDetail is a delivery with its message and the answers that it got.
type WebhookDeliveryDetail struct {
	WebhookDelivery

	Message json.RawMessage   `json:"message" doc:"What is sent, byte for byte but for white space."`
	Tries   []DeliveryAttempt `json:"tries" nullable:"false" doc:"The latest 100, newest first."`
}

// DeliveryPath is the {delivery} of a path.
type DeliveryPath struct {
	WebhookPath

	DeliveryID string `path:"delivery" maxLength:"40" doc:"The delivery's id." example:"msg_01980000-0000-7000-8000-000000000000"`
}

type listDeliveriesInput struct {
	WebhookPath
	PageCursor
	Status string `query:"status" enum:"pending,delivered,dead" doc:"Those of this status; all when absent."`
	Limit  int32  `query:"limit" default:"100" minimum:"1" maximum:"200" doc:"The most of a page."`
}

// WebhookDeliveryPage is a page of deliveries.
type WebhookDeliveryPage struct {
	Deliveries []WebhookDelivery `json:"deliveries" nullable:"false" doc:"Newest first."`
	NextCursor string            `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page; absent on the last."`
}

type listDeliveriesOutput struct{ Body WebhookDeliveryPage }

type deliveryDetailOutput struct{ Body WebhookDeliveryDetail }

type replayDeliveryInput struct {
	DeliveryPath
	ActorHeader
}

// AcceptedDelivery is a delivery that will be tried.
type AcceptedDelivery struct {
	DeliveryID string `json:"delivery_id" doc:"The message's id, by which the delivery is to be found."`
}

type acceptedDeliveryOutput struct{ Body AcceptedDelivery }

// ReplayedDeliveries is how many deliveries will be tried again.
type ReplayedDeliveries struct {
	Replayed int  `json:"replayed" doc:"How many there are."`
	More     bool `json:"more" doc:"Whether there may be others: ask again."`
}

type replayedDeliveriesOutput struct{ Body ReplayedDeliveries }

func (s *server) registerDeliveries(api huma.API) {
	tags := []string{"webhooks"}
	register(s, api, access.Admin, huma.Operation{
		OperationID: "test-webhook", Method: http.MethodPost, Path: webhookPrefix + "/test",
		Summary: "Send a webhook a test", Tags: tags,
		Description: "A message of the type webhook.test, whatever types it wants. What becomes of it is shown with its delivery. The " +
			"key must be for all logs.",
		DefaultStatus: http.StatusAccepted, Errors: []int{http.StatusConflict},
	}, s.testWebhook)
	register(s, api, access.Admin, huma.Operation{
		OperationID: "list-deliveries", Method: http.MethodGet, Path: webhookPrefix + "/deliveries",
		Summary: "List the deliveries of a webhook, newest first", Tags: tags,
		Description: "They are kept for 30 days after their end. The key must be for all logs.",
	}, s.listDeliveries)
	register(s, api, access.Admin, huma.Operation{
		OperationID: "get-delivery", Method: http.MethodGet, Path: webhookPrefix + "/deliveries/{delivery}",
		Summary: "Get a delivery with the answers that it got", Tags: tags,
		Description: "The key must be for all logs.",
	}, s.getDelivery)
	register(s, api, access.Admin, huma.Operation{
		OperationID: "replay-delivery", Method: http.MethodPost, Path: webhookPrefix + "/deliveries/{delivery}/replay",
		Summary: "Send a delivery again", Tags: tags,
		Description: "One that has ended, dead or delivered, with the same id and the whole schedule before it. The key must " +
			"be for all logs.",
		DefaultStatus: http.StatusAccepted, Errors: []int{http.StatusConflict},
	}, s.replayDelivery)
	register(s, api, access.Admin, huma.Operation{
		OperationID: "replay-dead-deliveries", Method: http.MethodPost, Path: webhookPrefix + "/replay",
		Summary: "Send all dead deliveries of a webhook again", Tags: tags,
		Description:   "Up to 1,000 of them with one request, the oldest first. The key must be for all logs.",
		DefaultStatus: http.StatusAccepted, Errors: []int{http.StatusConflict},
	}, s.replayDeadDeliveries)
}

func (s *server) testWebhook(ctx context.Context, in *changeWebhookInput) (*acceptedDeliveryOutput, error) {
	by, err := s.doer(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	id, err := s.webhookID(ctx, in.WebhookPath)
	if err != nil {
		return nil, err
	}
	message, err := s.Webhooks.SendTest(ctx, by, s.tenant(ctx), id)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &acceptedDeliveryOutput{AcceptedDelivery{webhook.MessageID(message)}}, nil
}

func (s *server) listDeliveries(ctx context.Context, in *listDeliveriesInput) (*listDeliveriesOutput, error) {
	id, err := s.webhookID(ctx, in.WebhookPath)
	if err != nil {
		return nil, err
	}
	var before uuid.UUID
	if in.Cursor != "" {
		if before, err = webhook.ParseMessageID(in.Cursor); err != nil {
			return nil, notThisListsCursor()
		}
	}
	list, err := s.Webhooks.Deliveries(ctx, s.tenant(ctx), id, in.Status, before, in.Limit, requestOf(ctx).answer)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &listDeliveriesOutput{}
	out.Body.Deliveries = make([]WebhookDelivery, len(list))
	for i, d := range list {
		out.Body.Deliveries[i] = presentDelivery(d)
	}
	if len(list) == int(in.Limit) {
		out.Body.NextCursor = webhook.MessageID(list[len(list)-1].ID)
	}
	return out, nil
}

// deliveryID reads the ids of a path.
func (s *server) deliveryID(ctx context.Context, path DeliveryPath) (of, delivery uuid.UUID, err error) {
	if of, err = s.webhookID(ctx, path.WebhookPath); err != nil {
		return of, delivery, err
	}
	if delivery, err = webhook.ParseMessageID(path.DeliveryID); err != nil { // as one that the webhook does not have
		if _, err = s.Webhooks.Get(ctx, s.tenant(ctx), of); err == nil {
			err = webhook.ErrDeliveryNotFound
		}
		return of, delivery, s.problem(ctx, err)
	}
	return of, delivery, nil
}

func (s *server) getDelivery(ctx context.Context, in *DeliveryPath) (*deliveryDetailOutput, error) {
	of, id, err := s.deliveryID(ctx, *in)
	if err != nil {
		return nil, err
	}
	found, tries, err := s.Webhooks.Delivery(ctx, s.tenant(ctx), of, id)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &deliveryDetailOutput{WebhookDeliveryDetail{
		WebhookDelivery: presentDelivery(found), Message: json.RawMessage(found.Message), Tries: make([]DeliveryAttempt, len(tries)),
	}}
	for i, try := range tries {
		out.Body.Tries[i] = DeliveryAttempt{
			Attempt: try.Number, At: try.At.UTC(), DurationMs: try.Took.Milliseconds(), Status: try.Status,
			Answer: try.Answer, Error: try.Error,
		}
	}
	return out, nil
}

func (s *server) replayDelivery(ctx context.Context, in *replayDeliveryInput) (*acceptedDeliveryOutput, error) {
	by, err := s.doer(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	of, id, err := s.deliveryID(ctx, in.DeliveryPath)
	if err != nil {
		return nil, err
	}
	if err := s.Webhooks.Replay(ctx, by, s.tenant(ctx), of, id); err != nil {
		return nil, s.problem(ctx, err)
	}
	return &acceptedDeliveryOutput{AcceptedDelivery{webhook.MessageID(id)}}, nil
}

func (s *server) replayDeadDeliveries(ctx context.Context, in *changeWebhookInput) (*replayedDeliveriesOutput, error) {
	by, err := s.doer(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	id, err := s.webhookID(ctx, in.WebhookPath)
	if err != nil {
		return nil, err
	}
	replayed, err := s.Webhooks.ReplayDead(ctx, by, s.tenant(ctx), id)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &replayedDeliveriesOutput{ReplayedDeliveries{Replayed: replayed, More: replayed == webhook.MaxReplayed}}, nil
}
