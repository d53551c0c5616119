package cli

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Set by the linker in builds that release a version, such as -X github.com/tallystick/tallystick/internal/cli.version=v1.2.3: see
// tools/build-release.sh. Other builds know what Go stamps them with.
var version, commit, date string

// build says what this program was built from. Fields that are not known are empty.
type build struct {
	Version  string `json:"version"` // unknown, at worst
	Commit   string `json:"commit,omitempty"`
	Date     string `json:"date,omitempty"`     // of the commit, RFC 3339
	Modified bool   `json:"modified,omitempty"` // there were changes that the commit does not have
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func thisBuild() build {
	b := build{Version: version, Commit: commit, Date: date, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok && version == "" {
		b.Version = info.Main.Version
		for _, setting := range info.Settings {
			switch setting.Key {
			case "vcs.revision":
				b.Commit = setting.Value
			case "vcs.time":
				b.Date = setting.Value
			case "vcs.modified":
				b.Modified = setting.Value == "true"
			}
		}
	}
	b.Version = cmp.Or(b.Version, "unknown")
	return b
}

// Version returns the version of this build: the one that was released, or else the module's, which names the commit.
func Version() string { return thisBuild().Version }

func versionCommand() *cobra.Command {
	var out printer
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version, and what this program was built from",
		Example: "  tally version\n  tally version --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := thisBuild()
			return buildTable.oneAs(cmd, &out, b, b.write)
		},
	}
	out.addOutput(cmd)
	return cmd
}

var buildTable = table[build]{
	{"version", func(b build) any { return b.Version }},
	{"commit", func(b build) any { return b.Commit }},
	{"date", func(b build) any { return b.Date }},
	{"modified", func(b build) any { return b.Modified }},
	{"go", func(b build) any { return b.Go }},
	{"platform", func(b build) any { return b.Platform }},
}

// write prints the line of `tally --version`, and where it came from.
func (b build) write(w io.Writer) error {
	text := "tally version " + b.Version + "\n"
	if b.Commit != "" {
		changed := ""
		if b.Modified {
			changed = ", with changes"
		}
		text += fmt.Sprintf("commit %s of %s%s\n", b.Commit, b.Date, changed)
	}
	_, err := io.WriteString(w, text+b.Go+" "+b.Platform+"\n")
	return err
}
