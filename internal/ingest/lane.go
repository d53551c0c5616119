package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/view"
)

// waiter is a request and, once done is closed, its answer.
type waiter struct {
	log     db.UUID
	request Request
	bytes   int

	placements []Placement
	err        error
	done       chan struct{}
}

// lane commits the appends of its logs, group by group: while one group is being committed the next one gathers.
type lane struct {
	db     *db.DB
	views  *view.Views
	config Config
	chain  eventlog.Chainer

	mu      sync.Mutex
	waiting []*waiter
	events  int // in waiting
	bytes   int // in waiting
	closed  bool
	wake    chan struct{} // holds a token when there may be something to do

	// lockFirst counts the groups to come that lock their heads before folding, because optimism failed lately.
	lockFirst int
}

func newLane(d *db.DB, views *view.Views, config Config) *lane {
	return &lane{db: d, views: views, config: config, wake: make(chan struct{}, 1)}
}

func (l *lane) enqueue(w *waiter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	full := l.events+len(w.request.Events) > l.config.MaxWaitingEvents || l.bytes+w.bytes > l.config.MaxWaitingBytes
	if full && len(l.waiting) > 0 {
		return ErrBusy
	}
	l.waiting = append(l.waiting, w)
	l.events += len(w.request.Events)
	l.bytes += w.bytes
	l.signal()
	return nil
}

func (l *lane) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.signal()
}

func (l *lane) run() {
	for range l.wake {
		for group := l.take(); len(group) > 0; group = l.take() {
			l.commit(group)
		}
		l.mu.Lock()
		finished := l.closed && len(l.waiting) == 0
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
	l.events -= events
	l.bytes -= bytes
	return group
}

const (
	// maxAttempts bounds how often a group is tried; one more than the reasons there are to try again.
	maxAttempts = 4
	// lockFirstGroups is how long a lane stays cautious: retries and other servers' appends come in bursts.
	lockFirstGroups = 16
)

// commit settles every request of the group: it is stored, or its error says why not.
func (l *lane) commit(group []*waiter) {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()

	err := l.attempt(ctx, group)
	if l.config.Attempted != nil {
		l.config.Attempted(err)
	}
	if len(group) > 1 && mayBeOnes(err) {
		// One request may hold a value that the database refuses, or be for a log whose view cannot be loaded: the
		// others must not suffer for it. Halving finds it in a few steps.
		half := len(group) / 2
		l.commit(group[:half])
		l.commit(group[half:])
		return
	}
	for _, w := range group {
		if err != nil {
			w.placements, w.err = nil, err
		}
		close(w.done)
	}
}

// mayBeOnes tells whether what failed a group may be a single request's fault: the database is not away.
func mayBeOnes(err error) bool {
	return err != nil && !errors.Is(err, db.ErrUnavailable) && !errors.Is(err, db.ErrMisconfigured) && !errors.Is(err, db.ErrConflict) && !errors.Is(err, ErrOutcomeUnknown)
}

// attempt tries the group: first on what is cached, and when that turns out to be stale, with the heads locked.
func (l *lane) attempt(ctx context.Context, group []*waiter) (err error) {
	locked := l.lockFirst > 0
	if locked {
		l.lockFirst--
	}
	var d *doubt
	for range maxAttempts {
		inDoubt := d != nil
		d, err = l.transact(ctx, group, locked, d)
		switch {
		case errors.Is(err, errCold):
			locked = true
			continue
		case errors.Is(err, db.ErrStale) && !locked: // the cache need not go: it is believed where the locked head agrees
			locked, l.lockFirst = true, lockFirstGroups
			continue
		case err == nil:
			return nil
		}
		l.forget(group)
		locked = true
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
