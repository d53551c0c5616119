package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/ingest"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func batchCommand() *cobra.Command {
	var conn connection
	var out printer
	cmd := &cobra.Command{
		Use:   "batch LOG [FILE]",
		Short: "Append a file of events to a log, all of them or none",
		Long: "Appends the events of a file, or of standard input, in one transaction: a line of NDJSON each. Either all are stored, in\n" +
			"their order, or none, and the reason names the first line at fault. It prints how many are new: one with an id that is\n" +
			"there already counts once, so the same file may be sent again where all its events have one. What is too large for one\n" +
			"request, or comes in other forms, is for tally ingest.",
		Example: "  tally batch acme usage.ndjson\n" +
			"  jq -c '.[]' usage.json | tally batch acme",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			lines, err := readBatch(cmd, args)
			if err != nil {
				return err
			}
			appended, err := c.AppendEvents(cmd.Context(), args[0], lines, nil)
			if err != nil {
				if tally.IsTransient(err) && !errors.Is(err, syscall.ECONNREFUSED) {
					err = fmt.Errorf("%w; all of it may be stored nevertheless: the same again finds out if each event has an id", err)
				}
				return fmt.Errorf("appending to %s: %w", args[0], err)
			}
			return batchTable.oneAs(cmd, &out, appended, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, appended.Appended)
				return err
			})
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	return cmd
}

var batchTable = table[tally.AppendedBatch]{
	{"appended", func(b tally.AppendedBatch) any { return b.Appended }},
	{"first_sequence", func(b tally.AppendedBatch) any { return b.FirstSequence }},
	{"last_sequence", func(b tally.AppendedBatch) any { return b.LastSequence }},
	{"duplicates", func(b tally.AppendedBatch) any { return len(b.Duplicates) }},
	{"ahead", func(b tally.AppendedBatch) any { return b.Ahead }},
}

// readBatch reads the file, or standard input.
func readBatch(cmd *cobra.Command, args []string) ([]byte, error) {
	name := "-"
	if len(args) > 1 {
		name = args[1]
	}
	if len(args) == 1 && ifTerminal(os.Stdin) != nil {
		return nil, usagef("FILE is missing: %s; - reads events from the terminal", cmd.UseLine())
	}
	lines, err := readAtMost(cmd, name, ingest.MaxBatchBytes)
	if err != nil {
		return nil, fmt.Errorf("%w; tally ingest sends any number", err)
	}
	if len(bytes.TrimSpace(lines)) == 0 {
		return nil, usagef("%s holds no events: a line of JSON each, such as {\"type\":\"api.call\"}", name)
	}
	return lines, nil
}
