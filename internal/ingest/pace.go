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

// keepAliveTime is how often a long fold sends PostgreSQL a keep-alive, well within its idle_in_transaction_session_timeout.
const keepAliveTime = 2 * time.Second

// pace makes a slow lane's fold of one log take turns with other long work. The nil *pace of a shared lane never waits.
type pace struct {
	ctx   context.Context //nolint:containedctx // of the group
	tx    *db.Tx
	turn  turns.Turn
	alive time.Time // of the last keep-alive
}

// pace waits for the log's turn; end gives it up. It returns nil in a shared lane.
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

// ofView returns the pace as package view takes it: a nil interface for a nil pace.
func (p *pace) ofView() view.Pace {
	if p == nil {
		return nil
	}
	return p
}

// Pause implements view.Pace. It also keeps the transaction alive.
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
