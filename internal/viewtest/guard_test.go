package viewtest_test

import (
	_ "embed"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/viewtest"
	"github.com/tallystick/tallystick/internal/wasm"
)

//go:embed testdata/grudging.wasm
var grudging []byte

// dailyLimit is the worked example with a guard: {"limit":n} tokens of a team in a day.
func dailyLimit(t *testing.T) *wasm.Module {
	t.Helper()
	code, err := os.ReadFile("../../views/dist/kits/c_daily_limit.wasm")
	if err != nil {
		t.Fatal(err)
	}
	return compile(t, code)
}

// TestRefusals: what the guard refuses leaves neither state nor a sequence nor its idempotency key, and stands in expected.txt; the guard's
// clock goes on with the times of the events, and never back; a duplicate is not judged again.
func TestRefusals(t *testing.T) {
	c := golden(t, "config.json", `{"limit":10}`, "queries.txt", "\n", "events.ndjson", strings.Join([]string{
		`{"team":"a","tokens":8}`,
		`{"team":"a","tokens":3,"id":"k"}`,
		`{"team":"a"}`,
		`{"team":"a","tokens":11}`,
		``,
		`{"team":"a","tokens":2,"id":"k"}`, // of another amount: the one that was refused is not known
		`{"team":"a","tokens":2,"id":"k"}`, // a duplicate, though nothing is left of the limit
		`{"team":"a","tokens":1,"time":"2025-03-03T10:00:00Z"}`,
		`{"team":"a","tokens":9,"time":"2025-03-02T10:00:00Z"}`, // recorded when the one before it was
		`{"team":"a","tokens":1}`,
		`{"team":["a"],"tokens":1}`,
	}, "\n"))
	result := play(t, c, dailyLimit(t))
	const want = `ignored: [2]
admitted line 1 as 1: {"remaining":2}
refused line 2: 429, retry after 50070 s {"limit":10,"used":8,"resets_at":"2025-03-02T00:00:00Z"}
refused line 4: 403 {"limit":10}
admitted line 6 as 3: {"remaining":0}
admitted line 8 as 4: {"remaining":9}
admitted line 9 as 5: {"remaining":0}
refused line 10: 429, retry after 50400 s {"limit":10,"used":10,"resets_at":"2025-03-04T00:00:00Z"}
refused line 11: 409 {"reason":"team_not_text"}

"2025-03-01/a" {"tokens":10}
"2025-03-03/a" {"tokens":10}

?
{"2025-03-01/a":{"tokens":10},"2025-03-03/a":{"tokens":10}}
`
	if result.Got != want || len(result.Faults) > 0 {
		t.Errorf("it came to\n%s\nnot\n%s%v", result.Got, want, result.Faults)
	}
	if result.Gas.Events != 5 || len(result.Events) != 5 || result.GuardGas.Events != 9 {
		t.Errorf("%d events were folded, %d appended, and about %d the guard was asked",
			result.Gas.Events, len(result.Events), result.GuardGas.Events)
	}
	if _, measured, err := result.View.Measure(t.Context(), result.Events); !measured || err != nil {
		t.Errorf("measured is %v, %v", measured, err)
	}
	if err := c.Update(result); err != nil {
		t.Fatal(err)
	}
	if !play(t, c, dailyLimit(t)).OK() {
		t.Error("it does not pass once updated")
	}
	_, err := golden(t, "events.ndjson", `{"id":"k"}`+"\n"+`{"id":"k","team":1}`).Play(t.Context(), dailyLimit(t), wasm.Settings{})
	if at, ok := errors.AsType[*viewtest.LineError](err); !ok || at.Line != 2 || !strings.Contains(err.Error(), "events.ndjson: line 2: ") {
		t.Errorf("another event of a key: %v", err)
	}
}

// TestGuardThatRemembers: a guard that decides by its memory fails, whatever is expected.
func TestGuardThatRemembers(t *testing.T) {
	c := golden(t, "events.ndjson", strings.Repeat("{}\n", 4))
	result := play(t, c, compile(t, grudging))
	const want = "event 2 is admitted one event at a time, and refused with 403 with batches of 10000 events: "
	if result.Got != "ignored: []\n\n" || len(result.Faults) != 1 || !strings.HasPrefix(result.Faults[0], want) {
		t.Errorf("it came to\n%s%q", result.Got, result.Faults)
	}
}

// TestGuardHalts: a guard that fails halts its view at the event.
func TestGuardHalts(t *testing.T) {
	c := golden(t, "events.ndjson", `{"team":"a","tokens":1}`+"\n"+`{"team":"a","tokens":1}`)
	result, err := c.Play(t.Context(), dailyLimit(t), wasm.Settings{FoldGas: 9_000})
	const want = "\nhalted at 1: its guard: view error (limit): tally_guard ran out of gas"
	if err != nil || !strings.Contains(result.Got, want) || len(result.Faults) > 0 {
		t.Errorf("it came to\n%s%v, %v", result.Got, result.Faults, err)
	}
}
