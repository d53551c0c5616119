package views_test

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/views"
)

// TestProjects: what a kit's project consists of is complete, filled in, and holds nothing of this repository's.
func TestProjects(t *testing.T) {
	if got := views.Languages(); !slices.Equal(slices.Sorted(slices.Values(got)), []string{"c", "go", "rust", "typescript"}) {
		t.Errorf("there are kits for %v", got)
	}
	for _, kit := range views.Kits() {
		checkProject(t, kit, kit.Project, "testdata/readme")
		checkProject(t, kit, kit.GuardProject, "testdata/limit")
	}
}

func checkProject(t *testing.T, kit views.Kit, project func(string) (map[string][]byte, error), golden string) {
	t.Helper()
	files, err := project("usage-by_team2")
	if err != nil {
		t.Fatalf("%s: %v", kit.Language, err)
	}
	named := false
	for place, text := range files {
		named = named || bytes.Contains(text, []byte("usage-by_team2"))
		switch {
		case path.Clean(place) != place || strings.HasPrefix(place, "/") || strings.HasPrefix(place, "../"):
			t.Errorf("%s: a file at %s", kit.Language, place)
		case strings.HasSuffix(place, ".tmpl") || bytes.Contains(text, []byte("{{name}}")):
			t.Errorf("%s: %s is not filled in", kit.Language, place)
		case strings.HasSuffix(place, ".wasm") || strings.Contains(place, "node_modules/") || strings.Contains(place, "target/"):
			t.Errorf("%s: %s is built, not written", kit.Language, place)
		}
	}
	if !named {
		t.Errorf("%s: no file has the project's name", kit.Language)
	}
	for _, file := range []string{
		"README.md", ".gitignore", golden + "/events.ndjson", golden + "/queries.txt", golden + "/expected.txt",
	} {
		if len(files[file]) == 0 {
			t.Errorf("%s: there is no %s", kit.Language, file)
		}
	}
	for _, name := range []string{"", "A", "a/b", "..", "1a", "a--b", "a-", "größe", strings.Repeat("a", 101)} {
		if _, err := project(name); err == nil {
			t.Errorf("%s: %q names a project", kit.Language, name)
		}
	}
}
