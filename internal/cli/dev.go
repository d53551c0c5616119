package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tallystick/tallystick/internal/limits"
	"github.com/tallystick/tallystick/internal/postgres"
	"github.com/tallystick/tallystick/internal/server"
)

// devFlags are the flags of a server with its own PostgreSQL.
type devFlags struct {
	serverFlags
	dataDir     string
	postgresBin string
	database    databaseFlags
	noFSync     bool // for a database that is removed at the end
}

func (f *devFlags) add(flags *pflag.FlagSet) {
	f.serverFlags.add(flags, "warn")
	f.addLimits(flags, limits.Values{})
	flags.BoolVar(&f.config.Keys, "keys", false,
		"ask for a key with every request, as tally serve does; then any address may be listened on")
	flags.StringSliceVar(&f.config.AllowHosts, "allow-host", nil, "without --keys: host by which requests may reach the server "+
		"beside localhost and the address itself; may be repeated, or hold commas; * for any")
	flags.StringVar(&f.dataDir, "data-dir", postgres.DefaultDataDir(), "folder of the database, made when missing; below /var/lib for root")
	flags.Lookup("data-dir").DefValue = shownDataDir
	flags.BoolVar(&f.config.AllowRemote, "allow-remote", false, "without --keys: listen on any address; whoever reaches it, may read "+
		"and write everything. For a container, which is reached where its ports are published")
	f.database.add(flags)
	flags.StringVar(&f.postgresBin, "postgres-bin", "", "folder that holds postgres and initdb; found or downloaded when not given")
}

// shownDataDir is the default of --data-dir in help, which is the same on all machines.
const shownDataDir = "~/.local/share/tallystick"

func devCommand() *cobra.Command {
	var f devFlags
	var launch launchFlags
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Serve with a PostgreSQL of its own, for development",
		Long: "Starts a PostgreSQL of its own, which it downloads where none is installed, and a server on it. It asks for no keys, and\n" +
			"may be reached from this machine alone, unless --keys says otherwise.",
		Example: "  tally dev\n  tally dev --listen 127.0.0.1:0 --data-dir ./data",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := errors.Join(f.finish(), launch.finish()); err != nil {
				return err
			}
			ctx := cmd.Context()
			if launch.untilStdinEnds {
				ctx = whileOpen(ctx, cmd.InOrStdin())
			}
			if launch.temporary {
				if f.dataDir, err = temporaryFolder(); err != nil {
					return err
				}
				defer func() { err = errors.Join(err, os.RemoveAll(f.dataDir)) }()
				f.noFSync, f.config.AllowUnsafeDatabase = true, true
			}
			return dev(ctx, &f, func(ctx context.Context, s *server.Server) error {
				if f.config.Keys {
					explainFirstKey(ctx, cmd.ErrOrStderr(), s, "'"+f.config.DatabaseURL+"'")
				}
				if launch.output == formatJSON {
					return printAddress(cmd.OutOrStdout(), s.URL(), f.config.DatabaseURL)
				}
				printWelcome(cmd.OutOrStdout(), s.URL(), f.config.Keys)
				return nil
			})
		},
	}
	f.add(cmd.Flags())
	launch.add(cmd.Flags())
	cmd.MarkFlagsMutuallyExclusive("temporary", "data-dir")
	f.config.WebhookAllow = []string{"127.0.0.0/8", "::1/128"} // receivers that are developed on this machine
	addNetworkFlags(cmd.Flags(), &f.config)
	return cmd
}

func printWelcome(w io.Writer, url string, keys bool) {
	key := ""
	if keys {
		key = ` -H "Authorization: Bearer $TALLY_KEY"`
	}
	fmt.Fprintf(w, `tally dev is ready on %[1]s (API: %[1]s/docs). Try:
  curl%[2]s -X POST %[1]s/logs -d '{"name": "acme"}'
  curl%[2]s -X POST %[1]s/logs/acme/append -d '{"type": "api.call", "model": "gpt-4", "tokens_in": 150, "tokens_out": 420}'
  curl%[2]s -X POST %[1]s/logs/acme/views/monthly-totals -d '{"ready": "monthly_totals"}' && `+
		`curl%[2]s -X POST %[1]s/logs/acme/views/monthly-totals/query
`, url, key)
}

// errPostgresEnded: somebody else shut PostgreSQL down cleanly.
var errPostgresEnded = errors.New("PostgreSQL was shut down by somebody else")

// dev starts PostgreSQL and a server on it, calls started, and serves until ctx ends, the server or PostgreSQL fails, or started returns an
// error. When it returns, both have been stopped.
func dev(ctx context.Context, f *devFlags, started func(context.Context, *server.Server) error) (err error) {
	pg, err := startPostgres(ctx, f)
	if err != nil {
		return err
	}
	defer func() {
		if stopErr := pg.Stop(context.WithoutCancel(ctx)); stopErr != nil {
			err = errors.Join(err, fmt.Errorf("stopping PostgreSQL: %w", stopErr))
		}
	}()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		<-pg.Done()
		if err := pg.Err(); err != nil {
			cancel(err)
		} else {
			cancel(errPostgresEnded)
		}
	}()
	f.config.DatabaseURL, f.config.BootstrapKey = pg.DSN(), os.Getenv(bootstrapKeyEnv)
	if err := f.findSigningKey(); err != nil {
		return err
	}
	err = serve(ctx, f.config, func(s *server.Server) {
		if err := started(ctx, s); err != nil {
			cancel(err)
		}
	})
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// findSigningKey makes a key in the database's folder, unless there is one already or --signing-key names another.
func (f *devFlags) findSigningKey() error {
	if f.config.SigningKeyFile != "" {
		return nil
	}
	f.config.SigningKeyFile = filepath.Join(f.dataDir, "signing.key")
	if _, err := os.Stat(f.config.SigningKeyFile); err == nil {
		return nil
	}
	_, err := makeKey("tally.dev", f.config.SigningKeyFile)
	return err
}

func startPostgres(ctx context.Context, f *devFlags) (*postgres.Server, error) {
	options := postgres.Options{DataDir: f.dataDir, Database: "tally", NoFSync: f.noFSync, Log: f.config.Log}
	if f.noFSync { // the server warns of this setting, which costs nothing where nothing waits for the disk
		options.Settings = map[string]string{"synchronous_commit": "on"}
	}
	if err := f.database.apply(&options); err != nil {
		return nil, err
	}
	if f.postgresBin != "" {
		binaries, err := postgres.Find(ctx, postgres.FindOptions{Dir: f.postgresBin, Log: f.config.Log})
		if err != nil {
			return nil, fmt.Errorf("finding PostgreSQL: %w", err)
		}
		options.Binaries = binaries
	}
	pg, err := postgres.Start(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("starting PostgreSQL: %w", err)
	}
	return pg, nil
}
