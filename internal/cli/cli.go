// Package cli implements the tally command: its subcommands, their flags, and the environment variables for flags.
package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tallystick/tallystick/internal/terminal"
)

// envPrefix is the prefix of the environment variable of every flag: --database-url is TALLY_DATABASE_URL.
const envPrefix = "TALLY_"

// Main runs the command line and returns the exit status. The first interrupt shuts down cleanly, a second one exits at once.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	err := New().ExecuteContext(ctx)
	if err != nil && !errors.Is(err, errReported) {
		fmt.Fprintln(terminal.NewWriter(os.Stderr), "tally:", inCommands(err))
	}
	return statusOf(err)
}

// New returns the command with all below it.
func New() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tally",
		Short: "Usage metering in one binary and PostgreSQL",
		Long: "Tallystick appends events to immutable logs, folds them through WebAssembly views in the same transaction, and\n" +
			"answers queries at once.\n\n" +
			"Every flag can also be set by an environment variable: --database-url by TALLY_DATABASE_URL.",
		Example: "  tally dev                        # a server with a database of its own, to try things out\n" +
			"  tally login                      # keep a server's address and a key in a profile\n" +
			"  tally log create acme\n" +
			"  tally append acme '{\"type\":\"api.call\",\"id\":\"req-17\",\"tokens\":12}'\n" +
			"  tally query acme monthly-totals",
		Version:       Version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return flagsFromEnv(cmd.Flags(), os.LookupEnv)
		},
	}
	// Data that others wrote must not control a terminal. Data that goes elsewhere stays as it is, byte for byte; standard error is for
	// people wherever it goes.
	if ifTerminal(os.Stdout) != nil {
		cmd.SetOut(terminal.NewWriter(os.Stdout))
	}
	cmd.SetErr(terminal.NewWriter(os.Stderr))
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w: %s --help lists the flags", err, cmd.CommandPath())
	})
	addCommands(cmd)
	finishTree(cmd)
	return cmd
}

// flagsFromEnv sets the flags that are not on the command line from the environment.
func flagsFromEnv(flags *pflag.FlagSet, lookup func(string) (string, bool)) error {
	var failures []error
	flags.VisitAll(func(flag *pflag.Flag) {
		name := envName(flag)
		value, ok := lookup(name)
		if !ok || flag.Changed || flag.Name == "help" || flag.Name == "version" {
			return
		}
		flag.Annotations = maps.Clone(flag.Annotations)
		if flag.Annotations == nil {
			flag.Annotations = map[string][]string{}
		}
		flag.Annotations[fromEnvAnnotation] = nil
		if err := flags.Set(flag.Name, value); err != nil {
			failures = append(failures, usagef("%s=%q does not fit --%s: %w", name, value, flag.Name, err))
		}
	})
	return errors.Join(failures...)
}

// fromEnvAnnotation is that of a flag that the environment has set.
const fromEnvAnnotation = "tally_from_env"

// isGiven reports whether a flag is on the command line, and whether the environment has set it.
func isGiven(flags *pflag.FlagSet, name string) (byFlag, byEnvironment bool) {
	flag := flags.Lookup(name)
	_, byEnvironment = flag.Annotations[fromEnvAnnotation]
	return flag.Changed && !byEnvironment, byEnvironment
}

// envAnnotation is the annotation of a flag whose environment variable is not named after the flag.
const envAnnotation = "tally_env"

func envName(flag *pflag.Flag) string {
	if names := flag.Annotations[envAnnotation]; len(names) > 0 {
		return names[0]
	}
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
}

// logFormats are the values of --log-format.
const (
	formatText = "text"
	formatJSON = "json"
)

func newLogger(level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, usagef("--log-level %q is none of debug, info, warn, error", level)
	}
	options := &slog.HandlerOptions{Level: l}
	switch format {
	case formatText:
		return slog.New(slog.NewTextHandler(os.Stderr, options)), nil
	case formatJSON:
		return slog.New(slog.NewJSONHandler(os.Stderr, options)), nil
	}
	return nil, usagef("--log-format %q is none of text, json", format)
}
