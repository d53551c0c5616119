package wasm

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// testCache is a cache for those tests that are not about compiling: what one compiled, the others need not.
var testCache string

func TestMain(m *testing.M) {
	var err error
	if testCache, err = os.MkdirTemp("", "tally-test-modules-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	_ = os.RemoveAll(testCache)
	if status == 0 { // a test that failed may well have left something
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, "goroutines are left behind by tests that passed:", err)
			status = 1
		}
	}
	os.Exit(status)
}
