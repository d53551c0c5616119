package cli

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func queryCommand() *cobra.Command {
	var conn connection
	cmd := &cobra.Command{
		Use:   "query LOG VIEW [QUERY]",
		Short: "Query a view",
		Long: "Sends a view a query and prints its answer as it comes: JSON, CSV or text. The query is a query string, and\n" +
			"what it may say is the view's business; spaces and other letters need no escaping, but & + % and = do where they\n" +
			"are part of a value.",
		Example: "  tally query acme monthly-totals\n  tally query acme monthly-totals month=2025-03",
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
			if !bytes.HasSuffix(answer.Body, []byte("\n")) {
				answer.Body = append(answer.Body, '\n')
			}
			_, err = cmd.OutOrStdout().Write(answer.Body)
			return err
		},
	}
	conn.add(cmd.Flags())
	return cmd
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
