package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/views"
)

// run runs a command to its end in a folder, and returns its exit status and its output.
func run(t *testing.T, dir string, args ...string) (status int, output string) {
	t.Helper()
	p := start(t, func(cmd *exec.Cmd) { cmd.Dir = dir }, args...)
	status = p.wait()
	return status, p.output.String()
}

// succeeds runs a command that must not fail, and say the words.
func succeeds(t *testing.T, dir string, args []string, words ...string) string {
	t.Helper()
	status, output := run(t, dir, args...)
	if status != 0 {
		t.Fatalf("tally %s ended with status %d:\n%s", strings.Join(args, " "), status, output)
	}
	says(t, args, output, words...)
	return output
}

// isFailure tells the statuses of commands that failed: TestExitStatus has which is for what.
func isFailure(status int) bool { return status > 0 && status <= 6 }

// fails runs a command that must fail, and say the words.
func fails(t *testing.T, dir string, args []string, words ...string) string {
	t.Helper()
	status, output := run(t, dir, args...)
	if !isFailure(status) {
		t.Fatalf("tally %s ended with status %d, want a failure:\n%s", strings.Join(args, " "), status, output)
	}
	says(t, args, output, words...)
	return output
}

func says(t *testing.T, args []string, output string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(output, word) {
			t.Errorf("tally %s does not say %q but:\n%s", strings.Join(args, " "), word, output)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestViewNew: a project of each kit has all it needs, and nothing that was there before is touched.
func TestViewNew(t *testing.T) {
	for _, kit := range views.Kits() {
		dir := t.TempDir()
		succeeds(t, dir, []string{"view", "new", "--lang", kit.Language, "my-totals"},
			"cd my-totals", kit.Build, "tally view test", "tally view deploy LOG my-totals")
		for _, file := range []string{"README.md", "tally", "testdata/readme/events.ndjson", "testdata/readme/expected.txt"} {
			if _, err := os.Stat(filepath.Join(dir, "my-totals", file)); err != nil {
				t.Errorf("%s: %v", kit.Language, err)
			}
		}
		readme, err := os.ReadFile(filepath.Join(dir, "my-totals", "README.md"))
		if err != nil || !strings.Contains(string(readme), "my-totals") {
			t.Errorf("%s: the README does not name the project: %v", kit.Language, err)
		}
		fails(t, dir, []string{"view", "new", "--lang", kit.Language, "other", "my-totals"},
			"my-totals is not empty", "nothing was written")
		// An empty folder is as good as none.
		write(t, filepath.Join(dir, "mine", "x"), "")
		if err := os.Remove(filepath.Join(dir, "mine", "x")); err != nil {
			t.Fatal(err)
		}
		succeeds(t, dir, []string{"view", "new", "--lang", kit.Language, "other", "mine"}, "cd mine")
		succeeds(t, dir, []string{"view", "new", "--lang", kit.Language, "--guard", "limit"}, "cd limit", kit.Build)
		for file, there := range map[string]bool{"README.md": true, "testdata/limit/expected.txt": true, "testdata/readme": false} {
			if _, err := os.Stat(filepath.Join(dir, "limit", file)); (err == nil) != there {
				t.Errorf("%s: %s of a view with a guard: %v", kit.Language, file, err)
			}
		}
	}
	dir := t.TempDir()
	for words, args := range map[string][]string{
		"--lang is missing":          {"new", "x"},
		`language "ruby": there are`: {"new", "--lang", "ruby", "x"},
		"NAME is missing":            {"new", "--lang", "c"},
		`"My" cannot name a project`: {"new", "--lang", "c", "My"},
		`"../x" cannot name`:         {"new", "--lang", "c", "../x"},
		`"d" is too much`:            {"new", "--lang", "c", "a", "b", "d"},
	} {
		fails(t, dir, append([]string{"view"}, args...), words)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("a refusal left %v, %v", entries, err)
	}
}

// TestViewTest: golden folders pass, fail with what differs, and are written when asked for.
func TestViewTest(t *testing.T) {
	dir := t.TempDir()
	test := func(args ...string) []string { return append([]string{"view", "test"}, args...) }
	fails(t, dir, test(), "there is no module view.wasm", "build it first")
	write(t, filepath.Join(dir, "build.py"), "")
	fails(t, dir, test(), "build it with python3 build.py")
	fails(t, dir, test("out/view.wasm"), "there is no module out/view.wasm")

	write(t, filepath.Join(dir, "view.wasm"), string(views.MonthlyTotals()))
	fails(t, dir, test(), "testdata", "events.ndjson")
	write(t, filepath.Join(dir, "testdata/first/events.ndjson"), `{"model":"a","tokens_in":1}`+"\n"+`{"model":"a","tokens_in":2}`+"\n")
	write(t, filepath.Join(dir, "testdata/first/queries.txt"), "month=2025-03\n")
	fails(t, dir, test(), "FAIL  first", "there is no expected.txt yet", `{"a":{"tokens_in":3,"tokens_out":0}}`, "1 of 1 folders failed")
	succeeds(t, dir, test("--update"), "ok    first")
	succeeds(t, dir, test(), "ok    first", "2 events", "gas/event", "ns/event")

	write(t, filepath.Join(dir, "testdata/second/events.ndjson"), "{}\n\n[1]\n")
	fails(t, dir, test(), "ok    first", "FAIL  second", "events.ndjson: line 3", "not_an_object", "1 of 2 folders failed")
	fails(t, dir, test("--dir", "testdata/second"), "1 of 1 folders failed")
	succeeds(t, dir, test("--dir", "testdata/first"), "ok    first")
	expected := filepath.Join(dir, "testdata/first/expected.txt")
	text, err := os.ReadFile(expected)
	if err != nil {
		t.Fatal(err)
	}
	write(t, expected, strings.Replace(string(text), `3,"tokens_out":0}`+"\n", `4,"tokens_out":0}`+"\n", 1))
	fails(t, dir, test("--dir", "testdata/first"), `   3 - "2025-03/a" {"tokens_in":4,"tokens_out":0}`,
		`   4 + "2025-03/a" {"tokens_in":3,"tokens_out":0}`)

	write(t, filepath.Join(dir, "view.wasm"), "no module")
	fails(t, dir, test("--dir", "testdata/first"), "view.wasm is no WebAssembly module")
}

// TestViewTestConfig: a configuration for all folders comes from the command line, or from a file.
func TestViewTestConfig(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "view.wasm"), string(views.CostByTeam()))
	write(t, filepath.Join(dir, "testdata/prices/events.ndjson"), `{"team":"t","model":"m","tokens_in":2}`+"\n")
	const prices = `{"prices":{"*":{"tokens_in":"0.5","tokens_out":1}}}`
	write(t, filepath.Join(dir, "prices.json"), prices+"\n")
	succeeds(t, dir, []string{"view", "test", "--update", "--config", prices}, "ok    prices")
	succeeds(t, dir, []string{"view", "test", "--config", "@prices.json"}, "ok    prices")
	fails(t, dir, []string{"view", "test"}, "FAIL  prices", `"cost":"1"`)
	fails(t, dir, []string{"view", "test", "--config", "@none.json"}, "none.json")
	fails(t, dir, []string{"view", "test", "--config", "7"}, "config refused: ")
}
