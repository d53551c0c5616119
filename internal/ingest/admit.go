package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/view"
)

const (
	// groupFoldTime is how long a group may fold before it begins no other log; the rest waits for the next group. It is about what a flush
	// takes on a slow disk, so that folding does not dominate what requests wait for.
	groupFoldTime = 40 * time.Millisecond
	// logFoldTime is how long a group may fold one log before it begins no other request of that log.
	logFoldTime = 20 * time.Millisecond
	// laneFoldTime is how long one request may fold in a shared lane. Past it the log moves to a slow lane, where the request is folded
	// anew: the other logs of the lane lose this much time, once.
	laneFoldTime = 250 * time.Millisecond
	// slowFoldTime is how long one request may fold in a slow lane. It is far more than maxRequestGas takes, unless the machine is
	// overloaded or gas underestimates what the view does.
	slowFoldTime = 20 * time.Second
	// maxRequestGas bounds the gas that all views of a log use for all events of one request: about 2 s. It is more than
	// eventlog.MaxViewGas, so that a request of one event is always within it.
	maxRequestGas = 5_000_000_000
	// maxRequestState bounds the bytes of keys and values that all views set for all events of one request. They are held in memory until
	// the request is kept.
	maxRequestState = 64 << 20
	// maxGroupKeys is how many changed keys of one log end its part of a group: one statement writes them.
	maxGroupKeys = 20_000
	// maxGroupState is how many bytes of keys and values, set by views, end a group.
	maxGroupState = 16 << 20
	// guessRounds bounds how often a log is folded only to find out which keys it needs. One round finds all keys that do not depend on the
	// values of others. For a view that follows values from key to key, what is still missing is read key by key.
	guessRounds = 3
	// guessTime is how long a log's fold may take and still be repeated as a guess.
	guessTime = time.Second
)

// TooCostlyError: the log's views need more for the request than one request may use. Nothing was stored.
type TooCostlyError struct {
	Events int    // how many of the request's events, from the first on, would have been within the budget
	What   string // the budget that ran out
}

func (e *TooCostlyError) Error() string {
	return fmt.Sprintf("the log's views use up the %s of one request after %d events", e.What, e.Events)
}

// admit decides on the plan's requests one by one: it assigns sequences to a request's events, folds them, and keeps both or neither.
// Requests that the group has no room for stay undecided.
//
// State that is not in memory is not read key by key: logs are first folded on what is in memory, to collect the keys they need; one
// statement reads those for all logs; then these logs are folded again from where they began.
func (l *lane) admit(ctx context.Context, tx *db.Tx, p *plan) error {
	left := p.logs
	for round := 0; len(left) > 0; round++ {
		began, written := time.Now(), 0
		var missing view.Missing
		var again []*logPlan
		for i, log := range left {
			if i > 0 && (time.Since(began) > groupFoldTime || written > maxGroupState) {
				log.reset()
				continue
			}
			f := logFolding{
				plan: p, log: log,
				guess: round < guessRounds && log.spent < guessTime,
				alone: i == 0 && (round == 0 || len(left) == 1),
			}
			missed, err := l.admitLog(ctx, tx, f, &missing)
			if i > 0 && errors.Is(err, memory.ErrFull) { // other logs of the group use the room
				log.reset()
				continue
			} else if err != nil {
				return err
			}
			written += log.written
			if missed {
				again = append(again, log)
			}
		}
		if left = again; len(left) == 0 {
			break
		}
		found, n, err := l.views.ReadMissing(ctx, tx, &missing, l.room)
		if err != nil {
			return err
		}
		for _, log := range left[:n] {
			log.snapshot = log.snapshot.With(found)
		}
		for _, log := range left[n:] { // this group has no room for its state
			log.reset()
		}
		left = left[:n]
	}
	for _, log := range p.logs {
		p.refused = p.refused || log.refused()
	}
	p.sort()
	return nil
}

// logFolding is how one log of a plan is folded.
type logFolding struct {
	plan  *plan
	log   *logPlan
	guess bool // collect missing keys instead of reading them
	alone bool // no other log of the group has memory booked
}

// admitLog decides on one log's requests. When it returns missed, it has added keys to missing, and nothing counts until they are read and
// the log is folded again. The error is memory.ErrFull when other logs of the group use the room.
func (l *lane) admitLog(ctx context.Context, tx *db.Tx, of logFolding, missing *view.Missing) (missed bool, err error) {
	log := of.log
	log.reset()
	pace, err := l.pace(ctx, tx, log.snapshot.Log)
	if err != nil {
		return false, err
	}
	defer pace.end()
	used := l.room.Used()
	f, err := l.views.Begin(ctx, tx, log.snapshot, of.guess, pace.ofView(), l.room)
	if err != nil {
		return false, fmt.Errorf("beginning to fold: %w", err)
	}
	defer f.Close()
	began := time.Now().Add(-pace.Waited())
	spent := func() time.Duration { return time.Since(began) - pace.Waited() }
	for i, w := range log.requests {
		if i > 0 && (spent() > logFoldTime || f.ChangedKeys() > maxGroupKeys || f.Written() > maxGroupState) {
			break
		}
		err := l.admitRequest(of.plan, log, w, f)
		if full := errors.Is(err, memory.ErrFull); full && i > 0 { // the requests before this one use the room
			break
		} else if full && of.alone {
			w.refuse(err)
		} else if err != nil {
			l.room.Unuse(used)
			return false, err
		}
		if log.slow {
			break
		}
		log.admitted++
	}
	log.spent, log.written = spent(), f.Written()
	if f.Missed() {
		l.room.Unuse(used)
		return true, missing.Add(f, l.room)
	}
	log.fold = f.Result(log.head)
	return false, nil
}

// admitRequest admits one request or refuses it. It leaves the request undecided, and undoes what it did, in two cases: the request takes
// too long for a shared lane, which marks its log as slow, or there is no room for it, when the error is memory.ErrFull.
func (l *lane) admitRequest(p *plan, log *logPlan, w *waiter, f *view.Folding) error {
	before, first, used := log.head, len(log.events), l.room.Used()
	refused, err := l.assign(p, log, w, f)
	if refused == nil && err == nil {
		err = f.Fold(log.events[first:], l.budget)
	}
	var over *view.BudgetError
	isOver, isFull := errors.As(err, &over), errors.Is(err, memory.ErrFull)
	if isOver || isFull || refused != nil {
		log.unassign(w, first, before)
		l.room.Unuse(used)
		if undoing := f.Undo(); undoing != nil {
			return undoing
		}
	}
	switch {
	case refused != nil:
		if halted, ok := errors.AsType[*view.GuardHaltedError](refused); ok && halted.Reason != "" {
			f.HaltGuard(before, halted)
		}
		w.refuse(refused)
		return nil
	case isOver && over.What == view.BudgetOfTime && l.shared():
		log.slow = true
		return nil
	case isOver:
		w.refuse(&TooCostlyError{Events: over.Folded, What: over.What})
		return nil
	case err != nil:
		return fmt.Errorf("folding: %w", err)
	}
	f.Keep()
	w.decided = true
	return nil
}

// assign gives the request's new events their places, and asks the guards of the log's views about each. refused says why the request must
// be refused.
func (l *lane) assign(p *plan, log *logPlan, w *waiter, f *view.Folding) (refused, err error) {
	if f.HasGuards() && !w.request.Unguarded {
		return l.assignGuarded(p, log, w, f)
	}
	return p.assign(log, w, &l.chain, l.config.MaxAhead), nil
}

func (log *logPlan) refused() bool {
	for _, w := range log.requests[:log.admitted] {
		if w.err != nil {
			return true
		}
	}
	return false
}

// deferred returns the group's undecided requests, in their order.
func deferred(group []*waiter) []*waiter {
	var left []*waiter
	for _, w := range group {
		if !w.decided {
			left = append(left, w)
		}
	}
	return left
}
