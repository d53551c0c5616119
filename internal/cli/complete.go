package cli

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/source"
	"github.com/tallystick/tallystick/internal/terminal"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
	"github.com/tallystick/tallystick/views"
)

const (
	// completionTime bounds what a shell waits for names from the server.
	completionTime = 800 * time.Millisecond
	// maxCompletions is the most names that are offered.
	maxCompletions = 200
)

// completing is what a shell asks for: names of one kind that begin with a text.
type completing struct {
	cmd   *cobra.Command
	args  []string // before it
	begin string
}

// argumentNames finds names for an argument, or the value of a flag, by what help calls it.
var argumentNames = map[string]func(context.Context, *tally.Client, completing) ([]string, error){
	"VIEW": func(ctx context.Context, c *tally.Client, q completing) ([]string, error) {
		log := q.argument("LOG")
		if log == "" {
			return namesOf(c.ListViewPatterns(ctx))(func(v tally.ViewPattern) string { return v.Name })
		}
		return namesOf(c.ListViews(ctx, log))(func(v tally.View) string { return v.Name })
	},
	"SOURCE": func(ctx context.Context, c *tally.Client, _ completing) ([]string, error) {
		return namesOf(tally.Collect(c.Sources(ctx)))(func(s tally.Source) string { return s.Name })
	},
	"KEY": func(ctx context.Context, c *tally.Client, _ completing) ([]string, error) {
		return namesOf(tally.Collect(c.Keys(ctx)))(func(k tally.Key) string {
			if k.RevokedAt != nil {
				return ""
			}
			return k.Name
		})
	},
	"TENANT": func(ctx context.Context, c *tally.Client, _ completing) ([]string, error) {
		return namesOf(tally.Collect(c.Tenants(ctx)))(func(t tally.Tenant) string { return t.Name })
	},
}

// knownNames are names for which no server is asked.
var knownNames = map[string]func() []string{
	"PROFILE": func() []string {
		kept, _ := readProfiles() // those that can be read
		var names []string
		for name := range kept.ByName {
			names = append(names, name)
		}
		return names
	},
	"MAPPING":  source.Ready,
	"LANGUAGE": views.Languages,
	"SCOPE":    func() []string { return []string{"append", "read", "query", "deploy", "admin", "operator"} },
	"LEVEL":    func() []string { return []string{"debug", "info", "warn", "error"} },
	"FORMAT":   func() []string { return []string{formatText, formatJSON} },
}

// flagNames says of flags what their values are.
var flagNames = map[string]string{
	"log": "LOG", "view": "VIEW", "source": "SOURCE", "tenant": "TENANT", "profile": "PROFILE", "lang": "LANGUAGE", "scopes": "SCOPE",
	"log-level": "LEVEL", "log-format": "FORMAT",
}

// fileArguments are arguments that name files.
var fileArguments = []string{"FILE", "MODULE", "PAYLOAD", "DIR"}

// namesOf returns the names of what was listed.
func namesOf[T any](found []T, err error) func(name func(T) string) ([]string, error) {
	return func(name func(T) string) ([]string, error) {
		var names []string
		for _, one := range found {
			if name := name(one); name != "" {
				names = append(names, name)
			}
		}
		return names, err
	}
}

// argument returns the argument of that name, or the value of the flag that goes for it.
func (q completing) argument(name string) string {
	for i, argument := range arguments(q.cmd) {
		if argument.name == name && i < len(q.args) {
			return q.args[i]
		}
	}
	for flag, what := range flagNames {
		if set := q.cmd.Flags().Lookup(flag); what == name && set != nil {
			return strings.Trim(set.Value.String(), "[]") // a list of one
		}
	}
	return ""
}

// addCompletion has a shell complete the arguments and flags of a command.
func addCompletion(cmd *cobra.Command) {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, begin string) ([]string, cobra.ShellCompDirective) {
		wanted := arguments(cmd)
		i := len(args)
		if n := len(wanted); n > 0 && wanted[n-1].repeated {
			i = min(i, n-1)
		}
		if i >= len(wanted) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(wanted[i].name, completing{cmd, args, begin})
	}
	for flag, what := range flagNames {
		if cmd.Flags().Lookup(flag) == nil {
			continue
		}
		must(cmd.RegisterFlagCompletionFunc(flag,
			func(cmd *cobra.Command, args []string, begin string) ([]string, cobra.ShellCompDirective) {
				return complete(what, completing{cmd, args, begin})
			}))
	}
}

// complete returns names of a kind. Whatever fails, a shell gets none, and says nothing.
func complete(what string, q completing) ([]string, cobra.ShellCompDirective) {
	if slices.Contains(fileArguments, what) {
		return nil, cobra.ShellCompDirectiveDefault
	}
	names, err := []string(nil), error(nil)
	if known := knownNames[what]; known != nil {
		names = known()
	} else if ask := argumentNames[what]; ask != nil {
		names, err = askNames(q, ask)
	}
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return !strings.HasPrefix(name, q.begin) || terminal.Line(name) != name
	})
	slices.Sort(names)
	names = slices.Compact(names)
	return names[:min(len(names), maxCompletions)], cobra.ShellCompDirectiveNoFileComp
}

// askNames asks the server that the command would ask.
func askNames(
	q completing, ask func(context.Context, *tally.Client, completing) ([]string, error),
) ([]string, error) {
	if err := flagsFromEnv(q.cmd.Flags(), os.LookupEnv); err != nil {
		return nil, err
	}
	var conn connection
	for flag, to := range map[string]*string{
		"profile": &conn.profile, "url": &conn.url, "ca-file": &conn.caFile, "key": &conn.key, "tenant": &conn.tenant,
	} {
		var err error
		if *to, err = q.cmd.Flags().GetString(flag); err != nil {
			return nil, err // the command asks no server
		}
	}
	if conn.key == "-" { // the command will read it, not the shell's question
		return nil, nil
	}
	c, err := conn.open(q.cmd)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.cmd.Context()), completionTime)
	defer cancel()
	return ask(ctx, c, q)
}
