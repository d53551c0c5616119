package cli

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/client"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// markEvery is how often what was written is made to count: that much work is lost at most when the command is killed.
	markEvery = time.Second
	// firstExportRetry is when a lost connection is tried again; every failure without an event in between doubles that, up to
	// lastExportRetry.
	firstExportRetry = 500 * time.Millisecond
	lastExportRetry  = 10 * time.Second
	// defaultExportRetries gives a server that restarts about a minute.
	defaultExportRetries = 10
	// showEvery is how often the progress is shown.
	showEvery = 100 * time.Millisecond
)

// exporting is a run of tally export.
type exporting struct {
	connection
	wanted        eventFlags
	out, format   string
	csv           csvFlag
	gzip, zstd    bool
	resume, force bool
	retries       int
}

func exportCommand() *cobra.Command {
	var run exporting
	cmd := &cobra.Command{
		Use:   "export LOG",
		Short: "Write a log into a file",
		Long: "Writes a log, or a part of it, into a file, and checks on the way that no event is missing and that the hash chain holds. A lost connection is\n" +
			"gone on with by itself; a command that was stopped, by --resume. The file gets its name when it is complete: before, it is FILE.part.",
		Example: "  tally export acme --out acme.ndjson\n  tally export acme --out march.csv.gz --time-from 2025-03 --time-to 2025-04\n  tally export acme --out - | jq -c .data",
		Args:    arguments,
		RunE:    run.with(run.run),
	}
	flags := cmd.Flags()
	run.add(flags)
	run.wanted.add(flags)
	flags.StringVar(&run.out, "out", "", "file to write; - for standard output")
	flags.StringVar(&run.format, "format", "", "ndjson, csv or json; by the file's name when not given, else ndjson")
	run.csv.add(flags)
	flags.BoolVar(&run.gzip, "gzip", false, "compress with gzip, as a file that ends in .gz is")
	flags.BoolVar(&run.zstd, "zstd", false, "compress with zstd, as a file that ends in .zst is")
	flags.BoolVar(&run.resume, "resume", false, "go on with what an earlier run left, if it left something")
	flags.BoolVar(&run.force, "force", false, "write a file anew that is there")
	flags.IntVar(&run.retries, "retries", defaultExportRetries, "how often in a row to try a lost connection again before giving up")
	return cmd
}

// textForms are the formats of an export.
var textForms = map[string]textFormat{"ndjson": ndjsonText, "csv": csvText, "json": jsonText, rawCSV: rawCSVText}

// form reads what is to be written from the flags and the file's name.
func (x *exporting) form() (format, compression string, err error) {
	switch {
	case x.out == "":
		return "", "", errors.New("--out is missing: name a file, or - for standard output")
	case x.gzip && x.zstd:
		return "", "", errors.New("give either --gzip or --zstd")
	case x.resume && x.force:
		return "", "", errors.New("give either --resume, to go on with what is there, or --force, to begin anew")
	case x.retries < 0:
		return "", "", fmt.Errorf("--retries %d is no number of times", x.retries)
	}
	name := x.out
	switch extension := filepath.Ext(name); {
	case x.gzip || extension == ".gz":
		compression = "gzip"
	case x.zstd || extension == ".zst":
		compression = "zstd"
	}
	if x.gzip && strings.HasSuffix(name, ".zst") || x.zstd && strings.HasSuffix(name, ".gz") {
		return "", "", fmt.Errorf("%s would be compressed otherwise than its name says", name)
	}
	format = x.format
	if format == "" {
		format = "ndjson"
		name = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
		if extension := strings.TrimPrefix(filepath.Ext(name), "."); textForms[extension].name != "" && extension != rawCSV {
			format = extension
		}
	}
	if textForms[format].name == "" || format == rawCSV {
		return "", "", fmt.Errorf("--format %q is none of ndjson, csv and json", format)
	}
	return x.csv.form(format), compression, x.csv.check(format)
}

func (x *exporting) run(cmd *cobra.Command, args []string, c *client.Client) error {
	format, compression, err := x.form()
	if err != nil {
		return err
	}
	wanted, err := x.wanted.events()
	if err != nil {
		return err
	}
	log, err := c.Log(cmd.Context(), args[0])
	if err != nil {
		return fmt.Errorf("exporting %s: %w", args[0], err)
	}
	fresh := exportState{LogID: log.ID, Format: format, Compression: compression, Wanted: wanted}
	path := x.out
	if path == "-" {
		path = ""
	}
	file, err := exportTo(path, cmd.OutOrStdout(), fresh, x.resume, x.force)
	if err != nil {
		return err
	}
	defer file.close()
	if file.state.HeadHash == "" { // it begins
		if to := &file.state.Wanted.To; *to == 0 || *to >= log.Sequence {
			*to, file.state.HeadHash = log.Sequence, log.Hash
		}
	}
	copying, err := newCopying(c, log, file)
	if err != nil {
		return err
	}
	copying.shown, copying.said, copying.retries = newProgress("exporting "+log.Name, watched(os.Stderr), cmd.ErrOrStderr()), cmd.ErrOrStderr(), x.retries
	began := time.Now()
	err = copying.run(cmd.Context())
	copying.shown.finish()
	if err != nil {
		return copying.unfinished(cmd.Context(), err)
	}
	if err := file.finish(); err != nil {
		return fmt.Errorf("finishing %s: %w", x.out, err)
	}
	report := cmd.OutOrStdout()
	if path == "" {
		report = cmd.ErrOrStderr()
	}
	return copying.report(report, x.out, time.Since(began))
}

// report says what was written, and what was found on the way.
func (x *copying) report(w io.Writer, out string, took time.Duration) error {
	s := &x.file.state
	fmt.Fprintf(w, "%s: %s events of %s in %s, %s bytes\n", out, thousands(s.Events), x.log.Name, took.Round(time.Millisecond), thousands(x.file.offset))
	switch {
	case len(s.Faults) > 0:
		for _, fault := range s.Faults {
			fmt.Fprintln(w, "    WRONG:", oneLine(fault))
		}
		fmt.Fprintf(w, "the events are not what was recorded: tally verify %s tells more\n", x.log.Name)
		return errReported
	case x.check == nil:
		fmt.Fprintln(w, "the hash chain was not checked: a filter leaves events out")
	case s.Events > 0:
		fmt.Fprintf(w, "no event is missing, and the hash chain holds up to event %d: %s\n", s.Sequence, s.Hash)
	}
	return nil
}

// unfinished says how to go on.
func (x *copying) unfinished(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	f := x.file
	if f.path == "" {
		return fmt.Errorf("exporting %s: %w; what was written ends with event %d", x.log.Name, err, f.state.Sequence)
	}
	if !f.broken {
		if marked := x.mark(); marked != nil {
			err = fmt.Errorf("%w; %w", err, marked)
		}
	}
	return fmt.Errorf("exporting %s: %w; what is written is kept in %s: the same command with --resume goes on with it", x.log.Name, err, f.part())
}

// copying copies events from a server into a file.
type copying struct {
	client  *client.Client
	log     client.Log
	file    *exportFile
	text    *textWriter
	check   *event.Checker // nil: the events have gaps that are wanted
	faults  []string       // that earlier runs found
	resumed string         // the hash of the last event that an earlier run wrote, until it was compared
	retries int
	shown   *progress
	said    io.Writer
	began   time.Time
	start   int64 // the sequence before this run's first
	marked  time.Time
	drawn   time.Time
}

func newCopying(c *client.Client, log client.Log, file *exportFile) (*copying, error) {
	s := &file.state
	x := &copying{client: c, log: log, file: file, text: &textWriter{w: file, format: textForms[s.Format], begun: s.Events > 0, events: s.Events}}
	x.faults = s.Faults
	x.began, x.marked, x.start = time.Now(), time.Now(), max(s.Wanted.From-1, s.Sequence, 0)
	if s.Wanted.Filtered() {
		return x, nil
	}
	id, err := uuid.Parse(log.ID)
	if err != nil {
		return nil, fmt.Errorf("the log's id, %q, is none: %w", log.ID, err)
	}
	switch {
	case s.Sequence > 0:
		x.check, x.resumed = event.NewPartChecker(), s.Hash
	case s.Wanted.From > 1:
		x.check = event.NewPartChecker()
	default:
		x.check = event.NewChecker(id)
	}
	return x, nil
}

// givenUp is an error that another connection would not change.
type givenUp struct{ error }

// Unwrap gives the cause.
func (g givenUp) Unwrap() error { return g.error }

// run copies all that is wanted, over as many connections as that takes.
func (x *copying) run(ctx context.Context) error {
	failures := 0
	for {
		before := x.file.state.Sequence
		err := x.stream(ctx)
		var final givenUp
		switch {
		case err == nil:
			return x.complete()
		case ctx.Err() != nil, errors.As(err, &final), !client.MayPass(err):
			return err
		}
		if x.file.state.Sequence > before {
			failures = 0
		}
		if failures == x.retries {
			return err
		}
		delay := min(firstExportRetry<<min(failures, 10), lastExportRetry)
		failures++
		x.shown.finish()
		fmt.Fprintf(x.said, "tally: %s; going on after event %d in %s\n", oneLine(err.Error()), x.file.state.Sequence, delay)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(delay):
		}
	}
}

// stream copies over one connection.
func (x *copying) stream(ctx context.Context) error {
	s := &x.file.state
	wanted := s.Wanted
	compare := x.resumed != ""
	switch {
	case compare:
		wanted.From = s.Sequence
	case s.Sequence > 0:
		wanted.From = s.Sequence + 1
	}
	if max(wanted.From, 1) > wanted.To && wanted.From <= x.log.Sequence+1 {
		return nil // nothing, or nothing more
	}
	if wanted.From > wanted.To {
		wanted.To = 0 // the server has the words for that
	}
	stream, err := x.client.StreamEvents(ctx, x.log.ID, wanted)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }() // what is left of it is of no use
	came := false
	for {
		line, err := stream.Next()
		switch {
		case errors.Is(err, io.EOF) && came && x.check != nil && s.Sequence < wanted.To:
			return errors.New("the stream ended early")
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("the connection was lost: %w", err)
		}
		e, err := event.ParseLine(line[:len(line)-1])
		if err != nil {
			return givenUp{fmt.Errorf("what follows event %d is no event: %w; is --url right?", s.Sequence, err)}
		}
		if x.check != nil {
			x.check.Add(&e)
		}
		if x.resumed != "" {
			if e.Sequence != s.Sequence || hex.EncodeToString(e.Hash[:]) != x.resumed {
				return givenUp{fmt.Errorf("event %d is not the one that was exported earlier: the log was changed since", s.Sequence)}
			}
			x.resumed = ""
			continue
		}
		if came = true; e.Sequence <= s.Sequence && x.check == nil {
			continue
		}
		if err := x.take(&e, line); err != nil {
			return givenUp{err}
		}
	}
}

// take writes an event, and makes what was written count now and then.
func (x *copying) take(e *event.Recorded, line []byte) error {
	s := &x.file.state
	var err error
	if s.Format == ndjsonText.name {
		_, err = x.file.Write(line)
	} else {
		err = x.text.event(e)
	}
	if err != nil {
		return err
	}
	s.Events++
	s.Sequence, s.Hash = e.Sequence, hex.EncodeToString(e.Hash[:])
	now := time.Now()
	if now.Sub(x.drawn) >= showEvery {
		x.drawn = now
		from, rate, left := max(s.Wanted.From-1, 0), 0.0, time.Duration(-1)
		if took := now.Sub(x.began); took > showEvery {
			rate = float64(e.Sequence-x.start) / took.Seconds()
			left = time.Duration(float64(s.Wanted.To-e.Sequence) / max(rate, 1) * float64(time.Second))
		}
		x.shown.set(e.Sequence-from, s.Wanted.To-from, rate, left)
	}
	if x.file.path != "" && now.Sub(x.marked) >= markEvery {
		x.marked = now
		return x.mark()
	}
	return nil
}

// complete writes the end, and compares the log's.
func (x *copying) complete() error {
	s := &x.file.state
	if x.check != nil && s.Sequence < s.Wanted.To {
		x.faults = append(x.faults, fmt.Sprintf("events %d to %d are missing", max(s.Sequence+1, s.Wanted.From), s.Wanted.To))
	} else if x.check != nil && s.HeadHash != "" && s.Events > 0 && s.Hash != s.HeadHash {
		x.faults = append(x.faults, fmt.Sprintf("the log's hash is not that of its last event, %d", s.Sequence))
	}
	if s.Format != ndjsonText.name {
		if err := x.text.end(false); err != nil {
			return err
		}
	} else if _, err := x.file.Write(nil); err != nil { // so that no event at all is a compressed text too
		return err
	}
	return x.mark()
}

// mark makes what was written count, and what was found in it.
func (x *copying) mark() error {
	s := &x.file.state
	if x.check != nil {
		s.Faults = slices.Clone(x.faults)
		for _, fault := range x.check.Finish(nil).Faults { // of this run, up to here
			s.Faults = append(s.Faults, fault.Detail)
		}
	}
	return x.file.mark()
}
