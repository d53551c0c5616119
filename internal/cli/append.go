package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/event"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// appending is a run of tally append.
type appending struct {
	connection

	key      string
	expected string
	dryRun   bool
	out      printer
}

func appendCommand() *cobra.Command {
	var run appending
	cmd := &cobra.Command{
		Use:   "append LOG [EVENT]",
		Short: "Append an event to a log",
		Long: "Appends one event, a JSON object, and prints its sequence once it is durable and part of every view. Without EVENT,\n" +
			"or with -, it is read from standard input. An event with an id, or with --idempotency-key, may be sent again: it\n" +
			"counts once, and its first sequence is printed. For many events there are tally batch and tally ingest. What a view's\n" +
			"guard says of the event is on standard error, also of one that it refuses.",
		Example: `  tally append acme '{"type":"api.call","id":"req-17","tokens":12}'` + "\n" +
			"  jq -n '{type: \"job.done\", seconds: 31}' | tally append acme --idempotency-key job-4711",
		RunE: run.withClient(run.run),
	}
	flags := cmd.Flags()
	run.add(flags)
	run.out.addOutput(cmd)
	flags.StringVar(&run.key, "idempotency-key", "", "makes it safe to send an event without an id again")
	flags.StringVar(&run.expected, "expected-sequence", "", "append only if this is the log's last sequence; 0 for an empty log")
	flags.BoolVar(&run.dryRun, "dry-run", false, "say what would happen, guards of views included, and store nothing")
	return cmd
}

func (a *appending) run(cmd *cobra.Command, args []string, c *tally.Client) error {
	text, err := eventArgument(cmd, args)
	if err != nil {
		return err
	}
	if _, err := event.Parse(text); err != nil {
		var invalid *event.InvalidError
		if errors.As(err, &invalid) && invalid.Code == "invalid_json" {
			return refusedHere("%s; tally batch takes many events at once (%s)", invalid.Detail, invalid.Code)
		}
		if errors.As(err, &invalid) {
			return refusedHere("%s (%s)", invalid.Detail, invalid.Code)
		}
		return err
	}
	options := &tally.AppendOptions{IdempotencyKey: a.key, DryRun: a.dryRun}
	if a.expected != "" {
		expected, err := strconv.ParseInt(a.expected, 10, 64)
		if err != nil {
			return usagef("--expected-sequence is %q: it must be a number, 0 for an empty log", a.expected)
		}
		options.ExpectedSequence = &expected
	}
	appended, err := c.AppendEvent(cmd.Context(), args[0], text, options)
	if err != nil {
		if tally.IsTransient(err) && !errors.Is(err, syscall.ECONNREFUSED) {
			err = fmt.Errorf("%w; it may be stored nevertheless, which the same again finds out if it has an id or key", err)
		}
		return fmt.Errorf("appending to %s: %w", args[0], withGuardsAnswer(err))
	}
	return printAppended(cmd, &a.out, appended)
}

var appendedTable = table[tally.Appended]{
	{"sequence", func(a tally.Appended) any { return a.Sequence }},
	{"duplicate", func(a tally.Appended) any { return a.Duplicate }},
	{"ahead", func(a tally.Appended) any { return a.Ahead }},
}

// eventArgument is the event: an argument, or standard input.
func eventArgument(cmd *cobra.Command, args []string) ([]byte, error) {
	if len(args) > 1 && args[1] != "-" {
		return []byte(args[1]), nil
	}
	if len(args) == 1 && ifTerminal(os.Stdin) != nil {
		return nil, usagef("EVENT is missing: %s; - reads it from the terminal", cmd.UseLine())
	}
	text, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), event.MaxBytes+2)) // one too many is refused
	if err != nil {
		return nil, fmt.Errorf("reading the event from standard input: %w", err)
	}
	if len(text) == 0 {
		return nil, usagef("standard input is empty: give an event, such as {\"type\":\"api.call\"}")
	}
	return text, nil
}
