package view

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/wasm"
)

// folding is one batch of one log on its way through the log's views. Its room is used again for the next.
type folding struct {
	snapshot *Snapshot
	bounds   bounds
	runs     []run
	values   []jsonscan.Value
}

// run is one view of a folding.
type run struct {
	version *Version
	reader  stateReader
	writes  writes
	session *wasm.Session
	event   wasm.Event // the one being folded, in the session's terms
	halt    *Halt
}

func (v *Views) folding(s *Snapshot) *folding {
	f, ok := v.foldings.Get().(*folding)
	if !ok {
		f = &folding{}
	}
	f.snapshot, f.bounds = s, serveBounds
	f.runs = slices.Grow(f.runs[:0], len(s.views))[:len(s.views)]
	f.values = slices.Grow(f.values[:0], len(s.fields.names))[:len(s.fields.names)]
	return f
}

// doneFolding ends the sessions and keeps the room, but nothing of what was in it.
func (v *Views) doneFolding(f *folding) {
	for i := range f.runs {
		r := &f.runs[i]
		if r.session != nil {
			r.session.Close()
		}
		clear(r.writes.dirty)
		clear(r.writes.undo[:cap(r.writes.undo)])
		clear(r.writes.pending[:cap(r.writes.pending)])
		clear(r.event.Fields)
		clear(r.writes.missed)
		*r = run{
			writes: writes{dirty: r.writes.dirty, undo: r.writes.undo[:0], pending: r.writes.pending[:0], missed: r.writes.missed[:0]},
			event:  wasm.Event{Fields: r.event.Fields[:0]},
		}
	}
	clear(f.values)
	f.snapshot = nil
	v.foldings.Put(f)
}

// missed tells whether a view has asked for a key that is not in memory and was given a guess.
func (f *folding) missed() bool {
	return slices.ContainsFunc(f.runs, func(r run) bool { return len(r.writes.missed) > 0 })
}

// start begins a session for each view. State that is not in memory is read from tx, or from the read pool when tx is nil.
func (f *folding) start(ctx context.Context, d *db.DB, tx dbsqlc.DBTX) error {
	for i, live := range f.snapshot.views {
		if err := f.runs[i].start(ctx, live, stateReader{db: d, tx: tx, log: f.snapshot.Log, version: live.version.ID}); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) start(ctx context.Context, live liveView, from stateReader) error {
	r.version, r.reader = live.version, from
	r.writes.ctx, r.writes.state, r.writes.from = ctx, live.state.copy(), &r.reader
	n := len(live.version.fields.names)
	r.event.Fields = slices.Grow(r.event.Fields[:0], n)[:n]
	if live.version.refused != "" {
		return nil
	}
	var err error
	r.session, err = live.version.start(ctx, &r.writes)
	return err
}

func (f *folding) event(e *eventlog.Recorded) error {
	if len(f.values) > 0 {
		if err := f.snapshot.fields.pointers.Scan(e.Data, f.values); err != nil {
			return fmt.Errorf("reading event %d: %w", e.Sequence, err)
		}
	}
	for i := range f.runs {
		r := &f.runs[i]
		if r.halt != nil {
			continue
		}
		for field, place := range f.snapshot.places[i] {
			r.event.Fields[field] = f.values[place]
		}
		if err := r.fold(e); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) fold(e *eventlog.Recorded) error {
	if r.version.refused != "" {
		r.halt = &Halt{Version: r.version.ID, View: r.version.Name, Sequence: e.Sequence, Reason: r.version.refused}
		return nil
	}
	r.event.Sequence, r.event.Time, r.event.RecordedAt, r.event.Data = e.Sequence, e.Time, e.RecordedAt, e.Data
	_, err := r.session.Fold(&r.event)
	if r.session.Again() {
		err = r.foldAgain()
	}
	if err == nil {
		r.writes.keep()
		return nil
	}
	var failed *wasm.ViewError
	if !errors.As(err, &failed) {
		return fmt.Errorf("folding event %d into view %s: %w", e.Sequence, r.version.Name, err)
	}
	r.writes.revert()
	r.halt = &Halt{Version: r.version.ID, View: r.version.Name, Sequence: e.Sequence, Reason: failed.Error()}
	return nil
}

// foldAgain folds the event in a session of its own, which the events after it share.
func (r *run) foldAgain() (err error) {
	r.writes.revert()
	r.session.Close()
	if r.session, err = r.version.start(r.writes.ctx, &r.writes); err != nil {
		return err
	}
	_, err = r.session.Fold(&r.event)
	return err
}

func (f *folding) result(next *Snapshot, v *Views) Fold {
	fold := Fold{Next: next}
	live := make([]liveView, 0, len(f.runs))
	for i := range f.runs {
		r := &f.runs[i]
		fold.Changes = r.writes.changes(fold.Changes, r.version.ID)
		if r.halt != nil {
			fold.Halts = append(fold.Halts, *r.halt)
			continue
		}
		live = append(live, liveView{version: r.version, state: r.writes.state.trim(f.bounds)})
	}
	next.views = live
	if len(fold.Halts) > 0 {
		next.Head.ViewsEpoch++
		next.fields, next.places = v.fields.union(live)
	}
	return fold
}
