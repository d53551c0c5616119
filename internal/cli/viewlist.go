package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func viewListCommand() *cobra.Command {
	var conn connection
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list [LOG]",
		Short:   "List a log's views, or the views that are deployed on patterns",
		Example: "  tally view list acme\n  tally view list",
		Args:    checkArguments,
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			if len(args) == 0 {
				return listPatterns(cmd.Context(), cmd.OutOrStdout(), c, asJSON)
			}
			found, err := c.ListViews(cmd.Context(), args[0])
			if err != nil {
				return fmt.Errorf("listing the views of %s: %w", args[0], err)
			}
			if asJSON {
				return writeIndented(cmd.OutOrStdout(), found)
			}
			return writeViews(cmd.OutOrStdout(), found)
		}),
	}
	conn.add(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func writeViews(w io.Writer, found []tally.View) error {
	rows := [][]string{{"VIEW", "VERSION", "STATUS", "EVENTS", "GAS", "MODULE", "BY", "SINCE", ""}}
	for _, view := range found {
		for _, v := range view.Versions() {
			rows = append(rows, []string{
				v.Name, fmt.Sprint(v.Version), v.Status, folded(v), thousands(v.Gas),
				shortHash(v.Module), orDash(v.Actor), since(v), remark(v),
			})
		}
	}
	return writeTable(w, rows)
}

// folded describes how many events a version has folded, of how many.
func folded(v tally.View) string {
	if v.Status == tally.Live || v.Status == tally.Retired {
		return thousands(v.Applied)
	}
	return thousands(v.Applied) + " of " + thousands(v.Head)
}

// since returns the time of the last change of status.
func since(v tally.View) string {
	switch {
	case v.Status == tally.Live && v.LiveAt != nil:
		return moment(v.LiveAt)
	case v.Status == tally.Halted && v.HaltedAt != nil:
		return moment(v.HaltedAt)
	case v.Status == tally.Retired && v.RetiredAt != nil:
		return moment(v.RetiredAt)
	}
	return moment(&v.CreatedAt)
}

// remark explains the status of a version that is not live.
func remark(v tally.View) string {
	switch v.Status {
	case tally.Halted:
		return fmt.Sprintf("event %d: %s", v.HaltedSequence, v.Error)
	case tally.Building:
		return pace(buildState(v))
	case tally.Retired:
		if !v.StateKept {
			return "state not kept"
		}
	}
	return ""
}

func shortHash(hash string) string { return hash[:min(len(hash), 12)] }

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func viewVersionsCommand() *cobra.Command {
	var conn connection
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "versions LOG VIEW",
		Short:   "List all versions of a view, and what was done to them",
		Example: "  tally view versions acme monthly-totals",
		Args:    checkArguments,
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			history, err := c.ListViewVersions(cmd.Context(), args[0], args[1])
			if err != nil {
				return fmt.Errorf("listing the versions of %s on %s: %w", args[1], args[0], err)
			}
			out := cmd.OutOrStdout()
			if asJSON {
				return writeIndented(out, history)
			}
			if err := writeViews(out, history.Versions); err != nil {
				return err
			}
			fmt.Fprintln(out)
			return writeActions(out, history.Actions)
		}),
	}
	conn.add(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func writeActions(w io.Writer, actions []tally.ViewAction) error {
	rows := [][]string{{"WHEN", "ACTION", "VERSION", "EVENT", "BY", ""}}
	for _, a := range actions {
		version, sequence := "-", "-"
		if a.Version > 0 {
			version = fmt.Sprint(a.Version)
		}
		if a.Sequence > 0 {
			sequence = thousands(a.Sequence)
		}
		rows = append(rows, []string{moment(&a.At), a.Action, version, sequence, orDash(a.Actor), a.Detail})
	}
	return writeTable(w, rows)
}
