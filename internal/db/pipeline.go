package db

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Pipeline queues :exec queries and sends them in one round trip. It is a dbsqlc.DBTX; queries that return rows cannot be pipelined and
// fail.
type Pipeline struct{ batch pgx.Batch }

// Exec queues a statement. The tag it returns is empty: statements that must affect a certain number of rows check it themselves, with
// as_expected.
func (p *Pipeline) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	p.batch.Queue(sql, args...)
	return pgconn.CommandTag{}, nil
}

// Len returns the number of queued statements.
func (p *Pipeline) Len() int { return p.batch.Len() }

// sender is a connection or a transaction.
type sender interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// send runs the queued statements up to the first that fails. It returns the tag of the last statement, if all succeeded, and how many
// succeeded.
func (p *Pipeline) send(ctx context.Context, to sender) (last pgconn.CommandTag, answered int, err error) {
	results := to.SendBatch(ctx, &p.batch)
	for answered < p.Len() {
		if last, err = results.Exec(); err != nil {
			_ = results.Close() // the same error again
			return pgconn.CommandTag{}, answered, err
		}
		answered++
	}
	return last, answered, results.Close()
}

// SendIn runs the queued statements, in order, inside tx. It stops at the first that fails; the caller rolls tx back.
func (p *Pipeline) SendIn(ctx context.Context, tx pgx.Tx) error {
	if p.Len() == 0 {
		return nil
	}
	_, _, err := p.send(ctx, tx)
	return err
}

var errNoRowsInPipeline = errors.New("a query that returns rows cannot be pipelined")

// Query always fails. It makes Pipeline a dbsqlc.DBTX.
func (p *Pipeline) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return nil, errNoRowsInPipeline
}

// QueryRow always fails. It makes Pipeline a dbsqlc.DBTX.
func (p *Pipeline) QueryRow(context.Context, string, ...any) pgx.Row {
	return failedRow{errNoRowsInPipeline}
}

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }
