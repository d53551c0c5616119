package viewtest_test

import (
	"context"
	_ "embed"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/viewtest"
	"github.com/tallystick/tallystick/internal/wasm"
	"github.com/tallystick/tallystick/views"
)

//go:embed testdata/forgetful.wasm
var forgetful []byte

func compile(t *testing.T, code []byte) *wasm.Module {
	t.Helper()
	engine, err := wasm.NewEngine(t.Context(), wasm.Config{CacheDir: testrig.ModuleCache()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	module, err := engine.Compile(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	return module
}

// golden makes a golden folder of the files, name and text in turn.
func golden(t *testing.T, files ...string) viewtest.Case {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cases, err := viewtest.Cases(dir)
	if err != nil || len(cases) != 1 {
		t.Fatalf("%v, %v", cases, err)
	}
	return cases[0]
}

func play(t *testing.T, c viewtest.Case, module *wasm.Module) *viewtest.Result {
	t.Helper()
	result, err := c.Play(t.Context(), module, wasm.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestUpdate: what a case comes to is written down, and then passes; a changed answer fails and is shown.
func TestUpdate(t *testing.T) {
	module := compile(t, views.MonthlyTotals())
	c := golden(t, "events.ndjson", `{"model":"a","tokens_in":1}`+"\n\n"+`{"model":[]}`+"\r\n"+`{"model":"b","tokens_in":2}`,
		"queries.txt", "month=2025-03\n\nmonth=march\n")
	result := play(t, c, module)
	if result.OK() || !result.Missing {
		t.Error("it passes without an expected.txt")
	}
	if err := c.Update(result); err != nil {
		t.Fatal(err)
	}
	result = play(t, c, module)
	if !result.OK() || viewtest.Diff(result.Want, result.Got) != "" {
		t.Errorf("it does not pass once updated: %+v", result)
	}
	const want = `ignored: [2]

"2025-03/a" {"tokens_in":1,"tokens_out":0}
"2025-03/b" {"tokens_in":2,"tokens_out":0}

?month=2025-03
{"a":{"tokens_in":1,"tokens_out":0},"b":{"tokens_in":2,"tokens_out":0}}

?
{"2025-03":{"a":{"tokens_in":1,"tokens_out":0},"b":{"tokens_in":2,"tokens_out":0}}}

?month=march
refused: month is "march", which is not a year and a month like 2025-03
`
	if result.Got != want {
		t.Errorf("expected.txt is\n%s\nnot\n%s", result.Got, want)
	}
	file := filepath.Join(c.Dir, "expected.txt")
	if err := os.WriteFile(file, []byte(strings.Replace(want, `/b" {"tokens_in":2`, `/b" {"tokens_in":3`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	result = play(t, c, module)
	const changed = `   4 - "2025-03/b" {"tokens_in":3,"tokens_out":0}
   5 + "2025-03/b" {"tokens_in":2,"tokens_out":0}
`
	if difference := viewtest.Diff(result.Want, result.Got); result.OK() || !strings.Contains(difference, changed) {
		t.Errorf("ok is %v, and the difference is\n%s", result.OK(), difference)
	}
}

// TestHiddenState: a view that counts in its memory folds otherwise in other batches, and fails whatever is expected.
func TestHiddenState(t *testing.T) {
	c := golden(t, "events.ndjson", strings.Repeat("{}\n", 4))
	result := play(t, c, compile(t, forgetful))
	if err := c.Update(result); err != nil {
		t.Fatal(err)
	}
	result = play(t, c, compile(t, forgetful))
	if result.OK() || result.Got != result.Want || !strings.HasSuffix(result.Got, "\"events\" 1\n") {
		t.Fatalf("ok is %v, got\n%s", result.OK(), result.Got)
	}
	const want = `after event 2 the key "events" is 1 one event at a time, and 2 with batches of 10000 events: `
	if len(result.Faults) != 1 || !strings.HasPrefix(result.Faults[0], want) {
		t.Errorf("faults %q; want %q", result.Faults, want)
	}
}

// TestHalt: a view that cannot fold an event stops there, keeps nothing of that event, and says why.
func TestHalt(t *testing.T) {
	script, line := testrig.ScriptEvent, testrig.Line
	events := strings.Join([]string{
		script(line("set", "a", 1)),
		script(line("set", "a", 2), line("set", "b", 1), line("delete", "a"), line("fail", "enough")),
		script(line("set", "c", 1)),
	}, "\n")
	c := golden(t, "events.ndjson", events, "queries.txt", "get\ta\nfail\tno\n")
	result := play(t, c, compile(t, testrig.Scripted()))
	const want = "ignored: []\nhalted at 2: view error (refused): enough\n\n\"a\" 1\n\n?get\ta\n1\n\n?fail\tno\nrefused: no\n"
	if result.Got != want || len(result.Faults) > 0 {
		t.Errorf("it came to\n%s\nnot\n%s", result.Got, want)
	}
	if _, measured, err := result.View.Measure(t.Context(), result.Events); measured || err != nil {
		t.Errorf("measured is %v, %v, for a view that halts", measured, err)
	}
	// A trapping view is told apart from a refusing one.
	result = play(t, golden(t, "events.ndjson", script("trap")), compile(t, testrig.Scripted()))
	if !strings.HasPrefix(result.Got, "ignored: []\nhalted at 1: view error (trap): ") {
		t.Errorf("it came to\n%s", result.Got)
	}
}

// TestConfig: a folder's configuration goes before the one given, and a refusal is an outcome.
func TestConfig(t *testing.T) {
	module := compile(t, testrig.Scripted())
	result, err := golden(t, "events.ndjson", "{}").Play(t.Context(), module, wasm.Settings{Config: []byte(`{"a":1}`)})
	if err != nil || result.Got != "config refused: the scripted view takes no configuration\n" {
		t.Errorf("%v, %q", err, result.Got)
	}
	own := golden(t, "events.ndjson", "{}", "config.json", "{}\n")
	result, err = own.Play(t.Context(), module, wasm.Settings{Config: []byte(`{"a":1}`)})
	if err != nil || result.Got != "ignored: [1]\n\n" {
		t.Errorf("%v, %q", err, result.Got)
	}
	result, err = golden(t, "config.json", `{"a":`).Play(t.Context(), module, wasm.Settings{})
	if err != nil || !strings.HasPrefix(result.Got, "config refused: ") || !strings.Contains(result.Got, "JSON") {
		t.Errorf("%v, %q", err, result.Got)
	}
}

// TestReadEvents: lines that the server would not take are named, and an event that is sent again is not counted again.
func TestReadEvents(t *testing.T) {
	for text, want := range map[string]struct {
		line  int
		words string
	}{
		"{}\n\n{\"a\":}\n":     {3, "invalid_json"},
		"{}\n[]":               {2, "not_an_object"},
		`{"time":"yesterday"}`: {1, "RFC 3339"},
		`{"id":"a","n":1}` + "\n" + `{"id":"a","n":2}`: {2, `"a" is that of line 1`},
	} {
		_, err := viewtest.ReadEvents([]byte(text))
		var at *viewtest.LineError
		if !errors.As(err, &at) || at.Line != want.line || !strings.Contains(err.Error(), want.words) {
			t.Errorf("%q: %v; line %d and %q are wanted", text, err, want.line, want.words)
		}
	}
	events, err := viewtest.ReadEvents([]byte(`{"id":"a"}` + "\n \n" + `{"id":"a"}` + "\n" +
		`{"id":"a","source":"s","time":"2025-03-01T00:00:00Z"}`))
	if err != nil || len(events) != 2 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	if events[0].Time != viewtest.RecordedAt.UnixMicro() || events[1].Time == events[0].Time {
		t.Errorf("times %d and %d", events[0].Time, events[1].Time)
	}
}

// TestCases: a folder is a case or holds cases; one that is neither says what to do.
func TestCases(t *testing.T) {
	dir := t.TempDir()
	if _, err := viewtest.Cases(dir); err == nil || !strings.Contains(err.Error(), "events.ndjson") {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := viewtest.Cases(filepath.Join(dir, "missing")); err == nil {
		t.Error("a folder that is not there has cases")
	}
	for _, name := range []string{"b", "a", "none"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if name != "none" {
			if err := os.WriteFile(filepath.Join(dir, name, "events.ndjson"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	cases, err := viewtest.Cases(dir)
	if err != nil || len(cases) != 2 || cases[0].Name != "a" || cases[1].Name != "b" {
		t.Errorf("%v, %v", cases, err)
	}
}

// TestMeasure: a measurement is a time that a fold can have taken: a thousand folds at the least, each about as long, fit into the time
// that measuring took.
func TestMeasure(t *testing.T) {
	result := play(t, golden(t, "events.ndjson", `{"model":"a","tokens_in":1}`), compile(t, views.MonthlyTotals()))
	began := time.Now()
	took, ok, err := result.View.Measure(t.Context(), result.Events)
	if all := time.Since(began); err != nil || !ok || took <= 0 || took*1000 > all {
		t.Errorf("%s for one event in %s, %v, %v", took, all, ok, err)
	}
	if _, ok, err := result.View.Measure(t.Context(), nil); ok || err != nil {
		t.Errorf("no events are measured: %v", err)
	}
}

func TestDiff(t *testing.T) {
	numbered := func(from, to int) string {
		var b strings.Builder
		for i := from; i <= to; i++ {
			b.WriteString(strings.Repeat("x", i) + "\n")
		}
		return b.String()
	}
	cases := []struct{ want, got, difference string }{
		{"a\n", "a\n", ""},
		{"", "a\n", "   1 + a\n"},
		{"a\n", "", "   1 - a\n"},
		{"a\nb\nc\n", "a\nc\n", "   1   a\n   2 - b\n   3   c\n"},
		{"a", "a\n", "   1 - a\n   2 + a\n"},
		{
			numbered(1, 9), "new\n" + numbered(1, 8) + "last\n", "   1 + new\n   1   x\n   2   xx\n   ...\n" +
				"   7   xxxxxxx\n   8   xxxxxxxx\n   9 - xxxxxxxxx\n  10 + last\n",
		},
	}
	for _, c := range cases {
		if got := viewtest.Diff(c.want, c.got); got != c.difference {
			t.Errorf("%q, %q differ in\n%s\nnot\n%s", c.want, c.got, got, c.difference)
		}
	}
	long := strings.Repeat("é", 5000)
	if got := viewtest.Diff(long, "short"); len(got) > 3000 || !strings.Contains(got, "... (10000 bytes)") {
		t.Errorf("a long line is shown in %d bytes", len(got))
	}
	if got := viewtest.Diff(strings.Repeat("a\n", 5000), strings.Repeat("b\n", 5000)); strings.Count(got, "\n") != 10000 {
		t.Errorf("%d lines of a long difference", strings.Count(got, "\n"))
	}
}
