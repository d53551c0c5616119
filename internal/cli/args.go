package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// checkArguments checks the arguments against the usage line of a command: NAME is required, [NAME] is optional.
func checkArguments(cmd *cobra.Command, args []string) error {
	names := strings.Fields(cmd.Use)[1:]
	for i, name := range names {
		if i >= len(args) && !strings.HasPrefix(name, "[") {
			return fmt.Errorf("%s is missing: %s", name, cmd.UseLine())
		}
	}
	for i, arg := range args[:min(len(args), len(names))] {
		if arg == "" {
			return fmt.Errorf("%s is empty: %s", strings.Trim(names[i], "[]"), cmd.UseLine())
		}
	}
	if len(args) > len(names) {
		return fmt.Errorf("%q is too much: %s", args[len(names)], cmd.UseLine())
	}
	return nil
}
