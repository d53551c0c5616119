package view

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/wasm"
)

// Folding folds events of one log into its live views, request by request. What a request did can be undone until it is kept. It is for
// one goroutine, and must be closed.
type Folding struct {
	views    *Views
	snapshot *Snapshot
	bounds   bounds
	runs     []run
	values   []jsonscan.Value // of the events of the chunk at hand, what all views read of each
	batch    []wasm.Event     // the chunk as one view sees it, for one view after the other
	fields   []jsonscan.Value // of batch
	guess    bool
	pace     Pace         // may be nil
	room     *memory.Hold // of what the views set and read; nil: nobody's
	written  int          // bytes of keys and values that the views have set since the last Keep
	kept     int          // likewise, before it
	spent    spending     // of the request at hand
	guarding bool         // the views with guards have folded the request at hand already
}

// run is one view of a folding.
type run struct {
	version *Version
	reader  stateReader
	writes  writes
	session *wasm.Session
	event   wasm.Event // the one being folded, as the view sees it
	ahead   int        // events of the chunk at hand that it has folded in batches
	used    bool       // its session has folded since the last Keep, or failed
	halt    *Halt
	halted  bool // by the request that is not kept yet
}

// folding returns an empty Folding, from the pool if there is one.
func (v *Views) folding(s *Snapshot) *Folding {
	f, ok := v.foldings.Get().(*Folding)
	if !ok {
		f = &Folding{}
	}
	f.views, f.snapshot, f.bounds = v, s, serveBounds
	f.runs = slices.Grow(f.runs[:0], len(s.views))[:len(s.views)]
	return f
}

// Close ends the sessions and returns the folding to the pool, cleared.
func (f *Folding) Close() {
	for i := range f.runs {
		r := &f.runs[i]
		if r.session != nil {
			r.session.Close()
		}
		clear(r.writes.dirty)
		clear(r.writes.undo[:cap(r.writes.undo)])
		clear(r.writes.pending[:cap(r.writes.pending)])
		clear(r.writes.missed)
		clear(r.event.Fields)
		*r = run{
			writes: writes{dirty: r.writes.dirty, undo: r.writes.undo[:0], pending: r.writes.pending[:0], missed: r.writes.missed[:0]},
			event:  wasm.Event{Fields: r.event.Fields[:0]},
		}
	}
	clear(f.values)
	clear(f.batch)
	clear(f.fields)
	f.values, f.batch, f.fields = f.values[:0], f.batch[:0], f.fields[:0]
	views := f.views
	f.views, f.snapshot, f.guess, f.pace, f.room, f.written, f.kept = nil, nil, false, nil, nil, 0, 0
	f.spent, f.guarding = spending{}, false
	views.foldings.Put(f)
}

// start begins a session for each view. State that is not in memory is read from tx, or from the read pool when tx is nil.
func (f *Folding) start(ctx context.Context, tx dbsqlc.DBTX) error {
	for i, live := range f.snapshot.views {
		from := stateReader{db: f.views.db, tx: tx, room: f.room, log: f.snapshot.Log, version: live.version.ID, recent: f.snapshot.recent}
		f.runs[i].writes.pace, f.runs[i].writes.room = f.pace, f.room
		if err := f.runs[i].start(ctx, live, from); err != nil {
			return err
		}
		f.runs[i].writes.guess = f.guess
	}
	return nil
}

func (r *run) start(ctx context.Context, live liveView, from stateReader) error {
	r.version, r.reader = live.version, from
	r.writes.ctx, r.writes.state, r.writes.from = ctx, live.state.copy(), &r.reader
	if !live.state.whole { // all of it may have been forgotten
		r.writes.state.putRecent(from.recent, from.version)
	}
	n := len(live.version.fields.Names)
	r.event.Fields = slices.Grow(r.event.Fields[:0], n)[:n]
	return r.open()
}

// open begins a session, whose guest remembers nothing.
func (r *run) open() (err error) {
	if r.version.refused == "" {
		r.session, err = r.version.start(r.writes.ctx, &r.writes)
	}
	return err
}

// Budget bounds the folding of one request. A zero value bounds nothing.
type Budget struct {
	Time  time.Duration // since Fold was called, but for what the folding's pace waits
	Gas   int64         // of all views and events together
	Bytes int           // of keys and values that the views set
	Keys  int           // of the views' state that the folding has changed
}

// setFactor is what a key and a value that a view sets take until they are stored, as a multiple of their bytes: they are in memory, and
// once more in what is sent to the database.
const setFactor = 2

// What a budget can run out of.
const (
	BudgetOfTime  = "time"
	BudgetOfGas   = "gas"
	BudgetOfBytes = "bytes of state"
	BudgetOfKeys  = "keys of state"
)

// BudgetError: a request takes more than its budget. Undo undoes what was folded of it.
type BudgetError struct {
	Folded int    // events that were within the budget
	What   string // that ran out
}

func (e *BudgetError) Error() string {
	return fmt.Sprintf("the budget of %s ran out after %d events", e.What, e.Folded)
}

// Fold folds the events of one request, the next ones of the log. A view that fails over one halts, and the others go on. The error is a
// *BudgetError, memory.ErrFull, or means that nothing is known of the batch, as when the database could not be read. A request of one event
// has no budget: its views' gas bounds it.
func (f *Folding) Fold(events []event.Recorded, budget Budget) error {
	if len(f.runs) == 0 {
		return nil
	}
	spent := f.spending(&budget)
	spent.events = 0
	gas := spent.gas
	var err error
	for chunk := range slices.Chunk(events, wasm.MaxBatchEvents) {
		if err = f.chunk(chunk, spent); err != nil {
			break
		}
	}
	f.countGas(spent.gas - gas)
	return err
}

// spending returns how far the request at hand is with its budget.
func (f *Folding) spending(budget *Budget) *spending {
	if f.spent.budget == nil {
		f.spent = spending{budget: budget, began: time.Now(), waited: f.waited()}
	}
	return &f.spent
}

// pause yields to others.
func (f *Folding) pause() error {
	if f.pace == nil {
		return nil
	}
	if err := f.pace.Pause(); err != nil {
		return fmt.Errorf("waiting for a turn to fold: %w", err)
	}
	return nil
}

// waited is how long the folding has waited for others.
func (f *Folding) waited() time.Duration {
	if f.pace == nil {
		return 0
	}
	return f.pace.Waited()
}

// spending is how far a request is with its budget.
type spending struct {
	budget *Budget
	began  time.Time
	waited time.Duration // by the folding, before
	events int           // that every view has folded
	gas    int64
}

// checkBudget is called before more is folded than a first event, or a first batch.
func (f *Folding) checkBudget(s *spending) error {
	b, what := s.budget, ""
	switch {
	case b.Gas > 0 && s.gas > b.Gas:
		what = BudgetOfGas
	case b.Bytes > 0 && f.written > b.Bytes:
		what = BudgetOfBytes
	case b.Keys > 0 && f.ChangedKeys() > b.Keys:
		what = BudgetOfKeys
	case b.Time > 0 && time.Since(s.began)-(f.waited()-s.waited) > b.Time:
		what = BudgetOfTime
	}
	if what != "" {
		return &BudgetError{Folded: max(s.events, 1), What: what}
	}
	return f.pause()
}

// Keep makes what the request did part of the folding.
func (f *Folding) Keep() {
	for i := range f.runs {
		f.runs[i].writes.keep()
		f.runs[i].halted, f.runs[i].used = false, false
	}
	f.kept, f.written = f.kept+f.written, 0
	f.spent, f.guarding = spending{}, false
}

// Undo undoes what was folded since the last Keep. The guests that folded any of it forget what they saw. The caller releases what was
// booked for it.
func (f *Folding) Undo() error {
	for i := range f.runs {
		r := &f.runs[i]
		r.writes.mark, r.writes.passing = 0, 0
		r.writes.revert()
		if r.halted {
			r.halt, r.halted = nil, false
		}
		if r.session == nil || !r.used {
			continue
		}
		r.used = false
		r.session.Close()
		if err := r.open(); err != nil {
			return err
		}
	}
	f.written, f.spent, f.guarding = 0, spending{}, false
	return nil
}

// Written is how many bytes of keys and values the views have set so far.
func (f *Folding) Written() int { return f.kept + f.written }

// ChangedKeys is how many keys of the views' state the folding has changed so far.
func (f *Folding) ChangedKeys() (keys int) {
	for i := range f.runs {
		keys += len(f.runs[i].writes.dirty)
	}
	return keys
}

func (r *run) fold(e *event.Recorded) error {
	if r.version.refused != "" {
		r.stop(e, r.version.refused)
		return nil
	}
	r.used = true
	r.event.Sequence, r.event.Time, r.event.RecordedAt, r.event.Data = e.Sequence, e.Time, e.RecordedAt, e.Data
	_, err := r.session.Fold(&r.event)
	if r.session.Again() {
		err = r.foldAgain()
	}
	if err == nil {
		r.writes.mark = len(r.writes.undo)
		return nil
	}
	var failed *wasm.ViewError
	if !errors.As(err, &failed) {
		return fmt.Errorf("folding event %d into view %s: %w", e.Sequence, r.version.Name, err)
	}
	r.writes.revert()
	r.stop(e, failed.Error())
	return nil
}

func (r *run) stop(e *event.Recorded, reason string) {
	r.halt, r.halted = &Halt{Version: r.version.ID, View: r.version.Name, Sequence: e.Sequence, Reason: reason}, true
}

// foldAgain folds the event as the first of a new session, which the events after it share.
func (r *run) foldAgain() error {
	r.writes.revert()
	r.session.Close()
	if err := r.open(); err != nil {
		return err
	}
	_, err := r.session.Fold(&r.event)
	return err
}

// result returns what the events up to next.Head did.
func (f *Folding) result(next *Snapshot) Fold {
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
		next.unguarded = f.unguarded()
		next.Head.ViewsEpoch++
		next.uniteFields(&f.views.fields)
	}
	return fold
}
