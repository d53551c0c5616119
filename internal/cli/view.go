package cli

import (
	"github.com/spf13/cobra"
)

func viewCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "view",
		Short: "Write, test, deploy and look after views",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(viewNewCommand(), viewTestCommand(), viewDeployCommand(), viewListCommand(), viewVersionsCommand(),
		viewRollbackCommand(), viewResumeCommand(), viewRetireCommand(), viewWithdrawCommand())
	return cmd
}
