package db_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
)

// ask runs a query that returns one value.
func ask[T any](t *testing.T, conn *pgx.Conn, query string, args ...any) T {
	t.Helper()
	var value T
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

func maintainer(t *testing.T, dsn string) *db.Maintainer {
	t.Helper()
	m, err := db.NewMaintainer(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close(context.Background()) })
	return m
}

// clock is a clock that the test sets.
type clock struct{ micros atomic.Int64 }

func (c *clock) set(t time.Time) { c.micros.Store(t.UnixMicro()) }
func (c *clock) now() time.Time  { return time.UnixMicro(c.micros.Load()) }

func month(year int, m time.Month) time.Time { return time.Date(year, m, 1, 0, 0, 0, 0, time.UTC) }

// TestPartitionsAreMadeByManyAtOnce lets twenty servers create the same missing partitions at once.
func TestPartitionsAreMadeByManyAtOnce(t *testing.T) {
	d, owner := owned(t)
	const servers, months = 20, 24
	var made atomic.Int64
	start := make(chan struct{})
	var wg sync.WaitGroup
	for range servers {
		server := opened(t, owner)
		wg.Go(func() {
			<-start
			params := dbsqlc.EnsureEventsPartitionsParams{FromTime: month(2031, 11), Months: months}
			n, err := server.EnsureEventsPartitions(t.Context(), server.Read, params)
			if err != nil {
				t.Error(err)
			}
			made.Add(int64(n))
		})
	}
	close(start)
	wg.Wait()
	if n := made.Load(); n != months {
		t.Errorf("%d partitions were made, want %d", n, months)
	}
	conn := connect(t, d.DSN())
	if gaps := ask[int](t, conn, `SELECT count(*) FROM generate_series(timestamptz '2031-11-01Z', '2033-10-01Z', '1 month') AS m
		WHERE (SELECT count(*) FROM events_partitions WHERE m >= recorded_from AND m < recorded_until) <> 1`); gaps != 0 {
		t.Errorf("%d months have no partition, or more than one", gaps)
	}
	if again := ask[int](t, conn, "SELECT ensure_events_partitions($1, $2)", month(2031, 11), months); again != 0 {
		t.Errorf("once more made %d", again)
	}
}

// TestPartitionsWaitForNobody: while an analyst reads all events in one long transaction, no partition can be attached. Nothing is left
// half done, and appends and reads go on. Once the transaction has ended, the partitions are created.
func TestPartitionsWaitForNobody(t *testing.T) {
	dsn := testdb.New(t).DSN()
	node := testrig.Start(t, dsn, testrig.Settings{})
	if made, err := node.DB.MakePartitions(t.Context()); err != nil || made == 0 {
		t.Fatalf("made %d partitions: %v", made, err)
	}
	log := node.NewLog(t)
	admin := connect(t, dsn)
	const last = "SELECT partition FROM events_partitions ORDER BY recorded_from DESC NULLS LAST LIMIT 1"
	execute(t, admin, "DROP TABLE "+ask[string](t, admin, last))
	before := ask[int](t, admin, "SELECT count(*) FROM events_partitions")

	analyst := connect(t, dsn)
	execute(t, analyst, "BEGIN; SELECT count(*) FROM events")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				node.Append(t, log, testrig.Parse(t, fmt.Sprintf(`{"n":%d}`, n), ""))
			}
		}
	})
	for range 3 {
		if made, err := node.DB.MakePartitions(t.Context()); made != 0 || !errors.Is(err, db.ErrInTheWay) {
			t.Errorf("beside a long query %d partitions were made: %v", made, err)
		}
	}
	close(stop)
	wg.Wait()
	if after := ask[int](t, admin, "SELECT count(*) FROM events_partitions"); after != before {
		t.Errorf("there are %d partitions, there were %d", after, before)
	}
	execute(t, analyst, "COMMIT")
	if made, err := node.DB.MakePartitions(t.Context()); err != nil || made != 1 {
		t.Errorf("after it %d partitions were made: %v", made, err)
	}
	testrig.Check(t, dsn)
}

// TestDefaultPartitionIsAdopted: events of three months went to the default partition. While appends go on, it becomes the partition of
// those months, unchanged, and the new default is empty.
func TestDefaultPartitionIsAdopted(t *testing.T) {
	d, owner := owned(t)
	var now clock
	node := testrig.Start(t, owner, testrig.Settings{Now: now.now})
	log := node.NewLog(t)
	for m := range 3 {
		now.set(month(2031, 11).AddDate(0, m, 3))
		node.Append(t, log, testrig.Parse(t, fmt.Sprintf(`{"month":%d}`, m), ""))
	}
	admin := connect(t, d.DSN())
	file := ask[uint32](t, admin, "SELECT relfilenode FROM pg_class WHERE oid = 'events_default'::regclass")
	m := maintainer(t, owner)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				node.Append(t, log, testrig.Parse(t, `{}`, ""))
			}
		}
	})
	adopted, err := m.AdoptDefault(t.Context())
	close(stop)
	wg.Wait()
	if err != nil || adopted != "events_y2031m11_y2032m01" {
		t.Fatalf("adopted as %q: %v", adopted, err)
	}
	if same := ask[uint32](t, admin, "SELECT relfilenode FROM pg_class WHERE oid = $1::regclass", adopted); same != file {
		t.Errorf("the events are in the file %d, they were in %d", same, file)
	}
	if used, err := node.DB.EventsDefaultInUse(t.Context(), node.DB.Read); used || err != nil {
		t.Errorf("the default partition is still in use: %v", err)
	}
	if again, err := m.AdoptDefault(t.Context()); again != "" || err != nil {
		t.Errorf("once more: %q, %v", again, err)
	}
	// The partition is recorded as such, and the new default is protected like any other.
	if made := ask[int](t, admin, "SELECT ensure_events_partitions($1, 5)", month(2031, 10)); made != 2 {
		t.Errorf("around it %d partitions were made, want October's and February's", made)
	}
	triggers := `SELECT string_agg(tgname, ',' ORDER BY tgname) FROM pg_trigger WHERE tgrelid = $1::regclass`
	want := ask[string](t, admin, triggers, "events_y2031m10")
	for _, table := range []string{adopted, "events_default"} {
		if found := ask[string](t, admin, triggers, table); found != want || !strings.Contains(want, "refuse_truncate") {
			t.Errorf("%s has the triggers %s, others have %s", table, found, want)
		}
	}
	testrig.Check(t, d.DSN())

	// One partition cannot hold months on both sides of another.
	for _, m := range []time.Time{month(2032, 3), month(2032, 6)} {
		now.set(m)
		node.Append(t, log, testrig.Parse(t, `{}`, ""))
	}
	ask[int](t, admin, "SELECT ensure_events_partitions($1, 1)", month(2032, 4))
	const between = "2032-03 to 2032-06, and the partition events_y2032m04 lies between"
	if adopted, err := m.AdoptDefault(t.Context()); err == nil || !strings.Contains(err.Error(), between) {
		t.Errorf("adopted as %q: %v", adopted, err)
	}
	testrig.Check(t, d.DSN())
}

// TestPassedMonthsAreFrozen: large and small events of two past months are frozen, so that PostgreSQL no longer needs their transaction
// ids; those of this month are not. Freezing waits for open transactions that do not see the events.
func TestPassedMonthsAreFrozen(t *testing.T) {
	d, owner := owned(t)
	var now clock
	node := testrig.Start(t, owner, testrig.Settings{Now: now.now})
	admin, old := connect(t, d.DSN()), connect(t, d.DSN())
	ask[int](t, admin, "SELECT ensure_events_partitions($1, 2)", month(2021, 2))
	ask[int](t, admin, "SELECT ensure_events_partitions(now(), 1)")
	execute(t, old, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM logs")
	log := node.NewLog(t)
	execute(t, admin, "UPDATE log_heads SET recorded_at = '2021-01-31Z'") // as if the log were old
	for _, when := range []time.Time{month(2021, 2), month(2021, 3), time.Now()} {
		now.set(when)
		node.Append(t, log, testrig.Parse(t, `{}`, ""), testrig.Parse(t, `{"large":"`+noise(20_000)+`"}`, ""))
	}
	m := maintainer(t, owner)
	waiting, err := m.ToFreeze(t.Context())
	if err != nil || fmt.Sprint(waiting) != "[events_y2021m02 events_y2021m03]" {
		t.Fatalf("to be frozen: %v, %v", waiting, err)
	}
	if frozen, err := m.Freeze(t.Context(), waiting[0]); frozen || err != nil {
		t.Errorf("beside a transaction that is older than the events: frozen %t, %v", frozen, err)
	}
	execute(t, old, "COMMIT")
	execute(t, admin, "CHECKPOINT") // without fsync, rows that are not on disk yet cannot be frozen
	for _, partition := range waiting {
		if frozen, err := m.Freeze(t.Context(), partition); !frozen || err != nil {
			t.Errorf("%s is frozen: %t, %v", partition, frozen, err)
		}
		// The age of a table is that of its oldest row that is not frozen.
		toast := ask[string](t, admin, "SELECT reltoastrelid::regclass::text FROM pg_class WHERE oid = $1::regclass", partition)
		for _, table := range []string{partition, toast} {
			rows := ask[int](t, admin, "SELECT min(age(xmin)) FROM "+table)
			if age := ask[int](t, admin, "SELECT age(relfrozenxid) FROM pg_class WHERE oid = $1::regclass", table); age >= rows {
				t.Errorf("%s is %d transactions old, its rows are %d: not all are frozen", table, age, rows)
			}
		}
	}
	if waiting, err := m.ToFreeze(t.Context()); err != nil || len(waiting) > 0 {
		t.Errorf("to be frozen once more: %v, %v", waiting, err)
	}
	testrig.Check(t, d.DSN())
}

// noise returns text that does not compress.
func noise(n int) string {
	letters := make([]byte, n)
	for i := range letters {
		letters[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"[rand.IntN(64)]
	}
	return string(letters)
}

// TestWhoMayMaintain: only the owner, and only one at a time.
func TestWhoMayMaintain(t *testing.T) {
	database := testdb.New(t)
	first := maintainer(t, database.DSN())
	if _, err := db.NewMaintainer(t.Context(), database.DSN()); !errors.Is(err, db.ErrMaintained) {
		t.Errorf("a second at the same time: %v", err)
	}
	first.Close(t.Context())
	other := as(t, database.DSN(), newLogin(t, "IN ROLE tally_server"))
	if _, err := db.NewMaintainer(t.Context(), other); !errors.Is(err, db.ErrNotOwner) {
		t.Errorf("as a login that owns nothing: %v", err)
	}
}
