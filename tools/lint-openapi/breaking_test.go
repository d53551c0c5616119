// Package lint_test tries the check for changes of the API's description that break clients.
package lint_test

import (
	"os/exec"
	"strings"
	"testing"
)

func TestBreakingChangesAreFound(t *testing.T) {
	for _, c := range []struct {
		file  string
		words string // of the refusal; none where nothing breaks
	}{
		{"more.yaml", ""},
		{"broken.yaml", "kind"},
	} {
		said, err := exec.CommandContext(t.Context(), "./breaking.sh", "testdata/before.yaml", "testdata/"+c.file).CombinedOutput()
		if failed := err != nil; failed != (c.words != "") || !strings.Contains(string(said), c.words) {
			t.Errorf("%s: %v: %s", c.file, err, said)
		}
	}
}
