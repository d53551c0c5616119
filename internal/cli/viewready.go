package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// readyVersion is a version of a ready view.
type readyVersion struct {
	view    tally.ReadyView
	version tally.ReadyViewVersion
}

var readyTable = table[readyVersion]{
	{"ready", func(r readyVersion) any { return fmt.Sprintf("%s@%d", r.view.Name, r.version.Version) }},
	{"release", func(r readyVersion) any { return r.version.Release }},
	{"module", func(r readyVersion) any { return shown{shortHash(r.version.Module), r.version.Module} }},
	{"gas", func(r readyVersion) any { return count(r.view.Gas) }},
	{"description", func(r readyVersion) any { return r.view.Description }},
}

func viewReadyCommand() *cobra.Command {
	var conn connection
	var out printer
	cmd := &cobra.Command{
		Use:   "ready [READY]",
		Short: "List the views that the server has ready, or print the schema of one's configuration",
		Long: "Lists the views that the server has ready, to be deployed by their names: all versions of each, the newest last, which\n" +
			"is what the name alone stands for. For one of them, prints the JSON Schema of its configuration.",
		Example: "  tally view ready\n  tally view ready meter > meter.schema.json\n" +
			"  tally view deploy acme tokens --ready meter --config @meter.json",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			found, err := c.ListReadyViews(cmd.Context())
			if err != nil {
				return fmt.Errorf("listing ready views: %w", err)
			}
			if len(args) == 0 {
				if out.form.value == outputJSON {
					return writeIndented(cmd.OutOrStdout(), found)
				}
				return readyTable.list(cmd, &out, seqOf(versionsOf(found), nil))
			}
			i := slices.IndexFunc(found, func(r tally.ReadyView) bool { return r.Name == args[0] })
			if i < 0 {
				return notFound("the server has no ready view %s: tally view ready lists them", args[0])
			}
			return writeIndented(cmd.OutOrStdout(), found[i].Config)
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	return cmd
}

func versionsOf(found []tally.ReadyView) (rows []readyVersion) {
	for _, view := range found {
		for _, version := range view.Versions {
			rows = append(rows, readyVersion{view, version})
		}
	}
	return rows
}
