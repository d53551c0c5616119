package view_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

// rewrite makes a log's events after a sequence others, with hashes that fit, as they are after a restore and as many appends.
func rewrite(t *testing.T, tx pgx.Tx, log uuid.UUID, after int64) {
	t.Helper()
	rows, err := tx.Query(t.Context(), `SELECT sequence, recorded_at, time, type, coalesce(key, ''), data::text, hash
		FROM events WHERE log_id = $1 AND sequence >= $2 ORDER BY sequence`, log, after)
	if err != nil {
		t.Fatal(err)
	}
	var chain event.Chainer
	var previous event.Hash
	var sequences []int64
	var datas []string
	var hashes [][]byte
	for rows.Next() {
		var e event.Recorded
		var recordedAt, at time.Time
		var hash []byte
		if err := rows.Scan(&e.Sequence, &recordedAt, &at, &e.Type, &e.Key, &e.Data, &hash); err != nil {
			t.Fatal(err)
		}
		if e.Sequence == after {
			previous = event.Hash(hash)
			continue
		}
		e.RecordedAt, e.Time = recordedAt.UnixMicro(), at.UnixMicro()
		e.Data = []byte(strings.Replace(string(e.Data), `before`, `after`, 1))
		previous = chain.Link(previous, &e)
		sequences, datas = append(sequences, e.Sequence), append(datas, string(e.Data))
		hashes = append(hashes, append([]byte(nil), previous[:]...))
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	for _, change := range []struct {
		statement string
		args      []any
	}{
		{"SET LOCAL session_replication_role = replica", nil},
		{
			`UPDATE events e SET data = u.data::json, hash = u.hash
			FROM unnest($2::bigint[], $3::text[], $4::bytea[]) AS u(sequence, data, hash)
			WHERE e.log_id = $1 AND e.sequence = u.sequence`, []any{log, sequences, datas, hashes},
		},
		{"UPDATE log_heads SET hash = $2 WHERE log_id = $1", []any{log, previous[:]}},
	} {
		if _, err := tx.Exec(t.Context(), change.statement, change.args...); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBuildAcrossARestore: a version that is being built when the log gets another history, of which the builder has read some pages ahead,
// is built from the history that there is.
func TestBuildAcrossARestore(t *testing.T) {
	const events, apart = 30_000, 100 // a chunk writes 10,000 keys at the most
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	batch := make([]event.Event, 0, events/3)
	for i := range events {
		batch = append(batch, script(t, line("set", fmt.Sprint("k", i), `"before"`)))
		if len(batch) == cap(batch) {
			node.Append(t, log, batch...)
			batch = batch[:0]
		}
	}
	conn, err := pgx.Connect(t.Context(), d.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	deployed := make(chan error, 1)
	go func() {
		_, err := node.Views.Deploy(t.Context(), log, "v", view.Deployment{Code: testrig.Scripted(), Config: []byte("{}")})
		deployed <- err
	}()
	for done := false; !done; runtime.Gosched() {
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var applied int64
		// Nobody gets between two chunks.
		if _, err := tx.Exec(t.Context(), "LOCK TABLE view_versions IN ACCESS EXCLUSIVE MODE"); err != nil {
			t.Fatal(err)
		}
		if err := tx.QueryRow(t.Context(), "SELECT coalesce(max(applied_sequence), 0) FROM view_versions").Scan(&applied); err != nil {
			t.Fatal(err)
		}
		if done = applied > 0; done {
			if applied > events-5000 {
				t.Fatalf("the version is at event %d already", applied)
			}
			rewrite(t, tx, log, applied+apart)
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-deployed; err != nil {
		t.Error(err)
	}
	await(t, "the version is live", func() bool { return statusOf(t, node, log, "v").Status == view.Live })
	if answer := node.Ask(t, log, "v", line("get", fmt.Sprint("k", events-1))); string(answer.Body) != `"after"` {
		t.Errorf("the last event's key is %s", answer.Body)
	}
	testrig.Check(t, d.DSN())
}
