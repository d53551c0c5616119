package views_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/views"
)

// TestReadyVersions: what ready/ says of each module is true, and earlier/ holds what was released before, and nothing else.
func TestReadyVersions(t *testing.T) {
	earlier := map[string]bool{}
	for _, ready := range views.BuiltIn() { // which panics where a digest is not that of its module
		if ready.Title == "" || ready.Description == "" || len(ready.Config) == 0 {
			t.Errorf("%s: its description is not complete: %+v", ready.Name, ready)
		}
		last := len(ready.Versions) - 1
		for i, version := range ready.Versions {
			if i < last {
				earlier[version.SHA256+".wasm"] = true
				if version.Release == "" {
					t.Errorf("version %d of %s has no release: only the last may be without one", i+1, ready.Name)
				}
			}
			if got := views.BuiltIn().Reference(version.SHA256); got != ready.Name+"@"+strconv.Itoa(i+1) {
				t.Errorf("version %d of %s is called %q by its digest", i+1, ready.Name, got)
			}
		}
	}
	files, err := filepath.Glob("earlier/*.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !earlier[filepath.Base(file)] {
			t.Errorf("%s is no version of a ready view", file)
		}
	}
	described, err := filepath.Glob("ready/*.json")
	if err != nil || len(described) != len(views.BuiltIn()) {
		t.Errorf("%d ready views are described, and there are %d: %v", len(described), len(views.BuiltIn()), err)
	}
}

// TestFindReady: by name, number and digest, and never a version that was not meant.
func TestFindReady(t *testing.T) {
	version := func(digest string) views.ReadyVersion { return views.ReadyVersion{SHA256: digest} }
	one, two := strings.Repeat("12345678", 8), strings.Repeat("12345679", 8)
	catalog := views.Catalog{
		{Name: "meter", Versions: []views.ReadyVersion{version(one), version(two)}},
		{Name: "other", Versions: []views.ReadyVersion{version(strings.Repeat("ab", 32))}},
	}
	for reference, want := range map[string]string{
		"meter": two, "meter@1": one, "meter@2": two, "meter@12345678": one, "meter@12345679": two, "meter@" + one: one,
		"other": catalog[1].Versions[0].SHA256,
	} {
		if found, err := catalog.Find(reference); err != nil || found.SHA256 != want {
			t.Errorf("%s is %v, %v", reference, found, err)
		}
	}
	for _, reference := range []string{
		"", "@1", "Meter", "meter@", "meter@0", "meter@3", "meter@-1", "meter@+1", "meter@1234567", "meter@1234567a", "meter@" + one + "0",
		"meter@1@2", "meter@abababab",
	} {
		if found, err := catalog.Find(reference); err == nil {
			t.Errorf("%q is %v", reference, found)
		}
	}
	if got := catalog.Reference(hex.EncodeToString(make([]byte, 32))); got != "" {
		t.Errorf("an unknown module is called %s", got)
	}
}

// TestVersionsAreBroughtUpToDate plays the life of a ready view in a repository of its own: built anew before its release, released, and
// built anew after it.
func TestVersionsAreBroughtUpToDate(t *testing.T) {
	folder := t.TempDir()
	run := func(name string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = folder
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s %v: %v: %s", name, args, err, out)
		}
	}
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(folder, "views", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(folder, "views", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	script, err := os.ReadFile("tools/versions.py")
	if err != nil {
		t.Fatal(err)
	}
	digest := func(module string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(module))) }
	description := func(versions ...string) string {
		return "{\n  \"title\": \"Meter\",\n  \"versions\": [\n    " + strings.Join(versions, ",\n    ") + "\n  ],\n  \"config\": {}\n}\n"
	}
	write("tools/versions.py", string(script))
	write("ready/meter.json", description(`{"module": "before"}`))
	write("earlier/README.md", "")
	write("dist/meter.wasm", "one")
	run("python3", "views/tools/versions.py")
	one := `{"module": "` + digest("one") + `"}`
	if got := read("ready/meter.json"); got != description(one) {
		t.Errorf("built anew before a release: %s", got)
	}
	run("python3", "views/tools/versions.py", "1.0.0")
	run("python3", "views/tools/versions.py", "1.1.0") // the same module in another release
	one = `{"module": "` + digest("one") + `", "release": "1.0.0"}`
	if got := read("ready/meter.json"); got != description(one) {
		t.Errorf("released: %s", got)
	}
	run("git", "init", "--quiet")
	run("git", "add", ".")
	run("git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "release")
	run("git", "tag", "v1.0.0")
	write("dist/meter.wasm", "two")
	run("python3", "views/tools/versions.py")
	write("dist/meter.wasm", "three")
	run("python3", "views/tools/versions.py")
	if got := read("ready/meter.json"); got != description(one, `{"module": "`+digest("three")+`"}`) {
		t.Errorf("built anew after a release: %s", got)
	}
	if got := read("earlier/" + digest("one") + ".wasm"); got != "one" {
		t.Errorf("what was released is kept as %q", got)
	}
}
