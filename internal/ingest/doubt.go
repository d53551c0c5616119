package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
)

// doubt is an attempt whose COMMIT has an unknown outcome: all of its events are stored or none is. The hash chain can tell.
type doubt struct {
	plan     *plan
	outcomes []outcome // of the group's requests, in order, if the attempt was committed
}

type outcome struct {
	placements []Appended
	err        error
	decided    bool
}

func newDoubt(p *plan, group []*waiter) *doubt {
	d := &doubt{plan: p, outcomes: make([]outcome, len(group))}
	for i, w := range group {
		d.outcomes[i] = outcome{w.appended, w.err, w.decided}
	}
	return d
}

// resolve gives the group's requests the outcomes of the attempt, which was committed.
func (d *doubt) resolve(group []*waiter) {
	for i, w := range group {
		w.appended, w.err, w.decided = d.outcomes[i].placements, d.outcomes[i].err, d.outcomes[i].decided
	}
}

// wasCommitted reports whether the attempt was committed: then, and only then, its first event is in the log with its hash.
//
// The result is final because tx has locked the heads: an attempt that has not committed by now does not hold these locks, and finds the
// heads moved, and fails, once tx has committed.
func (l *lane) wasCommitted(ctx context.Context, tx *db.Tx, d *doubt) (bool, error) {
	if err := l.db.PlanForPartitions(ctx, tx); err != nil {
		return false, fmt.Errorf("preparing to look for events: %w", err)
	}
	for _, log := range d.plan.logs {
		if len(log.events) == 0 {
			continue
		}
		first := &log.events[0]
		hash, err := l.db.EventHash(ctx, tx, dbsqlc.EventHashParams{
			LogID: log.snapshot.Log, Sequence: first.Sequence, RecordedAt: time.UnixMicro(first.RecordedAt),
		})
		if err := db.Classify(err); errors.Is(err, db.ErrNotFound) {
			return false, nil
		} else if err != nil {
			return false, fmt.Errorf("looking for events in doubt: %w", err)
		}
		return bytes.Equal(hash, first.Hash[:]), nil
	}
	return false, nil
}
