package cli

import (
	"slices"

	"github.com/spf13/cobra"
)

// Groups of commands in help.
const (
	groupEvents = "events"
	groupViews  = "views"
	groupChecks = "checks"
	groupAccess = "access"
	groupServer = "server"
	groupSetup  = "setup"
)

// commandGroups are the commands, as help shows them.
func commandGroups() []struct {
	id, title string
	commands  []*cobra.Command
} {
	return []struct {
		id, title string
		commands  []*cobra.Command
	}{
		{groupEvents, "Logs and events:", []*cobra.Command{
			logCommand(), appendCommand(), batchCommand(), ingestCommand(), eventsCommand(), sourceCommand(),
		}},
		{groupViews, "Views:", []*cobra.Command{
			viewCommand(), moduleCommand(), queryCommand(), watchCommand(), quotaCommand(), alertCommand(), webhookCommand(),
		}},
		{groupChecks, "Evidence:", []*cobra.Command{verifyCommand(), checkpointCommand(), keygenCommand(), auditLogCommand()}},
		{groupAccess, "Who may do what:", []*cobra.Command{keyCommand(), tokenCommand(), tenantCommand(), analystCommand()}},
		{groupServer, "Servers and databases:", []*cobra.Command{
			serveCommand(), devCommand(), demoCommand(), migrateCommand(), maintainCommand(), healthCommand(), benchCommand(),
			openAPICommand(),
		}},
		{groupSetup, "This program:", []*cobra.Command{loginCommand(), profileCommand(), versionCommand(), manCommand()}},
	}
}

// addCommands adds all commands, in their groups, and the topics of help.
func addCommands(root *cobra.Command) {
	for _, group := range commandGroups() {
		root.AddGroup(&cobra.Group{ID: group.id, Title: group.title})
		for _, cmd := range group.commands {
			cmd.GroupID = group.id
		}
		root.AddCommand(group.commands...)
	}
	root.SetHelpCommandGroupID(groupSetup)
	root.SetCompletionCommandGroupID(groupSetup)
	root.AddCommand(
		&cobra.Command{Use: "exit-codes", Short: "What commands end with, for scripts", Long: exitCodesHelp},
		&cobra.Command{Use: "output", Short: "How commands print, for people and for programs", Long: outputHelp},
	)
}

const outputHelp = `Every command that prints data takes --output:

  table  for people, and the default wherever it goes: a pipe into grep or less shows what the screen does
  json   what the API said, as one value: an object, or for lists an array of them
  csv    by RFC 4180, with a line of headings; what a spreadsheet would take for a formula has an apostrophe in front

Lists show 100 rows unless --limit or --all says otherwise, and say on standard error when there are more. Times are of this
machine's zone in tables, and RFC 3339 in UTC elsewhere. A command whose answer is a single thing that goes into a variable prints it
alone: append its sequence, key create the key, token create the token.

Tables have colours on terminals, unless NO_COLOR is set. What others wrote cannot control the terminal: see docs/cli.md.`

// finishTree gives every command what all have: checked arguments, completion, and what it says about a wrong command line.
func finishTree(cmd *cobra.Command) {
	if cmd.HasSubCommands() {
		cmd.Args = checkSubcommand
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	} else if cmd.Runnable() {
		check := cmd.Args
		if check == nil {
			check = checkArguments
		}
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError{err}
			}
			return nil
		}
		addCompletion(cmd)
	}
	for _, child := range cmd.Commands() {
		finishTree(child)
	}
}

// Walk calls visit for a command and all below it, in the order of help.
func Walk(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	children := slices.Clone(cmd.Commands())
	for _, child := range children {
		Walk(child, visit)
	}
}
