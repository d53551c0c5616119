package bench

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// WriteTable writes the report as tables: the rows, and then every figure.
func (r *Report) WriteTable(w io.Writer) error {
	var b bytes.Buffer
	memory := ""
	if r.Machine.MemoryBytes > 0 {
		memory = fmt.Sprintf(", %.1f GiB", float64(r.Machine.MemoryBytes)/(1<<30))
	}
	fmt.Fprintf(&b, "tally %s, PostgreSQL %s, fsync on, %d cores%s, %s, %s\n", r.Version, r.Machine.PostgreSQL,
		r.Machine.Cores, memory, r.Machine.System, r.Machine.Go)
	fmt.Fprintf(&b, "%s: medians of %d rounds of %gs, %.0fs in all\n", r.Date.Format("2006-01-02 15:04 MST"), r.Rounds, r.Seconds, r.Took)
	if r.Quick {
		fmt.Fprintln(&b, "A quick run: a tenth of the logs and less of the events, and too short for verdicts.")
	}
	fmt.Fprintln(&b)
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ROW\tVALUE\tBAR\tMET\tWHAT")
	for _, row := range r.Rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", row.Name, row.valueText(), dash(row.Bar), row.verdict(), row.What)
		fmt.Fprintf(table, "\t\t\t\t  %s\n", dash(row.Figures))
	}
	fmt.Fprintln(table, "\t\t\t\t")
	if err := table.Flush(); err != nil {
		return err
	}
	table = tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "MEASUREMENT\tPER SECOND\tP50 MS\tP99 MS\tSERVER CPU µs\tPOSTGRES CPU µs\tLOAD CPU µs\tROUNDS\t")
	for _, f := range r.Measured {
		rounds := make([]string, len(f.Rounds))
		for i, rate := range f.Rounds {
			rounds[i] = count(rate)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", f.Name, count(f.PerSecond), decimals(f.P50, 3), decimals(f.P99, 3),
			decimals(f.ServerCPU, 1), decimals(f.PostgresCPU, 1), decimals(f.LoadCPU, 1), strings.Join(rounds, " "))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for line := range bytes.Lines(b.Bytes()) {
		if _, err := fmt.Fprintf(w, "%s\n", bytes.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

func (r *Row) valueText() string {
	switch {
	case r.Value == 0:
		return "not measured"
	case r.Unit == "×":
		return fmt.Sprintf("%.2f×", r.Value)
	default:
		return strconv.FormatFloat(r.Value, 'f', 3, 64) + " " + r.Unit
	}
}

func (r *Row) verdict() string {
	switch {
	case r.Met == nil:
		return "–"
	case *r.Met:
		return "yes"
	default:
		return "NO"
	}
}

func dash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// decimals formats a figure; 0 is a dash.
func decimals(value float64, digits int) string {
	if value == 0 {
		return "–"
	}
	return strconv.FormatFloat(value, 'f', digits, 64)
}

// number formats a bar.
func number(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

// count formats a whole number with separators: 27,900.
func count(value float64) string {
	digits := strconv.FormatFloat(value, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
