package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/intake"
	"github.com/tallystick/tallystick/internal/source"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// sourceTest is a run of tally source test.
type sourceTest struct {
	connection
	madeMapping

	file    string
	as      string
	version int64
	out     printer
}

func sourceTestCommand() *cobra.Command {
	var test sourceTest
	cmd := &cobra.Command{
		Use:   "test [SOURCE] [PAYLOAD]",
		Short: "Show what a source would make of a payload",
		Long: "Shows what a source would make of a payload: a file, or standard input where that is - or not named. Nothing is stored.\n" +
			"With --mapping or --ready it needs no server, and SOURCE is left out. It ends with status 3 if a record is rejected.",
		Example: "  tally source test litellm payload.json\n" +
			"  tally source test --mapping mapping.json payload.json\n" +
			"  curl -s https://example.com/sample.json | tally source test --ready litellm --set log=acme",
		Args: func(cmd *cobra.Command, args []string) error {
			if test.isLocal() && len(args) > 1 {
				return usagef("%q is too much: with --mapping or --ready there is the payload's file only", args[1])
			}
			if !test.isLocal() && len(args) == 0 {
				return usagef("SOURCE is missing, or --mapping, or --ready: %s", cmd.UseLine())
			}
			return checkArguments(cmd, args)
		},
		RunE: test.run,
	}
	flags := cmd.Flags()
	test.connection.add(flags)
	test.madeMapping.add(flags)
	flags.StringVar(&test.file, "mapping", "", "file with a mapping, instead of SOURCE")
	flags.StringVar(&test.as, "as", "events", "how the payload would come: as events, logs or traces, the latter by OTLP")
	flags.Int64Var(&test.version, "version", 0, "which version of SOURCE; the present one when not given")
	test.out.addOutput(cmd)
	return cmd
}

func (t *sourceTest) isLocal() bool { return t.file != "" || t.ready != "" }

func (t *sourceTest) run(cmd *cobra.Command, args []string) error {
	forms := []string{string(intake.Events), string(intake.Logs), string(intake.Traces)}
	switch {
	case !slices.Contains(forms, t.as):
		return usagef("--as %q is none of %s", t.as, strings.Join(forms, ", "))
	case !t.isLocal() && len(t.set) > 0:
		return usagef("--set goes with --mapping or --ready: what a source on the server does is put by tally source put")
	case t.isLocal() && t.version != 0:
		return usagef("--version goes with SOURCE")
	}
	var result tally.SourceTest
	var err error
	if t.isLocal() {
		result, err = t.here(cmd, args)
	} else {
		result, err = t.there(cmd, args)
	}
	if err != nil {
		return err
	}
	if err := t.print(cmd, result); err != nil {
		return err
	}
	if result.Rejected > 0 {
		return errIncomplete
	}
	return nil
}

// here tests a mapping without a server.
func (t *sourceTest) here(cmd *cobra.Command, args []string) (result tally.SourceTest, err error) {
	text, err := t.read(cmd, t.file)
	if err != nil {
		return result, err
	}
	mapping, err := source.Parse(text)
	if invalid, ok := errors.AsType[*event.InvalidError](err); ok {
		return result, refusedHere("%s (%s)", invalid.Detail, invalid.Code)
	} else if err != nil {
		return result, err
	}
	payload, err := readPayload(cmd, args)
	if err != nil {
		return result, err
	}
	shown := intake.PreviewPayload(mapping, intake.Form(t.as), "", payload)
	result = tally.SourceTest{
		Lines: []tally.TestedLine{}, Mapped: shown.Mapped, Skipped: shown.Skipped, Rejected: shown.Rejected, More: shown.More,
	}
	names := map[source.Outcome]string{source.Mapped: "mapped", source.Skipped: "skipped", source.Rejected: "rejected"}
	for _, l := range shown.Lines {
		result.Lines = append(result.Lines, tally.TestedLine{
			Line: l.Line, Outcome: names[l.Outcome], Log: l.Log, Key: l.Key, Event: l.Event, Code: l.Code, Detail: l.Detail,
		})
	}
	return result, nil
}

// there has a server test one of its sources.
func (t *sourceTest) there(cmd *cobra.Command, args []string) (result tally.SourceTest, err error) {
	payload, err := readPayload(cmd, args[1:])
	if err != nil {
		return result, err
	}
	c, err := t.open(cmd)
	if err != nil {
		return result, err
	}
	defer c.Close()
	result, err = c.TestSource(cmd.Context(), args[0], payload, &tally.TestSourceOptions{As: t.as, Version: t.version})
	if err != nil {
		return result, fmt.Errorf("testing the source %s: %w", args[0], err)
	}
	return result, nil
}

func readPayload(cmd *cobra.Command, args []string) ([]byte, error) {
	payload, err := readInput(cmd, strings.Join(args, ""))
	if err != nil {
		return nil, fmt.Errorf("reading the payload: %w", err)
	}
	return payload, nil
}

func (t *sourceTest) print(cmd *cobra.Command, result tally.SourceTest) error {
	lines := seqOf(result.Lines, nil)
	return testedTable.report(cmd, &t.out, result, lines, func(io.Writer) error {
		if err := testedTable.list(cmd, &t.out, lines); err != nil {
			return err
		}
		more := ""
		if result.More {
			more = "; the payload has more, which was not looked at"
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "%d mapped, %d skipped, %d rejected%s\n", result.Mapped, result.Skipped, result.Rejected, more)
		return nil
	})
}

var testedTable = table[tally.TestedLine]{
	{"line", func(l tally.TestedLine) any { return l.Line }},
	{"outcome", func(l tally.TestedLine) any { return state(l.Outcome) }},
	{"log", func(l tally.TestedLine) any { return l.Log }},
	{"key", func(l tally.TestedLine) any { return l.Key }},
	{remarkColumn, func(l tally.TestedLine) any {
		if l.Code != "" {
			return remark(l.Code + ": " + l.Detail)
		}
		return remark(l.Event)
	}},
}

func sourceReplayCommand() *cobra.Command {
	var conn connection
	var from int64
	var out printer
	cmd := &cobra.Command{
		Use:   "replay SOURCE",
		Short: "Store what a source has rejected, after its mapping was corrected",
		Long: "Maps the rejects of a source again by what it does now, and stores what maps, up to the end of its log of rejects. What\n" +
			"is stored already is counted, and not stored another time, so it may be repeated. It needs the scope append.",
		Example: "  tally source replay litellm\n  tally source replay litellm --from 120",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			if from < 0 {
				return usagef("--from must not be negative")
			}
			total := tally.ReplayedSource{Next: from}
			for more := true; more; more = total.Next != 0 {
				options := &tally.ReplaySourceOptions{From: total.Next, Limit: replayedAtOnce}
				done, err := c.ReplaySource(cmd.Context(), args[0], options)
				if err != nil {
					return fmt.Errorf("replaying the rejects of %s from %d on: %w", args[0], max(total.Next, 1), err)
				}
				addReplayed(&total, done)
			}
			return replayedTable.oneAs(cmd, &out, total, func(w io.Writer) error { return writeReplayed(w, &total) })
		}),
	}
	conn.add(cmd.Flags())
	cmd.Flags().Int64Var(&from, "from", 0, "the first sequence of the log of rejects; its beginning when not given")
	out.addOutput(cmd)
	return cmd
}

var replayedTable = table[tally.ReplayedSource]{
	{"read", func(r tally.ReplayedSource) any { return r.Read }},
	{"stored", func(r tally.ReplayedSource) any { return r.Stored }},
	{"duplicates", func(r tally.ReplayedSource) any { return r.Duplicates }},
	{"skipped", func(r tally.ReplayedSource) any { return r.Skipped }},
	{"rejected", func(r tally.ReplayedSource) any { return r.Rejected }},
	{"unavailable", func(r tally.ReplayedSource) any { return r.Unavailable }},
}

func writeReplayed(w io.Writer, total *tally.ReplayedSource) error {
	fmt.Fprintf(w, "%s rejects: %s stored, %s there before, %s skipped, %s still rejected, %s not kept whole\n",
		thousands(int64(total.Read)), thousands(int64(total.Stored)), thousands(int64(total.Duplicates)),
		thousands(int64(total.Skipped)), thousands(int64(total.Rejected)), thousands(int64(total.Unavailable)))
	if first := total.FirstRejected; first != nil {
		fmt.Fprintf(w, "reject %d: %s: %s\n", first.Sequence, first.Code, oneLine(first.Detail))
	}
	return nil
}

// replayedAtOnce is how many rejects one request replays.
const replayedAtOnce = 1000

func addReplayed(total *tally.ReplayedSource, done tally.ReplayedSource) {
	total.Read += done.Read
	total.Stored += done.Stored
	total.Duplicates += done.Duplicates
	total.Skipped += done.Skipped
	total.Rejected += done.Rejected
	total.Unavailable += done.Unavailable
	if total.FirstRejected == nil {
		total.FirstRejected = done.FirstRejected
	}
	total.Next = done.Next
}
