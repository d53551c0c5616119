package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/limits"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/server"
)

// serverFlags are the flags that dev and serve share.
type serverFlags struct {
	config              server.Config
	logLevel, logFormat string
	logRequests         bool
}

func (f *serverFlags) add(flags *pflag.FlagSet, logLevel string) {
	f.config = server.DefaultConfig()
	f.config.Version = Version()
	c := &f.config
	flags.StringVar(&c.Listen, "listen", c.Listen, "address to serve on, host:port")
	flags.StringSliceVar(&c.Origins, "cors-origin", nil,
		"origin whose pages may read answers in browsers, with a token, such as https://app.example.com; "+
			"may be repeated, or hold commas; * for any")
	flags.BoolVar(&c.NoDashboard, "no-dashboard", false, "serve no dashboard at /; /docs, and what products embed, stay")
	flags.StringVar(&c.ModuleCacheDir, "module-cache-dir", defaultModuleCacheDir(),
		"folder that keeps compiled modules between runs; empty for memory only")
	flags.Lookup("module-cache-dir").DefValue = "~/.cache/tallystick/modules" // help is the same on all machines
	flags.StringVar(&c.SigningKeyFile, "signing-key", c.SigningKeyFile,
		"file with the key that signs checkpoints, as tally keygen makes it")
	flags.Int64Var(&c.MemoryLimit, "memory-limit", 0,
		"memory of the server, in bytes, at which it answers 503; 0 for three quarters of its control group's, or half of the machine's")
	flags.IntVar(&c.StateCacheBytes, "state-cache-bytes", 0,
		"memory for logs' heads and view state, in bytes; 0 for 3/32 of the memory limit, 256 MiB at most")
	flags.Int64Var(&c.FoldGas, "fold-gas", c.FoldGas, "budget of one event's fold, in units of gas, for views deployed without their own")
	flags.Int64Var(&c.QueryGas, "query-gas", c.QueryGas, "budget of one query of a view, in units of gas")
	flags.IntVar(&c.Lanes, "lanes", c.Lanes, "group-commit loops, each with one database connection")
	flags.IntVar(&c.ReadConns, "read-connections", c.ReadConns, "database connections for queries, reads and builds")
	flags.IntVar(&c.MaxWaitingEvents, "max-waiting-events", c.MaxWaitingEvents,
		"events that may wait in one lane before more are refused with 503")
	flags.IntVar(&c.MaxWaitingBytes, "max-waiting-bytes", c.MaxWaitingBytes,
		"bytes of events that may wait in one lane before more are refused with 503")
	flags.DurationVar(&c.MaxEventAhead, "max-event-ahead", 0, "how far ahead of now the time of a new event may be, such as 24h; 0 for any")
	flags.DurationVar(&c.ShutdownTimeout, "shutdown-timeout", c.ShutdownTimeout,
		"how long stopping may take; requests under way have three quarters of it, and are then refused")
	flags.StringVar(&c.OpsListen, "ops-listen", "",
		"address on loopback to serve metrics and profiles on, such as 127.0.0.1:9464; empty for none")
	flags.StringVar(&f.logLevel, "log-level", logLevel, "least level to log: debug, info, warn, error")
	flags.StringVar(&f.logFormat, "log-format", formatText, "how to log: text, json")
	flags.BoolVar(&f.logRequests, "log-requests", false, "log a line for each request, whatever the least level")
}

func (f *serverFlags) finish() (err error) {
	if f.config.Log, err = newLogger(f.logLevel, f.logFormat); err != nil || !f.logRequests {
		return err
	}
	f.config.RequestLog, err = newLogger("info", f.logFormat)
	return err
}

func defaultModuleCacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "tallystick", "modules")
}

func serveCommand() *cobra.Command {
	var f serverFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve on a PostgreSQL database of yours",
		Long: "Serves the API on a PostgreSQL database, which it brings to the newest schema where its login may. Every request needs a\n" +
			"key. Several servers may serve one database. docs/operations.md has what there is to set.",
		Example: "  tally serve --database-url postgres://tally@db.internal/tally\n" +
			"  TALLY_DATABASE_URL=postgres://tally@db.internal/tally tally serve --listen :8080 --log-format json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.finish(); err != nil {
				return err
			}
			f.config.Keys, f.config.BootstrapKey = true, os.Getenv(bootstrapKeyEnv)
			return serve(cmd.Context(), f.config, func(s *server.Server) {
				fmt.Fprintln(cmd.OutOrStdout(), "tally is serving on", s.URL())
				explainFirstKey(cmd.Context(), cmd.ErrOrStderr(), s, "…")
			})
		},
	}
	f.add(cmd.Flags(), "info")
	addNetworkFlags(cmd.Flags(), &f.config)
	f.addLimits(cmd.Flags(), limits.Defaults())
	cmd.Flags().StringVar(&f.config.DatabaseURL, "database-url", "", "PostgreSQL connection string: a URL or key=value pairs")
	cmd.Flags().BoolVar(&f.config.AllowUnsafeDatabase, "allow-unsafe-database", false,
		"accept a database with fsync or full_page_writes off, which can lose acknowledged events in a crash")
	return cmd
}

// bootstrapKeyEnv holds a key that a server makes when it starts. There is no such flag: other users of the machine can read those.
const bootstrapKeyEnv = envPrefix + "BOOTSTRAP_KEY"

// explainFirstKey says how to make a key where there is none that could make others: every request is refused until then. databaseURL is
// shown, so it must hold no password.
func explainFirstKey(ctx context.Context, w io.Writer, s *server.Server, databaseURL string) {
	if has, err := s.HasKeys(ctx); err != nil || has {
		return
	}
	fmt.Fprintf(w, "There is no key yet, so every request is refused. "+
		"Make the first one, on a machine that reaches the database:\n"+
		"  tally key create --database-url %s --name admin --scopes append,read,query,deploy,admin,operator\n"+
		"or start the server with %s in its environment, as tally key generate prints it.\n", databaseURL, bootstrapKeyEnv)
}

// limitMemory has the collector keep the heap within its share of the limit; far below it, only pacing matters. GOGC and GOMEMLIMIT in the
// environment override them.
func limitMemory(config *server.Config) {
	if os.Getenv("GOGC") == "" {
		memory.PaceCollector()
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(config.Memory().Shares().Heap)
	}
}

// serve runs a server until ctx ends or it fails. It calls started once the server accepts requests.
func serve(ctx context.Context, config server.Config, started func(*server.Server)) error {
	limitMemory(&config)
	s, err := server.Start(ctx, config)
	if err != nil {
		return err
	}
	started(s)
	select {
	case <-ctx.Done():
		return s.Stop(context.WithoutCancel(ctx))
	case err := <-s.Failed():
		_ = s.Stop(context.WithoutCancel(ctx)) // err is the cause
		return err
	}
}

func openAPICommand() *cobra.Command {
	return &cobra.Command{
		Use:     "openapi",
		Short:   "Print the API's OpenAPI 3.1 description",
		Example: "  tally openapi > openapi.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			spec, err := api.OpenAPI()
			if err != nil {
				return fmt.Errorf("describing the API: %w", err)
			}
			_, err = cmd.OutOrStdout().Write(spec)
			return err
		},
	}
}
