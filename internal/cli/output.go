package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/event"
)

// The forms of --output. The default is outputTable wherever it goes, so that a pipe into grep or less shows what the screen does; a
// program says what it wants.
const (
	outputTable = "table"
	outputJSON  = "json"
	outputCSV   = "csv"
)

// printer prints what a command has to say in the form that --output asks for. Every command that prints data has one.
type printer struct{ form outputForm }

// outputForm is the flag --output.
type outputForm struct {
	value   string
	allowed []string
}

func (f *outputForm) String() string { return f.value }

// Type is what help texts call it.
func (f *outputForm) Type() string { return strings.Join(f.allowed, "|") }

// Set refuses what the command cannot print.
func (f *outputForm) Set(text string) error {
	for _, allowed := range f.allowed {
		if text == allowed {
			f.value = text
			return nil
		}
	}
	return fmt.Errorf("it is none of %s", strings.Join(f.allowed, ", "))
}

// addOutput adds the flag. Beside the three forms of all commands there may be some of this command's own.
func (p *printer) addOutput(cmd *cobra.Command, others ...string) {
	p.form = outputForm{value: outputTable, allowed: append([]string{outputTable, outputJSON, outputCSV}, others...)}
	p.form.add(cmd, "how to print it: for people, or for programs")
}

func (f *outputForm) add(cmd *cobra.Command, usage string) {
	cmd.Flags().Var(f, "output", usage)
	must(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(f.allowed, cobra.ShellCompDirectiveNoFileComp)))
}

// isText reports whether the output is for people.
func (p *printer) isText() bool { return p.form.value == outputTable }

// column is a column of a table of T: its heading, and how a row's cell is found. See cell for the types of values.
type column[T any] struct {
	name  string // as the API calls it
	value func(T) any
}

// table describes how values of T are printed as rows.
type table[T any] []column[T]

// list prints rows: JSON is an array of them.
func (t table[T]) list(cmd *cobra.Command, p *printer, rows iter.Seq2[T, error]) error {
	out := cmd.OutOrStdout()
	switch p.form.value {
	case outputJSON:
		return writeArray(out, rows)
	case outputCSV:
		return t.csv(out, rows)
	}
	lines := [][]cell{t.headings()}
	for row, err := range rows {
		if err != nil {
			return err
		}
		line := make([]cell, len(t))
		for i, column := range t {
			line[i] = makeCell(column.value(row))
		}
		lines = append(lines, line)
	}
	return writeCells(out, lines)
}

// one prints a single value: JSON is that, CSV a row, and for people each member has a line.
func (t table[T]) one(cmd *cobra.Command, p *printer, row T) error {
	return t.oneAs(cmd, p, row, func(w io.Writer) error {
		lines := make([][]cell, len(t))
		for i, column := range t {
			lines[i] = []cell{{text: headingText(column.name)}, makeCell(column.value(row))}
		}
		return writeCells(w, lines)
	})
}

// oneAs prints a single value, in a text of its own for people.
func (t table[T]) oneAs(cmd *cobra.Command, p *printer, row T, people func(io.Writer) error) error {
	return t.report(cmd, p, row, seqOf([]T{row}, nil), people)
}

// report prints a value that is made of rows: JSON is the whole of it, CSV the rows, and for people there is a text of its own.
func (t table[T]) report(cmd *cobra.Command, p *printer, whole any, rows iter.Seq2[T, error], people func(io.Writer) error) error {
	switch p.form.value {
	case outputJSON:
		return writeIndented(cmd.OutOrStdout(), whole)
	case outputCSV:
		return t.csv(cmd.OutOrStdout(), rows)
	}
	return people(cmd.OutOrStdout())
}

func (t table[T]) headings() []cell {
	line := make([]cell, len(t))
	for i, column := range t {
		if column.name != remarkColumn { // it explains the others, and has no heading
			line[i] = cell{text: strings.ToUpper(headingText(column.name)), style: styleHeading}
		}
	}
	return line
}

// remarkColumn is the name of a last column that says what else there is to know.
const remarkColumn = "remark"

func headingText(name string) string { return strings.ReplaceAll(name, "_", " ") }

// csv writes rows by RFC 4180, with a line of headings. What a spreadsheet would take for a formula has an apostrophe in front.
func (t table[T]) csv(out io.Writer, rows iter.Seq2[T, error]) error {
	line := make([]any, len(t))
	for i, column := range t {
		line[i] = column.name
	}
	if err := writeFields(out, line); err != nil {
		return err
	}
	for row, err := range rows {
		if err != nil {
			return err
		}
		for i, column := range t {
			line[i] = column.value(row)
		}
		if err := writeFields(out, line); err != nil {
			return err
		}
	}
	return nil
}

// writeFields writes a line of CSV.
func writeFields(out io.Writer, values []any) error {
	var line []byte
	for i, value := range values {
		if i > 0 {
			line = append(line, ',')
		}
		line = event.AppendField(line, []byte(exactText(value)))
	}
	_, err := out.Write(append(line, '\r', '\n'))
	return err
}

// writeArray writes rows as one JSON array, as they come.
func writeArray[T any](out io.Writer, rows iter.Seq2[T, error]) error {
	between := "[\n  "
	for row, err := range rows {
		if err != nil {
			return err
		}
		text, err := json.MarshalIndent(row, "  ", "  ")
		if err != nil {
			return err
		}
		if _, err := io.WriteString(out, between+string(text)); err != nil {
			return err
		}
		between = ",\n  "
	}
	end := "\n]\n"
	if between[0] == '[' {
		end = "[]\n"
	}
	_, err := io.WriteString(out, end)
	return err
}

// writeIndented writes a value as indented JSON.
func writeIndented(w io.Writer, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// seqOf returns the rows of a slice, or the error that was met instead.
func seqOf[T any](rows []T, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
		if err != nil {
			var none T
			yield(none, err)
		}
	}
}

// must ends the program at a mistake of ours in putting commands together, which each run would meet.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
