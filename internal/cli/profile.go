package cli

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
)

func profileCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "profile",
		Short: "List, choose and remove the profiles that tally login wrote",
		Long: "A profile holds a server's address, a key, and where they are needed a tenant and a file of authorities. --profile names\n" +
			"the one to ask by, or else TALLY_PROFILE, or else the one in use does. Flags go before the environment, and that before\n" +
			"a profile; one that --profile names goes before the environment, too. Nothing of a profile is sent to another server.",
		Example: "  tally login --profile staging\n  tally profile list\n  tally profile use staging",
	}
	cmd.AddCommand(profileListCommand(), profileUseCommand(), profileRemoveCommand())
	return cmd
}

// shownProfile is a profile without its secret.
type shownProfile struct {
	Name   string `json:"name"`
	InUse  bool   `json:"in_use"`
	URL    string `json:"url"`
	KeyID  string `json:"key_id,omitempty"`
	Tenant string `json:"tenant,omitempty"`
	CAFile string `json:"ca_file,omitempty"`
}

var profileTable = table[shownProfile]{
	{"profile", func(p shownProfile) any { return p.Name }},
	{"in_use", func(p shownProfile) any { return p.InUse }},
	{"url", func(p shownProfile) any { return p.URL }},
	{"key_id", func(p shownProfile) any { return p.KeyID }},
	{"tenant", func(p shownProfile) any { return p.Tenant }},
	{"ca_file", func(p shownProfile) any { return p.CAFile }},
}

func profileListCommand() *cobra.Command {
	var out printer
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List profiles, without their keys",
		Example: "  tally profile list\n  tally profile list --output json",
		Args:    checkArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			kept, err := readProfiles()
			if err != nil {
				return err
			}
			var rows []shownProfile
			for _, name := range slices.Sorted(maps.Keys(kept.ByName)) {
				p := kept.ByName[name]
				rows = append(rows, shownProfile{name, name == kept.Current, p.URL, p.keyID(), p.Tenant, p.CAFile})
			}
			return profileTable.list(cmd, &out, seqOf(rows, nil))
		},
	}
	out.addOutput(cmd)
	return cmd
}

func profileUseCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "use PROFILE",
		Short:   "Ask by a profile from now on",
		Example: "  tally profile use production",
		Args:    checkArguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeProfiles(cmd, args[0], "profile %s is in use\n", func(kept *profiles) { kept.Current = args[0] })
		},
	}
}

func profileRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "remove PROFILE",
		Short:   "Forget a profile and its key",
		Long:    "Forgets a profile, and its key with it. On the server nothing changes: tally key revoke ends a key.",
		Example: "  tally profile remove staging",
		Args:    checkArguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeProfiles(cmd, args[0], "profile %s is removed\n", func(kept *profiles) {
				delete(kept.ByName, args[0])
				if kept.Current == args[0] {
					kept.Current = ""
				}
			})
		},
	}
}

// changeProfiles changes something about a profile that is there, and says what.
func changeProfiles(cmd *cobra.Command, name, done string, change func(*profiles)) error {
	kept, err := readProfiles()
	if err != nil {
		return err
	}
	if _, err := kept.find(name); err != nil {
		return err
	}
	change(&kept)
	if err := kept.write(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), done, name)
	return err
}
