package db

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrTooLong: a statement took longer than InBoundedTx allows, and PostgreSQL ended it.
var ErrTooLong = errors.New("the statement took too long")

// InBoundedTx is InTx for reading, where no statement may take longer than most. The error may be ErrTooLong.
func (d *DB) InBoundedTx(ctx context.Context, most time.Duration, fn func(tx pgx.Tx) error) error {
	const queryCanceled = "57014"
	err := d.InTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := d.LimitStatementTime(ctx, tx, strconv.FormatInt(most.Milliseconds(), 10)); err != nil {
			return fmt.Errorf("limiting the time of statements: %w", err)
		}
		return fn(tx)
	})
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) && refusal.Code == queryCanceled {
		return fmt.Errorf("%w: %w", ErrTooLong, err)
	}
	return err
}
