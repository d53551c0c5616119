package views_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/viewtest"
	"github.com/tallystick/tallystick/internal/wasm"
)

// togetherEvents is how many random events every view folds one by one and many in one call.
const togetherEvents = 6_000

// everyView is every ready view and every kit's example.
func everyView(t *testing.T) map[string]*deployed {
	t.Helper()
	all := map[string]*deployed{
		"monthly_totals": mustDeploy(t, "monthly_totals", ""), "rate_check": mustDeploy(t, "rate_check", ""),
		"cost_by_team": mustDeploy(t, "cost_by_team", recountPrices),
		"meter": mustDeploy(t, "meter", `{"type":"api.call","value":"/tokens_out",`+
			`"aggregations":["count","sum","min","max","average","latest"],`+
			`"group_by":{"model":"/model","team":"/team"},"resolution":"minute"}`),
		"meter of sketches": mustDeploy(t, "meter", `{"value":"/tokens_in","aggregations":["p50","unique"],"unique":"/model",`+
			`"group_by":{"team":"/team"},"resolution":"day","timezone":"Europe/Paris"}`),
	}
	built, err := examples()
	if err != nil {
		t.Fatal(err)
	}
	for kit := range built {
		v, err := viewtest.Deploy(t.Context(), example(t, engine(t), kit), wasm.Settings{})
		if err != nil {
			t.Fatalf("%s: %v", kit, err)
		}
		all["the kit of "+kit] = &deployed{v}
	}
	return all
}

// TestFoldTogether: many events in one call make the same state, byte for byte, and ignore the same events as one event at a time, with
// every ready view and every kit's example. Of the events many are odd, and their keys are more than a kit holds at once.
func TestFoldTogether(t *testing.T) {
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
	for name, v := range everyView(t) {
		least := togetherEvents * 8 / 10
		if name == "the kit of go" { // odd events cost much in its memory: batches with one come to nothing, and the server makes fewer
			least = 100
		}
		t.Run(name, func(t *testing.T) { compareTogether(t, v, lines, least) })
	}
}

// TestFoldTraceTogether: the same of a real trace of requests, which the demo brings: many events of a few names, as most logs have.
func TestFoldTraceTogether(t *testing.T) {
	file, err := os.Open("../internal/demo/data/azure-llm-2023-code.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // it is read
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	lines := make([][]byte, 0, len(rows))
	for i, row := range rows[1:] {
		lines = append(lines, fmt.Appendf(nil, `{"type":"api.call","time":"%sZ","model":"m%d","team":"t%d","tokens_in":%s,"tokens_out":%s}`,
			strings.Replace(row[0], " ", "T", 1), i%3, i%7, row[1], row[2]))
	}
	for name, v := range everyView(t) {
		t.Run(name, func(t *testing.T) { compareTogether(t, v, lines, len(lines)*9/10) })
	}
}

// compareTogether compares the ways of folding; at the least so many events are to be folded in calls of many.
func compareTogether(t *testing.T, v *deployed, lines [][]byte, least int) {
	t.Helper()
	if folded := foldEveryWay(t, v, lines); folded.Batched < least {
		t.Errorf("%d of %d events were folded in calls of many", folded.Batched, len(lines))
	}
}

// acceptable are the events that a server takes.
func acceptable(lines [][]byte) (events []viewtest.Event) {
	for _, line := range lines {
		if one, err := viewtest.ReadEvents(line); err == nil {
			events = append(events, one...)
		}
	}
	return events
}

// foldEveryWay folds the events that a server takes; all ways must give the same.
func foldEveryWay(t *testing.T, v *deployed, lines [][]byte) *viewtest.Folded {
	t.Helper()
	folded, err := v.Fold(t.Context(), acceptable(lines))
	if err != nil {
		t.Fatal(err)
	}
	if folded.Difference != nil {
		t.Error(folded.Difference)
	}
	return folded
}

// mixers are views that read and write state in every way that a kit has, by what their events say.
func mixers(t *testing.T) map[string]*deployed {
	t.Helper()
	deploy := func(code []byte, config string) *deployed {
		module, err := engine(t).Compile(t.Context(), code)
		if err != nil {
			t.Fatal(err)
		}
		v, err := viewtest.Deploy(t.Context(), module, wasm.Settings{Config: []byte(config)})
		if err != nil {
			t.Fatal(err)
		}
		return &deployed{v}
	}
	found := map[string]*deployed{}
	for kit, from := range map[string]struct{ file, config string }{
		"c":          {"../internal/testrig/forgetful/forgetful.wasm", `{"keeps":"mixed"}`},
		"rust":       {"dist/kits/rust_probe.wasm", "{}"},
		"typescript": {"dist/kits/typescript_probe.wasm", "{}"},
	} {
		code, err := os.ReadFile(from.file)
		if err != nil {
			t.Fatal(err)
		}
		found[kit] = deploy(code, from.config)
	}
	module := goProbe(t)
	v, err := viewtest.Deploy(t.Context(), module, wasm.Settings{Config: []byte(`{"fields":["/name"]}`)})
	if err != nil {
		t.Fatal(err)
	}
	found["go"] = &deployed{v}
	return found
}

// mixed are events of which each reads or writes one of a few keys in one of these ways.
func mixed(random *rand.Rand, ways string, n int) [][]byte {
	lines := make([][]byte, n)
	for i := range lines {
		name := fmt.Sprintf("%ck%0*d", ways[random.IntN(len(ways))], 1+random.IntN(3)*9, random.IntN(5))
		lines[i] = fmt.Appendf(nil, `{"do":"mix","name":%q,"key":%q}`, name, name)
	}
	return lines
}

// TestMixTogether: what is held back in a batch is written before it is read, written or removed in another way, or walked over; and an
// event that touches many totals is folded alone, as are those that follow.
func TestMixTogether(t *testing.T) {
	for kit, v := range mixers(t) {
		t.Run(kit, func(t *testing.T) {
			random := rand.New(rand.NewPCG(20261128, 5))
			for range 20 {
				compareTogether(t, v, mixed(random, "aaaabbcgsdl?", 400), 360)
			}
			compareTogether(t, v, mixed(random, "n", 40), 36)
			compareTogether(t, v, mixed(random, "aaaabbngsdl?", 400), 360)
			lines := slices.Concat(mixed(random, "aaa", 30), mixed(random, "mm", 20), mixed(random, "ab", 30))
			if folded := foldEveryWay(t, v, lines); folded.Batched >= 60 { // else some of the 20
				t.Errorf("%d events are folded together, of which 60 touch few totals", folded.Batched)
			}
		})
	}
}
