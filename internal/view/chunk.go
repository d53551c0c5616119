package view

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/wasm"
)

// unbatchedEvents is how many events a version folds one by one after small batches of its events failed too, before it tries batches
// again: a batch that fails takes no more than half the gas of one event, which is little beside so many.
const unbatchedEvents = 10_000

// chunk folds up to wasm.MaxBatchEvents events into every view that has not halted: in batches as far as a view takes them, and one by one
// from there on.
func (f *Folding) chunk(events []event.Recorded, spent *spending) error {
	if spent.events > 0 {
		if err := f.checkBudget(spent); err != nil {
			return err
		}
	}
	before := spent.events
	for i := range f.runs {
		f.runs[i].ahead = 0
		if f.guarding && f.runs[i].version.guard {
			f.runs[i].ahead = len(events)
		}
	}
	if f.ahead(len(events)) == len(events) { // that is all views, or all that have not halted
		spent.events = before + len(events)
		return nil
	}
	if err := f.read(events); err != nil {
		return err
	}
	for i := range f.runs {
		if err := f.foldAhead(i, events, before, spent); err != nil {
			return err
		}
	}
	for i := f.ahead(len(events)); i < len(events); i++ {
		if spent.events = before + i; spent.events > 0 {
			if err := f.checkBudget(spent); err != nil {
				return err
			}
		}
		if err := f.event(i, &events[i], spent); err != nil {
			return err
		}
	}
	spent.events = before + len(events)
	return nil
}

// ahead is how many of n events every view has folded that has not halted.
func (f *Folding) ahead(n int) int {
	for i := range f.runs {
		if f.runs[i].halt == nil {
			n = min(n, f.runs[i].ahead)
		}
	}
	return n
}

// read reads the fields of the events that the views read.
func (f *Folding) read(events []event.Recorded) error {
	set := f.snapshot.fields
	n := len(set.Names)
	f.values = resized(f.values, n*len(events))
	if n == 0 {
		return nil
	}
	for i := range events {
		if err := set.Pointers.Scan(events[i].Data, f.values[i*n:][:n]); err != nil {
			return fmt.Errorf("reading event %d: %w", events[i].Sequence, err)
		}
	}
	return nil
}

// resized returns the slice with room for n elements at the least, of which those beyond its length are zero.
func resized[T any](s []T, n int) []T {
	if n <= len(s) {
		return s
	}
	return slices.Grow(s, n-len(s))[:n]
}

// foldAhead folds as many of the events as a view takes in batches. There were so many before them.
func (f *Folding) foldAhead(view int, events []event.Recorded, before int, spent *spending) error {
	r := &f.runs[view]
	if len(events) < 2 || r.ahead > 0 || r.halt != nil || r.session == nil || !r.session.Batches() || r.version.unbatched(len(events)) {
		return nil
	}
	batch := f.eventsFor(view, events)
	for r.ahead < len(batch) {
		if r.ahead > 0 {
			spent.events = before + f.ahead(len(events))
			if err := f.checkBudget(spent); err != nil {
				return err
			}
		}
		folded, err := r.foldBatch(batch[r.ahead:])
		if err != nil {
			return fmt.Errorf("folding events from %d on into view %s: %w", batch[r.ahead].Sequence, r.version.Name, err)
		}
		if folded == 0 {
			return nil
		}
		r.ahead += folded
		spent.gas += r.session.GasUsed()
		if err := f.count(r); err != nil {
			return err
		}
	}
	return nil
}

// eventsFor returns the chunk as a view sees it.
func (f *Folding) eventsFor(view int, events []event.Recorded) []wasm.Event {
	own, all := f.snapshot.ownFields[view], len(f.snapshot.fields.Names)
	f.batch = resized(f.batch, len(events))
	f.fields = resized(f.fields, len(own)*len(events))
	for i := range events {
		e := &events[i]
		fields := f.fields[i*len(own):][:len(own)]
		for field, index := range own {
			fields[field] = f.values[i*all+index]
		}
		f.batch[i] = wasm.Event{Sequence: e.Sequence, Time: e.Time, RecordedAt: e.RecordedAt, Data: e.Data, Fields: fields}
	}
	return f.batch[:len(events)]
}

// foldBatch folds the first of the events in one batch, and returns how many: none where they are to be folded one by one.
func (r *run) foldBatch(events []wasm.Event) (folded int, err error) {
	if most := int(r.version.mostBatched.Load()); most > 0 {
		events = events[:min(len(events), most)]
	}
	r.used = true
	folded, err = r.session.FoldBatch(events)
	if err == nil {
		r.writes.mark = len(r.writes.undo)
		return folded, nil
	}
	if _, failed := errors.AsType[*wasm.ViewError](err); !failed {
		return 0, err
	}
	if len(r.writes.missed) == 0 { // else it may be the guesses that made it fail
		r.version.batchFailed(len(events))
	}
	r.writes.revert()
	r.writes.written = 0
	r.session.Close()
	return 0, r.open()
}

// batchFailed makes the version's batches smaller, or stops them for a while.
func (v *Version) batchFailed(events int) {
	const smaller, least = 4, 8
	if events < least {
		v.mostBatched.Store(0)
		v.single.Store(unbatchedEvents)
		return
	}
	v.mostBatched.Store(int64(events / smaller))
}

// unbatched reports whether the version folds so many events one by one, and counts them.
func (v *Version) unbatched(events int) bool {
	if v.single.Load() <= 0 {
		return false
	}
	v.single.Add(-int64(events))
	return true
}

// event folds one event of the chunk into every view that has not folded it.
func (f *Folding) event(i int, e *event.Recorded, spent *spending) error {
	all := len(f.snapshot.fields.Names)
	for view := range f.runs {
		r := &f.runs[view]
		if r.halt != nil || i < r.ahead {
			continue
		}
		for field, index := range f.snapshot.ownFields[view] {
			r.event.Fields[field] = f.values[i*all+index]
		}
		if err := r.fold(e); err != nil {
			return err
		}
		if r.session != nil {
			spent.gas += r.session.GasUsed()
		}
		if err := f.count(r); err != nil {
			return err
		}
	}
	return nil
}

// count counts what a view has set, and books its memory. What it has read is booked already.
func (f *Folding) count(r *run) error {
	if r.writes.written > 0 {
		if err := f.room.Use(int64(setFactor * r.writes.written)); err != nil {
			return err
		}
	}
	f.written += r.writes.written
	r.writes.written = 0
	return nil
}
