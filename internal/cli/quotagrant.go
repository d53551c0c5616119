package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// creditEvent is an event of credits that a command appends.
type creditEvent struct {
	connection
	accounts []string
	key      string
	dryRun   bool
	out      printer
}

func (e *creditEvent) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	e.add(flags)
	e.out.addOutput(cmd)
	flags.StringArrayVar(&e.accounts, "account", nil, "NAME=VALUE: a member of the event that says whose credits these are; once for each")
	flags.StringVar(&e.key, "idempotency-key", "", "makes it safe to ask for this again")
	flags.BoolVar(&e.dryRun, "dry-run", false, "say what would happen, and store nothing")
}

// append appends the event, whose members that are "" or nil are left out.
func (e *creditEvent) append(cmd *cobra.Command, c *tally.Client, log string, members map[string]any) error {
	for name, value := range members {
		if value == "" || value == nil {
			delete(members, name)
		}
	}
	if err := readAccounts(e.accounts, func(name, value string) { members[name] = value }); err != nil {
		return err
	}
	text, err := json.Marshal(members)
	if err != nil {
		return err
	}
	appended, err := c.AppendEvent(cmd.Context(), log, text, &tally.AppendOptions{IdempotencyKey: e.key, DryRun: e.dryRun})
	if err != nil {
		return fmt.Errorf("appending to %s: %w", log, withGuardsAnswer(err))
	}
	return printAppended(cmd, &e.out, appended)
}

// withGuardsAnswer adds what a guard said of its refusal.
func withGuardsAnswer(err error) error {
	if refused, ok := errors.AsType[*tally.Error](err); ok && len(refused.Answer) > 0 {
		return fmt.Errorf("%w: %s", err, refused.Answer)
	}
	return err
}

// printAppended prints the sequence of an event, and on standard error what there is to say of it.
func printAppended(cmd *cobra.Command, out *printer, appended tally.Appended) error {
	err := appendedTable.oneAs(cmd, out, appended, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, appended.Sequence)
		return err
	})
	notes := cmd.ErrOrStderr()
	if appended.DryRun {
		fmt.Fprintln(notes, "tally: nothing is stored: this is what it would be")
	}
	if appended.Duplicate {
		fmt.Fprintln(notes, "tally: it was there before, and counts once")
	}
	if appended.Ahead {
		fmt.Fprintln(notes, "tally: its time is more than a day ahead of the server's")
	}
	for _, view := range slices.Sorted(maps.Keys(appended.Guards)) {
		fmt.Fprintf(notes, "tally: %s says %s\n", view, appended.Guards[view])
	}
	return err
}

func quotaGrantCommand() *cobra.Command {
	var e creditEvent
	var name, effective, expires, recurring string
	var scopes []string
	var priority int
	cmd := &cobra.Command{
		Use:   "grant LOG AMOUNT",
		Short: "Grant credits",
		Long: "Appends a grant of credits to a log and prints its sequence. The amount is exact: 25.00 is 25. A grant whose name there\n" +
			"is already is refused. It is the event of docs/quota.md, for configurations that do not rename it.",
		Example: "  tally quota grant acme 25.00 --name welcome --expires 2035-01-01T00:00:00Z\n" +
			"  tally quota grant acme 100 --recurring month --priority 10 --scope gpt-4 --dry-run",
		RunE: e.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			members := map[string]any{
				"type": "grant", "amount": args[1], "grant": name, "effective": effective, "expires": expires, "recurring": recurring,
			}
			if cmd.Flags().Changed("priority") {
				members["priority"] = priority
			}
			if len(scopes) > 0 {
				members["scope"] = scopes
			}
			return e.append(cmd, c, args[0], members)
		}),
	}
	e.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&name, "name", "", "what the grant is called; its sequence when not given")
	flags.StringVar(&effective, "effective", "", "when it takes effect, as RFC 3339 has it; at once when not given")
	flags.StringVar(&expires, "expires", "", "when it ends; never when not given")
	flags.StringVar(&recurring, "recurring", "", "the whole amount anew in each day, week, month, quarter or year")
	flags.StringSliceVar(&scopes, "scope", nil, "what it is for; everything when not given")
	flags.IntVar(&priority, "priority", 0, "0 to 1000, the lowest is used first; 100 when not given")
	return cmd
}

func quotaRevokeCommand() *cobra.Command {
	var e creditEvent
	var sure confirmation
	cmd := &cobra.Command{
		Use:     "revoke LOG GRANT",
		Short:   "Revoke what is left of a grant",
		Long:    "Appends the end of a grant: what is left of it lapses. What is used stays used, what is reserved stays reserved.",
		Example: "  tally quota revoke acme welcome --yes",
		RunE: e.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			if !e.dryRun {
				if err := sure.ask(cmd, fmt.Sprintf("This ends the grant %s of %s.", oneLine(args[1]), oneLine(args[0]))); err != nil {
					return err
				}
			}
			return e.append(cmd, c, args[0], map[string]any{"type": "revoke", "grant": args[1]})
		}),
	}
	e.addFlags(cmd)
	sure.add(cmd)
	return cmd
}
