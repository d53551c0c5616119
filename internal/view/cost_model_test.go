package view_test

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/view"
)

// foldGasBetween is more than the event of TestCostModelStays takes by the first cost model, and less than it takes by the second.
const foldGasBetween = 1_700_000

// TestCostModelStays: what was deployed by an earlier cost model is appended to, built, taken on and audited by that one, in every server;
// what is deployed now has that of now.
func TestCostModelStays(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	event := func() string { return line("set", "a", `"`+strings.Repeat("x", 60_000)+`"`) }
	old, now := node.NewLog(t), node.NewLog(t)
	deployment := view.Deployment{Code: testrig.Scripted(), Config: []byte("{}"), FoldGas: foldGasBetween}
	if _, err := node.Views.Deploy(t.Context(), old, "s", deployment); err != nil {
		t.Fatal(err)
	}
	node.Stop(t)
	d.Exec(t, "UPDATE view_versions SET cost_model = 1") // as the migration leaves what was there before it
	node = testrig.Start(t, d.DSN(), testrig.Settings{})
	if _, err := node.Views.Deploy(t.Context(), now, "s", deployment); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		node.Append(t, old, script(t, event()))
		node.Append(t, now, script(t, event()))
	}
	if halted := haltOf(t, node, now, "s"); halted.Sequence != 1 || !strings.Contains(halted.Reason, "ran out of gas") {
		t.Errorf("by the model of now it halted at %d with %q", halted.Sequence, halted.Reason)
	}
	other := testrig.Start(t, d.DSN(), testrig.Settings{}) // knows nothing yet
	other.Append(t, old, script(t, event()))
	if info := statusOf(t, other, old, "s"); info.Status != view.Live || info.Applied != 4 {
		t.Errorf("by the model that it was deployed with the view is %s at %d: %s", info.Status, info.Applied, info.Error)
	}
	if report := audit(t, other, old, "s", 0); report.Difference != nil || report.Events != 4 {
		t.Errorf("the audit of %d events finds %v", report.Events, report.Difference)
	}
	// Deployed once more it is what is there; with other gas it is another version, by the model of now.
	if info, err := other.Views.Deploy(t.Context(), old, "s", deployment); err != nil || info.Version != 1 {
		t.Errorf("deployed again it is version %d, %v", info.Version, err)
	}
	deployment.FoldGas++
	if info, err := other.Views.Deploy(t.Context(), old, "s", deployment); err != nil || info.Version != 2 || info.Status != view.Halted {
		t.Errorf("with more gas it is version %d, %s, %v", info.Version, info.Status, err)
	}
}
