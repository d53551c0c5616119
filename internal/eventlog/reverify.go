package eventlog

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
)

// Verification is what a log is checked for and how.
type Verification struct {
	Noted    []Noted                 // heads that were noted earlier, which the log must lead to and past
	Progress func(done, total int64) // is told how many events are done; may be nil
}

// Verify reads all of a log's rows, from every partition, and checks its chain up to the head of the moment. Appends go on meanwhile.
// The error is ErrLogNotFound or the database's: what is wrong with the log is no error but in what it returns.
func (r *Reader) Verify(ctx context.Context, log db.UUID, v Verification) (Head, Checked, error) {
	head, err := r.Head(ctx, log)
	if err != nil {
		return Head{}, Checked{}, err
	}
	checker := NewChecker(log, v.Noted...)
	err = r.Stream(ctx, log, head, Query{everywhere: true}, func(events []Recorded) error {
		for i := range events {
			checker.Add(&events[i])
		}
		if v.Progress != nil {
			v.Progress(events[len(events)-1].Sequence, head.Sequence)
		}
		return nil
	})
	if err != nil {
		return Head{}, Checked{}, fmt.Errorf("checking a chain: %w", err)
	}
	checked := checker.Finish(&Noted{head.Sequence, head.Hash})
	if err := r.verifyAround(ctx, log, head, checker); err != nil {
		return Head{}, Checked{}, err
	}
	checked.Faults, checked.Wrong = checker.result.Faults, checker.result.Wrong
	return head, checked, nil
}

// verifyAround looks for what a walk along the chain does not show.
func (r *Reader) verifyAround(ctx context.Context, log db.UUID, head Head, c *Checker) error {
	row, err := r.db.EventsAround(ctx, r.db.Read, dbsqlc.EventsAroundParams{LogID: log, Through: head.Sequence})
	if err != nil {
		return fmt.Errorf("looking around a chain: %w", db.Classify(err))
	}
	if c.result.Wrong == 0 && c.result.Events > 0 && c.recorded != head.RecordedAt {
		c.fault(FaultHead, head.Sequence, "the head says another time of recording than the last event, %d", head.Sequence)
	}
	if row.Beyond > 0 {
		c.fault(FaultBeyondHead, row.Beyond, "there is an event %d, after the log's end", row.Beyond)
	}
	if row.Unplaced > 0 {
		c.fault(FaultDuplicate, 0, "%d events have sequences below 1", row.Unplaced)
	}
	if row.Events > c.result.Events {
		c.fault(FaultDuplicate, 0, "there are %d events for %d sequences", row.Events, c.result.Events)
	}
	if row.Keys != c.result.Keys {
		c.fault(FaultKeys, 0, "%d events have idempotency keys, and %d keys are stored: a retry could be counted twice, or be refused", c.result.Keys, row.Keys)
	}
	return nil
}
