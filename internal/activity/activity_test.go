package activity_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/activity"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
)

// clock is one that tests set.
type clock struct{ now atomic.Int64 }

// begin is the beginning of an interval.
var begin = time.Date(2025, time.March, 5, 10, 0, 0, 0, time.UTC)

func newClock() *clock {
	c := &clock{}
	c.now.Store(begin.UnixNano())
	return c
}

func (c *clock) Now() time.Time        { return time.Unix(0, c.now.Load()).UTC() }
func (c *clock) pass(by time.Duration) { c.now.Add(int64(by)) }

var acme, rival = uuid.New(), uuid.New()

func open(t *testing.T, dsn string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{URL: dsn, ReadConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// newServer is a server's activity, on a clock that other servers may share.
func newServer(t *testing.T, dsn string, c *clock) *activity.Activity {
	t.Helper()
	return activity.New(open(t, dsn), activity.Config{Now: c.Now})
}

func read(t *testing.T, a *activity.Activity, tenant uuid.UUID, minutes int) *activity.Report {
	t.Helper()
	r, err := a.Read(t.Context(), tenant, minutes, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func flush(t *testing.T, a *activity.Activity) {
	t.Helper()
	if err := a.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestServersAddUp: whichever server is asked, it adds up what all have written and what it has not written itself, of the tenant alone.
func TestServersAddUp(t *testing.T) {
	database, c := testdb.New(t), newClock()
	one, two := newServer(t, database.DSN(), c), newServer(t, database.DSN(), c)
	one.Appended(acme, 10, 3*time.Millisecond)
	two.Appended(acme, 5, 100*time.Millisecond)
	two.Appended(rival, 1000, time.Second)
	two.Refused(acme, "sequence_mismatch")
	if r := read(t, one, acme, 1); r.All.Events != 10 || r.All.Refusals != 0 {
		t.Errorf("before anything is written, %+v", r.All)
	}
	c.pass(activity.Interval)
	flush(t, two)
	one.Appended(acme, 2, 3*time.Millisecond) // still counted in the interval that has not been ended here
	one.Refused(acme, "log_busy")
	one.Refused(acme, "log_busy")
	for name, a := range map[string]*activity.Activity{"the one": one, "the other": two} {
		r := read(t, a, acme, 1)
		want := int64(5)
		if a == one {
			want = 17
		}
		if r.All.Events != want || len(r.Intervals) != 12 {
			t.Errorf("%s: %d events, %d intervals", name, r.All.Events, len(r.Intervals))
		}
	}
	flush(t, one)
	for name, a := range map[string]*activity.Activity{"the one": one, "the other": two} {
		r := read(t, a, acme, 1)
		former, last := r.Intervals[10], r.Intervals[11]
		if !former.At.Equal(begin) || former.Events != 17 || former.Appends != 3 || former.Refusals != 3 || last.Events != 0 {
			t.Errorf("%s: %+v, then %+v", name, former, last)
		}
		if former.P50 > 5*time.Millisecond || former.P99 < 75*time.Millisecond || former.P99 > 125*time.Millisecond {
			t.Errorf("%s: the median is %v, p99 %v", name, former.P50, former.P99)
		}
		if want := []activity.CodeCount{{"log_busy", 2}, {"sequence_mismatch", 1}}; !slices.Equal(r.Refusals, want) {
			t.Errorf("%s: %v", name, r.Refusals)
		}
		if !former.Open || !last.Open || r.Intervals[9].Open {
			t.Errorf("%s: what may grow is said to be complete: %+v", name, r)
		}
	}
	c.pass(activity.WriteTimeout + time.Second)
	r := read(t, two, acme, 1)
	if r.Intervals[10].Open || !r.Intervals[11].Open {
		t.Errorf("open, or not: %+v", r.Intervals[10:])
	}
	if r := read(t, one, rival, 1); r.All.Events != 1000 || len(r.Refusals) != 0 {
		t.Errorf("of the other tenant %+v", r.All)
	}
	if r := read(t, one, uuid.New(), 60); r.All.Events != 0 || len(r.Intervals) != 720 {
		t.Errorf("of a tenant that did nothing %+v", r.All)
	}
}

// TestPresentRate: what a server has just taken itself is in its rate at once, and leaves it within two intervals; what others have taken,
// when it is certain that they have written it.
func TestPresentRate(t *testing.T) {
	database, c := testdb.New(t), newClock()
	one, two := newServer(t, database.DSN(), c), newServer(t, database.DSN(), c)
	c.pass(time.Second)
	one.Appended(acme, 100, time.Millisecond)
	two.Appended(acme, 50, time.Millisecond)
	steps := []struct {
		after time.Duration // since the one before
		flush bool
		want  [2]float64 // by the one, and by the other
	}{
		{0, false, [2]float64{20, 10}},
		{4 * time.Second, false, [2]float64{20, 10}}, // the interval is over, and not ended
		{0, true, [2]float64{20, 10}},
		{2 * time.Second, true, [2]float64{12, 6}},
		{time.Second, true, [2]float64{8 + 10, 4 + 20}}, // others' are certain
		{2 * time.Second, true, [2]float64{10, 20}},
		{2 * time.Second, true, [2]float64{10, 20}},
		{time.Second, true, [2]float64{0, 0}},
	}
	for i, step := range steps {
		c.pass(step.after)
		if step.flush {
			flush(t, one)
			flush(t, two)
		}
		for n, a := range []*activity.Activity{one, two} {
			if got := read(t, a, acme, 1).EventsPerSecond; math.Abs(got-step.want[n]) > 1e-9 {
				t.Errorf("step %d: server %d says %v a second, want %v", i, n, got, step.want[n])
			}
		}
	}
	if got := read(t, one, rival, 1).EventsPerSecond; got != 0 {
		t.Errorf("of another tenant %v", got)
	}
}

// TestNothingIsLostOrCountedTwice: whenever somebody reads while others count and intervals end, all is there that had been counted, once.
func TestNothingIsLostOrCountedTwice(t *testing.T) {
	const counting, each = 4, 3000
	database, c := testdb.New(t), newClock()
	a := newServer(t, database.DSN(), c)
	var begun, done atomic.Int64
	var working, counters sync.WaitGroup
	for range counting {
		counters.Go(func() {
			for i := range each {
				begun.Add(1)
				a.Appended(acme, 1, time.Duration(i)*time.Microsecond)
				a.Refused(acme, "log_busy")
				done.Add(1)
			}
		})
	}
	ended := make(chan struct{})
	intervals := 0
	working.Go(func() {
		for {
			c.pass(activity.Interval)
			if err := a.Flush(t.Context()); err != nil {
				t.Error(err)
				return
			}
			if intervals++; intervals > 600 { // else the first would be out of sight
				return
			}
			select {
			case <-ended:
				return
			default:
			}
		}
	})
	working.Go(func() {
		for {
			least := done.Load()
			r, err := a.Read(context.WithoutCancel(t.Context()), acme, activity.MaxMinutes, nil)
			if err != nil {
				t.Error(err)
				return
			}
			if most := begun.Load(); r.All.Events < least || r.All.Events > most || r.All.Appends < least || r.All.Appends > most {
				t.Errorf("%d events and %d appends of %d to %d", r.All.Events, r.All.Appends, least, most)
				return
			}
			select {
			case <-ended:
				return
			default:
			}
		}
	})
	counters.Wait()
	close(ended)
	working.Wait()
	c.pass(activity.Interval)
	flush(t, a)
	r := read(t, newServer(t, database.DSN(), c), acme, activity.MaxMinutes)
	if all := int64(counting * each); r.All.Events != all || r.All.Appends != all || r.Refusals[0].Count != all {
		t.Errorf("in the end %+v of %d, in %d intervals", r.All, all, intervals)
	}
}

// TestDatabaseAway: what cannot be written is dropped and later intervals are written again. What was written although the answer was lost
// is there once.
func TestDatabaseAway(t *testing.T) {
	database, c := testdb.New(t), newClock()
	wire := testrig.NewWire(t, database.DSN())
	through, err := db.Open(t.Context(), db.Config{URL: wire.DSN, ReadConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(through.Close)
	a, other := activity.New(through, activity.Config{Now: c.Now}), newServer(t, database.DSN(), c)
	step := func(events int, before func(), fails bool) {
		t.Helper()
		read(t, a, acme, 1) // the connection is there
		a.Appended(acme, events, time.Millisecond)
		c.pass(activity.Interval)
		before()
		if err := a.Flush(t.Context()); (err != nil) != fails {
			t.Fatalf("writing %d: %v", events, err)
		}
		if n := a.Counted(); n != 0 {
			t.Fatalf("%d tenants are kept after writing", n)
		}
	}
	step(300, func() {}, false) // from now on, writing is one round trip
	step(20, wire.LoseAnswer, true)
	step(1, wire.LoseRequest, true)
	step(4000, func() {}, false)
	for name, from := range map[string]*activity.Activity{"itself": a, "another": other} {
		if r := read(t, from, acme, 1); r.All.Events != 4320 {
			t.Errorf("%s reads %d events", name, r.All.Events)
		}
	}
}

// TestCountingNeverWaits: for a database that does not answer, and while the interval is written.
func TestCountingNeverWaits(t *testing.T) {
	database, c := testdb.New(t), newClock()
	a := newServer(t, database.DSN(), c)
	blocker := open(t, database.DSN())
	conn, err := blocker.Read.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, statement := range []string{"RESET ROLE", "BEGIN", "LOCK TABLE activity IN ACCESS EXCLUSIVE MODE"} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	a.Appended(acme, 1, time.Millisecond)
	c.pass(activity.Interval)
	written := make(chan error, 1)
	go func() { written <- a.Flush(t.Context()) }()
	counted := 0
	for waiting := true; waiting; counted++ {
		a.Appended(acme, 1, time.Millisecond)
		a.Refused(acme, "log_busy")
		select {
		case err := <-written:
			if waiting = false; err == nil {
				t.Error("the interval was written over somebody's lock")
			}
		default:
		}
	}
	if _, err := conn.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	// The first few may have been in the interval that was dropped.
	if r := read(t, a, acme, 1); r.All.Events < int64(counted)/2 || r.All.Events > int64(counted) || counted < 100 {
		t.Errorf("%d events of %d were counted", r.All.Events, counted)
	}
}

// TestMemoryIsBounded: by tenants and by codes. Tenants that did nothing since are not remembered.
func TestMemoryIsBounded(t *testing.T) {
	database, c := testdb.New(t), newClock()
	a := newServer(t, database.DSN(), c)
	a.Appended(acme, 1, time.Millisecond)
	for range activity.MaxTenants + 100 {
		a.Appended(uuid.New(), 1, time.Millisecond)
	}
	if n := a.Counted(); n != activity.MaxTenants {
		t.Errorf("%d tenants are counted", n)
	}
	a.Appended(acme, 1, time.Millisecond)
	for i := range 2 * activity.MaxCodes {
		a.Refused(acme, fmt.Sprint("code-", i))
	}
	a.Refused(acme, "code-0")
	c.pass(activity.Interval)
	flush(t, a)
	if n := a.Counted(); n != 0 {
		t.Errorf("%d tenants are remembered", n)
	}
	r := read(t, a, acme, 1)
	if r.All.Events != 2 || len(r.Refusals) != activity.MaxCodes || r.Refusals[0] != (activity.CodeCount{Code: "code-0", Count: 2}) {
		t.Errorf("%+v, %d codes", r.All, len(r.Refusals))
	}
	if n := database.Exec(t, "UPDATE activity SET events = events"); n != activity.MaxTenants {
		t.Errorf("%d rows", n)
	}
	c.pass(activity.Interval)
	flush(t, a)
	if n := database.Exec(t, "UPDATE activity SET events = events"); n != activity.MaxTenants {
		t.Errorf("%d rows after an interval in which nobody did anything", n)
	}
}

// TestOldRowsAreDropped: by several servers at once.
func TestOldRowsAreDropped(t *testing.T) {
	database, c := testdb.New(t), newClock()
	insert := func(rows int, age time.Duration) {
		database.Exec(t, `INSERT INTO activity (tenant_id, at, server_id, events, appends, latencies, refusals)
			SELECT gen_random_uuid(), $2::timestamptz + i * interval '1 microsecond', gen_random_uuid(), 1, 1, '{}', '{}'
			FROM generate_series(1, $1::int) i`, rows, c.Now().Add(-age))
	}
	insert(50_000, activity.Retention+time.Second)
	insert(10, activity.Retention-time.Second)
	var dropping sync.WaitGroup
	for range 3 {
		a := newServer(t, database.DSN(), c)
		dropping.Go(func() {
			if err := a.Drop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	dropping.Wait()
	if n := database.Exec(t, "UPDATE activity SET events = events"); n != 10 {
		t.Errorf("%d rows are left", n)
	}
}

// TestClocks: one that is set back costs at most what is counted until it is where it was, and one that is ahead shows nothing.
func TestClocks(t *testing.T) {
	database, c := testdb.New(t), newClock()
	a := newServer(t, database.DSN(), c)
	ahead := newClock()
	ahead.pass(time.Hour)
	b := newServer(t, database.DSN(), ahead)
	b.Appended(acme, 7, time.Millisecond)
	ahead.pass(activity.Interval)
	flush(t, b)
	if r := read(t, a, acme, 1); r.All.Events != 0 {
		t.Errorf("%d events of the future", r.All.Events)
	}
	for range 3 {
		a.Appended(acme, 1, time.Millisecond)
		c.pass(activity.Interval)
		flush(t, a)
		c.pass(-activity.Interval)
		flush(t, a)
	}
	c.pass(2 * activity.Interval)
	if r := read(t, a, acme, 1); r.All.Events < 1 || r.All.Events > 3 {
		t.Errorf("%d events", r.All.Events)
	}
}

// TestRunWritesWhatIsLeft: a server that stops leaves what it has counted to the others.
func TestRunWritesWhatIsLeft(t *testing.T) {
	database, c := testdb.New(t), newClock()
	a := newServer(t, database.DSN(), c)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); a.Run(ctx) }()
	a.Appended(acme, 3, time.Millisecond)
	stop()
	<-ended
	if r := read(t, newServer(t, database.DSN(), c), acme, 1); r.All.Events != 3 {
		t.Errorf("%d events were left", r.All.Events)
	}
}

// TestNobodyCounts: a server without an activity does without.
func TestNobodyCounts(t *testing.T) {
	var none *activity.Activity
	none.Appended(acme, 1, time.Millisecond)
	none.Refused(acme, "log_busy")
}

func BenchmarkAppended(b *testing.B) {
	a := activity.New(nil, activity.Config{})
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			a.Appended(acme, 1, time.Millisecond)
		}
	})
}
