package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// awaitPattern prints the state of a view on the logs of its pattern. With wait, it first waits until the view is built on all of them, and
// fails if it halted on some or had no room on some.
func awaitPattern(cmd *cobra.Command, c *tally.Client, v tally.ViewPattern, wait bool, out *printer) error {
	if wait {
		var err error
		if v, err = followPattern(cmd, c, v); err != nil {
			return err
		}
	}
	err := viewPatternTable.oneAs(cmd, out, v, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s version %d on %s: %s\n", v.Name, v.Version, v.Logs, covers(v))
		return err
	})
	if n := v.Covers; err == nil && wait && n != nil && n.Halted+n.Full > 0 {
		return statusError{
			fmt.Errorf("%s is not live on every log of %s: tally view list LOG says why", v.Name, v.Logs), statusIncomplete,
		}
	}
	return err
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
		return v, fmt.Errorf("no longer waiting: the server goes on, and tally view pattern list says how far it is with %s", v.Name)
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

func viewPatternCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pattern",
		Short: "Deploy views on patterns of logs, list, show and retire them",
		Long:  "A view that is deployed on a pattern is on every log whose name matches it, later ones too.",
		Example: "  tally view pattern deploy costs --logs 'customer-*' --ready cost_by_team --config @prices.json\n" +
			"  tally view pattern list\n  tally view pattern retire usage --yes",
	}
	cmd.AddCommand(viewPatternDeployCommand(), viewPatternListCommand(), viewPatternShowCommand(), viewPatternRetireCommand())
	return cmd
}

func viewPatternListCommand() *cobra.Command {
	return listCommand(listing[tally.ViewPattern]{
		use: "list", short: "List the views that are deployed on patterns",
		long:    "Lists them as they were deployed. tally view pattern show counts the logs of one, and how they stand.",
		example: "  tally view pattern list\n  tally view pattern list --output csv",
		what:    "listing the views on patterns", table: viewPatternTable,
		find: func(ctx context.Context, _ []string, c *tally.Client) iter.Seq2[tally.ViewPattern, error] {
			return seqOf(c.ListViewPatterns(ctx))
		},
	})
}

func viewPatternShowCommand() *cobra.Command {
	var conn connection
	var out printer
	cmd := &cobra.Command{
		Use:     "show VIEW",
		Short:   "Show a view that is deployed on a pattern, and how its logs stand",
		Example: "  tally view pattern show usage",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			v, err := c.GetViewPattern(cmd.Context(), args[0])
			if err != nil {
				return fmt.Errorf("looking up %s: %w", args[0], err)
			}
			return viewPatternTable.one(cmd, &out, v)
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	return cmd
}

var viewPatternTable = table[tally.ViewPattern]{
	{"name", func(v tally.ViewPattern) any { return v.Name }},
	{"logs", func(v tally.ViewPattern) any { return v.Logs }},
	{"version", func(v tally.ViewPattern) any { return v.Version }},
	{"status", func(v tally.ViewPattern) any { return state(v.Status) }},
	{"gas", func(v tally.ViewPattern) any { return count(v.Gas) }},
	{"module", func(v tally.ViewPattern) any { return shown{cmp.Or(v.Ready, shortHash(v.Module)), v.Module} }},
	{"actor", func(v tally.ViewPattern) any { return v.Actor }},
	{"deployed_at", func(v tally.ViewPattern) any { return v.DeployedAt }},
	{remarkColumn, func(v tally.ViewPattern) any { return remark(covers(v)) }},
}

func viewPatternRetireCommand() *cobra.Command {
	var conn connection
	var out printer
	var sure confirmation
	var keep bool
	cmd := &cobra.Command{
		Use:   "retire VIEW",
		Short: "Retire a view on all logs that have it from a pattern",
		Long: "Retires a view that was deployed on a pattern, on all logs that have it from the pattern; later logs do not get\n" +
			"it. With --keep it stays where it is. What was deployed on a log by itself stays in any case.",
		Example: "  tally view pattern retire usage --keep --yes",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			question := fmt.Sprintf("This ends %s on all logs that have it from a pattern.", oneLine(args[0]))
			if keep {
				question = fmt.Sprintf("This keeps %s from later logs.", oneLine(args[0]))
			}
			if err := sure.ask(cmd, question); err != nil {
				return err
			}
			v, err := c.RetireViewPattern(cmd.Context(), args[0], &tally.RetireViewPatternOptions{Keep: keep})
			if err != nil {
				return fmt.Errorf("retiring %s: %w", args[0], err)
			}
			return viewPatternTable.oneAs(cmd, &out, v, func(w io.Writer) error {
				what := "%s is being retired on the logs that have it from %s\n"
				if keep {
					what = "%s stays on the logs that have it; later logs of %s do not get it\n"
				}
				_, err := fmt.Fprintf(w, what, v.Name, v.Logs)
				return err
			})
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	sure.add(cmd)
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the view where it is")
	return cmd
}
