package view

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// A page of history is what one statement reads; a build holds two of them, and what is left of a third.
	pageEvents = 4000
	pageBytes  = 4 << 20
	// Pages that are read ahead are larger, since each asks some small questions too: as many events as make aheadBytes when they are like those
	// of the page before, and a first page of firstEvents. One that turns out larger than pageBytes ends there.
	aheadEvents = 16_000
	aheadBytes  = 3 << 20
	firstEvents = 1000
)

// pastEvent is an event of history.
type pastEvent struct {
	sequence         int64
	time, recordedAt int64 // microseconds since 1970 UTC
	data             []byte
	hash             event.Hash
}

// recorded is the event as it is folded.
func (e *pastEvent) recorded() event.Recorded {
	return event.Recorded{Event: event.Event{Data: e.data, Time: e.time}, Sequence: e.sequence, RecordedAt: e.recordedAt}
}

// recorded are events as they are read from a log, ready to be folded.
func recorded(page []pastEvent) []event.Recorded {
	events := make([]event.Recorded, len(page))
	for i := range page {
		events[i] = page[i].recorded()
	}
	return events
}

// listEvents reads the page of a log's events after one. from is a transaction that plans for partitions; the page is read from those that
// hold it.
func listEvents(ctx context.Context, d *db.DB, from dbsqlc.DBTX, log uuid.UUID, after int64, maxRows int32, maxBytes int64) ([]pastEvent, error) {
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
	page := make([]pastEvent, len(rows))
	for i := range rows {
		r := &rows[i]
		page[i] = pastEvent{r.Sequence, r.Time.UnixMicro(), r.RecordedAt.UnixMicro(), r.Data, event.Hash(r.Hash)}
	}
	return page, nil
}

// pageReader copies a page of history out of a connection's buffers, into two pieces of memory.
type pageReader struct {
	most   int // events
	events []pastEvent
	data   []byte // of all events
	ends   []int  // of each event's data
}

func (r *pageReader) add(row *db.EventRow) error {
	if len(row.Hash) != len(event.Hash{}) {
		return fmt.Errorf("the hash of event %d has %d bytes, not %d", row.Sequence, len(row.Hash), len(event.Hash{}))
	}
	r.events = append(r.events, pastEvent{sequence: row.Sequence, time: row.Time, recordedAt: row.RecordedAt, hash: event.Hash(row.Hash)})
	r.data = append(r.data, row.Data...)
	r.ends = append(r.ends, len(r.data))
	if len(r.data) >= pageBytes && len(r.events) < r.most {
		return db.ErrEnough
	}
	return nil
}

// page gives the events their data, now that nothing moves any more.
func (r *pageReader) page() []pastEvent {
	from := 0
	for i, end := range r.ends {
		r.events[i].data = r.data[from:end:end]
		from = end
	}
	return r.events
}

// eventText reads an event's JSON, or its beginning.
func eventText(ctx context.Context, d *db.DB, log uuid.UUID, sequence int64, maxLength int32) (text string, err error) {
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
	log  uuid.UUID
	left []pastEvent // given back

	ahead  chan page          // the page that is being read; nil when none is
	cancel context.CancelFunc // ends reading it
	after  int64              // the last event that was read
	bytes  int                // of an event of the page before; 0 when there was none
}

type page struct {
	events []pastEvent
	err    error
}

// newHistory reads the events after one until close.
func newHistory(ctx context.Context, d *db.DB, log uuid.UUID, after int64) *history {
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
	after, most := h.after, firstEvents
	if h.bytes > 0 {
		most = min(aheadEvents, max(aheadBytes/h.bytes, 1))
	}
	r := &pageReader{most: most, events: make([]pastEvent, 0, most), data: make([]byte, 0, most*h.bytes*9/8), ends: make([]int, 0, most)}
	go func() {
		err := h.readPage(ctx, after, r)
		ahead <- page{r.page(), err}
	}()
}

// readPage reads what fits into a page of the events after one.
func (h *history) readPage(ctx context.Context, after int64, r *pageReader) error {
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

// next returns the next events; none at the log's end.
func (h *history) next(ctx context.Context) ([]pastEvent, error) {
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
		h.after, h.bytes = last.sequence, 0
		for i := range p.events {
			h.bytes += len(p.events[i].data)
		}
		h.bytes = h.bytes/len(p.events) + 1
		h.read(ctx)
		return p.events, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// giveBack returns events that were not folded; next returns them again. A nil history takes none.
func (h *history) giveBack(events []pastEvent) {
	if h != nil {
		h.left = events
	}
}

// reached is how far somebody has folded a log's history: an event, whose hash stands for all before it.
type reached struct {
	sequence   int64 // 0: no event
	recordedAt int64 // microseconds since 1970 UTC
	hash       event.Hash
}

func reachedAt(e *pastEvent) reached { return reached{e.sequence, e.recordedAt, e.hash} }

// isIn tells whether the log still holds the event. tx is one that plans for partitions.
func (r *reached) isIn(ctx context.Context, d *db.DB, tx dbsqlc.DBTX, log uuid.UUID) (bool, error) {
	if r.sequence == 0 {
		return true, nil
	}
	hash, err := d.EventHash(ctx, tx, dbsqlc.EventHashParams{LogID: log, Sequence: r.sequence, RecordedAt: time.UnixMicro(r.recordedAt)})
	if kind := db.Classify(err); isNotFound(kind) {
		return false, nil
	} else if kind != nil {
		return false, fmt.Errorf("looking for the event that was folded last: %w", kind)
	}
	return bytes.Equal(hash, r.hash[:]), nil
}

// errHistoryGone: the database was set back while history was folded.
var errHistoryGone = fmt.Errorf("the log's history is another one than was read before: %w", db.ErrConflict)
