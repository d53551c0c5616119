package view

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/replay"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/wasm"
)

// Version is one version of a view on one log, ready to run.
type Version struct {
	ID     uuid.UUID
	Name   string // the view's
	module *wasm.Module
	config []byte
	fields *replay.Fields
	gas    gas
	guard  bool // it decides on events before they are appended
	onHalt OnHalt
	// refused is why this server cannot run the module, where it was deployed on one that could: the version halts at the next
	// event. There is no module then.
	refused string
	// Once a batch of its events has failed, single is how many it folds one by one before it tries batches again, and mostBatched how many
	// it takes in one; 0 is no limit of its own.
	single, mostBatched atomic.Int64
}

// gas is the budgets of one event and one query.
type gas struct{ fold, query int64 }

// start begins a session on a state.
func (v *Version) start(ctx context.Context, state *writes) (*wasm.Session, error) {
	settings := wasm.Settings{Config: v.config, FoldGas: v.gas.fold, QueryGas: v.gas.query, Room: state.room}
	if state.pace != nil {
		settings.Pause = state.pace.Pause
	}
	session, err := v.module.Start(ctx, settings, state)
	if err != nil {
		return nil, fmt.Errorf("starting view %s: %w", v.Name, err)
	}
	return session, nil
}

// Snapshot is all that an append to a log needs to know: its head and its live views with their state at that head.
// It never changes; a fold makes the next one. The database's head row decides whether a snapshot is still true.
type Snapshot struct {
	Log   uuid.UUID
	Head  event.Head
	views []liveView
	// unguarded are the views without whose guards no append may pass, and that are not live.
	unguarded []string
	// recent is what the head row holds of the views' state; the views' state in memory has it too.
	recent recentState
	// fields are what all views together read of an event, so that it is parsed once; ownFields are the indexes of each view's own.
	fields    *replay.Fields
	ownFields [][]int
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
		n += viewOverhead + len(s.views[i].version.config) + s.views[i].state.bytes
	}
	return n
}

func (s *Snapshot) find(version uuid.UUID) (liveView, bool) {
	for _, v := range s.views {
		if v.version.ID == version {
			return v, true
		}
	}
	return liveView{}, false
}

// Change is one key of a version's state after a fold.
type Change struct {
	Version uuid.UUID
	Key     string
	Value   []byte // nil: the key is removed
	Existed bool   // the key is known to have a row
}

// Halt is where and why a view stopped.
type Halt struct {
	Version  uuid.UUID
	View     string
	Sequence int64 // the event that could not be folded
	Reason   string
}

// Fold is what a batch of events does to a log.
type Fold struct {
	Next    *Snapshot // the log after the batch; believed only once the batch has been committed
	Changes []Change  // rows of state to write
	Halts   []Halt
}

// Recent is what the log's head row holds of its views' state.
func (s *Snapshot) Recent() string { return s.recent.String() }

// uniteFields sets what the snapshot's views read of an event together.
func (s *Snapshot) uniteFields(cache *replay.FieldCache) {
	all := make([]*replay.Fields, len(s.views))
	for i, live := range s.views {
		all[i] = live.version.fields
	}
	s.fields, s.ownFields = cache.Union(all)
}
