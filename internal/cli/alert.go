package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func alertCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "alert",
		Short: "Alerts: thresholds on what views answer",
		Long: "Watches values in the answers of views. When one passes a threshold, the tenant's webhooks are told. A definition is a\n" +
			"JSON file, which docs/alerts.md describes.",
		Example: "  tally alert put tokens alert.json\n  tally alert test tokens customer-acme",
	}
	cmd.AddCommand(
		alertPutCommand(), alertListCommand(), alertShowCommand(), alertCrossingsCommand(), alertTestCommand(), alertDeleteCommand(),
	)
	return cmd
}

// alertCall is a command about alerts: a request, whose answer is printed as it comes, or its rows.
type alertCall struct {
	connection
	form outputForm
	rows int
	page string
}

func (a *alertCall) addFlags(cmd *cobra.Command) {
	a.add(cmd.Flags())
	a.form = outputForm{value: outputTable, allowed: []string{outputTable, outputJSON, outputCSV}}
	a.form.add(cmd, "how to print it: for people, or for programs")
}

// paged adds the flags of answers that come in pages.
func (a *alertCall) paged(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().IntVar(&a.rows, "limit", defaultLimit, "how many at most, up to 1,000")
	cmd.Flags().StringVar(&a.page, "cursor", "", "go on where the last page ended, which it says")
	return cmd
}

func alertPath(name string, more ...string) string {
	return strings.Join(append([]string{"/alerts", url.PathEscape(name)}, more...), "/")
}

// call sends the request and prints the answer.
func (a *alertCall) call(cmd *cobra.Command, c *tally.Client, what string, raw tally.Raw, query url.Values) error {
	if a.rows != 0 {
		query.Set("limit", fmt.Sprint(a.rows))
	}
	if a.page != "" {
		query.Set("cursor", a.page)
	}
	raw.Query = query.Encode()
	answer, err := c.Do(cmd.Context(), raw)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := writeAnswer(cmd.OutOrStdout(), a.form.value, answer.Body); err != nil {
		return err
	}
	var page struct {
		NextCursor string `json:"next_cursor"`
	}
	if json.Unmarshal(answer.Body, &page) == nil && page.NextCursor != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "tally: there are more: --cursor %s\n", oneLine(page.NextCursor))
	}
	return nil
}

func alertPutCommand() *cobra.Command {
	var a alertCall
	cmd := &cobra.Command{
		Use: "put ALERT FILE", Short: "Say what an alert watches",
		Long:    "Puts the definition in a file, or for - on standard input, in the place of the alert's own. Prints the alert.",
		Example: "  tally alert put tokens alert.json\n  tally alert put tokens - < alert.json",
		RunE: a.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			definition, err := readDefinition(cmd, args[1])
			if err != nil {
				return err
			}
			raw := tally.Raw{Method: http.MethodPut, Path: alertPath(args[0]), Body: definition, Repeatable: true}
			return a.call(cmd, c, "putting the alert "+args[0], raw, url.Values{})
		}),
	}
	a.addFlags(cmd)
	return cmd
}

func readDefinition(cmd *cobra.Command, file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(cmd.InOrStdin())
	}
	text, err := os.ReadFile(file) //nolint:gosec // the file that the user named
	if err != nil {
		return nil, fmt.Errorf("reading the alert's definition: %w", err)
	}
	return text, nil
}

func alertListCommand() *cobra.Command {
	var a alertCall
	cmd := &cobra.Command{
		Use: "list", Short: "List alerts by name", Example: "  tally alert list\n  tally alert list --output json",
		RunE: a.withClient(func(cmd *cobra.Command, _ []string, c *tally.Client) error {
			return a.call(cmd, c, "listing alerts", tally.Raw{Path: "/alerts"}, url.Values{})
		}),
	}
	a.addFlags(cmd)
	return a.paged(cmd)
}

func alertShowCommand() *cobra.Command {
	var a alertCall
	var only string
	cmd := &cobra.Command{
		Use: "show ALERT", Short: "Show how an alert stands on its logs",
		Long:    "Prints how an alert stands on each log where it was evaluated. --output json has its definition, too.",
		Example: "  tally alert show tokens\n  tally alert show tokens --only firing --output json",
		RunE: a.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			query := url.Values{}
			if only != "" {
				query.Set("only", only)
			}
			return a.call(cmd, c, "showing the alert "+args[0], tally.Raw{Path: alertPath(args[0])}, query)
		}),
	}
	a.addFlags(cmd)
	cmd.Flags().StringVar(&only, "only", "", "the logs where it is firing or failing")
	return a.paged(cmd)
}

func alertCrossingsCommand() *cobra.Command {
	var a alertCall
	var log string
	cmd := &cobra.Command{
		Use: "crossings ALERT", Short: "List what an alert has fired and resolved, newest first",
		Example: "  tally alert crossings tokens\n  tally alert crossings tokens --log customer-acme",
		RunE: a.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			query := url.Values{}
			if log != "" {
				query.Set("log", log)
			}
			return a.call(cmd, c, "listing crossings of "+args[0], tally.Raw{Path: alertPath(args[0], "crossings")}, query)
		}),
	}
	a.addFlags(cmd)
	cmd.Flags().StringVar(&log, "log", "", "of this log alone")
	return a.paged(cmd)
}

func alertTestCommand() *cobra.Command {
	var a alertCall
	cmd := &cobra.Command{
		Use: "test ALERT LOG", Short: "Evaluate an alert on a log now",
		Long:    "Evaluates an alert on a log and prints which thresholds are reached. Nothing fires. --output json has the value, too.",
		Example: "  tally alert test tokens customer-acme --output json",
		RunE: a.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			raw := tally.Raw{
				Method: http.MethodPost, Path: alertPath(args[0], "test"), Body: map[string]string{"log": args[1]}, Repeatable: true,
			}
			return a.call(cmd, c, "evaluating "+args[0]+" on "+args[1], raw, url.Values{})
		}),
	}
	a.addFlags(cmd)
	return cmd
}

func alertDeleteCommand() *cobra.Command {
	var conn connection
	var sure confirmation
	cmd := &cobra.Command{
		Use: "delete ALERT", Short: "Delete an alert", Long: "Deletes an alert, and what it has fired.",
		Example: "  tally alert delete tokens --yes",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			if err := sure.ask(cmd, "This deletes the alert "+oneLine(args[0])+", and what it has fired."); err != nil {
				return err
			}
			if _, err := c.Do(cmd.Context(), tally.Raw{Method: http.MethodDelete, Path: alertPath(args[0]), Repeatable: true}); err != nil {
				return fmt.Errorf("deleting the alert %s: %w", args[0], err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is deleted\n", args[0])
			return nil
		}),
	}
	conn.add(cmd.Flags())
	sure.add(cmd)
	return cmd
}
