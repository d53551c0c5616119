package ingest_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/views"
)

// TestBrokenModuleStopsItsLogOnly starts a server that cannot load one log's view: other logs' appends in the same group must succeed.
func TestBrokenModuleStopsItsLogOnly(t *testing.T) {
	a, d := start(t, testrig.Settings{})
	broken, sound := a.NewLog(t), a.NewLog(t)
	a.Deploy(t, broken, "months", views.MonthlyTotals(), "{}")
	a.Deploy(t, sound, "minutes", views.RateCheck(), "{}")
	a.Stop(t)
	exec(t, d.DSN(), `UPDATE view_versions SET fields = '{"not a pointer"}' WHERE log_id = $1`, broken)

	b := testrig.Start(t, d.DSN(), testrig.Settings{Lanes: 1, NoBuilder: true})
	release := holdHead(t, d.DSN(), sound)
	first := appendAsync(b, sound, request(keyed(t, "first", 1)...))
	awaitLockWaiters(t, d.DSN(), 1)
	var good, bad []<-chan result
	for i := range 8 {
		good = append(good, appendAsync(b, sound, request(keyed(t, fmt.Sprint("good", i), 2)...)))
		if i%3 == 1 {
			bad = append(bad, appendAsync(b, broken, request(keyed(t, fmt.Sprint("bad", i), 2)...)))
		}
	}
	awaitWaiting(t, b, sound, len(good)+len(bad))
	release()
	for _, answer := range append(good, first) {
		if r := <-answer; r.err != nil {
			t.Errorf("beside a log whose view cannot be loaded: %v", r.err)
		}
	}
	for _, answer := range bad {
		if r := <-answer; r.err == nil {
			t.Errorf("events were placed at %v and not folded", r.placements)
		}
	}
	if n := len(testrig.Check(t, d.DSN())[sound].Events); n != 17 {
		t.Errorf("the sound log has %d events, want 17", n)
	}
}

// TestCommitIsLost ends the connection while it commits: the append fails with ErrOutcomeUnknown, and its retry finds out.
func TestCommitIsLost(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	deployReadyViews(t, node, log)
	node.Append(t, log, keyed(t, "before", 3)...)
	exec(t, d.DSN(), `
		CREATE FUNCTION lose_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
			AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
		CREATE CONSTRAINT TRIGGER lose_commit AFTER UPDATE ON log_heads DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW EXECUTE FUNCTION lose_commit()`)
	for range 3 {
		if placements, err := node.Ingest.Append(log, request(keyed(t, "k", 2)...)); !errors.Is(err, ingest.ErrOutcomeUnknown) {
			t.Fatalf("a commit that was lost: %v, %v; want ErrOutcomeUnknown", placements, err)
		}
	}
	exec(t, d.DSN(), "DROP FUNCTION lose_commit CASCADE")
	if got := node.Append(t, log, keyed(t, "k", 2)...); got[0] != (ingest.Appended{Sequence: 4}) {
		t.Errorf("the retry is at %v, want 4", got)
	}
	testrig.Check(t, d.DSN())
}

// TestConflictIsTriedAgain makes every first commit fail as in a serialization failure.
func TestConflictIsTriedAgain(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	deployReadyViews(t, node, log)
	exec(t, d.DSN(), `
		CREATE SEQUENCE commits;
		CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
			IF nextval('commits') % 2 = 1 THEN RAISE SQLSTATE '40001'; END IF; RETURN NULL; END $$;
		CREATE CONSTRAINT TRIGGER conflict AFTER UPDATE ON log_heads DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW EXECUTE FUNCTION conflict()`)
	for i := range 10 {
		if got := node.Append(t, log, keyed(t, fmt.Sprint(i), 1)...); got[0] != (ingest.Appended{Sequence: int64(i + 1)}) {
			t.Errorf("append %d is at %v", i, got)
		}
	}
	testrig.Check(t, d.DSN())
}

// TestPartitionsAreMadeUnderLoad makes months of partitions while two servers append.
func TestPartitionsAreMadeUnderLoad(t *testing.T) {
	d := testdb.New(t)
	nodes := []*testrig.Node{testrig.Start(t, d.DSN(), testrig.Settings{}), testrig.Start(t, d.DSN(), testrig.Settings{})}
	log := nodes[0].NewLog(t)
	deployReadyViews(t, nodes[0], log)
	nodes[0].Append(t, log, keyed(t, "before", 10)...)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i, node := range nodes {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
					node.Append(t, log, keyed(t, fmt.Sprintf("%d-%d", i, n), 2)...)
				}
			}
		})
	}
	for months := range int32(24) {
		from := time.Now().AddDate(0, 1, 0) // this month's events are in the default partition
		params := dbsqlc.EnsureEventsPartitionsParams{FromTime: from, Months: months + 1}
		made, err := nodes[months%2].DB.EnsureEventsPartitions(t.Context(), nodes[months%2].DB.Read, params)
		for errors.Is(db.Classify(err), db.ErrConflict) { // it does not wait long for appends to the default partition
			made, err = nodes[months%2].DB.EnsureEventsPartitions(t.Context(), nodes[months%2].DB.Read, params)
		}
		if err != nil || made > 1 {
			t.Errorf("made %d partitions, %v", made, err)
		}
	}
	close(stop)
	wg.Wait()
	testrig.Check(t, d.DSN())
}
