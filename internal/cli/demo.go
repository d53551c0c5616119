package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tallystick/tallystick/internal/demo"
	"github.com/tallystick/tallystick/internal/server"
)

func demoCommand() *cobra.Command {
	var f devFlags
	var exit bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Replay a real trace, check the totals, and keep serving",
		Long: "Replays a real trace of requests to a language model as events of a few customers, asks the ready views for the\n" +
			"totals and compares them with totals counted beforehand. Serves until Ctrl-C, unless told to exit; fails when a\n" +
			"total differs.",
		Example: "  tally demo\n  tally demo --exit",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.finish(); err != nil {
				return err
			}
			ctx, stop := context.WithCancel(cmd.Context())
			defer stop()
			return dev(ctx, &f, func(ctx context.Context, s *server.Server) error {
				if err := runDemo(ctx, cmd, s.URL(), f.dataDir); err != nil {
					return err
				}
				if exit {
					stop()
					return nil
				}
				demo.PrintNextSteps(cmd.OutOrStdout(), s.URL())
				go func() {
					if err := demo.Live(ctx, s.URL()); err != nil && ctx.Err() == nil {
						fmt.Fprintln(cmd.ErrOrStderr(), "tally: sending events to demo-live:", err)
					}
				}()
				return nil
			})
		},
	}
	f.add(cmd.Flags())
	f.dataDir += "-demo"
	cmd.Flags().Lookup("data-dir").DefValue = shownDataDir + "-demo"
	cmd.Flags().BoolVar(&exit, "exit", false, "stop when the totals are checked")
	return cmd
}

func runDemo(ctx context.Context, cmd *cobra.Command, url, dataDir string) error {
	err := demo.Run(ctx, demo.Config{URL: url, Out: cmd.OutOrStdout(), Progress: ifTerminal(os.Stderr)})
	if errors.Is(err, demo.ErrDifferent) {
		return fmt.Errorf("%w: something besides the demo has appended events of November 2023 to its logs, or there is a bug; "+
			"remove %s to start afresh", err, dataDir)
	}
	return err
}

// ifTerminal returns the file if it is a terminal, else nil.
func ifTerminal(file *os.File) io.Writer {
	if !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	return file
}
