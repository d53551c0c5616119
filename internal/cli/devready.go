package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"
)

// launchFlags are those of a development server that another program starts.
type launchFlags struct {
	output         string
	temporary      bool
	untilStdinEnds bool
}

func (f *launchFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.output, "output", formatText,
		"what to print once it serves: text, or json for one line with the url, the database_url and the pid, and nothing else")
	flags.BoolVar(&f.temporary, "temporary", false,
		"keep the database in a temporary folder, without waiting for the disk, and remove it at the end: for tests")
	flags.BoolVar(&f.untilStdinEnds, "until-stdin-ends", false,
		"stop when standard input ends too, as it does with the program that holds its other end")
}

func (f *launchFlags) finish() error {
	if f.output != formatText && f.output != formatJSON {
		return fmt.Errorf("--output is %q: it may be %s or %s", f.output, formatText, formatJSON)
	}
	return nil
}

// address is what a program that starts a development server needs to know.
type address struct {
	URL         string `json:"url"`
	DatabaseURL string `json:"database_url"` // of the superuser
	PID         int    `json:"pid"`          // of this process: SIGTERM stops it, and its PostgreSQL
}

func printAddress(w io.Writer, url, databaseURL string) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(address{URL: url, DatabaseURL: databaseURL, PID: os.Getpid()})
}

// temporaryFolder makes a folder that PostgreSQL's user can enter.
func temporaryFolder() (string, error) {
	dir, err := os.MkdirTemp("", "tally-dev-")
	if err != nil {
		return "", fmt.Errorf("making a temporary folder: %w", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // entered by the user the server runs as
		return "", fmt.Errorf("making a temporary folder: %w", err)
	}
	return dir, nil
}

// whileOpen returns a context that ends with ctx, or when r ends.
func whileOpen(ctx context.Context, r io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, r) // however it ends, nobody holds it any more
		cancel()
	}()
	return ctx
}
