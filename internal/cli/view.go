package cli

import (
	"github.com/spf13/cobra"
)

func viewCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "view",
		Short: "Write, test, deploy and look after views",
		Long: "A view folds a log's events into state, and answers queries from it. These commands start its project, test it,\n" +
			"deploy it on a log or a pattern of logs, and say which version answers: docs/writing-views.md.",
		Example: "  tally view new --lang go monthly-totals\n  tally view deploy acme monthly-totals --module view.wasm",
	}
	cmd.AddCommand(
		viewNewCommand(), viewTestCommand(), viewPreviewCommand(), viewDeployCommand(),
		viewReadyCommand(), viewListCommand(), viewStatesCommand(), viewShowCommand(), viewVersionsCommand(),
		viewRollbackCommand(), viewResumeCommand(), viewRetireCommand(), viewAuditCommand(), viewPatternCommand(),
	)
	return cmd
}
