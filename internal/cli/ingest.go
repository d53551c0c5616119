package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/logfile"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// defaultRetryFor gives a server that restarts, or fails over, the time for it.
const defaultRetryFor = 5 * time.Minute

// ingesting is a run of tally ingest.
type ingesting struct {
	connection
	mappingFlags
	source, format, delimiter, origin string
	state                             string
	again, follow                     bool
	retryFor                          time.Duration
	out                               printer
}

func ingestCommand() *cobra.Command {
	var run ingesting
	cmd := &cobra.Command{
		Use:   "ingest [FILE]...",
		Short: "Send files of events or access logs, and follow those that grow",
		Long: "Sends what is in files, or in standard input, to a source, whose mapping makes events of it, or to one log. It reads\n" +
			"NDJSON, JSON, CSV with a header, and common and combined access logs, plain or compressed with gzip or zstd; which it\n" +
			"is shows in its content. The same file may be sent again, renamed or compressed too: nothing counts twice, and what\n" +
			"was sent before is not even read again. With --follow it goes on as files grow, through rotation and outages.\n\n" +
			"It ends with status 3 when lines could not be sent and are left out: they are named on standard error.",
		Example: "  tally ingest usage.ndjson.gz --source default\n" +
			"  tally ingest /var/log/nginx/access.log --follow --log website --id-from position\n" +
			"  tally ingest jobs.csv --log acme --type job --id /job_id --time /finished --keep seconds=/seconds:integer,team",
		RunE: func(cmd *cobra.Command, args []string) error { return run.run(cmd, args) },
	}
	flags := cmd.Flags()
	run.connection.add(flags)
	run.out.addOutput(cmd)
	flags.StringVar(&run.source, "source", "", "source to send to; its mapping makes the events")
	flags.StringVar(&run.log, "log", "", "log to append to, instead of --source")
	run.mappingFlags.add(flags)
	flags.StringVar(&run.format, "format", "", "ndjson, json, csv or access; found by looking when not given")
	flags.StringVar(&run.delimiter, "delimiter", "", "what is between the fields of CSV; a comma, semicolon or tab when not given")
	flags.StringVar(&run.origin, "origin", "", "goes into the identity by position: tells files apart that begin alike, as those of\n"+
		"several machines do")
	flags.BoolVar(&run.follow, "follow", false, "go on when the end is reached, also through rotation, until Ctrl-C")
	flags.StringVar(&run.state, "state", "",
		"file that remembers how far files were sent; ~/.local/state/tallystick/ingest.json when not given")
	flags.BoolVar(&run.again, "again", false, "read files from their beginning, whatever the state says")
	flags.DurationVar(&run.retryFor, "retry-for", defaultRetryFor, "how long to try a request again that fails; for ever with --follow")
	return cmd
}

func (g *ingesting) run(cmd *cobra.Command, args []string) error {
	options, err := g.check(cmd, args)
	if err != nil {
		return err
	}
	begun, err := beginnings(g.follow, args)
	if err != nil {
		return err
	}
	c, err := g.open(cmd)
	if err != nil {
		return err
	}
	defer c.Close()
	notice := func(text string) { fmt.Fprintln(cmd.ErrOrStderr(), "tally:", oneLine(text)) }
	retry := &retrying{forever: g.follow, most: g.retryFor, notice: notice}
	var to destination
	where := g.url + " " + g.tenant + " "
	if g.source != "" {
		if err := needIdentity(cmd.Context(), c, g.source); err != nil {
			return err
		}
		to, where = &toSource{c, g.source, g.positional, retry}, where+"sources/"+g.source
	} else {
		id, err := g.logID(cmd.Context(), c, retry)
		if err != nil {
			return err
		}
		to, where = &toLog{client: c, log: g.log, flags: &g.mappingFlags, retry: retry, window: batchLines}, where+"logs/"+id
	}
	path := g.state
	if path == "" {
		path = defaultState()
	}
	state, marks, err := openState(path, where)
	if err != nil {
		return err
	}
	if g.again {
		marks = nil
	}
	if marks, err = state.begin(begun, marks); err != nil {
		return err
	}
	in := &ingestion{
		to: to, out: &g.out, state: state, marks: marks, options: options, notice: notice, errors: cmd.ErrOrStderr(),
		progress: newProgress("ingesting", ifTerminal(os.Stderr), cmd.ErrOrStderr()), counts: map[string]*fileCount{},
	}
	in.progress.printedAt = time.Now() // what is done soon shows none
	if len(args) == 0 {
		args = []string{"-"}
	}
	if g.follow {
		err = in.follow(cmd.Context(), args)
	} else {
		err = in.once(cmd.Context(), args, cmd.InOrStdin())
	}
	in.progress.finish()
	return in.report(cmd, err)
}

// beginnings are the marks of files that are followed from this moment on, though the server may not answer for a while.
func beginnings(follow bool, names []string) ([]logfile.Mark, error) {
	if !follow {
		return nil, nil
	}
	marks := make([]logfile.Mark, len(names))
	for n, name := range names {
		var err error
		if marks[n], err = logfile.Begin(name); err != nil {
			return nil, err
		}
	}
	return marks, nil
}

// check refuses flags that do not go together.
func (g *ingesting) check(cmd *cobra.Command, args []string) (options logfile.Options, err error) {
	switch {
	case g.source == "" && g.log == "":
		return options, usagef("where to? --source names a source, whose mapping makes events of the records; --log names one log")
	case g.source != "" && g.log != "":
		return options, usagef("--source and --log both say where to send: give one of them")
	case len(args) == 0 && ifTerminal(os.Stdin) != nil:
		return options, usagef("no file is named, and standard input is the terminal: %s", cmd.UseLine())
	case len(g.delimiter) > 1 || g.delimiter == `"` || g.delimiter == "\n":
		return options, usagef("--delimiter %q is not one character that can stand between fields", g.delimiter)
	case g.retryFor < 0:
		return options, usagef("--retry-for %s is no length of time", g.retryFor)
	}
	for _, name := range args {
		if name == "" {
			return options, usagef("FILE is empty")
		}
		if name == "-" && g.follow {
			return options, usagef("standard input ends when it ends: --follow is for files")
		}
	}
	if err := g.mappingFlags.check(cmd.Flags(), g.source != ""); err != nil {
		return options, err
	}
	if options.Format, err = logfile.ParseFormat(g.format); err != nil {
		return options, usagef("--format %w", err)
	}
	if g.delimiter != "" {
		options.Delimiter = g.delimiter[0]
	}
	options.Origin = g.origin
	return options, nil
}

// logID is what tells the log from another of its name, on another server or in a database that was made anew. A key that may only append
// does not see it.
func (g *ingesting) logID(ctx context.Context, c *tally.Client, retry *retrying) (string, error) {
	id := g.log
	err := retry.do(ctx, func() error {
		log, err := c.GetLog(ctx, g.log)
		if tally.IsCode(err, "missing_scope") {
			return nil
		}
		id = log.ID
		return err
	})
	if err != nil {
		return "", fmt.Errorf("sending to %s: %w", g.log, err)
	}
	return id, nil
}
