package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// tailing is a run of tally events tail.
type tailing struct {
	connection
	from, after int64
	typ         string
}

func eventsTailCommand() *cobra.Command {
	var run tailing
	cmd := &cobra.Command{
		Use:   "tail LOG",
		Short: "Follow a log's events as they are recorded",
		Long: "Prints events as they are committed, a line of JSON each, until Ctrl-C. It starts with the next one, or where\n" +
			"--from or --after say. When the server goes away, it goes on where it was once the server is back: no event is\n" +
			"left out and none comes twice.",
		Example: "  tally events tail acme\n  tally events tail acme --from 1 | jq .data.model",
		RunE:    run.withClient(run.run),
	}
	flags := cmd.Flags()
	run.add(flags)
	flags.Int64Var(&run.from, "from", 0, "first sequence; the next event when not given")
	flags.Int64Var(&run.after, "after", 0, "the sequence before the first, instead of --from")
	flags.StringVar(&run.typ, "type", "", "events of this type")
	return cmd
}

func (t *tailing) run(cmd *cobra.Command, args []string, c *tally.Client) error {
	after, err := t.start(cmd, args[0], c)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	options := &tally.TailOptions{FollowOptions: follower(cmd), After: &after, Type: t.typ}
	for event, err := range c.Tail(cmd.Context(), args[0], options) {
		if err == nil {
			_, err = fmt.Fprintf(out, "%s\n", event.JSON())
		}
		if err != nil {
			return untilInterrupted(cmd, "following "+args[0], err)
		}
	}
	return nil
}

// start returns the sequence after which to start. It reads the head once, so that a connection that is lost before the first event loses
// none.
func (t *tailing) start(cmd *cobra.Command, log string, c *tally.Client) (int64, error) {
	flags := cmd.Flags()
	switch {
	case flags.Changed("from") && flags.Changed("after"):
		return 0, usagef("--from and --after both say where to start: give one of them")
	case flags.Changed("from") && t.from < 1:
		return 0, usagef("--from %d is no sequence: the first event's is 1", t.from)
	case flags.Changed("from"):
		return t.from - 1, nil
	case t.after < 0:
		return 0, usagef("--after %d is no sequence: it must be 0, for the log's beginning, or above", t.after)
	case flags.Changed("after"):
		return t.after, nil
	}
	head, err := c.GetLog(cmd.Context(), log)
	if err != nil {
		return 0, fmt.Errorf("following %s: %w", log, err)
	}
	return head.Sequence, nil
}

// follower reports on standard error when the connection is lost and restored.
func follower(cmd *cobra.Command) tally.FollowOptions {
	w := cmd.ErrOrStderr()
	return tally.FollowOptions{
		Disconnected: func(err error, in time.Duration) {
			fmt.Fprintf(w, "tally: %s; trying again in %s\n", oneLine(err.Error()), in.Round(time.Millisecond))
		},
		Reconnected: func() { fmt.Fprintln(w, "tally: connected again") },
	}
}

// untilInterrupted returns the result of a command that runs until it is interrupted: nil after an interrupt.
func untilInterrupted(cmd *cobra.Command, what string, err error) error {
	if errors.Is(err, context.Canceled) && cmd.Context().Err() != nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
