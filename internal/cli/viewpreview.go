package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/terminal"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func viewPreviewCommand() *cobra.Command {
	var run viewDeploy
	var options tally.PreviewViewOptions
	cmd := &cobra.Command{
		Use:   "preview LOG VIEW",
		Short: "Try a view on a log's last events, without deploying it",
		Long: "Has the server fold the log's last events by a view as it would be deployed, from an empty state, and ask it.\n" +
			"Nothing is stored, but for a module that is uploaded. What a deploy would refuse is refused. It ends with status 3\n" +
			"when the view would halt over one of these events.",
		Example: "  tally view preview acme tokens --ready meter --config @meter.json --ask window=day\n" +
			"  tally view preview acme my-totals --module view.wasm --events 100000",
		RunE: func(cmd *cobra.Command, args []string) error {
			if options.Events < 0 {
				return usagef("--events is %d: it must be a number above 0", options.Events)
			}
			options.Question = escapeQuery(strings.TrimPrefix(options.Question, "?"))
			return run.run(cmd, args[1], func(c *tally.Client, deployment tally.Deployment) error {
				found, err := c.PreviewView(cmd.Context(), args[0], args[1], deployment, &options)
				if err != nil {
					return fmt.Errorf("previewing %s on %s: %w", args[1], args[0], err)
				}
				err = previewTable.oneAs(cmd, &run.out, found, func(w io.Writer) error { return writePreview(w, &found) })
				if err == nil && found.Halt != nil {
					err = errIncomplete
				}
				return err
			})
		},
	}
	run.flagsOfView(cmd)
	cmd.Flags().IntVar(&options.Events, "events", 0,
		"how many of the log's last events to fold at most; the server's 10,000 when not given")
	cmd.Flags().StringVar(&options.Question, "ask", "", "the query string that it is asked afterwards")
	return cmd
}

var previewTable = table[tally.ViewPreview]{
	{"from_sequence", func(p tally.ViewPreview) any { return p.FromSequence }},
	{"to_sequence", func(p tally.ViewPreview) any { return p.ToSequence }},
	{"events", func(p tally.ViewPreview) any { return p.Events }},
	{"ignored", func(p tally.ViewPreview) any { return p.Ignored }},
	{"left_out", func(p tally.ViewPreview) any { return p.LeftOut }},
	{"complete", func(p tally.ViewPreview) any { return p.Complete }},
	{"state_keys", func(p tally.ViewPreview) any { return p.StateKeys }},
	{"state_bytes", func(p tally.ViewPreview) any { return p.StateBytes }},
	{"gas_per_event", func(p tally.ViewPreview) any { return p.GasPerEvent }},
	{"halted_at", func(p tally.ViewPreview) any {
		if p.Halt == nil {
			return ""
		}
		return p.Halt.Sequence
	}},
}

func writePreview(w io.Writer, p *tally.ViewPreview) error {
	events := "no event was folded"
	if p.Events > 0 {
		events = fmt.Sprintf("%s events were folded, %d to %d, of which %s are ignored; %s before them were not",
			thousands(p.Events), p.FromSequence, p.ToSequence, thousands(p.Ignored), thousands(p.LeftOut))
	}
	lines := []string{events, fmt.Sprintf("its state has %s keys of %s bytes; an event takes %s gas",
		thousands(int64(p.StateKeys)), thousands(p.StateBytes), thousands(p.GasPerEvent))}
	switch {
	case p.Halt != nil:
		lines = append(lines, fmt.Sprintf("it would halt at event %d: %s", p.Halt.Sequence, terminal.Line(p.Halt.Error)))
	case !p.Complete:
		lines = append(lines, "the time was over before all events were folded: try fewer, with --events")
	}
	if p.AnswerProblem != nil {
		lines = append(lines, "it does not answer: "+terminal.Line(p.AnswerProblem.Detail))
	}
	if _, err := fmt.Fprintln(w, strings.Join(lines, "\n")); err != nil {
		return err
	}
	if p.Answer == nil {
		return nil
	}
	answer := []byte(p.Answer)
	if p.AnswerType != "application/json" {
		var text string
		if err := json.Unmarshal(answer, &text); err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
		answer = []byte(text)
	}
	return writeAnswer(w, outputAnswer, answer)
}
