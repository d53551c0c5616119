package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Pipeline collects the :exec queries that are run against it and sends them in one round trip.
// It is a dbsqlc.DBTX; queries that return rows do not fit in a pipeline and fail.
type Pipeline struct {
	batch pgx.Batch
	want  []expectation
}

type expectation struct {
	rows int64
	err  error
}

// Exec queues a statement. The tag it returns is empty: the real one comes when the pipeline is sent.
func (p *Pipeline) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	p.batch.Queue(sql, args...)
	p.want = append(p.want, expectation{rows: -1})
	return pgconn.CommandTag{}, nil
}

// Expect makes sending fail with err when the statement queued last does not affect that many rows.
func (p *Pipeline) Expect(rows int, err error) {
	p.want[len(p.want)-1] = expectation{rows: int64(rows), err: err}
}

// Len returns how many statements are queued.
func (p *Pipeline) Len() int { return len(p.want) }

// afterBegin returns the same pipeline with a BEGIN before it.
func (p *Pipeline) afterBegin() *Pipeline {
	q := &Pipeline{want: append([]expectation{{rows: -1}}, p.want...)}
	q.batch.Queue("begin")
	q.batch.QueuedQueries = append(q.batch.QueuedQueries, p.batch.QueuedQueries...)
	return q
}

// sender is a connection or a transaction.
type sender interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

func (p *Pipeline) send(ctx context.Context, to sender) error {
	results := to.SendBatch(ctx, &p.batch)
	var failed error
	for _, want := range p.want {
		tag, err := results.Exec()
		if err != nil {
			failed = err
			break
		}
		if want.rows >= 0 && tag.RowsAffected() != want.rows {
			failed = fmt.Errorf("%w: %d rows of %d", want.err, tag.RowsAffected(), want.rows)
			break
		}
	}
	if err := results.Close(); failed == nil {
		failed = err
	}
	return failed
}

// SendIn runs what was queued, in order, inside tx. It stops at the first statement that fails or misses its
// expectation; the caller rolls tx back.
func (p *Pipeline) SendIn(ctx context.Context, tx pgx.Tx) error {
	if p.Len() == 0 {
		return nil
	}
	return p.send(ctx, tx)
}

var errNoRowsInPipeline = errors.New("a query that returns rows cannot be pipelined")

// Query refuses: it makes Pipeline a dbsqlc.DBTX.
func (p *Pipeline) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return nil, errNoRowsInPipeline
}

// QueryRow refuses: it makes Pipeline a dbsqlc.DBTX.
func (p *Pipeline) QueryRow(context.Context, string, ...any) pgx.Row {
	return failedRow{errNoRowsInPipeline}
}

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }
