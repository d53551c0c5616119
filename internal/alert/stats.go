package alert

import (
	"fmt"
	"sync/atomic"

	"github.com/tallystick/tallystick/internal/stats"
)

// Stats count what this server's alerts do.
type Stats struct {
	Evaluations stats.Counter    // of an alert on a log
	Failures    stats.Counter    // those that had no value
	Retries     stats.Counter    // logs that could not be evaluated, and are again
	Fired       stats.Counter    // thresholds
	Resolved    stats.Counter    // likewise
	Times       *stats.Histogram // of one log's evaluation, its waits for others included

	failing atomic.Int64
}

func newStats() *Stats { return &Stats{Times: stats.NewTimes()} }

// Stats returns the counts.
func (a *Alerts) Stats() *Stats { return a.stats }

// Now is how much there is at a moment.
type Now struct {
	Alerts  int   // of all tenants
	Failing int64 // alerts that have no value on some log, as of half a minute ago
	Pending int   // logs that this server has put down
	Waiting int   // logs that wait to be evaluated here
}

// Now returns how much there is.
func (a *Alerts) Now() Now {
	now := Now{Failing: a.stats.failing.Load(), Pending: a.pending.count(), Waiting: a.queue.waiting()}
	if set := a.known.set.Load(); set != nil {
		now.Alerts = len(set.byID)
	}
	return now
}

// Warnings says whether alerts fail, for operators.
func (a *Alerts) Warnings() []string {
	failing := a.stats.failing.Load()
	if failing == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d alerts have no value on at least one log, and cannot fire there: GET /alerts says which, "+
		"and GET /alerts/{alert}?only=failing why", failing)}
}
