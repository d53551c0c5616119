package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/tidwall/btree"

	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/wasm"
)

// wayBatches is the way of calls that fold many events each.
const wayBatches = "many events in one call"

// batchSizes are how many events such calls get, over and over: see unevenBatches.
var batchSizes = []int{2, wasm.MaxBatchEvents, 7, 3, 31, 127, 13}

// As on a server, a batch that fails makes those that follow smaller; after a small one, that many events are in none.
const (
	smallerBatch    = 4 // times
	leastBatch      = 8
	unbatchedEvents = 10_000
)

// batches folds events that the other ways have folded once more, many in one call. Where the view takes them one by one only, there is
// nothing to compare.
type batches struct {
	way
	calls  int
	most   int // events in one call
	single int // events to leave out before most counts again
	folded int // events in calls of many

	events   []wasm.Event
	outcomes []Outcome                  // of the first way
	before   *btree.Map[string, []byte] // the state before the events
	expected map[string][]byte          // what the first way made of it; nil: the key is removed
	state    btree.Map[string, []byte]  // what this way made of it
	touched  []string                   // keys that this way wrote
}

func (b *batches) init(view View) {
	// The session goes on from one of batchSizes to the next, as a server's does from batch to batch.
	b.way = way{name: wayBatches, view: view, sizes: []int{longSession}}
	b.layer.base = &b.state
	b.most = wasm.MaxBatchEvents
}

// add adds an event to the next call, with what the first way made of it. The state that all ways share is still the one before it.
func (b *batches) add(event *wasm.Event, first *way) {
	if len(b.events) == 0 {
		b.outcomes = b.outcomes[:0]
		b.before, b.expected = first.layer.base.Copy(), map[string][]byte{}
	}
	e := *event
	e.Fields = append([]jsonscan.Value(nil), event.Fields...)
	b.events, b.outcomes = append(b.events, e), append(b.outcomes, first.result)
	first.layer.written.Scan(func(key string, value []byte) bool {
		b.expected[key] = value
		return true
	})
}

// full reports whether the next call has all its events.
func (b *batches) full() bool { return len(b.events) >= batchSizes[b.calls%len(batchSizes)] }

// catchUp folds the events that were added, and compares.
func (b *batches) catchUp(ctx context.Context) (*Difference, error) {
	events := b.events
	b.events = b.events[:0]
	b.calls++
	if len(events) < 2 || b.single > 0 {
		b.single -= len(events)
		b.end() // its guest knows another state
		return nil, nil
	}
	if err := b.begin(ctx); err != nil || !b.session.Batches() {
		return nil, err
	}
	b.state, b.touched = *b.before.Copy(), b.touched[:0]
	b.layer.written.Clear() // of a call that differed
	for left, outcomes := events, b.outcomes; len(left) > 0; {
		n, err := b.foldSome(ctx, left)
		if err != nil {
			return nil, fmt.Errorf("folding event %d with %s: %w", left[0].Sequence, wayBatches, err)
		}
		for i := range left[:n] {
			if found := b.outcomeOf(&left[i], n); !outcomes[i].same(found) {
				expected := outcomes[i].String()
				return &Difference{Way: wayBatches, Sequence: left[i].Sequence, Expected: expected, Found: found.String()}, nil
			}
		}
		b.keep()
		left, outcomes = left[n:], outcomes[n:]
	}
	return b.compare(events[len(events)-1].Sequence), nil
}

// foldSome folds the first of the events, and returns how many: many in one call, or else one.
func (b *batches) foldSome(ctx context.Context, events []wasm.Event) (n int, err error) {
	if b.single <= 0 {
		if err := b.begin(ctx); err != nil {
			return 0, err
		}
		batch := events[:min(len(events), b.most)]
		n, err := b.session.FoldBatch(batch)
		if _, failed := errors.AsType[*wasm.ViewError](err); failed {
			b.failed(len(batch))
		} else if err != nil || n > 0 {
			b.folded += n
			return n, err
		}
	}
	_, err = b.fold(ctx, &events[0])
	return 1, err
}

// outcomeOf is that of an event of a call of n.
func (b *batches) outcomeOf(e *wasm.Event, n int) Outcome {
	if n == 1 {
		return b.result
	}
	return Outcome{Ignored: e.Ignored}
}

// failed discards what a batch of so many events wrote, and its session.
func (b *batches) failed(events int) {
	b.layer.written.Clear()
	b.end()
	if events < leastBatch {
		b.most, b.single = wasm.MaxBatchEvents, unbatchedEvents
		return
	}
	b.most = events / smallerBatch
}

// keep makes what was written part of the way's state.
func (b *batches) keep() {
	b.layer.written.Scan(func(key string, value []byte) bool {
		if value == nil {
			b.state.Delete(key)
		} else {
			b.state.Set(key, value)
		}
		b.touched = append(b.touched, key)
		return true
	})
	b.layer.written.Clear()
}

// compare returns how the state differs after the event with this sequence.
func (b *batches) compare(sequence int64) *Difference {
	var difference *Difference
	look := func(key string) {
		expected, ok := b.expected[key]
		if !ok {
			expected, _ = b.before.Get(key)
		}
		found, _ := b.state.Get(key)
		if !bytes.Equal(expected, found) && (difference == nil || key < difference.Key) {
			difference = &Difference{Way: wayBatches, Sequence: sequence, Key: key, Expected: Shown(expected), Found: Shown(found)}
		}
	}
	for key := range b.expected {
		look(key)
	}
	for _, key := range b.touched {
		look(key)
	}
	return difference
}
