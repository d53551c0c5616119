package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// rollbackTimeout bounds the end of a transaction that failed, whose own context may have ended.
const rollbackTimeout = time.Second

// Tx is a transaction that begins with its first statement, in the same round trip where that is a Pipeline. It is a
// dbsqlc.DBTX for one goroutine.
type Tx struct {
	conn  *pgxpool.Conn
	begun bool
	ended bool
}

// Begin takes a connection for a transaction. Close gives it back.
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

// Send runs what the pipeline holds, in order. It stops at the first statement that fails.
func (t *Tx) Send(ctx context.Context, p *Pipeline) error {
	_, _, err := t.with(p, "").send(ctx, t.conn)
	return err
}

// SendAndCommit runs what the pipeline holds and commits, in one round trip. Nothing is committed when a statement fails. The
// error wraps ErrOutcomeUnknown when the commit was on its way and was not answered, or was answered with an error that is not known to
// be a refusal: then nobody knows.
//
// A transaction that has not begun needs neither BEGIN nor COMMIT: PostgreSQL makes one of what is sent up to a Sync, and commits it there
// (its protocol, 54.2.4 Pipelining).
func (t *Tx) SendAndCommit(ctx context.Context, p *Pipeline) error {
	if !t.begun {
		_, answered, err := p.send(ctx, t.conn)
		switch {
		case err == nil:
			return nil
		case answered < p.Len() && isError(err): // of a statement, after which PostgreSQL skipped the rest
			return fmt.Errorf("committing: %w", err)
		}
		return committing(err)
	}
	q := t.with(p, "commit")
	last, answered, err := q.send(ctx, t.conn)
	if t.ended = last.String() == "COMMIT"; t.ended {
		return nil // what fails after COMMIT has succeeded does not undo it
	}
	if err == nil { // the transaction had failed before
		return fmt.Errorf("committing: %w", pgx.ErrTxCommitRollback)
	}
	if answered < q.Len()-1 && isError(err) { // of a statement before COMMIT, which PostgreSQL then did not come to
		return fmt.Errorf("committing: %w", err)
	}
	return committing(err)
}

// KeepAlive tells PostgreSQL that whoever has the transaction is still at work on it, where it has begun: else it would be ended for being
// idle. An error is met again by the next statement.
func (t *Tx) KeepAlive(ctx context.Context) {
	if t.begun {
		_, _ = t.conn.Exec(ctx, "select")
	}
}

// with returns the pipeline's statements with a BEGIN before them, if the transaction needs one, and last after them.
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

// Close rolls back what was not committed and gives the connection back; a connection that cannot be rolled back is
// thrown away.
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
