package view

import (
	"context"
	"errors"
	"time"

	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/turns"
	"github.com/tallystick/tallystick/internal/uuid"
)

// Pace is how long work yields to others.
type Pace interface {
	// Pause is called between events and each time a guest has used another slice of gas, about a millisecond. It may wait; its error ends
	// the work.
	Pause() error
	// Release is called before the database is waited for.
	Release()
	// Waited is how long Pause has waited so far.
	Waited() time.Duration
}

// backgroundPace is the pace of work that nobody waits for.
type backgroundPace struct {
	ctx  context.Context //nolint:containedctx // of the work
	turn turns.Turn
}

func (v *Views) inBackground(ctx context.Context, log uuid.UUID) *backgroundPace {
	return &backgroundPace{ctx: ctx, turn: v.turns.Turn(turns.Key(log), turns.Background)}
}

// Pause implements Pace.
func (b *backgroundPace) Pause() error { return b.turn.Pause(b.ctx) }

// Release implements Pace.
func (b *backgroundPace) Release() { b.turn.Release() }

// Waited implements Pace.
func (b *backgroundPace) Waited() time.Duration { return b.turn.Waited() }

// ErrBusy: too many queries that take long are under way. Try again a little later.
var ErrBusy = turns.ErrBusy

// errNoSlot: a query has turned out to take long, and no slot is free. It is asked anew once one is.
var errNoSlot = errors.New("too many long queries are under way for another one")

// querying is the pace of a query. Nearly all are answered within the first slice of gas and never wait. One that takes longer needs a
// slot, for its memory and its connection of the database, and then a core.
type querying struct {
	ctx  context.Context //nolint:containedctx // of the query
	turn turns.Turn
	live bool
	room *memory.Hold // of what is read, and of the answer; nil: nobody's
	gas  int64        // that the view has used so far
}

// Pause implements Pace.
func (a *querying) Pause() error {
	if !a.turn.TryAdmit() {
		return errNoSlot
	}
	return a.turn.Pause(a.ctx)
}

// Release implements Pace.
func (a *querying) Release() { a.turn.Release() }

// Waited implements Pace.
func (a *querying) Waited() time.Duration { return a.turn.Waited() }

// begin waits for a core where the answer is a live one: there can be many, however short, and nobody waits for them.
func (a *querying) begin() error {
	if !a.live {
		return nil
	}
	return a.turn.Pause(a.ctx)
}
