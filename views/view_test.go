package views_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/viewtest"
	"github.com/tallystick/tallystick/internal/wasm"
	"github.com/tallystick/tallystick/views"
)

// modules are the ready views by name.
var modules = map[string][]byte{
	"monthly_totals": views.MonthlyTotals(),
	"rate_check":     views.RateCheck(),
	"cost_by_team":   views.CostByTeam(),
	"meter":          views.Meter(),
	"quota":          views.Quota(),
}

// maxModuleBytes keeps the views small enough to be uploaded and compiled without a thought. Half of meter is time zones.
const maxModuleBytes = 250 << 10

func TestModulesAreSmall(t *testing.T) {
	for name, module := range modules {
		if len(module) == 0 || len(module) > maxModuleBytes {
			t.Errorf("%s has %d bytes; 1 to %d are wanted", name, len(module), maxModuleBytes)
		}
	}
}

// memoryState keeps a view's state in a map.
type memoryState = viewtest.State

// deployed is a ready view with its configuration; what goes wrong with it ends the test.
type deployed struct{ *viewtest.View }

// shared is the engine of all tests, so that each module is compiled once.
var shared *wasm.Engine

func engine(testing.TB) *wasm.Engine { return shared }

// closePatience is what a session may take to end that a failed test left open.
const closePatience = time.Minute

func TestMain(m *testing.M) {
	var err error
	if shared, err = wasm.NewEngine(context.Background(), wasm.Config{CacheDir: testrig.ModuleCache()}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	if err := shared.Close(ctx); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	cancel()
	os.Exit(status)
}

// compile compiles a ready view.
func compile(tb testing.TB, view string) *wasm.Module {
	tb.Helper()
	module, err := engine(tb).Compile(tb.Context(), modules[view])
	if err != nil {
		tb.Fatal(err)
	}
	return module
}

// deploy compiles a ready view and asks for its fields; the error is the view's refusal of the configuration.
func deploy(tb testing.TB, view, config string) (*deployed, error) {
	tb.Helper()
	v, err := viewtest.Deploy(tb.Context(), compile(tb, view), wasm.Settings{Config: []byte(config)})
	return &deployed{v}, err
}

func mustDeploy(tb testing.TB, view, config string) *deployed {
	tb.Helper()
	d, err := deploy(tb, view, config)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func (d *deployed) start(tb testing.TB, state wasm.State) *wasm.Session {
	tb.Helper()
	session, err := d.Start(tb.Context(), state)
	if err != nil {
		tb.Fatal(err)
	}
	return session
}

// event makes what the server would make of an event's JSON.
func (d *deployed) event(tb testing.TB, sequence int64, data []byte) *wasm.Event {
	tb.Helper()
	event, err := d.Event(sequence, data)
	if err != nil {
		tb.Fatalf("event %d: %v", sequence, err)
	}
	return event
}

// foldAll folds the events; none may make the view halt, and all ways of folding must agree.
func (d *deployed) foldAll(tb testing.TB, events [][]byte) *viewtest.Folded {
	tb.Helper()
	read, err := viewtest.ReadEvents(bytes.Join(events, []byte("\n")))
	if err != nil {
		tb.Fatal(err)
	}
	folded, err := d.Fold(tb.Context(), read)
	if err != nil {
		tb.Fatal(err)
	}
	if folded.Halted > 0 {
		tb.Fatalf("event %d, %s: %s", folded.Halted, events[folded.Halted-1], folded.Reason)
	}
	if folded.Difference != nil {
		tb.Fatal(folded.Difference)
	}
	return folded
}

// ask answers a query, or tells what it was refused with.
func (d *deployed) ask(tb testing.TB, state memoryState, query string) string {
	tb.Helper()
	answer, err := d.Ask(tb.Context(), state, query)
	if err != nil {
		return "refused: " + refusal(tb, err)
	}
	return string(answer.Text)
}

// refusal is the text of a view's own refusal; any other error is a fault.
func refusal(tb testing.TB, err error) string {
	tb.Helper()
	text, ok := viewtest.Refusal(err)
	if !ok {
		tb.Fatalf("not a refusal: %v", err)
	}
	return text
}
