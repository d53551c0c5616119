package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// rollbackTimeout bounds the rollback of a failed transaction, whose own context may have ended.
const rollbackTimeout = time.Second

// Tx is a transaction that begins with its first statement, in the same round trip if that is in a Pipeline. It is a dbsqlc.DBTX for one
// goroutine.
type Tx struct {
	conn  *pgxpool.Conn
	begun bool
	ended bool
}

// Begin acquires a connection for a transaction. Close releases it.
func Begin(ctx context.Context, pool *pgxpool.Pool) (*Tx, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("taking a database connection: %w", err)
	}
	return &Tx{conn: conn}, nil
}

func (t *Tx) begin(ctx context.Context) error {
	if t.begun {
		return nil
	}
	t.begun = true
	if _, err := t.conn.Exec(ctx, "begin"); err != nil {
		return fmt.Errorf("beginning: %w", err)
	}
	return nil
}

// Exec implements dbsqlc.DBTX.
func (t *Tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if err := t.begin(ctx); err != nil {
		return pgconn.CommandTag{}, err
	}
	return t.conn.Exec(ctx, sql, args...)
}

// Query implements dbsqlc.DBTX.
func (t *Tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := t.begin(ctx); err != nil {
		return nil, err
	}
	return t.conn.Query(ctx, sql, args...)
}

// QueryRow implements dbsqlc.DBTX.
func (t *Tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if err := t.begin(ctx); err != nil {
		return failedRow{err}
	}
	return t.conn.QueryRow(ctx, sql, args...)
}

// Send runs the pipeline's statements in order. It stops at the first one that fails.
func (t *Tx) Send(ctx context.Context, p *Pipeline) error {
	_, _, err := t.with(p, "").send(ctx, t.conn)
	return err
}

// SendAndCommit runs the pipeline's statements and commits, in one round trip. If a statement fails, nothing is committed. The error wraps
// ErrOutcomeUnknown if the commit was sent but got no reply, or got an error that does not prove a rollback.
//
// A transaction that has not begun needs neither BEGIN nor COMMIT: PostgreSQL runs everything up to a Sync as one transaction and commits
// it there (PostgreSQL's protocol, 54.2.4 Pipelining).
func (t *Tx) SendAndCommit(ctx context.Context, p *Pipeline) error {
	if !t.begun {
		_, answered, err := p.send(ctx, t.conn)
		switch {
		case err == nil:
			return nil
		case answered < p.Len() && isError(err): // a statement failed, and PostgreSQL skipped the rest
			return fmt.Errorf("committing: %w", err)
		}
		return committing(err)
	}
	q := t.with(p, "commit")
	last, answered, err := q.send(ctx, t.conn)
	if t.ended = last.String() == "COMMIT"; t.ended {
		return nil // an error after a successful COMMIT does not undo it
	}
	if err == nil { // the transaction had already failed
		return fmt.Errorf("committing: %w", pgx.ErrTxCommitRollback)
	}
	if answered < q.Len()-1 && isError(err) { // a statement before COMMIT failed, and PostgreSQL skipped COMMIT
		return fmt.Errorf("committing: %w", err)
	}
	return committing(err)
}

// KeepAlive keeps PostgreSQL from ending the transaction for being idle, if it has begun. If KeepAlive fails, so does the next statement.
func (t *Tx) KeepAlive(ctx context.Context) {
	if t.begun {
		_, _ = t.conn.Exec(ctx, "select")
	}
}

// with returns the pipeline's statements, preceded by BEGIN if the transaction needs one, and followed by last unless it is empty.
func (t *Tx) with(p *Pipeline, last string) *Pipeline {
	q := &Pipeline{}
	if !t.begun {
		t.begun = true
		q.batch.Queue("begin")
	}
	q.batch.QueuedQueries = append(q.batch.QueuedQueries, p.batch.QueuedQueries...)
	if last != "" {
		q.batch.Queue(last)
	}
	return q
}

// Close rolls back what is not committed and releases the connection. A connection that cannot be rolled back is closed.
func (t *Tx) Close() {
	if t.begun && !t.ended {
		ctx, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
		defer cancel()
		if _, err := t.conn.Exec(ctx, "rollback"); err != nil {
			_ = t.conn.Conn().Close(ctx) // the pool replaces a closed connection
		}
	}
	t.conn.Release()
}
