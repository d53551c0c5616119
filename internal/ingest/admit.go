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
	// groupFoldTime closes a group: no request is begun once its folding has taken that long, and those that are left wait for the next. It
	// is about what a flush to disk takes on a slow disk, so that folding does not make up most of what others wait for.
	groupFoldTime = 40 * time.Millisecond
	// logFoldTime is how much of a group one log may take while others wait, likewise.
	logFoldTime = 20 * time.Millisecond
	// laneFoldTime is how long one request may fold in a lane that it shares. Beyond it its log moves to a slow lane, where the request is
	// folded from its beginning: the others have lost this much, once.
	laneFoldTime = 250 * time.Millisecond
	// slowFoldTime is how long one request may fold where it holds up nobody: far beyond what maxRequestGas takes, unless the machine is
	// overloaded or the view does what gas is a bad clock for.
	slowFoldTime = 20 * time.Second
	// maxRequestGas bounds what the views of a log may use for one request, all its events together: some 2 s. A request of one event is
	// always within it, for a log's views may not have more than that (view.MaxFoldGas of each).
	maxRequestGas = 5_000_000_000
	// maxRequestState bounds the keys and values that the views may set for one request, all its events together, since all of them are
	// held until the request is kept.
	maxRequestState = 64 << 20
	// maxGroupKeys closes a group whose folds have changed that many keys of one log: they are written in one statement.
	maxGroupKeys = 20_000
	// maxGroupState closes a group whose views have set that many bytes of keys and values.
	maxGroupState = 16 << 20
	// guessRounds bounds how often a log's requests are folded only to find out which keys they need. One round finds all keys that do not
	// depend on the values of others; a view that goes on from value to value has the rest read one by one.
	guessRounds = 3
	// guessTime: what takes longer is not folded in guesses more than once.
	guessTime = time.Second
)

// TooCostlyError: the log's views need more for the request than one request may take. Nothing was stored.
type TooCostlyError struct {
	Events int    // that one request could have had
	What   string // that ran out
}

func (e *TooCostlyError) Error() string {
	return fmt.Sprintf("the log's views use up the %s of one request after %d events", e.What, e.Events)
}

// admit decides on the plan's requests one by one: it places a request's events, folds them, and keeps both or neither. What the group
// has no room for stays undecided. State that is not in memory is read from tx.
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
			f := logFolding{plan: p, log: log, guess: round < guessRounds && log.spent < guessTime, alone: i == 0 && (round == 0 || len(left) == 1)}
			missed, err := l.admitLog(ctx, tx, f, &missing)
			if i > 0 && errors.Is(err, memory.ErrFull) { // others of the group have the room
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
		for _, log := range left[n:] { // there is no room for its state in this group
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
	guess bool
	alone bool // nothing of the group is booked but what is this log's
}

// admitLog decides on one log's requests. missed tells that keys were missing, which are added to missing: then all of it has to be done
// again once they have been read. The error is memory.ErrFull where others have the room.
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
		if full := errors.Is(err, memory.ErrFull); full && i > 0 { // the requests before have the room
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

// admitRequest places and folds one request, or refuses it. A request that takes too long for a lane that it shares is neither: it marks
// its log as slow. Nor is one for which there is no room: the error is memory.ErrFull.
func (l *lane) admitRequest(p *plan, log *logPlan, w *waiter, f *view.Folding) error {
	before, used := log.head, l.room.Used()
	fresh, err := p.assign(log, w, &l.chain, l.config.MaxAhead)
	if err != nil {
		w.refuse(err)
		return nil
	}
	err = f.Fold(fresh, l.budget)
	var over *view.BudgetError
	isOver, isFull := errors.As(err, &over), errors.Is(err, memory.ErrFull)
	if isOver || isFull {
		log.unassign(w, fresh, before)
		l.room.Unuse(used)
		if undoing := f.Undo(); undoing != nil {
			return undoing
		}
	}
	switch {
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

func (log *logPlan) refused() bool {
	for _, w := range log.requests[:log.admitted] {
		if w.err != nil {
			return true
		}
	}
	return false
}

// deferred are the requests that the plan has no room for, in the order in which they came.
func deferred(group []*waiter) []*waiter {
	var left []*waiter
	for _, w := range group {
		if !w.decided {
			left = append(left, w)
		}
	}
	return left
}
