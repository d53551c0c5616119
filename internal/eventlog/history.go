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
	// HistoryEvents and HistoryBytes bound a page of history, which one statement reads: a History holds two of them, and what is left of a
	// third.
	HistoryEvents = 4000
	HistoryBytes  = 4 << 20
	// Pages that are read ahead are larger, since each asks some small questions too: as many events as make aheadBytes when they are like
	// those of the page before, and a first page of firstEvents. One that turns out larger than HistoryBytes ends there.
	aheadEvents = 16_000
	aheadBytes  = 3 << 20
	firstEvents = 1000
)

// Past is an event of history.
type Past struct {
	Sequence         int64
	Time, RecordedAt int64 // microseconds since 1970 UTC
	Data             []byte
	Hash             event.Hash
}

// Recorded is the event as it is folded.
func (e *Past) Recorded() event.Recorded {
	return event.Recorded{Event: event.Event{Data: e.Data, Time: e.Time}, Sequence: e.Sequence, RecordedAt: e.RecordedAt}
}

// Recorded are events as they are read from a log, ready to be folded.
func Recorded(page []Past) []event.Recorded {
	events := make([]event.Recorded, len(page))
	for i := range page {
		events[i] = page[i].Recorded()
	}
	return events
}

// ReadHistory reads the page of a log's events after one. from is a transaction that plans for partitions; the page is read from those that
// hold it.
func ReadHistory(ctx context.Context, d *db.DB, from dbsqlc.DBTX, log uuid.UUID, after int64, maxRows int32, maxBytes int64) ([]Past, error) {
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
	page := make([]Past, len(rows))
	for i := range rows {
		r := &rows[i]
		page[i] = Past{r.Sequence, r.Time.UnixMicro(), r.RecordedAt.UnixMicro(), r.Data, event.Hash(r.Hash)}
	}
	return page, nil
}

// pageReader copies a page of history out of a connection's buffers, into two pieces of memory.
type pageReader struct {
	most   int // events
	events []Past
	data   []byte // of all events
	ends   []int  // of each event's data
}

func (r *pageReader) add(row *db.EventRow) error {
	if len(row.Hash) != len(event.Hash{}) {
		return fmt.Errorf("the hash of event %d has %d bytes, not %d", row.Sequence, len(row.Hash), len(event.Hash{}))
	}
	r.events = append(r.events, Past{Sequence: row.Sequence, Time: row.Time, RecordedAt: row.RecordedAt, Hash: event.Hash(row.Hash)})
	r.data = append(r.data, row.Data...)
	r.ends = append(r.ends, len(r.data))
	if len(r.data) >= HistoryBytes && len(r.events) < r.most {
		return db.ErrEnough
	}
	return nil
}

// page gives the events their data, now that nothing moves any more.
func (r *pageReader) page() []Past {
	from := 0
	for i, end := range r.ends {
		r.events[i].Data = r.data[from:end:end]
		from = end
	}
	return r.events
}

// EventText reads an event's JSON, or its beginning.
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
			LogID: log, Sequence: sequence, RecordedFrom: recorded.RecordedFrom, RecordedUntil: recorded.RecordedUntil, MaxLength: maxLength,
		})
		return err
	})
	return text, err
}

// History reads a log's events page by page: the next page is read while the caller folds the last one. What it reads has
// been committed, and so will never change.
type History struct {
	db   *db.DB
	log  uuid.UUID
	left []Past // returned

	ahead  chan page          // the page that is being read; nil when none is
	cancel context.CancelFunc // ends reading it
	after  int64              // the last event that was read
	bytes  int                // of an event of the page before; 0 when there was none
}

type page struct {
	events []Past
	err    error
}

// NewHistory reads the events after one until Close.
func NewHistory(ctx context.Context, d *db.DB, log uuid.UUID, after int64) *History {
	h := &History{db: d, log: log, after: after}
	h.read(ctx)
	return h
}

// Close stops reading. A nil history may be closed.
func (h *History) Close() {
	if h == nil || h.ahead == nil {
		return
	}
	h.cancel()
	<-h.ahead
	h.ahead = nil
}

// read begins to read the next page; ctx must last until it is there.
func (h *History) read(ctx context.Context) {
	ahead := make(chan page, 1)
	ctx, h.cancel = context.WithCancel(ctx)
	h.ahead = ahead
	after, most := h.after, firstEvents
	if h.bytes > 0 {
		most = min(aheadEvents, max(aheadBytes/h.bytes, 1))
	}
	r := &pageReader{most: most, events: make([]Past, 0, most), data: make([]byte, 0, most*h.bytes*9/8), ends: make([]int, 0, most)}
	go func() {
		err := h.readPage(ctx, after, r)
		ahead <- page{r.page(), err}
	}()
}

// readPage reads what fits into a page of the events after one.
func (h *History) readPage(ctx context.Context, after int64, r *pageReader) error {
	through := after + int64(r.most)
	recorded, err := h.db.RecordedBetween(ctx, h.db.Read, dbsqlc.RecordedBetweenParams{LogID: h.log, First: after + 1, Last: through})
	if err != nil {
		return fmt.Errorf("looking for history: %w", db.Classify(err))
	}
	err = h.db.ReadEvents(ctx, &db.EventRange{
		Log: h.log, After: after, Through: through, MaxRows: r.most,
		RecordedFrom: recorded.RecordedFrom.UnixMicro(), RecordedUntil: recorded.RecordedUntil.UnixMicro(),
	}, r.add)
	if err != nil {
		return fmt.Errorf("reading history: %w", err)
	}
	return nil
}

// Next returns the next events; none at the log's end.
func (h *History) Next(ctx context.Context) ([]Past, error) {
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
		last := &p.events[len(p.events)-1]
		h.after, h.bytes = last.Sequence, 0
		for i := range p.events {
			h.bytes += len(p.events[i].Data)
		}
		h.bytes = h.bytes/len(p.events) + 1
		h.read(ctx)
		return p.events, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Return takes events that were not folded; Next returns them again. A nil history takes none.
func (h *History) Return(events []Past) {
	if h != nil {
		h.left = events
	}
}

// Mark is how far somebody has come in a log's history: an event, whose hash stands for all before it.
type Mark struct {
	sequence   int64 // 0: no event
	recordedAt int64 // microseconds since 1970 UTC
	hash       event.Hash
}

// MarkOf is the mark of whoever has come to the event.
func MarkOf(e *Past) Mark { return Mark{e.Sequence, e.RecordedAt, e.Hash} }

// IsIn tells whether the log still holds the event. tx is one that plans for partitions.
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

// ErrHistoryGone: the database was set back while history was folded.
var ErrHistoryGone = fmt.Errorf("the log's history is another one than was read before: %w", db.ErrConflict)

// Missing says that a log lacks an event that it must have.
func Missing(sequence int64) error {
	return fmt.Errorf("the log has no event %d: its history is not whole", sequence)
}
