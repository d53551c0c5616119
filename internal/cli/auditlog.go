package cli

import (
	"context"
	"iter"
	"strconv"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func auditLogCommand() *cobra.Command {
	var conn connection
	var out printer
	var shown listFlags
	var before int64
	cmd := &cobra.Command{
		Use:   "audit-log",
		Short: "Read what was done with the tenant, its keys, tokens, analysts and sources",
		Long: "Lists what was done with the tenant, its keys, tokens, analysts and sources, and by whom, the newest first. It needs\n" +
			"a key with the scope admin. What was done to a view is with its versions: tally view versions.",
		Example: "  tally audit-log\n  tally audit-log --tenant acme --all --output json",
		RunE: conn.withClient(func(cmd *cobra.Command, _ []string, c *tally.Client) error {
			if before < 0 {
				return usagef("--before must not be negative")
			}
			entries := explained("reading the audit log", auditEntries(cmd.Context(), c, before))
			return list(cmd, auditLogTable, &out, &shown, entries)
		}),
	}
	conn.add(cmd.Flags())
	cmd.Flags().Int64Var(&before, "before", 0, "only entries from before this one")
	shown.add(cmd)
	out.addOutput(cmd)
	return cmd
}

// auditEntries are the newest entries from before an entry; 0 for the end of the record.
func auditEntries(ctx context.Context, c *tally.Client, before int64) iter.Seq2[tally.AuditLogEntry, error] {
	return func(yield func(tally.AuditLogEntry, error) bool) {
		var options tally.ListOptions
		if before > 0 {
			options.Cursor = strconv.FormatInt(before, 10)
		}
		for more := true; more; more = options.Cursor != "" {
			page, err := c.ListAuditLog(ctx, &options)
			if err != nil {
				yield(tally.AuditLogEntry{}, err)
				return
			}
			for _, entry := range page.Entries {
				if !yield(entry, nil) {
					return
				}
			}
			options.Cursor = page.NextCursor
		}
	}
}

var auditLogTable = table[tally.AuditLogEntry]{
	{"entry_id", func(e tally.AuditLogEntry) any { return e.EntryID }},
	{"at", func(e tally.AuditLogEntry) any { return e.At }},
	{"action", func(e tally.AuditLogEntry) any { return e.Action }},
	{"target", func(e tally.AuditLogEntry) any { return e.Target }},
	{"actor", func(e tally.AuditLogEntry) any { return e.Actor }},
	{"detail", func(e tally.AuditLogEntry) any {
		if text := plain(e.Detail); text != "{}" {
			return remark(text)
		}
		return remark("")
	}},
}
