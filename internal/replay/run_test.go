package replay

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/btree"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/views"
)

func entriesOf(state btree.MapIter[string, []byte]) (entries []string) {
	for more := state.First(); more; more = state.Next() {
		entries = append(entries, state.Key()+"="+string(state.Value()))
	}
	return entries
}

// TestRunIsReplay folds events in pages of all sizes, and now and then one alone, and holds the state, and what an event alone changed,
// against those of folding in all ways.
func TestRunIsReplay(t *testing.T) {
	scripted, err := os.ReadFile("../testrig/scripted/scripted.wasm")
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(7, 9))
	events := Synthetic([]string{"/model", "/tokens_in", "/tokens_out"})
	for i := range events {
		if random.IntN(3) == 0 {
			key, other := random.IntN(9), random.IntN(9)
			events[i].Data = fmt.Appendf(nil, `{"script":"set\tk%d\t%d\ncopy\tk%d\tk%d\ndelete\tk%d"}`, key, i, key, other, random.IntN(9))
		}
	}
	for config, code := range map[string][]byte{
		"{}": scripted, `{ }`: views.MonthlyTotals(),
		`{"value":"/tokens_in","aggregations":["sum"],"group_by":{"m":"/model"}}`: views.Meter(),
	} {
		all := replayOf(t, code, config)
		run := NewRun(all.view, 1<<20)
		ignored := int64(0)
		for left := events; len(left) > 0; {
			n := min(len(left), 1+random.IntN(40))
			var want []Change
			for i := range left[:n] {
				before := all.base.Copy()
				outcome, difference, err := all.Fold(t.Context(), &left[i])
				if err != nil || difference != nil || outcome.Failed != nil {
					t.Fatalf("%s: %v, %v, %v", config, outcome, difference, err)
				}
				if outcome.Ignored {
					ignored++
				}
				want = changesOf(before, &all.base)
			}
			if n > 1 {
				if folded, failed, err := run.Fold(t.Context(), left[:n]); folded != n || failed != nil || err != nil {
					t.Fatalf("%s: %d of %d, %v, %v", config, folded, n, failed, err)
				}
			} else if got, failed, err := run.FoldAlone(t.Context(), &left[0]); failed != nil || err != nil ||
				fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: event %d changed %v, %v, %v; want %v", config, left[0].Sequence, got, failed, err, want)
			}
			if got, want := entriesOf(run.State()), entriesOf(all.State()); !slices.Equal(got, want) {
				t.Fatalf("%s: after event %d the state is\n%v, want\n%v", config, left[n-1].Sequence, got, want)
			}
			left = left[n:]
		}
		keys, bytes := run.Size()
		for _, entry := range entriesOf(all.State()) {
			keys, bytes = keys-1, bytes-int64(len(entry)-1)
		}
		alone := int64(len(events)) - run.Counts().Events // those are not counted
		if keys != 0 || bytes != 0 || alone < 0 || run.Counts().Ignored > ignored || run.Counts().Gas <= 0 {
			t.Errorf("%s: %d keys, %d bytes too many; %+v of %d ignored", config, keys, bytes, run.Counts(), ignored)
		}
		run.Close()
	}
}

func changesOf(before, after *btree.Map[string, []byte]) (changes []Change) {
	both := before.Copy()
	after.Scan(func(key string, value []byte) bool {
		both.Set(key, value)
		return true
	})
	both.Scan(func(key string, _ []byte) bool {
		old, _ := before.Get(key)
		value, _ := after.Get(key)
		if string(old) != string(value) {
			changes = append(changes, Change{key, old, value})
		}
		return true
	})
	return changes
}

// TestRunEndsAtAFailure: what came before the event counts, and nothing of the event, wherever in a page it is.
func TestRunEndsAtAFailure(t *testing.T) {
	code, err := os.ReadFile("../testrig/scripted/scripted.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{0, 1, 5, 255, 256, 299} {
		events := make([]event.Recorded, 300)
		for i := range events {
			failing := ""
			if i == at {
				failing = `\ntrap`
			}
			events[i].Sequence, events[i].Data = int64(i+1), fmt.Appendf(nil, `{"script":"set\tn\t%d%s"}`, i+1, failing)
		}
		run := NewRun(replayOf(t, code, "{}").view, 1<<20)
		n, failed, err := run.Fold(t.Context(), events)
		if n != at || failed == nil || err != nil || run.Counts().Events != int64(at) {
			t.Errorf("%d: %d, %v, %v", at, n, failed, err)
		}
		answer, _, failed, err := run.Ask(t.Context(), "get\tn")
		want := fmt.Sprint(at)
		if at == 0 {
			want = "null"
		}
		if string(answer) != want || failed != nil || err != nil {
			t.Errorf("%d: the state is %s, %v, %v", at, answer, failed, err)
		}
		if _, failed, err := run.FoldAlone(t.Context(), &events[at]); failed == nil || err != nil {
			t.Errorf("%d alone: %v, %v", at, failed, err)
		}
		run.Close()
	}
}

// TestRunIsBounded: the memory of a run is bounded, and the event is named that was too much.
func TestRunIsBounded(t *testing.T) {
	run := NewRun(replayOf(t, forgetful(t), `{"keeps":"nothing"}`).view, 1<<20)
	defer run.Close()
	events := make([]event.Recorded, 2000)
	for i := range events {
		events[i].Sequence, events[i].Data = int64(i+1), fmt.Appendf(nil, `{"name":"%s%d"}`, strings.Repeat("x", 1000), i)
	}
	_, failed, err := run.Fold(t.Context(), events)
	var large *StateTooLargeError
	if failed != nil || !errors.As(err, &large) || large.Limit != 1<<20 || large.Sequence < 900 || large.Sequence > 1048+256 {
		t.Errorf("%v, %v", failed, err)
	}
}
