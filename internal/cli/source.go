package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tallystick/tallystick/internal/source"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func sourceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "source",
		Short: "Say what becomes of what gateways and other programs send",
		Long: "A source takes what programs send, and makes events of it by its mapping: docs/sources.md. These commands put, try and\n" +
			"list sources, and replay what a source has rejected.",
		Example: "  tally source put litellm --ready litellm\n  tally source test litellm payload.json",
	}
	cmd.AddCommand(sourcePutCommand(), sourceShowCommand(), sourceListCommand(), sourceVersionsCommand(), sourceDeleteCommand(),
		sourceReadyCommand(), sourceTestCommand(), sourceReplayCommand())
	return cmd
}

// madeMapping is a mapping from a file, or a ready one, with members that flags replace.
type madeMapping struct {
	ready string
	set   []string
}

func (m *madeMapping) add(flags *pflag.FlagSet) {
	flags.StringVar(&m.ready, "ready", "",
		"the `MAPPING` that comes with the server under this name, instead of a file; tally source ready lists them")
	flags.StringArrayVar(&m.set, "set", nil,
		"replace a member of the mapping, such as 'log=customer-{/team}' or 'id=null': JSON, or else a text; may be repeated")
}

// read returns the mapping of a file, - for standard input, or of the flags where that is "".
func (m *madeMapping) read(cmd *cobra.Command, file string) ([]byte, error) {
	members := map[string]json.RawMessage{}
	switch {
	case file != "" && m.ready != "":
		return nil, usagef("--ready and a file both say what the mapping is: give one of them; --set replaces members of it")
	case file != "":
		text, err := readInput(cmd, file)
		if err != nil {
			return nil, fmt.Errorf("reading the mapping: %w", err)
		}
		if len(m.set) == 0 {
			return text, nil
		}
		if err := json.Unmarshal(text, &members); err != nil || members == nil {
			return nil, fmt.Errorf("%s is no mapping, which is a JSON object", file)
		}
	case m.ready != "":
		members["ready"] = quoted(m.ready)
	default:
		return nil, usagef("there is no mapping: name its file, or a ready one with --ready")
	}
	for _, set := range m.set {
		name, value, found := strings.Cut(set, "=")
		if !found || name == "" {
			return nil, usagef("--set %q is no MEMBER=VALUE, such as log=acme", set)
		}
		if members[name] = json.RawMessage(value); !json.Valid([]byte(value)) {
			members[name] = quoted(value)
		}
	}
	return json.Marshal(members)
}

func quoted(text string) []byte {
	encoded, _ := json.Marshal(text) // a text can always be encoded
	return encoded
}

// readInput reads a file, or standard input for "-" and "".
func readInput(cmd *cobra.Command, file string) ([]byte, error) {
	if file == "-" || file == "" {
		return io.ReadAll(cmd.InOrStdin())
	}
	return os.ReadFile(file) //nolint:gosec // the file that the user named
}

func sourcePutCommand() *cobra.Command {
	var conn connection
	var out printer
	var mapping madeMapping
	cmd := &cobra.Command{
		Use:   "put SOURCE [FILE]",
		Short: "Say what a source does, from now on",
		Long: "Puts a mapping, from a file (- for standard input) or a ready one. It holds on every server within a second, for what is\n" +
			"sent from then on. Put again what a source does already, and nothing changes.",
		Example: "  tally source put litellm --ready litellm --set 'log=team-{/metadata/user_api_key_team_id}'\n" +
			"  tally source put gateway mapping.json",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			text, err := mapping.read(cmd, strings.Join(args[1:], ""))
			if err != nil {
				return err
			}
			put, err := c.PutSource(cmd.Context(), args[0], text)
			if err != nil {
				return fmt.Errorf("putting the source %s: %w", args[0], err)
			}
			return sourceTable.oneAs(cmd, &out, put, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s version %d, by %s at %s\n",
					put.Name, put.Version, orDash(oneLine(put.CreatedBy)), moment(put.CreatedAt))
				return err
			})
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	mapping.add(cmd.Flags())
	return cmd
}

func sourceShowCommand() *cobra.Command {
	var conn connection
	var version int64
	var resolved bool
	cmd := &cobra.Command{
		Use:     "show SOURCE",
		Short:   "Print a source's mapping",
		Example: "  tally source show litellm\n  tally source show litellm --version 2 --resolved",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			found, err := c.GetSource(cmd.Context(), args[0], &tally.GetSourceOptions{Version: version})
			if err != nil {
				return fmt.Errorf("looking up the source %s: %w", args[0], err)
			}
			text := found.Mapping
			if resolved {
				text = found.Resolved
			}
			if text == nil {
				return notFound("version %d deleted the source %s: tally source versions lists them", version, args[0])
			}
			return writeMapping(cmd.OutOrStdout(), text)
		}),
	}
	conn.add(cmd.Flags())
	cmd.Flags().Int64Var(&version, "version", 0, "which version; the present one when not given")
	cmd.Flags().BoolVar(&resolved, "resolved", false, "with the ready mapping that it names written out")
	return cmd
}

func writeMapping(w io.Writer, text []byte) error {
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", "  "); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, indented.String())
	return err
}

func sourceListCommand() *cobra.Command {
	return listCommand(listing[tally.Source]{
		use: "list", short: "List the sources that were put", example: "  tally source list",
		what: "listing sources", table: sourceTable,
		find: func(ctx context.Context, _ []string, c *tally.Client) iter.Seq2[tally.Source, error] {
			return c.Sources(ctx)
		},
	})
}

func sourceVersionsCommand() *cobra.Command {
	return listCommand(listing[tally.Source]{
		use: "versions SOURCE", short: "List the versions of a source, also of one that is deleted",
		example: "  tally source versions litellm\n  tally source show litellm --version 3",
		what:    "listing the versions of", table: sourceVersionTable,
		find: func(ctx context.Context, args []string, c *tally.Client) iter.Seq2[tally.Source, error] {
			return c.SourceVersions(ctx, args[0])
		},
	})
}

var (
	sourceTable = append(table[tally.Source]{
		{"name", func(s tally.Source) any { return s.Name }},
	}, sourceVersionTable[:3]...)
	sourceVersionTable = table[tally.Source]{
		{"version", func(s tally.Source) any { return s.Version }},
		{"created_by", func(s tally.Source) any { return s.CreatedBy }},
		{"created_at", func(s tally.Source) any { return s.CreatedAt }},
		{remarkColumn, func(s tally.Source) any {
			if s.Deleted {
				return remark("deleted")
			}
			return remark("")
		}},
	}
)

func sourceDeleteCommand() *cobra.Command {
	var conn connection
	var sure confirmation
	cmd := &cobra.Command{
		Use:   "delete SOURCE",
		Short: "Delete a source",
		Long: "Deletes a source, on every server within a second. Its events, rejects and versions stay. The source default does\n" +
			"again what it did before anybody put it.",
		Example: "  tally source delete litellm --yes",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			err := sure.ask(cmd, fmt.Sprintf("This deletes the source %s: what is sent to it is refused.", oneLine(args[0])))
			if err != nil {
				return err
			}
			if err := c.DeleteSource(cmd.Context(), args[0]); err != nil {
				return fmt.Errorf("deleting the source %s: %w", args[0], err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is deleted\n", args[0])
			return nil
		}),
	}
	conn.add(cmd.Flags())
	sure.add(cmd)
	return cmd
}

func sourceReadyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ready [MAPPING]",
		Short: "List the mappings that come with this tally, or print one",
		Long: "Lists the names of the mappings that come with this tally, or prints one. A server may be of another version, and have\n" +
			"others: GET /ready-sources.",
		Example: "  tally source ready\n  tally source ready litellm > mapping.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), strings.Join(source.Ready(), "\n"))
				return err
			}
			mapping, found := source.ReadyMapping(args[0])
			if !found {
				return notFound("there is no ready mapping %s: tally source ready lists them", args[0])
			}
			return writeMapping(cmd.OutOrStdout(), mapping)
		},
	}
}
