package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tallystick/tallystick/internal/terminal"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// connection holds the flags of commands that call a server.
type connection struct{ url, caFile, key, tenant, actor string }

func (c *connection) add(flags *pflag.FlagSet) {
	flags.StringVar(&c.url, "url", "http://127.0.0.1:8080", "address of the server")
	flags.StringVar(&c.caFile, "ca-file", "", "PEM file with authorities to trust for https, beside those of the system")
	flags.StringVar(&c.key, "key", "", "key or token to ask with; better set by TALLY_KEY, since other users of the machine can read flags")
	flags.StringVar(&c.tenant, "tenant", "", "tenant to act in, for a key with the scope operator; the key's own when not given")
	flags.StringVar(&c.actor, "actor", os.Getenv("USER"), "who asks, for the record")
}

func (c *connection) open() (*tally.Client, error) {
	return tally.New(tally.Options{URL: c.url, Key: c.key, Tenant: c.tenant, Actor: c.actor, CAFile: c.caFile})
}

// withClient adapts a function that needs a client to a command.
func (c *connection) withClient(run func(*cobra.Command, []string, *tally.Client) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		opened, err := c.open()
		if err != nil {
			return err
		}
		defer opened.Close()
		return run(cmd, args, opened)
	}
}

// writeTable writes rows in columns. Cells hold no tabs.
func writeTable(w io.Writer, rows [][]string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for len(row) > 0 && row[len(row)-1] == "" {
			row = row[:len(row)-1]
		}
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(table, "\t")
			}
			fmt.Fprint(table, oneLine(cell))
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}

// maxCellRunes keeps a row readable: a view's error may have 2 KiB.
const maxCellRunes = 160

// oneLine makes text of a view or a user fit for a line of output: without control characters, and not too long.
func oneLine(text string) string {
	clean := []rune(terminal.Line(text))
	if len(clean) > maxCellRunes {
		clean = append(clean[:maxCellRunes], '…')
	}
	return string(clean)
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

// moment formats a time in the local time zone; nil and the zero time are "-".
func moment(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}
