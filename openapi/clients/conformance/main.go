// Command conformance tries an SDK on a real server, through proxies that lose, cut and refuse, and judges what it did by its own reading
// of the server's logs and of the requests that came. README.md has the form of the cases, and what an SDK's runner has to do.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

// runnerPatience turns a runner that hangs into a failure.
const runnerPatience = 20 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop is called
	}
}

func run(ctx context.Context) error {
	var o Options
	var only, dir string
	var keep bool
	flag.StringVar(&o.Root, "root", ".", "top folder of the repository")
	flag.StringVar(&o.Program, "tally", "", "the tally command; built from this repository when not given")
	flag.StringVar(&o.UserAgent, "user-agent", "", "what the requests' User-Agent must begin with")
	flag.StringVar(&only, "only", "", "regular expression: only cases whose name it matches")
	flag.StringVar(&dir, "dir", "", "folder to run the runner in")
	flag.BoolVar(&keep, "keep", false, "let the server run until Ctrl-C, and print the runner's environment")
	flag.Parse()
	if flag.NArg() == 0 && !keep {
		return errors.New("no runner was named: conformance [flags] -- COMMAND [ARGUMENT …]")
	}
	var err error
	if o.Only, err = regexp.Compile(only); err != nil {
		return fmt.Errorf("--only: %w", err)
	}
	stand, err := Start(ctx, o)
	if err != nil {
		return err
	}
	defer func() { _ = stand.Close() }() // what it started ends with this process
	if keep {
		for _, setting := range stand.Environment() {
			fmt.Println("export '" + setting + "'")
		}
		<-ctx.Done()
		return nil
	}
	ran := runRunner(ctx, dir, flag.Args(), stand.Environment())
	found, err := stand.Judge(context.WithoutCancel(ctx))
	if err != nil {
		return errors.Join(ran, err)
	}
	for _, finding := range found {
		fmt.Println("FAIL", finding)
	}
	if ran != nil || len(found) > 0 {
		return errors.Join(ran, fmt.Errorf("%d findings", len(found)))
	}
	fmt.Printf("ok: %s\n", stand.Summary())
	return nil
}

// runRunner runs an SDK's runner. Its output is passed on.
func runRunner(ctx context.Context, dir string, command, environment []string) error {
	ctx, cancel := context.WithTimeout(ctx, runnerPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // named by whoever runs this
	cmd.Dir, cmd.Env = dir, append(os.Environ(), environment...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the runner: %w", err)
	}
	return nil
}
