package view

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/wasm"
)

// page returns the next events.
func (b *chunk) page(ctx context.Context) ([]event.Recorded, error) {
	if b.last && b.applied == b.head {
		return nil, nil
	} else if b.last {
		return eventlog.ReadHistory(ctx, b.views.db, b.tx, b.log, b.applied, eventlog.HistoryEvents, eventlog.HistoryBytes)
	}
	page, err := b.history.Next(ctx)
	if err != nil || len(page) == 0 {
		return nil, err
	}
	end := eventlog.MarkOf(&page[len(page)-1])
	if held, err := end.IsIn(ctx, b.views.db, b.tx, b.log); err != nil {
		return nil, err
	} else if !held { // it was read ahead, before this transaction
		return nil, eventlog.ErrHistoryGone
	}
	return page, nil
}

// fold folds events until time is up, the log's end is reached or the version halts.
func (b *chunk) fold(ctx context.Context) (Fold, error) {
	skips, err := b.views.db.ListSkips(ctx, b.tx, dbsqlc.ListSkipsParams{LogID: b.log, VersionID: b.id, After: b.applied})
	if err != nil {
		return Fold{}, fmt.Errorf("reading which events to leave out: %w", db.Classify(err))
	}
	f := b.views.folding(b.snapshot)
	defer f.Close()
	f.bounds = b.views.config.buildBounds()
	pace := b.views.inBackground(ctx, b.log)
	defer pace.turn.End()
	if !b.last { // appends to the log wait for the last chunk
		f.pace = pace
	}
	if err := f.start(ctx, b.tx); err != nil {
		return Fold{}, err
	}
	run := &f.runs[0]
	run.writes.most = f.bounds.bytes
	var deadline time.Time // from the first page on: until then nothing could be folded
	for enough := false; !enough; {
		pace.Release()
		page, err := b.page(ctx)
		if err != nil {
			return Fold{}, err
		}
		if enough = len(page) == 0; enough && b.last && b.applied < b.head {
			return Fold{}, eventlog.Missing(b.applied + 1)
		} else if deadline.IsZero() {
			deadline = time.Now().Add(b.limit)
		}
		for at := 0; at < len(page) && !enough; {
			if err := f.pause(); err != nil {
				return Fold{}, err
			}
			n, err := b.foldSome(f, page[at:], &skips, deadline.Add(pace.Waited()))
			if err != nil {
				return Fold{}, err
			} else if run.halt != nil {
				return f.result(b.snapshotAhead()), nil
			}
			at += n
			if time.Since(deadline) >= pace.Waited() || len(run.writes.dirty) >= chunkKeys {
				b.history.Return(page[at:])
				enough = true
			}
		}
	}
	return f.result(b.snapshotAhead()), nil
}

// foldSome folds the first of the events and returns how many: no more than a batch, and only one past the deadline. Where the version
// halts, those before the failing event count.
func (b *chunk) foldSome(f *Folding, page []event.Recorded, skips *[]int64, deadline time.Time) (n int, err error) {
	for n = 0; n < min(len(page), wasm.MaxBatchEvents); n++ {
		e := &page[n]
		if e.Sequence != b.applied+int64(n)+1 {
			if n == 0 {
				return 0, eventlog.Missing(b.applied + 1)
			}
			break
		}
		if len(*skips) > 0 && (*skips)[0] == e.Sequence {
			if n == 0 {
				*skips = (*skips)[1:]
				b.applied, b.reached = e.Sequence, eventlog.MarkOf(e)
				return 1, nil
			}
			break
		}
	}
	err = f.Fold(page[:n], Budget{Time: max(time.Until(deadline), 1), Keys: chunkKeys})
	if over, ok := errors.AsType[*BudgetError](err); ok {
		n, err = over.Folded, nil
	}
	f.Keep()
	if err != nil {
		return 0, err
	}
	if halt := f.runs[0].halt; halt != nil {
		n = int(halt.Sequence - b.applied - 1)
	}
	if n > 0 {
		b.applied, b.reached = page[n-1].Sequence, eventlog.MarkOf(&page[n-1])
	}
	return n, nil
}
