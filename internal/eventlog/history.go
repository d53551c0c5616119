package eventlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// HistoryEvents and HistoryBytes bound a page of history, which one statement reads. A History holds two pages and the rest of a third.
	HistoryEvents = 4000
	HistoryBytes  = 4 << 20
	// Pages read ahead have more events, since each page takes some small queries too: as many as make aheadBytes if they are like those of
	// the page before, and firstEvents on the first page. A page ends at HistoryBytes in any case.
	aheadEvents = 16_000
	aheadBytes  = 3 << 20
	firstEvents = 1000
)

// ReadHistory reads a page of up to maxRows events of a log, those that follow after, without their types and keys. The event that reaches
// maxBytes is the last one. from is a transaction that plans for partitions; only those that hold the page are read.
func ReadHistory(
	ctx context.Context, d *db.DB, from dbsqlc.DBTX, log uuid.UUID, after int64, maxRows int32, maxBytes int64,
) ([]event.Recorded, error) {
	recorded, err := d.RecordedBetween(ctx, from, dbsqlc.RecordedBetweenParams{LogID: log, First: after + 1, Last: after + int64(maxRows)})
	if err != nil {
		return nil, fmt.Errorf("looking for history: %w", db.Classify(err))
	}
	rows, err := d.ListEventsToFold(ctx, from, dbsqlc.ListEventsToFoldParams{
		LogID: log, After: after, RecordedFrom: recorded.RecordedFrom, RecordedUntil: recorded.RecordedUntil,
		MaxRows: maxRows, MaxBytes: maxBytes,
	})
	if err != nil {
		return nil, fmt.Errorf("reading history: %w", db.Classify(err))
	}
	events := make([]event.Recorded, len(rows))
	for i := range rows {
		r := &rows[i]
		events[i] = event.Recorded{
			Event:    event.Event{Data: r.Data, Time: r.Time.UnixMicro(), HasTime: true},
			Sequence: r.Sequence, RecordedAt: r.RecordedAt.UnixMicro(), Hash: event.Hash(r.Hash),
		}
	}
	return events, nil
}

// EventText returns an event's JSON, or its first maxLength characters.
func EventText(ctx context.Context, d *db.DB, log uuid.UUID, sequence int64, maxLength int32) (text string, err error) {
	err = d.InTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := d.PlanForPartitions(ctx, tx); err != nil {
			return err
		}
		recorded, err := d.RecordedBetween(ctx, tx, dbsqlc.RecordedBetweenParams{LogID: log, First: sequence, Last: sequence})
		if err != nil {
			return err
		}
		text, err = d.EventText(ctx, tx, dbsqlc.EventTextParams{
			LogID: log, Sequence: sequence, RecordedFrom: recorded.RecordedFrom, RecordedUntil: recorded.RecordedUntil,
			MaxLength: maxLength,
		})
		return err
	})
	return text, err
}

// History reads a log's events page by page, and one page ahead of its caller. What it reads is committed and will never change. It is for
// one goroutine.
type History struct {
	db   *db.DB
	log  uuid.UUID
	left []event.Recorded // from Return

	ahead      chan page          // the page that is being read; nil when none is
	cancel     context.CancelFunc // ends reading it
	after      int64              // the last event that was read
	eventBytes int                // of an event of the page before; 0 when there was none
}

type page struct {
	*pageBuilder
	err error
}

// NewHistory begins to read the events that follow the sequence after. Close it.
func NewHistory(ctx context.Context, d *db.DB, log uuid.UUID, after int64) *History {
	h := &History{db: d, log: log, after: after}
	h.read(ctx)
	return h
}

// Close stops reading. A nil *History may be closed.
func (h *History) Close() {
	if h == nil || h.ahead == nil {
		return
	}
	h.cancel()
	<-h.ahead
	h.ahead = nil
}

// read starts reading the next page; ctx must last until that is done.
func (h *History) read(ctx context.Context) {
	ahead := make(chan page, 1)
	ctx, h.cancel = context.WithCancel(ctx)
	h.ahead = ahead
	after, most := h.after, firstEvents
	if h.eventBytes > 0 {
		most = min(aheadEvents, max(aheadBytes/h.eventBytes, 1))
	}
	b := &pageBuilder{maxBytes: HistoryBytes}
	b.reset(most, h.eventBytes)
	go func() {
		err := h.readPage(ctx, after, b)
		ahead <- page{b, err}
	}()
}

// readPage reads a page of the events that follow after.
func (h *History) readPage(ctx context.Context, after int64, b *pageBuilder) error {
	through := after + int64(b.limit)
	recorded, err := h.db.RecordedBetween(ctx, h.db.Read, dbsqlc.RecordedBetweenParams{LogID: h.log, First: after + 1, Last: through})
	if err != nil {
		return fmt.Errorf("looking for history: %w", db.Classify(err))
	}
	err = h.db.ReadEvents(ctx, &db.EventRange{
		Log: h.log, After: after, Through: through, MaxRows: b.limit,
		RecordedFrom: recorded.RecordedFrom.UnixMicro(), RecordedUntil: recorded.RecordedUntil.UnixMicro(),
	}, b.add)
	if err != nil {
		return fmt.Errorf("reading history: %w", err)
	}
	b.seal()
	return nil
}

// Next returns the next events, none at the log's end.
func (h *History) Next(ctx context.Context) ([]event.Recorded, error) {
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
		h.after, h.eventBytes = p.events[len(p.events)-1].Sequence, p.eventBytes()
		h.read(ctx)
		return p.events, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Return hands back the last events of a page, those that were not folded: Next returns them again. On a nil *History it does nothing.
func (h *History) Return(events []event.Recorded) {
	if h != nil {
		h.left = events
	}
}

// Mark is a position in a log's history: an event, whose hash stands for all before it. The zero value is the beginning.
type Mark struct {
	sequence   int64 // 0: no event
	recordedAt int64 // microseconds since 1970 UTC
	hash       event.Hash
}

// MarkOf returns the position of the event.
func MarkOf(e *event.Recorded) Mark { return Mark{e.Sequence, e.RecordedAt, e.Hash} }

// IsIn reports whether the log still holds the event. tx is a transaction that plans for partitions.
func (m *Mark) IsIn(ctx context.Context, d *db.DB, tx dbsqlc.DBTX, log uuid.UUID) (bool, error) {
	if m.sequence == 0 {
		return true, nil
	}
	hash, err := d.EventHash(ctx, tx, dbsqlc.EventHashParams{LogID: log, Sequence: m.sequence, RecordedAt: time.UnixMicro(m.recordedAt)})
	if kind := db.Classify(err); errors.Is(kind, db.ErrNotFound) {
		return false, nil
	} else if kind != nil {
		return false, fmt.Errorf("looking for the event that was folded last: %w", kind)
	}
	return bytes.Equal(hash, m.hash[:]), nil
}

// ErrHistoryGone: the database was restored to an earlier state while history was read.
var ErrHistoryGone = fmt.Errorf("the log's history is another one than was read before: %w", db.ErrConflict)

// Missing returns the error for a log that lacks an event.
func Missing(sequence int64) error {
	return fmt.Errorf("the log has no event %d: its history is not whole", sequence)
}
