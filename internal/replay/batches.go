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

// batchSizes are how many events such a call is given, in turn and then again: see unevenBatches.
var batchSizes = []int{2, wasm.MaxBatchEvents, 7, 3, 31, 127, 13}

// batches folds events that the other ways have folded once more, many in one call, from the state that was before them. It says nothing of
// events that the view does not take so: a server folds them one by one, too.
type batches struct {
	module  *wasm.Module
	turn    int
	events  []wasm.Event
	ignored []bool                     // by the first way
	base    *btree.Map[string, []byte] // the state before them
	after   map[string][]byte          // what the first way made of it; nil: the key is removed
}

// add takes an event that was folded, what the first way made of it, and the state that all ways still share.
func (b *batches) add(event *wasm.Event, first *way) {
	if len(b.events) == 0 {
		b.ignored = b.ignored[:0]
		b.base, b.after = first.layer.base.Copy(), map[string][]byte{}
	}
	e := *event
	e.Fields = append([]jsonscan.Value(nil), event.Fields...)
	b.events, b.ignored = append(b.events, e), append(b.ignored, first.result.Ignored)
	first.layer.written.Scan(func(key string, value []byte) bool {
		b.after[key] = value
		return true
	})
}

// full tells that the next call has its events.
func (b *batches) full() bool { return len(b.events) >= batchSizes[b.turn%len(batchSizes)] }

// fold folds what it was given in calls of many events, and compares.
func (b *batches) fold(ctx context.Context, settings wasm.Settings) (*Difference, error) {
	events := b.events
	b.events = b.events[:0]
	b.turn++
	if len(events) < 2 {
		return nil, nil
	}
	state := &layer{base: b.base}
	session, err := b.module.Start(ctx, settings, state)
	if err != nil {
		return nil, fmt.Errorf("starting the view: %w", err)
	}
	defer session.Close()
	for left := events; len(left) > 0; {
		n, err := session.FoldBatch(left)
		if _, failed := errors.AsType[*wasm.ViewError](err); failed || err == nil && n == 0 {
			return nil, nil
		} else if err != nil {
			return nil, fmt.Errorf("folding event %d with %s: %w", left[0].Sequence, wayBatches, err)
		}
		left = left[n:]
	}
	for i := range events {
		if expected, found := (Outcome{Ignored: b.ignored[i]}), (Outcome{Ignored: events[i].Ignored}); expected != found {
			return &Difference{Way: wayBatches, Sequence: events[i].Sequence, Expected: expected.String(), Found: found.String()}, nil
		}
	}
	return b.compare(state, events[len(events)-1].Sequence), nil
}

func (b *batches) compare(state *layer, sequence int64) *Difference {
	var different *string
	look := func(key string, value []byte) {
		if !bytes.Equal(value, state.current(key)) && (different == nil || key < *different) {
			different = &key
		}
	}
	for key, value := range b.after {
		look(key, value)
	}
	state.written.Scan(func(key string, _ []byte) bool {
		look(key, b.expected(key))
		return true
	})
	if different == nil {
		return nil
	}
	return &Difference{
		Way: wayBatches, Sequence: sequence, Key: *different,
		Expected: Shown(b.expected(*different)), Found: Shown(state.current(*different)),
	}
}

// expected is what the first way says of a key.
func (b *batches) expected(key string) []byte {
	value, ok := b.after[key]
	if !ok {
		value, _ = b.base.Get(key)
	}
	return value
}
