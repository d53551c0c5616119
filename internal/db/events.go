package db

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/uuid"
)

// EventRow is a stored event. Its byte slices belong to the connection and are valid until the next row.
type EventRow struct {
	Sequence   int64
	RecordedAt int64 // microseconds since 1970 UTC, like Time
	Time       int64
	Type       []byte
	Key        []byte // nil if there is none
	Data       []byte
	Hash       []byte
}

// EventRange selects events of a log. Times are in microseconds since 1970 UTC.
type EventRange struct {
	Log           uuid.UUID
	After         int64 // only sequences above this one
	Through       int64 // and up to this one
	RecordedFrom  int64 // recorded at this time or later; earlier partitions are not touched
	RecordedUntil int64 // recorded before this time; later partitions are not touched
	Filter        EventFilter
	MaxRows       int
}

// EventFilter narrows a range.
type EventFilter struct {
	Type     string // only events of this type; "" for all
	TimeFrom *int64 // only events that happened at this time or later; nil for no limit
	TimeTo   *int64 // only events that happened before this time; nil for no limit
}

// None reports whether the filter lets every event pass.
func (f *EventFilter) None() bool { return f.Type == "" && f.TimeFrom == nil && f.TimeTo == nil }

// The rows are read in place, in binary form. A log can have millions of events, for which allocating a value per column would cost more
// than reading it. sqlc cannot do that.
const (
	eventColumns = "SELECT sequence, recorded_at, time, type, key, data, hash FROM events " +
		"WHERE log_id = $1 AND sequence > $2 AND sequence <= $3 AND recorded_at >= $4 AND recorded_at < $5"
	eventOrder     = " ORDER BY sequence LIMIT $6"
	eventsAll      = eventColumns + eventOrder
	eventsFiltered = eventColumns + " AND ($7 = '' OR type = $7) AND time >= $8 AND time < $9" + eventOrder
)

// postgresEpoch is the start of PostgreSQL's timestamps, in microseconds since 1970 UTC.
const postgresEpoch = 946_684_800_000_000

// ErrEnough, returned by a callback, ends ReadEvents early and without an error.
var ErrEnough = errors.New("enough events")

// ReadEvents calls each for the events of the range, in order, in one round trip and one transaction of its own. If each returns ErrEnough,
// ReadEvents stops and returns nil; it returns any other error of each unchanged.
func (d *DB) ReadEvents(ctx context.Context, r *EventRange, each func(*EventRow) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, err := d.Read.Acquire(ctx)
	if err != nil {
		return Classify(err)
	}
	defer conn.Release()
	var p Pipeline // one transaction, even without BEGIN
	if err := d.PlanForPartitions(ctx, &p); err != nil {
		return err
	}
	args := []any{r.Log, r.After, r.Through, micros(r.RecordedFrom), micros(r.RecordedUntil), r.MaxRows}
	if r.Filter.None() {
		p.batch.Queue(eventsAll, args...)
	} else {
		p.batch.Queue(eventsFiltered, append(args, r.Filter.Type, bound(r.Filter.TimeFrom, minTime), bound(r.Filter.TimeTo, maxTime))...)
	}
	results := conn.SendBatch(ctx, &p.batch)
	err = readEvents(results, each)
	if err != nil {
		cancel() // gives up the connection instead of waiting for the remaining rows
		_ = results.Close()
		if errors.Is(err, ErrEnough) {
			return nil
		}
		return err
	}
	return Classify(results.Close())
}

func readEvents(results pgx.BatchResults, each func(*EventRow) error) error {
	if _, err := results.Exec(); err != nil {
		return Classify(err)
	}
	rows, err := results.Query()
	if err != nil {
		return Classify(err)
	}
	var row EventRow
	for rows.Next() {
		if err := row.read(rows.RawValues()); err != nil {
			return err
		}
		if err := each(&row); err != nil {
			return err
		}
	}
	return Classify(rows.Err())
}

func (e *EventRow) read(values [][]byte) error {
	const number = 8 // bytes
	if len(values[0]) != number || len(values[1]) != number || len(values[2]) != number {
		return fmt.Errorf("an event's sequence and times have %d, %d and %d bytes, not 8", len(values[0]), len(values[1]), len(values[2]))
	}
	e.Sequence = int64(binary.BigEndian.Uint64(values[0]))                   //nolint:gosec // two's complement
	e.RecordedAt = int64(binary.BigEndian.Uint64(values[1])) + postgresEpoch //nolint:gosec // likewise
	e.Time = int64(binary.BigEndian.Uint64(values[2])) + postgresEpoch       //nolint:gosec // likewise
	e.Type, e.Key, e.Data, e.Hash = values[3], values[4], values[5], values[6]
	return nil
}

// minTime and maxTime lie well within what PostgreSQL's timestamptz can hold.
var (
	minTime = time.Date(-4000, 1, 1, 0, 0, 0, 0, time.UTC)
	maxTime = time.Date(200_000, 1, 1, 0, 0, 0, 0, time.UTC)
)

func micros(t int64) time.Time {
	clock := time.UnixMicro(t)
	switch {
	case clock.Before(minTime):
		return minTime
	case clock.After(maxTime):
		return maxTime
	}
	return clock
}

func bound(t *int64, none time.Time) time.Time {
	if t == nil {
		return none
	}
	return micros(*t)
}
