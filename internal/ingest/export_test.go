package ingest

import "github.com/tallystick/tallystick/internal/db"

// Waiting is how many requests wait in the log's lane, for tests that must know that an append has been taken.
func (g *Ingester) Waiting(log db.UUID) int {
	l := g.laneOf(log)
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}
