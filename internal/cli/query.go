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
		Short: "Ask a view a question",
		Long: "Asks a view a question and prints its answer as it comes: JSON, CSV or text. The question is a query string, and what it may say is the\n" +
			"view's business; spaces and other letters need no escaping, but & + % and = do where they are part of a value.",
		Example: "  tally query acme monthly-totals\n  tally query acme monthly-totals month=2025-03",
		Args:    arguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			question := ""
			if len(args) > 2 {
				question = escapeQuery(strings.TrimPrefix(args[2], "?"))
			}
			c, err := conn.open()
			if err != nil {
				return err
			}
			defer c.Close()
			answer, err := c.Query(cmd.Context(), args[0], args[1], question)
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

// escapeQuery encodes what cannot stand in a query string, and leaves what is encoded already.
func escapeQuery(question string) string {
	var b strings.Builder
	for _, c := range []byte(question) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"#<>[\\]^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
