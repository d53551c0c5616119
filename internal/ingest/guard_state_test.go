package ingest_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

// What is in the log was admitted, or was there before: a guard that would refuse it is built over it, and audited, all the same.
func TestHistoryIsNotJudged(t *testing.T) {
	n, d := start(t, testrig.Settings{})
	log := n.NewLog(t)
	n.Append(t, log, units(t, 3, ""), scripted(t, "trap"), scripted(t, "403"))
	info := n.Deploy(t, log, "quota", testrig.Guarded(), `{"limit":2}`)
	if r := refusal(t, appendError(n, log, units(t, 1, ""))); string(r.Answer) != `{"used":5,"limit":2,"sequence":4}` {
		t.Errorf("after it was built: %s", r.Answer)
	}
	report, err := n.Views.Audit(t.Context(), log, "quota", view.AuditOptions{Version: info.Version}, nil)
	if err != nil || !report.OK {
		t.Errorf("audit: %+v, %v", report, err)
	}
	testrig.Check(t, d.DSN())
}

// TestGuardOfLargeState: a guard whose state is too large to be in memory as a whole reads what it needs of it.
func TestGuardOfLargeState(t *testing.T) {
	const keys = 1500
	n, d := start(t, testrig.Settings{})
	log, other := n.NewLog(t), n.NewLog(t)
	config := `{"limits":[{"name":"each","window":"year","limit":2,"group_by":{"key":"/key"}}]}`
	n.Deploy(t, log, "quota", views.Quota(), config)
	n.Deploy(t, other, "quota", views.Quota(), config)
	var events []event.Event
	for i := range 2 * keys {
		events = append(events, testrig.Parse(t, fmt.Sprintf(`{"key":"k%d"}`, i%keys), ""))
	}
	n.Append(t, log, events...)
	for i := range 3 {
		n.Views.Forget(log)
		n.Views.Forget(other)
		var wg sync.WaitGroup
		for k := range 8 { // most of them in one group
			wg.Go(func() {
				used := testrig.Parse(t, fmt.Sprintf(`{"key":"k%d"}`, 100*k+i), "")
				r, ok := errors.AsType[*ingest.RefusedError](appendError(n, log, used))
				if !ok || r.Status != 429 || !strings.Contains(string(r.Answer), `"used":"2"`) {
					t.Errorf("a key that is used up: %+v", r)
				}
				if err := appendError(n, log, testrig.Parse(t, fmt.Sprintf(`{"key":"new-%d-%d"}`, i, k), "")); err != nil {
					t.Errorf("a new key: %v", err)
				}
				if err := appendError(n, other, testrig.Parse(t, fmt.Sprintf(`{"key":"new-%d-%d"}`, i, k), "")); err != nil {
					t.Errorf("another log: %v", err)
				}
			})
		}
		wg.Wait()
	}
	if report, err := n.Views.Audit(t.Context(), log, "quota", view.AuditOptions{}, nil); err != nil || !report.OK {
		t.Errorf("audit: %+v, %v", report, err)
	}
	if rows := d.Exec(t, "UPDATE event_keys SET key_hash = key_hash WHERE log_id = $1", log); rows != 0 {
		t.Errorf("%d keys", rows)
	}
}
