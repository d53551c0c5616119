package view

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/uuid"
)

// brokenFrom is the event at which monthly_totals meets a value that it cannot have written.
const brokenFrom = 1_321

// oddEvents are events of a few models and some odd ones.
func oddEvents(n int) []event.Recorded {
	events := benchEvents(0, n)
	for i := range events {
		switch e := &events[i]; {
		case e.Sequence == brokenFrom:
			e.Data = []byte(`{"model":"broken","team":"a","tokens_in":1,"tokens_out":1}`)
		case e.Sequence%97 == 0:
			e.Data = fmt.Appendf(nil, `{"model":["%d"],"tokens_in":"x"}`, i)
		case e.Sequence%31 == 0:
			e.Data = fmt.Appendf(nil, `{"model":"m\u00e9%d","team":"t%d","tokens_in":"1e%d","tokens_out":-0.5}`, i%211, i, i%60)
		case e.Sequence%13 == 0:
			e.Data = []byte(`{}`)
		}
	}
	return events
}

// requests folds the events request by request, each of a random size, and now and then one that is refused in the middle.
func requests(t *testing.T, f *Folding, events []event.Recorded, random *rand.Rand) {
	t.Helper()
	for len(events) > 0 {
		n := min(len(events), 1+random.IntN([]int{3, 40, 700}[random.IntN(3)]))
		if random.IntN(3) == 0 {
			if err := f.Fold(events[:n/2+1], Budget{}); err != nil {
				t.Fatal(err)
			}
			if err := f.Undo(); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Fold(events[:n], Budget{}); err != nil {
			t.Fatal(err)
		}
		f.Keep()
		events = events[n:]
	}
}

// TestFoldingInBatches: whatever the requests, which of them are undone, where a view halts in the middle and what of its state was not in
// memory, folding in batches does what folding one by one does.
func TestFoldingInBatches(t *testing.T) {
	views, versions := benchViews(t)
	stored := map[string]string{
		"2025-03/broken": `{"tokens_in":"?"}`, "2025-03/gpt-2": `{"tokens_in":7,"tokens_out":0.25}`,
		"2025-03-01T10:05": `{"requests":3,"tokens":9}`,
	}
	events := oddEvents(2_000)
	snapshot := func(whole bool) *Snapshot {
		s := &Snapshot{Log: uuid.New()}
		for i, version := range versions {
			known := &state{whole: whole}
			for key, value := range stored {
				if whole && i < 2 {
					known.put(key, []byte(value))
				}
			}
			s.views = append(s.views, liveView{version: version, state: known})
		}
		s.uniteFields(&views.fields)
		return s
	}
	fold := func(s *Snapshot, seed uint64) Fold {
		for {
			f, err := views.Begin(t.Context(), nil, s, true, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			requests(t, f, events, rand.New(rand.NewPCG(seed, 1)))
			if !f.Missed() {
				result := f.result(&Snapshot{Log: s.Log})
				f.Close()
				return result
			}
			found := Found{}
			for i, run := range f.runs {
				of := stateOf{s.Log, versions[i].ID}
				found[of] = map[string][]byte{}
				for _, key := range run.writes.missed {
					if value, ok := stored[key]; ok && i < 2 {
						found[of][key] = []byte(value)
					} else {
						found[of][key] = nil
					}
				}
			}
			s = s.With(found)
			f.Close()
		}
	}
	for i := range versions {
		versions[i].single.Store(1 << 40)
	}
	want := fold(snapshot(true), 0)
	if len(want.Halts) != 1 || want.Halts[0].Sequence != brokenFrom {
		t.Fatalf("one by one, it halts so: %+v", want.Halts)
	}
	for seed := range uint64(8) {
		for i := range versions {
			versions[i].single.Store(0)
		}
		got := fold(snapshot(seed%2 == 0), seed)
		if !reflect.DeepEqual(got.Halts, want.Halts) {
			t.Errorf("seed %d: it halts so: %+v, and one by one so: %+v", seed, got.Halts, want.Halts)
		}
		if len(got.Changes) != len(want.Changes) {
			t.Errorf("seed %d: it changes %d keys, and one by one %d", seed, len(got.Changes), len(want.Changes))
			continue
		}
		for i, change := range got.Changes {
			if w := want.Changes[i]; change.Key != w.Key || string(change.Value) != string(w.Value) {
				t.Errorf("seed %d: key %q is %s, and one by one key %q is %s", seed, change.Key, change.Value, w.Key, w.Value)
				break
			}
		}
		if versions[1].mostBatched.Load() != 0 || versions[1].single.Load() != 0 {
			t.Errorf("seed %d: batches of rate_check have failed", seed)
		}
	}
	if versions[0].mostBatched.Load() == 0 && versions[0].single.Load() == 0 {
		t.Error("batches of monthly_totals have not failed")
	}
}

// TestBudgetInBatches: a budget that runs out between two batches is found there, and says how many events were within it.
func TestBudgetInBatches(t *testing.T) {
	views, versions := benchViews(t)
	s := &Snapshot{Log: uuid.New(), views: []liveView{{version: versions[0], state: &state{whole: true}}}}
	s.uniteFields(&views.fields)
	events := benchEvents(0, 3_000)
	for name, budget := range map[string]Budget{
		"time": {Time: 1}, "gas": {Gas: 1}, "bytes of state": {Bytes: 1}, "keys of state": {Keys: 1},
	} {
		f, err := views.Begin(t.Context(), nil, s, false, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = f.Fold(events, budget)
		over, ok := errors.AsType[*BudgetError](err)
		if !ok || over.What != name || over.Folded < 2 || over.Folded >= 256 {
			t.Errorf("%s: %v", name, err)
		}
		f.Keep()
		rest := f.Fold(events[over.Folded:], Budget{Time: time.Hour})
		f.Keep()
		fold := f.result(&Snapshot{Log: s.Log})
		if f.Close(); rest != nil || len(fold.Changes) != 5 || len(fold.Halts) > 0 {
			t.Errorf("%s: the rest comes to %d changes, %v, %v", name, len(fold.Changes), fold.Halts, rest)
		}
	}
}
