// Package tallystick_test holds the rules of the house that concern the repository as a whole.
package tallystick_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const modulePath = "github.com/tallystick/tallystick/"

// goPackage is what go list says of a package.
type goPackage struct {
	ImportPath string
	Doc        string
	GoFiles    []string
	Imports    []string
}

// name is the import path within this module.
func (p *goPackage) name() string { return strings.TrimPrefix(p.ImportPath, modulePath) }

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Doc,GoFiles,Imports", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []goPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("reading go list: %v", err)
		}
		if len(p.GoFiles) > 0 {
			list = append(list, p)
		}
	}
	if len(list) < 10 {
		t.Fatalf("go list found %d packages; there are more", len(list))
	}
	return list
}

func TestEveryPackageHasADoc(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" && p.name() != "internal/db/dbsqlc" { // generated
			t.Errorf("package %s has no doc comment: say what it is for", p.ImportPath)
		}
	}
}

// floors are our packages from the top of the house to its ground: a package imports only from floors below its own.
// What is not listed here must be, as part of adding it.
var floors = [][]string{
	{"cmd/tally", "internal/postgres/findpostgres", "openapi/clients/conformance"},
	{"internal/cli"},
	{"internal/bench", "internal/demo"},
	{"internal/server", "internal/testrig"},
	{"internal/metrics"},
	{"internal/api"},
	{"internal/alert", "internal/dashboard", "internal/intake"},
	{"internal/checkpoint", "internal/ingest", "internal/live", "internal/verify"},
	{"internal/analyst", "internal/view", "internal/viewtest", "internal/webhook"},
	{"internal/access", "internal/replay", "internal/source"},
	{"internal/eventlog", "internal/logfile", "internal/otlp", "internal/wasm"},
	{"internal/event", "internal/framing", "internal/gas"},
	{
		"internal/activity", "internal/background", "internal/jsonscan", "internal/launch", "internal/limits", "internal/testdb",
		"internal/turns", "internal/wasmbin",
	},
	{"internal/db", "internal/postgres", "internal/terminal", "views/go/guarded"},
	{"internal/db/dbsqlc", "internal/memory", "internal/tracing", "migrations", "views", "views/go/tally/guard", "views/go/template"},
	{"internal/stats", "internal/uuid", "internal/webfile", "openapi/clients/go", "views/go/tally"},
}

func floorOf(name string) int {
	return slices.IndexFunc(floors, func(floor []string) bool { return slices.Contains(floor, name) })
}

func TestImportsPointDown(t *testing.T) {
	for _, p := range packages(t) {
		from := floorOf(p.name())
		if from < 0 {
			t.Errorf("package %s is on no floor: give it one in house_test.go and in ARCHITECTURE.md", p.name())
			continue
		}
		for _, path := range p.Imports {
			name, ours := strings.CutPrefix(path, modulePath)
			if to := floorOf(name); ours && to <= from {
				t.Errorf("%s imports %s, which is not below it", p.name(), name)
			}
		}
	}
}

// skippedDirs hold nothing that we write.
var skippedDirs = []string{".git", ".toolchain", "bin", "build", "dist", "node_modules", "target", "testdata"}

// files returns the files of the repository whose name ends so, with their text.
func files(t *testing.T, root, suffix string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains(skippedDirs, entry.Name()):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, suffix):
			return nil
		}
		text, err := os.ReadFile(path)
		found[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatalf("%s has no files that end in %s", root, suffix)
	}
	return found
}

var markdownLink = regexp.MustCompile(`\]\(([^()#\s]+)(#[^()\s]*)?\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	for page, text := range files(t, ".", ".md") {
		for _, link := range markdownLink.FindAllStringSubmatch(text, -1) {
			if strings.Contains(link[1], "://") || strings.HasPrefix(link[1], "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), link[1])); err != nil {
				t.Errorf("%s links to %s: %v", page, link[1], err)
			}
		}
	}
}

const (
	// maxLines is the longest Go file: about what one sitting reads. Tests may be somewhat longer, since they are read case by case.
	maxLines     = 420
	maxTestLines = 480
)

// generated tells files that a program wrote, and says so in their first lines.
var generated = regexp.MustCompile(`(?m)\A(?:.*\n){0,5}?.*(?i:generated by|code generated|do not edit)`)

func isGenerated(path, text string) bool {
	return generated.MatchString(text) || path == filepath.Join("openapi", "openapi.yaml")
}

func TestFilesAreShort(t *testing.T) {
	for path, text := range files(t, ".", ".go") {
		most := maxLines
		if strings.HasSuffix(path, "_test.go") {
			most = maxTestLines
		}
		if n := strings.Count(text, "\n"); n > most && !isGenerated(path, text) {
			t.Errorf("%s has %d lines; at most %d are allowed: split it by what it does", path, n, most)
		}
	}
}
