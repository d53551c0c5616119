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

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/uuid"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

const (
	// saveEvery is the interval between saves of the state: the most work that is lost when the command is killed.
	saveEvery = time.Second
	// firstExportRetry is the delay before a lost connection is retried. Every failure without an event in between doubles it, up to
	// lastExportRetry.
	firstExportRetry = 500 * time.Millisecond
	lastExportRetry  = 10 * time.Second
	// defaultExportRetries gives a server that restarts about a minute.
	defaultExportRetries = 10
	// showEvery is the interval between updates of the progress.
	showEvery = 100 * time.Millisecond
)

// exporting is a run of tally events export.
type exporting struct {
	connection
	filter        eventFlags
	file          string
	form          outputForm
	raw           bool
	gzip, zstd    bool
	resume, force bool
	retries       int
}

func eventsExportCommand() *cobra.Command {
	var run exporting
	cmd := &cobra.Command{
		Use:   "export LOG",
		Short: "Write a log into a file",
		Long: "Writes a log, or a part of it, into a file, and checks on the way that no event is missing and that the hash\n" +
			"chain holds. A lost connection is gone on with by itself; a command that was stopped, by --resume. The file gets\n" +
			"its name when it is complete: before, it is FILE.part.",
		Example: "  tally events export acme --file acme.ndjson\n" +
			"  tally events export acme --file march.csv.gz --time-from 2025-03 --time-to 2025-04\n" +
			"  tally events export acme | jq -c .data",
		RunE: run.withClient(run.run),
	}
	flags := cmd.Flags()
	run.add(flags)
	run.filter.add(flags)
	flags.StringVar(&run.file, "file", "-", "file to write; - for standard output")
	run.form.allowed = []string{outputNDJSON, outputCSV, outputJSON}
	run.form.add(cmd, "how to write it; by the file's name when not given, else ndjson")
	addRaw(cmd, &run.raw)
	flags.BoolVar(&run.gzip, "gzip", false, "compress with gzip, as a file that ends in .gz is")
	flags.BoolVar(&run.zstd, "zstd", false, "compress with zstd, as a file that ends in .zst is")
	flags.BoolVar(&run.resume, "resume", false, "go on with what an earlier run left, if it left something")
	flags.BoolVar(&run.force, "force", false, "write a file anew that is there")
	flags.IntVar(&run.retries, "retries", defaultExportRetries, "how often in a row to try a lost connection again before giving up")
	return cmd
}

// format returns the format and the compression, from the flags and the file's name.
func (x *exporting) format() (format, compression string, err error) {
	switch {
	case x.gzip && x.zstd:
		return "", "", usagef("give either --gzip or --zstd")
	case x.resume && x.force:
		return "", "", usagef("give either --resume, to go on with what is there, or --force, to begin anew")
	case x.retries < 0:
		return "", "", usagef("--retries %d is no number of times", x.retries)
	}
	name := x.file
	switch extension := filepath.Ext(name); {
	case x.gzip || extension == ".gz":
		compression = "gzip"
	case x.zstd || extension == ".zst":
		compression = "zstd"
	}
	if x.gzip && strings.HasSuffix(name, ".zst") || x.zstd && strings.HasSuffix(name, ".gz") {
		return "", "", usagef("%s would be compressed otherwise than its name says", name)
	}
	format = x.form.value
	if format == "" {
		format = outputNDJSON
		name = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
		if extension := strings.TrimPrefix(filepath.Ext(name), "."); slices.Contains(x.form.allowed, extension) {
			format = extension
		}
	}
	if x.raw && format != outputCSV {
		return "", "", usagef("--raw goes with --output csv")
	}
	return textName(format, x.raw), compression, nil
}

func (x *exporting) run(cmd *cobra.Command, args []string, c *tally.Client) error {
	format, compression, err := x.format()
	if err != nil {
		return err
	}
	filter, err := x.filter.events()
	if err != nil {
		return err
	}
	log, err := c.GetLog(cmd.Context(), args[0])
	if err != nil {
		return fmt.Errorf("exporting %s: %w", args[0], err)
	}
	fresh := exportState{LogID: log.ID, Format: format, Compression: compression, Filter: filter}
	path := x.file
	if path == "-" {
		path = ""
	}
	file, err := exportTo(path, cmd.OutOrStdout(), fresh, x.resume, x.force)
	if err != nil {
		return err
	}
	defer file.close()
	if file.state.HeadHash == "" { // a new export
		if to := &file.state.Filter.To; *to == 0 || *to >= log.Sequence {
			*to, file.state.HeadHash = log.Sequence, log.Hash
		}
	}
	copying, err := newCopying(c, log, file)
	if err != nil {
		return err
	}
	copying.messages, copying.retries = cmd.ErrOrStderr(), x.retries
	copying.progress = newProgress("exporting "+log.Name, ifTerminal(os.Stderr), copying.messages)
	began := time.Now()
	err = copying.run(cmd.Context())
	copying.progress.finish()
	if err != nil {
		return copying.unfinished(cmd.Context(), err)
	}
	if err := file.finish(); err != nil {
		return fmt.Errorf("finishing %s: %w", x.file, err)
	}
	report := cmd.OutOrStdout()
	if path == "" {
		report = cmd.ErrOrStderr()
	}
	return copying.report(report, x.file, time.Since(began))
}

// report prints what was written, and the faults that were found.
func (x *copying) report(w io.Writer, out string, took time.Duration) error {
	s := &x.file.state
	fmt.Fprintf(w, "%s: %s events of %s in %s, %s bytes\n", out, thousands(s.Events), x.log.Name,
		took.Round(time.Millisecond), thousands(x.file.offset))
	switch {
	case len(s.Faults) > 0:
		for _, fault := range s.Faults {
			fmt.Fprintln(w, "    WRONG:", oneLine(fault))
		}
		fmt.Fprintf(w, "the events are not what was recorded: tally verify %s tells more\n", x.log.Name)
		return errIncomplete
	case x.check == nil:
		fmt.Fprintln(w, "the hash chain was not checked: a filter leaves events out")
	case s.Events > 0:
		fmt.Fprintf(w, "no event is missing, and the hash chain holds up to event %d: %s\n", s.Sequence, s.Hash)
	}
	return nil
}

// unfinished returns an error that explains how to resume.
func (x *copying) unfinished(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	f := x.file
	if f.path == "" {
		return fmt.Errorf("exporting %s: %w; what was written ends with event %d", x.log.Name, err, f.state.Sequence)
	}
	if !f.broken {
		if saveErr := x.save(); saveErr != nil {
			err = fmt.Errorf("%w; %w", err, saveErr)
		}
	}
	return fmt.Errorf("exporting %s: %w; what is written is kept in %s: the same command with --resume goes on with it",
		x.log.Name, err, f.part())
}

// copying copies events from a server into a file.
type copying struct {
	client   *tally.Client
	log      tally.Log
	file     *exportFile
	text     *textWriter
	check    *event.Checker // nil with a filter, which leaves gaps
	faults   []string       // of earlier runs
	resumed  string         // hash of the last event of an earlier run, until it has been compared
	retries  int
	progress *progress
	messages io.Writer
	began    time.Time
	start    int64 // the sequence before this run's first
	savedAt  time.Time
	shownAt  time.Time
}

func newCopying(c *tally.Client, log tally.Log, file *exportFile) (*copying, error) {
	s := &file.state
	x := &copying{
		client: c, log: log, file: file, faults: s.Faults,
		text: &textWriter{w: file, format: textFormats[s.Format], begun: s.Events > 0, events: s.Events},
	}
	x.began, x.savedAt, x.start = time.Now(), time.Now(), max(s.Filter.From-1, s.Sequence, 0)
	if s.Filter.Filtered() {
		return x, nil
	}
	id, err := uuid.Parse(log.ID)
	if err != nil {
		return nil, fmt.Errorf("the log's id, %q, is none: %w", log.ID, err)
	}
	switch {
	case s.Sequence > 0:
		x.check, x.resumed = event.NewPartChecker(), s.Hash
	case s.Filter.From > 1:
		x.check = event.NewPartChecker()
	default:
		x.check = event.NewChecker(id)
	}
	return x, nil
}

// permanentError is an error that reconnecting would not change.
type permanentError struct{ error }

// Unwrap returns the cause.
func (g permanentError) Unwrap() error { return g.error }

// run copies all events of the filter, over as many connections as that takes.
func (x *copying) run(ctx context.Context) error {
	failures := 0
	for {
		before := x.file.state.Sequence
		err := x.stream(ctx)
		var final permanentError
		switch {
		case err == nil:
			return x.complete()
		case ctx.Err() != nil, errors.As(err, &final), !tally.IsTransient(err):
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
		x.progress.finish()
		fmt.Fprintf(x.messages, "tally: %s; going on after event %d in %s\n", oneLine(err.Error()), x.file.state.Sequence, delay)
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
	filter := s.Filter
	compare := x.resumed != ""
	switch {
	case compare:
		filter.From = s.Sequence
	case s.Sequence > 0:
		filter.From = s.Sequence + 1
	}
	if max(filter.From, 1) > filter.To && filter.From <= x.log.Sequence+1 {
		return nil // nothing, or nothing left
	}
	if filter.From > filter.To {
		filter.To = 0 // the server reports the error
	}
	stream, err := x.client.StreamEvents(ctx, x.log.ID, filter)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }() // the rest is not needed
	received := false
	for {
		line, err := stream.Next()
		switch {
		case errors.Is(err, io.EOF) && received && x.check != nil && s.Sequence < filter.To:
			return &tally.Error{Code: tally.CodeConnection, Detail: "the stream ended early"}
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("the connection was lost: %w", err)
		}
		e, err := event.ParseLine(line[:len(line)-1])
		if err != nil {
			return permanentError{fmt.Errorf("what follows event %d is no event: %w; is --url right?", s.Sequence, err)}
		}
		if x.check != nil {
			x.check.Add(&e)
		}
		if x.resumed != "" {
			if e.Sequence != s.Sequence || hex.EncodeToString(e.Hash[:]) != x.resumed {
				err := fmt.Errorf("event %d is not the one that was exported earlier: the log was changed since", s.Sequence)
				return permanentError{err}
			}
			x.resumed = ""
			continue
		}
		if received = true; e.Sequence <= s.Sequence && x.check == nil {
			continue
		}
		if err := x.write(&e, line); err != nil {
			return permanentError{err}
		}
	}
}

// write writes an event, and updates the progress and saves the state when they are due.
func (x *copying) write(e *event.Recorded, line []byte) error {
	s := &x.file.state
	var err error
	if s.Format == outputNDJSON {
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
	if now.Sub(x.shownAt) >= showEvery {
		x.shownAt = now
		from, rate, left := max(s.Filter.From-1, 0), 0.0, time.Duration(-1)
		if took := now.Sub(x.began); took > showEvery {
			rate = float64(e.Sequence-x.start) / took.Seconds()
			left = time.Duration(float64(s.Filter.To-e.Sequence) / max(rate, 1) * float64(time.Second))
		}
		x.progress.set(e.Sequence-from, s.Filter.To-from, rate, left)
	}
	if x.file.path != "" && now.Sub(x.savedAt) >= saveEvery {
		x.savedAt = now
		return x.save()
	}
	return nil
}

// complete writes the end, and compares the last hash with the log's head.
func (x *copying) complete() error {
	s := &x.file.state
	if x.check != nil && s.Sequence < s.Filter.To {
		x.faults = append(x.faults, fmt.Sprintf("events %d to %d are missing", max(s.Sequence+1, s.Filter.From), s.Filter.To))
	} else if x.check != nil && s.HeadHash != "" && s.Events > 0 && s.Hash != s.HeadHash {
		x.faults = append(x.faults, fmt.Sprintf("the log's hash is not that of its last event, %d", s.Sequence))
	}
	if s.Format != outputNDJSON {
		if err := x.text.end(false); err != nil {
			return err
		}
	} else if _, err := x.file.Write(nil); err != nil { // so that an empty export is valid compressed data, too
		return err
	}
	return x.save()
}

// save saves the state, with the faults so far.
func (x *copying) save() error {
	s := &x.file.state
	if x.check != nil {
		s.Faults = slices.Clone(x.faults)
		for _, fault := range x.check.Finish(nil).Faults { // of this run, so far
			s.Faults = append(s.Faults, fault.Detail)
		}
	}
	return x.file.save()
}
