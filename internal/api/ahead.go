package api

import (
	"fmt"
	"sync"

	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/uuid"
)

// ahead counts the events that this server has stored since it started whose time is more than ingest.AheadAfter ahead of when they were
// recorded: mostly slips that a bill will not show for years.
type ahead struct {
	mu       sync.Mutex
	events   int64
	log      uuid.UUID // of the last one
	sequence int64     // likewise
}

func (a *ahead) note(log uuid.UUID, appended []ingest.Appended) {
	for _, p := range appended {
		if p.Ahead {
			a.mu.Lock()
			a.events++
			a.log, a.sequence = log, p.Sequence
			a.mu.Unlock()
		}
	}
}

// warnings returns one that counts them, if there are any.
func (a *ahead) warnings() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.events == 0 {
		return nil
	}
	return []string{fmt.Sprintf("events stored since this server started that say they happened more than %.0f hours "+
		"after they were recorded: %d; the last is event %d of log %s",
		ingest.AheadAfter.Hours(), a.events, a.sequence, a.log)}
}
