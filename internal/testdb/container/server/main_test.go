package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestServerSaysWhatIsMissing: without a container engine, the error names what is missing.
func TestServerSaysWhatIsMissing(t *testing.T) {
	program := filepath.Join(t.TempDir(), "server")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the server: %v: %s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), "DOCKER_HOST=unix://"+filepath.Join(t.TempDir(), "none.sock"), "TESTCONTAINERS_RYUK_DISABLED=false")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "a Docker engine must run") {
		t.Fatalf("%v: %s; want an error that says that there is no engine", err, out)
	}
}
