package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// actAsLogin is for the transaction: sessions may be seen and ended by the login that they began with, whatever role they act as.
const actAsLogin = "SET LOCAL ROLE NONE"

// endStalled is not generated: sqlc does not know the views of statistics.
const endStalled = `
SELECT count(pg_terminate_backend(a.pid))
FROM pg_stat_activity AS a
WHERE a.datname = current_database() AND a.usename = session_user
  AND a.state = 'active' AND a.wait_event = 'ClientRead'
  AND a.query_start < clock_timestamp() - make_interval(secs => $1)
  AND EXISTS (
      SELECT FROM pg_locks AS l WHERE l.pid = a.pid AND l.relation = 'log_heads'::regclass AND l.mode <> 'AccessShareLock'
  )`

// EndStalled ends the connections of servers with the same login that have locked the heads of logs, and for that long have been waiting
// for the rest of a statement, or of the data of a COPY: their server is frozen, or cut off. It returns how many.
//
// PostgreSQL does not do so by itself. Such a transaction is not idle; statement_timeout does not interrupt a COPY that waits for data; and
// the kernel of a frozen process still answers.
func (d *DB) EndStalled(ctx context.Context, after time.Duration) (ended int64, err error) {
	err = d.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, actAsLogin); err != nil {
			return err
		}
		return tx.QueryRow(ctx, endStalled, after.Seconds()).Scan(&ended)
	})
	if err != nil {
		return 0, fmt.Errorf("ending stalled appends: %w", err)
	}
	return ended, nil
}
