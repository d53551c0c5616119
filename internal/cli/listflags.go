package cli

import (
	"context"
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
	find   func(ctx context.Context, args []string, c *tally.Client) iter.Seq2[T, error]
}

func listCommand[T any](l listing[T]) *cobra.Command {
	var conn connection
	var out printer
	var some listFlags
	cmd := &cobra.Command{
		Use: l.use, Short: l.short, Long: l.long, Example: l.example,
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			found := explained(strings.Join(append([]string{l.what}, args...), " "), l.find(cmd.Context(), args, c))
			if l.expand != nil && out.form.value != outputJSON {
				found = expanded(found, l.expand)
			}
			return list(cmd, l.table, &out, &some, found)
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	some.add(cmd)
	return cmd
}

// explained adds to an error what was being done.
func explained[T any](what string, rows iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for row, err := range rows {
			if err != nil {
				err = fmt.Errorf("%s: %w", what, err)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// expanded returns the rows that each of those found stands for.
func expanded[T any](found iter.Seq2[T, error], expand func(T) []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for one, err := range found {
			if err != nil {
				yield(one, err)
				return
			}
			for _, row := range expand(one) {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}
