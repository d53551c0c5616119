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

// Send runs what the pipeline holds, in order. It stops at the first statement that fails or misses its expectation.
func (t *Tx) Send(ctx context.Context, p *Pipeline) error {
	if p.Len() == 0 {
		return nil
	}
	if t.begun {
		return p.send(ctx, t.conn)
	}
	t.begun = true
	return p.afterBegin().send(ctx, t.conn)
}

// Commit makes the transaction's work durable. When the connection is lost meanwhile nobody knows whether it did.
func (t *Tx) Commit(ctx context.Context) error {
	if !t.begun {
		return nil
	}
	tag, err := t.conn.Exec(ctx, "commit")
	if err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	t.ended = true
	if tag.String() != "COMMIT" {
		return fmt.Errorf("committing: %w", pgx.ErrTxCommitRollback)
	}
	return nil
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
