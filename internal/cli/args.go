package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// argument is one of a command's arguments, as its usage line has it: NAME is required, [NAME] is optional, [NAME]... comes any number of
// times.
type argument struct {
	name               string
	optional, repeated bool
}

// arguments reads the usage line of a command.
func arguments(cmd *cobra.Command) []argument {
	var found []argument
	for _, word := range strings.Fields(cmd.Use)[1:] {
		word, repeated := strings.CutSuffix(word, "...")
		found = append(found, argument{strings.Trim(word, "[]"), strings.HasPrefix(word, "["), repeated})
	}
	return found
}

// checkArguments checks the arguments against the usage line of a command.
func checkArguments(cmd *cobra.Command, args []string) error {
	wanted := arguments(cmd)
	for i, argument := range wanted {
		if i >= len(args) && !argument.optional {
			return usagef("%s is missing: %s", argument.name, cmd.UseLine())
		}
		if i < len(args) && args[i] == "" {
			return usagef("%s is empty: %s", argument.name, cmd.UseLine())
		}
	}
	if len(args) > len(wanted) && (len(wanted) == 0 || !wanted[len(wanted)-1].repeated) {
		return usagef("%q is too much: %s", args[len(wanted)], cmd.UseLine())
	}
	return nil
}

// checkSubcommand refuses what is no command of a group, and suggests one that is.
func checkSubcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2 // letters that may be wrong
	advice := fmt.Sprintf("%s --help lists them", cmd.CommandPath())
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		advice = "did you mean " + strings.Join(similar, " or ") + "?"
	}
	return usagef("there is no command %s %s: %s", cmd.CommandPath(), oneLine(args[0]), advice)
}
