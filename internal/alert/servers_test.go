package alert_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
)

const twice = `SELECT count(*)::text FROM (SELECT key FROM announced GROUP BY key HAVING count(*) > 1) t`

// TestCrashBetweenEvaluationAndRecord ends a server when it has seen a crossing and not recorded it: another takes over what it left.
func TestCrashBetweenEvaluationAndRecord(t *testing.T) {
	r := newRig(t)
	seen := make(chan uuid.UUID, 1)
	first := r.start(testrig.Settings{}, func(_ *alert.Config, a **alert.Alerts) {
		if a == nil {
			return
		}
		(*a).BeforeRecord(func(ctx context.Context, log uuid.UUID) {
			select {
			case seen <- log:
			default:
			}
			<-ctx.Done() // it never gets further
		})
	})
	r.put("quota", `{"logs": "customer-*", "view": "usage", "value": "/rows/0/sum", "thresholds": [10]}`, first)
	log, name := r.newLog(first)
	r.until("0", `SELECT count(*)::text FROM alerts WHERE sweep_after IS NOT NULL`) // else the log might be found so
	r.used(first, log, "11")
	select {
	case <-seen:
	case <-time.After(patience):
		t.Fatal("the crossing was not seen")
	}
	first.alerts.Crash()
	second := r.start(testrig.Settings{}, nil)
	r.until("fired 10 1", announced, name)
	r.used(second, log, "11")
	r.evaluated(log, 2)
	r.until("0", `SELECT count(*)::text FROM alert_pending`)
	r.until("fired 10 1", announced, name)
}

// TestThreeServersRace has three servers append to the same logs of a pattern, one of which crashes again and again: the thresholds of each
// log fire once each.
func TestThreeServersRace(t *testing.T) {
	const logs, rounds, crashes = 12, 10, 2
	r := newRig(t)
	servers := []*server{r.start(testrig.Settings{}, nil), r.start(testrig.Settings{}, nil), r.start(testrig.Settings{}, nil)}
	var thresholds []string
	for i := 1; i <= 10; i++ {
		thresholds = append(thresholds, fmt.Sprintf("%q", fmt.Sprint(3*i*10)+"%"))
	}
	r.put("quota", `{"logs": "customer-*", "view": "usage", "value": "/rows/0/sum", "of": "10", "thresholds": [`+
		strings.Join(thresholds, ",")+`]}`, servers...)
	ids := make([]uuid.UUID, logs)
	for i := range ids {
		ids[i], _ = r.newLog(servers[0])
	}
	var third atomic.Pointer[server]
	third.Store(servers[2])
	var appending sync.WaitGroup
	for s := range servers {
		appending.Go(func() {
			for range rounds {
				for _, log := range ids {
					at := servers[s]
					if s == 2 {
						at = third.Load()
					}
					r.used(at, log, "1")
				}
			}
		})
	}
	for range crashes {
		next := r.start(testrig.Settings{}, nil)
		third.Swap(next).alerts.Crash()
	}
	appending.Wait()
	r.until(fmt.Sprint(logs*len(thresholds)), `SELECT count(*)::text FROM announced`)
	r.until("0", `SELECT count(*)::text FROM alert_pending`)
	r.until("0", twice)
	r.until(fmt.Sprint(logs), `SELECT count(*)::text FROM alert_states s JOIN log_heads h USING (log_id)
		WHERE s.sequence = h.sequence AND firing`)
	r.until(fmt.Sprint(logs*len(thresholds)), `SELECT count(*)::text FROM alert_crossings WHERE round = 1 AND kind = 'fired'`)
}
