package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/webhook"
)

const (
	webhookPrefix = "/webhooks/{webhook}"
	// maxWebhookBytes bounds the body of a request that makes or changes a webhook.
	maxWebhookBytes = 16 << 10
)

// Webhook is a receiver, without its secret.
type Webhook struct {
	WebhookID    uuid.UUID  `json:"webhook_id" doc:"The webhook's id." format:"uuid"`
	URL          string     `json:"url" doc:"Where requests go."`
	Types        []string   `json:"types" nullable:"false" doc:"What it is told of; everything when empty."`
	Logs         string     `json:"logs,omitempty" doc:"The pattern of the logs that it is told of; all when absent. What concerns no log it is told in any case."`
	Description  string     `json:"description,omitempty" doc:"For people."`
	Enabled      bool       `json:"enabled" doc:"Whether it is told at all."`
	DisabledWhy  string     `json:"disabled_why,omitempty" doc:"Why it is not enabled: by request, or since it answered 410, or failed for five days."`
	DisabledAt   *time.Time `json:"disabled_at,omitempty" doc:"Since when it is not enabled."`
	FailingSince *time.Time `json:"failing_since,omitempty" doc:"Since when its tries fail; absent when the last one succeeded."`
	FormerUntil  *time.Time `json:"former_until,omitempty" doc:"Until when messages are also signed with the secret from before the last rotation."`
	CreatedAt    time.Time  `json:"created_at" doc:"When it was made."`
	CreatedBy    string     `json:"created_by" doc:"The key's name, and what Tally-Actor said."`
	UpdatedAt    time.Time  `json:"updated_at" doc:"When it was last changed by request."`
}

func presentWebhook(w webhook.Webhook) Webhook {
	return Webhook{
		WebhookID: w.ID, URL: w.URL, Types: w.Types, Logs: string(w.Logs), Description: w.Description, Enabled: w.Enabled,
		DisabledWhy: w.DisabledWhy, DisabledAt: presentTime(w.DisabledAt), FailingSince: presentTime(w.FailingSince),
		FormerUntil: presentTime(w.FormerUntil), CreatedAt: w.CreatedAt.UTC(), CreatedBy: w.CreatedBy, UpdatedAt: w.UpdatedAt.UTC(),
	}
}

// CreatedWebhook is a webhook with the secret that its messages are signed with.
type CreatedWebhook struct {
	Webhook

	Secret string `json:"secret" doc:"The secret, in the form of the Standard Webhooks specification. It is shown this once."`
}

// WebhookPath is the {webhook} of a path.
type WebhookPath struct {
	WebhookID string `path:"webhook" maxLength:"36" doc:"The webhook's id." example:"01980000-0000-7000-8000-000000000000"`
}

// CreateWebhook is a webhook that is to be made.
type CreateWebhook struct {
	URL         string    `json:"url" doc:"Where requests are to go: https, to an address of the public internet, at most 2,048 bytes. The server's operator may allow others." example:"https://billing.example.com/tallystick"`
	Types       *[]string `json:"types,omitempty" doc:"What it is told of: alert.fired, alert.resolved, view.halted, view.live, key.expiring, partition.default_not_empty. Everything when absent or empty, also what a later version has."`
	Logs        *string   `json:"logs,omitempty" doc:"The pattern of the logs that it is told of; all when absent." example:"customer-*"`
	Description *string   `json:"description,omitempty" doc:"For people; at most 1,000 bytes."`
	Enabled     *bool     `json:"enabled,omitempty" doc:"Whether it is told at all; true when absent."`
}

func (c *CreateWebhook) settings() webhook.Settings {
	return webhook.Settings{URL: &c.URL, Types: c.Types, Logs: c.Logs, Description: c.Description, Enabled: c.Enabled}
}

// UpdateWebhook is what becomes of a webhook.
type UpdateWebhook struct {
	URL         *string   `json:"url,omitempty" doc:"Where requests are to go."`
	Types       *[]string `json:"types,omitempty" doc:"What it is told of; everything when empty."`
	Logs        *string   `json:"logs,omitempty" doc:"The pattern of the logs that it is told of; all when empty."`
	Description *string   `json:"description,omitempty" doc:"For people; at most 1,000 bytes."`
	Enabled     *bool     `json:"enabled,omitempty" doc:"Whether it is told at all. What happens meanwhile it is not told later."`
}

func (u *UpdateWebhook) settings() webhook.Settings {
	return webhook.Settings{URL: u.URL, Types: u.Types, Logs: u.Logs, Description: u.Description, Enabled: u.Enabled}
}

type createWebhookInput struct {
	ActorHeader
	Body CreateWebhook
}

type updateWebhookInput struct {
	WebhookPath
	ActorHeader
	Body UpdateWebhook
}

type changeWebhookInput struct {
	WebhookPath
	ActorHeader
}

type webhookOutput struct{ Body Webhook }

type webhookSecretOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         CreatedWebhook
}

type listWebhooksInput struct {
	PageCursor
	Limit int32 `query:"limit" default:"50" minimum:"1" maximum:"50" doc:"The most of a page."`
}

// WebhookPage is a page of webhooks.
type WebhookPage struct {
	Webhooks   []Webhook `json:"webhooks" nullable:"false" doc:"In the order in which they were made."`
	NextCursor string    `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page; absent on the last."`
}

type listWebhooksOutput struct{ Body WebhookPage }

func (s *server) registerWebhooks(api huma.API) {
	tags := []string{"webhooks"}
	register(s, api, access.Admin, huma.Operation{
		OperationID: "create-webhook", Method: http.MethodPost, Path: "/webhooks", Summary: "Make a webhook", Tags: tags,
		Description: "Whoever is at its URL is told what happens, by requests that are signed with the secret in the answer, which is " +
			"shown this once. The key must be for all logs.",
		DefaultStatus: http.StatusCreated, MaxBodyBytes: maxWebhookBytes,
	}, s.createWebhook)
	register(s, api, access.Admin, huma.Operation{
		OperationID: "list-webhooks", Method: http.MethodGet, Path: "/webhooks", Summary: "List webhooks", Tags: tags,
		Description: "Without their secrets. The key must be for all logs.",
	}, s.listWebhooks)
	register(s, api, access.Admin, huma.Operation{
		OperationID: "get-webhook", Method: http.MethodGet, Path: webhookPrefix, Summary: "Get a webhook", Tags: tags,
		Description: "Without its secret. The key must be for all logs.",
	}, s.getWebhook)
	register(s, api, access.Admin, huma.Operation{
		OperationID: "update-webhook", Method: http.MethodPatch, Path: webhookPrefix, Summary: "Change a webhook", Tags: tags,
		Description:  "What is absent stays. The key must be for all logs.",
		MaxBodyBytes: maxWebhookBytes,
	}, s.updateWebhook)
	register(s, api, access.Admin, huma.Operation{
		OperationID: "delete-webhook", Method: http.MethodDelete, Path: webhookPrefix, Summary: "Delete a webhook", Tags: tags,
		Description: "With its deliveries, also those that wait. The key must be for all logs.",
	}, s.deleteWebhook)
	register(s, api, access.Admin, huma.Operation{
		OperationID: "rotate-webhook-secret", Method: http.MethodPost, Path: webhookPrefix + "/rotate-secret",
		Summary: "Give a webhook another secret", Tags: tags,
		Description: "The secret is in the answer, this once. For 24 hours messages are signed with the one from before as well, so that " +
			"the receiver can change over. The key must be for all logs.",
	}, s.rotateWebhookSecret)
	s.registerDeliveries(api)
}

// webhookID reads an id, which is one of nothing if it has not the form. The error is a *Problem: a key that is for some logs only may
// have nothing to do with webhooks, which tell of all.
func (s *server) webhookID(ctx context.Context, path WebhookPath) (uuid.UUID, error) {
	if err := forWebhooks(ctx); err != nil {
		return uuid.UUID{}, err
	}
	id, err := uuid.Parse(path.WebhookID)
	if err != nil {
		return id, s.problem(ctx, webhook.ErrNotFound)
	}
	return id, nil
}

func forWebhooks(ctx context.Context) error {
	if requestOf(ctx).caller.Logs == "*" {
		return nil
	}
	return outsidePattern("some logs, and webhooks tell of all of them")
}

func (s *server) createWebhook(ctx context.Context, in *createWebhookInput) (*webhookSecretOutput, error) {
	by, err := s.doer(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	if err := forWebhooks(ctx); err != nil {
		return nil, err
	}
	created, secret, err := s.Webhooks.Create(ctx, by, s.tenant(ctx), in.Body.settings())
	return s.webhookWithSecret(ctx, created, secret, err)
}

func (s *server) webhookWithSecret(ctx context.Context, w webhook.Webhook, secret string, err error) (*webhookSecretOutput, error) {
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &webhookSecretOutput{CacheControl: "no-store", Body: CreatedWebhook{presentWebhook(w), secret}}, nil
}

func (s *server) listWebhooks(ctx context.Context, in *listWebhooksInput) (*listWebhooksOutput, error) {
	if err := forWebhooks(ctx); err != nil {
		return nil, err
	}
	var after uuid.UUID
	if in.Cursor != "" {
		var err error
		if after, err = uuid.Parse(in.Cursor); err != nil {
			return nil, notThisListsCursor()
		}
	}
	list, err := s.Webhooks.List(ctx, s.tenant(ctx), after, in.Limit)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &listWebhooksOutput{}
	out.Body.Webhooks = make([]Webhook, len(list))
	for i, w := range list {
		out.Body.Webhooks[i] = presentWebhook(w)
	}
	if len(list) == int(in.Limit) {
		out.Body.NextCursor = list[len(list)-1].ID.String()
	}
	return out, nil
}

func (s *server) getWebhook(ctx context.Context, in *WebhookPath) (*webhookOutput, error) {
	id, err := s.webhookID(ctx, *in)
	if err != nil {
		return nil, err
	}
	found, err := s.Webhooks.Get(ctx, s.tenant(ctx), id)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &webhookOutput{presentWebhook(found)}, nil
}

func (s *server) updateWebhook(ctx context.Context, in *updateWebhookInput) (*webhookOutput, error) {
	by, err := s.doer(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	id, err := s.webhookID(ctx, in.WebhookPath)
	if err != nil {
		return nil, err
	}
	updated, err := s.Webhooks.Update(ctx, by, s.tenant(ctx), id, in.Body.settings())
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &webhookOutput{presentWebhook(updated)}, nil
}

func (s *server) deleteWebhook(ctx context.Context, in *changeWebhookInput) (*struct{}, error) {
	by, err := s.doer(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	id, err := s.webhookID(ctx, in.WebhookPath)
	if err != nil {
		return nil, err
	}
	if err := s.Webhooks.Delete(ctx, by, s.tenant(ctx), id); err != nil {
		return nil, s.problem(ctx, err)
	}
	return nil, nil //nolint:nilnil // huma answers 204
}

func (s *server) rotateWebhookSecret(ctx context.Context, in *changeWebhookInput) (*webhookSecretOutput, error) {
	by, err := s.doer(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	id, err := s.webhookID(ctx, in.WebhookPath)
	if err != nil {
		return nil, err
	}
	rotated, secret, err := s.Webhooks.Rotate(ctx, by, s.tenant(ctx), id)
	return s.webhookWithSecret(ctx, rotated, secret, err)
}

// webhookProblem maps the errors of webhooks.
func webhookProblem(err error) *Problem {
	switch {
	case errors.Is(err, webhook.ErrNotFound):
		return newProblem("webhook_not_found", "the tenant has no webhook with that id; GET /webhooks lists them")
	case errors.Is(err, webhook.ErrDeliveryNotFound):
		return newProblem("delivery_not_found", "the webhook has no delivery with that id, or no longer: they are kept for 30 days; "+
			"GET /webhooks/{webhook}/deliveries lists them")
	case errors.Is(err, webhook.ErrTooMany):
		return newProblem("too_many_webhooks", fmt.Sprintf("the tenant has %d webhooks, as many as there may be; delete some",
			webhook.MaxWebhooks))
	case errors.Is(err, webhook.ErrDisabled):
		return newProblem("webhook_disabled", `the webhook is disabled; enable it first, by PATCH with {"enabled": true}`)
	case errors.Is(err, webhook.ErrDeliveryPending):
		return newProblem("delivery_pending", "the delivery has not ended: it will be tried again by itself")
	}
	return nil
}
