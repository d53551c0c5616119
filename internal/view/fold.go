package view

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
)

const (
	// guessRounds bounds how often a batch is folded just to find out which keys it needs. One round finds all keys that do not depend on the
	// values of others; a view that goes on from value to value reads the rest one by one.
	guessRounds = 3
	// findKeys is how many keys one statement reads: enough that a batch of 10,000 events takes a few, and no more than some MB of answers.
	findKeys = 16_384
)

// Batch is events for one log: the ones that follow the snapshot's head, in order. Head is the head that they make.
type Batch struct {
	Snapshot *Snapshot
	Events   []eventlog.Recorded
	Head     eventlog.Head
}

// Fold folds each batch over every live view of its log. A view that fails halts by itself and is not part of the next snapshot. An
// error means that nothing can be said of any batch, such as when the database could not be read.
//
// State that is not in memory is read from tx, or from the read pool when tx is nil: that of all batches in a few statements. A batch that
// needs some is folded on what is in memory first, only to learn which keys it asks for, and then again from where it began.
func (v *Views) Fold(ctx context.Context, tx dbsqlc.DBTX, batches []Batch) ([]Fold, error) {
	folds := make([]Fold, len(batches))
	left := make([]int, len(batches)) // those that are not folded yet
	for i := range left {
		left[i] = i
	}
	for round := 0; len(left) > 0; round++ {
		var found missing
		again := left[:0]
		for _, i := range left {
			done, err := v.foldBatch(ctx, tx, &batches[i], round < guessRounds, &folds[i], &found)
			if err != nil {
				return nil, err
			}
			if !done {
				again = append(again, i)
			}
		}
		left = again
		if len(left) == 0 {
			break
		}
		values, err := v.readMissing(ctx, tx, &found)
		if err != nil {
			return nil, err
		}
		for _, i := range left {
			batches[i].Snapshot = batches[i].Snapshot.with(values)
		}
	}
	return folds, nil
}

// foldBatch folds one batch into fold. With guess it may turn out to need keys that are not in memory: then it adds them to found, and the
// batch is not done.
func (v *Views) foldBatch(ctx context.Context, tx dbsqlc.DBTX, b *Batch, guess bool, fold *Fold, found *missing) (done bool, err error) {
	s := b.Snapshot
	next := &Snapshot{Log: s.Log, Head: b.Head, views: s.views, fields: s.fields, places: s.places}
	if len(s.views) == 0 || len(b.Events) == 0 {
		*fold = Fold{Next: next}
		return true, nil
	}
	f := v.folding(s)
	defer v.doneFolding(f)
	if err := f.start(ctx, v.db, tx); err != nil {
		return false, err
	}
	for i := range f.runs {
		f.runs[i].writes.guess = guess
	}
	for i := range b.Events {
		if err := f.event(&b.Events[i]); err != nil {
			return false, err
		}
	}
	if f.missed() {
		found.add(f)
		return false, nil
	}
	*fold = f.result(next, v)
	return true, nil
}

// missing is keys that folds need and that are not in memory.
type missing struct{ keys dbsqlc.FindViewStateParams }

func (m *missing) add(f *folding) {
	for i := range f.runs {
		for _, key := range f.runs[i].writes.missed {
			m.keys.LogIds = append(m.keys.LogIds, f.snapshot.Log)
			m.keys.VersionIds = append(m.keys.VersionIds, f.runs[i].version.ID)
			m.keys.Keys = append(m.keys.Keys, key)
		}
	}
}

// stateOf is a version's state on a log.
type stateOf struct{ log, version db.UUID }

// readMissing reads the keys. One that does not exist has a nil value.
func (v *Views) readMissing(ctx context.Context, tx dbsqlc.DBTX, m *missing) (map[stateOf]map[string][]byte, error) {
	if tx == nil {
		tx = v.db.Read
	}
	values := map[stateOf]map[string][]byte{}
	all := &m.keys
	for i, key := range all.Keys {
		of := stateOf{all.LogIds[i], all.VersionIds[i]}
		if values[of] == nil {
			values[of] = map[string][]byte{}
		}
		values[of][key] = nil
	}
	for from := 0; from < len(all.Keys); from += findKeys {
		to := min(from+findKeys, len(all.Keys))
		rows, err := v.db.FindViewState(ctx, tx, dbsqlc.FindViewStateParams{
			LogIds: all.LogIds[from:to], VersionIds: all.VersionIds[from:to], Keys: all.Keys[from:to],
		})
		if err != nil {
			return nil, fmt.Errorf("reading view state: %w", db.Classify(err))
		}
		for _, row := range rows {
			values[stateOf{row.LogID, row.VersionID}][row.Key] = row.Value
		}
	}
	return values, nil
}

// with returns the snapshot with more of its state in memory.
func (s *Snapshot) with(values map[stateOf]map[string][]byte) *Snapshot {
	more := *s
	more.views = make([]liveView, len(s.views))
	for i, live := range s.views {
		more.views[i] = live
		known := values[stateOf{s.Log, live.version.ID}]
		if len(known) == 0 {
			continue
		}
		state := live.state.copy()
		for key, value := range known {
			state.put(key, value)
		}
		more.views[i].state = state
	}
	return &more
}
