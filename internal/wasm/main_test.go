package wasm

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// testCache is a cache for those tests that are not about compiling: what one compiled, the others need not. It is the one of other
// packages' tests (testrig.ModuleCache) and stays: a guest of Go's takes minutes of a busy machine to compile with the race detector.
// Where the user has no cache it is empty, which stands for a new folder each time.
var testCache string

func TestMain(m *testing.M) {
	if dir, err := os.UserCacheDir(); err == nil {
		testCache = filepath.Join(dir, "tallystick", "test-modules")
	}
	status := m.Run()
	if status == 0 { // a test that failed may well have left something
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, "goroutines are left behind by tests that passed:", err)
			status = 1
		}
	}
	os.Exit(status)
}
