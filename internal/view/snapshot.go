package view

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/wasm"
)

// Version is one version of a view on one log, ready to run.
type Version struct {
	ID     db.UUID
	Name   string // the view's
	module *wasm.Module
	config []byte
	fields *fieldSet
}

// fieldSet is the JSON pointers that one or more versions want. Equal sets are shared.
type fieldSet struct {
	names    []string
	pointers *jsonscan.Pointers
}

// Snapshot is all that an append to a log needs to know: its head and its live views with their state at that head.
// It never changes; a fold makes the next one. The database's head row decides whether a snapshot is still true.
type Snapshot struct {
	Log   db.UUID
	Head  eventlog.Head
	views []liveView
	// fields are what all views together want of an event, so that it is parsed once; places says where each view's
	// own fields are among them.
	fields *fieldSet
	places [][]int
}

type liveView struct {
	version *Version
	state   *state
}

// bytes is about what the snapshot costs in memory.
func (s *Snapshot) bytes() int {
	const snapshotOverhead, viewOverhead = 512, 384
	n := snapshotOverhead
	for i := range s.views {
		n += viewOverhead + s.views[i].state.bytes
	}
	return n
}

func (s *Snapshot) find(version db.UUID) (liveView, bool) {
	for _, v := range s.views {
		if v.version.ID == version {
			return v, true
		}
	}
	return liveView{}, false
}

// Change is one key of a view's state after a fold.
type Change struct {
	Version db.UUID
	Key     string
	Value   []byte // nil: the key is removed
	Existed bool   // the key is known to be in the database
}

// Halt says where and why a view stopped.
type Halt struct {
	Version  db.UUID
	View     string
	Sequence int64 // the event that could not be folded
	Reason   string
}

// Fold is what a batch of events does to a log.
type Fold struct {
	Next    *Snapshot // the log after the batch; believed only once the batch has been committed
	Changes []Change
	Halts   []Halt
}

// Fold folds events, the ones that follow the snapshot's head in order, over every live view. A view that fails
// halts by itself and is not part of the next snapshot. head is the head that the events make. An error means that
// nothing can be said of the batch, such as when the database could not be read. State that is not in memory is read
// from tx, or from the read pool when tx is nil.
func (v *Views) Fold(ctx context.Context, tx dbsqlc.DBTX, s *Snapshot, events []eventlog.Recorded, head eventlog.Head) (Fold, error) {
	next := &Snapshot{Log: s.Log, Head: head, views: s.views, fields: s.fields, places: s.places}
	if len(s.views) == 0 || len(events) == 0 {
		return Fold{Next: next}, nil
	}
	f := folding{snapshot: s, runs: make([]run, len(s.views)), values: make([]jsonscan.Value, len(s.fields.names))}
	defer f.close()
	for i, live := range s.views {
		reader := &stateReader{db: v.db, tx: tx, log: s.Log, version: live.version.ID}
		if err := f.runs[i].start(ctx, live, reader); err != nil {
			return Fold{}, err
		}
	}
	for i := range events {
		if err := f.event(&events[i]); err != nil {
			return Fold{}, err
		}
	}
	return f.result(next, v), nil
}

// folding is one batch of one log on its way through the log's views.
type folding struct {
	snapshot *Snapshot
	runs     []run
	values   []jsonscan.Value
}

// run is one view of a folding.
type run struct {
	version *Version
	writes  *writes
	session *wasm.Session
	event   wasm.Event // the one being folded, in the session's terms
	halt    *Halt
}

func (r *run) start(ctx context.Context, live liveView, from reader) error {
	r.version = live.version
	r.writes = newWrites(ctx, live.state.copy(), from)
	r.event.Fields = make([]jsonscan.Value, len(live.version.fields.names))
	session, err := live.version.module.Start(ctx, live.version.config, r.writes)
	if err != nil {
		return fmt.Errorf("starting view %s: %w", live.version.Name, err)
	}
	r.session = session
	return nil
}

func (f *folding) close() {
	for i := range f.runs {
		if f.runs[i].session != nil {
			f.runs[i].session.Close()
		}
	}
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
	var failed *wasm.ViewError
	switch {
	case errors.As(err, &failed):
		r.writes.revert()
		r.halt = &Halt{Version: r.version.ID, View: r.version.Name, Sequence: e.Sequence, Reason: failed.Error()}
	case err != nil:
		return fmt.Errorf("folding event %d into view %s: %w", e.Sequence, r.version.Name, err)
	default:
		r.writes.keep()
	}
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

// changes appends what was written, in key order.
func (w *writes) changes(to []Change, version db.UUID) []Change {
	start := len(to)
	for key, dirty := range w.dirty {
		value, _ := w.state.known.Get(key)
		if value == nil && dirty.origin == originAbsent {
			continue
		}
		to = append(to, Change{Version: version, Key: key, Value: value, Existed: dirty.origin == originPresent})
	}
	slices.SortFunc(to[start:], func(a, b Change) int { return strings.Compare(a.Key, b.Key) })
	return to
}
