package cli

import (
	"cmp"
	"context"
	"fmt"
	"iter"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

var viewStateTable = table[tally.ViewState]{
	{"log", func(v tally.ViewState) any { return v.Log }},
	{"view", func(v tally.ViewState) any { return v.View }},
	{"version", func(v tally.ViewState) any { return v.Version }},
	{"status", func(v tally.ViewState) any { return state(v.Status) }},
	{"applied", func(v tally.ViewState) any { return count(v.Applied) }},
	{"head", func(v tally.ViewState) any { return count(v.Head) }},
	{"module", func(v tally.ViewState) any { return shown{cmp.Or(v.Ready, shortHash(v.Module)), v.Module} }},
	{"changed_at", func(v tally.ViewState) any { return v.ChangedAt }},
	{remarkColumn, func(v tally.ViewState) any {
		if v.Status != tally.Halted {
			return remark("")
		}
		return remark(fmt.Sprintf("event %d: %s", v.HaltedSequence, v.Error))
	}},
}

func viewStatesCommand() *cobra.Command {
	var selected tally.ListViewStatesOptions
	cmd := listCommand(listing[tally.ViewState]{
		use: "states", short: "List the views of all logs that are halted or building",
		long: "Lists versions of views of all logs, by log, view and version. Those that are halted or building are found at once,\n" +
			"however many logs there are; with other statuses the server looks at all logs.",
		example: "  tally view states\n  tally view states --status live --view monthly-totals --all --output csv",
		what:    "listing the views of all logs", table: viewStateTable,
		find: func(ctx context.Context, _ []string, c *tally.Client) iter.Seq2[tally.ViewState, error] {
			return c.ViewStates(ctx, &selected)
		},
	})
	cmd.Flags().StringSliceVar(&selected.Statuses, "status", []string{tally.Halted, tally.Building},
		"building, live, halted or retired; may be repeated, or hold commas")
	cmd.Flags().StringVar(&selected.View, "view", "", "only views of this name")
	return cmd
}
