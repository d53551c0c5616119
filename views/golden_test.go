package views_test

import (
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/viewtest"
	"github.com/tallystick/tallystick/internal/wasm"
)

var update = flag.Bool("update", false, "write what the views answer into the golden files")

// TestGolden plays the golden folders testdata/<view>/<case> of the ready views; package viewtest says what they hold.
func TestGolden(t *testing.T) {
	for view := range modules {
		cases, err := viewtest.Cases(filepath.Join("testdata", view))
		if err != nil {
			t.Fatal(err)
		}
		module := compile(t, view)
		for _, c := range cases {
			t.Run(view+"/"+c.Name, func(t *testing.T) {
				result, err := c.Play(t.Context(), module, wasm.Settings{})
				if err != nil {
					t.Fatal(err)
				}
				if *update {
					if err := c.Update(result); err != nil {
						t.Fatal(err)
					}
					result.Want = result.Got
				}
				for _, fault := range result.Faults {
					t.Error(fault)
				}
				if strings.Contains(result.Got, "\nhalted at ") || strings.Contains(result.Got, "\nfailed: ") {
					t.Errorf("a ready view neither halts nor traps, but:\n%s", result.Got)
				}
				if difference := viewtest.Diff(result.Want, result.Got); difference != "" {
					t.Errorf("%s/expected.txt differs from what came:\n%s", c.Dir, difference)
				}
			})
		}
	}
}

// TestTemplatesPlayGolden plays the golden folders that a new project comes with.
func TestTemplatesPlayGolden(t *testing.T) {
	built, err := examples()
	if err != nil {
		t.Fatal(err)
	}
	e := engine(t)
	for kit := range built {
		cases, err := viewtest.Cases(filepath.Join(kit, "template", "testdata"))
		if err != nil {
			t.Fatal(err)
		}
		module := example(t, e, kit)
		for _, c := range cases {
			t.Run(kit+"/"+c.Name, func(t *testing.T) {
				result, err := c.Play(t.Context(), module, wasm.Settings{})
				if err != nil {
					t.Fatal(err)
				}
				if !result.OK() {
					t.Errorf("%s: %v\n%s", c.Dir, result.Faults, viewtest.Diff(result.Want, result.Got))
				}
			})
		}
	}
}
