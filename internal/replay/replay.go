// Package replay folds events in memory, without a database: in every way in which a server might, which must agree. Rehearsals and audits
// of views are made of it, and the tests that authors run.
package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/tidwall/btree"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/wasm"
)

// Replay folds the same events in several ways at once, event by event, and compares them after each. All ways share one
// state, that of folding one event at a time, and each holds only what it wrote for the event at hand.
type Replay struct {
	view    View
	ways    []*way
	batches batches
	limit   int64 // for bytes; 0 for none

	base  btree.Map[string, []byte]
	bytes int64 // about what base costs in memory
	gas   int64 // used by all ways
	// mostGas is what an event may take in the first way to be folded in the others; 0 for any.
	mostGas int64
	event   wasm.Event
}

// errTooDear: an event takes more than Replay.mostGas.
var errTooDear = errors.New("folding the event takes too much gas to do so in every way")

// New begins with an empty state. It is bounded by limit, in bytes of memory; 0 is no bound. The Replay must be closed.
func New(view View, limit int64) *Replay {
	r := &Replay{view: view, limit: limit}
	uneven := view
	name := "uneven batches"
	if view.Restarted != nil {
		uneven.Module, name = view.Restarted, name+" after a restart"
	}
	r.ways = []*way{
		{name: "one event at a time", view: view, sizes: []int{1}},
		{name: fmt.Sprintf("batches of %d events", longSession), view: view, sizes: []int{longSession}},
		{name: name, view: uneven, sizes: unevenBatches},
	}
	for _, w := range r.ways {
		w.layer.base = &r.base
	}
	r.batches.init(uneven)
	return r
}

// askGuard has the guard of the view, if it has one, asked before each event where many share a session.
func (r *Replay) askGuard() {
	if r.view.Module.HasGuard() {
		w := r.ways[1]
		w.guarded, w.name = true, w.name+" before each of which its guard is asked"
	}
}

// Ways are the names of the ways.
func (r *Replay) Ways() (names []string) {
	for _, w := range r.ways {
		names = append(names, w.name)
	}
	return append(names, wayBatches)
}

// Close releases what the ways hold.
func (r *Replay) Close() {
	for _, w := range r.ways {
		w.end()
	}
	r.batches.end()
}

// Fold folds one event in every way. The outcome and the state are those of folding one event at a time, from which the other ways must not
// differ. A view that fails over the event has written nothing for it. The error is a *StateTooLargeError, or not the view's fault.
func (r *Replay) Fold(ctx context.Context, e *event.Recorded) (Outcome, *Difference, error) {
	if err := r.view.Read(&r.event, e); err != nil {
		return Outcome{}, nil, err
	}
	for i, w := range r.ways {
		gas, err := w.fold(ctx, &r.event)
		if err != nil {
			return Outcome{}, nil, fmt.Errorf("folding event %d with %s: %w", e.Sequence, w.name, err)
		}
		r.gas += gas
		if i == 0 && r.mostGas > 0 && gas > r.mostGas {
			return Outcome{}, nil, errTooDear
		}
	}
	first, difference := r.ways[0], r.compare()
	if first.result.Failed == nil {
		r.batches.add(&r.event, first)
	}
	if r.merge(); r.limit > 0 && r.bytes > r.limit {
		return Outcome{}, nil, &StateTooLargeError{Limit: r.limit, Sequence: e.Sequence}
	}
	if first.result.Failed == nil && !r.batches.full() {
		return first.result, difference, nil
	}
	batched, err := r.Finish(ctx)
	return first.result, cmp.Or(difference, batched), err
}

// compare returns how the event at hand differs in the first way that differs.
func (r *Replay) compare() *Difference {
	first := r.ways[0]
	for _, w := range r.ways[1:] {
		if difference := first.compare(w); difference != nil {
			difference.Sequence = r.event.Sequence
			return difference
		}
	}
	return nil
}

// Finish has the way of batches catch up with the others: at the end, and where an event fails.
func (r *Replay) Finish(ctx context.Context) (*Difference, error) { return r.batches.catchUp(ctx) }

// State iterates over the state in byte order of keys. It is valid until the next Fold.
func (r *Replay) State() btree.MapIter[string, []byte] { return r.base.Iter() }

// Gas is what the last event took where it shares a session with many others.
func (r *Replay) Gas() int64 { return r.ways[1].gas }

// Batched is how many events were folded together with others in one call.
func (r *Replay) Batched() int { return r.batches.folded }

// entryOverhead is about what a key and its value cost in memory besides their bytes.
const entryOverhead = 64

func cost(key string, value []byte) int { return len(key) + len(value) + entryOverhead }

// merge makes what the first way wrote for the event part of the shared state.
func (r *Replay) merge() {
	r.ways[0].layer.written.Scan(func(key string, value []byte) bool {
		var old []byte
		var had bool
		if value == nil {
			old, had = r.base.Delete(key)
		} else {
			old, had = r.base.Set(key, value)
			r.bytes += int64(cost(key, value))
		}
		if had {
			r.bytes -= int64(cost(key, old))
		}
		return true
	})
	for _, w := range r.ways {
		if w.layer.written.Len() > 0 {
			w.layer.written.Clear()
		}
	}
}
