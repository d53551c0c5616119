package ingest

import (
	"strconv"
	"time"

	"github.com/tallystick/tallystick/internal/stats"
)

// LaneStats count what lanes of one kind do.
type LaneStats struct {
	Committed stats.Counter // groups
	Failed    stats.Counter // groups; one that is halved to find the request at fault counts as one each time
	Retried   stats.Counter // attempts at a group beyond its first
	Events    stats.Counter // that were stored

	GroupEvents   *stats.Histogram // of the requests of a committed group
	GroupRequests *stats.Histogram
	Wait          *stats.Histogram // of a request, from its arrival to the beginning of the group that stored it
	Fold          *stats.Histogram // of an attempt: deciding on requests, hashing, and running views
	Commit        *stats.Histogram // of an attempt that succeeded: writing, until PostgreSQL has answered COMMIT
}

func newLaneStats() *LaneStats {
	return &LaneStats{
		GroupEvents: stats.NewSizes(), GroupRequests: stats.NewSizes(),
		Wait: stats.NewTimes(), Fold: stats.NewTimes(), Commit: stats.NewTimes(),
	}
}

// Stats returns the counts of the lanes that share all logs, and of those for slow logs.
func (g *Ingester) Stats() (shared, slow *LaneStats) { return g.router.sharedStats, g.router.slowStats }

// Queue is what waits in one lane.
type Queue struct {
	Lane                    string // "0", "1", … or, for slow logs, "slow-0", "slow-1", …
	Requests, Events, Bytes int
}

// Queues returns what waits in each lane for its next group.
func (g *Ingester) Queues() []Queue {
	r := g.router
	all := make([]Queue, 0, len(r.shared)+len(r.slow))
	for i, l := range r.shared {
		all = append(all, l.waits(strconv.Itoa(i)))
	}
	for i, l := range r.slow {
		all = append(all, l.waits("slow-"+strconv.Itoa(i)))
	}
	return all
}

func (l *lane) waits(name string) Queue {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Queue{Lane: name, Requests: len(l.waiting), Events: l.load.events, Bytes: l.load.bytes}
}

// SlowLogs is how many logs are in lanes for slow ones.
func (g *Ingester) SlowLogs() int {
	g.router.mu.RLock()
	defer g.router.mu.RUnlock()
	return len(g.router.moved)
}

// countGroup counts a group that was committed; its requests that are undecided wait for another one.
func (l *lane) countGroup(group []*waiter, began time.Time) {
	events, requests := 0, 0
	for _, w := range group {
		if !w.decided {
			continue
		}
		requests++
		l.stats.Wait.ObserveTime(began.Sub(w.since))
		if w.err == nil {
			events += len(w.appended)
		}
	}
	l.stats.Committed.Inc()
	l.stats.GroupEvents.Observe(int64(events))
	l.stats.GroupRequests.Observe(int64(requests))
}
