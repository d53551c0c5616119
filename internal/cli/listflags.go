package cli

import (
	"fmt"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// defaultLimit is how many rows a list shows when nothing else is said: a screen or two.
const defaultLimit = 100

// listFlags say how much of a list is printed.
type listFlags struct {
	limit int
	all   bool
}

func (l *listFlags) add(cmd *cobra.Command) {
	cmd.Flags().IntVar(&l.limit, "limit", defaultLimit, "how many at most")
	cmd.Flags().BoolVar(&l.all, "all", false, "all there are, instead of --limit")
}

// check refuses what makes no sense.
func (l *listFlags) check() error {
	if l.limit < 1 {
		return usagef("--limit %d is no number of rows: it must be above 0, and --all is for all", l.limit)
	}
	return nil
}

// most returns how many rows to ask for: one more than are shown, so that it is known whether there are more; 0 for all.
func (l *listFlags) most() int {
	if l.all {
		return 0
	}
	return l.limit + 1
}

// firstOf returns the first rows that an iterator yields: at most that many, 0 for all.
func firstOf[T any](rows iter.Seq2[T, error], most int) ([]T, error) {
	found := []T{}
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		if found = append(found, row); len(found) == most {
			break
		}
	}
	return found, nil
}

// list prints as many rows as the flags say, and on standard error that there are more.
func list[T any](cmd *cobra.Command, t table[T], p *printer, l *listFlags, rows iter.Seq2[T, error]) error {
	if err := l.check(); err != nil {
		return err
	}
	more := false
	err := t.list(cmd, p, func(yield func(T, error) bool) {
		n := 0
		for row, err := range rows {
			if n++; err == nil && !l.all && n > l.limit {
				more = true
				return
			}
			if !yield(row, err) {
				return
			}
		}
	})
	if err == nil && more {
		fmt.Fprintf(cmd.ErrOrStderr(), "tally: there are more than these %d: --all shows all, --limit another number\n", l.limit)
	}
	return err
}

// listing is a command that lists what a server has.
type listing[T any] struct {
	use, short, long, example string
	what                      string // it does, for errors
	table                     table[T]
	// expand returns the rows of a table, and of CSV, for one of those that were found; nil where it is its own.
	expand func(T) []T
	// find returns at least most rows, if there are so many; 0 for all.
	find func(cmd *cobra.Command, args []string, c *tally.Client, most int) ([]T, error)
}

func listCommand[T any](l listing[T]) *cobra.Command {
	var conn connection
	var out printer
	var some listFlags
	cmd := &cobra.Command{
		Use: l.use, Short: l.short, Long: l.long, Example: l.example,
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			if err := some.check(); err != nil {
				return err
			}
			found, err := l.find(cmd, args, c, some.most())
			if err != nil {
				return fmt.Errorf("%s: %w", strings.Join(append([]string{l.what}, args...), " "), err)
			}
			if l.expand != nil && out.form.value != outputJSON {
				var rows []T
				for _, one := range found {
					rows = append(rows, l.expand(one)...)
				}
				found = rows
			}
			return list(cmd, l.table, &out, &some, seqOf(found, nil))
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	some.add(cmd)
	return cmd
}
