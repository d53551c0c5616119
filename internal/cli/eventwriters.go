package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/terminal"
)

const (
	// defaultColumns is the width of a terminal that does not report it.
	defaultColumns = 120
	// minDataColumns is the least width for an event's JSON in a line.
	minDataColumns = 40
)

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

// eventForm is how events are printed.
type eventForm struct {
	printer

	raw    bool
	single bool // one event, which is no list
}

// outputNDJSON is the form that the API streams events in: a line each.
const outputNDJSON = "ndjson"

func (f *eventForm) add(cmd *cobra.Command) {
	f.addOutput(cmd, outputNDJSON)
	addRaw(cmd, &f.raw)
}

func addRaw(cmd *cobra.Command, raw *bool) {
	cmd.Flags().BoolVar(raw, "raw", false,
		"leave fields of CSV as they are that a spreadsheet would take for formulas; else they have an apostrophe in front")
}

// writer returns what prints events in the form that was chosen.
func (f *eventForm) writer(cmd *cobra.Command) (eventWriter, error) {
	out := cmd.OutOrStdout()
	switch {
	case f.raw && f.form.value != outputCSV:
		return nil, usagef("--raw goes with --output csv")
	case f.form.value == outputJSON && f.single:
		return &textWriter{w: out, format: singleText}, nil
	case f.form.value == outputTable && f.single:
		return singleEvent{out}, nil
	case f.form.value == outputTable:
		return newEventTable(cmd), nil
	}
	return &textWriter{w: out, format: textFormats[textName(f.form.value, f.raw)]}, nil
}

// textName is the name of a format among textFormats.
func textName(form string, raw bool) string {
	if raw && form == outputCSV {
		return rawCSV
	}
	return form
}

// textFormat is a format for programs: what the API streams, byte for byte.
type textFormat struct {
	name                string
	begin, between, end string
	append              func(b []byte, e *event.Recorded) []byte
}

// textFormats are the formats by name.
var textFormats = map[string]textFormat{
	outputJSON: {"json", "[\n", ",\n", "\n]\n", event.AppendJSON},
	outputNDJSON: {"ndjson", "", "", "", func(b []byte, e *event.Recorded) []byte {
		return append(event.AppendLine(b, e), '\n')
	}},
	outputCSV: {"csv", event.CSVHeader, "", "", event.AppendCSV},
	rawCSV:    {rawCSV, event.CSVHeader, "", "", event.AppendRawCSV},
}

// singleText is JSON of one event.
var singleText = textFormat{"json", "", "", "\n", event.AppendJSON}

// rawCSV is the name of CSV with unescaped formulas.
const rawCSV = "csv=raw"

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

// singleEvent writes one event for people.
type singleEvent struct{ out io.Writer }

func (s singleEvent) event(e *event.Recorded) error {
	recorded := time.UnixMicro(e.RecordedAt)
	err := writeCells(s.out, [][]cell{
		{{text: "sequence"}, {text: thousands(e.Sequence)}},
		{{text: "time"}, {text: eventTime(e.Time) + " UTC"}},
		{{text: "recorded at"}, {text: recorded.UTC().Format(timeOfEvent) + " UTC"}},
		{{text: "type"}, makeCell(e.Type)},
		{{text: "key"}, makeCell(e.Key)},
		{{text: "hash"}, {text: fmt.Sprintf("%x", e.Hash)}},
	})
	var indented bytes.Buffer
	if json.Indent(&indented, e.Data, "", "  ") != nil {
		indented.Write(e.Data)
	}
	_, dataErr := fmt.Fprintf(s.out, "\n%s\n", terminal.Text(indented.String()))
	return errors.Join(err, dataErr)
}

func (singleEvent) end(bool) error { return nil }

// eventTable writes events for people, a line each.
type eventTable struct {
	out, notes io.Writer
	columns    int // of the terminal; 0 where there is none, and nothing is cut off
	begun      bool
	last       int64
}

func newEventTable(cmd *cobra.Command) *eventTable {
	t := &eventTable{out: cmd.OutOrStdout(), notes: cmd.ErrOrStderr()}
	if ifTerminal(os.Stdout) != nil {
		t.columns = defaultColumns
		if columns, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && columns > 0 {
			t.columns = columns
		}
	}
	return t
}

const (
	tableLine = "%10s  %-23s  %-20s  %s\n"
	// tableHead is the width of a line before the event's JSON.
	tableHead = 10 + 2 + 23 + 2 + 20 + 2
	// timeOfEvent is the format of an event's times, in UTC.
	timeOfEvent = "2006-01-02 15:04:05.999"
)

func eventTime(micros int64) string { return time.UnixMicro(micros).UTC().Format(timeOfEvent) }

func (t *eventTable) event(e *event.Recorded) error {
	if !t.begun {
		t.begun = true
		fmt.Fprintf(t.out, tableLine, "SEQUENCE", "TIME", "TYPE", "EVENT")
	}
	t.last = e.Sequence
	kind, data := terminal.Line(e.Type), terminal.Line(plain(json.RawMessage(e.Data)))
	if t.columns > 0 {
		kind, data = shorten(kind, 20), shorten(data, max(t.columns-tableHead, minDataColumns))
	}
	_, err := fmt.Fprintf(t.out, tableLine, thousands(e.Sequence), eventTime(e.Time), kind, data)
	return err
}

func (t *eventTable) end(more bool) error {
	switch {
	case !t.begun:
		fmt.Fprintln(t.notes, "tally: no such events")
	case more:
		fmt.Fprintf(t.notes, "tally: there may be more: --after %d goes on from here, --all shows all\n", t.last)
	}
	return nil
}
