package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/db"
)

func migrateCommand() *cobra.Command {
	var (
		url         string
		allowUnsafe bool
	)
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring a PostgreSQL database to the newest schema, as its owner",
		Long: "Migrate brings a PostgreSQL database to the schema that this tally needs, with the rights of the login. The\n" +
			"servers can then log in as somebody who owns nothing and is only a member of tally_server.",
		Example: "  tally migrate --database-url postgres://tally_owner@db.internal/tally",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if url == "" {
				return usagef("--database-url is missing: say which PostgreSQL database to migrate, as the login that owns it")
			}
			if err := db.Check(cmd.Context(), url, allowUnsafe); err != nil {
				return err
			}
			if err := db.Migrate(cmd.Context(), url); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "the database has the newest schema")
			return nil
		},
	}
	cmd.Flags().StringVar(&url, "database-url", "", "PostgreSQL connection string of the owner: a URL or key=value pairs")
	cmd.Flags().BoolVar(&allowUnsafe, "allow-unsafe-database", false,
		"accept a database with fsync or full_page_writes off, which can lose acknowledged events in a crash")
	return cmd
}
