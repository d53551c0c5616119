package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/bench"
)

func benchCommand() *cobra.Command {
	var config bench.Config
	var jsonFile, logLevel string
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure this machine beside bare COPY and by-hand SQL",
		Long: "Measures appends, batches, queries, memory and views, beside bare COPY and beside the SQL that people write by\n" +
			"hand, all on the same PostgreSQL with fsync on. It starts a PostgreSQL and a server of its own and removes both\n" +
			"afterwards. On another PostgreSQL server it makes a database of its own and drops it; do not use a server that\n" +
			"has other work to do.",
		Example: "  tally bench --quick\n  tally bench --rows one-log,batches --rounds 3 --report report.json",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if config.Quick {
				if !cmd.Flags().Changed("duration") {
					config.Duration = bench.QuickDuration
				}
				if !cmd.Flags().Changed("rounds") {
					config.Rounds = bench.QuickRounds
				}
			}
			if config.Log, err = newLogger(logLevel, formatText); err != nil {
				return err
			}
			if config.Program, err = os.Executable(); err != nil {
				return fmt.Errorf("finding this program, to run the server: %w", err)
			}
			config.Version, config.Progress = Version(), cmd.ErrOrStderr()
			report, err := bench.Run(cmd.Context(), config)
			if err != nil {
				return err
			}
			if jsonFile != "" {
				if err := writeJSON(jsonFile, report); err != nil {
					return err
				}
			}
			return report.WriteTable(cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&config.Rows, "rows", nil, "rows to measure: "+strings.Join(bench.RowNames(), ", ")+"; all when not given")
	flags.DurationVar(&config.Duration, "duration", bench.DefaultDuration, "time of one measurement in one round")
	flags.IntVar(&config.Rounds, "rounds", bench.DefaultRounds, "how often each is measured; medians are reported")
	flags.BoolVar(&config.Quick, "quick", false, "a smoke run of half a minute, with small sizes and no verdicts")
	flags.StringVar(&jsonFile, "report", "", "file to write the report to as JSON")
	flags.StringVar(&config.DataDir, "data-dir", "",
		"folder in which a temporary one is made for the database; the system's when not given")
	flags.StringVar(&config.PostgresBin, "postgres-bin", "", "folder that holds postgres and initdb; found or downloaded when not given")
	flags.StringVar(&config.DatabaseURL, "database-url", "",
		"PostgreSQL server to use in place of one of its own; the role must be allowed to create databases")
	flags.StringVar(&config.Pipeline, "kafka", "",
		"folder of the Kafka pipeline that make bench-kafka makes; measures the rows beside it, and no others")
	flags.StringVar(&logLevel, "log-level", "warn", "least level to log: debug, info, warn, error")
	return cmd
}

func writeJSON(file string, report *bench.Report) error {
	content, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(content, '\n'), 0o644) //nolint:gosec // a report is no secret
}
