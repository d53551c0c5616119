package cli

import (
	"context"
	"fmt"
	"iter"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func tenantCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tenant",
		Short: "Make, list, update, suspend and resume tenants",
		Long: "A tenant owns logs, views, patterns and keys, of which no other tenant can tell that they exist. These commands need\n" +
			"a key with the scope operator; with --tenant every other command acts in one of them by such a key.",
		Example: "  tally tenant create acme\n  tally tenant list",
	}
	suspended, resumed := true, false
	var sure confirmation
	suspend := tenantDoCommand("suspend TENANT", "Have a tenant append nothing more",
		"Has a tenant append nothing more, on every server within a second: its appends and new logs are refused. Reading and\n"+
			"querying go on.", "  tally tenant suspend acme --yes",
		func(cmd *cobra.Command, args []string, c *tally.Client) (tally.Tenant, error) {
			if err := sure.ask(cmd, fmt.Sprintf("This has the servers refuse what is appended for %s.", oneLine(args[0]))); err != nil {
				return tally.Tenant{}, err
			}
			return c.UpdateTenant(cmd.Context(), args[0], tally.TenantUpdate{Suspended: &suspended})
		})
	sure.add(suspend)
	resume := tenantDoCommand("resume TENANT", "Have a suspended tenant append again", "", "  tally tenant resume acme",
		func(cmd *cobra.Command, args []string, c *tally.Client) (tally.Tenant, error) {
			return c.UpdateTenant(cmd.Context(), args[0], tally.TenantUpdate{Suspended: &resumed})
		})
	show := tenantDoCommand("show TENANT", "Describe a tenant", "", "  tally tenant show acme",
		func(cmd *cobra.Command, args []string, c *tally.Client) (tally.Tenant, error) {
			return c.GetTenant(cmd.Context(), args[0])
		})
	cmd.AddCommand(tenantCreateCommand(), tenantListCommand(), show, tenantUpdateCommand(), suspend, resume)
	return cmd
}

const tenantLimitUsage = "a limit of its own, such as events_per_second=5000; 0 for none; may be repeated, or hold commas; " +
	"see docs/api.md, Limits of tenants and keys"

func tenantCreateCommand() *cobra.Command {
	var own ownLimits
	create := tenantDoCommand("create TENANT", "Make a tenant",
		"Makes a tenant. It has no keys yet: make its first with --tenant.",
		"  tally tenant create acme\n  tally key create --tenant acme --name admin --scopes append,read,query,deploy,admin",
		func(cmd *cobra.Command, args []string, c *tally.Client) (tally.Tenant, error) {
			return c.CreateTenant(cmd.Context(), args[0], own)
		})
	own.add(create.Flags(), "TALLY_TENANT_LIMIT", tenantLimitUsage)
	return create
}

func tenantUpdateCommand() *cobra.Command {
	var own ownLimits
	var name string
	var defaults bool
	update := tenantDoCommand("update TENANT", "Give a tenant another name, or limits of its own",
		"Changes what flags name, and nothing else. The limits that --limit names are all that the tenant has of its own from\n"+
			"then on, and the servers' defaults hold for the others; --default-limits takes all of its own away.",
		"  tally tenant update acme --name acme-europe\n"+
			"  tally tenant update acme-europe --limit events_per_second=5000,streams=100\n"+
			"  tally tenant update acme-europe --default-limits",
		func(cmd *cobra.Command, args []string, c *tally.Client) (tally.Tenant, error) {
			var change tally.TenantUpdate
			if cmd.Flags().Changed("name") {
				change.Name = &name
			}
			if defaults || len(own) > 0 {
				change.Limits = (*map[string]int64)(&own)
			}
			switch {
			case defaults && len(own) > 0:
				return tally.Tenant{}, usagef("--limit and --default-limits both say which limits it has: give one of them")
			case change == tally.TenantUpdate{}:
				return tally.Tenant{}, usagef("there is nothing to change: --name, --limit or --default-limits says what")
			}
			return c.UpdateTenant(cmd.Context(), args[0], change)
		})
	update.Flags().StringVar(&name, "name", "", "another name")
	update.Flags().BoolVar(&defaults, "default-limits", false, "no limits of its own: the servers' defaults")
	own.add(update.Flags(), "TALLY_TENANT_LIMIT", tenantLimitUsage)
	return update
}

// tenantDoCommand is a command that does something with one tenant, and then describes it.
func tenantDoCommand(
	use, short, long, example string, do func(*cobra.Command, []string, *tally.Client) (tally.Tenant, error),
) *cobra.Command {
	var conn connection
	var out printer
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example,
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			tenant, err := do(cmd, args, c)
			if err != nil {
				return fmt.Errorf("tenant %s: %w", args[0], err)
			}
			return tenantTable.one(cmd, &out, tenant)
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	return cmd
}

func tenantListCommand() *cobra.Command {
	return listCommand(listing[tally.Tenant]{
		use: "list", short: "List tenants by name", example: "  tally tenant list\n  tally tenant list --all --output csv",
		what: "listing tenants", table: tenantTable,
		find: func(ctx context.Context, _ []string, c *tally.Client) iter.Seq2[tally.Tenant, error] {
			return c.Tenants(ctx)
		},
	})
}

var tenantTable = table[tally.Tenant]{
	{"name", func(t tally.Tenant) any { return t.Name }},
	{"tenant_id", func(t tally.Tenant) any { return t.TenantID }},
	{"state", func(t tally.Tenant) any {
		if t.Suspended {
			return state("suspended")
		}
		return state("active")
	}},
	{"since", func(t tally.Tenant) any {
		if t.Suspended {
			return t.SuspendedAt
		}
		return t.CreatedAt
	}},
	{"limits", func(t tally.Tenant) any { return describeLimits(t.Limits) }},
}
