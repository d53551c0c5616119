package cli

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/client"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/eventlog"
)

const (
	// exportPatience is how long an export goes on trying when the connection is cut and nothing more comes.
	exportPatience = 2 * time.Minute
	// exportRetry is how long it waits before it tries again.
	exportRetry = time.Second
	// exportBuffer is what is written at a time.
	exportBuffer = 256 << 10
	// partSuffix ends the name of a file that is not finished.
	partSuffix = ".part"
)

// export is a run of tally export.
type export struct {
	connection
	wanted eventFlags
	format string
	out    string
	force  bool
	resume bool
}

func exportCommand() *cobra.Command {
	var run export
	cmd := &cobra.Command{
		Use:   "export LOG",
		Short: "Write a log's events into a file",
		Long: "Writes events as NDJSON, CSV or a JSON array, compressed where the file's name ends in .gz or .zst. The hash chain is checked on the way.\n" +
			"A connection that is cut is resumed from the last whole event. The file is called FILE.part until it is whole; --resume goes on with one\n" +
			"that an earlier run left, in NDJSON without compression. tally verify --export checks a file in NDJSON later, without a server.",
		Example: "  tally export acme --out acme.ndjson.zst\n  tally export acme --time-from 2025-03 --time-to 2025-04 --out acme-2025-03.csv\n  tally export acme --out - | wc -l",
		Args:    arguments,
		RunE: run.with(func(cmd *cobra.Command, args []string, c *client.Client) error {
			return run.run(cmd, c, args[0])
		}),
	}
	flags := cmd.Flags()
	run.add(flags)
	run.wanted.add(flags)
	flags.StringVar(&run.out, "out", "", "file to write; - for standard output")
	flags.StringVar(&run.format, "format", "", "ndjson, csv or json; what the file's name says when not given, else ndjson")
	flags.BoolVar(&run.force, "force", false, "write over a file that is there")
	flags.BoolVar(&run.resume, "resume", false, "go on with the file that an earlier run left unfinished")
	return cmd
}

func (x *export) run(cmd *cobra.Command, c *client.Client, log string) error {
	wanted, err := x.wanted.events()
	if err != nil {
		return err
	}
	format, err := x.textFormat()
	if err != nil {
		return err
	}
	head, err := c.Log(cmd.Context(), log)
	if err != nil {
		return fmt.Errorf("finding %s: %w", log, err)
	}
	file, last, err := x.openFile(cmd, format)
	if err != nil {
		return err
	}
	defer file.abandon()
	r := &exporting{
		client: c, log: log, head: head, wanted: wanted, last: max(last, wanted.From-1, 0), out: &textWriter{w: file.out, format: format, begun: last > 0, events: last},
		bar: newPace(cmd),
	}
	r.begin(wanted)
	err = r.run(cmd.Context())
	r.bar.finish()
	if err != nil {
		return errors.Join(fmt.Errorf("exporting %s: %w", log, err), file.keep())
	}
	checked, chained := r.finish()
	if checked.Wrong > 0 {
		return errors.Join(fmt.Errorf("the chain of %s is broken: %s; tally verify %s tells more", log, checked.Faults[0].Detail, log), file.keep())
	}
	if err := errors.Join(r.out.end(false), file.finish()); err != nil {
		return fmt.Errorf("writing %s: %w", x.out, err)
	}
	said := ""
	if chained {
		said = ", the chain is whole"
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s events%s\n", log, thousands(r.events), said)
	return nil
}

// textFormat is the form that was asked for, or that the file's name says.
func (x *export) textFormat() (textFormat, error) {
	name := x.format
	if name == "" {
		name = ndjsonText.name
		switch filepath.Ext(strings.TrimSuffix(strings.TrimSuffix(x.out, ".gz"), ".zst")) {
		case ".csv":
			name = csvText.name
		case ".json":
			name = jsonText.name
		}
	}
	for _, f := range []textFormat{ndjsonText, csvText, jsonText} {
		if f.name == name {
			return f, nil
		}
	}
	return textFormat{}, fmt.Errorf("--format %q is none of ndjson, csv and json", name)
}

// exporting is an export under way.
type exporting struct {
	client  *client.Client
	log     string
	head    client.Log // when it began: the export goes up to there
	wanted  client.Events
	last    int64 // sequence that is written
	events  int64
	out     *textWriter
	checker *eventlog.Checker // nil where events are left out
	bar     *paceMeter
}

// begin makes ready to check the chain, where no event of the range is left out.
func (r *exporting) begin(wanted client.Events) {
	switch id, err := db.ParseUUID(r.head.ID); {
	case err != nil, wanted.Filtered():
	case r.last == 0:
		r.checker = eventlog.NewChecker(id)
	default:
		r.checker = eventlog.NewPartChecker()
	}
}

func (r *exporting) finish() (checked eventlog.Checked, chained bool) {
	if r.checker == nil {
		return checked, false
	}
	return r.checker.Finish(nil), true
}

// run writes the range, over as many connections as it takes.
func (r *exporting) run(ctx context.Context) error {
	through := r.head.Sequence
	if r.wanted.To > 0 {
		through = min(through, r.wanted.To)
	}
	r.wanted.To = through
	for moved := time.Now(); r.last < through; {
		before := r.last
		err := r.stream(ctx, through)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var broken *writeError
		if errors.As(err, &broken) || !client.MayPass(err) {
			return err
		}
		if r.last > before {
			moved = time.Now()
		}
		if time.Since(moved) > exportPatience {
			return fmt.Errorf("nothing came for %s: %w", exportPatience, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(exportRetry):
		}
	}
	return nil
}

// writeError is a failure on our side of an export.
type writeError struct{ err error }

func (e *writeError) Error() string { return e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

// stream writes what one connection gives; no error means that the range is done.
func (r *exporting) stream(ctx context.Context, through int64) error {
	wanted := r.wanted
	wanted.From = r.last + 1
	events, err := r.client.StreamEvents(ctx, r.log, wanted)
	if err != nil {
		return err
	}
	defer func() { _ = events.Close() }() // what it says does not matter any more
	for {
		line, err := events.Next()
		if errors.Is(err, io.EOF) {
			r.bar.set("events", through, through)
			return nil
		} else if err != nil {
			return err
		}
		e, err := eventlog.ParseLine(bytes.TrimRight(line, "\r\n"))
		if err != nil {
			return &writeError{fmt.Errorf("the server's answer is no event: %w; is --url right?", err)}
		}
		if r.checker != nil {
			r.checker.Add(&e)
		}
		if err := r.out.event(&e); err != nil {
			return &writeError{err}
		}
		r.last = e.Sequence
		if r.events++; r.events%1000 == 0 {
			r.bar.set("events", r.last, through)
		}
	}
}

// exportFile is where an export goes.
type exportFile struct {
	name   string   // when it is whole
	part   *os.File // nil for standard output
	out    *bufio.Writer
	pack   io.WriteCloser // compresses; nil for plain
	closed bool
}

// openFile opens the file; last is the sequence of the last event that an earlier run left in it.
func (x *export) openFile(cmd *cobra.Command, format textFormat) (f *exportFile, last int64, err error) {
	f = &exportFile{name: x.out}
	packed := strings.HasSuffix(x.out, ".gz") || strings.HasSuffix(x.out, ".zst")
	switch {
	case x.out == "":
		return nil, 0, errors.New("--out is missing: name a file, or - for standard output")
	case x.out == "-" && x.resume, x.resume && (packed || format.name != ndjsonText.name):
		return nil, 0, errors.New("--resume goes on with a file in NDJSON without compression: start anew without it")
	case x.out == "-":
		f.out = bufio.NewWriterSize(cmd.OutOrStdout(), exportBuffer)
		return f, 0, nil
	}
	if _, err := os.Stat(x.out); err == nil && !x.force {
		return nil, 0, fmt.Errorf("%s is there already: name another file, or pass --force to write over it", x.out)
	}
	flags := os.O_RDWR | os.O_CREATE
	if !x.resume {
		flags |= os.O_TRUNC
	}
	if f.part, err = os.OpenFile(x.out+partSuffix, flags, 0o644); err != nil { //nolint:gosec // the file that the user names, as readable as others
		return nil, 0, fmt.Errorf("opening the file: %w", err)
	}
	if x.resume {
		if last, err = lastWhole(f.part); err != nil {
			f.abandon()
			return nil, 0, fmt.Errorf("going on with %s%s: %w", x.out, partSuffix, err)
		}
	}
	var to io.Writer = f.part
	switch {
	case strings.HasSuffix(x.out, ".gz"):
		f.pack = gzip.NewWriter(f.part)
	case strings.HasSuffix(x.out, ".zst"):
		if f.pack, err = zstd.NewWriter(f.part); err != nil {
			f.abandon()
			return nil, 0, fmt.Errorf("compressing: %w", err)
		}
	}
	if f.pack != nil {
		to = f.pack
	}
	f.out = bufio.NewWriterSize(to, exportBuffer)
	return f, last, nil
}

// lastWhole cuts a torn line off and returns the last whole event's sequence, 0 when there is none. The events before are checked for
// having no gap.
func lastWhole(file *os.File) (last int64, err error) {
	in := bufio.NewReaderSize(file, exportBuffer)
	whole := int64(0)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return 0, err
		}
		e, err := eventlog.ParseLine(bytes.TrimRight(line, "\r\n"))
		if err != nil {
			return 0, fmt.Errorf("after event %d: %w; start anew without --resume", last, err)
		}
		if e.Sequence <= last {
			return 0, fmt.Errorf("event %d comes after event %d; start anew without --resume", e.Sequence, last)
		}
		last = e.Sequence
		whole += int64(len(line))
	}
	if err := file.Truncate(whole); err != nil {
		return 0, err
	}
	_, err = file.Seek(whole, io.SeekStart)
	return last, err
}

// flush brings what was written to the disk.
func (f *exportFile) flush() error {
	err := f.out.Flush()
	if f.pack != nil {
		err = errors.Join(err, f.pack.Close())
	}
	if f.part == nil {
		return err
	}
	f.closed = true
	return errors.Join(err, f.part.Sync(), f.part.Close())
}

// keep leaves an unfinished file for --resume.
func (f *exportFile) keep() error {
	if f.part == nil {
		return f.out.Flush()
	}
	if err := f.flush(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return fmt.Errorf("writing %s: %w", f.part.Name(), err)
	}
	return fmt.Errorf("what came so far is in %s", f.part.Name())
}

// finish gives the whole file its name.
func (f *exportFile) finish() error {
	if err := f.flush(); err != nil || f.part == nil {
		return err
	}
	return os.Rename(f.part.Name(), f.name)
}

// abandon closes a file that neither keep nor finish has closed.
func (f *exportFile) abandon() {
	if f.part != nil && !f.closed {
		_ = f.part.Close() // nobody waits for it
	}
}
