package viewtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/wasm"
)

// The files of a golden folder.
const (
	eventsFile   = "events.ndjson"
	configFile   = "config.json"
	queriesFile  = "queries.txt"
	expectedFile = "expected.txt"
)

// Case is a golden folder.
type Case struct {
	Name string // the folder's, below the folder of cases
	Dir  string
}

// Cases finds the golden folders in dir, by name: dir itself, when it is one, or the folders right below it that hold at least one
// of a golden folder's files.
func Cases(dir string) ([]Case, error) {
	if isCase(dir) {
		return []Case{{Name: filepath.Base(dir), Dir: dir}}, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking for golden folders: %w", err)
	}
	var cases []Case
	for _, entry := range entries {
		if sub := filepath.Join(dir, entry.Name()); entry.IsDir() && isCase(sub) {
			cases = append(cases, Case{Name: entry.Name(), Dir: sub})
		}
	}
	if len(cases) == 0 {
		return nil, fmt.Errorf("%s holds no golden folder: make one, such as %s, with %s (one event a line), "+
			"%s (one query string a line) and, where the view has a configuration, %s",
			dir, filepath.Join(dir, "first"), eventsFile, queriesFile, configFile)
	}
	return cases, nil
}

func isCase(dir string) bool {
	return slices.ContainsFunc([]string{eventsFile, configFile, queriesFile, expectedFile}, func(name string) bool {
		info, err := os.Stat(filepath.Join(dir, name))
		return err == nil && info.Mode().IsRegular()
	})
}

// read returns a file's text; ok reports whether the file exists.
func (c Case) read(name string) (text []byte, ok bool, err error) {
	text, err = os.ReadFile(filepath.Join(c.Dir, name)) //nolint:gosec // the caller's own folder
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	return text, err == nil, err
}

// Result is what came of a golden folder.
type Result struct {
	Got, Want string // texts of expected.txt
	// Missing: there is no expected.txt yet.
	Missing bool
	// Faults are what no expected.txt allows: state or answers that depend on more than the events.
	Faults []string
	Gas    Gas
	// GuardGas is what the view's guard took; of no events where it has none.
	GuardGas Gas
	// Events are those of the folder that were appended, for measuring; nil when the configuration was refused.
	Events []Event
	View   *View // nil when the configuration was refused
}

// OK reports whether the view does what expected.txt holds, however its events are batched.
func (r *Result) OK() bool { return len(r.Faults) == 0 && !r.Missing && r.Got == r.Want }

// Play deploys the module with the settings, in which the folder's own configuration takes precedence, folds the events, asks the queries
// and writes the outcome:
//
//	config refused: <the view's words>      and nothing else, or
//	ignored: [<sequences>]
//	refused line <line>: <status> <answer>  where the view has a guard: what it refused, and what it said of what it admitted; with 429
//	admitted line <line> as <sequence>: <answer>  also ", retry after <seconds> s"; a line of events.ndjson that is refused leaves nothing
//	halted at <sequence>: <error>           where the view could not fold an event, or its guard not decide on it
//	                                        a blank line
//	"<key>" <value>                         the state, in byte order of keys
//	                                        a blank line, and then for each query:
//	?<query string>
//	(<media type>)                          where the answer is not JSON
//	<answer>                                or "refused: <the view's words>", or "failed: <error>"
//
// An error means that the folder cannot be played; it names the file and the line.
func (c Case) Play(ctx context.Context, module *wasm.Module, settings wasm.Settings) (*Result, error) {
	want, exists, err := c.read(expectedFile)
	if err != nil {
		return nil, err
	}
	r := &Result{Want: string(want), Missing: !exists}
	if own, ok, err := c.read(configFile); err != nil {
		return nil, err
	} else if ok {
		settings.Config = own
	}
	if r.View, err = Deploy(ctx, module, settings); err != nil {
		r.Got, err = configRefusal(err)
		return r, err
	}
	ndjson, _, err := c.read(eventsFile)
	if err != nil {
		return nil, err
	}
	queries, _, err := c.read(queriesFile)
	if err != nil {
		return nil, err
	}
	appended, err := r.View.play(ctx, ndjson)
	if _, unreadable := errors.AsType[*LineError](err); unreadable {
		return nil, fmt.Errorf("%s: %w", filepath.Join(c.Dir, eventsFile), err)
	} else if err != nil {
		return nil, err
	}
	return r, r.write(ctx, appended, lines(queries))
}

// play appends the events, where the view has a guard, or else folds them. The error is a *LineError or not the view's fault.
func (v *View) play(ctx context.Context, ndjson []byte) (*Appended, error) {
	if v.view.Module.HasGuard() {
		lines, err := readLines(ndjson)
		if err != nil {
			return nil, err
		}
		return v.Append(ctx, lines)
	}
	events, err := ReadEvents(ndjson)
	if err != nil {
		return nil, err
	}
	folded, err := v.Fold(ctx, events)
	return &Appended{Folded: folded, Events: events}, err
}

func configRefusal(err error) (string, error) {
	if text, ok := Refusal(err); ok {
		return "config refused: " + text + "\n", nil
	}
	var refused *wasm.RefusedError
	if errors.As(err, &refused) {
		return "config refused: " + refused.Reason + "\n", nil
	}
	var failed *wasm.ViewError
	if errors.As(err, &failed) {
		return "config failed: " + failed.Error() + "\n", nil
	}
	return "", err
}

// write writes what came of the events, and asks the queries of the state.
func (r *Result) write(ctx context.Context, folded *Appended, queries []string) error {
	r.Events, r.Gas, r.GuardGas = folded.Events, folded.Gas, folded.GuardGas
	if folded.Difference != nil {
		r.Faults = append(r.Faults, folded.Difference.String()+": the view keeps something in memory that belongs into its state")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "ignored: %v\n", folded.Ignored)
	for i := range folded.Decisions {
		fmt.Fprintf(&b, "%s\n", &folded.Decisions[i])
	}
	if folded.Halted > 0 {
		fmt.Fprintf(&b, "halted at %d: %s\n", folded.Halted, folded.Reason)
	}
	fmt.Fprintf(&b, "\n%s", folded.State)
	for _, query := range queries {
		answer, err := r.ask(ctx, folded.State, query)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "\n?%s\n%s\n", query, answer)
	}
	r.Got = b.String()
	return nil
}

// ask asks twice, and returns the first answer as expected.txt holds it.
func (r *Result) ask(ctx context.Context, state State, query string) (string, error) {
	first, err := r.View.answer(ctx, state, query)
	if err != nil {
		return "", err
	}
	again, err := r.View.answer(ctx, state, query)
	if err != nil {
		return "", err
	}
	if first != again {
		r.Faults = append(r.Faults, fmt.Sprintf("?%s is answered %s, and when it is asked again, %s", query, first, again))
	}
	return first, nil
}

func (v *View) answer(ctx context.Context, state State, query string) (string, error) {
	answer, err := v.Ask(ctx, state, query)
	if text, ok := Refusal(err); ok {
		return "refused: " + text, nil
	}
	var failed *wasm.ViewError
	switch {
	case errors.As(err, &failed):
		return "failed: " + failed.Error(), nil
	case err != nil:
		return "", fmt.Errorf("asking ?%s: %w", query, err)
	case answer.Type != wasm.TypeJSON:
		return "(" + answer.Type + ")\n" + string(answer.Text), nil
	}
	return string(answer.Text), nil
}

// Update writes the outcome into expected.txt.
func (c Case) Update(r *Result) error {
	return os.WriteFile(filepath.Join(c.Dir, expectedFile), []byte(r.Got), 0o644) //nolint:gosec // a file of the author's sources
}

// lines splits a text, whose last line may lack its end. A blank line is a line: the empty query.
func lines(text []byte) []string {
	if len(text) == 0 {
		return nil
	}
	text = bytes.TrimSuffix(text, []byte("\n"))
	split := strings.Split(string(text), "\n")
	for i, line := range split {
		split[i] = strings.TrimSuffix(line, "\r")
	}
	return split
}
