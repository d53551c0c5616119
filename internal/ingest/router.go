package ingest

import (
	"context"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

// SlowLanes is how many lanes there are for logs that are slow to fold, besides Config.Lanes. Each needs a database connection while it
// works.
const SlowLanes = 8

// router assigns each log to a lane. A log is in one lane at a time, so that it never conflicts with itself. The shared lanes divide the
// logs among them; a log whose views are slow to fold moves to a slow lane, where it delays no quick log, and back once it is quick again.
type router struct {
	shared []*lane
	slow   []*lane
	ctx    context.Context //nolint:containedctx // of all groups; ends when stop runs out of time
	abort  context.CancelFunc

	mu    sync.RWMutex
	moved map[uuid.UUID]*lane // logs in slow lanes
	homes map[*lane]int       // how many logs each slow lane has

	sharedStats, slowStats *LaneStats

	sharedDone, slowDone sync.WaitGroup
}

func newRouter(d *db.DB, views *view.Views, config Config) *router {
	r := &router{moved: map[uuid.UUID]*lane{}, homes: map[*lane]int{}, sharedStats: newLaneStats(), slowStats: newLaneStats()}
	r.ctx, r.abort = context.WithCancel(context.Background())
	for range config.Lanes {
		l := newLane(d, views, config, r, r.sharedStats)
		r.shared = append(r.shared, l)
	}
	for range SlowLanes {
		l := newLane(d, views, config, r, r.slowStats)
		l.slow, l.budget.Time = true, slowFoldTime
		r.slow = append(r.slow, l)
	}
	return r
}

func (r *router) start() {
	for _, l := range r.shared {
		r.sharedDone.Go(l.run)
	}
	for _, l := range r.slow {
		r.slowDone.Go(l.run)
	}
}

// laneOf returns the log's lane. It spreads logs over the shared lanes by their last byte, which is random in a version 7 UUID. mu is held.
func (r *router) laneOf(log uuid.UUID) *lane {
	if l := r.moved[log]; l != nil {
		return l
	}
	return r.shared[int(log[15])%len(r.shared)]
}

func (r *router) enqueue(w *waiter) error {
	r.mu.RLock() // until the request is in the lane: move must not take the log away in between
	defer r.mu.RUnlock()
	return r.laneOf(w.log).enqueue(w)
}

func (r *router) isFullFor(log uuid.UUID) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.laneOf(log).isFullFor(log)
}

// move moves a log from a shared lane to the slow lane with the fewest logs, or from a slow lane back to its shared one, with what waits.
// The lane it leaves is between two groups.
func (r *router) move(log uuid.UUID, from *lane) {
	r.mu.Lock()
	defer r.mu.Unlock()
	waiting := from.removeLog(log)
	if from.shared() {
		to := r.slow[0]
		for _, l := range r.slow[1:] {
			if r.homes[l] < r.homes[to] {
				to = l
			}
		}
		r.moved[log] = to
		r.homes[to]++
	} else {
		delete(r.moved, log)
		r.homes[from]--
	}
	r.laneOf(log).requeue(waiting)
}

// stop refuses new requests, finishes those that wait, and returns when all lanes have ended. When ctx ends it aborts what is left. The
// shared lanes end before the slow ones, because they may still move logs there.
func (r *router) stop(ctx context.Context) {
	defer r.abort()
	defer context.AfterFunc(ctx, r.abort)()
	for _, lanes := range [][]*lane{r.shared, r.slow} {
		for _, l := range lanes {
			l.close()
		}
	}
	for _, l := range r.shared {
		l.finish()
	}
	r.sharedDone.Wait()
	for _, l := range r.slow {
		l.finish()
	}
	r.slowDone.Wait()
}

const (
	// slowGroups is how many groups in a row must take a log longer than logFoldTime before it moves to a slow lane. A log that takes
	// longer than laneFoldTime moves at once.
	slowGroups = 3
	// rowTime is about what it takes to store an event or a key of state. It counts like time spent folding.
	rowTime = 10 * time.Microsecond
	// A log moves back after quickGroups groups in a row that took it no longer than quickTime, which is well below logFoldTime so that
	// logs do not move to and fro.
	quickTime   = logFoldTime / 4
	quickGroups = 200
	// maxPaces bounds the logs that a lane counts for; past it all counts are dropped.
	maxPaces = 10_000
)

// paces counts, for each log of a lane, in how many groups in a row it was slow, or quick if the lane is a slow one. A log with a count of
// zero is not in it.
type paces map[uuid.UUID]int

// notePaces counts the plan's logs as slow or quick, by the time they took to fold and to store. moveLogs acts on it.
func (l *lane) notePaces(p *plan) {
	if len(l.paces) > maxPaces {
		clear(l.paces)
	}
	for _, log := range p.held {
		l.paces[log] = slowGroups // in a slow lane, waiting for its lock delays no quick log
	}
	for _, log := range p.logs {
		id := log.snapshot.Log
		took := log.spent + time.Duration(len(log.events)+len(log.fold.Changes))*rowTime
		switch {
		case log.slow, l.shared() && took > laneFoldTime:
			l.paces[id] = slowGroups
		case log.admitted == 0: // the group ended before the log's turn
		case l.shared() && took > logFoldTime, !l.shared() && took <= quickTime:
			l.paces[id]++
		default:
			delete(l.paces, id)
		}
	}
}

// moveLogs moves the logs that are in the wrong kind of lane. The lane is between two groups.
func (l *lane) moveLogs() {
	if l.isClosed() && !l.shared() {
		return // the shared lanes may have ended
	}
	enough := slowGroups
	if !l.shared() {
		enough = quickGroups
	}
	for log, groups := range l.paces {
		if groups >= enough {
			delete(l.paces, log)
			l.router.move(log, l)
		}
	}
}

func (l *lane) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// shared reports whether the lane is one of those that divide all quick logs among them.
func (l *lane) shared() bool { return !l.slow }
