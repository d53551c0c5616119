package tally_test

import (
	"context"
	"maps"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func init() { maps.Copy(conformanceCalls, conformanceNotices) }

// conformanceNotices are the methods on webhooks and alerts.
var conformanceNotices = map[string]func(context.Context, *tally.Client, arguments) (any, error){
	"create-webhook": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.CreateWebhook(ctx, body[tally.NewWebhook](a))
	},
	"put-alert": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.PutAlert(ctx, a.text("alert"), a.members["body"])
	},
	"get-alert": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.GetAlert(ctx, a.text("alert"), &tally.GetAlertOptions{ListOptions: *a.list(), Only: a.text("only")})
	},
	"delete-alert": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return none(c.DeleteAlert(ctx, a.text("alert")))
	},
	"list-alerts": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.ListAlerts(ctx, a.list())
	},
	"alerts": func(ctx context.Context, c *tally.Client, a arguments) (any, error) { return take(a, c.Alerts(ctx)) },
	"list-crossings": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		o := &tally.ListCrossingsOptions{ListOptions: *a.list(), Log: a.text("log")}
		return c.ListCrossings(ctx, a.text("alert"), o)
	},
	"crossings": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return take(a, c.Crossings(ctx, a.text("alert"), a.text("log")))
	},
	"test-alert": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.TestAlert(ctx, a.text("alert"), body[struct{ Log string }](a).Log)
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
