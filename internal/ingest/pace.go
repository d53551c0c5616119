package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/turns"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

// keepAliveTime is how often PostgreSQL is told that a fold goes on, well within the time after which an idle transaction is ended.
const keepAliveTime = 2 * time.Second

// pace is how a slow lane folds one log: in turns with other work that takes long.
type pace struct {
	ctx   context.Context //nolint:containedctx // of the group
	tx    *db.Tx
	turn  turns.Turn
	alive time.Time // when PostgreSQL heard of it last
}

// pace waits for the log's turn. It is nil in a lane that logs share, where nobody waits.
func (l *lane) pace(ctx context.Context, tx *db.Tx, log uuid.UUID) (*pace, error) {
	if !l.slow {
		return nil, nil
	}
	p := &pace{ctx: ctx, tx: tx, turn: l.views.Turns().Turn(turns.Key(log), turns.Append), alive: time.Now()}
	if err := p.Pause(); err != nil {
		p.end()
		return nil, fmt.Errorf("waiting for a turn to fold: %w", err)
	}
	return p, nil
}

// ofView is the pace as a folding takes it.
func (p *pace) ofView() view.Pace {
	if p == nil {
		return nil
	}
	return p
}

// Pause implements view.Pace. It tells PostgreSQL now and then that the transaction is not forgotten.
func (p *pace) Pause() error {
	if time.Since(p.alive) > keepAliveTime {
		p.tx.KeepAlive(p.ctx)
		p.alive = time.Now()
	}
	return p.turn.Pause(p.ctx)
}

// Release implements view.Pace.
func (p *pace) Release() { p.turn.Release() }

// Waited implements view.Pace.
func (p *pace) Waited() time.Duration {
	if p == nil {
		return 0
	}
	return p.turn.Waited()
}

func (p *pace) end() {
	if p != nil {
		p.turn.End()
	}
}
