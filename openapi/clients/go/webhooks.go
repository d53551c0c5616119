package tally

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"time"
)

// The most webhooks that the server lists in one answer.
const webhookPage = 50

// Webhook is a receiver that is told what happens, by requests that are signed as the Standard Webhooks specification says. Its libraries
// verify them.
type Webhook struct {
	WebhookID   string   `json:"webhook_id"`
	URL         string   `json:"url"`
	Description string   `json:"description,omitempty"`
	Types       []string `json:"types"`          // what it is told of; everything when empty
	Logs        string   `json:"logs,omitempty"` // the pattern of the logs that it is told of; "" for all
	Enabled     bool     `json:"enabled"`

	DisabledAt   *time.Time `json:"disabled_at,omitempty"`   // nil: it is enabled
	DisabledWhy  string     `json:"disabled_why,omitempty"`  // by request, or since it answered 410, or failed for five days
	FailingSince *time.Time `json:"failing_since,omitempty"` // nil: its last try succeeded
	FormerUntil  *time.Time `json:"former_until,omitempty"`  // until when messages are also signed with the secret from before a rotation
	CreatedAt    time.Time  `json:"created_at"`
	CreatedBy    string     `json:"created_by"`
	UpdatedAt    time.Time  `json:"updated_at"`
}

// CreatedWebhook is a webhook with the secret that its messages are signed with, which the server tells this once.
type CreatedWebhook struct {
	Webhook

	Secret string `json:"secret"`
}

// NewWebhook says what a webhook is to be.
type NewWebhook struct {
	URL         string   `json:"url"`                   // https, unless the server's operator allows others
	Description string   `json:"description,omitempty"` // for people
	Types       []string `json:"types,omitempty"`       // such as alert.fired; empty for everything, also what later versions have
	Logs        string   `json:"logs,omitempty"`        // a pattern, such as customer-*; "" for all
	Enabled     *bool    `json:"enabled,omitempty"`     // nil: it is
}

// WebhookUpdate says what is to be changed of a webhook; nil leaves it.
type WebhookUpdate struct {
	URL         *string   `json:"url,omitempty"`
	Description *string   `json:"description,omitempty"`
	Types       *[]string `json:"types,omitempty"`
	Logs        *string   `json:"logs,omitempty"`
	Enabled     *bool     `json:"enabled,omitempty"`
}

// Statuses of deliveries.
const (
	DeliveryPending   = "pending"
	DeliveryDelivered = "delivered"
	DeliveryDead      = "dead" // given up
)

// WebhookDelivery is a message to a webhook, and what became of it.
type WebhookDelivery struct {
	DeliveryID string     `json:"delivery_id"` // the message's id, which goes with each try as webhook-id
	Type       string     `json:"type"`
	Log        string     `json:"log,omitempty"` // that it is about; "" for none
	Status     string     `json:"status"`
	Attempts   int64      `json:"attempts"`
	Error      string     `json:"error,omitempty"` // why the last try failed
	CreatedAt  time.Time  `json:"created_at"`
	NextAt     *time.Time `json:"next_at,omitempty"`     // nil: it has ended
	FinishedAt *time.Time `json:"finished_at,omitempty"` // nil while it is pending
}

// WebhookDeliveryDetail is a delivery with its message and the answers that it got.
type WebhookDeliveryDetail struct {
	WebhookDelivery

	Message json.RawMessage   `json:"message"`
	Tries   []DeliveryAttempt `json:"tries"` // the latest 100, newest first
}

// DeliveryAttempt is one try of a delivery.
type DeliveryAttempt struct {
	Attempt    int64     `json:"attempt"` // from 1
	At         time.Time `json:"at"`
	DurationMS int64     `json:"duration_ms"`
	Status     int       `json:"status,omitempty"` // of HTTP; 0 where no answer came
	Answer     string    `json:"answer,omitempty"` // the first 1,024 bytes of the answer's body
	Error      string    `json:"error,omitempty"`
}

// AcceptedDelivery is a delivery that will be tried.
type AcceptedDelivery struct {
	DeliveryID string `json:"delivery_id"`
}

// ReplayedDeliveries says how many deliveries will be tried again.
type ReplayedDeliveries struct {
	Replayed int64 `json:"replayed"`
	More     bool  `json:"more"` // there may be others: ask again
}

// CreateWebhook makes a webhook. It is not retried after a lost answer, which had the secret.
func (c *Client) CreateWebhook(ctx context.Context, w NewWebhook) (webhook CreatedWebhook, err error) {
	r, err := sending(http.MethodPost, w, "webhooks")
	return webhook, c.send(ctx, r, err, &webhook)
}

// WebhookPage is a page of webhooks.
type WebhookPage struct {
	Webhooks   []Webhook `json:"webhooks"`
	NextCursor string    `json:"next_cursor"` // "" on the last page
}

// ListWebhooks lists the tenant's webhooks, a page of at most 50 at a time.
func (c *Client) ListWebhooks(ctx context.Context, o *ListOptions) (page WebhookPage, err error) {
	o = orNew(o)
	_, err = c.call(ctx, get("webhooks").with("cursor", o.Cursor, "limit", number(o.Limit)), &page)
	return page, err
}

// Webhooks iterates over the tenant's webhooks.
func (c *Client) Webhooks(ctx context.Context) iter.Seq2[Webhook, error] {
	return pages(func(cursor string) ([]Webhook, string, error) {
		page, err := c.ListWebhooks(ctx, &ListOptions{Cursor: cursor, Limit: webhookPage})
		return page.Webhooks, page.NextCursor, err
	})
}

// GetWebhook returns a webhook by its id.
func (c *Client) GetWebhook(ctx context.Context, id string) (webhook Webhook, err error) {
	_, err = c.call(ctx, get("webhooks", id), &webhook)
	return webhook, err
}

// UpdateWebhook changes a webhook.
func (c *Client) UpdateWebhook(ctx context.Context, id string, u WebhookUpdate) (webhook Webhook, err error) {
	r, err := sending(http.MethodPatch, u, "webhooks", id)
	return webhook, c.send(ctx, r, err, &webhook)
}

// DeleteWebhook ends a webhook; what waits for it is not sent.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: []string{"webhooks", id}}, nil)
	return err
}

// TestWebhook sends a message of the type webhook.test. What became of it GetDelivery tells.
func (c *Client) TestWebhook(ctx context.Context, id string) (delivery AcceptedDelivery, err error) {
	_, err = c.call(ctx, request{method: http.MethodPost, path: []string{"webhooks", id, "test"}}, &delivery)
	return delivery, err
}

// RotateWebhookSecret gives a webhook another secret. For 24 hours messages are signed with the one from before, too. It is not retried
// after a lost answer, which had the secret.
func (c *Client) RotateWebhookSecret(ctx context.Context, id string) (webhook CreatedWebhook, err error) {
	_, err = c.call(ctx, request{method: http.MethodPost, path: []string{"webhooks", id, "rotate-secret"}}, &webhook)
	return webhook, err
}

// WebhookDeliveryPage is a page of deliveries.
type WebhookDeliveryPage struct {
	Deliveries []WebhookDelivery `json:"deliveries"`
	NextCursor string            `json:"next_cursor"` // "" on the last page
}

// ListDeliveriesOptions select deliveries.
type ListDeliveriesOptions struct {
	ListOptions

	Status string // DeliveryPending, DeliveryDelivered or DeliveryDead; "" for all
}

// ListDeliveries lists a webhook's deliveries, newest first, a page of at most 200 at a time.
func (c *Client) ListDeliveries(ctx context.Context, webhook string, o *ListDeliveriesOptions) (page WebhookDeliveryPage, err error) {
	o = orNew(o)
	r := get("webhooks", webhook, "deliveries").with("status", o.Status, "cursor", o.Cursor, "limit", number(o.Limit))
	_, err = c.call(ctx, r, &page)
	return page, err
}

// Deliveries iterates over a webhook's deliveries of a status, "" for all, newest first.
func (c *Client) Deliveries(ctx context.Context, webhook, status string) iter.Seq2[WebhookDelivery, error] {
	return pages(func(cursor string) ([]WebhookDelivery, string, error) {
		o := &ListDeliveriesOptions{ListOptions{Cursor: cursor, Limit: auditPage}, status}
		page, err := c.ListDeliveries(ctx, webhook, o)
		return page.Deliveries, page.NextCursor, err
	})
}

// GetDelivery returns a delivery with its message and the answers that it got.
func (c *Client) GetDelivery(ctx context.Context, webhook, id string) (delivery WebhookDeliveryDetail, err error) {
	_, err = c.call(ctx, get("webhooks", webhook, "deliveries", id), &delivery)
	return delivery, err
}

// ReplayDelivery sends a delivery that has ended again.
func (c *Client) ReplayDelivery(ctx context.Context, webhook, id string) (delivery AcceptedDelivery, err error) {
	r := request{method: http.MethodPost, path: []string{"webhooks", webhook, "deliveries", id, "replay"}}
	_, err = c.call(ctx, r, &delivery)
	return delivery, err
}

// ReplayDeadDeliveries sends what a webhook did not take, up to 1,000 dead deliveries, again.
func (c *Client) ReplayDeadDeliveries(ctx context.Context, webhook string) (replayed ReplayedDeliveries, err error) {
	_, err = c.call(ctx, request{method: http.MethodPost, path: []string{"webhooks", webhook, "replay"}}, &replayed)
	return replayed, err
}
