package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/terminal"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// clearScreen moves a terminal's cursor to the top left and clears the screen.
const clearScreen = "\x1b[H\x1b[2J"

func watchCommand() *cobra.Command {
	var conn connection
	cmd := &cobra.Command{
		Use:   "watch LOG VIEW [QUERY]",
		Short: "Follow a view's answer to a query",
		Long: "Sends a view a query, as tally query does, and prints its answer again whenever it is another, until Ctrl-C.\n" +
			"On a terminal the answer is shown in place; elsewhere each is printed as it comes.",
		Example: "  tally watch acme monthly-totals month=2025-03",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			query := ""
			if len(args) > 2 {
				query = escapeQuery(strings.TrimPrefix(args[2], "?"))
			}
			show := printAnswer
			if ifTerminal(os.Stdout) != nil {
				show = func(_ io.Writer, a tally.WatchedAnswer) error {
					return drawAnswer(os.Stdout, strings.Join(args, " "), a, time.Now())
				}
			}
			options := &tally.WatchOptions{FollowOptions: follower(cmd)}
			for answer, err := range c.Watch(cmd.Context(), args[0], args[1], query, options) {
				if err == nil && answer.Problem != nil {
					fmt.Fprintln(cmd.ErrOrStderr(), "tally:", oneLine(answer.Problem.Error()))
					continue
				}
				if err == nil {
					err = show(cmd.OutOrStdout(), answer)
				}
				if err != nil {
					return untilInterrupted(cmd, "watching "+args[1]+" of "+args[0], err)
				}
			}
			return nil
		}),
	}
	conn.add(cmd.Flags())
	return cmd
}

func printAnswer(w io.Writer, a tally.WatchedAnswer) error {
	_, err := w.Write(append(bytes.TrimRight(a.Body, "\n"), '\n'))
	return err
}

// drawAnswer replaces the contents of the terminal w with an answer. w must not escape control characters.
func drawAnswer(w io.Writer, what string, a tally.WatchedAnswer, now time.Time) error {
	text := a.Body
	var indented bytes.Buffer
	if json.Indent(&indented, a.Body, "", "  ") == nil {
		text = indented.Bytes()
	}
	_, err := fmt.Fprintf(w, "%s%s  event %d  %s\n\n%s\n", clearScreen, oneLine(what), a.Sequence,
		now.Format(time.TimeOnly), terminal.Text(string(text)))
	return err
}
