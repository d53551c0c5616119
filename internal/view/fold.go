package view

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/memory"
)

// findKeys is how many keys one statement reads: enough that a batch of 10,000 events takes ten, and no more than 64 MiB of answers, where each
// is as large as may be.
const findKeys = 1024

// Begin opens a folding of the events that follow the snapshot's head, over every live view of the log. State that is not in memory is
// read from tx, key by key, or from the read pool when tx is nil.
//
// With guess it is not read but taken for absent: where Missed then says so, what was folded is good for nothing but telling which keys it
// needs. ReadMissing reads those of many logs at once, for a snapshot (With) from which the same is folded again.
//
// pace may be nil.
func (v *Views) Begin(ctx context.Context, tx dbsqlc.DBTX, s *Snapshot, guess bool, pace Pace) (*Folding, error) {
	f := v.folding(s)
	f.guess, f.pace = guess, pace
	if err := f.start(ctx, tx); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Missed tells whether a view has asked for a key that is not in memory and was given a guess.
func (f *Folding) Missed() bool {
	for i := range f.runs {
		if len(f.runs[i].writes.missed) > 0 {
			return true
		}
	}
	return false
}

// Result is what was kept, as of head, the head that those events make. The folding takes no more events.
func (f *Folding) Result(head eventlog.Head) Fold {
	s := f.snapshot
	next := &Snapshot{Log: s.Log, Head: head, views: s.views, recent: s.recent, fields: s.fields, places: s.places}
	if len(s.views) == 0 || head == s.Head {
		return Fold{Next: next}
	}
	fold := f.result(next)
	fold.Next.recent, fold.Changes = s.recent.with(fold.Changes, fold.Halts)
	return fold
}

// Missing is keys that foldings need and that are not in memory. The zero value is none.
type Missing struct{ keys dbsqlc.FindViewStateParams }

// Add takes note of what the folding missed.
func (m *Missing) Add(f *Folding) {
	for i := range f.runs {
		for _, key := range f.runs[i].writes.missed {
			m.keys.LogIds = append(m.keys.LogIds, f.snapshot.Log)
			m.keys.VersionIds = append(m.keys.VersionIds, f.runs[i].version.ID)
			m.keys.Keys = append(m.keys.Keys, key)
		}
	}
}

// Found is committed state that was missing.
type Found map[stateOf]map[string][]byte

// stateOf names a version's state on a log.
type stateOf struct{ log, version db.UUID }

// ReadMissing reads the keys, in a few statements for any number of logs. Their memory is booked in room; the error may be memory.ErrFull.
func (v *Views) ReadMissing(ctx context.Context, tx dbsqlc.DBTX, m *Missing, room *memory.Hold) (Found, error) {
	found := Found{}
	all := &m.keys
	for i, key := range all.Keys {
		of := stateOf{all.LogIds[i], all.VersionIds[i]}
		if found[of] == nil {
			found[of] = map[string][]byte{}
		}
		found[of][key] = nil // unless a row says otherwise
	}
	for from := 0; from < len(all.Keys); from += findKeys {
		to := min(from+findKeys, len(all.Keys))
		rows, err := v.db.FindViewState(ctx, tx, dbsqlc.FindViewStateParams{
			LogIds: all.LogIds[from:to], VersionIds: all.VersionIds[from:to], Keys: all.Keys[from:to],
		})
		if err != nil {
			return nil, fmt.Errorf("reading view state: %w", db.Classify(err))
		}
		read := 0
		for _, row := range rows {
			read += entryBytes(row.Key, row.Value)
			found[stateOf{row.LogID, row.VersionID}][row.Key] = row.Value
		}
		if err := room.Use(int64(read)); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// With returns the snapshot with more of its state in memory.
func (s *Snapshot) With(found Found) *Snapshot {
	more := *s
	more.views = make([]liveView, len(s.views))
	for i, live := range s.views {
		more.views[i] = live
		known := found[stateOf{s.Log, live.version.ID}]
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
