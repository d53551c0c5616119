package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func viewListCommand() *cobra.Command {
	return listCommand(listing[tally.View]{
		use: "list LOG", short: "List a log's views", example: "  tally view list acme\n  tally view list acme --output json",
		what: "listing the views of", table: viewTable, expand: func(v tally.View) []tally.View { return v.Versions() },
		find: func(ctx context.Context, args []string, c *tally.Client) iter.Seq2[tally.View, error] {
			return seqOf(c.ListViews(ctx, args[0]))
		},
	})
}

var viewTable = table[tally.View]{
	{"name", func(v tally.View) any { return v.Name }},
	{"version", func(v tally.View) any { return v.Version }},
	{"status", func(v tally.View) any { return state(v.Status) }},
	{"applied", func(v tally.View) any { return shown{folded(v), v.Applied} }},
	{"gas", func(v tally.View) any { return count(v.Gas) }},
	{"module", func(v tally.View) any { return shown{cmp.Or(v.Ready, shortHash(v.Module)), v.Module} }},
	{"actor", func(v tally.View) any { return v.Actor }},
	{"since", func(v tally.View) any { return since(v) }},
	{remarkColumn, func(v tally.View) any { return viewRemark(v) }},
}

// folded describes how many events a version has folded, of how many.
func folded(v tally.View) string {
	if v.Status == tally.Live || v.Status == tally.Retired {
		return thousands(v.Applied)
	}
	return thousands(v.Applied) + " of " + thousands(v.Head)
}

// since returns the time of the last change of status.
func since(v tally.View) time.Time {
	switch {
	case v.Status == tally.Live && v.LiveAt != nil:
		return *v.LiveAt
	case v.Status == tally.Halted && v.HaltedAt != nil:
		return *v.HaltedAt
	case v.Status == tally.Retired && v.RetiredAt != nil:
		return *v.RetiredAt
	}
	return v.CreatedAt
}

// viewRemark explains the status of a version that is not live.
func viewRemark(v tally.View) remark {
	switch v.Status {
	case tally.Halted:
		return remark(fmt.Sprintf("event %d: %s", v.HaltedSequence, v.Error))
	case tally.Building:
		return remark(pace(buildState(v)))
	case tally.Retired:
		if !v.StateKept {
			return "state not kept"
		}
	}
	return ""
}

func shortHash(hash string) string { return hash[:min(len(hash), 12)] }

func viewVersionsCommand() *cobra.Command {
	var conn connection
	var out printer
	cmd := &cobra.Command{
		Use:   "versions LOG VIEW",
		Short: "List all versions of a view, and what was done to them",
		Long: "Lists all versions of a view, the newest first, and what was done to the view: when, by whom, and over which event.\n" +
			"CSV has the versions.",
		Example: "  tally view versions acme monthly-totals",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			history, err := wholeHistory(cmd.Context(), c, args[0], args[1])
			if err != nil {
				return fmt.Errorf("listing the versions of %s on %s: %w", args[1], args[0], err)
			}
			versions := seqOf(history.Versions, nil)
			return viewTable.report(cmd, &out, history, versions, func(w io.Writer) error {
				if err := viewTable.list(cmd, &out, versions); err != nil {
					return err
				}
				fmt.Fprintln(w)
				return viewActionTable.list(cmd, &out, seqOf(history.Actions, nil))
			})
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	return cmd
}

// wholeHistory returns all versions of a view, and the latest actions on them.
func wholeHistory(ctx context.Context, c *tally.Client, log, view string) (all tally.ViewHistory, err error) {
	for cursor := ""; ; {
		page, err := c.ListViewVersions(ctx, log, view, &tally.ListOptions{Cursor: cursor})
		if err != nil {
			return all, err
		}
		if cursor == "" {
			all.Actions = page.Actions
		}
		all.Versions = append(all.Versions, page.Versions...)
		if cursor = page.NextCursor; cursor == "" {
			return all, nil
		}
	}
}

var viewActionTable = table[tally.ViewAction]{
	{"at", func(a tally.ViewAction) any { return a.At }},
	{"action", func(a tally.ViewAction) any { return a.Action }},
	{"version", func(a tally.ViewAction) any { return orNothing(int64(a.Version)) }},
	{"sequence", func(a tally.ViewAction) any { return orNothing(a.Sequence) }},
	{"actor", func(a tally.ViewAction) any { return a.Actor }},
	{remarkColumn, func(a tally.ViewAction) any { return remark(a.Detail) }},
}

// orNothing is a number, or nothing where it is 0.
func orNothing(n int64) any {
	if n == 0 {
		return nil
	}
	return count(n)
}

func viewShowCommand() *cobra.Command {
	var conn connection
	var out printer
	cmd := &cobra.Command{
		Use:     "show LOG VIEW",
		Short:   "Show the versions of a view that are not retired",
		Example: "  tally view show acme monthly-totals\n  tally view show acme monthly-totals --output json",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			found, err := c.GetView(cmd.Context(), args[0], args[1])
			if err != nil {
				return fmt.Errorf("looking up %s on %s: %w", args[1], args[0], err)
			}
			versions := seqOf(found.Versions(), nil)
			return viewTable.report(cmd, &out, found, versions, func(io.Writer) error { return viewTable.list(cmd, &out, versions) })
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	return cmd
}
