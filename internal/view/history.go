package view

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
)

const (
	// A page of history is what one statement reads; a build holds two of them, and what is left of a third.
	pageEvents = 4000
	pageBytes  = 4 << 20
)

// listEvents reads the page of a log's events after one that was recorded then, or later. from is a transaction that plans for partitions.
func listEvents(ctx context.Context, d *db.DB, from dbsqlc.DBTX, log db.UUID, after int64, recorded time.Time) ([]dbsqlc.ListEventsToFoldRow, error) {
	rows, err := d.ListEventsToFold(ctx, from, dbsqlc.ListEventsToFoldParams{
		LogID: log, After: after, RecordedFrom: recorded, MaxRows: pageEvents, MaxBytes: pageBytes,
	})
	if err != nil {
		return nil, fmt.Errorf("reading history: %w", db.Classify(err))
	}
	return rows, nil
}

// history reads a log's events page by page: the next page is read while the caller folds the last one. What it reads has
// been committed, and so will never change.
type history struct {
	db   *db.DB
	log  db.UUID
	left []dbsqlc.ListEventsToFoldRow // given back

	ahead  chan page          // the page that is being read; nil when none is
	cancel context.CancelFunc // ends reading it
	after  int64              // the last event that was read
	when   time.Time          // when that was recorded, or earlier
}

type page struct {
	events []dbsqlc.ListEventsToFoldRow
	err    error
}

// newHistory reads the events after one that was recorded then, or later, until close.
func newHistory(ctx context.Context, d *db.DB, log db.UUID, after int64, recorded time.Time) *history {
	h := &history{db: d, log: log, after: after, when: recorded}
	h.read(ctx)
	return h
}

// close stops reading. A nil history may be closed.
func (h *history) close() {
	if h == nil || h.ahead == nil {
		return
	}
	h.cancel()
	<-h.ahead
	h.ahead = nil
}

// read begins to read the next page; ctx must last until it is there.
func (h *history) read(ctx context.Context) {
	ahead := make(chan page, 1)
	ctx, h.cancel = context.WithCancel(ctx)
	h.ahead = ahead
	after, when := h.after, h.when
	go func() {
		var p page
		p.err = h.db.InTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
			if err := h.db.PlanForPartitions(ctx, tx); err != nil {
				return fmt.Errorf("preparing to read history: %w", err)
			}
			p.events, err = listEvents(ctx, h.db, tx, h.log, after, when)
			return err
		})
		ahead <- p
	}()
}

// next returns the next events; none at the log's end.
func (h *history) next(ctx context.Context) ([]dbsqlc.ListEventsToFoldRow, error) {
	if len(h.left) > 0 {
		events := h.left
		h.left = nil
		return events, nil
	}
	if h.ahead == nil {
		h.read(ctx)
	}
	select {
	case p := <-h.ahead:
		h.cancel()
		h.ahead = nil
		if p.err != nil || len(p.events) == 0 {
			return nil, p.err
		}
		last := p.events[len(p.events)-1]
		h.after, h.when = last.Sequence, last.RecordedAt
		h.read(ctx)
		return p.events, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// giveBack returns events that were not folded; next returns them again. A nil history takes none.
func (h *history) giveBack(events []dbsqlc.ListEventsToFoldRow) {
	if h != nil {
		h.left = events
	}
}
