package tally_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// TestViews: a ready view is deployed by its name, a module by its bytes, which are uploaded once; queries and live answers follow.
func TestViews(t *testing.T) {
	log, c := newLog(t, ""), server(t).Client
	if _, err := c.AppendEvent(t.Context(), log, `{"tokens":0.10}`, nil); err != nil {
		t.Fatal(err)
	}
	config := map[string]any{"value": "/tokens", "aggregations": []string{"sum"}}
	v, err := c.DeployView(t.Context(), log, "tokens", tally.Deployment{Ready: "meter", Config: config})
	if err != nil || v.Version != 1 {
		t.Fatalf("%+v, %v", v, err)
	}
	for deadline := time.Now().Add(time.Minute); v.Status == tally.Building && time.Now().Before(deadline); {
		if v, err = c.GetView(t.Context(), log, "tokens"); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := c.QueryView(t.Context(), log, "tokens", "")
	if err != nil || answer.Sequence != 1 || answer.Type != "application/json" || !bytes.Contains(answer.Body, []byte("0.1")) {
		t.Errorf("%+v, %v: %s", answer, err, answer.Body)
	}
	for live, err := range c.Watch(t.Context(), log, "tokens", "", nil) {
		if err != nil {
			t.Fatal(err)
		}
		if live.Sequence > 1 {
			break
		}
		if _, err := c.AppendEvent(t.Context(), log, `{"tokens":2}`, nil); err != nil {
			t.Fatal(err)
		}
	}
	wasm, err := os.ReadFile("../../../views/dist/monthly_totals.wasm")
	if err != nil {
		t.Fatal(err)
	}
	p := newProxy(t, nil, nil)
	for range 2 {
		v, err := p.client(t).DeployModule(t.Context(), log, "months", wasm, tally.Deployment{})
		if err != nil || v.Version != 1 || len(v.Module) != 64 {
			t.Errorf("%+v, %v", v, err)
		}
	}
	refusing := tally.Deployment{OnHalt: tally.Refuse} // which only a module with a guard may
	pattern := &tally.DeployViewPatternOptions{Logs: log + "-*"}
	if _, err := p.client(t).DeployModulePattern(t.Context(), log, wasm, refusing, pattern); !tally.IsCode(err, "no_guard") {
		t.Errorf("%v", err)
	}
	everywhere, err := p.client(t).DeployModulePattern(t.Context(), log, wasm, tally.Deployment{}, pattern)
	if err != nil || everywhere.Logs != log+"-*" || len(everywhere.Module) != 64 {
		t.Errorf("%+v, %v", everywhere, err)
	}
	uploads := 0
	for _, r := range p.all() {
		if r.body == string(wasm) {
			uploads++
		}
	}
	if uploads != 1 {
		t.Errorf("the module was uploaded %d times", uploads)
	}
	ready, err := c.ListReadyViews(t.Context())
	if err != nil || len(ready) == 0 || len(ready[0].Versions) == 0 || len(ready[0].Config) == 0 {
		t.Errorf("%+v, %v", ready, err)
	}
	views, err := c.ListViews(t.Context(), log)
	if err != nil || len(views) != 2 || views[0].Name != "months" {
		t.Errorf("%+v, %v", views, err)
	}
}
