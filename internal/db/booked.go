package db

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/memory"
)

// rowOverhead is about what a row takes in memory beside the bytes of its values.
const rowOverhead = 160

// Booked returns a DBTX that reads from from and books each row in room before it is held. Reading fails with memory.ErrFull when there is
// no room. The rows stay booked until the caller releases them. room may be nil.
func Booked(from dbsqlc.DBTX, room *memory.Hold) dbsqlc.DBTX {
	if room == nil {
		return from
	}
	return booked{from, room}
}

type booked struct {
	dbsqlc.DBTX
	room *memory.Hold
}

// Query implements dbsqlc.DBTX.
func (b booked) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	rows, err := b.DBTX.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return &bookedRows{Rows: rows, room: b.room}, nil
}

// QueryRow implements dbsqlc.DBTX.
func (b booked) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, err := b.Query(ctx, sql, args...)
	if err != nil {
		return failedRow{err}
	}
	return firstRow{rows}
}

// bookedRows ends before the first row that there is no room for.
type bookedRows struct {
	pgx.Rows
	room *memory.Hold
	full error
}

// Next implements pgx.Rows.
func (r *bookedRows) Next() bool {
	if !r.Rows.Next() {
		return false
	}
	if r.full = r.room.Use(rowBytes(r.RawValues())); r.full != nil {
		r.Close() // the rows that are left are read, one at a time, and dropped
		return false
	}
	return true
}

// Err implements pgx.Rows.
func (r *bookedRows) Err() error {
	if r.full != nil {
		return r.full
	}
	return r.Rows.Err()
}

func rowBytes(values [][]byte) int64 {
	n := int64(rowOverhead)
	for _, value := range values {
		n += int64(len(value))
	}
	return n
}

// firstRow is the first of the rows, as pgx.Row has it.
type firstRow struct{ rows pgx.Rows }

// Scan implements pgx.Row.
func (r firstRow) Scan(to ...any) error {
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(to...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}
