package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

var (
	deliveryTable = table[tally.WebhookDelivery]{
		{"delivery_id", func(d tally.WebhookDelivery) any { return d.DeliveryID }},
		{"type", func(d tally.WebhookDelivery) any { return d.Type }},
		{"log", func(d tally.WebhookDelivery) any { return d.Log }},
		{"status", func(d tally.WebhookDelivery) any { return d.Status }},
		{"attempts", func(d tally.WebhookDelivery) any { return d.Attempts }},
		{"created_at", func(d tally.WebhookDelivery) any { return d.CreatedAt }},
		{"next_at", func(d tally.WebhookDelivery) any { return d.NextAt }},
		{"finished_at", func(d tally.WebhookDelivery) any { return d.FinishedAt }},
		{"error", func(d tally.WebhookDelivery) any { return d.Error }},
	}
	attemptTable = table[tally.DeliveryAttempt]{
		{"attempt", func(a tally.DeliveryAttempt) any { return a.Attempt }},
		{"at", func(a tally.DeliveryAttempt) any { return a.At }},
		{"duration_ms", func(a tally.DeliveryAttempt) any { return a.DurationMS }},
		{"status", func(a tally.DeliveryAttempt) any { return a.Status }},
		{"error", func(a tally.DeliveryAttempt) any { return a.Error }},
		{"answer", func(a tally.DeliveryAttempt) any { return a.Answer }},
	}
	acceptedTable           = table[tally.AcceptedDelivery]{{"delivery_id", func(a tally.AcceptedDelivery) any { return a.DeliveryID }}}
	replayedDeliveriesTable = table[tally.ReplayedDeliveries]{
		{"replayed", func(r tally.ReplayedDeliveries) any { return r.Replayed }},
		{"more", func(r tally.ReplayedDeliveries) any { return r.More }},
	}
)

func webhookDeleteCommand() *cobra.Command {
	var conn connection
	var sure confirmation
	cmd := &cobra.Command{
		Use: "delete WEBHOOK", Short: "End a webhook", Long: "Ends a webhook: what waits for it is not sent.",
		Example: "  tally webhook delete $WEBHOOK --yes",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			if err := sure.ask(cmd, "This ends the webhook "+oneLine(args[0])+": what waits for it is not sent."); err != nil {
				return err
			}
			if err := c.DeleteWebhook(cmd.Context(), args[0]); err != nil {
				return fmt.Errorf("ending the webhook %s: %w", args[0], err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is ended\n", args[0])
			return nil
		}),
	}
	conn.add(cmd.Flags())
	sure.add(cmd)
	return cmd
}

func webhookRotateCommand() *cobra.Command {
	var conn connection
	var out printer
	cmd := &cobra.Command{
		Use: "rotate WEBHOOK", Short: "Give a webhook another secret",
		Long:    "Gives a webhook another secret and prints it. For 24 hours messages are signed with the one from before, too.",
		Example: "  tally webhook rotate $WEBHOOK",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			webhook, err := c.RotateWebhookSecret(cmd.Context(), args[0])
			if err != nil {
				return fmt.Errorf("giving the webhook %s another secret: %w", args[0], err)
			}
			return printSecret(cmd, &out, webhook)
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	return cmd
}

func webhookTestCommand() *cobra.Command {
	var conn connection
	var out printer
	cmd := &cobra.Command{
		Use: "test WEBHOOK", Short: "Send a webhook a test message",
		Long:    "Sends a message of the type webhook.test and prints its delivery: tally webhook delivery shows what became of it.",
		Example: "  tally webhook test $WEBHOOK",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			delivery, err := c.TestWebhook(cmd.Context(), args[0])
			if err != nil {
				return fmt.Errorf("testing the webhook %s: %w", args[0], err)
			}
			return acceptedTable.one(cmd, &out, delivery)
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	return cmd
}

func webhookDeliveriesCommand() *cobra.Command {
	var conn connection
	var out printer
	var some listFlags
	var status string
	cmd := &cobra.Command{
		Use: "deliveries WEBHOOK", Short: "List what a webhook was sent, newest first",
		Example: "  tally webhook deliveries $WEBHOOK\n  tally webhook deliveries $WEBHOOK --status dead --all",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			found := c.Deliveries(cmd.Context(), args[0], status)
			return list(cmd, deliveryTable, &out, &some, explained("listing deliveries of "+args[0], found))
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	some.add(cmd)
	cmd.Flags().StringVar(&status, "status", "", "only those that are pending, delivered or dead")
	return cmd
}

func webhookDeliveryCommand() *cobra.Command {
	var conn connection
	var out printer
	cmd := &cobra.Command{
		Use: "delivery WEBHOOK DELIVERY", Short: "Show the tries of a message and the answers that it got",
		Long:    "Prints each try of a message, the newest first, with the answer that it got. --output json has the message, too.",
		Example: "  tally webhook delivery $WEBHOOK $DELIVERY\n  tally webhook delivery $WEBHOOK $DELIVERY --output json",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			delivery, err := c.GetDelivery(cmd.Context(), args[0], args[1])
			if err != nil {
				return fmt.Errorf("showing the delivery %s: %w", args[1], err)
			}
			if out.form.value == outputJSON {
				return writeIndented(cmd.OutOrStdout(), delivery)
			}
			return attemptTable.list(cmd, &out, seqOf(delivery.Tries, nil))
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	return cmd
}

func webhookReplayCommand() *cobra.Command {
	var conn connection
	var out printer
	cmd := &cobra.Command{
		Use: "replay WEBHOOK [DELIVERY]", Short: "Send again what a webhook did not take",
		Long: "Sends a delivery that has ended again, or without DELIVERY up to 1,000 dead ones.",
		Example: "  tally webhook replay $WEBHOOK\n" +
			"  tally webhook replay $WEBHOOK msg_…",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			if len(args) == 1 {
				replayed, err := c.ReplayDeadDeliveries(cmd.Context(), args[0])
				if err != nil {
					return fmt.Errorf("replaying dead deliveries of %s: %w", args[0], err)
				}
				return replayedDeliveriesTable.one(cmd, &out, replayed)
			}
			delivery, err := c.ReplayDelivery(cmd.Context(), args[0], args[1])
			if err != nil {
				return fmt.Errorf("replaying the delivery %s: %w", args[1], err)
			}
			return acceptedTable.one(cmd, &out, delivery)
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	return cmd
}
