package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/terminal"
	"github.com/tallystick/tallystick/internal/viewtest"
	"github.com/tallystick/tallystick/internal/wasm"
)

// defaultModule is where the kits' projects build their module.
const defaultModule = "view.wasm"

// viewTest is a run of tally view test.
type viewTest struct {
	dir    string
	config string
	gas    int64
	update bool
	width  int // of the longest folder's name
}

func viewTestCommand() *cobra.Command {
	var test viewTest
	cmd := &cobra.Command{
		Use:   "test [MODULE]",
		Short: "Run a view over golden folders, with the server's own engine",
		Long: "Runs a module (" + defaultModule + " unless another is named) over golden folders. Each holds events.ndjson (one event\n" +
			"a line), queries.txt (one query string a line), config.json where the view has a configuration, and\n" +
			"expected.txt: what must come of them. The events are folded one by one, in batches, in one go and many in one\n" +
			"call, which must all give the same state. --update writes expected.txt; read it before you keep it.\n\n" +
			"A view's guard is asked about each event before it is folded, at the event's time; expected.txt shows which lines\n" +
			"it refused, with what, and what it said of those that it admitted.\n\n" +
			"A line for each folder says what its events took: gas, which is the same on every machine, and the median time\n" +
			"of reading the fields that the view wants and folding them.",
		Example: "  tally view test\n  tally view test build/view.wasm --dir goldens --update",
		RunE: func(cmd *cobra.Command, args []string) error {
			file := defaultModule
			if len(args) > 0 {
				file = args[0]
			}
			return test.run(cmd.Context(), terminal.NewWriter(cmd.OutOrStdout()), file) // for people, even in a pipe
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&test.dir, "dir", "testdata", "folder of golden folders, or one golden folder")
	flags.StringVar(&test.config, "config", "", "configuration for folders that have no config.json: JSON, or @file")
	flags.Int64Var(&test.gas, "gas", wasm.DefaultFoldGas, "what folding one event may take, as with tally view deploy")
	flags.BoolVar(&test.update, "update", false, "write what comes into expected.txt")
	return cmd
}

// run plays every folder, prints each result, and fails if one did not pass.
func (t *viewTest) run(ctx context.Context, w io.Writer, file string) (err error) {
	code, err := readModule(file)
	if err != nil {
		return err
	}
	config, err := readConfig(t.config)
	if err != nil {
		return err
	}
	if t.gas <= 0 {
		return usagef("--gas %d is no budget: it must be above 0", t.gas)
	}
	cases, err := viewtest.Cases(t.dir)
	if err != nil {
		return err
	}
	engine, err := wasm.NewEngine(ctx, wasm.Config{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close(context.WithoutCancel(ctx))) }()
	module, err := engine.Compile(ctx, code)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, c := range cases {
		t.width = max(t.width, utf8.RuneCountInString(c.Name))
	}
	failed := 0
	for _, c := range cases {
		passed, err := t.runCase(ctx, w, c, module, wasm.Settings{Config: config, FoldGas: t.gas})
		if err != nil {
			return err
		}
		if !passed {
			failed++
		}
	}
	if failed > 0 {
		fmt.Fprintf(w, "%d of %d folders failed\n", failed, len(cases))
		return errIncomplete
	}
	return nil
}

// runCase plays one folder. A fault of the folder, such as a line that is no event, fails only that folder; the error is for faults that
// would fail them all.
func (t *viewTest) runCase(
	ctx context.Context, w io.Writer, c viewtest.Case, module *wasm.Module, settings wasm.Settings,
) (passed bool, err error) {
	result, err := c.Play(ctx, module, settings)
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	if err != nil {
		fmt.Fprintf(w, "FAIL  %s\n%s\n", c.Name, indent(err.Error()))
		return false, nil
	}
	if t.update {
		if err := c.Update(result); err != nil {
			return false, err
		}
		result.Missing, result.Want = false, result.Got
	}
	verdict := "ok"
	if !result.OK() {
		verdict = "FAIL"
	}
	figures, err := measure(ctx, result)
	if err != nil {
		return false, err
	}
	fmt.Fprintf(w, "%-4s  %-*s  %s\n", verdict, t.width, c.Name, figures)
	for _, fault := range result.Faults {
		fmt.Fprintf(w, "%s\n", indent(fault))
	}
	if result.Missing {
		fmt.Fprintf(w, "%s\n", indent("there is no expected.txt yet; this came (--update writes it):\n"+result.Got))
	} else if difference := viewtest.Diff(result.Want, result.Got); difference != "" {
		fmt.Fprintf(w, "%s\n", indent("expected.txt (-) differs from what came (+):\n"+difference))
	}
	return result.OK(), nil
}

// measure describes the gas and the time of a folder's events.
func measure(ctx context.Context, result *viewtest.Result) (string, error) {
	if result.View == nil || len(result.Events)+result.GuardGas.Events == 0 {
		return "no events", nil
	}
	took, measured, err := result.View.Measure(ctx, result.Events)
	if err != nil {
		return "", err
	}
	figures := fmt.Sprintf("%6s events  %9s gas/event (most %s)", thousands(int64(len(result.Events))),
		thousands(result.Gas.Total/int64(max(1, result.Gas.Events))), thousands(result.Gas.Most))
	if measured {
		figures += fmt.Sprintf("  %7s ns/event", thousands(took.Nanoseconds()))
	}
	if guard := result.GuardGas; guard.Events > 0 {
		figures += fmt.Sprintf("  guard %s gas/event (most %s)", thousands(guard.Total/int64(guard.Events)), thousands(guard.Most))
	}
	return figures, nil
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ")
}

// readModule reads a module's file. If it is missing, the error explains how to build it.
func readModule(file string) ([]byte, error) {
	code, err := os.ReadFile(file) //nolint:gosec // the file that the user named
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no module %s: %s", file, buildHint(filepath.Dir(file)))
	}
	if err != nil {
		return nil, fmt.Errorf("reading the module: %w", err)
	}
	if !bytes.HasPrefix(code, []byte("\x00asm")) {
		return nil, fmt.Errorf("%s is no WebAssembly module: name the file that the build makes, which is %s in the kits' projects",
			file, defaultModule)
	}
	return code, nil
}

// buildHint returns how to build the project in a folder, judged by the kits' files.
func buildHint(dir string) string {
	for _, build := range []struct{ file, command string }{
		{"build.py", "python3 build.py"}, {"build.sh", "sh build.sh"}, {"package.json", "npm ci && npm run build"}, {"Makefile", "make"},
	} {
		if _, err := os.Stat(filepath.Join(dir, build.file)); err == nil {
			return "build it with " + build.command
		}
	}
	return "build it first, or name the file"
}

// readConfig returns a configuration from a flag: JSON, or @ and the name of a file.
func readConfig(value string) ([]byte, error) {
	file, named := strings.CutPrefix(value, "@")
	if !named {
		return []byte(value), nil
	}
	config, err := os.ReadFile(file) //nolint:gosec // the file that the user named
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return config, nil
}
