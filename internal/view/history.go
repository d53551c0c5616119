package view

import (
	"bytes"
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

// listEvents reads the page of a log's events after one. from is a transaction that plans for partitions; the page is read from those that
// hold it.
func listEvents(ctx context.Context, d *db.DB, from dbsqlc.DBTX, log db.UUID, after int64, maxRows int32, maxBytes int64) ([]dbsqlc.ListEventsToFoldRow, error) {
	recorded, err := d.RecordedBetween(ctx, from, dbsqlc.RecordedBetweenParams{LogID: log, First: after + 1, Last: after + int64(maxRows)})
	if err != nil {
		return nil, fmt.Errorf("looking for history: %w", db.Classify(err))
	}
	rows, err := d.ListEventsToFold(ctx, from, dbsqlc.ListEventsToFoldParams{
		LogID: log, After: after, RecordedFrom: recorded.RecordedFrom, RecordedUntil: recorded.RecordedUntil, MaxRows: maxRows, MaxBytes: maxBytes,
	})
	if err != nil {
		return nil, fmt.Errorf("reading history: %w", db.Classify(err))
	}
	return rows, nil
}

// eventText reads an event's JSON, or its beginning.
func eventText(ctx context.Context, d *db.DB, log db.UUID, sequence int64, maxLength int32) (text string, err error) {
	err = d.InTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := d.PlanForPartitions(ctx, tx); err != nil {
			return err
		}
		recorded, err := d.RecordedBetween(ctx, tx, dbsqlc.RecordedBetweenParams{LogID: log, First: sequence, Last: sequence})
		if err != nil {
			return err
		}
		text, err = d.EventText(ctx, tx, dbsqlc.EventTextParams{
			LogID: log, Sequence: sequence, RecordedFrom: recorded.RecordedFrom, RecordedUntil: recorded.RecordedUntil, MaxLength: maxLength,
		})
		return err
	})
	return text, err
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
}

type page struct {
	events []dbsqlc.ListEventsToFoldRow
	err    error
}

// newHistory reads the events after one until close.
func newHistory(ctx context.Context, d *db.DB, log db.UUID, after int64) *history {
	h := &history{db: d, log: log, after: after}
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
	after := h.after
	go func() {
		var p page
		p.err = h.db.InTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
			if err := h.db.PlanForPartitions(ctx, tx); err != nil {
				return fmt.Errorf("preparing to read history: %w", err)
			}
			p.events, err = listEvents(ctx, h.db, tx, h.log, after, pageEvents, pageBytes)
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
		h.after = p.events[len(p.events)-1].Sequence
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

// reached is how far somebody has folded a log's history: an event, whose hash stands for all before it.
type reached struct {
	sequence   int64
	recordedAt time.Time
	hash       []byte
}

func reachedAt(row *dbsqlc.ListEventsToFoldRow) reached {
	return reached{row.Sequence, row.RecordedAt, row.Hash}
}

// isIn tells whether the log still holds the event. tx is one that plans for partitions.
func (r *reached) isIn(ctx context.Context, d *db.DB, tx dbsqlc.DBTX, log db.UUID) (bool, error) {
	if r.hash == nil {
		return true, nil
	}
	hash, err := d.EventHash(ctx, tx, dbsqlc.EventHashParams{LogID: log, Sequence: r.sequence, RecordedAt: r.recordedAt})
	if kind := db.Classify(err); isNotFound(kind) {
		return false, nil
	} else if kind != nil {
		return false, fmt.Errorf("looking for the event that was folded last: %w", kind)
	}
	return bytes.Equal(hash, r.hash), nil
}

// errHistoryGone: the database was set back while history was folded.
var errHistoryGone = fmt.Errorf("the log's history is another one than was read before: %w", db.ErrConflict)
