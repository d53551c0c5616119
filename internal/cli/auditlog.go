package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func auditLogCommand() *cobra.Command {
	var conn connection
	var asJSON bool
	var before int64
	var limit int
	cmd := &cobra.Command{
		Use:   "audit-log",
		Short: "Read what was done with the tenant, its keys, tokens, analysts and sources",
		Long: "Lists what was done with the tenant, its keys, tokens, analysts and sources, and by whom, the newest first. It needs\n" +
			"a key with the scope admin. What was done to a view is with its versions: tally view versions.",
		Example: "  tally audit-log\n  tally audit-log --tenant acme --limit 0 --json",
		Args:    checkArguments,
		RunE: conn.withClient(func(cmd *cobra.Command, _ []string, c *tally.Client) error {
			if limit < 0 || before < 0 {
				return errors.New("--limit and --before must not be negative")
			}
			entries, err := c.ListAuditLog(cmd.Context(), before, limit)
			if err != nil {
				return fmt.Errorf("reading the audit log: %w", err)
			}
			if asJSON {
				return writeIndented(cmd.OutOrStdout(), entries)
			}
			rows := [][]string{{"ENTRY", "WHEN", "ACTION", "OF", "BY", ""}}
			for _, e := range entries {
				rows = append(rows, []string{fmt.Sprint(e.EntryID), moment(&e.At), e.Action, orDash(e.Target), orDash(e.Actor), detail(e)})
			}
			return writeTable(cmd.OutOrStdout(), rows)
		}),
	}
	conn.add(cmd.Flags())
	cmd.Flags().Int64Var(&before, "before", 0, "only entries from before this one")
	cmd.Flags().IntVar(&limit, "limit", 100, "how many; 0 for all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// detail is what else there is to know of an entry, on a line.
func detail(e tally.AuditLogEntry) string {
	var line bytes.Buffer
	if json.Compact(&line, e.Detail) != nil || line.String() == "{}" {
		return ""
	}
	return line.String()
}
