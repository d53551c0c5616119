package cli

import (
	"context"
	"fmt"
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
			entries, err := auditEntries(cmd.Context(), c, before, shown.most())
			if err != nil {
				return fmt.Errorf("reading the audit log: %w", err)
			}
			return list(cmd, auditLogTable, &out, &shown, seqOf(entries, nil))
		}),
	}
	conn.add(cmd.Flags())
	cmd.Flags().Int64Var(&before, "before", 0, "only entries from before this one")
	shown.add(cmd)
	out.addOutput(cmd)
	return cmd
}

// auditEntries returns the newest entries from before an entry, 0 for the end of the record: at most limit, 0 for all.
func auditEntries(ctx context.Context, c *tally.Client, before int64, limit int) ([]tally.AuditLogEntry, error) {
	const most = 200 // in one answer
	entries := []tally.AuditLogEntry{}
	options := tally.ListOptions{Limit: most}
	if before > 0 {
		options.Cursor = strconv.FormatInt(before, 10)
	}
	for {
		if limit > 0 {
			options.Limit = min(most, limit-len(entries))
		}
		page, err := c.ListAuditLog(ctx, &options)
		if err != nil {
			return nil, err
		}
		entries = append(entries, page.Entries...)
		if page.NextCursor == "" || limit > 0 && len(entries) >= limit {
			return entries, nil
		}
		options.Cursor = page.NextCursor
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
