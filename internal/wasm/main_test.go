package wasm

import (
	"fmt"
	"os"
	"testing"
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
	os.Exit(status)
}
