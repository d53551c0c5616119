package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/db"
)

func maintainCommand() *cobra.Command {
	var url string
	cmd := &cobra.Command{
		Use:   "maintain",
		Short: "Make and freeze the partitions of events, as their owner",
		Long: "Makes the partitions of the months to come, gives events in the default partition a partition of their own, and\n" +
			"freezes the partitions of months that have passed. A running server does the first, and the third where its\n" +
			"login owns the tables. Running it again does no harm.",
		Example: "  tally maintain --database-url postgres://tally_owner@db.internal/tally",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if url == "" {
				return usagef("--database-url is missing: say which PostgreSQL database to maintain, as the login that owns its tables")
			}
			return maintain(cmd.Context(), url, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&url, "database-url", "",
		"PostgreSQL connection string of the login that owns the tables: a URL or key=value pairs")
	return cmd
}

// maintain does what is due, reports it on out, and continues after a step that failed.
func maintain(ctx context.Context, url string, out io.Writer) error {
	m, err := db.NewMaintainer(ctx, url)
	if err != nil {
		return fmt.Errorf("maintaining the database: %w", err)
	}
	defer m.Close(context.WithoutCancel(ctx))
	adopted, adopting := m.AdoptDefault(ctx)
	if adopted != "" {
		fmt.Fprintln(out, "the events of the default partition are the partition", adopted)
	}
	made, making := m.MakePartitions(ctx)
	if making == nil {
		fmt.Fprintln(out, "partitions made ahead:", made)
	}
	return errors.Join(adopting, making, freezeAll(ctx, m, out))
}

func freezeAll(ctx context.Context, m *db.Maintainer, out io.Writer) error {
	waiting, err := m.ToFreeze(ctx)
	if err != nil {
		return err
	}
	var failures []error
	for _, partition := range waiting {
		began := time.Now()
		frozen, err := m.Freeze(ctx, partition)
		switch {
		case err != nil:
			return errors.Join(append(failures, err)...)
		case frozen:
			fmt.Fprintf(out, "froze %s in %v\n", partition, time.Since(began).Round(time.Millisecond))
		default:
			failures = append(failures, fmt.Errorf("%s is not frozen yet: a transaction that began before the month's end is still open "+
				"(see pg_stat_activity and pg_prepared_xacts); run this again after it", partition))
		}
	}
	if len(waiting) == 0 {
		fmt.Fprintln(out, "nothing to freeze")
	}
	return errors.Join(failures...)
}
