package view

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/wasm"
	ready "github.com/tallystick/tallystick/views"
)

// BenchmarkFold folds batches through the three ready views, as an append does: a batch to one log, and one event to
// each of many logs. It reports nanoseconds per event for all three views together.
func BenchmarkFold(b *testing.B) {
	for _, shape := range []struct{ logs, events int }{{1, 1000}, {256, 1}} {
		b.Run(fmt.Sprintf("logs=%d/events=%d", shape.logs, shape.events), func(b *testing.B) {
			views, version := benchViews(b)
			snapshots := make([]*Snapshot, shape.logs)
			for i := range snapshots {
				snapshots[i] = &Snapshot{Log: uuid.New()}
				for _, v := range version {
					snapshots[i].views = append(snapshots[i].views, liveView{version: v, state: &state{whole: true}})
				}
				snapshots[i].uniteFields(&views.fields)
			}
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				for i, s := range snapshots {
					f, err := views.Begin(b.Context(), nil, s, true, nil, nil)
					if err != nil {
						b.Fatal(err)
					}
					err = f.Fold(benchEvents(s.Head.Sequence, shape.events), Budget{})
					f.Keep()
					fold := f.Result(event.Head{Sequence: s.Head.Sequence + int64(shape.events)})
					if f.Close(); err != nil || len(fold.Halts) > 0 {
						b.Fatal(err, fold.Halts)
					}
					snapshots[i] = fold.Next
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*shape.logs*shape.events), "ns/event")
		})
	}
}

func benchViews(b testing.TB) (*Views, []*Version) {
	b.Helper()
	engine, err := wasm.NewEngine(b.Context(), wasm.Config{})
	if err != nil {
		b.Fatal(err)
	}
	views := New(nil, engine, Config{CacheBytes: 1 << 30, Log: slog.Default()})
	var versions []*Version
	for i, code := range [][]byte{ready.MonthlyTotals(), ready.RateCheck(), ready.CostByTeam()} {
		config := []byte(`{}`)
		if i == 2 {
			config = []byte(`{"prices":{"*":{"tokens_in":"0.00003","tokens_out":"0.00006"}}}`)
		}
		d := Deployment{Code: code, Config: config}
		if err := views.check(b.Context(), &d); err != nil {
			b.Fatal(err)
		}
		set, err := views.fields.Of(d.fields)
		if err != nil {
			b.Fatal(err)
		}
		versions = append(versions, &Version{ID: uuid.New(), Name: "view", module: d.compiled, config: config, fields: set})
	}
	return views, versions
}

func benchEvents(after int64, n int) []event.Recorded {
	events := make([]event.Recorded, n)
	for i := range events {
		sequence := after + int64(i) + 1
		events[i] = event.Recorded{Sequence: sequence, RecordedAt: 1740823530000000 + sequence*1000}
		events[i].Time = events[i].RecordedAt
		events[i].Data = fmt.Appendf(nil, `{"type":"llm.request","time":"2025-03-01T10:05:30Z","endpoint":"/v1/generate",`+
			`"model":"gpt-%d","team":"team-%d","tokens_in":%d,"tokens_out":%d}`,
			sequence%5, sequence%8, sequence%5000, sequence%700)
	}
	return events
}
