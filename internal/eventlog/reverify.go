package eventlog

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/uuid"
)

// Verification configures Verify.
type Verification struct {
	Noted    []event.Noted           // heads noted earlier, which must be in the log's chain
	Progress func(done, total int64) // called with the number of events checked; may be nil
}

// Verify reads all of a log's rows, from every partition, and checks its chain up to its present head. Appends may go on meanwhile. The
// error is ErrLogNotFound or the database's; faults of the log are no error but in the event.Checked.
func (r *Reader) Verify(ctx context.Context, log uuid.UUID, v Verification) (event.Head, event.Checked, error) {
	head, err := r.Head(ctx, log)
	if err != nil {
		return event.Head{}, event.Checked{}, err
	}
	checker := event.NewChecker(log, v.Noted...)
	err = r.Stream(ctx, log, head, Query{everywhere: true}, func(events []event.Recorded) error {
		for i := range events {
			checker.Add(&events[i])
		}
		if v.Progress != nil {
			v.Progress(events[len(events)-1].Sequence, head.Sequence)
		}
		return nil
	})
	if err != nil {
		return event.Head{}, event.Checked{}, fmt.Errorf("checking a chain: %w", err)
	}
	checked := checker.Finish(&event.Noted{Sequence: head.Sequence, Hash: head.Hash})
	if err := r.verifyAround(ctx, log, head, &checked); err != nil {
		return event.Head{}, event.Checked{}, err
	}
	return head, checked, nil
}

// verifyAround checks what a walk along the chain does not show: the head's time, rows outside of the chain, and the number of keys.
func (r *Reader) verifyAround(ctx context.Context, log uuid.UUID, head event.Head, c *event.Checked) error {
	row, err := r.db.EventsAround(ctx, r.db.Read, dbsqlc.EventsAroundParams{LogID: log, Through: head.Sequence})
	if err != nil {
		return fmt.Errorf("looking around a chain: %w", db.Classify(err))
	}
	if c.Wrong == 0 && c.Events > 0 && c.RecordedAt != head.RecordedAt {
		c.AddFault(event.FaultHead, head.Sequence, "the head says another time of recording than the last event, %d", head.Sequence)
	}
	if row.Beyond > 0 {
		c.AddFault(event.FaultBeyondHead, row.Beyond, "there is an event %d, after the log's end", row.Beyond)
	}
	if row.Unplaced > 0 {
		c.AddFault(event.FaultDuplicate, 0, "%d events have sequences below 1", row.Unplaced)
	}
	if row.Events > c.Events {
		c.AddFault(event.FaultDuplicate, 0, "there are %d events for %d sequences", row.Events, c.Events)
	}
	if row.Keys != c.Keys {
		c.AddFault(event.FaultKeys, 0,
			"%d events have idempotency keys, and %d keys are stored: a retry could be counted twice, or be refused", c.Keys, row.Keys)
	}
	return nil
}
