package db

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/memory"
)

// rowOverhead is roughly how many bytes a row takes in memory besides its values.
const rowOverhead = 160

// Booked returns a DBTX that reads from from and books each row in room before holding it. Reading fails with memory.ErrFull if there is no
// room. The rows stay booked until the caller releases them. If room is nil, Booked returns from.
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

// bookedRows ends before the first row that does not fit in room.
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
		r.Close() // reads the remaining rows one at a time and drops them
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

// firstRow is a pgx.Row: the first of rows.
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
