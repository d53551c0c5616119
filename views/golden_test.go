package views_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the views answer into the golden files")

// TestGolden runs each testdata/<view>/<case>: config.json (optional) deploys the view, events.ndjson is folded,
// queries.txt asks one question a line, and expected.txt is what must come of it: the refusal of the configuration, or
// the sequences of the ignored events, the state, and the answers.
func TestGolden(t *testing.T) {
	cases, err := filepath.Glob("testdata/*/*")
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("testdata has no cases")
	}
	for _, dir := range cases {
		t.Run(strings.TrimPrefix(filepath.ToSlash(dir), "testdata/"), func(t *testing.T) {
			got := play(t, dir)
			file := filepath.Join(dir, "expected.txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := read(t, file); got != want {
				t.Errorf("%s says\n%s\nbut this came:\n%s", file, want, got)
			}
		})
	}
}

// play runs one case and writes what came of it.
func play(t *testing.T, dir string) string {
	config := read(t, filepath.Join(dir, "config.json"))
	d, err := deploy(t, filepath.Base(filepath.Dir(dir)), config)
	if err != nil {
		return "config refused: " + refusal(t, err) + "\n"
	}
	events := lines(read(t, filepath.Join(dir, "events.ndjson")))
	state, again := memoryState{}, memoryState{}
	ignored := d.foldAll(t, state, events, false)
	d.foldAll(t, again, events, true)
	if state.String() != again.String() {
		t.Errorf("one session gives the state\n%s\none for each event gives\n%s", state, again)
	}

	var b strings.Builder
	fmt.Fprintf(&b, "ignored: %v\n\n%s", ignored, state)
	for _, query := range lines(read(t, filepath.Join(dir, "queries.txt"))) {
		fmt.Fprintf(&b, "\n?%s\n%s\n", query, d.ask(t, state, string(query)))
	}
	return b.String()
}

// read gives a file's text, none when the file does not exist.
func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

func lines(text string) [][]byte {
	if text == "" {
		return nil
	}
	return bytes.Split([]byte(strings.TrimSuffix(text, "\n")), []byte("\n"))
}
