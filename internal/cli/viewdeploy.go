package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/terminal"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// viewDeploy is a run of tally view deploy, or of tally view pattern deploy.
type viewDeploy struct {
	connection
	module, ready string
	config        string
	gas           int64
	wait          bool
	out           printer
}

func viewDeployCommand() *cobra.Command {
	var run viewDeploy
	cmd := &cobra.Command{
		Use:   "deploy LOG VIEW",
		Short: "Deploy a view on a log",
		Long: "Deploys a module as the newest version of a view, and waits until it is live: it is built from the log's history\n" +
			"while the version before goes on answering. Fails when the view halts over an event of the history. The same again\n" +
			"changes nothing. For all logs whose names match a pattern there is tally view pattern deploy.",
		Example: "  tally view deploy acme monthly-totals --ready monthly_totals\n" +
			"  tally view deploy acme my-totals --module view.wasm",
		RunE: func(cmd *cobra.Command, args []string) error {
			return run.run(cmd, args[1], func(c *tally.Client, deployment tally.Deployment) error {
				deployed, err := c.DeployView(cmd.Context(), args[0], args[1], deployment)
				if err != nil {
					return fmt.Errorf("deploying %s on %s: %w", args[1], args[0], err)
				}
				return awaitVersion(cmd, c, args[0], deployed, run.wait, &run.out)
			})
		},
	}
	run.flags(cmd)
	return cmd
}

func viewPatternDeployCommand() *cobra.Command {
	var run viewDeploy
	var logs string
	cmd := &cobra.Command{
		Use:   "deploy VIEW",
		Short: "Deploy a view on all logs whose names match a pattern",
		Long: "Deploys a module as the newest version of a view on every log whose name matches the pattern (* stands for any\n" +
			"characters), those that come later too, and waits until it is live on those that there are.",
		Example: "  tally view pattern deploy costs --logs 'customer-*' --ready cost_by_team --config @prices.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			return run.run(cmd, args[0], func(c *tally.Client, deployment tally.Deployment) error {
				deployed, err := c.DeployViewPattern(cmd.Context(), args[0], deployment, &tally.DeployViewPatternOptions{Logs: logs})
				if err != nil {
					return fmt.Errorf("deploying %s: %w", args[0], err)
				}
				return awaitPattern(cmd, c, deployed, run.wait, &run.out)
			})
		},
	}
	run.flags(cmd)
	cmd.Flags().StringVar(&logs, "logs", "",
		"pattern of names of logs, such as 'customer-*'; the view's own when it is not given and there is one")
	return cmd
}

func (d *viewDeploy) flags(cmd *cobra.Command) {
	d.flagsOfView(cmd)
	cmd.Flags().BoolVar(&d.wait, "wait", true, "wait until the view is live; --wait=false leaves it building")
}

// flagsOfView say what is deployed, and how it is printed.
func (d *viewDeploy) flagsOfView(cmd *cobra.Command) {
	flags := cmd.Flags()
	d.add(flags)
	flags.StringVar(&d.module, "module", "",
		"file of the module, or the SHA-256 of one that was uploaded; "+defaultModule+" when neither this nor --ready is given")
	flags.StringVar(&d.ready, "ready", "",
		"`READY` view to deploy, such as meter, or meter@1 for its first version; tally view ready lists them")
	flags.StringVar(&d.config, "config", "", "the view's configuration: JSON, or @file")
	flags.Int64Var(&d.gas, "gas", 0, "what folding one event may take; the server's own budget when not given")
	d.out.addOutput(cmd)
}

// run has deploy deploy what the flags say, once the server has its module.
func (d *viewDeploy) run(
	cmd *cobra.Command, view string, deploy func(*tally.Client, tally.Deployment) error,
) error {
	deployment, err := d.deployment()
	if err != nil {
		return err
	}
	c, err := d.open(cmd)
	if err != nil {
		return err
	}
	defer c.Close()
	if deployment.Module, err = d.uploaded(cmd.Context(), c); err != nil {
		return fmt.Errorf("uploading the module of %s: %w", view, err)
	}
	return deploy(c, deployment)
}

// deployment returns what is to be deployed, without its module.
func (d *viewDeploy) deployment() (deployment tally.Deployment, err error) {
	if d.ready != "" && d.module != "" {
		return deployment, usagef("give either --module or --ready")
	}
	config, err := readConfig(d.config)
	if err != nil {
		return deployment, err
	}
	if d.gas < 0 {
		return deployment, usagef("--gas %d is no budget: it must be above 0", d.gas)
	}
	deployment.Ready, deployment.Gas = d.ready, d.gas
	if len(config) > 0 {
		deployment.Config = config
	}
	return deployment, nil
}

// uploaded returns the SHA-256 of the module, which the server then has; "" for a ready view.
func (d *viewDeploy) uploaded(ctx context.Context, c *tally.Client) (string, error) {
	switch {
	case d.ready != "":
		return "", nil
	case d.module != "" && isDigest(d.module):
		return d.module, nil
	}
	code, err := readModule(cmp.Or(d.module, defaultModule))
	if err != nil {
		return "", err
	}
	put, err := c.UploadModule(ctx, code)
	return put.Module, err
}

// awaitVersion prints the status of a version that was just requested. With wait, it first waits until the version is live. It fails if the
// version halts.
func awaitVersion(cmd *cobra.Command, c *tally.Client, log string, v tally.View, wait bool, out *printer) error {
	if v.Status == tally.Building && wait {
		var err error
		if v, err = follow(cmd.Context(), cmd, c, log, v); err != nil {
			return err
		}
	}
	switch v.Status {
	case tally.Live, tally.Building:
		return viewTable.oneAs(cmd, out, v, func(w io.Writer) error {
			how := fmt.Sprintf("live on %s, with %s events folded", log, thousands(v.Applied))
			if v.Status == tally.Building {
				how = fmt.Sprintf("building on %s: tally view list %s says how far it is", log, log)
			}
			_, err := fmt.Fprintf(w, "%s version %d is %s\n", v.Name, v.Version, how)
			return err
		})
	case tally.Halted:
		return fmt.Errorf("%s version %d halted on %s at event %d: %s; a version that was live before goes on answering. "+
			"Deploy a corrected version, or go on past the event with tally view resume %s %s --skip", v.Name, v.Version, log,
			v.HaltedSequence, terminal.Line(v.Error), log, v.Name)
	default:
		return fmt.Errorf("%s version %d is %s on %s: another version was asked for meanwhile", v.Name, v.Version, v.Status, log)
	}
}

// follow shows the progress of a version until it is no longer building.
func follow(ctx context.Context, cmd *cobra.Command, c *tally.Client, log string, v tally.View) (tally.View, error) {
	shown := newProgress(fmt.Sprintf("%s version %d", v.Name, v.Version), ifTerminal(os.Stderr), cmd.ErrOrStderr())
	defer shown.finish()
	err := poll(ctx, func(ctx context.Context) (done bool, err error) {
		found, err := c.GetView(ctx, log, v.Name)
		if tally.IsCode(err, "view_retired") {
			err = nil
		}
		if err != nil {
			return false, err
		}
		versions := found.Versions()
		i := slices.IndexFunc(versions, func(other tally.View) bool { return other.Version == v.Version })
		if i < 0 {
			v.Status = tally.Retired
			return true, nil
		}
		v = versions[i]
		shown.set(buildState(v))
		return v.Status != tally.Building, nil
	})
	if errors.Is(err, context.Canceled) {
		return v, fmt.Errorf("no longer waiting: the server goes on building %s, and tally view list %s says how far it is", v.Name, log)
	}
	return v, err
}
