package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

// waiter is a request and, once done is closed, its answer.
type waiter struct {
	log     uuid.UUID
	request Request
	bytes   int

	decided  bool // placed, or refused with err; a group that has no room for it leaves it undecided
	appended []Appended
	err      error
	done     chan struct{}
}

func (w *waiter) reset() { w.decided, w.appended, w.err = false, nil, nil }

func (w *waiter) refuse(err error) { w.decided, w.appended, w.err = true, nil, err }

// lane commits the appends of its logs, group by group: while one group is being committed the next one gathers.
type lane struct {
	db     *db.DB
	views  *view.Views
	config Config
	chain  event.Chainer
	budget view.Budget // of one request
	// room is where the memory is booked of what the views of the group at hand set and read, loading of the states that it loads.
	room, loading *memory.Hold
	paces         paces // of this lane's logs
	router        *router
	slow          bool // the lane takes turns with other work that takes long; else logs share it

	mu      sync.Mutex
	waiting []*waiter
	load    load               // of waiting
	loads   map[uuid.UUID]load // of the logs that have requests in it
	closed  bool               // to new requests
	ended   bool               // once nothing waits any more
	wake    chan struct{}      // holds a token when there may be something to do

	// lockFirst counts the groups to come that lock their heads before folding, because optimism failed lately.
	lockFirst int
}

func newLane(d *db.DB, views *view.Views, config Config, r *router) *lane {
	return &lane{
		db: d, views: views, config: config, router: r, paces: paces{}, loads: map[uuid.UUID]load{}, wake: make(chan struct{}, 1),
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

// load is what waits.
type load struct{ events, bytes int }

// isFullFor tells whether there is no room for one more event of the log.
func (l *lane) isFullFor(log uuid.UUID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting) > 0 && l.loads[log].events >= l.config.MaxWaitingEvents-l.load.events
}

// isFull tells whether there is no room for one more request of its log. A log may have no more waiting than there is room left: so however
// many fill the lane, some of it is free for one that has nothing waiting.
func (l *lane) isFull(w *waiter) bool {
	own := l.loads[w.log]
	return own.events+len(w.request.Events) > l.config.MaxWaitingEvents-l.load.events || own.bytes+w.bytes > l.config.MaxWaitingBytes-l.load.bytes
}

// count adds a request to what waits, or with -1 takes it out.
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

// putBack has requests that were taken before wait again, in front of all others. They are not refused, whatever waits.
func (l *lane) putBack(requests []*waiter) {
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

// takeLog takes out what waits for one log.
func (l *lane) takeLog(log uuid.UUID) []*waiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	var taken, others []*waiter
	for _, w := range l.waiting {
		if w.log == log {
			taken = append(taken, w)
			l.count(w, -1)
		} else {
			others = append(others, w)
		}
	}
	l.waiting = others
	return taken
}

func (l *lane) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// refuseMore refuses new requests.
func (l *lane) refuseMore() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

// end has run return once nothing waits.
func (l *lane) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.signal()
}

func (l *lane) run() {
	for range l.wake {
		for group := l.take(); len(group) > 0; group = l.take() {
			l.putBack(l.commit(group))
			l.moveLogs()
		}
		l.mu.Lock()
		finished := l.ended && len(l.waiting) == 0
		l.mu.Unlock()
		if finished {
			return
		}
	}
}

// take returns what waits, up to a group's bounds but at least one request.
func (l *lane) take() []*waiter {
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
	// maxAttempts bounds how often a group is tried; one more than the reasons there are to try again.
	maxAttempts = 4
	// lockFirstGroups is how long a lane stays cautious: retries and other servers' appends come in bursts.
	lockFirstGroups = 16
)

// commit answers the requests of the group: one is stored, or its error says why not. It returns those that have to wait for another
// group, in their order.
func (l *lane) commit(group []*waiter) []*waiter {
	timeout := commitTimeout
	if !l.shared() {
		timeout = slowCommitTimeout
	}
	ctx, cancel := context.WithTimeout(l.router.ctx, timeout)
	defer cancel()

	err := l.attempt(ctx, group)
	if errors.Is(err, context.Canceled) && !errors.Is(err, ErrOutcomeUnknown) {
		err = fmt.Errorf("%w: %w", ErrClosed, err)
	}
	if l.config.Attempted != nil {
		l.config.Attempted(err)
	}
	if len(group) > 1 && mayBeOnes(err) {
		// One request may hold a value that the database refuses, or be for a log whose view cannot be loaded: the
		// others must not suffer for it. Halving finds it in a few steps.
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

// mayBeOnes tells whether what failed a group may be a single request's fault: the database is not away.
func mayBeOnes(err error) bool {
	for _, nobodys := range []error{db.ErrUnavailable, db.ErrMisconfigured, db.ErrConflict, ErrBusy, ErrClosed, ErrOutcomeUnknown} {
		if errors.Is(err, nobodys) {
			return false
		}
	}
	return err != nil
}

// attempt tries the group: first on what is cached, and when that turns out to be stale, with the heads locked. In a shared lane a lock
// that somebody else keeps is waited for once: then the logs that are held are left out.
func (l *lane) attempt(ctx context.Context, group []*waiter) (err error) {
	how := lockNone
	if l.lockFirst > 0 {
		l.lockFirst--
		how = lockAll
	}
	var d *doubt
	for range maxAttempts {
		inDoubt := d != nil
		d, err = l.transact(ctx, group, how, d)
		switch {
		case errors.Is(err, errCold):
			how = lockAll
			continue
		case errors.Is(err, db.ErrStale) && how == lockNone: // the cache need not go: it is believed where the locked head agrees
			how, l.lockFirst = lockAll, lockFirstGroups
			continue
		case err == nil:
			return nil
		}
		l.forget(group)
		how = lockAll
		if errors.Is(err, db.ErrConflict) && l.shared() && d == nil {
			how = lockFree
		}
		if inDoubt && errors.Is(err, db.ErrOutcomeUnknown) || !mayPass(err) {
			break
		}
	}
	if d != nil {
		return fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
	}
	return err
}

// mayPass tells whether trying again may help.
func mayPass(err error) bool {
	return errors.Is(err, db.ErrStale) || errors.Is(err, db.ErrConflict) || errors.Is(err, db.ErrOutcomeUnknown) || errors.Is(err, db.ErrUnavailable)
}

func (l *lane) forget(group []*waiter) {
	for _, w := range group {
		l.views.Forget(w.log)
	}
}
