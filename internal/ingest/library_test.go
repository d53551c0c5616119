package ingest_test

import (
	"errors"
	"testing"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/testrig"
)

// TestAppendsNeedNoLibrary takes PL/pgSQL's library away, as an upgrade of PostgreSQL's package does from connections that are opened
// afterwards: everything but making partitions goes on, and what does not says why.
func TestAppendsNeedNoLibrary(t *testing.T) {
	a, d := start(t, testrig.Settings{})
	log := a.NewLog(t)
	deployReadyViews(t, a, log)
	a.Append(t, log, keyed(t, "before", 3)...)
	d.Exec(t, `UPDATE pg_proc SET probin = '$libdir/of_another_version' WHERE proname = 'plpgsql_call_handler'`)

	b := testrig.Start(t, d.DSN(), testrig.Settings{})
	b.Append(t, log, keyed(t, "b", 2)...)
	a.Append(t, log, keyed(t, "a", 2)...) // whose memory is out of date
	b.Append(t, log, keyed(t, "many", 700)...)
	if got := b.Append(t, log, keyed(t, "a", 1)...)[0]; got != (ingest.Appended{Sequence: 6, Duplicate: true}) {
		t.Errorf("a retry is at %+v", got)
	}
	another := b.NewLog(t)
	deployReadyViews(t, b, another)
	b.Append(t, another, keyed(t, "first", 2)...)
	if n := len(testrig.Check(t, d.DSN())[log].Events); n != 3+2+2+700 {
		t.Errorf("%d events are stored", n)
	}

	_, err := b.DB.EnsureEventsPartitions(t.Context(), b.DB.Read, dbsqlc.EnsureEventsPartitionsParams{Months: 1})
	if err := db.Classify(err); !errors.Is(err, db.ErrMisconfigured) || errors.Is(err, db.ErrUnavailable) {
		t.Errorf("a function of PL/pgSQL: %v", err)
	}
}
