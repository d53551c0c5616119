package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func viewRollbackCommand() *cobra.Command {
	var conn connection
	var out printer
	var wait bool
	cmd := &cobra.Command{
		Use:   "rollback LOG VIEW VERSION",
		Short: "Make an earlier version of a view live again",
		Long: "Makes an earlier version of a view live again, and waits until it is. It folds what came since it was retired,\n" +
			"or everything where its state was not kept (tally view versions says so), while the live version goes on\n" +
			"answering.",
		Example: "  tally view rollback acme monthly-totals 2",
		RunE: func(cmd *cobra.Command, args []string) error {
			version, err := strconv.ParseInt(args[2], 10, 32)
			if err != nil || version < 1 {
				return usagef("VERSION is %q, which is no version's number: tally view versions %s %s lists them",
					args[2], args[0], args[1])
			}
			c, err := conn.open(cmd)
			if err != nil {
				return err
			}
			defer c.Close()
			v, err := c.RollbackView(cmd.Context(), args[0], args[1], int32(version))
			if err != nil {
				return fmt.Errorf("rolling %s on %s back: %w", args[1], args[0], err)
			}
			return awaitVersion(cmd, c, args[0], v, wait, &out)
		},
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	cmd.Flags().BoolVar(&wait, "wait", true, "wait until the version is live; --wait=false leaves it building")
	return cmd
}

func viewResumeCommand() *cobra.Command {
	var conn connection
	var resumption tally.ResumeViewOptions
	var wait bool
	var out printer
	var sure confirmation
	cmd := &cobra.Command{
		Use:   "resume LOG VIEW",
		Short: "Have a halted view go on",
		Long: "Has a halted view try the event again that it halted at, such as with more gas, or with --skip go on past it. A\n" +
			"skipped event is left out of this version for ever, which is recorded with who asked and why; the event itself\n" +
			"stays in the log.",
		Example: "  tally view resume acme monthly-totals --gas 200000000\n" +
			"  tally view resume acme monthly-totals --skip --reason 'event 17 is a test of ours' --yes",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			if resumption.Skip {
				err := sure.ask(cmd, fmt.Sprintf("This leaves the event out of %s on %s for ever.", oneLine(args[1]), oneLine(args[0])))
				if err != nil {
					return err
				}
			}
			v, err := c.ResumeView(cmd.Context(), args[0], args[1], &resumption)
			if err != nil {
				return fmt.Errorf("resuming %s on %s: %w", args[1], args[0], err)
			}
			return awaitVersion(cmd, c, args[0], v, wait, &out)
		}),
	}
	flags := cmd.Flags()
	conn.add(flags)
	out.addOutput(cmd)
	sure.add(cmd)
	flags.Int32Var(&resumption.Version, "view-version", 0, "which halted version; the one that was asked for last when not given")
	flags.BoolVar(&resumption.Skip, "skip", false, "go on past the event")
	flags.StringVar(&resumption.Reason, "reason", "", "why, for the record")
	flags.Int64Var(&resumption.Gas, "gas", 0, "what folding one event may take from here on; as before when not given")
	flags.BoolVar(&wait, "wait", true, "wait until the view is live; --wait=false leaves it building")
	return cmd
}

func viewRetireCommand() *cobra.Command {
	var conn connection
	var sure confirmation
	cmd := &cobra.Command{
		Use:     "retire LOG VIEW",
		Short:   "End a view on a log",
		Long:    "Ends a view on a log: it folds and answers no more. Its versions stay listed, and a deploy or a rollback brings it back.",
		Example: "  tally view retire acme monthly-totals --yes",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			if err := sure.ask(cmd, fmt.Sprintf("This has %s answer no more on %s.", oneLine(args[1]), oneLine(args[0]))); err != nil {
				return err
			}
			if err := c.RetireView(cmd.Context(), args[0], args[1]); err != nil {
				return fmt.Errorf("retiring %s on %s: %w", args[1], args[0], err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is retired on %s\n", args[1], args[0])
			return nil
		}),
	}
	conn.add(cmd.Flags())
	sure.add(cmd)
	return cmd
}
