package view

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/turns"
	"github.com/tallystick/tallystick/internal/uuid"
)

// Judge decides on events that are not stored. from is where what is not in memory is to be read.
type Judge func(from dbsqlc.DBTX, s *Snapshot, f *Folding) error

// DryRun calls judge with a folding at the log's head as it is when DryRun is called, or later. What it folds is not stored. Like a query
// it shares its cores with others where it takes long, and may have to wait for a slot first: then judge is called once more. The memory
// of what is read and set is booked in room, which may be nil, until DryRun returns. The error is judge's, ErrBusy, memory.ErrFull,
// eventlog.ErrLogNotFound, ctx's, or the database's.
func (v *Views) DryRun(ctx context.Context, log uuid.UUID, room *memory.Hold, judge Judge) error {
	a := &querying{ctx: ctx, turn: v.turns.Turn(turns.Key(log), turns.Query), room: room}
	defer a.turn.End()
	used := room.Used()
	defer func() { room.Unuse(used) }()
	err := v.dryRun(a, log, judge)
	if !errors.Is(err, errNoSlot) {
		return err
	}
	room.Unuse(used)
	if err := a.turn.Admit(ctx, true); err != nil {
		return fmt.Errorf("waiting to fold what is not stored: %w", err)
	}
	return v.dryRun(a, log, judge)
}

// dryRun judges once. The error may be errNoSlot. Memory is enough where it is at the very head that was read, and holds all state.
func (v *Views) dryRun(a *querying, log uuid.UUID, judge Judge) error {
	row, err := v.db.GetHead(a.ctx, v.db.Read, log)
	if err != nil {
		return headError(err)
	}
	head := HeadOf(&dbsqlc.LogHead{Sequence: row.Sequence, Hash: row.Hash, RecordedAt: row.RecordedAt, ViewsEpoch: row.ViewsEpoch})
	if s := v.Cached(log); s != nil && s.Head == head && s.isWhole() {
		return v.judge(a, nil, s, judge)
	}
	room := v.LoadRoom()
	defer room.Release()
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return v.db.InTx(a.ctx, options, func(tx pgx.Tx) error {
		row, err := v.db.GetWholeHead(a.ctx, tx, log)
		if err != nil {
			return headError(err)
		}
		s := v.Cached(log)
		if s == nil || s.Head != HeadOf(&row) {
			loaded, err := v.Load(a.ctx, tx, []dbsqlc.LogHead{row}, room)
			if err != nil {
				return err
			}
			s = loaded[log]
			v.cache.warm(s)
		}
		return v.judge(a, tx, s, judge)
	})
}

func headError(err error) error {
	kind := db.Classify(err)
	if isNotFound(kind) {
		return eventlog.ErrLogNotFound
	}
	return fmt.Errorf("reading a log's head: %w", kind)
}

func (v *Views) judge(a *querying, tx dbsqlc.DBTX, s *Snapshot, judge Judge) error {
	f, err := v.Begin(a.ctx, tx, s, false, a, a.room)
	if err != nil {
		return err
	}
	defer f.Close()
	if tx == nil {
		tx = v.db.Read
	}
	return judge(tx, s, f)
}

// isWhole reports whether the state of all views is in memory.
func (s *Snapshot) isWhole() bool {
	for i := range s.views {
		if !s.views[i].state.whole {
			return false
		}
	}
	return true
}
