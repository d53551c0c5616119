package db_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/views"
)

// analyst returns a connection of a login that is only a member of tally_analyst.
func analyst(t *testing.T, d *testdb.Database, login string) *pgx.Conn {
	t.Helper()
	return connect(t, as(t, d.DSN(), login))
}

// lines runs a query of one text column and returns its rows.
func lines(t *testing.T, conn *pgx.Conn, query string, args ...any) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return found
}

// TestReportingTouchesOnlyTheMonthsAskedFor: a query that bounds recorded_at and names a log reads only that log's part of those
// partitions, by index, and locks no others. It skips the table of names unless it selects a name.
func TestReportingTouchesOnlyTheMonthsAskedFor(t *testing.T) {
	login := newLogin(t, "IN ROLE tally_analyst")
	d := testdb.New(t)
	d.Exec(t, "SELECT ensure_events_partitions('2025-01-01Z', 12)")
	d.Exec(t, `INSERT INTO logs (log_id, tenant_id, name)
		SELECT gen_random_uuid(), tenant_id, 'log-' || n FROM tenants, generate_series(1, 50) n`)
	d.Exec(t, `INSERT INTO log_heads (log_id, sequence, hash, recorded_at) SELECT log_id, 239, sha256(''), now() FROM logs`)
	d.Exec(t, `INSERT INTO events (log_id, sequence, recorded_at, time, type, data, hash)
		SELECT log_id, n, at, at, 'x', '{}', '\x00'
		FROM logs, generate_series(0, 239) n, LATERAL (SELECT timestamptz '2025-01-01Z' + n * interval '36 hours' AS at) t`)
	d.Exec(t, "ANALYZE")
	conn := analyst(t, d, login)
	log := lines(t, conn, "SELECT log_id::text FROM reporting.logs WHERE log = 'log-7'")[0]
	partition := regexp.MustCompile(`events_(y\d+m\d+|default)\b`)
	const march = " recorded_at >= '2025-03-01Z' AND recorded_at < '2025-04-01Z'"
	const twoMonths = "SELECT count(*) FROM reporting.events WHERE recorded_at BETWEEN '2025-03-31Z' AND '2025-04-01 12:00Z'"
	const month3, month4 = "events_y2025m03", "events_y2025m04"
	for query, test := range map[string]struct {
		partitions []string
		names      bool // of logs are looked up
		byIndex    bool
	}{
		"SELECT count(*) FROM reporting.events WHERE log_id = '" + log + "' AND" + march:      {[]string{month3}, false, true},
		"SELECT count(*) FROM reporting.events WHERE log = 'log-7' AND" + march:               {[]string{month3}, true, true},
		"SELECT data FROM reporting.events WHERE log = 'log-7' AND sequence = 45 AND" + march: {[]string{month3}, true, true},
		"SELECT log, count(*) FROM reporting.events WHERE" + march + " GROUP BY log":          {[]string{month3}, true, false},
		twoMonths: {[]string{month3, month4}, false, false},
	} {
		plan := strings.Join(lines(t, conn, "EXPLAIN (COSTS OFF) "+query), "\n")
		found := partition.FindAllString(strings.ReplaceAll(plan, "_pkey", ""), -1)
		slices.Sort(found)
		if found = slices.Compact(found); !slices.Equal(found, test.partitions) {
			t.Errorf("%s touches %v, want %v:\n%s", query, found, test.partitions, plan)
		}
		if strings.Contains(plan, " on logs ") != test.names {
			t.Errorf("%s looks up names: %t\n%s", query, !test.names, plan)
		}
		if strings.Contains(plan, "Index Cond: ((log_id =") != test.byIndex &&
			strings.Contains(plan, "Index Cond: (log_id =") != test.byIndex {
			t.Errorf("%s goes by the index: %t\n%s", query, !test.byIndex, plan)
		}
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		execute(t, conn, query)
		locked := lines(t, conn, `SELECT relation::regclass::text FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'
			AND relation IN (SELECT inhrelid FROM pg_inherits JOIN pg_class p ON p.oid = inhparent WHERE p.relname = 'events') ORDER BY 1`)
		if !slices.Equal(locked, test.partitions) {
			t.Errorf("%s locks %v, want %v", query, locked, test.partitions)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAnalystsHoldNothingUp keeps open the transactions of analysts who have read everything: appends, deployments and new logs go on.
// Creating a partition gives up, since it would have to wait, unless the analyst's query bounds the months.
func TestAnalystsHoldNothingUp(t *testing.T) {
	login := newLogin(t, "IN ROLE tally_analyst")
	d := testdb.New(t)
	node := testrig.Start(t, d.DSN(), testrig.Settings{})
	log := node.NewLog(t)
	node.Deploy(t, log, "totals", views.MonthlyTotals(), "{}")
	month := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	makeMonth := func() (int32, error) {
		month = month.AddDate(0, 1, 0)
		n, err := node.DB.EnsureEventsPartitions(t.Context(), node.DB.Read, dbsqlc.EnsureEventsPartitionsParams{FromTime: month, Months: 1})
		return n, db.Classify(err)
	}
	if n, err := makeMonth(); n != 1 || err != nil {
		t.Fatalf("%d months made, %v", n, err)
	}
	for name, test := range map[string]struct {
		where string
		made  error
	}{
		"everything": {"", db.ErrConflict},
		"one month":  {" WHERE recorded_at >= '2025-02-01Z' AND recorded_at < '2025-03-01Z'", nil},
	} {
		conn := analyst(t, d, login)
		execute(t, conn, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT FROM reporting.events"+test.where,
			"SELECT FROM reporting.view_state", "SELECT FROM reporting.view_status", "SELECT FROM reporting.logs")
		node.Append(t, log, testrig.Parse(t, `{"model":"m","tokens_in":1}`, ""))
		node.Deploy(t, log, "beside-"+strings.ReplaceAll(name, " ", "-"), views.RateCheck(), "{}")
		another := node.NewLog(t)
		if _, err := makeMonth(); !errors.Is(err, test.made) {
			t.Errorf("beside one who reads %s, making a partition ends with %v, want %v", name, err, test.made)
		}
		node.Append(t, another, testrig.Parse(t, `{}`, ""))
		execute(t, conn, "COMMIT")
		if n, err := makeMonth(); n != 1 || err != nil {
			t.Errorf("afterwards %d months are made, %v", n, err)
		}
	}
	testrig.Check(t, d.DSN())
}
