package tallystick_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadme runs the test that README.md shows.
func TestReadme(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "\n```go\n")
	code, _, found := strings.Cut(rest, "\n```\n")
	if !found {
		t.Fatal("README.md has no block of Go")
	}
	folder, err := os.MkdirTemp(".", "readme-") // in this module, which has what the test needs
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.WriteFile(filepath.Join(folder, "billing_test.go"), []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-v", "./"+folder).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestBilling") {
		t.Errorf("%v\n%s", err, out)
	}
}
