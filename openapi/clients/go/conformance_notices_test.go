package tally_test

import (
	"context"
	"maps"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func init() { maps.Copy(conformanceCalls, conformanceNotices) }

// conformanceNotices are the methods on webhooks.
var conformanceNotices = map[string]func(context.Context, *tally.Client, arguments) (any, error){
	"create-webhook": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.CreateWebhook(ctx, body[tally.NewWebhook](a))
	},
	"list-webhooks": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.ListWebhooks(ctx, a.list())
	},
	"webhooks": func(ctx context.Context, c *tally.Client, a arguments) (any, error) { return take(a, c.Webhooks(ctx)) },
	"get-webhook": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.GetWebhook(ctx, a.text("webhook"))
	},
	"update-webhook": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.UpdateWebhook(ctx, a.text("webhook"), body[tally.WebhookUpdate](a))
	},
	"delete-webhook": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return none(c.DeleteWebhook(ctx, a.text("webhook")))
	},
	"test-webhook": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.TestWebhook(ctx, a.text("webhook"))
	},
	"rotate-webhook-secret": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.RotateWebhookSecret(ctx, a.text("webhook"))
	},
	"list-deliveries": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		o := &tally.ListDeliveriesOptions{ListOptions: *a.list(), Status: a.text("status")}
		return c.ListDeliveries(ctx, a.text("webhook"), o)
	},
	"deliveries": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return take(a, c.Deliveries(ctx, a.text("webhook"), a.text("status")))
	},
	"get-delivery": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.GetDelivery(ctx, a.text("webhook"), a.text("delivery"))
	},
	"replay-delivery": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.ReplayDelivery(ctx, a.text("webhook"), a.text("delivery"))
	},
	"replay-dead-deliveries": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.ReplayDeadDeliveries(ctx, a.text("webhook"))
	},
}
