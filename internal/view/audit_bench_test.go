package view_test

import (
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

// BenchmarkAudit audits monthly_totals over 200,000 events, and measures single appends to another log from 8 clients
// with and without an audit beside them.
func BenchmarkAudit(b *testing.B) {
	const events, batch = 200_000, 10_000
	d := testdb.New(b, testdb.WithFsync())
	node := testrig.Start(b, d.DSN(), testrig.Settings{})
	log, other := node.NewLog(b), node.NewLog(b)
	node.Deploy(b, other, "months", views.MonthlyTotals(), "{}")
	for n := 0; n < events; n += batch {
		node.Append(b, log, counted(b, n, batch)...)
	}
	months := view.Deployment{Code: views.MonthlyTotals(), Config: []byte("{}")}
	if _, err := node.Views.Deploy(b.Context(), log, "months", months); err != nil {
		b.Fatal(err)
	}
	for tick := time.NewTicker(100 * time.Millisecond); ; <-tick.C {
		infos, err := node.Views.Get(b.Context(), log, "months", nil)
		if err != nil {
			b.Fatal(err)
		}
		if infos[0].Status == view.Live {
			break
		}
	}
	audit := func() time.Duration {
		report, err := node.Views.Audit(b.Context(), log, "months", view.AuditOptions{}, nil)
		if err != nil || !report.OK || report.Events != events {
			b.Fatalf("%+v, %v", report, err)
		}
		return report.Duration
	}
	var alone, beside float64 // appends/s
	var rates []float64       // audited events/s
	for b.Loop() {
		alone += appendsDuring(b, node, other, func() { <-time.After(2 * time.Second) })
		beside += appendsDuring(b, node, other, func() { audit() })
		rates = append(rates, events/audit().Seconds())
	}
	b.ReportMetric(rates[len(rates)/2], "audited/s")
	b.ReportMetric(alone/float64(b.N), "appends/s")
	b.ReportMetric(beside/float64(b.N), "appends-beside/s")
}

// appendsDuring returns how many single appends a second 8 clients made while something else went on.
func appendsDuring(b *testing.B, node *testrig.Node, log uuid.UUID, work func()) float64 {
	b.Helper()
	stop := make(chan struct{})
	var clients sync.WaitGroup
	var made [8]int
	began := time.Now()
	for i := range made {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					node.Append(b, log, counted(b, made[i], 1)...)
					made[i]++
				}
			}
		})
	}
	work()
	took := time.Since(began)
	close(stop)
	clients.Wait()
	total := 0
	for _, n := range made {
		total += n
	}
	return float64(total) / took.Seconds()
}
