package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// awaitPattern prints the state of a view on the logs of its pattern. With wait, it first waits until the view is built on all of them, and
// fails if it halted on some or had no room on some.
func awaitPattern(cmd *cobra.Command, c *tally.Client, v tally.ViewPattern, wait bool) error {
	if wait {
		var err error
		if v, err = followPattern(cmd, c, v); err != nil {
			return err
		}
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s version %d on %s: %s\n", v.Name, v.Version, v.Logs, covers(v))
	if n := v.Covers; wait && n != nil && n.Halted+n.Full > 0 {
		return fmt.Errorf("%s is not live on every log of %s: tally view list LOG says why", v.Name, v.Logs)
	}
	return nil
}

// followPattern shows the progress of a view on its logs until it is live, or halted, on all of them.
func followPattern(cmd *cobra.Command, c *tally.Client, v tally.ViewPattern) (tally.ViewPattern, error) {
	version := v.Version
	shown := newProgress(v.Name+" on "+v.Logs, ifTerminal(os.Stderr), cmd.ErrOrStderr())
	defer shown.finish()
	err := poll(cmd.Context(), func(ctx context.Context) (done bool, err error) {
		if v, err = c.GetViewPattern(ctx, v.Name); err != nil {
			return false, err
		}
		if v.Version != version {
			return false, fmt.Errorf("another version of %s was deployed on %s meanwhile", v.Name, v.Logs)
		}
		if v.Covers == nil {
			return false, fmt.Errorf("the server does not say how the logs of %s stand", v.Name)
		}
		shown.what = fmt.Sprintf("%s on %s, live on %s of %s logs", v.Name, v.Logs, thousands(v.Covers.Live), thousands(v.Covers.Matching))
		shown.set(v.Covers.Progress.Done, v.Covers.Progress.Total, 0, -1)
		return !v.Spreading && v.Covers.Building == 0 && v.Covers.Waiting == 0, nil
	})
	if errors.Is(err, context.Canceled) {
		return v, fmt.Errorf("no longer waiting: the server goes on, and tally view list says how far it is with %s", v.Name)
	}
	return v, err
}

// covers describes the state of the view on its logs, such as "live on 12 of 14 logs, halted on 2".
func covers(v tally.ViewPattern) string {
	n := v.Covers
	if n == nil {
		return v.Status
	}
	parts := []string{fmt.Sprintf("live on %s of %s logs", thousands(n.Live), thousands(n.Matching))}
	for _, other := range []struct {
		what  string
		count int64
	}{
		{"building on", n.Building},
		{"halted on", n.Halted},
		{"still to come to", n.Waiting},
		{"without room on", n.Full},
		{"retired on", n.Retired},
		{"left to their own on", n.Own},
	} {
		if other.count > 0 {
			parts = append(parts, other.what+" "+thousands(other.count))
		}
	}
	if v.Spreading {
		parts = append(parts, "not all looked at yet")
	}
	return strings.Join(parts, ", ")
}

// listPatterns lists the views that are deployed on patterns, with their state on the logs.
func listPatterns(ctx context.Context, w io.Writer, c *tally.Client, asJSON bool) error {
	found, err := c.ListViewPatterns(ctx)
	if err != nil {
		return fmt.Errorf("listing the views on patterns: %w", err)
	}
	rows := [][]string{{"VIEW", "LOGS", "VERSION", "STATUS", "GAS", "MODULE", "BY", "SINCE", ""}}
	for i, v := range found {
		if v.Status == "active" {
			if v, err = c.GetViewPattern(ctx, v.Name); err != nil {
				return fmt.Errorf("looking up %s: %w", found[i].Name, err)
			}
			found[i] = v
		}
		rows = append(rows, []string{
			v.Name, v.Logs, fmt.Sprint(v.Version), v.Status, thousands(v.Gas),
			shortHash(v.Module), orDash(v.Actor), moment(&v.DeployedAt), covers(v),
		})
	}
	if asJSON {
		return writeIndented(w, found)
	}
	return writeTable(w, rows)
}

func viewWithdrawCommand() *cobra.Command {
	var conn connection
	var keep bool
	cmd := &cobra.Command{
		Use:   "withdraw VIEW",
		Short: "Retire a view on all logs that have it from a pattern",
		Long: "Retires a view that was deployed with --logs, on all logs that have it from the pattern; later logs do not get\n" +
			"it. With --keep it stays where it is. What was deployed on a log by itself stays in any case.",
		Example: "  tally view withdraw monthly-totals --keep",
		Args:    checkArguments,
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			v, err := c.RetireViewPattern(cmd.Context(), args[0], keep)
			if err != nil {
				return fmt.Errorf("withdrawing %s: %w", args[0], err)
			}
			if keep {
				fmt.Fprintf(cmd.OutOrStdout(), "%s stays on the logs that have it; later logs of %s do not get it\n", v.Name, v.Logs)
			} else {
				fmt.Fprintf(cmd.OutOrStdout(), "%s is being retired on the logs that have it from %s\n", v.Name, v.Logs)
			}
			return nil
		}),
	}
	conn.add(cmd.Flags())
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the view where it is")
	return cmd
}
