package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"
)

// schema has the three counters that Tallystick's ready views keep, the keys that prevent counting twice, and the offsets up to which the
// topic has been counted.
const schema = `
CREATE TABLE IF NOT EXISTS event_keys (log text, id text, PRIMARY KEY (log, id));
CREATE TABLE IF NOT EXISTS months (log text, month text, model text, tokens_in numeric NOT NULL, tokens_out numeric NOT NULL,
    PRIMARY KEY (log, month, model));
CREATE TABLE IF NOT EXISTS minutes (log text, minute timestamptz, requests bigint NOT NULL, tokens numeric NOT NULL,
    PRIMARY KEY (log, minute));
CREATE TABLE IF NOT EXISTS teams (log text, month text, team text, requests bigint NOT NULL,
    tokens_in numeric NOT NULL, tokens_out numeric NOT NULL, cost numeric NOT NULL, PRIMARY KEY (log, month, team));
CREATE TABLE IF NOT EXISTS offsets (topic text, partition int, next bigint NOT NULL, PRIMARY KEY (topic, partition))`

const (
	insertKeys  = `INSERT INTO event_keys SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING RETURNING log, id`
	countMonths = `INSERT INTO months AS c SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
		ON CONFLICT (log, month, model) DO UPDATE
		SET tokens_in = c.tokens_in + excluded.tokens_in, tokens_out = c.tokens_out + excluded.tokens_out`
	countMinutes = `INSERT INTO minutes AS c SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::bigint[], $4::bigint[])
		ON CONFLICT (log, minute) DO UPDATE SET requests = c.requests + excluded.requests, tokens = c.tokens + excluded.tokens`
	countTeams = `INSERT INTO teams AS c SELECT l, m, t, n, i, o, x * 0.00000001
		FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[]) AS u (l, m, t, n, i, o, x)
		ON CONFLICT (log, month, team) DO UPDATE
		SET requests = c.requests + excluded.requests, tokens_in = c.tokens_in + excluded.tokens_in,
		    tokens_out = c.tokens_out + excluded.tokens_out, cost = c.cost + excluded.cost`
	moveOffset = `INSERT INTO offsets VALUES ($1, $2, $3) ON CONFLICT (topic, partition) DO UPDATE SET next = excluded.next`
)

// consume counts the topic's events from the offsets in the database, until ctx ends. Any error ends it; a supervisor would restart it.
func consume(ctx context.Context, broker, topic, database string, every time.Duration, most int) error {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is lost
	if _, err := conn.Exec(ctx, schema); err != nil {
		return fmt.Errorf("making tables: %w", err)
	}
	from, err := offsets(ctx, conn, topic)
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	if err != nil {
		return err
	}
	defer client.Close()
	if err := reach(ctx, client); err != nil {
		return err
	}
	fmt.Println("ready")
	for {
		began := time.Now()
		fetches := client.PollRecords(ctx, most)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errs := fetches.Errors(); len(errs) > 0 {
			return fmt.Errorf("reading partition %d: %w", errs[0].Partition, errs[0].Err)
		}
		if err := count(ctx, conn, topic, fetches.Records()); err != nil {
			return fmt.Errorf("counting: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(every - time.Since(began)):
		}
	}
}

func offsets(ctx context.Context, conn *pgx.Conn, topic string) (map[int32]kgo.Offset, error) {
	from := map[int32]kgo.Offset{}
	for partition := range int32(partitions) {
		var next int64
		err := conn.QueryRow(ctx, "SELECT next FROM offsets WHERE topic = $1 AND partition = $2", topic, partition).Scan(&next)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return nil, fmt.Errorf("reading offsets: %w", err)
		}
		from[partition] = kgo.NewOffset().At(next)
	}
	return from, nil
}

// count is one transaction: it skips what was counted before, adds up the rest, and records the offset. So every record counts once,
// whenever the consumer is killed.
func count(ctx context.Context, conn *pgx.Conn, topic string, records []*kgo.Record) error {
	if len(records) == 0 {
		return nil
	}
	events, err := decode(records)
	if err != nil {
		return err
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // the connection is not used again
	if events, err = fresh(ctx, tx, events); err != nil {
		return err
	}
	var batch pgx.Batch
	addUp(events).queue(&batch)
	next := map[int32]int64{}
	for _, r := range records {
		next[r.Partition] = r.Offset + 1
	}
	for _, partition := range slices.Sorted(maps.Keys(next)) {
		batch.Queue(moveOffset, topic, partition, next[partition])
	}
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// fresh returns the events whose ids are new. Events without an id always are.
func fresh(ctx context.Context, tx pgx.Tx, events []event) ([]event, error) {
	type key struct{ log, id string }
	var logs, ids []string
	seen := make(map[key]bool, len(events))
	kept := events[:0]
	for _, e := range events {
		if e.ID != "" {
			k := key{e.log, e.ID}
			if seen[k] {
				continue
			}
			seen[k] = true
			logs, ids = append(logs, e.log), append(ids, e.ID)
		}
		kept = append(kept, e)
	}
	if len(ids) == 0 {
		return kept, nil
	}
	rows, err := tx.Query(ctx, insertKeys, logs, ids)
	if err != nil {
		return nil, err
	}
	inserted := make(map[key]bool, len(ids))
	var k key
	_, err = pgx.ForEachRow(rows, []any{&k.log, &k.id}, func() error {
		inserted[k] = true
		return nil
	})
	if err != nil || len(inserted) == len(ids) {
		return kept, err
	}
	return slices.DeleteFunc(kept, func(e event) bool { return e.ID != "" && !inserted[key{e.log, e.ID}] }), nil
}
