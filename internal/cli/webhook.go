package cli

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func webhookCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "webhook",
		Short: "Webhooks: where alerts and other messages are sent",
		Long: "Registers endpoints that messages are sent to, signed as the Standard Webhooks specification says, and shows what\n" +
			"became of each message. It takes a key of scope admin.",
		Example: "  tally webhook create https://billing.example.com/hooks --types alert.fired,alert.resolved\n  tally webhook list",
	}
	cmd.AddCommand(
		webhookCreateCommand(), webhookListCommand(), webhookShowCommand(), webhookUpdateCommand(), webhookDeleteCommand(),
		webhookRotateCommand(), webhookTestCommand(), webhookDeliveriesCommand(), webhookDeliveryCommand(), webhookReplayCommand(),
	)
	return cmd
}

var (
	webhookTable = table[tally.Webhook]{
		{"webhook_id", func(w tally.Webhook) any { return w.WebhookID }},
		{"url", func(w tally.Webhook) any { return w.URL }},
		{"enabled", func(w tally.Webhook) any { return w.Enabled }},
		{"types", func(w tally.Webhook) any { return w.Types }},
		{"logs", func(w tally.Webhook) any { return w.Logs }},
		{"failing_since", func(w tally.Webhook) any { return w.FailingSince }},
		{"description", func(w tally.Webhook) any { return w.Description }},
	}
	webhookDetails = append(slices.Clone(webhookTable), table[tally.Webhook]{
		{"disabled_at", func(w tally.Webhook) any { return w.DisabledAt }},
		{"disabled_why", func(w tally.Webhook) any { return w.DisabledWhy }},
		{"former_until", func(w tally.Webhook) any { return w.FormerUntil }},
		{"created_at", func(w tally.Webhook) any { return w.CreatedAt }},
		{"created_by", func(w tally.Webhook) any { return w.CreatedBy }},
		{"updated_at", func(w tally.Webhook) any { return w.UpdatedAt }},
	}...)
	newWebhookTable = table[tally.CreatedWebhook]{
		{"webhook_id", func(w tally.CreatedWebhook) any { return w.WebhookID }},
		{"url", func(w tally.CreatedWebhook) any { return w.URL }},
		{"secret", func(w tally.CreatedWebhook) any { return w.Secret }},
	}
)

// printSecret prints the secret of a webhook alone, for a variable, and what it is of on standard error.
func printSecret(cmd *cobra.Command, out *printer, w tally.CreatedWebhook) error {
	fmt.Fprintf(cmd.ErrOrStderr(), "tally: webhook %s; its secret is shown this once\n", w.WebhookID)
	return newWebhookTable.oneAs(cmd, out, w, func(text io.Writer) error {
		_, err := fmt.Fprintln(text, w.Secret)
		return err
	})
}

func webhookCreateCommand() *cobra.Command {
	var conn connection
	var out printer
	var webhook tally.NewWebhook
	var disabled bool
	cmd := &cobra.Command{
		Use:   "create URL",
		Short: "Register an endpoint",
		Long:  "Registers an endpoint and prints the secret that its messages are signed with, which is shown this once.",
		Example: "  tally webhook create https://billing.example.com/hooks\n" +
			"  tally webhook create https://billing.example.com/hooks --types alert.fired,alert.resolved --logs 'customer-*'",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			webhook.URL = args[0]
			if disabled {
				webhook.Enabled = new(bool)
			}
			created, err := c.CreateWebhook(cmd.Context(), webhook)
			if err != nil {
				return fmt.Errorf("registering %s: %w", args[0], err)
			}
			return printSecret(cmd, &out, created)
		}),
	}
	flags := cmd.Flags()
	conn.add(flags)
	out.addOutput(cmd)
	flags.StringSliceVar(&webhook.Types, "types", nil, "what it is told of, such as alert.fired; everything when not given")
	flags.StringVar(&webhook.Logs, "logs", "", "the logs that it is told of: a name or a pattern such as customer-*; all when not given")
	flags.StringVar(&webhook.Description, "description", "", "for people")
	flags.BoolVar(&disabled, "disabled", false, "send it nothing yet: tally webhook update ID --enabled has it begin")
	return cmd
}

func webhookListCommand() *cobra.Command {
	return listCommand(listing[tally.Webhook]{
		use: "list", short: "List the tenant's webhooks", example: "  tally webhook list", what: "listing webhooks", table: webhookTable,
		find: func(ctx context.Context, _ []string, c *tally.Client) iter.Seq2[tally.Webhook, error] {
			return c.Webhooks(ctx)
		},
	})
}

func webhookShowCommand() *cobra.Command {
	var conn connection
	var out printer
	cmd := &cobra.Command{
		Use: "show WEBHOOK", Short: "Show a webhook", Example: "  tally webhook show $WEBHOOK",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			webhook, err := c.GetWebhook(cmd.Context(), args[0])
			if err != nil {
				return fmt.Errorf("showing the webhook %s: %w", args[0], err)
			}
			return webhookDetails.one(cmd, &out, webhook)
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	return cmd
}

func webhookUpdateCommand() *cobra.Command {
	var conn connection
	var out printer
	var url, logs, description string
	var types []string
	var enabled bool
	cmd := &cobra.Command{
		Use:   "update WEBHOOK",
		Short: "Change a webhook",
		Long:  "Changes what is given of a webhook, and leaves the rest as it is.",
		Example: "  tally webhook update $WEBHOOK --to https://billing.example.com/new-hooks\n" +
			"  tally webhook update $WEBHOOK --enabled=false",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			flags := cmd.Flags()
			var update tally.WebhookUpdate
			for name, set := range map[string]func(){
				"to": func() { update.URL = &url }, "logs": func() { update.Logs = &logs }, "types": func() { update.Types = &types },
				"description": func() { update.Description = &description }, "enabled": func() { update.Enabled = &enabled },
			} {
				if flags.Changed(name) {
					set()
				}
			}
			if update == (tally.WebhookUpdate{}) {
				return usagef("nothing is to be changed: give --to, --types, --logs, --description or --enabled")
			}
			webhook, err := c.UpdateWebhook(cmd.Context(), args[0], update)
			if err != nil {
				return fmt.Errorf("changing the webhook %s: %w", args[0], err)
			}
			return webhookDetails.one(cmd, &out, webhook)
		}),
	}
	flags := cmd.Flags()
	conn.add(flags)
	out.addOutput(cmd)
	flags.StringVar(&url, "to", "", "the address that messages go to")
	flags.StringSliceVar(&types, "types", nil, "what it is told of; \"\" for everything")
	flags.StringVar(&logs, "logs", "", "the logs that it is told of; \"\" for all")
	flags.StringVar(&description, "description", "", "for people")
	flags.BoolVar(&enabled, "enabled", true, "whether it is sent messages")
	return cmd
}
