package limits_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/limits"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

func reached(t *testing.T, what string, err error, limit limits.Limit) *limits.ReachedError {
	t.Helper()
	var e *limits.ReachedError
	if !errors.As(err, &e) || e.Limit != limit {
		t.Fatalf("%s: %v, want a *ReachedError of %s", what, err, limit)
	}
	return e
}

func hasReached(t *testing.T, what string, err error, limit limits.Limit) {
	t.Helper()
	_ = reached(t, what, err, limit)
}

func onDatabase(node *testrig.Node, c *clock, defaults limits.Values) *limits.Limiter {
	return limits.New(node.DB, limits.Config{Defaults: defaults, LargestBody: largestBody, LargestBatch: largestBatch, Now: c.Now})
}

// addTenant adds a tenant with so many empty logs.
func addTenant(t *testing.T, database *testdb.Database, name string, logs int) uuid.UUID {
	t.Helper()
	id := uuid.New()
	database.Exec(t, "INSERT INTO tenants (tenant_id, name) VALUES ($1, $2)", id, name)
	database.Exec(t, `
		WITH made AS (
			INSERT INTO logs (log_id, tenant_id, name)
			SELECT gen_random_uuid(), $1, 'log-' || i FROM generate_series(1, $2::int) i RETURNING log_id
		)
		INSERT INTO log_heads (log_id, sequence, hash, recorded_at)
		SELECT log_id, 0, decode(repeat('00', 32), 'hex'), now() FROM made`, id, logs)
	return id
}

// TestLogsAreCounted: those of this server at once, others' when they are measured; and each tenant's by themselves.
func TestLogsAreCounted(t *testing.T) {
	database := testdb.New(t)
	node := testrig.Start(t, database.DSN(), testrig.Settings{NoBuilder: true})
	one, two := addTenant(t, database, "one", 8), addTenant(t, database, "two", 0)
	l := onDatabase(node, newClock(), limits.Values{limits.Logs: 10})
	a := l.Account(limits.Caller{Tenant: one})
	if !l.Due() {
		t.Error("a new tenant is not measured")
	}
	l.Measure(t, one, 3) // in steps
	if used := l.Used(one, limits.Logs); used != 8 {
		t.Errorf("%d logs were counted, want 8", used)
	}
	undo, err := a.CreateLog()
	passes(t, "the ninth", err)
	_, err = a.CreateLog()
	passes(t, "the tenth", err)
	_, err = a.CreateLog()
	if e := reached(t, "the eleventh", err, limits.Logs); e.Used != 10 || e.Value != 10 {
		t.Errorf("it is refused with %+v", e)
	}
	undo() // it was not created after all
	_, err = a.CreateLog()
	passes(t, "the tenth, again", err)
	_, err = l.Account(limits.Caller{Tenant: two}).CreateLog()
	passes(t, "another tenant's first", err)
	_, err = l.Account(limits.Caller{Tenant: one, TenantLimits: own(limits.Limits{Logs: new(int64(11))})}).CreateLog()
	passes(t, "the eleventh, with a limit of its own", err)
	if l.Measure(t, one, 100); l.Used(one, limits.Logs) != 8 { // none of those was really created
		t.Errorf("%d logs are counted after another measurement, want 8", l.Used(one, limits.Logs))
	}
}

// TestUndoAfterMeasuring: what is taken back after a measurement ended is not taken back twice.
func TestUndoAfterMeasuring(t *testing.T) {
	database := testdb.New(t)
	node := testrig.Start(t, database.DSN(), testrig.Settings{NoBuilder: true})
	one := addTenant(t, database, "one", 3)
	l := onDatabase(node, newClock(), limits.Values{limits.Logs: 10})
	undo, err := l.Account(limits.Caller{Tenant: one}).CreateLog()
	passes(t, "the fourth", err)
	l.Measure(t, one, 100)
	if undo(); l.Used(one, limits.Logs) != 3 {
		t.Errorf("%d logs are counted, want 3", l.Used(one, limits.Logs))
	}
	undo, err = l.Account(limits.Caller{Tenant: one}).CreateLog()
	passes(t, "the fourth", err)
	l.Begin(one)
	undo()
	if l.Measure(t, one, 100); l.Used(one, limits.Logs) != 3 {
		t.Errorf("%d logs are counted, want 3", l.Used(one, limits.Logs))
	}
}

// TestCreateHammer: of many who create logs at once, as many get through as there is room for.
func TestCreateHammer(t *testing.T) {
	l := newLimiter(newClock(), limits.Values{limits.Logs: 100})
	var created atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 100 {
				undo, err := l.Account(limits.Caller{Tenant: tenantA}).CreateLog()
				switch {
				case err != nil:
				case i%3 == 0: // it failed
					undo()
				default:
					created.Add(1)
				}
			}
		})
	}
	group.Wait()
	if created.Load() != 100 {
		t.Errorf("%d logs were created", created.Load())
	}
}

// TestMeasuring: the tenant that has waited longest has its turn, a measured one waits for a minute, and one without such a limit is left
// alone.
func TestMeasuring(t *testing.T) {
	database := testdb.New(t)
	node := testrig.Start(t, database.DSN(), testrig.Settings{NoBuilder: true})
	one, two := addTenant(t, database, "one", 3), addTenant(t, database, "two", 4)
	c := newClock()
	l := onDatabase(node, c, limits.Values{limits.Requests: 1})
	counted := own(limits.Limits{Logs: new(int64(1000))})
	l.Account(limits.Caller{Tenant: one})
	if l.Due() {
		t.Error("a tenant without a limit on what it stores is measured")
	}
	for _, tenant := range []uuid.UUID{one, two} {
		l.Account(limits.Caller{Tenant: tenant, TenantLimits: counted})
		c.pass(time.Second)
		l.Step(t.Context())
	}
	if l.Used(one, limits.Logs) != 3 || l.Used(two, limits.Logs) != 4 || l.Due() {
		t.Errorf("%d and %d logs were counted, want 3 and 4", l.Used(one, limits.Logs), l.Used(two, limits.Logs))
	}
	l.Account(limits.Caller{Tenant: one, TenantLimits: own(limits.Limits{Views: new(int64(5))})})
	if !l.Due() {
		t.Error("a new limit waits for the next measurement")
	}
	c.pass(time.Nanosecond)
	l.Step(t.Context())
	l.Account(limits.Caller{Tenant: one, TenantLimits: counted})
	if l.Due() {
		t.Error("a limit that is lifted is measured at once")
	}
	c.pass(time.Minute - time.Second)
	if l.Due() {
		t.Error("the second is measured again before its minute is over")
	}
	c.pass(time.Second - time.Nanosecond)
	if !l.Due() {
		t.Fatal("the second is not measured again a minute later")
	}
	l.Step(t.Context())
	if l.Due() {
		t.Error("the first is measured again before its minute is over")
	}
}

// TestRun: Run measures a tenant that has just come, without anybody's doing, and ends with its context.
func TestRun(t *testing.T) {
	database := testdb.New(t)
	node := testrig.Start(t, database.DSN(), testrig.Settings{NoBuilder: true})
	one := addTenant(t, database, "one", 3)
	l := onDatabase(node, newClock(), limits.Values{limits.Logs: 3})
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.Run(t.Context())
	}()
	t.Cleanup(func() { <-done }) // the test's context has ended then
	for {
		undo, err := l.Account(limits.Caller{Tenant: one}).CreateLog()
		if err != nil {
			hasReached(t, "with three logs", err, limits.Logs)
			return
		}
		undo()
		select {
		case <-t.Context().Done():
			t.Fatal("it was never measured")
		case <-time.After(time.Millisecond):
		}
	}
}

// TestViewsAndState: views are counted until they are retired, a new version of one that is there is no new view, and whoever has too much
// state appends only to logs that fold nothing.
func TestViewsAndState(t *testing.T) {
	database := testdb.New(t)
	node := testrig.Start(t, database.DSN(), testrig.Settings{})
	folding, plain := node.NewLog(t), node.NewLog(t)
	const config = `{"group_by":{"user":"/user"}}`
	node.Deploy(t, folding, "meter", views.Meter(), config)
	for i := range 3 {
		node.Append(t, folding, testrig.Parse(t, fmt.Sprintf(`{"user":"user-%d-%s"}`, i, strings.Repeat("x", 500)), ""))
	}
	l := onDatabase(node, newClock(), limits.Values{limits.Views: 2, limits.StateBytes: 1 << 30})
	with := func(theirs limits.Limits) limits.Account {
		return l.Account(limits.Caller{Tenant: db.DefaultTenant, TenantLimits: own(theirs)})
	}
	a := with(limits.Limits{})
	if l.Measure(t, db.DefaultTenant, 1); l.Used(db.DefaultTenant, limits.Views) != 1 {
		t.Errorf("%d views were counted, want 1", l.Used(db.DefaultTenant, limits.Views))
	}
	state := l.Used(db.DefaultTenant, limits.StateBytes)
	if state < 1500 || state > 100_000 { // each user's name is in a key
		t.Errorf("the state of three users with names of 500 bytes was measured as %d bytes", state)
	}
	undo, err := a.DeployView(t.Context(), plain, "meter")
	passes(t, "the second view", err)
	_, err = a.DeployView(t.Context(), plain, "other")
	hasReached(t, "the third view", err, limits.Views)
	_, err = a.DeployPattern(t.Context(), "everywhere")
	hasReached(t, "a pattern that brings more views", err, limits.Views)
	_, err = a.DeployView(t.Context(), folding, "meter")
	passes(t, "a new version of the first view", err)
	undo()
	_, err = a.DeployView(t.Context(), plain, "other")
	passes(t, "another, after the second was not deployed", err)

	full := with(limits.Limits{StateBytes: &state, Views: new(int64(0))})
	hasReached(t, "an append that would be folded", full.Append(t.Context(), folding), limits.StateBytes)
	passes(t, "an append that is only stored", full.Append(t.Context(), plain))
	_, err = full.DeployView(t.Context(), folding, "meter")
	hasReached(t, "a new version", err, limits.StateBytes)
	_, err = full.DeployPattern(t.Context(), "everywhere")
	hasReached(t, "a pattern", err, limits.StateBytes)
	hasReached(t, "a rollback", full.BuildView(), limits.StateBytes)

	if err := node.Views.Retire(t.Context(), folding, "meter", ""); err != nil {
		t.Fatal(err)
	}
	l.Measure(t, db.DefaultTenant, 100)
	if views, state := l.Used(db.DefaultTenant, limits.Views), l.Used(db.DefaultTenant, limits.StateBytes); views != 0 || state != 0 {
		t.Errorf("after the view was retired, %d views and %d bytes are counted", views, state)
	}
	passes(t, "an append after that", full.Append(t.Context(), folding))
	_, err = full.DeployView(t.Context(), folding, "meter")
	passes(t, "a deploy after that", err)
}

// TestPatterns: patterns are counted until they are retired, and a new revision of one is no new pattern.
func TestPatterns(t *testing.T) {
	database := testdb.New(t)
	node := testrig.Start(t, database.DSN(), testrig.Settings{})
	deployment := view.Deployment{Code: views.Meter(), Config: []byte(`{}`)}
	if _, err := node.Views.DeployPattern(t.Context(), db.DefaultTenant, "meter", "customer-*", deployment); err != nil {
		t.Fatal(err)
	}
	l := onDatabase(node, newClock(), limits.Values{limits.Patterns: 1})
	a := l.Account(limits.Caller{Tenant: db.DefaultTenant})
	l.Measure(t, db.DefaultTenant, 100)
	_, err := a.DeployPattern(t.Context(), "other")
	hasReached(t, "a second pattern", err, limits.Patterns)
	_, err = a.DeployPattern(t.Context(), "meter")
	passes(t, "a new revision", err)
	if _, err := node.Views.RetirePattern(t.Context(), db.DefaultTenant, "meter", false, ""); err != nil {
		t.Fatal(err)
	}
	for l.Used(db.DefaultTenant, limits.Patterns) != 0 { // retiring takes its time
		l.Measure(t, db.DefaultTenant, 100)
	}
	_, err = a.DeployPattern(t.Context(), "other")
	passes(t, "another, after the first was retired", err)
}

// TestMeasuringGrows: what is seen of a large tenant counts before all of it was seen, and is measured with more logs at a time as long as
// that is quick.
func TestMeasuringGrows(t *testing.T) {
	database := testdb.New(t)
	node := testrig.Start(t, database.DSN(), testrig.Settings{NoBuilder: true})
	const logs = 3000
	one := addTenant(t, database, "one", logs)
	l := onDatabase(node, newClock(), limits.Values{limits.Logs: 400, limits.Views: 5, limits.StateBytes: 1})
	a := l.Account(limits.Caller{Tenant: one})
	l.Step(t.Context())
	_, err := a.CreateLog()
	hasReached(t, "after the first step", err, limits.Logs)
	steps := 1
	for l.Used(one, limits.Logs) < logs && steps < 100 {
		l.Step(t.Context())
		steps++
	}
	l.Measure(t, one, 10_000)
	if used := l.Used(one, limits.Logs); used != logs {
		t.Errorf("%d logs were counted in %d steps, want %d", used, steps, logs)
	}
}
