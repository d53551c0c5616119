package replay

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/tidwall/btree"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/wasm"
)

// Run folds events in one way, many in one call where the view takes them so, as a server does: for whoever needs the state that results,
// and compares nothing. It must be closed.
type Run struct {
	batches batches
	events  []wasm.Event // room for those of one call
	limit   int64        // for bytes
	bytes   int64        // about what the state costs in memory
	counts  RunCounts
}

// RunCounts is what a Run has folded.
type RunCounts struct {
	Events, Ignored int64 // Ignored: the view had no use for them
	Gas             int64
}

// Change is what an event made of a key of the state; nil: no such key.
type Change struct {
	Key           string
	Before, After []byte
}

// NewRun begins with an empty state, bounded by limit in bytes of memory.
func NewRun(view View, limit int64) *Run {
	r := &Run{limit: limit}
	r.batches.init(view)
	return r
}

// Close releases what the run holds.
func (r *Run) Close() { r.batches.end() }

// Counts returns what was folded so far, without an event that failed.
func (r *Run) Counts() RunCounts { return r.counts }

// Fold folds events one after the other. The view fails over the one that comes after the first n with failed, which is nil if it takes
// all: what it wrote for that one is discarded. The error is a *StateTooLargeError, or not the view's fault.
func (r *Run) Fold(ctx context.Context, events []event.Recorded) (n int, failed *wasm.ViewError, err error) {
	for chunk := range slices.Chunk(events, wasm.MaxBatchEvents) {
		left, err := r.read(chunk)
		if err != nil {
			return n, nil, err
		}
		for len(left) > 0 {
			folded, failed, err := r.foldSome(ctx, left)
			if failed != nil || err != nil {
				return n, failed, err
			}
			n, left = n+folded, left[folded:]
		}
	}
	return n, nil, nil
}

// read returns the events as the view sees them.
func (r *Run) read(events []event.Recorded) ([]wasm.Event, error) {
	r.events = slices.Grow(r.events[:0], len(events))[:len(events)]
	for i := range events {
		if err := r.batches.view.Read(&r.events[i], &events[i]); err != nil {
			return nil, err
		}
	}
	return r.events, nil
}

// foldSome folds the first of the events in one call, and returns how many.
func (r *Run) foldSome(ctx context.Context, events []wasm.Event) (n int, failed *wasm.ViewError, err error) {
	if pause := r.batches.view.Settings.Pause; pause != nil {
		if err := pause(); err != nil {
			return 0, nil, fmt.Errorf("waiting for a turn to fold: %w", err)
		}
	}
	b := &r.batches
	n, err = b.foldSome(ctx, events)
	if err != nil {
		return 0, nil, fmt.Errorf("folding event %d: %w", events[0].Sequence, err)
	}
	b.single = max(b.single-n, 0)
	if n == 1 && b.result.Failed != nil {
		return 0, b.result.Failed, nil
	}
	gas := b.gas // of one event, whose session may be over
	if n > 1 {
		gas = b.session.GasUsed()
	}
	r.counts.Gas += gas
	for i := range events[:n] {
		r.counts.Events++
		if b.outcomeOf(&events[i], n).Ignored {
			r.counts.Ignored++
		}
	}
	return n, nil, r.keep(events[n-1].Sequence)
}

// keep makes what was written part of the state, as of the event with this sequence.
func (r *Run) keep(sequence int64) error {
	b := &r.batches
	b.layer.written.Scan(func(key string, value []byte) bool {
		if old := b.layer.inBase(key); old != nil {
			r.bytes -= int64(cost(key, old))
		}
		if value != nil {
			r.bytes += int64(cost(key, value))
		}
		return true
	})
	b.keep()
	b.touched = b.touched[:0]
	if r.bytes > r.limit {
		return &StateTooLargeError{Limit: r.limit, Sequence: sequence}
	}
	return nil
}

// FoldAlone folds an event in a session of its own, and returns what it changes of the state, in byte order of keys. It is Fold otherwise.
func (r *Run) FoldAlone(ctx context.Context, e *event.Recorded) (changes []Change, failed *wasm.ViewError, err error) {
	one, err := r.read([]event.Recorded{*e})
	if err != nil {
		return nil, nil, err
	}
	b := &r.batches
	b.end()
	if _, err := b.fold(ctx, &one[0]); err != nil || b.result.Failed != nil {
		return nil, b.result.Failed, err
	}
	b.layer.written.Scan(func(key string, after []byte) bool {
		if before := b.layer.inBase(key); !bytes.Equal(before, after) {
			changes = append(changes, Change{key, before, after})
		}
		return true
	})
	return changes, nil, r.keep(e.Sequence)
}

// Ask asks the view of the state as it is. failed says why there is no answer; the error is not the view's fault.
func (r *Run) Ask(ctx context.Context, query string) (answer []byte, kind string, failed *wasm.ViewError, err error) {
	found, err := ask(ctx, &r.batches.view, &r.batches.state, query)
	return found.text, found.kind, found.Failed, err
}

// Size returns how many keys the state has, and the bytes of all keys and values.
func (r *Run) Size() (keys int, bytes int64) {
	keys = r.batches.state.Len()
	return keys, r.bytes - int64(keys)*entryOverhead
}

// State iterates over the state in byte order of keys. It is valid until the next event is folded.
func (r *Run) State() btree.MapIter[string, []byte] { return r.batches.state.Iter() }
