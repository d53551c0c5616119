package views_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/tallystick/tallystick/internal/viewtest"
	"github.com/tallystick/tallystick/internal/wasm"
)

// togetherEvents is how many random events every view folds one by one and many in one call.
const togetherEvents = 6_000

// TestFoldTogether: many events in one call make the same state, byte for byte, and ignore the same events as one event at a time, with every
// ready view and every kit's example. Of the events many are odd, and their keys are more than a kit holds at once.
func TestFoldTogether(t *testing.T) {
	meters := []string{
		`{"type":"api.call","value":"/tokens_out","aggregations":["count","sum","min","max","average","latest"],` +
			`"group_by":{"model":"/model","team":"/team"},"resolution":"minute"}`,
		`{"value":"/tokens_in","aggregations":["p50","unique"],"unique":"/model","group_by":{"team":"/team"},"resolution":"day","timezone":"Europe/Paris"}`,
	}
	all := map[string]*deployed{
		"monthly_totals": mustDeploy(t, "monthly_totals", ""), "rate_check": mustDeploy(t, "rate_check", ""),
		"cost_by_team": mustDeploy(t, "cost_by_team", recountPrices),
		"meter":        mustDeploy(t, "meter", meters[0]), "meter of sketches": mustDeploy(t, "meter", meters[1]),
	}
	for _, kit := range []string{"c", "rust", "typescript", "go"} {
		v, err := viewtest.Deploy(t.Context(), example(t, engine(t), kit), wasm.Settings{})
		if err != nil {
			t.Fatalf("%s: %v", kit, err)
		}
		all["the kit of "+kit] = &deployed{v}
	}
	random := rand.New(rand.NewPCG(20261128, 4))
	lines := make([][]byte, togetherEvents)
	for i := range lines {
		lines[i] = randomEvent(random)
		if random.IntN(8) == 0 {
			lines[i] = hostileEvent(random)
		}
		if random.IntN(2) == 0 { // what meters count
			lines[i] = append([]byte(`{"type":"api.call","team":`+randomName(random)+`,`), bytes.TrimLeft(lines[i], "{ ")...)
		}
	}
	for name, v := range all {
		t.Run(name, func(t *testing.T) { compareTogether(t, v, lines) })
	}
}

func compareTogether(t *testing.T, v *deployed, lines [][]byte) {
	t.Helper()
	var events []viewtest.Event
	for _, line := range lines {
		if one, err := viewtest.ReadEvents(line); err == nil { // else the server would not take it
			events = append(events, one...)
		}
	}
	single, err := v.FoldOneByOne(t.Context(), events)
	if err != nil {
		t.Fatal(err)
	}
	together, err := v.FoldTogether(t.Context(), events)
	if err != nil {
		t.Fatal(err)
	}
	if difference := single.Difference("one by one", together, "many in one call"); difference != "" {
		t.Error(difference)
	}
	if together.Together < len(events)-1 {
		t.Errorf("%d of %d events were folded in calls of many", together.Together, len(events))
	}
}
