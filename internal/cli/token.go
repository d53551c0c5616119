package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func tokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Make tokens for a product's customers",
		Long: "A token is a signed, short-lived right to read or query named logs, made with a key, for a product's customer:\n" +
			"docs/security.md.",
		Example: "  tally token create --scopes query --log acme --expires-in 15m",
	}
	cmd.AddCommand(tokenCreateCommand())
	return cmd
}

func tokenCreateCommand() *cobra.Command {
	var conn connection
	var out printer
	var wanted tally.NewToken
	lifetime := longDuration(15 * time.Minute)
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a token with the key",
		Long: "Makes a token, signed by the secret of --key, that may read or query the named logs and do nothing else, such as for\n" +
			"a customer's page in a browser. It ends when it says, and with the key. A product makes one by POST /tokens each\n" +
			"time it shows the page; this is for trying it out.",
		Example: "  tally token create --scopes query --log acme --view monthly-totals --expires-in 15m --subject 'customer 4711'\n" +
			"  TALLY_KEY=$(tally token create --scopes query,read --log acme) tally events tail acme",
		RunE: conn.withClient(func(cmd *cobra.Command, _ []string, c *tally.Client) error {
			switch {
			case len(wanted.Scopes) == 0:
				return usagef("--scopes is missing: a token is for query, read or both")
			case len(wanted.Logs) == 0:
				return usagef("--log is missing: name the logs that the token is for")
			}
			wanted.Seconds = int64(time.Duration(lifetime) / time.Second)
			if wanted.Seconds == 0 {
				return usagef("--expires-in must be at least 1s")
			}
			token, err := c.CreateToken(cmd.Context(), wanted)
			if err != nil {
				return fmt.Errorf("making a token: %w", err)
			}
			if !out.isText() {
				return tokenTable.one(cmd, &out, token)
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "token to %s %s; it expires at %s\n",
				strings.Join(wanted.Scopes, " and "), strings.Join(wanted.Logs, ", "), moment(&token.ExpiresAt))
			_, err = fmt.Fprintln(cmd.OutOrStdout(), token.Token)
			return err
		}),
	}
	flags := cmd.Flags()
	conn.add(flags)
	flags.StringSliceVar(&wanted.Scopes, "scopes", nil, "what it may do, with a comma between: query, read")
	flags.StringSliceVar(&wanted.Logs, "log", nil, "log that it is for, by name or id; may be repeated, or hold commas")
	flags.StringSliceVar(&wanted.Views, "view", nil, "view that it is for, with query alone; likewise; all of those logs when not given")
	flags.StringVar(&wanted.Subject, "subject", "", "for whom it is, for the record and in the token")
	flags.Var(&lifetime, "expires-in", "how long it is good, such as 15m; at most 24h")
	out.addOutput(cmd)
	return cmd
}

var tokenTable = table[tally.Token]{
	{"token", func(t tally.Token) any { return t.Token }},
	{"expires_at", func(t tally.Token) any { return t.ExpiresAt }},
}
