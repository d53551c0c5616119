package ingest

import (
	"time"

	"github.com/tallystick/tallystick/internal/uuid"
)

// Waiting returns how many requests wait in the log's lane.
func (g *Ingester) Waiting(log uuid.UUID) int {
	l := g.laneOf(log)
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}

// IsSlow reports whether the log is in a slow lane.
func (g *Ingester) IsSlow(log uuid.UUID) bool { return !g.laneOf(log).shared() }

func (g *Ingester) laneOf(log uuid.UUID) *lane {
	g.router.mu.RLock()
	defer g.router.mu.RUnlock()
	return g.router.laneOf(log)
}

// ShareFor sets how long one request may fold in a shared lane, so that a test does not depend on the machine's speed. Call it before any
// append.
func (g *Ingester) ShareFor(most time.Duration) {
	for _, l := range g.router.shared {
		l.budget.Time = most
	}
}
