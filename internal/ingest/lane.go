package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

// waiter is a request in a lane and, once done is closed, its outcome.
type waiter struct {
	log     uuid.UUID
	request Request
	bytes   int
	since   time.Time // when it came

	decided  bool // admitted, or refused with err; a group that has no room for a request leaves it undecided
	appended []Appended
	err      error
	done     chan struct{}
}

func (w *waiter) reset() { w.decided, w.appended, w.err = false, nil, nil }

func (w *waiter) refuse(err error) { w.decided, w.appended, w.err = true, nil, err }

// lane commits the appends of its logs, group by group: while it commits one group, the next one gathers. mu guards the fields after it;
// of those before it, only run, and what it calls, changes any.
type lane struct {
	db     *db.DB
	views  *view.Views
	config Config
	chain  event.Chainer
	budget view.Budget // of one request
	// room holds the memory that the views of the present group set and read, loading that of the states it loads.
	room, loading *memory.Hold
	paces         paces // of this lane's logs
	router        *router
	stats         *LaneStats // of all lanes of its kind
	slow          bool       // the lane is for slow logs, and takes turns with other long work
	// lockFirst is how many of the next groups lock their heads before they fold, because a cached head was stale lately.
	lockFirst int

	mu        sync.Mutex
	waiting   []*waiter
	load      load               // of waiting
	loads     map[uuid.UUID]load // of waiting, by log
	closed    bool               // new requests are refused
	finishing bool               // run returns once nothing waits
	wake      chan struct{}      // holds a token when run may have something to do
}

func newLane(d *db.DB, views *view.Views, config Config, r *router, counts *LaneStats) *lane {
	return &lane{
		db: d, views: views, config: config, router: r, stats: counts,
		paces: paces{}, loads: map[uuid.UUID]load{}, wake: make(chan struct{}, 1),
		budget: view.Budget{Time: laneFoldTime, Gas: maxRequestGas, Bytes: maxRequestState},
	}
}

func (l *lane) enqueue(w *waiter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	if len(l.waiting) > 0 && l.isFull(w) {
		return ErrBusy
	}
	l.waiting = append(l.waiting, w)
	l.count(w, 1)
	l.signal()
	return nil
}

// load is how much waits.
type load struct{ events, bytes int }

// isFullFor reports whether there is no room for one more event of the log.
func (l *lane) isFullFor(log uuid.UUID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting) > 0 && l.loads[log].events >= l.config.MaxWaitingEvents-l.load.events
}

// isFull reports whether there is no room for the request. A log may have no more waiting than there is room left, so that however many
// logs fill the lane, a log that has nothing waiting finds some room.
func (l *lane) isFull(w *waiter) bool {
	own := l.loads[w.log]
	return own.events+len(w.request.Events) > l.config.MaxWaitingEvents-l.load.events ||
		own.bytes+w.bytes > l.config.MaxWaitingBytes-l.load.bytes
}

// count adds the request to the loads (sign 1) or subtracts it (-1).
func (l *lane) count(w *waiter, sign int) {
	own := l.loads[w.log]
	for _, sum := range []*load{&l.load, &own} {
		sum.events += sign * len(w.request.Events)
		sum.bytes += sign * w.bytes
	}
	if own == (load{}) {
		delete(l.loads, w.log)
	} else {
		l.loads[w.log] = own
	}
}

// requeue puts requests in front of all that wait. They were accepted before, so no limit applies.
func (l *lane) requeue(requests []*waiter) {
	if len(requests) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(slices.Clip(requests), l.waiting...)
	for _, w := range requests {
		l.count(w, 1)
	}
	l.signal()
}

// removeLog removes and returns the log's waiting requests.
func (l *lane) removeLog(log uuid.UUID) []*waiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	var removed, others []*waiter
	for _, w := range l.waiting {
		if w.log == log {
			removed = append(removed, w)
			l.count(w, -1)
		} else {
			others = append(others, w)
		}
	}
	l.waiting = others
	return removed
}

func (l *lane) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// close has the lane refuse new requests.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

// finish has run return once nothing waits.
func (l *lane) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finishing = true
	l.signal()
}

func (l *lane) run() {
	for range l.wake {
		for group := l.nextGroup(); len(group) > 0; group = l.nextGroup() {
			l.requeue(l.commit(group))
			l.moveLogs()
		}
		l.mu.Lock()
		finished := l.finishing && len(l.waiting) == 0
		l.mu.Unlock()
		if finished {
			return
		}
	}
}

// nextGroup removes and returns the requests of the next group: as many as a group may have, at least one if any waits.
func (l *lane) nextGroup() []*waiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	events, bytes, n := 0, 0, 0
	for n < len(l.waiting) {
		w := l.waiting[n]
		if n > 0 && (events+len(w.request.Events) > maxGroupEvents || bytes+w.bytes > maxGroupBytes) {
			break
		}
		events += len(w.request.Events)
		bytes += w.bytes
		n++
	}
	group := l.waiting[:n:n]
	l.waiting = l.waiting[n:]
	if len(l.waiting) == 0 {
		l.waiting = nil
	}
	for _, w := range group {
		l.count(w, -1)
	}
	return group
}

const (
	// maxAttempts bounds how often a group is tried: once for each reason to try again (a cold or stale cache, a conflict, a lost
	// connection), and once more.
	maxAttempts = 4
	// lockFirstGroups is how many groups a lane locks first after a stale cache: retries and other servers' appends come in bursts.
	lockFirstGroups = 16
)

// commit commits the group and completes its requests: each is stored, or its error says why not. It returns the requests that have to
// wait for another group, in their order.
func (l *lane) commit(group []*waiter) []*waiter {
	timeout := commitTimeout
	if !l.shared() {
		timeout = slowCommitTimeout
	}
	ctx, cancel := context.WithTimeout(l.router.ctx, timeout)
	defer cancel()

	began := time.Now()
	ctx, span := l.traceGroup(ctx, group, began)
	err := l.attempt(ctx, group)
	if errors.Is(err, context.Canceled) && !errors.Is(err, ErrOutcomeUnknown) {
		err = fmt.Errorf("%w: %w", ErrClosed, err)
	}
	if l.config.Attempted != nil {
		l.config.Attempted(err)
	}
	endGroup(span, err)
	if err == nil {
		l.countGroup(group, began)
	} else {
		l.stats.Failed.Inc()
	}
	if len(group) > 1 && mayBeOneRequestsFault(err) {
		// One request may hold a value that the database refuses, or be for a log whose view cannot be loaded. Halving finds it in a few
		// steps and stores the others.
		half := len(group) / 2
		left := l.commit(group[:half])
		return append(left, l.commit(group[half:])...)
	}
	for _, w := range group {
		if err != nil {
			w.refuse(err)
		}
		if w.decided {
			close(w.done)
		}
	}
	return deferred(group)
}

// mayBeOneRequestsFault reports whether a single request may have failed the group, rather than the database or the server.
func mayBeOneRequestsFault(err error) bool {
	for _, general := range []error{db.ErrUnavailable, db.ErrMisconfigured, db.ErrConflict, ErrBusy, ErrClosed, ErrOutcomeUnknown} {
		if errors.Is(err, general) {
			return false
		}
	}
	return err != nil
}

// attempt tries to commit the group: first on cached heads, and with the heads locked when those turn out to be stale. A shared lane waits
// once for a lock that somebody else holds; after that it leaves out the logs that are locked.
func (l *lane) attempt(ctx context.Context, group []*waiter) (err error) {
	how := lockNone
	if l.lockFirst > 0 {
		l.lockFirst--
		how = lockAll
	}
	var d *doubt
	for tries := range maxAttempts {
		if tries > 0 {
			l.stats.Retried.Inc()
		}
		inDoubt := d != nil
		d, err = l.transact(ctx, group, how, d)
		switch {
		case errors.Is(err, errCold):
			how = lockAll
			continue
		case errors.Is(err, db.ErrStale) && how == lockNone: // the cache may stay: a locked head tells which snapshots are current
			how, l.lockFirst = lockAll, lockFirstGroups
			continue
		case err == nil:
			return nil
		}
		l.forget(group)
		how = lockAll
		if errors.Is(err, db.ErrConflict) && l.shared() && d == nil {
			how = lockAvailable
		}
		if inDoubt && errors.Is(err, db.ErrOutcomeUnknown) || !isTransient(err) {
			break
		}
	}
	if d != nil {
		return fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
	}
	return err
}

// isTransient reports whether trying again may help.
func isTransient(err error) bool {
	for _, transient := range []error{db.ErrStale, db.ErrConflict, db.ErrOutcomeUnknown, db.ErrUnavailable} {
		if errors.Is(err, transient) {
			return true
		}
	}
	return false
}

func (l *lane) forget(group []*waiter) {
	for _, w := range group {
		l.views.Forget(w.log)
	}
}
