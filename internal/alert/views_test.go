package alert_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

const failing = `SELECT coalesce((SELECT error FROM alert_states WHERE log_id = $1), '')`

const halted = `SELECT split_part(coalesce((SELECT error FROM alert_states WHERE log_id = $1), ''), ':', 1)`

// TestViewsComeAndGo: an alert whose view is missing, halts, is replaced or retired says so, and goes on when there is an answer again,
// also without an event.
func TestViewsComeAndGo(t *testing.T) {
	r := newRig(t)
	s := r.start(testrig.Settings{}, nil)
	r.put("units", `{"logs": "meadow", "view": "units", "value": "/used", "thresholds": [3, 5], "resolve": true}`, s)
	created, err := s.Logs.Create(t.Context(), db.DefaultTenant, "meadow", nil)
	if err != nil {
		t.Fatal(err)
	}
	log := created.ID
	s.Append(t, log, testrig.Parse(t, `{"units":3}`, ""))
	r.until("the log has no view of that name", failing, log)
	s.Deploy(t, log, "units", testrig.Guarded(), `{}`)
	r.until("fired 3 1", announced, "meadow")
	s.Append(t, log, testrig.Parse(t, `{"units":2,"fold":"trap"}`, ""))
	r.until("the view halted at event 2", halted, log)
	r.until("fired 3 1", announced, "meadow")
	if _, err := s.Views.Resume(t.Context(), log, "units", view.Resumption{Skip: true, Reason: "a trap"}); err != nil {
		t.Fatal(err)
	}
	r.evaluated(log, 2)
	s.Append(t, log, testrig.Parse(t, `{"units":2}`, ""))
	r.until("fired 3 1, fired 5 1", announced, "meadow")
	// Another view, by whose answers there is nothing.
	s.Deploy(t, log, "units", views.Meter(), meter)
	r.until("the answer has nothing at value, /used", failing, log)
	if err := s.Views.Retire(t.Context(), log, "units", "test"); err != nil {
		t.Fatal(err)
	}
	r.until("the view is retired", failing, log)
	again := view.Deployment{Code: testrig.Guarded(), Config: []byte(`{"limit":1}`)} // whose rebuild meets the trap
	if _, err := s.Views.Deploy(t.Context(), log, "units", again); err != nil {
		t.Fatal(err)
	}
	s.Append(t, log, testrig.Parse(t, `{"units":2}`, ""))
	r.until("the view halted at event 2", halted, log)
	r.until("fired 3 1, fired 5 1", announced, "meadow")
}

// TestAThousandLogs puts an alert on a pattern of logs, of which half have their events already.
func TestAThousandLogs(t *testing.T) {
	const logs = 1000
	r := newRig(t)
	s, other := r.start(testrig.Settings{}, nil), r.start(testrig.Settings{}, nil)
	deployment := view.Deployment{Code: testrig.Guarded(), Config: []byte(`{}`)}
	if _, err := s.Views.DeployPattern(t.Context(), db.DefaultTenant, "units", "many-*", deployment); err != nil {
		t.Fatal(err)
	}
	appendTo := func(from, to int) {
		var appending sync.WaitGroup
		for worker := range 8 {
			appending.Go(func() {
				for i := from + worker; i < to; i += 8 {
					at := []*server{s, other}[i%2]
					log, err := at.Logs.Create(t.Context(), db.DefaultTenant, fmt.Sprintf("many-%d", i), nil)
					if err != nil {
						t.Error(err)
						return
					}
					at.Append(t, log.ID, testrig.Parse(t, `{"units":7}`, ""))
				}
			})
		}
		appending.Wait()
	}
	appendTo(0, logs/2)
	r.put("units", `{"logs": "many-*", "view": "units", "value": "/used", "thresholds": [7]}`, s, other)
	appendTo(logs/2, logs)
	r.until(fmt.Sprint(logs), `SELECT count(DISTINCT log)::text FROM announced`)
	r.until(fmt.Sprint(logs), `SELECT count(*)::text FROM announced`)
	r.until("0", `SELECT count(*)::text FROM alert_pending`)
}

// TestDatabaseIsSetBack has a server go on after its database was restored to a time before a crossing that the server remembers.
func TestDatabaseIsSetBack(t *testing.T) {
	tables := []string{
		"events", "event_keys", "log_heads", "log_months", "view_state_rows",
		"alert_states", "alert_crossings", "alert_pending", "announced",
	}
	r := newRig(t)
	s := r.start(testrig.Settings{}, nil)
	r.put("quota", `{"logs": "customer-*", "view": "usage", "value": "/rows/0/sum", "thresholds": [10, 20]}`, s)
	log, name := r.newLog(s)
	r.used(s, log, "11")
	r.until("fired 10 1", announced, name)
	r.evaluated(log, 1)
	for _, table := range tables {
		r.database.Exec(t, "CREATE TABLE saved_"+table+" AS TABLE "+table)
	}
	r.used(s, log, "11")
	r.until("fired 10 1, fired 20 1", announced, name)
	r.evaluated(log, 2)
	r.setBack(tables)
	r.until("fired 10 1", announced, name)
	r.used(s, log, "1")
	r.until("1", `SELECT count(*)::text FROM alert_states WHERE log_id = $1 AND sequence = 2 AND value = '12'`, log)
	r.until("fired 10 1", announced, name)
	r.used(s, log, "8")
	r.until("fired 10 1, fired 20 1", announced, name)
}

// setBack makes tables what they were when they were saved.
func (r *rig) setBack(tables []string) {
	r.Helper()
	err := pgx.BeginFunc(r.Context(), r.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(r.Context(), "SET LOCAL session_replication_role = replica"); err != nil {
			return err
		}
		for _, table := range tables {
			if _, err := tx.Exec(r.Context(), "TRUNCATE "+table); err != nil {
				return err
			}
			if _, err := tx.Exec(r.Context(), "INSERT INTO "+table+" SELECT * FROM saved_"+table); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		r.Fatal(err)
	}
}
