package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func auditCommand() *cobra.Command {
	var conn connection
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "audit LOG [VIEW]",
		Short: "Fold a log's events again and compare the views' state",
		Long: "Has the server fold the log's events again, one by one, in batches, from a restart and many in one call, and\n" +
			"compare the state that each gives with the others and with the stored one, byte for byte. All views of the log\n" +
			"when none is named. Fails when one is not as it should be.",
		Example: "  tally audit acme\n  tally audit acme monthly-totals --json",
		Args:    checkArguments,
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			names := args[1:]
			if len(names) == 0 {
				var err error
				if names, err = viewNames(cmd.Context(), c, args[0]); err != nil {
					return err
				}
				if len(names) == 0 && !asJSON {
					fmt.Fprintf(cmd.OutOrStdout(), "%s has no views\n", args[0])
					return nil
				}
			}
			if asJSON {
				return auditJSON(cmd.Context(), cmd.OutOrStdout(), c, args[0], names)
			}
			return auditTable(cmd.Context(), cmd.OutOrStdout(), c, args[0], names)
		}),
	}
	conn.add(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
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

func audit(ctx context.Context, c *tally.Client, log, view string) (tally.ViewAudit, error) {
	a, err := c.AuditView(ctx, log, view)
	if err != nil {
		return a, fmt.Errorf("auditing %s of %s: %w", view, log, err)
	}
	return a, nil
}

func auditJSON(ctx context.Context, w io.Writer, c *tally.Client, log string, names []string) error {
	audits := []tally.ViewAudit{}
	ok := true
	var refused []error
	for _, name := range names {
		a, err := audit(ctx, c, log, name)
		if isRefusal(err) {
			refused = append(refused, err)
			continue
		} else if err != nil {
			return err
		}
		audits = append(audits, a)
		ok = ok && a.OK
	}
	if err := writeIndented(w, audits); err != nil {
		return err
	}
	if len(refused) > 0 {
		return errors.Join(refused...)
	}
	if !ok {
		return errReported
	}
	return nil
}

// isRefusal reports whether the server refused to audit one view, such as one that is still building. Others can still be audited.
func isRefusal(err error) bool {
	_, ok := errors.AsType[*tally.Error](err)
	return ok
}

// auditTable writes a line for each view as soon as its audit is done: one may take minutes.
func auditTable(ctx context.Context, w io.Writer, c *tally.Client, log string, names []string) error {
	width := len("VIEW")
	for _, name := range names {
		width = max(width, utf8.RuneCountInString(name))
	}
	wrong := 0
	var refused []error
	fmt.Fprintf(w, "%-*s  %7s  %-9s  %12s  %10s  %s\n", width, "VIEW", "VERSION", "STATE", "EVENTS", "KEYS", "TIME")
	for _, name := range names {
		a, err := audit(ctx, c, log, name)
		if isRefusal(err) {
			fmt.Fprintf(w, "%-*s  %7s  not done\n", width, name, "")
			refused = append(refused, err)
			continue
		} else if err != nil {
			return err
		}
		verdict := "ok"
		if !a.OK {
			verdict = "DIFFERENT"
			wrong++
		}
		took := time.Duration(a.Seconds * float64(time.Second)).Round(time.Millisecond)
		fmt.Fprintf(w, "%-*s  %7d  %-9s  %12s  %10s  %s\n", width, name, a.Version, verdict, thousands(a.Events), thousands(a.Keys), took)
		if d := a.Difference; d != nil {
			fmt.Fprintf(w, "    key %q, %s: %s instead of %s, after event %d\n", d.Key, oneLine(d.Way),
				value(d.Found), value(d.Expected), d.Sequence)
		}
	}
	if wrong > 0 {
		fmt.Fprintf(w, "%d of %d views are not what the events give\n", wrong, len(names))
	}
	if len(refused) > 0 {
		return errors.Join(refused...)
	}
	if wrong > 0 {
		return errReported
	}
	return nil
}

func value(text *string) string {
	if text == nil {
		return "no value"
	}
	return oneLine(*text)
}
