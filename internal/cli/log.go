package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func logCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Make, list and show logs",
		Long: "A log is one append-only sequence of events: a customer, a contract, whatever is billed. It is for ever: there is no\n" +
			"command that renames or removes one.",
		Example: "  tally log ensure acme\n  tally log list",
	}
	cmd.AddCommand(logCreateCommand(), logShowCommand())
	return cmd
}

var logTable = table[tally.Log]{
	{"log", func(l tally.Log) any { return l.Name }},
	{"log_id", func(l tally.Log) any { return l.ID }},
	{"sequence", func(l tally.Log) any { return count(l.Sequence) }},
	{"recorded_at", func(l tally.Log) any { return l.RecordedAt }},
	{"hash", func(l tally.Log) any { return shown{shortHash(l.Hash), l.Hash} }},
}

func logShowCommand() *cobra.Command {
	var conn connection
	var out printer
	cmd := &cobra.Command{
		Use:     "show LOG",
		Short:   "Show a log: its id, its last sequence, and the hash of everything up to it",
		Example: "  tally log show acme\n  tally log show acme --output json",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			found, err := c.GetLog(cmd.Context(), args[0])
			if err != nil {
				return fmt.Errorf("looking up the log %s: %w", args[0], err)
			}
			return logTable.one(cmd, &out, found)
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	return cmd
}

func logCreateCommand() *cobra.Command {
	var conn connection
	var labels map[string]string
	cmd := &cobra.Command{
		Use:     "create LOG",
		Short:   "Make a log",
		Example: "  tally log create acme --label region=eu,plan=gold",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			if _, err := c.CreateLog(cmd.Context(), args[0], labels); err != nil {
				return fmt.Errorf("making the log %s: %w", args[0], err)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "the log %s is there\n", args[0])
			return err
		}),
	}
	conn.add(cmd.Flags())
	cmd.Flags().StringToStringVar(&labels, "label", nil, "label=value; may be repeated, or hold commas")
	return cmd
}
