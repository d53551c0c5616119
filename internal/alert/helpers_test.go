package alert_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/views"
)

// patience is far longer than anything takes that a test waits for.
const patience = time.Minute

// rig is servers with alerts on one database. What they announce goes to a table, in the transaction that records it.
type rig struct {
	*testing.T
	database *testdb.Database
	pool     *pgxpool.Pool
}

func newRig(t *testing.T) *rig {
	d := testdb.New(t)
	d.Exec(t, "CREATE TABLE announced (key text NOT NULL, kind text NOT NULL, log text NOT NULL, data json NOT NULL)")
	d.Exec(t, "GRANT INSERT ON announced TO tally_server")
	pool, err := pgxpool.New(t.Context(), d.DSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return &rig{t, d, pool}
}

// server is a server with alerts.
type server struct {
	*testrig.Node
	alerts *alert.Alerts
}

// start starts a server; prepare may be nil.
func (r *rig) start(s testrig.Settings, prepare func(*alert.Config, **alert.Alerts)) *server {
	r.Helper()
	var alerts *alert.Alerts
	s.Appending = func(ctx context.Context, to *db.Pipeline, logs []uuid.UUID) error {
		return alerts.Appending(ctx, to, logs)
	}
	s.Committed = func(log uuid.UUID, events []event.Recorded) { alerts.Committed(log, events) }
	node := testrig.Start(r, r.database.DSN(), s)
	config := alert.DefaultConfig()
	config.Log, config.Dead = slog.New(slog.DiscardHandler), 2*time.Second
	config.Announce = func(ctx context.Context, tx pgx.Tx, _ uuid.UUID, a alert.Announcement) error {
		_, err := tx.Exec(ctx, "INSERT INTO announced VALUES ($1, $2, $3, $4)", a.Key, a.Kind, a.Log, string(a.Data))
		return err
	}
	if prepare != nil {
		prepare(&config, nil)
	}
	alerts = alert.New(node.DB, node.Logs, node.Views, config)
	if prepare != nil {
		prepare(&config, &alerts)
	}
	alerts.Start()
	r.Cleanup(func() {
		if err := alerts.Stop(context.Background()); err != nil {
			r.Error(err)
		}
	})
	if err := alerts.Refresh(r.Context()); err != nil {
		r.Fatal(err)
	}
	return &server{node, alerts}
}

func anyPattern(eventlog.Pattern) error { return nil }

// put puts an alert and has the servers know it.
func (r *rig) put(name, definition string, servers ...*server) {
	r.Helper()
	by := access.Actor{Name: "test"}
	if _, _, err := servers[0].alerts.Put(r.Context(), by, db.DefaultTenant, name, []byte(definition), anyPattern); err != nil {
		r.Fatal(err)
	}
	for _, s := range servers {
		if err := s.alerts.Refresh(r.Context()); err != nil {
			r.Fatal(err)
		}
	}
}

var logNumber atomic.Int64

// newLog makes a log on which meter shows the latest value of events, and their sum.
func (r *rig) newLog(s *server) (uuid.UUID, string) {
	r.Helper()
	name := fmt.Sprintf("customer-%d", logNumber.Add(1))
	log, err := s.Logs.Create(r.Context(), db.DefaultTenant, name, nil)
	if err != nil {
		r.Fatal(err)
	}
	s.Deploy(r, log.ID, "usage", views.Meter(), meter)
	return log.ID, name
}

const meter = `{"value": "/n", "aggregations": ["sum", "latest"], "resolution": "minute"}`

// used appends an event of so much.
func (r *rig) used(s *server, log uuid.UUID, amount string) {
	r.Helper()
	s.Append(r, log, testrig.Parse(r, `{"n":"`+amount+`"}`, ""))
}

// until waits until a query returns what is wanted.
func (r *rig) until(want, query string, args ...any) {
	r.Helper()
	var got string
	for began := time.Now(); time.Since(began) < patience; {
		if err := r.pool.QueryRow(r.Context(), query, args...).Scan(&got); err != nil {
			r.Fatalf("%s: %v", query, err)
		}
		if got == want {
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-r.Context().Done():
		}
	}
	r.Fatalf("%s: %s, want %s", query, got, want)
}

// announced is what was announced of a log, in order.
const announced = `SELECT coalesce(string_agg(concat_ws(' ', kind, data->>'threshold', data->>'round'), ', '
	ORDER BY (data->>'sequence')::bigint, data->>'threshold', kind), '') FROM announced WHERE log = $1`

// evaluated waits until an alert has been evaluated on a log up to a sequence.
func (r *rig) evaluated(log uuid.UUID, sequence int64) {
	r.Helper()
	r.until("true", `SELECT coalesce(bool_and(sequence >= $2 AND error IS NULL), false)::text FROM alert_states WHERE log_id = $1`,
		log, sequence)
}
