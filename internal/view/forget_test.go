package view_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/view"
)

// numbered is the scripted view as a module of its own for each number: a custom section says which.
func numbered(n int) []byte {
	name := fmt.Sprintf("number %4d", n)
	section := append([]byte{0, byte(len(name) + 1), byte(len(name))}, name...)
	return append(slices.Clone(testrig.Scripted()), section...)
}

// moduleFiles counts what this process holds open for modules: their bytes, and images of their memory.
func moduleFiles(t *testing.T) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		target, err := os.Readlink(filepath.Join("/proc/self/fd", entry.Name()))
		if err == nil && (strings.HasSuffix(target, ".wasm") || strings.Contains(target, "tally-view")) {
			n++
		}
	}
	return n
}

// TestModulesOfNoVersion: of modules that were refused, or whose versions are retired, no file stays open.
func TestModulesOfNoVersion(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("open files are counted on Linux only")
		return
	}
	const modules, loaded = 20, 3
	others := moduleFiles(t) // of engines of other tests
	node, _ := start(t, testrig.Settings{MaxLoaded: loaded})
	log := node.NewLog(t)
	node.Deploy(t, log, "v", numbered(0), "{}")
	node.Append(t, log, counted(t, 0, 5)...)
	refused := func(n int, d view.Deployment) {
		t.Helper()
		d.Code = numbered(n)
		_, err := node.Views.Deploy(t.Context(), log, "v", d)
		if !errors.As(err, new(*view.RefusedError)) {
			t.Fatalf("deploying with %+v: %v", d, err)
		}
	}
	before := moduleFiles(t)
	for n := 1; n <= modules; n++ {
		refused(n, view.Deployment{Config: []byte("{}"), FoldGas: -1}) // which needs no module
		refused(n, view.Deployment{Config: []byte("{")})
	}
	if now := moduleFiles(t); now != before {
		t.Errorf("%d files of modules are open, before %d: modules were compiled for what can be refused without", now, before)
	}
	few := func(what string, most int) {
		t.Helper()
		for began := time.Now(); moduleFiles(t) > most; runtime.GC() {
			if time.Since(began) > time.Minute {
				t.Fatalf("%s: %d files of modules are open; want %d at most", what, moduleFiles(t), most)
			}
		}
	}
	for n := 1; n <= modules; n++ {
		refused(n, view.Deployment{Config: []byte(`{"a":1}`)}) // by the view itself
	}
	few("refused modules", before)
	for n := 1; n <= modules; n++ {
		node.Deploy(t, log, "v", numbered(n), "{}")
		node.Append(t, log, counted(t, 5*n, 5)...)
	}
	few("retired versions", others+2*loaded+2)
	if answer := node.Ask(t, log, "v", line("get", "k1")); string(answer.Body) == "null" {
		t.Errorf("the last version answers %s", answer.Body)
	}
}
