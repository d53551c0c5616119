package tally

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// TestBatch: a batch leaves the state that its events leave one by one, however totals are added to and their keys used otherwise. One in
// which an event adds too often, or fails, writes what it likes and says so.
func TestBatch(t *testing.T) {
	defer clear(localState)
	totals, other := NewTotals("tokens_in", "tokens_out"), NewTotals("tokens_in", "tokens_out")
	amounts := []Decimal{{}, NewDecimal(1), NewDecimal(999_999), must(t, "0.5"), must(t, "-3"), must(t, "123456789012345678901234567890")}
	random := rand.New(rand.NewPCG(20261128, 6))
	for range 200 {
		folds := make([]func() error, 1+random.IntN(300))
		for i := range folds {
			key := fmt.Sprintf("2025-03/model-%0*d", 1+random.IntN(20), random.IntN(40))
			a, b := amounts[random.IntN(len(amounts))], amounts[random.IntN(3)]
			folds[i] = func() error { return totals.Add(key, a, b) }
			switch random.IntN(12) {
			case 0:
				folds[i] = func() error { return other.Add(key, a, b) }
			case 1:
				folds[i] = func() error { Delete(key); return nil }
			case 2:
				folds[i] = func() error {
					value, _ := Get(key)
					Set("got", AppendString(nil, string(value)))
					return nil
				}
			case 3:
				folds[i] = func() error {
					seen := []byte(nil)
					for key, value := range Scan("2025") {
						seen = append(append(seen, key...), value...)
					}
					Set("seen", AppendString(nil, string(seen)))
					return nil
				}
			}
		}
		events := make([]Event, len(folds))
		fold := func(e *Event) error {
			if err := folds[e.Sequence](); err != nil {
				return err
			}
			if e.Sequence%2 == 1 {
				return Ignored
			}
			return nil
		}
		clear(localState)
		for i := range events {
			events[i].Sequence = int64(i)
			if err := fold(&events[i]); err != nil && err != Ignored { //nolint:errorlint // see foldBatch
				t.Fatalf("event %d fails: %v", i, err)
			}
			release()
		}
		want := maps.Clone(localState)
		clear(localState)
		if !foldAll(events, fold) {
			t.Fatal("the batch fails")
		}
		if !maps.Equal(localState, want) {
			t.Fatalf("a batch leaves %v, and its events one by one %v", localState, want)
		}
		for i := range events {
			if events[i].result != uint32(i%2) {
				t.Fatalf("event %d has the result %d", i, events[i].result)
			}
		}
	}
	events := make([]Event, 3)
	for what, fold := range map[string]func(*Event) error{
		"an event that fails": func(*Event) error { return errors.New("no") },
		"an event of many totals": func(*Event) error {
			for i := range maxBatchAdds + 1 {
				if err := totals.Add(fmt.Sprintf("many/%d", i), amounts[1], amounts[1]); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		if foldAll(events, fold) {
			t.Errorf("%s does not end the batch", what)
		}
		if batch.on || batch.n != 0 {
			t.Errorf("%s leaves the batch open", what)
		}
	}
}

// foldAll folds events as a batch.
func foldAll(events []Event, fold func(*Event) error) bool {
	offsets := make([]uint32, len(events))
	for i := range offsets {
		offsets[i] = uint32(i) * headerBytes
	}
	return foldBatch(fold, unsafe.Pointer(&events[0]), 0, offsets)
}
