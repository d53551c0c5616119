package cli

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// quotaView is what a deployment of the ready view quota is called unless --view says otherwise.
const quotaView = "quota"

func quotaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quota",
		Short: "Limits, credits and reservations of the ready view quota",
		Long: "Asks the ready view quota of a log what is left of limits and credits, and appends grants of credits. An account is\n" +
			"named by --account, where the configuration groups credits; docs/quota.md describes the view.",
		Example: "  tally view deploy acme quota --ready quota --config '{\"credits\": {\"type\": \"chat\", \"value\": \"/cost\"}}'\n" +
			"  tally quota grant acme 25.00 --name welcome\n" +
			"  tally quota balance acme",
	}
	cmd.AddCommand(
		quotaBalanceCommand(), quotaLimitsCommand(), quotaGrantsCommand(), quotaReservationsCommand(), quotaHistoryCommand(),
		quotaGrantCommand(), quotaRevokeCommand(),
	)
	return cmd
}

// quotaQuestion is a question to a view quota.
type quotaQuestion struct {
	connection
	view     string
	accounts []string
	at       string
	after    string
	rows     int
	form     outputForm
	values   url.Values
}

func (q *quotaQuestion) command(use, short, long, example, show string) *cobra.Command {
	q.values = url.Values{"show": {show}}
	q.form = outputForm{value: outputTable, allowed: []string{outputTable, outputJSON, outputCSV}}
	cmd := &cobra.Command{Use: use, Short: short, Long: long, Example: example, RunE: q.withClient(q.run)}
	flags := cmd.Flags()
	q.add(flags)
	flags.StringVar(&q.view, "view", quotaView, "the view, as it is called on the log")
	flags.StringArrayVar(&q.accounts, "account", nil, "NAME=VALUE of the configuration's group_by; once for each")
	flags.StringVar(&q.at, "at", "", "as of this time, as RFC 3339 has it; that of the last event when not given")
	q.form.add(cmd, "how to print it: for people, or for programs")
	return cmd
}

// paged adds the flags of answers with many rows.
func (q *quotaQuestion) paged(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().IntVar(&q.rows, "limit", 0, "how many rows; 100 when not given, and at most 1,000")
	cmd.Flags().StringVar(&q.after, "after", "", "go on where the last page ended, which it says")
	return cmd
}

// readAccounts reads NAME=VALUE.
func readAccounts(accounts []string, each func(name, value string)) error {
	for _, account := range accounts {
		name, value, ok := strings.Cut(account, "=")
		if !ok || name == "" {
			return usagef("--account %q is not NAME=VALUE, such as team=search", account)
		}
		each(name, value)
	}
	return nil
}

func (q *quotaQuestion) run(cmd *cobra.Command, args []string, c *tally.Client) error {
	if err := readAccounts(q.accounts, q.values.Set); err != nil {
		return err
	}
	for name, value := range map[string]string{"at": q.at, "after": q.after} {
		if value != "" {
			q.values.Set(name, value)
		}
	}
	if q.rows != 0 {
		q.values.Set("limit", fmt.Sprint(q.rows))
	}
	answer, err := c.QueryView(cmd.Context(), args[0], q.view, q.values.Encode())
	if err != nil {
		return fmt.Errorf("asking %s of %s: %w", q.view, args[0], err)
	}
	var page struct {
		Next string `json:"next"`
	}
	if err := json.Unmarshal(answer.Body, &page); err != nil {
		return fmt.Errorf("%s of %s does not answer as the ready view quota does: %w", q.view, args[0], err)
	}
	text := answer.Body
	if q.form.value != outputJSON {
		text = withoutScopes(text)
	}
	if err := writeAnswer(cmd.OutOrStdout(), q.form.value, text); err != nil {
		return err
	}
	if page.Next != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "tally: there are more: --after %s\n", oneLine(page.Next))
	}
	return nil
}

// withoutScopes leaves out of a single balance the list that would be taken for its rows.
func withoutScopes(answer []byte) []byte {
	var balance struct {
		Scopes json.RawMessage `json:"scopes"`
	}
	if json.Unmarshal(answer, &balance) != nil || balance.Scopes == nil {
		return answer
	}
	before, _, _ := strings.Cut(string(answer), `,"scopes":`)
	return []byte(before + "}")
}

func quotaBalanceCommand() *cobra.Command {
	var q quotaQuestion
	var scope string
	cmd := q.paged(q.command("balance LOG", "What is left of credits",
		"Prints what is left of all grants of an account, and what usage may take now. Without --account it lists the accounts,\n"+
			"where there are several. --output json has the scopes, too.",
		"  tally quota balance acme\n  tally quota balance acme --scope gpt-4", "balance"))
	cmd.Flags().StringVar(&scope, "scope", "", "what is available for this")
	cmd.PreRun = func(*cobra.Command, []string) { q.setIf("scope", scope) }
	return cmd
}

func quotaLimitsCommand() *cobra.Command {
	var q quotaQuestion
	var name string
	cmd := q.paged(q.command("limits LOG", "What is left of limits",
		"Prints how much of each limit is used in its window, what remains, and when it begins anew.",
		"  tally quota limits acme\n  tally quota limits acme --name tokens --output json", "limits"))
	cmd.Flags().StringVar(&name, "name", "", "only this limit")
	cmd.PreRun = func(*cobra.Command, []string) { q.setIf("name", name) }
	return cmd
}

func quotaGrantsCommand() *cobra.Command {
	var q quotaQuestion
	var closed bool
	cmd := q.paged(q.command("grants LOG", "The grants of an account",
		"Prints the open grants of an account with what is left of them, in the order in which they are burnt down.",
		"  tally quota grants acme\n  tally quota grants acme --closed", "grants"))
	cmd.Flags().BoolVar(&closed, "closed", false, "those that are used up, expired or revoked")
	cmd.PreRun = func(*cobra.Command, []string) {
		if closed {
			q.values.Set("closed", "")
		}
	}
	return cmd
}

func quotaReservationsCommand() *cobra.Command {
	var q quotaQuestion
	return q.paged(q.command("reservations LOG", "The open reservations of an account",
		"Prints the reservations of an account that are neither settled nor released, and when they run out.",
		"  tally quota reservations acme", "reservations"))
}

func quotaHistoryCommand() *cobra.Command {
	var q quotaQuestion
	cmd := q.paged(q.command("history LOG GRANT", "What became of a grant",
		"Prints the last changes of a grant, the newest first: usage, reservations, what came back, and its end.",
		"  tally quota history acme welcome", "history"))
	cmd.PreRun = func(_ *cobra.Command, args []string) { q.values.Set("grant", args[1]) }
	return cmd
}

func (q *quotaQuestion) setIf(name, value string) {
	if value != "" {
		q.values.Set(name, value)
	}
}
