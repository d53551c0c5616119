package gateways_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testdb"
)

const (
	// patience turns a hang into a failure. LiteLLM takes longest to start: 20 s, and minutes on busy cores.
	patience = 4 * time.Minute
	// pollInterval is how often something outside of this process is looked at.
	pollInterval = 50 * time.Millisecond
)

// tallyProgram is the command that `make build` builds.
const tallyProgram = "../../bin/tally"

// programsEnv names the folder into which install.sh puts the programs that Debian does not have.
const programsEnv = "TALLY_GATEWAYS"

func TestMain(m *testing.M) { testdb.Main(m) }

// installed returns the path of a program of install.sh.
func installed(t testing.TB, path ...string) string {
	t.Helper()
	dir := os.Getenv(programsEnv)
	if dir == "" {
		t.Fatalf("%s names no folder with gateways: run these tests by make test-gateways", programsEnv)
	}
	program := filepath.Join(append([]string{dir}, path...)...)
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("%v: make test-gateways installs it", err)
	}
	return program
}

// debian returns the path of a program of Debian's.
func debian(t testing.TB, program, packages string) string {
	t.Helper()
	for _, path := range []string{program, filepath.Join("/usr/sbin", program)} { // which is not in everybody's PATH
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	t.Fatalf("%s is not installed: apt-get install %s", program, packages)
	return ""
}

// until waits for a condition, which is asked again and again. what says what is waited for, where it does not come in time.
func until(t testing.TB, what func() string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	deadline := time.After(patience)
	for !condition() {
		if t.Failed() { // it will not come
			t.FailNow()
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("after %s: %s", patience, what())
		}
	}
}

// during lets an outage last.
func during(d time.Duration) { <-time.After(d) }

func text(format string, args ...any) func() string {
	return func() string { return fmt.Sprintf(format, args...) }
}
