package cli

import (
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

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
	cmd.AddCommand(logCreateCommand(), logEnsureCommand(), logListCommand(), logShowCommand())
	return cmd
}

var logTable = table[tally.Log]{
	{"name", func(l tally.Log) any { return l.Name }},
	{"log_id", func(l tally.Log) any { return l.ID }},
	{"sequence", func(l tally.Log) any { return count(l.Sequence) }},
	{"recorded_at", func(l tally.Log) any { return l.RecordedAt }},
	{"labels", func(l tally.Log) any { return describeLabels(l.Labels) }},
	{"hash", func(l tally.Log) any { return shown{shortHash(l.Hash), l.Hash} }},
}

// oneLog has room for the whole hash.
var oneLog = append(slices.Clone(logTable[:len(logTable)-1]), column[tally.Log]{"hash", func(l tally.Log) any { return l.Hash }})

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
			return oneLog.one(cmd, &out, found)
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	return cmd
}

func logListCommand() *cobra.Command {
	var selected tally.ListLogsOptions
	var labels map[string]string
	cmd := listCommand(listing[tally.Log]{
		use: "list", short: "List logs by name, or by activity",
		long: "Lists logs by name. With --search, --label or --sort activity the server looks at all logs whose name has the prefix,\n" +
			"and refuses what takes it more than five seconds.",
		example: "  tally log list --prefix customer-\n  tally log list --label plan=gold --sort activity\n" +
			"  tally log list --all --output csv",
		what: "listing logs", table: logTable,
		find: func(ctx context.Context, _ []string, c *tally.Client) iter.Seq2[tally.Log, error] {
			selected.Label = encodeLabels(labels)
			return c.FindLogs(ctx, &selected)
		},
	})
	cmd.Flags().StringVar(&selected.Prefix, "prefix", "", "only logs whose name begins so")
	cmd.Flags().StringVar(&selected.Search, "search", "", "only logs with this text in their name, or in the value of a label")
	cmd.Flags().StringToStringVar(&labels, "label", nil, "only logs with this label=value; may be repeated, or hold commas")
	cmd.Flags().StringVar(&selected.Sort, "sort", "name", "name, or activity: the log with the latest event first")
	return cmd
}

// encodeLabels writes labels as the server reads them in a search.
func encodeLabels(labels map[string]string) string {
	value := strings.NewReplacer(`\`, `\\`, `,`, `\,`)
	name := strings.NewReplacer(`\`, `\\`, `,`, `\,`, `=`, `\=`)
	pairs := make([]string, 0, len(labels))
	for _, n := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, name.Replace(n)+"="+value.Replace(labels[n]))
	}
	return strings.Join(pairs, ",")
}

var createdLogTable = table[tally.CreatedLog]{{"log_id", func(l tally.CreatedLog) any { return l.ID }}}

func logCreateCommand() *cobra.Command {
	var conn connection
	var out printer
	var labels map[string]string
	cmd := &cobra.Command{
		Use:     "create LOG",
		Short:   "Make a log, and fail if it is there",
		Example: "  tally log create acme --label region=eu,plan=gold",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			created, err := c.CreateLog(cmd.Context(), args[0], labels)
			if err != nil {
				return fmt.Errorf("making the log %s: %w", args[0], err)
			}
			return createdLogTable.oneAs(cmd, &out, created, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "log %s, id %s, is made\n", oneLine(args[0]), created.ID)
				return err
			})
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	addLabels(cmd, &labels)
	return cmd
}

func logEnsureCommand() *cobra.Command {
	var conn connection
	var out printer
	var labels map[string]string
	cmd := &cobra.Command{
		Use:   "ensure LOG",
		Short: "Make a log, unless it is there",
		Long: "Makes a log unless it is there, and shows it. It may be run again and again. With --label it fails where the log has\n" +
			"other labels.",
		Example: "  tally log ensure acme\n  tally log ensure customer-4711 --label region=eu,plan=gold",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			log, err := c.EnsureLog(cmd.Context(), args[0], labels)
			if err != nil {
				return fmt.Errorf("making the log %s: %w", args[0], err)
			}
			return logTable.one(cmd, &out, log)
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	addLabels(cmd, &labels)
	return cmd
}

func addLabels(cmd *cobra.Command, labels *map[string]string) {
	cmd.Flags().StringToStringVar(labels, "label", nil, "label=value of yours; may be repeated, or hold commas")
}

func describeLabels(labels map[string]string) string {
	var settings []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		settings = append(settings, name+"="+labels[name])
	}
	return strings.Join(settings, ",")
}
