package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tallystick/tallystick/internal/analyst"
)

func analystCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "analyst",
		Short: "Make, list and revoke logins that read one tenant's rows by SQL",
		Long: "An analyst is a login of PostgreSQL that reads the rows of one tenant: docs/sql.md. These commands ask the database\n" +
			"itself, as the login that owns it.",
		Example: "  tally analyst list --database-url postgres://tally_owner@db.internal/tally",
	}
	cmd.AddCommand(analystCreateCommand(), analystListCommand(), analystRevokeCommand())
	return cmd
}

// analystFlags are the flags that the commands of analysts have in common.
type analystFlags struct{ url, tenant, login, actor string }

func (f *analystFlags) add(flags *pflag.FlagSet, tenant string) {
	flags.StringVar(&f.url, "database-url", "",
		"PostgreSQL connection string of the login that owns the database: a URL or key=value pairs")
	flags.StringVar(&f.tenant, "tenant", tenant, "the tenant whose rows the analyst sees")
}

func (f *analystFlags) addLogin(flags *pflag.FlagSet) {
	f.add(flags, "default")
	flags.StringVar(&f.login, "name", "", "the login: lower-case letters, digits and underscores")
	addActor(flags, &f.actor)
}

// with runs a function on the database.
func (f *analystFlags) with(ctx context.Context, run func(*analyst.Manager) error) error {
	if f.url == "" {
		return usagef("--database-url is missing: say which PostgreSQL database, as the login that owns it")
	}
	m, err := analyst.Open(ctx, f.url, f.actor)
	if err != nil {
		return err
	}
	defer m.Close(context.WithoutCancel(ctx))
	return run(m)
}

func analystCreateCommand() *cobra.Command {
	var flags analystFlags
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a login that reads the rows of one tenant",
		Long: "Makes a login that reads the views of schema tenant_reporting, with the rows of its tenant, and nothing else. Its\n" +
			"password is shown once and kept nowhere: PostgreSQL gets what it checks passwords by. The login in use has to own the\n" +
			"database and may have to make logins (CREATEROLE); where it may not, the statements for an administrator are shown.",
		Example: "  tally analyst create --database-url postgres://tally_owner@db.internal/tally --tenant acme --name acme_ann",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.with(cmd.Context(), func(m *analyst.Manager) error {
				password, err := m.Create(cmd.Context(), flags.tenant, flags.login)
				var administrator *analyst.AdministratorError
				if errors.As(err, &administrator) {
					password = administrator.Password
				}
				if password != "" {
					fmt.Fprintf(cmd.OutOrStdout(), "login:    %s\npassword: %s\n", flags.login, password)
				}
				if err == nil && password == "" {
					fmt.Fprintf(cmd.OutOrStdout(), "login:    %s, with the password that it has\n", flags.login)
				}
				return err
			})
		},
	}
	flags.addLogin(cmd.Flags())
	return cmd
}

func analystListCommand() *cobra.Command {
	var flags analystFlags
	var out printer
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the logins that read one tenant's rows",
		Example: "  tally analyst list --database-url postgres://tally_owner@db.internal/tally --tenant acme",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.with(cmd.Context(), func(m *analyst.Manager) error {
				return analystTable.list(cmd, &out, seqOf(m.List(cmd.Context(), flags.tenant)))
			})
		},
	}
	flags.add(cmd.Flags(), "")
	cmd.Flags().Lookup("tenant").Usage = "the tenant whose analysts are listed; those of all tenants if it is empty"
	out.addOutput(cmd)
	return cmd
}

var analystTable = table[analyst.Analyst]{
	{"login", func(a analyst.Analyst) any { return a.Login }},
	{"tenant", func(a analyst.Analyst) any { return a.Tenant }},
	{"created_at", func(a analyst.Analyst) any { return a.CreatedAt }},
	{"created_by", func(a analyst.Analyst) any { return a.CreatedBy }},
	{remarkColumn, func(a analyst.Analyst) any {
		if a.CanLogIn {
			return remark("")
		}
		return remark("cannot log in: revoke it")
	}},
}

func analystRevokeCommand() *cobra.Command {
	var flags analystFlags
	var sure confirmation
	cmd := &cobra.Command{
		Use:     "revoke",
		Short:   "End an analyst's sessions and drop the login",
		Example: "  tally analyst revoke --database-url postgres://tally_owner@db.internal/tally --tenant acme --name acme_ann --yes",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := sure.ask(cmd, fmt.Sprintf("This drops the login %s, with what it made.", flags.login)); err != nil {
				return err
			}
			return flags.with(cmd.Context(), func(m *analyst.Manager) error {
				if err := m.Revoke(cmd.Context(), flags.tenant, flags.login); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), "the login", flags.login, "is gone")
				return nil
			})
		},
	}
	flags.addLogin(cmd.Flags())
	sure.add(cmd)
	return cmd
}
