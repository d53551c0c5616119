package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func viewAuditCommand() *cobra.Command {
	var conn connection
	var out printer
	cmd := &cobra.Command{
		Use:   "audit LOG [VIEW]",
		Short: "Fold a log's events again and compare the views' state",
		Long: "Has the server fold the log's events again, one by one, in batches, from a restart and many in one call, and\n" +
			"compare the state that each gives with the others and with the stored one, byte for byte. All views of the log\n" +
			"when none is named. It ends with status 3 when one is not as it should be, or could not be audited.",
		Example: "  tally view audit acme\n  tally view audit acme monthly-totals --output json",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			names := args[1:]
			if len(names) == 0 {
				var err error
				if names, err = viewNames(cmd.Context(), c, args[0]); err != nil {
					return err
				}
			}
			run := auditing{client: c, log: args[0], names: names}
			if out.isText() {
				return run.result(run.printText(cmd.Context(), cmd.OutOrStdout()))
			}
			return run.result(auditTable.list(cmd, &out, run.audits(cmd.Context())))
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	return cmd
}

var auditTable = table[tally.ViewAudit]{
	{"view", func(a tally.ViewAudit) any { return a.View }},
	{"version", func(a tally.ViewAudit) any { return a.Version }},
	{"ok", func(a tally.ViewAudit) any { return a.OK }},
	{"events", func(a tally.ViewAudit) any { return a.Events }},
	{"keys", func(a tally.ViewAudit) any { return a.Keys }},
	{"seconds", func(a tally.ViewAudit) any { return a.Seconds }},
}

// viewNames returns the names of the views of a log.
func viewNames(ctx context.Context, c *tally.Client, log string) ([]string, error) {
	found, err := c.ListViews(ctx, log)
	if err != nil {
		return nil, fmt.Errorf("listing the views of %s: %w", log, err)
	}
	names := make([]string, len(found))
	for i, v := range found {
		names[i] = v.Name
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// auditing audits views of a log, one after the other, and remembers what is not well.
type auditing struct {
	client *tally.Client
	log    string
	names  []string

	wrong   int
	refused []error
}

// result is how it ended: with err, or by what is not well.
func (a *auditing) result(err error) error {
	switch {
	case err != nil:
		return err
	case len(a.refused) > 0:
		return statusError{errors.Join(a.refused...), statusIncomplete}
	case a.wrong > 0:
		return errIncomplete
	}
	return nil
}

// audit audits one view. The server may refuse that, as for one that is still building: the others can still be audited.
func (a *auditing) audit(ctx context.Context, view string) (audit tally.ViewAudit, done bool, err error) {
	audit, err = a.client.AuditView(ctx, a.log, view, nil)
	if err != nil {
		err = fmt.Errorf("auditing %s of %s: %w", view, a.log, err)
		if _, ok := errors.AsType[*tally.Error](err); ok {
			a.refused = append(a.refused, err)
			return audit, false, nil
		}
		return audit, false, err
	}
	if !audit.OK {
		a.wrong++
	}
	return audit, true, nil
}

func (a *auditing) audits(ctx context.Context) iter.Seq2[tally.ViewAudit, error] {
	return func(yield func(tally.ViewAudit, error) bool) {
		for _, name := range a.names {
			if audit, done, err := a.audit(ctx, name); (done || err != nil) && !yield(audit, err) {
				return
			}
		}
	}
}

// printText writes a line for each view as soon as its audit is done: one may take minutes.
func (a *auditing) printText(ctx context.Context, w io.Writer) error {
	if len(a.names) == 0 {
		_, err := fmt.Fprintf(w, "%s has no views\n", a.log)
		return err
	}
	width := len("VIEW")
	for _, name := range a.names {
		width = max(width, utf8.RuneCountInString(name))
	}
	fmt.Fprintf(w, "%-*s  %7s  %-9s  %12s  %10s  %s\n", width, "VIEW", "VERSION", "STATE", "EVENTS", "KEYS", "TIME")
	for _, name := range a.names {
		audit, done, err := a.audit(ctx, name)
		if err != nil {
			return err
		}
		if !done {
			fmt.Fprintf(w, "%-*s  %7s  not done\n", width, name, "")
			continue
		}
		verdict := "ok"
		if !audit.OK {
			verdict = "DIFFERENT"
		}
		took := time.Duration(audit.Seconds * float64(time.Second)).Round(time.Millisecond)
		fmt.Fprintf(w, "%-*s  %7d  %-9s  %12s  %10s  %s\n", width, name, audit.Version, verdict,
			thousands(audit.Events), thousands(audit.Keys), took)
		if d := audit.Difference; d != nil {
			fmt.Fprintf(w, "    %s\n", difference(d))
		}
	}
	if a.wrong > 0 {
		fmt.Fprintf(w, "%d of %d views are not what the events give\n", a.wrong, len(a.names))
	}
	return nil
}

func difference(d *tally.AuditDifference) string {
	return fmt.Sprintf("key %q, %s: %s instead of %s, after event %d", d.Key, oneLine(d.Way), orNoValue(d.Found), orNoValue(d.Expected),
		d.Sequence)
}

func orNoValue(text *string) string {
	if text == nil {
		return "no value"
	}
	return oneLine(*text)
}
