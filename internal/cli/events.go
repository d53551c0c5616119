package cli

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func eventsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "events",
		Short:   "Read, follow and export a log's events",
		Example: "  tally events list acme\n  tally events tail acme\n  tally events export acme --file acme.ndjson.zst",
	}
	cmd.AddCommand(eventsListCommand(), eventsShowCommand(), eventsExplainCommand(), eventsTailCommand(), eventsExportCommand())
	return cmd
}

// pageEvents is the number of events in one request.
const pageEvents = 1000

func eventsListCommand() *cobra.Command {
	var conn connection
	var filter eventFlags
	var form eventForm
	var some listFlags
	cmd := &cobra.Command{
		Use:   "list LOG",
		Short: "List a log's events in the order of their sequences",
		Example: "  tally events list acme --time-from 2025-03 --time-to 2025-04 --type api.call\n" +
			"  tally events list acme --after 1000 --limit 5000 --output csv\n" +
			"  tally events list acme --all --output ndjson | jq -c .data",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			chosen, err := filter.events()
			if err != nil {
				return err
			}
			if err := some.check(); err != nil {
				return err
			}
			w, err := form.writer(cmd)
			if err != nil {
				return err
			}
			return listEvents(cmd, c, args[0], chosen, &some, w)
		}),
	}
	conn.add(cmd.Flags())
	filter.add(cmd.Flags())
	form.add(cmd)
	some.add(cmd)
	return cmd
}

func listEvents(cmd *cobra.Command, c *tally.Client, log string, chosen tally.EventFilter, some *listFlags, w eventWriter) error {
	cursor := ""
	for left := some.limit; ; {
		limit := pageEvents
		if !some.all {
			limit = min(left, pageEvents)
		}
		page, err := c.ListEventsAs(cmd.Context(), log, "ndjson", &tally.ListEventsOptions{
			EventFilter: chosen, ListOptions: tally.ListOptions{Cursor: cursor, Limit: limit},
		})
		if err != nil {
			return fmt.Errorf("reading the events of %s: %w", log, err)
		}
		for line := range bytes.Lines(page.Body) {
			if err := writeEventLine(w, line); err != nil {
				return err
			}
			left--
		}
		cursor = page.NextCursor
		if cursor == "" || !some.all && left <= 0 {
			return w.end(cursor != "")
		}
	}
}

func eventsShowCommand() *cobra.Command {
	var conn connection
	var form eventForm
	cmd := &cobra.Command{
		Use:     "show LOG SEQUENCE",
		Short:   "Show one event",
		Example: "  tally events show acme 17\n  tally events show acme 17 --output json",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			sequence, err := parseSequence(args[1])
			if err != nil {
				return err
			}
			form.single = true
			w, err := form.writer(cmd)
			if err != nil {
				return err
			}
			found, err := c.GetEvent(cmd.Context(), args[0], sequence)
			if err != nil {
				return fmt.Errorf("reading event %d of %s: %w", sequence, args[0], err)
			}
			if err := writeEventLine(w, found.JSON()); err != nil {
				return err
			}
			return w.end(false)
		}),
	}
	conn.add(cmd.Flags())
	form.add(cmd)
	return cmd
}
