package view

import (
	"context"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

// findKeys is how many keys one statement reads: enough that a batch of 10,000 events takes ten, and no more than 64 MiB of answers, where
// each is as large as may be.
const findKeys = 1024

// Begin opens a folding of the events that follow the snapshot's head, over every live view of the log. State that is not in memory is
// read from tx, key by key, or from the read pool when tx is nil.
//
// With guess such state is not read but assumed to be absent. Where Missed then reports true, the folding only shows which keys it needs:
// ReadMissing reads those of many logs at once, for a snapshot (With) from which the same events are folded again.
//
// pace may be nil. room is where the memory of what views set and read is booked; nil: nowhere.
func (v *Views) Begin(ctx context.Context, tx dbsqlc.DBTX, s *Snapshot, guess bool, pace Pace, room *memory.Hold) (*Folding, error) {
	f := v.folding(s)
	f.guess, f.pace, f.room = guess, pace, room
	if err := f.start(ctx, tx); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Missed reports whether a view has read a key that is not in memory, and got a guess.
func (f *Folding) Missed() bool {
	for i := range f.runs {
		if len(f.runs[i].writes.missed) > 0 {
			return true
		}
	}
	return false
}

// Result returns what was kept, as of head, the head after those events. The folding takes no more events.
func (f *Folding) Result(head event.Head) Fold {
	s := f.snapshot
	next := &Snapshot{
		Log: s.Log, Head: head, views: s.views, unguarded: s.unguarded, recent: s.recent, fields: s.fields, ownFields: s.ownFields,
	}
	if len(s.views) == 0 || head == s.Head && !f.hasHalts() {
		return Fold{Next: next}
	}
	fold := f.result(next)
	fold.Next.recent, fold.Changes = s.recent.with(fold.Changes, fold.Halts)
	return fold
}

// Missing is keys that foldings need and that are not in memory. The zero value is none.
type Missing struct {
	keys dbsqlc.FindViewStateParams
	ends []int // of the foldings' keys, in the order in which they were added
}

// Add adds what the folding missed, for as long as room is held. After memory.ErrFull nothing was added.
func (m *Missing) Add(f *Folding, room *memory.Hold) error {
	bytes := 0
	for i := range f.runs {
		for _, key := range f.runs[i].writes.missed {
			bytes += entryBytes(key, nil)
		}
	}
	if err := room.Use(int64(bytes)); err != nil {
		return err
	}
	for i := range f.runs {
		for _, key := range f.runs[i].writes.missed {
			m.keys.LogIds = append(m.keys.LogIds, f.snapshot.Log)
			m.keys.VersionIds = append(m.keys.VersionIds, f.runs[i].version.ID)
			m.keys.Keys = append(m.keys.Keys, key)
		}
	}
	m.ends = append(m.ends, len(m.keys.Keys))
	return nil
}

// foldings is how many foldings have all their keys among the first so many.
func (m *Missing) foldings(keys int) (n int) {
	for n < len(m.ends) && m.ends[n] <= keys {
		n++
	}
	return n
}

// Found is committed state that was missing.
type Found map[stateOf]map[string][]byte

// stateOf names a version's state on a log.
type stateOf struct{ log, version uuid.UUID }

// ReadMissing reads the keys, in a few statements for any number of logs, into memory that is booked in room. Where not all fit, it reads
// those of the first foldings that were added, and returns of how many. The error is memory.ErrFull where not even the first one's fit.
func (v *Views) ReadMissing(ctx context.Context, tx dbsqlc.DBTX, m *Missing, room *memory.Hold) (found Found, foldings int, err error) {
	found = Found{}
	all := &m.keys
	for i, key := range all.Keys {
		of := stateOf{all.LogIds[i], all.VersionIds[i]}
		if found[of] == nil {
			found[of] = map[string][]byte{}
		}
		found[of][key] = nil // unless a row says otherwise
	}
	for from := 0; from < len(all.Keys); from += findKeys {
		to, used := min(from+findKeys, len(all.Keys)), room.Used()
		rows, err := v.db.FindViewState(ctx, db.Booked(tx, room), dbsqlc.FindViewStateParams{
			LogIds: all.LogIds[from:to], VersionIds: all.VersionIds[from:to], Keys: all.Keys[from:to],
		})
		if errors.Is(err, memory.ErrFull) {
			room.Unuse(used)
			if n := m.foldings(from); n > 0 {
				return found, n, nil
			}
		}
		if err != nil {
			return nil, 0, fmt.Errorf("reading view state: %w", db.Classify(err))
		}
		for _, row := range rows {
			found[stateOf{row.LogID, row.VersionID}][row.Key] = row.Value
		}
	}
	return found, len(m.ends), nil
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
