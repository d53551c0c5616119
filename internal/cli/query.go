package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

func queryCommand() *cobra.Command {
	var conn connection
	form := outputForm{value: outputAnswer, allowed: []string{outputAnswer, outputTable, outputJSON, outputCSV}}
	cmd := &cobra.Command{
		Use:   "query LOG VIEW [QUERY]",
		Short: "Query a view",
		Long: "Sends a view a query and prints its answer as it comes: JSON, CSV or text. The query is a query string, and\n" +
			"what it may say is the view's business; spaces and other letters need no escaping, but & + % and = do where they\n" +
			"are part of a value. --output table and csv lay JSON out in rows: those of the list that it holds, or one for each of\n" +
			"the objects that it consists of.",
		Example: "  tally query acme monthly-totals\n" +
			"  tally query acme monthly-totals month=2025-03 --output table\n" +
			"  tally query acme monthly-totals --output csv > totals.csv",
		RunE: func(cmd *cobra.Command, args []string) error {
			query := ""
			if len(args) > 2 {
				query = escapeQuery(strings.TrimPrefix(args[2], "?"))
			}
			c, err := conn.open(cmd)
			if err != nil {
				return err
			}
			defer c.Close()
			answer, err := c.QueryView(cmd.Context(), args[0], args[1], query)
			if err != nil {
				return fmt.Errorf("asking %s of %s: %w", args[1], args[0], err)
			}
			return writeAnswer(cmd.OutOrStdout(), form.value, answer.Body)
		},
	}
	conn.add(cmd.Flags())
	form.add(cmd, "how to print it: as the view answers, or JSON in one of the forms of other commands")
	return cmd
}

// writeAnswer writes what a view answered.
func writeAnswer(w io.Writer, form string, answer []byte) error {
	if form == outputTable || form == outputCSV {
		laidOut, err := layOut(answer)
		if err != nil {
			return err
		}
		if form == outputCSV {
			return laidOut.writeCSV(w)
		}
		return laidOut.writeTable(w)
	}
	if form == outputJSON && !json.Valid(answer) {
		return errNoJSON
	}
	if !bytes.HasSuffix(answer, []byte("\n")) {
		answer = append(answer, '\n')
	}
	_, err := w.Write(answer)
	return err
}

// escapeQuery escapes characters that a query string cannot hold, and leaves escapes as they are.
func escapeQuery(query string) string {
	var b strings.Builder
	for _, c := range []byte(query) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"#<>[\\]^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
