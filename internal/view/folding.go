package view

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/wasm"
)

// folding is one batch of one log on its way through the log's views. Its room is used again for the next.
type folding struct {
	snapshot *Snapshot
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
	f.snapshot = s
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
		clear(r.event.Fields)
		*r = run{writes: writes{dirty: r.writes.dirty, undo: r.writes.undo[:0]}, event: wasm.Event{Fields: r.event.Fields[:0]}}
	}
	clear(f.values)
	f.snapshot = nil
	v.foldings.Put(f)
}

func (r *run) start(ctx context.Context, live liveView, from stateReader) error {
	r.version, r.reader = live.version, from
	r.writes.ctx, r.writes.state, r.writes.from = ctx, live.state.copy(), &r.reader
	n := len(live.version.fields.names)
	r.event.Fields = slices.Grow(r.event.Fields[:0], n)[:n]
	session, err := live.version.module.Start(ctx, live.version.config, &r.writes)
	if err != nil {
		return fmt.Errorf("starting view %s: %w", live.version.Name, err)
	}
	r.session = session
	return nil
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
	r.event.Sequence, r.event.Time, r.event.RecordedAt, r.event.Data = e.Sequence, e.Time, e.RecordedAt, e.Data
	_, err := r.session.Fold(&r.event)
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
		live = append(live, liveView{version: r.version, state: r.writes.state.trim()})
	}
	next.views = live
	if len(fold.Halts) > 0 {
		next.Head.ViewsEpoch++
		next.fields, next.places = v.fields.union(live)
	}
	return fold
}
