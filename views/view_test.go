package views_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/wasm"
	"github.com/tallystick/tallystick/views"
)

// modules are the ready views by name.
var modules = map[string][]byte{
	"monthly_totals": views.MonthlyTotals(),
	"rate_check":     views.RateCheck(),
	"cost_by_team":   views.CostByTeam(),
}

// maxModuleBytes keeps the views small enough to be uploaded and compiled without a thought.
const maxModuleBytes = 100 << 10

func TestModulesAreSmall(t *testing.T) {
	for name, module := range modules {
		if len(module) == 0 || len(module) > maxModuleBytes {
			t.Errorf("%s has %d bytes; 1 to %d are wanted", name, len(module), maxModuleBytes)
		}
	}
}

// memoryState keeps a view's state in a map.
type memoryState map[string][]byte

func (s memoryState) Get(key []byte) ([]byte, bool, error) {
	value, ok := s[string(key)]
	return value, ok, nil
}

func (s memoryState) Set(key, value []byte) error {
	s[string(key)] = bytes.Clone(value)
	return nil
}

func (s memoryState) Delete(key []byte) error {
	delete(s, string(key))
	return nil
}

func (s memoryState) Scan(prefix, after []byte, limit int) ([]wasm.Entry, error) {
	var entries []wasm.Entry
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if len(entries) == limit {
			break
		}
		if strings.HasPrefix(key, string(prefix)) && (len(after) == 0 || key > string(after)) {
			entries = append(entries, wasm.Entry{Key: []byte(key), Value: s[key]})
		}
	}
	return entries, nil
}

// String writes the state as a golden file does: a line for each key, in byte order.
func (s memoryState) String() string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&b, "%q %s\n", key, s[key])
	}
	return b.String()
}

// deployed is a view with its configuration, as a deploy leaves it.
type deployed struct {
	module   *wasm.Module
	config   []byte
	pointers *jsonscan.Pointers
}

// deploy compiles a ready view and asks for its fields; the error is the view's refusal of the configuration.
func deploy(tb testing.TB, view, config string) (*deployed, error) {
	tb.Helper()
	engine, err := wasm.NewEngine(tb.Context(), wasm.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := engine.Close(context.WithoutCancel(tb.Context())); err != nil {
			tb.Error(err)
		}
	})
	d := &deployed{config: []byte(config)}
	if d.module, err = engine.Compile(tb.Context(), modules[view]); err != nil {
		tb.Fatal(err)
	}
	fields, err := d.module.Fields(tb.Context(), d.config)
	if err != nil {
		return nil, err
	}
	if d.pointers, err = jsonscan.Compile(fields); err != nil {
		tb.Fatal(err)
	}
	return d, nil
}

func mustDeploy(tb testing.TB, view, config string) *deployed {
	tb.Helper()
	d, err := deploy(tb, view, config)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func (d *deployed) start(tb testing.TB, state memoryState) *wasm.Session {
	tb.Helper()
	session, err := d.module.Start(tb.Context(), d.config, state)
	if err != nil {
		tb.Fatal(err)
	}
	return session
}

// defaultTime is when an event without a time member happened.
var defaultTime = time.Date(2025, 3, 1, 10, 5, 30, 0, time.UTC)

// event makes what the server would make of an event's JSON.
func (d *deployed) event(tb testing.TB, sequence int64, data []byte) *wasm.Event {
	tb.Helper()
	times, err := jsonscan.Compile([]string{"/time"})
	if err != nil {
		tb.Fatal(err)
	}
	happened := defaultTime
	sent := make([]jsonscan.Value, 1)
	if err := times.Scan(data, sent); err != nil {
		tb.Fatalf("event %d: %v", sequence, err)
	}
	if sent[0].Kind == jsonscan.String {
		if happened, err = time.Parse(time.RFC3339, string(sent[0].Text)); err != nil {
			happened = defaultTime
		}
	}
	event := &wasm.Event{
		Sequence: sequence, Time: happened.UnixMicro(), RecordedAt: defaultTime.UnixMicro(),
		Data: data, Fields: make([]jsonscan.Value, d.pointers.Len()),
	}
	if err := d.pointers.Scan(data, event.Fields); err != nil {
		tb.Fatalf("event %d: %v", sequence, err)
	}
	return event
}

// foldAll folds the events, which no event may make fail, in one session or in one for each event; it answers the
// sequences of the ignored ones.
func (d *deployed) foldAll(tb testing.TB, state memoryState, events [][]byte, oneByOne bool) (ignored []int) {
	tb.Helper()
	session := d.start(tb, state)
	defer func() { session.Close() }()
	for i, data := range events {
		if oneByOne && i > 0 {
			session.Close()
			session = d.start(tb, state)
		}
		event := d.event(tb, int64(i+1), data)
		skip, err := session.Fold(event)
		if err != nil {
			tb.Fatalf("event %d, %s: %v", i+1, data, err)
		}
		if skip {
			ignored = append(ignored, i+1)
		}
	}
	return ignored
}

// ask answers a question, or tells what it was refused with.
func (d *deployed) ask(tb testing.TB, state memoryState, query string) string {
	tb.Helper()
	session := d.start(tb, state)
	defer session.Close()
	answer, err := session.Query(query)
	if err != nil {
		return "refused: " + refusal(tb, err)
	}
	return string(answer)
}

// refusal is the text of a view's own refusal; any other error is a fault.
func refusal(tb testing.TB, err error) string {
	tb.Helper()
	view, ok := errors.AsType[*wasm.ViewError](err)
	if !ok || view.Kind != wasm.KindRefused {
		tb.Fatalf("not a refusal: %v", err)
	}
	return view.Message
}
