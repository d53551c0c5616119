package cli

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/terminal"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func eventsExplainCommand() *cobra.Command {
	var conn connection
	var out printer
	var view string
	cmd := &cobra.Command{
		Use:   "explain LOG SEQUENCE",
		Short: "Explain how an event was counted",
		Long: "Tells of each view of the log whether it applied the event, ignored it or could not count it, and why, and what the\n" +
			"event changed of its state. The server folds the log again up to the event: on a long one that takes a while.",
		Example: "  tally events explain acme 17\n  tally events explain acme 17 --view monthly-totals --output json",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			sequence, err := parseSequence(args[1])
			if err != nil {
				return err
			}
			found, err := c.ExplainEvent(cmd.Context(), args[0], sequence, &tally.ExplainEventOptions{View: view})
			if err != nil {
				return fmt.Errorf("explaining event %d of %s: %w", sequence, args[0], err)
			}
			return explanationTable.report(cmd, &out, found, seqOf(found.Views, nil), func(w io.Writer) error {
				return writeExplanation(w, &found)
			})
		}),
	}
	conn.add(cmd.Flags())
	cmd.Flags().StringVar(&view, "view", "", "the one view that is to explain it; all when not given")
	out.addOutput(cmd)
	return cmd
}

// parseSequence reads an argument that names an event.
func parseSequence(text string) (int64, error) {
	sequence, err := strconv.ParseInt(text, 10, 64)
	if err != nil || sequence < 1 {
		return 0, usagef("SEQUENCE is %q: it must be a number, 1 for the first event", text)
	}
	return sequence, nil
}

var explanationTable = table[tally.ViewExplanation]{
	{"view", func(e tally.ViewExplanation) any { return e.View }},
	{"version", func(e tally.ViewExplanation) any { return e.Version }},
	{"status", func(e tally.ViewExplanation) any { return e.Status }},
	{"outcome", func(e tally.ViewExplanation) any { return e.Outcome }},
	{"reason", func(e tally.ViewExplanation) any { return e.Reason }},
	{"changes", func(e tally.ViewExplanation) any { return len(e.Changes) + e.ChangesLeftOut }},
}

func writeExplanation(w io.Writer, found *tally.EventExplanation) error {
	if len(found.Views) == 0 {
		_, err := fmt.Fprintln(w, "the log has no views")
		return err
	}
	for i := range found.Views {
		e := &found.Views[i]
		reason := ""
		if e.Reason != "" {
			reason = ": " + terminal.Line(e.Reason)
		}
		if _, err := fmt.Fprintf(w, "%s version %d: %s%s\n", e.View, e.Version, outcomeText(e.Outcome), reason); err != nil {
			return err
		}
		for _, change := range e.Changes {
			before, after := valueText(change.Before, change.BeforeCut), valueText(change.After, change.AfterCut)
			if _, err := fmt.Fprintf(w, "  %s: %s → %s\n", terminal.Line(change.Key), before, after); err != nil {
				return err
			}
		}
		if e.ChangesLeftOut > 0 {
			if _, err := fmt.Fprintf(w, "  and %s more\n", thousands(int64(e.ChangesLeftOut))); err != nil {
				return err
			}
		}
	}
	return nil
}

func outcomeText(outcome string) string {
	switch outcome {
	case "not_counted":
		return "not counted, in whole or in part"
	case "left_out":
		return "left out"
	case "halted":
		return "halted over it"
	case "not_yet":
		return "not yet"
	}
	return outcome
}

// valueText is a value of state as a person reads it.
func valueText(value []byte, cut string) string {
	switch {
	case cut != "":
		return terminal.Line(cut) + "…"
	case value == nil:
		return "none"
	}
	return terminal.Line(string(value))
}
