package view_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

var benchHistory = flag.Int("history", 200_000, "events in the log that BenchmarkBuild builds a view from")

// BenchmarkBuildBesideAppends builds a view again and again while other logs are appended to, and reports both rates, and what share of its
// own rate appending keeps. Spells with and without a build take turns, so that what else the machine does counts on both sides.
func BenchmarkBuildBesideAppends(b *testing.B) {
	const spell, clients = 2 * time.Second, 32
	d := testdb.New(b, testdb.WithFsync())
	node := testrig.Start(b, d.DSN(), testrig.Settings{NoBuilder: true})
	log := fill(b, node, *benchHistory)
	var appended atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range clients {
		other := node.NewLog(b)
		node.Deploy(b, other, "months", views.MonthlyTotals(), "{}")
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
					node.Append(b, other, usage(b, 1000*i+n))
					appended.Add(1)
				}
			}
		})
	}
	var alone, beside, built, building float64
	for n := int64(1); b.Loop(); n++ {
		alone += during(spell, &appended)
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan struct{})
		go func() {
			began := time.Now()
			months := view.Deployment{Code: views.MonthlyTotals(), Config: []byte("{}"), FoldGas: 60_000_000 + n}
			info, err := node.Views.Deploy(ctx, log, "v", months)
			if err != nil && !errors.Is(err, context.Canceled) {
				b.Error(err)
			}
			built += float64(info.Applied)
			building += time.Since(began).Seconds()
			close(done)
		}()
		beside += during(spell, &appended)
		<-done
		cancel()
		if err := node.Views.Retire(b.Context(), log, "v", ""); err != nil {
			b.Error(err)
		}
	}
	close(stop)
	wg.Wait()
	b.ReportMetric(built/building, "events/s")
	b.ReportMetric(alone/float64(b.N)/spell.Seconds(), "appends/s")
	b.ReportMetric(100*beside/alone, "%appends-kept")
	b.ReportMetric(0, "ns/op")
}

// during counts for as long as a spell lasts.
func during(spell time.Duration, count *atomic.Int64) float64 {
	before := count.Load()
	<-time.After(spell)
	return float64(count.Load() - before)
}

// usage is an event as an API gateway sends it.
func usage(t testing.TB, n int) event.Event {
	return testrig.Parse(t, fmt.Sprintf(`{"type":"llm.request","time":"2025-%02d-01T10:05:30Z","endpoint":"/v1/generate",`+
		`"model":"gpt-%d","team":"team-%d","tokens_in":%d,"tokens_out":%d}`,
		1+n%12, n%5, n%8, n%5000, n%700), "")
}

// fill makes a log with n events.
func fill(t testing.TB, node *testrig.Node, n int) uuid.UUID {
	log := node.NewLog(t)
	for first := 0; first < n; first += ingest.MaxBatchEvents {
		events := make([]event.Event, min(ingest.MaxBatchEvents, n-first))
		for i := range events {
			events[i] = usage(t, first+i)
		}
		node.Append(t, log, events...)
	}
	return log
}

// BenchmarkBuild builds views from a log's history, from the deploy until they are live, and reports events per second.
func BenchmarkBuild(b *testing.B) {
	node := testrig.Start(b, testdb.New(b).DSN(), testrig.Settings{NoBuilder: true})
	log := fill(b, node, *benchHistory)
	for name, code := range map[string][]byte{"monthly_totals": views.MonthlyTotals(), "rate_check": views.RateCheck()} {
		b.Run(name, func(b *testing.B) {
			for n := int64(1); b.Loop(); n++ {
				d := view.Deployment{Code: code, Config: []byte("{}"), FoldGas: 50_000_000 + n} // another budget is another version
				info, err := node.Views.Deploy(b.Context(), log, name, d)
				for err == nil && info.Status == view.Building {
					info, err = node.Views.Deploy(b.Context(), log, name, d) // waits for the same version
				}
				if err != nil || info.Status != view.Live {
					b.Fatalf("the version is %+v: %v", info, err)
				}
			}
			b.ReportMetric(float64(*benchHistory*b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}
