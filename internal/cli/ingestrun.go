package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/logfile"
	"github.com/tallystick/tallystick/internal/terminal"
)

const (
	// followEvery is how often files that grow are looked at, and streamEvery whether more has come of a stream.
	followEvery = 250 * time.Millisecond
	streamEvery = 50 * time.Millisecond
	// reportedLines bounds the lines of each file that are named as left out. The others are counted.
	reportedLines = 20
	// reasonRunes bounds the reason, which may be a server's, in characters.
	reasonRunes = 400
)

// ingestion reads files and sends what they hold, a batch after the other. A mark is saved after what is before it is durable.
type ingestion struct {
	to       destination
	state    *ingestState
	marks    []logfile.Mark
	options  logfile.Options
	notice   func(string)
	errors   io.Writer
	progress *progress
	out      *printer
	shown    time.Time

	batch  []sentLine
	unread []unreadLine
	bytes  int
	of     *logfile.Input // of the batch
	begun  *logfile.Input // what the destination is prepared for
	moved  bool           // past its mark

	following bool
	names     []string
	counts    map[string]*fileCount // by name
}

// fileCount counts the records of a file.
type fileCount struct {
	outcome
	read    int64 // records
	before  int64 // records of an earlier run
	unnamed int64 // of the lines that are left out
	named   int
}

func (g *ingestion) count(in *logfile.Input) *fileCount {
	c := g.counts[in.Name]
	if c == nil {
		c = &fileCount{before: in.Resumed.Records}
		g.counts[in.Name] = c
		g.names = append(g.names, in.Name)
	}
	return c
}

// once sends files from where they were left to their end.
func (g *ingestion) once(ctx context.Context, names []string, stdin io.Reader) error {
	for _, name := range names {
		var in *logfile.Input
		var err error
		if name == "-" {
			in, err = logfile.Stream(ctx, stdin, "standard input", g.options)
		} else {
			in, err = logfile.Open(name, g.marks, g.options)
		}
		if err != nil {
			return err
		}
		err = g.toEnd(ctx, in)
		in.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (g *ingestion) toEnd(ctx context.Context, in *logfile.Input) error {
	g.count(in)
	g.of = in
	finished := false
	for {
		record, err := in.Next()
		switch {
		case err == nil:
			err = g.take(ctx, in, record)
		case !errors.Is(err, io.EOF):
			// What is before that is good, and sent.
			err = errors.Join(fmt.Errorf("%s: after %s records: %w", in.Name, thousands(in.Position().Records), err), g.flush(ctx))
		case finished:
			g.moved = true
			return g.flush(ctx)
		case !in.Ended():
			err = g.pause(ctx, streamEvery)
		case in.Unsettled():
			err = g.pause(ctx, streamEvery)
		default:
			in.Finish()
			finished, err = true, nil
		}
		if err != nil {
			return err
		}
	}
}

// pause sends what there is, and waits.
func (g *ingestion) pause(ctx context.Context, wait time.Duration) error {
	if err := g.flush(ctx); err != nil {
		return err
	}
	if err := g.state.saveNowAndThen(); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(wait):
		return nil
	}
}

// follow sends files as they grow, until ctx ends.
func (g *ingestion) follow(ctx context.Context, names []string) error {
	g.following = true
	var followers []*logfile.Follower
	defer func() {
		for _, f := range followers {
			f.Close()
		}
	}()
	for _, name := range names {
		f, err := logfile.Follow(name, g.marks, g.options, g.notice)
		if err != nil {
			return err
		}
		followers = append(followers, f)
	}
	for {
		for _, f := range followers {
			if err := g.whatIsThere(ctx, f); err != nil {
				return err
			}
		}
		if err := g.pause(ctx, followEvery); err != nil {
			return err
		}
	}
}

// whatIsThere sends what a file has grown by, but not for ever: others grow too.
func (g *ingestion) whatIsThere(ctx context.Context, f *logfile.Follower) error {
	for range 4 * batchLines {
		in, record, err := f.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := g.take(ctx, in, record); err != nil {
			return err
		}
	}
	return g.flush(ctx)
}

// take adds a record to the batch, which it sends when that is full.
func (g *ingestion) take(ctx context.Context, in *logfile.Input, record logfile.Record) error {
	if g.of != in {
		if err := g.flush(ctx); err != nil {
			return err
		}
		g.of = in
	}
	if g.begun != in {
		if err := g.to.begin(in); err != nil {
			return err
		}
		g.begun = in
	}
	count := g.count(in)
	count.read++
	g.moved = true
	err := record.Err
	if err != nil && g.to.keeps() != "" {
		line := unread(in.Name, &record)
		g.unread = append(g.unread, line)
		g.bytes += 2*len(record.Raw) + len(line.Detail) // escapes make more of it
		err = fmt.Errorf("%w; it is kept in %s", err, g.to.keeps())
	}
	if err == nil {
		var made outcome
		made, err = g.to.events(record, func(data []byte) {
			g.batch = append(g.batch, sentLine{data, record.Line})
			g.bytes += len(data) + 1
		})
		count.add(made)
	}
	if err != nil {
		count.rejected++
		g.leaveOut(in, record.Line, err.Error())
	}
	if len(g.batch)+len(g.unread) >= batchLines || g.bytes >= batchBytes {
		return g.flush(ctx)
	}
	return nil
}

// leaveOut names a line that is left out.
func (g *ingestion) leaveOut(in *logfile.Input, line int64, reason string) {
	count := g.count(in)
	if count.named == reportedLines {
		count.unnamed++
		return
	}
	count.named++
	g.progress.finish()
	where := ":"
	if in.Format() == logfile.JSON {
		where = ": record "
	}
	fmt.Fprintf(g.errors, "%s%s%d: %s\n", oneLine(in.Name), where, line, shorten(terminal.Line(reason), reasonRunes))
}

// flush sends the batch, and notes how far its file is sent then.
func (g *ingestion) flush(ctx context.Context) error {
	in := g.of
	if in == nil || !g.moved {
		return nil
	}
	if len(g.batch) > 0 {
		sent, err := g.to.send(ctx, g.batch, func(line int64, reason string) { g.leaveOut(in, line, reason) })
		g.count(in).add(sent)
		if err != nil {
			return err
		}
	}
	if len(g.unread) > 0 {
		if err := g.to.keep(ctx, g.unread); err != nil {
			return err
		}
	}
	clear(g.batch)
	clear(g.unread)
	g.batch, g.unread, g.bytes, g.moved = g.batch[:0], g.unread[:0], 0, false
	g.show(in)
	if mark := in.Mark(); !in.IsStream() && mark.Records > 0 {
		return g.state.set(mark)
	}
	return nil
}

func (g *ingestion) show(in *logfile.Input) {
	if time.Since(g.shown) < showEvery {
		return
	}
	g.shown = time.Now()
	read, size := in.Size()
	text := fmt.Sprintf("%s: %s records", oneLine(in.Name), thousands(in.Position().Records))
	g.progress.show(text, float64(read)/float64(max(size, 1)))
}

// report prints what became of each file, and returns err or what else the command ends with.
func (g *ingestion) report(cmd *cobra.Command, err error) error {
	interrupted := cmd.Context().Err() != nil
	if saveErr := g.state.save(); saveErr != nil && err == nil {
		err = saveErr
	}
	incomplete := false
	var files []fileReport
	for _, name := range g.names {
		c := g.counts[name]
		incomplete = incomplete || c.rejected > 0
		files = append(files, fileReport{
			name, c.read, c.before, c.stored, c.duplicates, c.skipped, c.rejected, c.text(),
		})
	}
	if printErr := g.print(cmd, files); printErr != nil && err == nil {
		err = printErr
	}
	switch {
	case interrupted && (err == nil || errors.Is(err, context.Canceled)):
		if slices.Contains(cmd.Flags().Args(), "-") {
			return errors.New("interrupted: what had been read of standard input may not all be sent")
		}
		if !g.following {
			return errors.New("interrupted; the same command goes on from here")
		}
	case err != nil:
		return err
	}
	if incomplete {
		return errIncomplete
	}
	return nil
}

// fileReport says what became of a file.
type fileReport struct {
	File       string `json:"file"`
	Read       int64  `json:"read"`   // records
	Before     int64  `json:"before"` // records of an earlier run
	Stored     int64  `json:"stored"`
	Duplicates int64  `json:"duplicates"`
	Skipped    int64  `json:"skipped"`  // by the mapping
	Rejected   int64  `json:"rejected"` // left out

	text string
}

var fileTable = table[fileReport]{
	{"file", func(f fileReport) any { return f.File }},
	{"read", func(f fileReport) any { return f.Read }},
	{"before", func(f fileReport) any { return f.Before }},
	{"stored", func(f fileReport) any { return f.Stored }},
	{"duplicates", func(f fileReport) any { return f.Duplicates }},
	{"skipped", func(f fileReport) any { return f.Skipped }},
	{"rejected", func(f fileReport) any { return f.Rejected }},
}

func (g *ingestion) print(cmd *cobra.Command, files []fileReport) error {
	return fileTable.report(cmd, g.out, files, seqOf(files, nil), func(w io.Writer) error {
		var err error
		for _, f := range files {
			_, writeErr := fmt.Fprintf(w, "%s: %s", oneLine(f.File), f.text)
			err = errors.Join(err, writeErr)
		}
		return err
	})
}

func (c *fileCount) text() string {
	text := thousands(c.read) + " records"
	if c.before > 0 {
		text += " after " + thousands(c.before) + " that were sent before"
	}
	text += fmt.Sprintf(": %s stored, %s were there already", thousands(c.stored), thousands(c.duplicates))
	if c.skipped > 0 {
		text += fmt.Sprintf(", %s skipped by the mapping", thousands(c.skipped))
	}
	if c.rejected > 0 {
		text += fmt.Sprintf(", %s left out", thousands(c.rejected))
	}
	if c.unnamed > 0 {
		text += fmt.Sprintf(" (%s of them not named above)", thousands(c.unnamed))
	}
	return text + "\n"
}
