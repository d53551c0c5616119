package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tallystick/tallystick/internal/testdb"
)

// TestCount: records that are read or sent twice count once. The comparison is exact, too.
func TestCount(t *testing.T) {
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, testdb.New(t, testdb.Empty()).DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is lost
	if _, err := conn.Exec(ctx, schema); err != nil {
		t.Fatal(err)
	}
	var records []*kgo.Record
	for i := range 300 {
		id := i % 250 // some come twice
		records = append(records, &kgo.Record{
			Key: fmt.Append(nil, "log-", id%3), Partition: int32(id % 3), Offset: int64(i), Timestamp: time.Now(),
			Value: fmt.Appendf(nil, `{"id":"e%d","time":"2026-02-28T23:59:%02d.5Z","model":"gpt-4","team":"t%d",`+
				`"tokens_in":%d,"tokens_out":2}`, id, id%60, id%2, id),
		})
	}
	for _, part := range [][]*kgo.Record{nil, records[:100], records[50:280], records} {
		if err := count(ctx, conn, "t", part); err != nil {
			t.Fatal(err)
		}
	}
	var keys, tokens, requests, minutes, next int64
	var cost string
	err = conn.QueryRow(ctx,
		`SELECT (SELECT count(*) FROM event_keys),
		(SELECT sum(tokens_in + 100000 * tokens_out) FROM months WHERE month = '2026-02'),
		(SELECT sum(requests) FROM teams), (SELECT count(*) FROM minutes WHERE requests > 0), (SELECT max(next) FROM offsets),
		(SELECT sum(cost)::text FROM teams)`).Scan(&keys, &tokens, &requests, &minutes, &next, &cost)
	if err != nil {
		t.Fatal(err)
	}
	const in, out = 249 * 250 / 2, 2 * 250
	if keys != 250 || tokens != in+100_000*out || requests != 250 || minutes != 3 || next != 300 {
		t.Errorf("%d keys, tokens %d, %d requests, %d minutes, offset %d", keys, tokens, requests, minutes, next)
	}
	if want := fmt.Sprintf("%.8f", in*0.00003+out*0.00006); cost != want {
		t.Errorf("a cost of %s, want %s", cost, want)
	}
}
