package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/tallystick/tallystick/internal/event"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

const (
	// pageEvents is the number of events in one request.
	pageEvents = 1000
	// defaultEvents is the default of --limit: a screen or two.
	defaultEvents = 100
	// defaultColumns is the width of a terminal that does not report it.
	defaultColumns = 120
	// minDataColumns is the least width for an event's JSON in a line.
	minDataColumns = 40
)

// eventList is a run of tally events.
type eventList struct {
	connection
	filter eventFlags
	format string
	csv    csvFlag
	limit  int
}

func eventsCommand() *cobra.Command {
	var run eventList
	cmd := &cobra.Command{
		Use:   "events LOG [SEQUENCE]",
		Short: "Read a log's events",
		Long: "Reads events in the order of their sequences, or one event. A table on a terminal, where long ones are cut off;\n" +
			"NDJSON elsewhere.",
		Example: "  tally events acme --time-from 2025-03 --time-to 2025-04 --type api.call\n" +
			"  tally events acme 17\n" +
			"  tally events acme --after 1000 --limit 5000 --format csv",
		Args: checkArguments,
		RunE: func(cmd *cobra.Command, args []string) error { return run.run(cmd, args) },
	}
	flags := cmd.Flags()
	run.add(flags)
	run.filter.add(flags)
	flags.StringVar(&run.format, "format", "", "table, json, ndjson or csv")
	run.csv.add(flags)
	flags.IntVar(&run.limit, "limit", defaultEvents, "how many events; 0 for all of the range")
	return cmd
}

func (l *eventList) run(cmd *cobra.Command, args []string) error {
	out := cmd.OutOrStdout()
	if l.format == "" {
		l.format = "ndjson"
		if ifTerminal(os.Stdout) != nil {
			l.format = "table"
		}
	}
	if err := l.csv.check(l.format); err != nil {
		return err
	}
	write, ok := eventWriters[l.csv.form(l.format)]
	switch {
	case !ok || l.format == rawCSV:
		return fmt.Errorf("--format %q is none of table, json, ndjson and csv", l.format)
	case l.limit < 0:
		return fmt.Errorf("--limit %d is no number of events: it must be 0, for all, or above", l.limit)
	}
	filter, err := l.filter.events()
	if err != nil {
		return err
	}
	c, err := l.open()
	if err != nil {
		return err
	}
	defer c.Close()
	if len(args) > 1 {
		return printEvent(cmd, c, out, args[0], args[1], write)
	}
	w := write(out)
	cursor := ""
	for left := l.limit; ; {
		limit := pageEvents
		if l.limit > 0 {
			limit = min(left, pageEvents)
		}
		page, err := c.EventPage(cmd.Context(), args[0], filter, "ndjson", cursor, limit)
		if err != nil {
			return fmt.Errorf("reading the events of %s: %w", args[0], err)
		}
		for line := range bytes.Lines(page.Body) {
			if err := writeEventLine(w, line); err != nil {
				return err
			}
			left--
		}
		cursor = page.Next
		if cursor == "" || l.limit > 0 && left <= 0 {
			return w.end(cursor != "")
		}
	}
}

// printEvent writes a single event.
func printEvent(cmd *cobra.Command, c *tally.Client, out io.Writer, log, text string, write func(io.Writer) eventWriter) error {
	sequence, err := strconv.ParseInt(text, 10, 64)
	if err != nil || sequence < 1 {
		return fmt.Errorf("SEQUENCE is %q: it must be a number, 1 for the first event", text)
	}
	body, err := c.GetEvent(cmd.Context(), log, sequence)
	if err != nil {
		return fmt.Errorf("reading event %d of %s: %w", sequence, log, err)
	}
	w := write(out)
	if err := writeEventLine(w, body); err != nil {
		return err
	}
	return w.end(false)
}

func writeEventLine(w eventWriter, line []byte) error {
	e, err := event.ParseLine(bytes.TrimSuffix(line, []byte("\n")))
	if err != nil {
		return fmt.Errorf("the server's answer is no event: %w; is --url right?", err)
	}
	return w.event(&e)
}

// eventWriter writes events in one format. end is the last call.
type eventWriter interface {
	event(e *event.Recorded) error
	end(more bool) error // more: there are further events beyond the limit
}

var eventWriters = map[string]func(io.Writer) eventWriter{
	"table":  func(w io.Writer) eventWriter { return newEventTable(w) },
	"json":   func(w io.Writer) eventWriter { return &textWriter{w: w, format: jsonText} },
	"ndjson": func(w io.Writer) eventWriter { return &textWriter{w: w, format: ndjsonText} },
	"csv":    func(w io.Writer) eventWriter { return &textWriter{w: w, format: csvText} },
	rawCSV:   func(w io.Writer) eventWriter { return &textWriter{w: w, format: rawCSVText} },
}

// textFormat is a format for programs: what the API streams, byte for byte.
type textFormat struct {
	name                string
	begin, between, end string
	append              func(b []byte, e *event.Recorded) []byte
}

var (
	jsonText   = textFormat{"json", "[\n", ",\n", "\n]\n", event.AppendJSON}
	ndjsonText = textFormat{"ndjson", "", "", "", func(b []byte, e *event.Recorded) []byte { return append(event.AppendLine(b, e), '\n') }}
	csvText    = textFormat{"csv", event.CSVHeader, "", "", event.AppendCSV}
	rawCSVText = textFormat{rawCSV, event.CSVHeader, "", "", event.AppendRawCSV}
)

// rawCSV is the name of CSV with unescaped formulas.
const rawCSV = "csv=raw"

// csvFlag is the --csv flag: "raw", or empty for CSV that is safe in a spreadsheet.
type csvFlag string

func (c *csvFlag) add(flags *pflag.FlagSet) {
	flags.StringVar((*string)(c), "csv", "",
		"raw leaves fields of CSV as they are that a spreadsheet would take for formulas; else they have an apostrophe in front")
}

func (c csvFlag) check(format string) error {
	switch {
	case c != "" && c != "raw":
		return fmt.Errorf("--csv %q is not known: give raw, or leave it out", string(c))
	case c != "" && format != csvText.name:
		return errors.New("--csv goes with --format csv")
	}
	return nil
}

// form returns the name of the writer for a format.
func (c csvFlag) form(format string) string {
	if c != "" {
		return rawCSV
	}
	return format
}

// textWriter writes a textFormat.
type textWriter struct {
	w      io.Writer
	format textFormat
	buf    []byte
	begun  bool // begin is written
	events int64
}

func (t *textWriter) event(e *event.Recorded) error {
	t.buf = t.start(t.buf[:0])
	if t.events > 0 {
		t.buf = append(t.buf, t.format.between...)
	}
	t.events++
	t.buf = t.format.append(t.buf, e)
	_, err := t.w.Write(t.buf)
	return err
}

func (t *textWriter) start(b []byte) []byte {
	if !t.begun {
		t.begun = true
		b = append(b, t.format.begin...)
	}
	return b
}

func (t *textWriter) end(bool) error {
	_, err := t.w.Write(append(t.start(t.buf[:0]), t.format.end...))
	return err
}

// eventTable writes events for people, a line each.
type eventTable struct {
	w       io.Writer
	columns int
	begun   bool
	last    int64
}

func newEventTable(w io.Writer) *eventTable {
	t := &eventTable{w: w, columns: defaultColumns}
	if columns, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && columns > 0 {
		t.columns = columns
	}
	return t
}

const tableLine = "%10s  %-23s  %-20s  %s\n"

// tableHead is the width of a line before the event's JSON.
const tableHead = 10 + 2 + 23 + 2 + 20 + 2

func (t *eventTable) event(e *event.Recorded) error {
	if !t.begun {
		t.begun = true
		fmt.Fprintf(t.w, tableLine, "SEQUENCE", "TIME", "TYPE", "EVENT")
	}
	t.last = e.Sequence
	data := strings.TrimSpace(string(e.Data))
	var compact bytes.Buffer
	if err := json.Compact(&compact, e.Data); err == nil {
		data = compact.String()
	}
	at := time.UnixMicro(e.Time).UTC().Format("2006-01-02 15:04:05.999")
	_, err := fmt.Fprintf(t.w, tableLine, thousands(e.Sequence), at, shorten(oneLine(e.Type), 20),
		shorten(oneLine(data), max(t.columns-tableHead, minDataColumns)))
	return err
}

func (t *eventTable) end(more bool) error {
	switch {
	case !t.begun:
		fmt.Fprintln(t.w, "no such events")
	case more:
		fmt.Fprintf(t.w, "there may be more: --after %d goes on from here, --limit 0 shows all\n", t.last)
	}
	return nil
}

// shorten cuts text to limit characters.
func shorten(text string, limit int) string {
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit-1]) + "…"
}
