package db_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
)

// eachMonth inserts an event into each partition of events, including the default, and keys into each of event_keys.
var eachMonth = []string{
	`INSERT INTO events (log_id, sequence, recorded_at, time, type, data, hash)
	SELECT gen_random_uuid(), n, t, t, 'x', '{}', '\x00'
	FROM generate_series(1, 20) n CROSS JOIN LATERAL (SELECT timestamptz '2024-12-15Z' + make_interval(months => n) AS t) months`,
	`INSERT INTO event_keys (log_id, key_hash, payload_hash, sequence)
	SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), n FROM generate_series(1, 300) n`,
}

// recorded returns the tables whose rows nobody may change: both parents and every partition.
func recorded(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT relid::regclass::text FROM pg_partition_tree('events') UNION ALL "+
		"SELECT relid::regclass::text FROM pg_partition_tree('event_keys')")
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		var n int
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil || n == 0 {
			t.Fatalf("%s has %d rows, %v: nothing to refuse", table, n, err)
		}
	}
	return tables
}

// outcome returns the SQLSTATE and message of a statement that fails, in a transaction that is rolled back; "" if it succeeds.
func outcome(t *testing.T, conn *pgx.Conn, statement string) (code, message string) {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = tx.Exec(t.Context(), statement)
	if rollback := tx.Rollback(t.Context()); rollback != nil {
		t.Fatalf("%s: %v", statement, rollback)
	}
	var failed *pgconn.PgError
	if err != nil && !errors.As(err, &failed) {
		t.Fatalf("%s: %v", statement, err)
	}
	if failed == nil {
		return "", ""
	}
	return failed.Code, failed.Message
}

// TestNobodyChangesWhatWasRecorded tries UPDATE, DELETE and TRUNCATE as each role on events and the idempotency keys, and on each of their
// partitions, including those created after the migrations.
func TestNobodyChangesWhatWasRecorded(t *testing.T) {
	serverLogin, analystLogin := newLogin(t, "IN ROLE tally_server"), newLogin(t, "IN ROLE tally_analyst")
	d, owner := owned(t)
	superuser, server := connect(t, d.DSN()), connect(t, as(t, d.DSN(), serverLogin))
	execute(t, server, "SELECT ensure_events_partitions('2025-01-01Z', 19)") // 20 months of events: the last is in the default
	execute(t, server, eachMonth...)
	execute(t, connect(t, owner), "SELECT adopt_events_default()") // the default becomes a partition, and there is a new default
	execute(t, server, `INSERT INTO events (log_id, sequence, recorded_at, time, type, data, hash)
		VALUES (gen_random_uuid(), 1, '2040-01-01Z', '2040-01-01Z', 'x', '{}', '\x00')`)
	tables := recorded(t, superuser)
	if len(tables) != 1+20+1+1+8 {
		t.Fatalf("the tables are %v", tables)
	}
	roles := map[string]struct {
		conn *pgx.Conn
		says string
	}{
		"owner":   {connect(t, owner), "never changed or removed"},
		"server":  {server, "permission denied"},
		"analyst": {connect(t, as(t, d.DSN(), analystLogin)), "permission denied"},
		"pool":    {pooled(t, d.DSN()), "permission denied"}, // a server whose login is a superuser
	}
	for _, table := range tables {
		for _, change := range []string{
			"UPDATE " + table + " SET sequence = sequence + 1",
			"DELETE FROM " + table,
			"TRUNCATE " + table,
		} {
			for name, role := range roles {
				if code, message := outcome(t, role.conn, change); code != "42501" || !strings.Contains(message, role.says) {
					t.Errorf("as %s, %s: %s %s", name, change, code, message)
				}
			}
			if code, message := outcome(t, superuser, change); code != "" {
				t.Errorf("as superuser, %s: %s %s", change, code, message)
			}
		}
	}
	for _, change := range []string{
		"UPDATE events SET recorded_at = recorded_at + interval '1 month'", // moves rows to another partition
		"UPDATE event_keys SET log_id = gen_random_uuid()",
		"INSERT INTO events SELECT * FROM events ON CONFLICT (log_id, sequence, recorded_at) DO UPDATE SET data = '1'",
		"MERGE INTO events e USING (SELECT 1) x ON true WHEN MATCHED THEN DELETE",
		"WITH gone AS (DELETE FROM events RETURNING *) SELECT count(*) FROM gone",
	} {
		for name, role := range roles {
			if code, message := outcome(t, role.conn, change); code != "42501" || !strings.Contains(message, role.says) {
				t.Errorf("as %s, %s: %s %s", name, change, code, message)
			}
		}
	}
	recorded(t, superuser) // still exist
}

// pooled returns a connection like those of the server's pools.
func pooled(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{URL: dsn, ReadConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := d.Read.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hijacked := conn.Hijack()
	t.Cleanup(func() { _ = hijacked.Close(context.WithoutCancel(t.Context())) })
	d.Close()
	return hijacked
}

// TestWhatAServerMayNotDo: besides events, a server's role has only the rights that its statements need.
func TestWhatAServerMayNotDo(t *testing.T) {
	d, _ := owned(t)
	server := pooled(t, d.DSN())
	for _, statement := range []string{
		"SELECT FROM events FOR UPDATE",
		"SELECT FROM events_default",
		"SELECT FROM event_keys_0",
		"LOCK TABLE events IN ACCESS EXCLUSIVE MODE",
		"ALTER TABLE events DISABLE TRIGGER ALL",
		"ALTER TABLE events DETACH PARTITION events_default",
		"DROP TRIGGER refuse_change ON events",
		"DROP TABLE events",
		"CREATE TABLE mine (n integer)",
		"CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
		"SELECT protect_events_table('events')",
		"SET session_replication_role = replica",
		"UPDATE logs SET name = 'other'",
		"UPDATE log_heads SET log_id = gen_random_uuid()",
		"UPDATE log_months SET first_sequence = 1",
		"UPDATE modules SET wasm = ''",
		"UPDATE view_versions SET config = '{}'",
		"UPDATE view_actions SET actor = 'nobody'",
		"DELETE FROM view_skips",
		"DELETE FROM view_versions",
		"DELETE FROM log_heads",
		"DELETE FROM tenants",
		"DELETE FROM access_keys",
		"UPDATE access_keys SET scopes = '{operator}'",
		"UPDATE access_log SET actor = 'nobody'",
		"DELETE FROM access_log",
		"UPDATE webhooks SET tenant_id = gen_random_uuid()",
		"UPDATE webhook_deliveries SET message = ''",
		"UPDATE webhook_attempts SET answer = ''",
		"CREATE TABLE tally_queue.mine (n integer)",
		"REINDEX INDEX tally_queue.river_job_pkey",
		"UPDATE alerts SET tenant_id = gen_random_uuid()",
		"UPDATE alert_crossings SET value = ''",
		"INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)",
	} {
		if code, message := outcome(t, server, statement); code != "42501" {
			t.Errorf("%s: %q %s", statement, code, message)
		}
	}
	// Recording events and creating partitions is allowed.
	for _, statement := range append(slices.Clone(eachMonth), "SELECT ensure_events_partitions(now(), 2)") {
		if code, message := outcome(t, server, statement); code != "" {
			t.Errorf("%s: %s %s", statement, code, message)
		}
	}
}

// nobody but the owner may do anything with a table.
const nobody = "nobody"

// privileges are what tally_server, tally_analyst and tally_tenant_analyst may do with each table, view and function; with columns, for an
// UPDATE that is not allowed on the whole table. Add here whatever a migration adds. Partitions are like the defaults: nobody has any
// rights.
var privileges = map[string]string{
	"public.tenants":          "server: INSERT SELECT UPDATE(changed,limits,name,suspended_at)",
	"public.access_version":   "server: SELECT UPDATE",
	"public.access_log":       "server: INSERT SELECT",
	"public.tenant_modules":   "server: INSERT SELECT",
	"public.uploaded_modules": "server: DELETE INSERT SELECT UPDATE(uploaded_at)",
	"public.access_keys": "server: INSERT SELECT UPDATE(changed,former_secret_hash,former_token_key,former_until,last_used_at,limits," +
		"revoked_at,rotated_at,secret_hash,token_key)",
	"public.goose_db_version": "server: SELECT",
	"public.events":           "server: INSERT SELECT",
	"public.event_keys":       "server: INSERT SELECT",
	"public.log_months":       "server: INSERT SELECT",
	"public.modules":          "server: INSERT SELECT",
	"public.view_actions":     "server: INSERT SELECT",
	"public.view_skips":       "server: INSERT SELECT",
	"public.logs":             "server: INSERT SELECT UPDATE(labels)",
	"public.log_heads":        "server: INSERT SELECT UPDATE(hash,recent,recorded_at,sequence,views_epoch)",
	"public.views":            "server: INSERT SELECT UPDATE(pattern_id,pattern_revision)",
	"public.view_versions": "server: INSERT SELECT UPDATE(applied_sequence,asked_at,build_rate,builder,built_at,error,fold_gas," +
		"guarding,halted_at,halted_sequence,live_at,recent_stored,retired_at,state,status,turn)",
	"public.view_patterns":    "server: INSERT SELECT UPDATE",
	"public.view_state_rows":  "server: DELETE INSERT SELECT UPDATE",
	"public.view_state":       "server: SELECT",
	"public.recent_state":     "analyst: EXECUTE; server: EXECUTE; tenant_analyst: EXECUTE",
	"public.notification_key": "server: SELECT",
	"public.source_logs":      "server: INSERT SELECT UPDATE",
	"public.sources_version":  "server: SELECT UPDATE",
	"public.sources":          "server: INSERT SELECT UPDATE(changed,deleted,version)",
	"public.source_versions":  "server: INSERT SELECT",
	"public.analysts":         nobody,
	"public.webhooks": "server: DELETE INSERT SELECT UPDATE(deleted_at,description,disabled_at,disabled_why,enabled,failing_since," +
		"former_secret,former_until,logs,secret,types,updated_at,url)",
	"public.webhook_deliveries": "server: DELETE INSERT SELECT UPDATE(attempts,begun_at,error,finished_at,next_at,status,tries)",
	"public.webhook_attempts":   "server: DELETE INSERT SELECT",
	"public.view_changes":       "server: DELETE INSERT SELECT UPDATE(detail)",
	"public.webhook_notices":    "server: SELECT UPDATE(keys_up_to)",

	"tally_queue.river_job":                  "server: DELETE INSERT SELECT UPDATE",
	"tally_queue.river_job_id_seq":           "server: USAGE",
	"tally_queue.river_leader":               "server: DELETE INSERT SELECT UPDATE",
	"tally_queue.river_queue":                "server: DELETE INSERT SELECT UPDATE",
	"tally_queue.river_job_state_in_bitmask": "server: EXECUTE",
	"public.alerts_version":                  "server: SELECT UPDATE",
	"public.alerts": "server: DELETE INSERT SELECT UPDATE(changed,definition,deleted,sweep_after,sweep_from," +
		"updated_at,updated_by,version)",
	"public.alert_states": "server: DELETE INSERT SELECT UPDATE(due_at,error,evaluated_at,failures,firing,nonce,of_value,sequence," +
		"thresholds,value,window_end,window_key)",
	"public.alert_crossings": "server: DELETE INSERT SELECT",
	"public.alert_pending":   "server: DELETE INSERT SELECT UPDATE(server_id)",
	"public.alert_servers":   "server: DELETE INSERT SELECT UPDATE(seen_at)",
	"public.activity":        "server: DELETE INSERT SELECT",

	"public.events_partitions":     "server: SELECT",
	"public.frozen_partitions":     "server: SELECT",
	"public.events_default_in_use": "server: EXECUTE",

	"public.ensure_events_partitions": "server: EXECUTE",
	"public.expect_rows":              "server: EXECUTE",
	"public.oldest_server":            "server: EXECUTE",

	"reporting.logs":        "analyst: SELECT",
	"reporting.events":      "analyst: SELECT",
	"reporting.view_state":  "analyst: SELECT",
	"reporting.view_status": "analyst: SELECT",

	"tenant_reporting.logs":            "tenant_analyst: SELECT",
	"tenant_reporting.events":          "tenant_analyst: SELECT",
	"tenant_reporting.view_state":      "tenant_analyst: SELECT",
	"tenant_reporting.view_status":     "tenant_analyst: SELECT",
	"tenant_reporting.own_log_ids":     "tenant_analyst: EXECUTE",
	"tenant_reporting.own_log_names":   "tenant_analyst: EXECUTE",
	"tenant_reporting.own_logs":        "tenant_analyst: EXECUTE",
	"tenant_reporting.own_live_views":  "tenant_analyst: EXECUTE",
	"tenant_reporting.own_view_status": "tenant_analyst: EXECUTE",
	"tenant_reporting.opaque":          "tenant_analyst: EXECUTE",

	"reporting.get_text":           "analyst: EXECUTE; tenant_analyst: EXECUTE",
	"reporting.get_number":         "analyst: EXECUTE; tenant_analyst: EXECUTE",
	"reporting.get_time":           "analyst: EXECUTE; tenant_analyst: EXECUTE",
	"reporting.get_jsonb":          "analyst: EXECUTE; tenant_analyst: EXECUTE",
	"reporting.safe":               "analyst: EXECUTE; tenant_analyst: EXECUTE",
	"reporting.replace_unreadable": "analyst: EXECUTE; tenant_analyst: EXECUTE",
	"reporting.number_or_null":     "analyst: EXECUTE; tenant_analyst: EXECUTE",
	"reporting.time_or_null":       "analyst: EXECUTE; tenant_analyst: EXECUTE",
	"reporting.jsonb_or_null":      "analyst: EXECUTE; tenant_analyst: EXECUTE",
}

// granted returns the privileges in the catalog: all that anyone but the owner has.
const granted = `
WITH acls AS (
    SELECT n.nspname || '.' || c.relname AS object, x.grantee, x.privilege_type AS privilege
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN aclexplode(c.relacl) x
    WHERE n.nspname IN ('public', 'reporting', 'tenant_reporting', 'tally_queue') AND x.grantee <> c.relowner
    UNION ALL
    SELECT n.nspname || '.' || c.relname, x.grantee,
           x.privilege_type || '(' || string_agg(a.attname, ',' ORDER BY a.attname) || ')'
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        CROSS JOIN aclexplode(a.attacl) x
    WHERE n.nspname IN ('public', 'reporting', 'tenant_reporting', 'tally_queue') AND x.grantee <> c.relowner
    GROUP BY n.nspname, c.relname, x.grantee, x.privilege_type
    UNION ALL
    SELECT n.nspname || '.' || p.proname, x.grantee, x.privilege_type
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
    WHERE n.nspname IN ('public', 'reporting', 'tenant_reporting', 'tally_queue') AND x.grantee <> p.proowner
)
SELECT object, string_agg(who || ': ' || list, '; ' ORDER BY who)
FROM (
    SELECT object, CASE grantee WHEN 0 THEN 'public' ELSE replace(grantee::regrole::text, 'tally_', '') END AS who,
           string_agg(privilege, ' ' ORDER BY privilege) AS list
    FROM acls GROUP BY 1, 2
) s
GROUP BY object`

func TestPrivileges(t *testing.T) {
	d, _ := owned(t)
	conn := connect(t, d.DSN())
	rows, err := conn.Query(t.Context(), granted)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	var object, list string
	if _, err := pgx.ForEachRow(rows, []any{&object, &list}, func() error { found[object] = list; return nil }); err != nil {
		t.Fatal(err)
	}
	for object, list := range found {
		if privileges[object] != list {
			t.Errorf("%s is granted to %q, want %q", object, list, privileges[object])
		}
	}
	for object, list := range privileges {
		if found[object] == "" && list != nobody {
			t.Errorf("%s is granted to nobody, want %q", object, list)
		}
	}
	// Every table that is not a partition is listed.
	rows, err = conn.Query(t.Context(), `SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname IN ('public', 'reporting', 'tenant_reporting', 'tally_queue')
		AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if privileges[table] == "" {
			t.Errorf("the table %s is not in the list of privileges", table)
		}
	}
}

// TestPartitionsAreMadeByServers: with the owner's rights, whatever the caller's search_path is.
func TestPartitionsAreMadeByServers(t *testing.T) {
	d, _ := owned(t)
	conn := pooled(t, d.DSN())
	execute(t, conn, "SET search_path = pg_temp, public", "CREATE TEMPORARY TABLE events_default (recorded_at timestamptz)")
	made, err := dbsqlc.New().EnsureEventsPartitions(t.Context(), conn, dbsqlc.EnsureEventsPartitionsParams{Months: 3})
	if err != nil || made != 3 {
		t.Fatalf("%d made, %v", made, err)
	}
}
