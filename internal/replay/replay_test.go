package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/btree"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/wasm"
	"github.com/tallystick/tallystick/views"
)

// replayOf sets a view up in two engines, as a rehearsal and an audit do.
func replayOf(t *testing.T, code []byte, config string) *Replay {
	t.Helper()
	var modules [2]*wasm.Module
	var engines [2]*wasm.Engine
	for i := range engines {
		var err error
		if i == 0 {
			engines[0], err = wasm.NewEngine(t.Context(), wasm.Config{})
		} else {
			engines[1], err = engines[0].Restarted(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		defer t.Cleanup(func() {
			if err := engines[i].Close(t.Context()); err != nil && t.Context().Err() == nil {
				t.Error(err)
			}
		})
		if modules[i], err = engines[i].Compile(t.Context(), code); err != nil {
			t.Fatal(err)
		}
	}
	names, err := modules[0].Fields(t.Context(), []byte(config))
	if err != nil {
		t.Fatal(err)
	}
	var cache FieldCache
	fields, err := cache.Of(names)
	if err != nil {
		t.Fatal(err)
	}
	view := View{Module: modules[0], Restarted: modules[1], Settings: wasm.Settings{Config: []byte(config)}, Fields: fields}
	r := New(view, 1<<20)
	t.Cleanup(r.Close)
	return r
}

// noRest is for a rehearsal that has the machine to itself.
func noRest(context.Context) {}

func forgetful(t *testing.T) []byte {
	t.Helper()
	code, err := os.ReadFile("../testrig/forgetful/forgetful.wasm")
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// named are events whose names come from a few, in turn.
func named(n int) []event.Recorded {
	events := make([]event.Recorded, n)
	for i := range events {
		events[i] = event.Recorded{Sequence: int64(i + 1), RecordedAt: int64(i)}
		events[i].Data = fmt.Appendf(nil, `{"name":"n%d"}`, i%3)
	}
	return events
}

// TestWaysOfForgetting: whatever a view keeps outside of its state, some way of folding brings to light, at the event
// where it shows first and with the key.
func TestWaysOfForgetting(t *testing.T) {
	for keeps, want := range map[string]Difference{
		"memory":    {Way: "batches of 10000 events", Sequence: 2, Key: "n1", Expected: `{"n":1}`, Found: `{"n":2}`},
		"cache":     {Way: "batches of 10000 events", Sequence: 2, Key: "n1", Expected: `{"n":2}`, Found: `{"n":1}`},
		"ignorance": {Way: "batches of 10000 events", Sequence: 2, Expected: "applied", Found: "ignored"},
	} {
		t.Run(keeps, func(t *testing.T) {
			r := replayOf(t, forgetful(t), fmt.Sprintf(`{"keeps":%q}`, keeps))
			if got := foldAll(t, r, named(40)); got == nil || *got != want {
				t.Errorf("found %+v, want %+v", got, want)
			}
		})
	}
	for _, keeps := range []string{"refusal", "room", "work"} { // each failing event is folded again by itself
		t.Run(keeps, func(t *testing.T) {
			if got := foldAll(t, replayOf(t, forgetful(t), fmt.Sprintf(`{"keeps":%q}`, keeps)), named(300)); got != nil {
				t.Errorf("found %+v", got)
			}
		})
	}
	t.Run("address", func(t *testing.T) {
		got := foldAll(t, replayOf(t, forgetful(t), `{"keeps":"address"}`), named(40))
		if got == nil || got.Sequence != 2 || got.Key != "n1" || got.Expected == got.Found {
			t.Errorf("found %+v", got)
		}
	})
	t.Run("place", func(t *testing.T) { // each event alone is always at the same
		got := foldAll(t, replayOf(t, forgetful(t), `{"keeps":"place"}`), named(40))
		if got == nil || got.Way != "many events in one call" || got.Sequence != 2 || got.Key != "n0" || got.Expected == got.Found {
			t.Errorf("found %+v", got)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		r := replayOf(t, forgetful(t), `{"keeps":"nothing"}`)
		if got := foldAll(t, r, named(2000)); got != nil {
			t.Fatalf("found %+v", got)
		}
		for key, want := range map[string]string{"n0": `{"n":667}`, "n1": `{"n":667}`, "n2": `{"n":666}`} {
			if value, _ := r.base.Get(key); string(value) != want {
				t.Errorf("%s is %s, want %s", key, value, want)
			}
		}
	})
}

// foldAll folds up to the first difference.
func foldAll(t *testing.T, r *Replay, events []event.Recorded) *Difference {
	t.Helper()
	for i := range events {
		_, difference, err := r.Fold(t.Context(), &events[i])
		if err != nil {
			t.Fatal(err)
		}
		if difference != nil {
			return difference
		}
	}
	return nil
}

// TestBatchesGetSmaller folds into sketches, of which a large batch takes more gas than a batch may: smaller ones are compared instead.
func TestBatchesGetSmaller(t *testing.T) {
	r := replayOf(t, views.Meter(), `{"value":"/tokens_in","aggregations":["p50","unique"],"unique":"/model",`+
		`"group_by":{"team":"/team"},"resolution":"day"}`)
	events := named(2000)
	for i := range events {
		events[i].Data = fmt.Appendf(nil, `{"tokens_in":%d,"model":"m%d","team":"t%d"}`, i*i%4999, i, i%7)
	}
	if got := foldAll(t, r, events); got != nil {
		t.Fatalf("found %+v", got)
	}
	if _, err := r.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.Batched(); got < len(events)*8/10 {
		t.Errorf("%d of %d events were folded in calls of many", got, len(events))
	}
	if r.batches.most == wasm.MaxBatchEvents {
		t.Error("the largest batch did not fail, so the test shows nothing")
	}
	if r.Gas() <= 0 || r.Gas() > wasm.DefaultFoldGas {
		t.Errorf("the last event took %d gas", r.Gas())
	}
}

// TestAnswersMustAgree puts another view in the place of the restarted one: it answers the same state otherwise.
func TestAnswersMustAgree(t *testing.T) {
	r, other := replayOf(t, views.MonthlyTotals(), "{}"), replayOf(t, forgetful(t), "{}")
	if err := r.rehearseQueries(t.Context()); err != nil {
		t.Errorf("the same view: %v", err)
	}
	r.ways[2].view.Module = other.view.Module
	var refused *NotReproducibleError
	if err := r.rehearseQueries(t.Context()); !errors.As(err, &refused) || !strings.Contains(refused.Detail, "true (application/json)") {
		t.Errorf("another view: %v", err)
	}
}

// TestReadyViewsAreReproducible folds what is made up for them, and for a view that reads no fields.
func TestReadyViewsAreReproducible(t *testing.T) {
	for name, view := range map[string]struct {
		code   []byte
		config string
	}{
		"monthly_totals": {views.MonthlyTotals(), "{}"},
		"rate_check":     {views.RateCheck(), "{}"},
		"cost_by_team":   {views.CostByTeam(), `{"prices":{"*":{"tokens_in":"0.001","tokens_out":"0.002"}}}`},
		"quota": {views.Quota(), `{"limits":[{"name":"a","aggregation":"sum","value":"/v","window":"day","limit":1},` +
			`{"name":"b","aggregation":"unique","value":"/u","group_by":{"g":"/g"},"window":"hour","rolling":true,"limit":1}],` +
			`"credits":{"type":["use",""],"value":"/v","group_by":{"g":"/g"},"scope":"/s"}}`},
	} {
		r := replayOf(t, view.code, view.config)
		sample := Sample{"events made up for its fields", Synthetic(r.view.Fields.Names)}
		if err := r.rehearse(t.Context(), sample, sampleGas, noRest); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if r.base.Len() == 0 || r.gas == 0 {
			t.Errorf("%s: %d keys and %d gas: the sample has nothing for it", name, r.base.Len(), r.gas)
		}
	}
}

// TestSyntheticEvents: they hold what is asked for, wherever that is, with every kind of value, and are the same each time.
func TestSyntheticEvents(t *testing.T) {
	fields := []string{
		"/model", "/usage/tokens", "/items/2/price", "/items/0", "/a~1b/~0", "/deep" + strings.Repeat("/x", 200), "/model/below",
	}
	var cache FieldCache
	set, err := cache.Of(fields)
	if err != nil {
		t.Fatal(err)
	}
	events, again := Synthetic(fields), Synthetic(fields)
	found := map[string]map[jsonscan.Kind]bool{}
	values := make([]jsonscan.Value, len(fields))
	for i := range events {
		if string(events[i].Data) != string(again[i].Data) || events[i].Time != again[i].Time {
			t.Fatalf("event %d is not the same twice", i)
		}
		if _, err := event.Parse(events[i].Data); err != nil {
			t.Fatalf("event %d: %v: %s", i, err, events[i].Data)
		}
		if err := set.Pointers.Scan(events[i].Data, values); err != nil {
			t.Fatalf("event %d: %v: %s", i, err, events[i].Data)
		}
		for j, value := range values {
			if found[fields[j]] == nil {
				found[fields[j]] = map[jsonscan.Kind]bool{}
			}
			found[fields[j]][value.Kind] = true
		}
	}
	for _, field := range fields[:5] {
		if kinds := len(found[field]); kinds != 8 {
			t.Errorf("%s has %d kinds of values, want all 8: %v", field, kinds, found[field])
		}
	}
}

// TestLayer compares a layer with a sorted list of what should be visible through it.
func TestLayer(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	key := func() string {
		return strings.Repeat("k", random.IntN(2)) + fmt.Sprintf("%c%d", 'a'+random.IntN(3), random.IntN(40))
	}
	for range 300 {
		var base btree.Map[string, []byte]
		model := map[string]string{}
		for range random.IntN(200) {
			k := key()
			base.Set(k, []byte("base"))
			model[k] = "base"
		}
		l := layer{base: &base}
		for range random.IntN(100) {
			k := key()
			if random.IntN(2) == 0 {
				if err := l.Delete([]byte(k)); err != nil {
					t.Fatal(err)
				}
				delete(model, k)
			} else {
				if err := l.Set([]byte(k), []byte("over")); err != nil {
					t.Fatal(err)
				}
				model[k] = "over"
			}
		}
		for range 20 {
			prefix, after, limit := key()[:random.IntN(3)], "", 1+random.IntN(50)
			if random.IntN(2) == 0 {
				after = key()
			}
			var want []string
			for _, k := range slices.Sorted(maps.Keys(model)) {
				if strings.HasPrefix(k, prefix) && k > after {
					want = append(want, k+"="+model[k])
				}
			}
			entries, err := l.Scan([]byte(prefix), []byte(after), limit)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range entries {
				got = append(got, string(e.Key)+"="+string(e.Value))
			}
			if want = want[:min(limit, len(want))]; !slices.Equal(got, want) {
				t.Fatalf("scanning %q after %q, %d: got %v, want %v", prefix, after, limit, got, want)
			}
			k := key()
			value, ok, _ := l.Get([]byte(k))
			if wanted, there := model[k]; ok != there || string(value) != wanted {
				t.Fatalf("%s is %s, %v; want %s, %v", k, value, ok, wanted, there)
			}
		}
	}
}

// TestStateTooLarge: the memory of a replay is bounded, and the event is named that was too much.
func TestStateTooLarge(t *testing.T) {
	r := replayOf(t, forgetful(t), `{"keeps":"nothing"}`)
	name := strings.Repeat("x", 1000)
	for i := int64(1); ; i++ {
		e := event.Recorded{Sequence: i}
		e.Data = fmt.Appendf(nil, `{"name":"%s%d"}`, name, i)
		_, difference, err := r.Fold(t.Context(), &e)
		var large *StateTooLargeError
		if errors.As(err, &large) {
			if large.Limit != 1<<20 || large.Sequence != i || i < 900 || i > 1048 {
				t.Errorf("event %d: %v", i, err)
			}
			return
		}
		if err != nil || difference != nil || i > 2000 {
			t.Fatalf("event %d: %v, %v", i, difference, err)
		}
	}
}

// TestRehearsalOfFailures: events that a view traps over cost a rehearsal much, so that it ends after a few; refusals cost
// nothing and all of the sample is folded.
func TestRehearsalOfFailures(t *testing.T) {
	code, err := os.ReadFile("../testrig/scripted/scripted.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for script, most := range map[string]int{"trap": 3, "nonsense": syntheticEvents} {
		events := make([]event.Recorded, syntheticEvents)
		for i := range events {
			events[i] = event.Recorded{Sequence: int64(i + 1), RecordedAt: int64(i)}
			events[i].Data = fmt.Appendf(nil, `{"script":%q}`, script)
		}
		r := replayOf(t, code, "{}")
		if err := r.rehearse(t.Context(), Sample{"events that fail", events}, sampleGas, noRest); err != nil {
			t.Errorf("%s: %v", script, err)
		}
		if folded := r.ways[0].turn; folded != most {
			t.Errorf("%s: %d events were folded, want %d", script, folded, most)
		}
	}
}
