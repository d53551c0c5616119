package view_test

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed" // a database
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

// databaseOf10 is a database as the version of the 24th of November 2026 left it, with migrations up to 10. Log one has a view that is live
// in its second version and one that is live in its first; two's view has halted at event 61 of 62; p-1 has its view from a pattern. Each
// has 60 events with ids and one or two without.
//
//go:embed testdata/schema-00010.sql.gz
var databaseOf10 []byte

// TestUpgrade migrates a database with live views. What they counted stays, what is appended is counted on top, earlier versions
// come back, and halted ones go on.
func TestUpgrade(t *testing.T) {
	testdb.New(t) // makes the roles
	d := testdb.New(t, testdb.Empty())
	restore(t, d, databaseOf10)
	if err := db.Migrate(t.Context(), d.DSN()); err != nil {
		t.Fatal(err)
	}
	node := testrig.Start(t, d.DSN(), testrig.Settings{})
	logs := map[string]uuid.UUID{}
	for _, name := range []string{"one", "two", "p-1"} {
		log, err := node.Logs.Resolve(t.Context(), db.DefaultTenant, name)
		if err != nil {
			t.Fatal(err)
		}
		logs[name] = log.ID
	}
	says := func(log, name, query, want string) {
		t.Helper()
		if answer := node.Ask(t, logs[log], name, query); string(answer.Body) != want {
			t.Errorf("view %s of %s says %s to %q, want %s", name, log, answer.Body, query, want)
		}
	}
	says("one", "script", "get\tlast", "59")
	says("one", "script", "get\tk1", "1000")
	says("one", "months", "month=2025-03", `{"m0":{"tokens_in":570,"tokens_out":1140},`+
		`"m1":{"tokens_in":590,"tokens_out":1180},"m2":{"tokens_in":610,"tokens_out":1220}}`)

	again, err := event.Parse([]byte(`{"id":"late","script":"set\tk1\t1000\ndelete\tk2"}`))
	if err != nil {
		t.Fatal(err)
	}
	if places := node.Append(t, logs["one"], again); !places[0].Duplicate || places[0].Sequence != 61 {
		t.Errorf("an event that was there before the migration is at %+v", places[0])
	}
	for range 3 { // what is changed again and again stays in the head row
		for _, log := range logs {
			node.Append(t, log, script(t, line("set", "k3", "2000"), line("copy", "k3", "last"), line("delete", "k4")))
		}
	}
	says("one", "script", "get\tlast", "2000")
	says("p-1", "everywhere", "get\tlast", "2000")
	if _, err := node.Views.Rollback(t.Context(), logs["one"], "script", 1, ""); err != nil {
		t.Error(err)
	}
	if _, err := node.Views.Resume(t.Context(), logs["two"], "script", view.Resumption{Skip: true}); err != nil {
		t.Error(err)
	}
	for log, name := range map[string]string{"one": "script", "two": "script", "p-1": "everywhere"} {
		await(t, name+" of "+log+" is live", func() bool { return statusOf(t, node, logs[log], name).Status == view.Live })
		says(log, name, "get\tk3", "2000")
		if report := audit(t, node, logs[log], name, 0); !report.OK || report.Keys < 6 {
			t.Errorf("%s of %s: %+v: %v", name, log, report, report.Difference)
		}
	}
	if later, err := node.Logs.Create(t.Context(), db.DefaultTenant, "p-2", nil); err != nil {
		t.Error(err)
	} else if info := statusOf(t, node, later.ID, "everywhere"); info.Status != view.Live {
		t.Errorf("the pattern's view on a new log is %s", info.Status)
	}
	testrig.Check(t, d.DSN())
}

// restore runs a dump, compressed.
func restore(t *testing.T, d *testdb.Database, dump []byte) {
	t.Helper()
	unpacked, err := gzip.NewReader(bytes.NewReader(dump))
	if err != nil {
		t.Fatal(err)
	}
	sql, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), d.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background()) //nolint:errcheck // nothing is lost
	if _, err := conn.PgConn().Exec(t.Context(), string(sql)).ReadAll(); err != nil {
		t.Fatalf("restoring a database: %v", err)
	}
}

// Statements of a server that knows migrations up to 10, for one row where it has arrays.
var statementsOf10 = struct{ writeState, endVersion, bringBack []string }{
	writeState: []string{
		`INSERT INTO view_state (log_id, version_id, key, value) VALUES (%[1]s, %[2]s, 'a', '7')
			ON CONFLICT (log_id, version_id, key) DO UPDATE SET value = excluded.value`,
		`UPDATE view_state s SET value = '7' WHERE s.log_id = %[1]s AND s.version_id = %[2]s AND s.key = 'a'`,
		`DELETE FROM view_state s WHERE s.log_id = %[1]s AND s.version_id = %[2]s AND s.key = 'a'`,
	},
	endVersion: []string{
		`UPDATE view_versions SET status = 'retired', retired_at = clock_timestamp(), applied_sequence = 1
			WHERE log_id = %[1]s AND version_id = %[2]s`,
		`UPDATE log_heads SET views_epoch = views_epoch + 1 WHERE log_id = %[1]s`,
	},
	bringBack: []string{
		`UPDATE view_versions SET status = 'building' WHERE log_id = %[1]s AND version_id = %[2]s`,
		`UPDATE view_versions SET status = 'live', applied_sequence = 2, live_at = clock_timestamp()
			WHERE log_id = %[1]s AND version_id = %[2]s`,
		`UPDATE log_heads SET views_epoch = views_epoch + 1 WHERE log_id = %[1]s`,
	},
}

// TestServersFromBeforeRecentState: beside this server, one that does not know that the head row holds state is refused where it
// would do wrong, by the database: it does not know either that it should not run.
func TestServersFromBeforeRecentState(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	node.Deploy(t, log, "v", testrig.Scripted(), "{}")
	node.Append(t, log, script(t, line("set", "a", "1")))
	older, err := pgx.Connect(t.Context(), d.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer older.Close(context.Background()) //nolint:errcheck // nothing is lost
	var version uuid.UUID
	if err := older.QueryRow(t.Context(), "SELECT version_id FROM view_versions WHERE log_id = $1", log).Scan(&version); err != nil {
		t.Fatal(err)
	}
	do := func(statements ...string) error {
		tx, err := older.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback(t.Context()) //nolint:errcheck // where it failed
		for _, sql := range append([]string{"SET LOCAL ROLE " + db.ServerRole}, statements...) {
			if strings.Contains(sql, "%[1]s") {
				sql = fmt.Sprintf(sql, "'"+log.String()+"'::uuid", "'"+version.String()+"'::uuid")
			}
			if _, err := tx.Exec(t.Context(), sql); err != nil {
				return err
			}
		}
		return tx.Commit(t.Context())
	}
	var recent string
	err = older.QueryRow(t.Context(), "SELECT recent FROM log_heads WHERE log_id = $1", log).Scan(&recent)
	if err != nil || !strings.Contains(recent, version.String()) {
		t.Fatalf("the head row holds %q, %v: no state that an older server could lose", recent, err)
	}
	var refused *pgconn.PgError
	for _, sql := range statementsOf10.writeState {
		if err := do(sql); !errors.As(err, &refused) {
			t.Errorf("%s: %v", sql, err)
		}
	}
	const constraint = "view_versions_recent_stored"
	if err := do(statementsOf10.endVersion...); !errors.As(err, &refused) || refused.ConstraintName != constraint {
		t.Errorf("a version was ended with its state in the head row: %v", err)
	}
	node.Append(t, log, script(t, line("copy", "a", "b")))
	if err := node.Views.Retire(t.Context(), log, "v", ""); err != nil { // this server takes care
		t.Error(err)
	}
	if err := do(statementsOf10.bringBack...); !errors.As(err, &refused) || refused.ConstraintName != constraint {
		t.Errorf("a version was brought back, and could be ended then: %v", err)
	}
	testrig.Check(t, d.DSN())
}
