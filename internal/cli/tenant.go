package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func tenantCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tenant",
		Short: "Make, list, rename, limit, suspend and resume tenants",
		Long: "A tenant owns logs, views, patterns and keys, of which no other tenant can tell that they exist. These commands need\n" +
			"a key with the scope operator; with --tenant every other command acts in one of them by such a key.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	suspended, resumed := true, false
	var ofNew, ofOld ownLimits
	create := tenantDoCommand("create NAME", "Make a tenant",
		"Makes a tenant. It has no keys yet: make its first with --tenant.",
		"  tally tenant create acme\n  tally key create --tenant acme --name admin --scopes append,read,query,deploy,admin",
		func(cmd *cobra.Command, args []string, c *tally.Client) (tally.Tenant, error) {
			return c.CreateTenant(cmd.Context(), args[0], ofNew)
		})
	ofNew.add(create.Flags(), "TALLY_TENANT_LIMIT", tenantLimitUsage)
	limit := tenantDoCommand("limit TENANT", "Give a tenant limits of its own, instead of the servers' defaults",
		"Gives a tenant limits of its own. Those that --limit does not name are the servers' defaults again.",
		"  tally tenant limit acme --limit events_per_second=5000,streams=100\n  tally tenant limit acme   # the defaults again",
		func(cmd *cobra.Command, args []string, c *tally.Client) (tally.Tenant, error) {
			return c.UpdateTenant(cmd.Context(), args[0], tally.TenantUpdate{Limits: (*map[string]int64)(&ofOld)})
		})
	ofOld.add(limit.Flags(), "TALLY_TENANT_LIMIT", tenantLimitUsage)
	cmd.AddCommand(
		tenantListCommand(), create, limit,
		tenantDoCommand("show TENANT", "Describe a tenant", "", "  tally tenant show acme",
			func(cmd *cobra.Command, args []string, c *tally.Client) (tally.Tenant, error) {
				return c.GetTenant(cmd.Context(), args[0])
			}),
		tenantDoCommand("rename TENANT NAME", "Give a tenant another name", "", "  tally tenant rename acme acme-europe",
			func(cmd *cobra.Command, args []string, c *tally.Client) (tally.Tenant, error) {
				return c.UpdateTenant(cmd.Context(), args[0], tally.TenantUpdate{Name: &args[1]})
			}),
		tenantDoCommand("suspend TENANT", "Have a tenant append nothing more",
			"Has a tenant append nothing more, on every server within a second: its appends and new logs are refused. Reading and\n"+
				"querying go on.", "  tally tenant suspend acme",
			func(cmd *cobra.Command, args []string, c *tally.Client) (tally.Tenant, error) {
				return c.UpdateTenant(cmd.Context(), args[0], tally.TenantUpdate{Suspended: &suspended})
			}),
		tenantDoCommand("resume TENANT", "Have a suspended tenant append again", "", "  tally tenant resume acme",
			func(cmd *cobra.Command, args []string, c *tally.Client) (tally.Tenant, error) {
				return c.UpdateTenant(cmd.Context(), args[0], tally.TenantUpdate{Suspended: &resumed})
			}))
	return cmd
}

const tenantLimitUsage = "a limit of its own, such as events_per_second=5000; 0 for none; may be repeated, or hold commas; " +
	"see docs/api.md, Limits of tenants and keys"

// tenantDoCommand is a command that does something with one tenant, and then describes it.
func tenantDoCommand(
	use, short, long, example string, do func(*cobra.Command, []string, *tally.Client) (tally.Tenant, error),
) *cobra.Command {
	var conn connection
	var asJSON bool
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example, Args: checkArguments,
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			tenant, err := do(cmd, args, c)
			if err != nil {
				return fmt.Errorf("tenant %s: %w", args[0], err)
			}
			if asJSON {
				return writeIndented(cmd.OutOrStdout(), tenant)
			}
			return writeTable(cmd.OutOrStdout(), tenantRows([]tally.Tenant{tenant}))
		}),
	}
	conn.add(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func tenantListCommand() *cobra.Command {
	var conn connection
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List tenants by name", Example: "  tally tenant list", Args: checkArguments,
		RunE: conn.withClient(func(cmd *cobra.Command, _ []string, c *tally.Client) error {
			tenants, err := c.ListTenants(cmd.Context())
			if err != nil {
				return fmt.Errorf("listing tenants: %w", err)
			}
			if asJSON {
				return writeIndented(cmd.OutOrStdout(), tenants)
			}
			return writeTable(cmd.OutOrStdout(), tenantRows(tenants))
		}),
	}
	conn.add(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func tenantRows(tenants []tally.Tenant) [][]string {
	rows := [][]string{{"TENANT", "ID", "STATE", "SINCE", "LIMITS"}}
	for _, t := range tenants {
		state, since := "active", &t.CreatedAt
		if t.Suspended {
			state, since = "suspended", t.SuspendedAt
		}
		rows = append(rows, []string{t.Name, t.TenantID, state, moment(since), describeLimits(t.Limits)})
	}
	return rows
}
