package cli

import (
	"context"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
var argumentNames = map[string]func(context.Context, *tally.Client, completing) iter.Seq2[string, error]{
	"LOG": func(ctx context.Context, c *tally.Client, q completing) iter.Seq2[string, error] {
		return namesOf(c.Logs(ctx, q.begin), func(l tally.Log) string { return l.Name })
	},
	"VIEW": func(ctx context.Context, c *tally.Client, q completing) iter.Seq2[string, error] {
		log := q.argument("LOG")
		if log == "" {
			return namesOf(seqOf(c.ListViewPatterns(ctx)), func(v tally.ViewPattern) string { return v.Name })
		}
		return namesOf(seqOf(c.ListViews(ctx, log)), func(v tally.View) string { return v.Name })
	},
	"READY": func(ctx context.Context, c *tally.Client, _ completing) iter.Seq2[string, error] {
		return namesOf(seqOf(c.ListReadyViews(ctx)), func(r tally.ReadyView) string { return r.Name })
	},
	"SOURCE": func(ctx context.Context, c *tally.Client, _ completing) iter.Seq2[string, error] {
		return namesOf(c.Sources(ctx), func(s tally.Source) string { return s.Name })
	},
	"KEY": func(ctx context.Context, c *tally.Client, _ completing) iter.Seq2[string, error] {
		return namesOf(c.Keys(ctx), func(k tally.Key) string {
			if k.RevokedAt != nil {
				return "" // there is nothing to do with it
			}
			return k.Name
		})
	},
	"ALERT": func(ctx context.Context, c *tally.Client, _ completing) iter.Seq2[string, error] {
		return namesOf(c.Alerts(ctx), func(a tally.ListedAlert) string { return a.Name })
	},
	"WEBHOOK": func(ctx context.Context, c *tally.Client, _ completing) iter.Seq2[string, error] {
		return namesOf(c.Webhooks(ctx), func(w tally.Webhook) string { return w.WebhookID })
	},
	"DELIVERY": func(ctx context.Context, c *tally.Client, q completing) iter.Seq2[string, error] {
		return namesOf(c.Deliveries(ctx, q.argument("WEBHOOK"), ""), func(d tally.WebhookDelivery) string { return d.DeliveryID })
	},
	"TENANT": func(ctx context.Context, c *tally.Client, _ completing) iter.Seq2[string, error] {
		return namesOf(c.Tenants(ctx), func(t tally.Tenant) string { return t.Name })
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

// flagNames says of flags what their values are. Others say so in their usage, in back-quotes.
var flagNames = map[string]string{
	"log": "LOG", "view": "VIEW", "source": "SOURCE", "tenant": "TENANT", "profile": "PROFILE", "lang": "LANGUAGE", "scopes": "SCOPE",
	"log-level": "LEVEL", "log-format": "FORMAT",
}

// fileArguments are arguments that name files.
var fileArguments = []string{"FILE", "MODULE", "PAYLOAD", "DIR"}

// namesOf returns the names of what is listed.
func namesOf[T any](found iter.Seq2[T, error], name func(T) string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for one, err := range found {
			if !yield(name(one), err) {
				return
			}
		}
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
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		what, usage := flagNames[flag.Name], ""
		if what == "" {
			what, usage = pflag.UnquoteUsage(flag)
		}
		if usage != "" && argumentNames[what] == nil && knownNames[what] == nil {
			return
		}
		must(cmd.RegisterFlagCompletionFunc(flag.Name,
			func(cmd *cobra.Command, args []string, begin string) ([]string, cobra.ShellCompDirective) {
				return complete(what, completing{cmd, args, begin})
			}))
	})
}

// complete returns names of a kind. Whatever fails, a shell gets none, and says nothing.
func complete(what string, q completing) ([]string, cobra.ShellCompDirective) {
	if slices.Contains(fileArguments, what) {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var names []string
	if known := knownNames[what]; known != nil {
		names = q.matching(seqOf(known(), nil))
	} else if ask := argumentNames[what]; ask != nil {
		names = askNames(q, ask)
	}
	slices.Sort(names)
	return slices.Compact(names), cobra.ShellCompDirectiveNoFileComp
}

// matching returns the first names that begin as they must, unless there is an error among them.
func (q completing) matching(names iter.Seq2[string, error]) []string {
	var found []string
	for name, err := range names {
		if err != nil {
			return nil
		}
		if name != "" && strings.HasPrefix(name, q.begin) && terminal.Line(name) == name {
			found = append(found, name)
		}
		if len(found) == maxCompletions {
			break
		}
	}
	return found
}

// askNames asks the server that the command would ask.
func askNames(q completing, ask func(context.Context, *tally.Client, completing) iter.Seq2[string, error]) []string {
	if err := flagsFromEnv(q.cmd.Flags(), os.LookupEnv); err != nil {
		return nil
	}
	var conn connection
	for flag, to := range map[string]*string{
		"profile": &conn.profile, "url": &conn.url, "ca-file": &conn.caFile, "key": &conn.key, "tenant": &conn.tenant,
	} {
		var err error
		if *to, err = q.cmd.Flags().GetString(flag); err != nil {
			return nil // the command asks no server
		}
	}
	if conn.key == "-" { // the command will read it, not the shell's question
		return nil
	}
	c, err := conn.open(q.cmd)
	if err != nil {
		return nil
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(q.cmd.Context(), completionTime)
	defer cancel()
	return q.matching(ask(ctx, c, q))
}
