package ingest

import (
	"context"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

// SlowLanes is how many lanes there are for logs that are slow to fold, besides Config.Lanes. Each needs a database connection while it has
// something to do.
const SlowLanes = 8

// router knows which lane a log is in. A log is in one lane at a time, so that it never conflicts with itself. The shared lanes divide the
// logs between them; one whose views are slow to fold moves to a slow lane, where it holds up nobody, and back once it is quick again.
type router struct {
	shared []*lane
	slow   []*lane
	ctx    context.Context //nolint:containedctx // of all groups; ends when the router must close at once
	giveUp context.CancelFunc

	mu    sync.RWMutex
	moved map[uuid.UUID]*lane // the logs in slow lanes
	homes map[*lane]int       // how many of them each has

	sharedDone, slowDone sync.WaitGroup
}

func newRouter(d *db.DB, views *view.Views, config Config) *router {
	r := &router{moved: map[uuid.UUID]*lane{}, homes: map[*lane]int{}}
	r.ctx, r.giveUp = context.WithCancel(context.Background())
	for range config.Lanes {
		l := newLane(d, views, config, r)
		r.shared = append(r.shared, l)
	}
	for range SlowLanes {
		l := newLane(d, views, config, r)
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

// laneOf spreads logs over the shared lanes: the last bytes of a version 7 UUID are its random ones. mu is held.
func (r *router) laneOf(log uuid.UUID) *lane {
	if l := r.moved[log]; l != nil {
		return l
	}
	return r.shared[int(log[15])%len(r.shared)]
}

func (r *router) enqueue(w *waiter) error {
	r.mu.RLock() // until it waits, so that it does not go to a lane that its log has left
	defer r.mu.RUnlock()
	return r.laneOf(w.log).enqueue(w)
}

func (r *router) isFullFor(log uuid.UUID) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.laneOf(log).isFullFor(log)
}

// move takes a log from the lane, which is between two groups, to the slow lane with the fewest logs, or from a slow lane back to its own.
func (r *router) move(log uuid.UUID, from *lane) {
	r.mu.Lock()
	defer r.mu.Unlock()
	waiting := from.takeLog(log)
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
	r.laneOf(log).putBack(waiting)
}

// stop refuses new requests, and returns when those that wait have been answered, which they are without further ado when ctx ends. The
// shared lanes end first: they may still move logs.
func (r *router) stop(ctx context.Context) {
	defer r.giveUp()
	defer context.AfterFunc(ctx, r.giveUp)()
	for _, lanes := range [][]*lane{r.shared, r.slow} {
		for _, l := range lanes {
			l.refuseMore()
		}
	}
	for _, l := range r.shared {
		l.end()
	}
	r.sharedDone.Wait()
	for _, l := range r.slow {
		l.end()
	}
	r.slowDone.Wait()
}

const (
	// slowGroups is after how many groups in a row that took longer than logFoldTime a log moves to a slow lane. One that took longer than
	// laneFoldTime moves at once.
	slowGroups = 3
	// rowTime is about what storing an event or a key of state takes: it counts as folding does.
	rowTime = 10 * time.Microsecond
	// quickTime and quickGroups: a log moves back after that many groups in a row which took no longer than that. It is well below
	// logFoldTime, so that a log does not go to and fro.
	quickTime   = logFoldTime / 4
	quickGroups = 200
	// maxPaces bounds what is remembered of logs that were slow now and then; past it that is forgotten.
	maxPaces = 10_000
)

// paces counts how many groups in a row each log of a lane was slow, or in a slow lane quick; only such logs are in it.
type paces map[uuid.UUID]int

// judge notes how long the plan's logs took to fold and to store, for moveLogs.
func (l *lane) judge(p *plan) {
	if len(l.paces) > maxPaces {
		clear(l.paces)
	}
	for _, log := range p.held {
		l.paces[log] = slowGroups // whoever holds it holds up nobody else there
	}
	for _, log := range p.logs {
		id := log.snapshot.Log
		took := log.spent + time.Duration(len(log.events)+len(log.fold.Changes))*rowTime
		switch {
		case log.slow, l.shared() && took > laneFoldTime:
			l.paces[id] = slowGroups
		case log.admitted == 0: // it had no turn
		case l.shared() && took > logFoldTime, !l.shared() && took <= quickTime:
			l.paces[id]++
		default:
			delete(l.paces, id)
		}
	}
}

// moveLogs moves the logs that are in the wrong kind of lane. The lane is between two groups.
func (l *lane) moveLogs() {
	if l.leaving() && !l.shared() {
		return // nobody takes requests in a shared lane any more
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

func (l *lane) leaving() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// shared tells whether the lane is one that logs share.
func (l *lane) shared() bool { return !l.slow }
