package view

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// fewStates are read in the first statement, since each may have maxWholeKeys large values, and as soon as those turn out to be small
	// twice as many in each that follows, up to manyStates: for 1,000 logs with three views that is ten statements.
	fewStates  = 8
	manyStates = 512
	// quickLoad is how long a statement takes that reads small states.
	quickLoad = 5 * time.Millisecond
	// loadTime is for how long states are read while their logs are locked. It is what one request may fold in a lane that others share.
	loadTime = 250 * time.Millisecond
)

// LoadRoom returns a hold to book the memory of loaded states in. It is to be released once they are in the cache, or no longer needed.
func (v *Views) LoadRoom() *memory.Hold { return v.config.Loads.Hold() }

// stateLoading reads states into snapshots, whole where they are small enough and there is room.
type stateLoading struct {
	views *Views
	tx    dbsqlc.DBTX
	room  *memory.Hold
	of    map[stateOf]*loadedState // of the statement at hand
	full  bool                     // there was no room for one
}

// loadedState is the state of a version on its way into memory.
type loadedState struct {
	state   *state
	used    int64 // of the room
	dropped bool  // it is too large to be held, or there is no room for it
}

// run reads the states of the snapshots' views. One that is not held is empty, and not whole.
func (l *stateLoading) run(ctx context.Context, snapshots map[uuid.UUID]*Snapshot) error {
	var all []*liveView
	var of []stateOf
	for id, s := range snapshots {
		for i := range s.views {
			s.views[i].state = &state{}
			all, of = append(all, &s.views[i]), append(of, stateOf{id, s.views[i].version.ID})
		}
	}
	began, size := time.Now(), fewStates
	for at := 0; at < len(all) && !l.full && time.Since(began) < loadTime; {
		n := min(size, len(all)-at)
		read := time.Now()
		if err := l.read(ctx, all[at:at+n], of[at:at+n]); err != nil {
			return err
		}
		if size = fewStates; time.Since(read) < quickLoad {
			size = min(2*n, manyStates)
		}
		at += n
	}
	for _, s := range snapshots {
		for i := range s.views {
			live := &s.views[i]
			live.state.putRecent(s.recent, live.version.ID)
			live.state = live.state.trim(serveBounds) // which sees that a state has more keys than are held whole
		}
	}
	return nil
}

func (l *stateLoading) read(ctx context.Context, views []*liveView, of []stateOf) error {
	l.of = make(map[stateOf]*loadedState, len(views))
	var versions db.Versions
	for i := range views {
		l.of[of[i]] = &loadedState{state: views[i].state}
		versions.Logs, versions.IDs = append(versions.Logs, of[i].log), append(versions.IDs, of[i].version)
	}
	if err := l.views.db.ReadFirstState(ctx, l.tx, versions, maxWholeKeys+1, l.add); err != nil {
		return fmt.Errorf("reading view state: %w", err)
	}
	for _, loaded := range l.of {
		loaded.state.whole = !loaded.dropped
	}
	return nil
}

// add adds a row to its state if there is room. It drops a state that turns out to be larger than trim allows.
func (l *stateLoading) add(row *db.StateRow) {
	s := l.of[stateOf{row.Log, row.Version}]
	if s.dropped {
		return
	}
	size := len(row.Key) + len(row.Value) + entryOverhead
	tooLarge := s.state.bytes+size > serveBounds.bytes
	if !tooLarge && l.room.Use(int64(size)) == nil {
		s.used += int64(size)
		s.state.put(string(row.Key), bytes.Clone(row.Value))
		return
	}
	s.dropped, l.full = true, l.full || !tooLarge
	*s.state = state{}
	l.room.Unuse(l.room.Used() - s.used)
}
