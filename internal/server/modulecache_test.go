package server

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestModuleCacheThatCannotBeWritten: a server goes on without, and says so once.
func TestModuleCacheThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	config := Config{Log: slog.New(slog.NewTextHandler(&logged, nil))}
	for dir, want := range map[string]bool{"": false, filepath.Join(file, "modules"): false, filepath.Join(t.TempDir(), "a", "b"): true} {
		config.ModuleCacheDir = dir
		if got := moduleCache(t.Context(), &config); got != "" && !want || got != dir && want {
			t.Errorf("for %q modules are kept in %q", dir, got)
		}
	}
	if n := strings.Count(logged.String(), "level=WARN"); n != 1 || !strings.Contains(logged.String(), "--module-cache-dir") {
		t.Errorf("%d warnings: %s", n, &logged)
	}
}
