package tallytest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
	"github.com/tallystick/tallystick/openapi/clients/go/tallytest"
)

// build builds the program, which is in the repository around this module.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "tally")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/tally")
	cmd.Dir = "../../../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building tally: %v\n%s", err, out)
	}
	return program
}

// TestStart: a server is there for one test, by itself, and gone with it.
func TestStart(t *testing.T) {
	t.Setenv("TALLY_BINARY", build(t))
	var url string
	t.Run("user", func(t *testing.T) {
		c := tallytest.Start(t, "--max-event-ahead", "1h")
		url = c.URL()
		if _, err := c.CreateLog(t.Context(), "acme", nil); err != nil {
			t.Fatal(err)
		}
		if a, err := c.AppendEvent(t.Context(), "acme", map[string]any{"type": "api.call"}, nil); err != nil || a.Sequence != 1 {
			t.Errorf("%+v, %v", a, err)
		}
		late := map[string]any{"time": "2999-01-01T00:00:00Z"}
		if _, err := c.AppendEvent(t.Context(), "acme", late, nil); !tally.IsCode(err, "event_too_far_ahead") {
			t.Errorf("the flag has no effect: %v", err)
		}
	})
	c, err := tally.New(tally.Options{URL: url, NoRetries: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Health(t.Context()); !tally.IsCode(err, tally.CodeConnection) {
		t.Errorf("it still answers: %v", err)
	}
}

// TestLaunchFails: what the program says is in the error, and what to do where there is none.
func TestLaunchFails(t *testing.T) {
	t.Setenv("TALLY_BINARY", build(t))
	if _, err := tallytest.Launch(t.Context(), "--no-such-flag"); err == nil || !strings.Contains(err.Error(), "no-such-flag") {
		t.Errorf("a flag that there is not: %v", err)
	}
	t.Setenv("TALLY_BINARY", filepath.Join(t.TempDir(), "none"))
	if _, err := tallytest.Launch(t.Context()); err == nil || !os.IsNotExist(err) {
		t.Errorf("a program that there is not: %v", err)
	}
	golang, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TALLY_BINARY", "")
	t.Setenv("PATH", filepath.Dir(golang))
	if _, err := tallytest.Launch(t.Context()); err == nil || !strings.Contains(err.Error(), "go get -tool") {
		t.Errorf("no program anywhere: %v", err)
	}
}
