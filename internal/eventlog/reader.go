package eventlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// One statement reads about pageBytes, and never more than maxPageEvents.
	pageBytes     = 1 << 20
	maxPageEvents = 4000
	// maxPageBytes ends a page that Page returns, maxAheadBytes one of the two pages that Stream has in memory, when events turn out larger
	// than those before. The last event may pass it by event.MaxBytes.
	maxPageBytes  = 8 << 20
	maxAheadBytes = 2 << 20
	// StreamBytes is about what Stream takes in memory.
	StreamBytes = 2 * (maxAheadBytes + event.MaxBytes + maxPageEvents*eventOverhead)
	// eventOverhead is about what an event takes in memory beside its bytes. usualEventBytes is how many bytes an event is assumed to have
	// before any was read.
	eventOverhead   = 256
	usualEventBytes = 384
	// roomStep is by how much a page's booking grows as its events arrive.
	roomStep = 64 << 10
	// firstPageEvents is how many events the first statement reads, while their size is unknown.
	firstPageEvents = 500
	// scanEvents bounds how many events one statement looks at when a filter leaves out most of them.
	scanEvents = 50_000
)

// Query selects events of a log. The zero value selects all.
type Query struct {
	From int64 // the first sequence; 0 means 1
	// Through is the last sequence; 0 means the head's.
	Through int64
	// RecordedFrom (inclusive) and RecordedTo (exclusive) bound the time of recording, in microseconds since 1970 UTC; nil means no bound.
	RecordedFrom, RecordedTo *int64
	Filter                   db.EventFilter
	// PageBytes is how many bytes end a page, with the event that reaches them; 0 means as many as a page may have.
	PageBytes int
	// everywhere reads all partitions, whatever log_months says, to find rows that were moved to the wrong one.
	everywhere bool
}

// Reader reads events. What it returns is committed and will never change. It is safe for concurrent use.
type Reader struct{ db *db.DB }

// NewReader returns a reader of the database's logs.
func NewReader(d *db.DB) *Reader { return &Reader{db: d} }

// Head returns a log's head. The error is ErrLogNotFound or the database's.
func (r *Reader) Head(ctx context.Context, log uuid.UUID) (event.Head, error) {
	row, err := r.db.GetHead(ctx, r.db.Read, log)
	if err := db.Classify(err); errors.Is(err, db.ErrNotFound) {
		return event.Head{}, ErrLogNotFound
	} else if err != nil {
		return event.Head{}, fmt.Errorf("reading a head: %w", err)
	}
	return event.Head{
		Sequence: row.Sequence, Hash: event.Hash(row.Hash), RecordedAt: row.RecordedAt.UnixMicro(), ViewsEpoch: row.ViewsEpoch,
	}, nil
}

// Page is some of a log's events, in order.
type Page struct {
	Events []event.Recorded
	// Through is the last sequence that was looked at: the next page starts after it.
	Through int64
	// Done: the range has no more events.
	Done bool
}

// PageBytes estimates what a page of limit events takes in memory, before it is read.
func PageBytes(limit int) int64 {
	return min(int64(limit)*(eventOverhead+usualEventBytes), maxPageBytes+int64(limit)*eventOverhead)
}

// Page returns up to limit of the events that q selects from the log, whose head is head. It looks at no more than scanned events, so a
// page may be short, or empty, before the range is done. Its memory is booked in room, which may have PageBytes booked already: the booking
// grows as events arrive, and is what the page takes in the end. The error is memory.ErrFull or the database's.
func (r *Reader) Page(
	ctx context.Context, log uuid.UUID, head event.Head, q Query, limit int, scanned int64, room *memory.Hold,
) (Page, error) {
	s, err := r.scan(ctx, log, head, q)
	if err != nil {
		return Page{}, err
	}
	page := Page{Through: s.after}
	until := min(s.through, saturatingAdd(s.after, scanned))
	bytes, held, most := 0, int64(0), cmp.Or(q.PageBytes, maxPageBytes)
	for s.after < until && len(page.Events) < limit && bytes < most {
		b := &pageBuilder{room: room, held: held, maxBytes: most - bytes}
		events, err := s.next(ctx, b, limit-len(page.Events), until)
		if err != nil {
			return Page{}, err
		}
		bytes, held = bytes+b.bytes, b.needs()
		page.Events = append(page.Events, events...)
	}
	room.Shrink(held)
	page.Through, page.Done = s.after, s.after >= s.through
	return page, nil
}

// Stream passes all events that q selects from the log, whose head is head, to each, page by page. It reads the next page while each works.
// The events, and what they hold, are valid until each returns. No connection is held while each works. The error is each's, ctx's or the
// database's.
func (r *Reader) Stream(ctx context.Context, log uuid.UUID, head event.Head, q Query, each func([]event.Recorded) error) error {
	s, err := r.scan(ctx, log, head, q)
	if err != nil {
		return err
	}
	return readAhead(ctx, func(ctx context.Context, b *pageBuilder) (events []event.Recorded, more bool, err error) {
		if s.after >= s.through {
			return nil, false, nil
		}
		b.maxBytes = maxAheadBytes
		events, err = s.next(ctx, b, maxPageEvents, s.through)
		return events, s.after < s.through, err
	}, each)
}

// pageReader reads the next page into a builder. more is false at the end of the range.
type pageReader func(context.Context, *pageBuilder) (events []event.Recorded, more bool, err error)

// readAhead passes the pages that read returns to each, and reads the next one meanwhile. It returns the first error of read, each or ctx,
// once the goroutine that reads has ended.
func readAhead(ctx context.Context, read pageReader, each func([]event.Recorded) error) error {
	ctx, cancel := context.WithCancel(ctx)
	type result struct {
		events []event.Recorded
		of     *pageBuilder
		err    error
	}
	pages := make(chan result)
	free := make(chan *pageBuilder, 2) // one is read while the other one's events are worked on
	free <- &pageBuilder{}
	free <- &pageBuilder{}
	defer func() {
		cancel()
		for range pages { //nolint:revive // waits until the goroutine has ended
		}
	}()
	go func() {
		defer close(pages)
		for more := true; more; {
			var b *pageBuilder
			select { // after an error nobody returns builders to free
			case b = <-free:
			case <-ctx.Done():
				return
			}
			var page result
			page.of = b
			page.events, more, page.err = read(ctx, b)
			select {
			case pages <- page:
			case <-ctx.Done():
				return
			}
			if page.err != nil {
				return
			}
		}
	}()
	for page := range pages {
		if page.err != nil {
			return page.err
		}
		if len(page.events) > 0 {
			if err := each(page.events); err != nil {
				return err
			}
		}
		free <- page.of
	}
	return ctx.Err()
}

// scan reads a range, statement by statement.
type scan struct {
	db             *db.DB
	log            uuid.UUID
	query          Query
	after, through int64
	recordedUntil  int64 // all events up to through were recorded before
	months         []dbsqlc.ListLogMonthsRow
	eventBytes     int // of an event of the last page; 0 when there was none
}

func (r *Reader) scan(ctx context.Context, log uuid.UUID, head event.Head, q Query) (*scan, error) {
	s := &scan{db: r.db, log: log, query: q, after: max(q.From, 1) - 1, through: head.Sequence, recordedUntil: head.RecordedAt + 1}
	if q.Through > 0 {
		s.through = min(s.through, q.Through)
	}
	if q.everywhere {
		s.recordedUntil = math.MaxInt64
		return s, nil
	}
	var err error
	s.months, err = r.db.ListLogMonths(ctx, r.db.Read, dbsqlc.ListLogMonthsParams{LogID: log, Through: s.through})
	if err != nil {
		return nil, fmt.Errorf("reading a log's months: %w", db.Classify(err))
	}
	s.skipMonths()
	return s, nil
}

// skipMonths narrows a range by time of recording to the sequences of its months.
func (s *scan) skipMonths() {
	for _, m := range s.months {
		begun := m.Month.UnixMicro()
		if from := s.query.RecordedFrom; from != nil && begun <= *from {
			s.after = max(s.after, m.FirstSequence-1)
		}
		if to := s.query.RecordedTo; to != nil && begun >= *to {
			s.through = min(s.through, m.FirstSequence-1)
		}
	}
}

// stretch returns the last sequence that was recorded in the same month as the next one, and the bounds of that month.
func (s *scan) stretch() (last, from, until int64) {
	last, from, until = s.through, math.MinInt64, s.recordedUntil
	for _, m := range s.months {
		if m.FirstSequence > s.after+1 {
			return min(last, m.FirstSequence-1), from, min(until, m.Month.UnixMicro())
		}
		from = m.Month.UnixMicro()
	}
	return last, from, until
}

// next reads up to limit events, up to the sequence until, and advances. It may return none when a filter leaves them out. The events are
// valid until b is used again.
func (s *scan) next(ctx context.Context, b *pageBuilder, limit int, until int64) ([]event.Recorded, error) {
	last, from, to := s.stretch()
	last = min(last, until)
	if !s.query.Filter.None() || s.query.RecordedFrom != nil || s.query.RecordedTo != nil {
		last = min(last, s.after+scanEvents)
	}
	if s.query.RecordedFrom != nil {
		from = max(from, *s.query.RecordedFrom)
	}
	if s.query.RecordedTo != nil {
		to = min(to, *s.query.RecordedTo)
	}
	b.reset(s.pageEvents(limit), s.eventBytes)
	err := s.db.ReadEvents(ctx, &db.EventRange{
		Log: s.log, After: s.after, Through: last, RecordedFrom: from, RecordedUntil: to, Filter: s.query.Filter, MaxRows: b.limit,
	}, b.add)
	if err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	if b.full() {
		s.after = b.events[len(b.events)-1].Sequence
	} else {
		s.after = last
	}
	if len(b.events) > 0 {
		s.eventBytes = b.eventBytes()
	}
	b.seal()
	return b.events, nil
}

// pageEvents returns how many events to read with one statement, by the size of those before.
func (s *scan) pageEvents(limit int) int {
	expected := firstPageEvents
	if s.eventBytes > 0 {
		expected = max(pageBytes/s.eventBytes, 1)
	}
	return min(limit, expected, maxPageEvents)
}

func saturatingAdd(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
