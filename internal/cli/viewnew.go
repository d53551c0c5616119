package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/views"
)

func viewNewCommand() *cobra.Command {
	var language string
	var guard bool
	cmd := &cobra.Command{
		Use:   "new NAME [DIR]",
		Short: "Start a project that builds a view",
		Long: "Writes a project into DIR, a new folder called NAME unless another is given: a view that counts each model's\n" +
			"tokens by month, its golden folder, and the kit of the language, so that it builds without asking any registry\n" +
			"for the kit. Nothing is overwritten.\n\n" +
			"With --guard it is a view that limits each team's tokens by day: its guard decides on each event before that is\n" +
			"appended, and refuses what would pass the limit.",
		Example: "  tally view new --lang go monthly-totals\n  tally view new --lang c monthly-totals views/totals\n" +
			"  tally view new --lang rust --guard daily-limit",
		RunE: func(cmd *cobra.Command, args []string) error {
			if language == "" {
				return usagef("--lang is missing: %s", strings.Join(views.Languages(), ", "))
			}
			kit, err := views.FindKit(language)
			if err != nil {
				return err
			}
			name, dir := args[0], args[len(args)-1]
			project := kit.Project
			if guard {
				project = kit.GuardProject
			}
			files, err := project(name)
			if err != nil {
				return err
			}
			if err := writeProject(dir, files); err != nil {
				return err
			}
			printNextSteps(cmd.OutOrStdout(), kit, name, dir, len(files))
			return nil
		},
	}
	cmd.Flags().StringVar(&language, "lang", "", "language: "+strings.Join(views.Languages(), ", "))
	cmd.Flags().BoolVar(&guard, "guard", false, "a view with a guard, which may refuse events")
	return cmd
}

// writeProject writes the files into a folder, which must be empty or missing.
func writeProject(dir string, files map[string][]byte) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("looking into %s: %w", dir, err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty (it holds %s): nothing was written; name another folder", dir, entries[0].Name())
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // sources are for everybody to read
			return fmt.Errorf("making the project: %w", err)
		}
		if err := os.WriteFile(file, files[name], projectMode(name, files[name])); err != nil {
			return fmt.Errorf("making the project: %w", err)
		}
	}
	return nil
}

// projectMode makes scripts executable: files that start with #!.
func projectMode(name string, text []byte) fs.FileMode {
	if strings.HasPrefix(string(text), "#!") && !strings.Contains(name, "testdata/") {
		return 0o755
	}
	return 0o644
}

func printNextSteps(w io.Writer, kit views.Kit, name, dir string, files int) {
	fmt.Fprintf(w, `%s is there, %d files. What it needs: %s. Next:
  cd %s
  %s
  tally view test
  tally view deploy LOG %s --module view.wasm
`, dir, files, kit.Needs, dir, kit.Build, name)
}
