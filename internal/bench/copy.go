package bench

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// copySchema is a table of the same shape as events: columns, primary key, and partitions for this month and the next, as on a server.
const copySchema = `
CREATE TABLE copy_events (LIKE events INCLUDING ALL) PARTITION BY RANGE (recorded_at);
CREATE TABLE copy_events_this PARTITION OF copy_events
    FOR VALUES FROM (date_trunc('month', now())) TO (date_trunc('month', now()) + interval '1 month');
CREATE TABLE copy_events_next PARTITION OF copy_events
    FOR VALUES FROM (date_trunc('month', now()) + interval '1 month') TO (date_trunc('month', now()) + interval '2 months')`

const (
	copyRows   = 10_000 // events in one COPY, which is one transaction
	copyPerLog = 1000   // consecutive events of one log, as in our batches
)

var copyColumns = []string{"log_id", "sequence", "recorded_at", "time", "type", "key", "data", "hash"}

// copier is a connection that only runs COPY. It is a pgx.CopyFromSource of rows that are made beforehand, so that only PostgreSQL's work
// and pgx's encoding are measured.
type copier struct {
	conn   *pgx.Conn
	logs   int
	first  int     // number of the first log: differs between copiers
	turn   int     // the next log
	heads  []int64 // of each log
	docs   [][]byte
	row    int
	values [8]any
	hash   [32]byte
	now    time.Time
}

func copyWorkers(url string, logs int) workerFactory {
	return func(ctx context.Context, i int) (worker, error) {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return worker{}, fmt.Errorf("connecting to PostgreSQL: %w", err)
		}
		c := &copier{conn: conn, logs: logs, heads: make([]int64, logs)}
		// Every round and connection writes logs of its own.
		c.first = int(time.Now().UnixNano())
		generator := newGenerator(i)
		for range copyRows {
			c.docs = append(c.docs, append([]byte(nil), generator.json(time.Now())...))
		}
		return worker{once: c.copy, close: func() { _ = conn.Close(context.WithoutCancel(ctx)) }}, nil
	}
}

func (c *copier) copy(ctx context.Context) (int, error) {
	c.row, c.now = 0, time.Now()
	n, err := c.conn.CopyFrom(ctx, pgx.Identifier{"copy_events"}, copyColumns, c)
	if err != nil {
		return 0, fmt.Errorf("copying events: %w", err)
	}
	return int(n), nil
}

// Next implements pgx.CopyFromSource.
func (c *copier) Next() bool {
	if c.row > 0 && c.row%copyPerLog == 0 {
		c.turn = (c.turn + 1) % c.logs
	}
	c.row++
	return c.row <= copyRows
}

// Values implements pgx.CopyFromSource.
func (c *copier) Values() ([]any, error) {
	c.heads[c.turn]++
	var log [16]byte
	binary.BigEndian.PutUint64(log[:], uint64(c.first))  //nolint:gosec // any bits will do
	binary.BigEndian.PutUint64(log[8:], uint64(c.turn))  //nolint:gosec // small
	binary.BigEndian.PutUint64(c.hash[:], uint64(c.row)) //nolint:gosec // small
	c.values = [8]any{log, c.heads[c.turn], c.now, c.now, "api.call", nil, c.docs[c.row-1], c.hash[:]}
	return c.values[:], nil
}

// Err implements pgx.CopyFromSource.
func (c *copier) Err() error { return nil }
