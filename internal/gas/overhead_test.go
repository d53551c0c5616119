package gas

import (
	"os"
	"slices"
	"testing"
	"time"
)

const benchEvent = `{"type":"api.call","time":"2025-03-01T10:05:30.123456Z","endpoint":"/v1/generate",` +
	`"tokens_in":150,"tokens_out":420,"model":"gpt-4","team":"search"}`

const benchPrices = `{"prices":{"gpt-4":{"tokens_in":"0.00003","tokens_out":"0.00006"}}}`

// BenchmarkOverhead folds one ordinary event by a view bare and metered, in turns, and reports the median of the
// ratios, in percent of the bare fold. It is the guest's part alone: what the host does comes on top of both.
func BenchmarkOverhead(b *testing.B) {
	for _, view := range []string{"monthly_totals", "rate_check", "cost_by_team"} {
		wasm, err := os.ReadFile("../../views/dist/" + view + ".wasm")
		if err != nil {
			b.Fatal(err)
		}
		overhead(b, view, wasm)
	}
	if path := os.Getenv("GUEST"); path != "" {
		wasm, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		overhead(b, "guest", wasm)
	}
}

func overhead(b *testing.B, name string, wasm []byte) {
	b.Run(name, func(b *testing.B) {
		const folds, earlier = 200, 1500 // events, so that totals have the digits of a real month
		bare, metered := newRig(b, "compiler", wasm, benchPrices), newRig(b, "compiler", meter(b, wasm), benchPrices)
		foldAgain(b, bare, earlier)
		foldAgain(b, metered, earlier)
		var ratios, bares []float64
		for b.Loop() {
			before := foldAgain(b, bare, folds)
			with := foldAgain(b, metered, folds)
			ratios = append(ratios, float64(with)/float64(before))
			bares = append(bares, float64(before)/folds)
		}
		slices.Sort(ratios)
		slices.Sort(bares)
		b.ReportMetric(100*(ratios[len(ratios)/2]-1), "%over")
		b.ReportMetric(bares[len(bares)/2], "ns-bare")
		b.ReportMetric(0, "ns/op")
	})
}

// foldAgain folds the event again and again, and returns how long that took.
func foldAgain(tb testing.TB, r *rig, n int) time.Duration {
	fold := r.guest.ExportedFunction("tally_fold")
	event := r.event(1, benchEvent)
	image := slices.Clone(r.bytes(event, r.room))
	stack := []uint64{event}
	start := time.Now()
	for i := range n {
		r.setGas(plenty)
		if i > 0 { // every fold releases all that was allocated
			stack[0] = r.room
			if err := r.alloc.CallWithStack(r.ctx, stack); err != nil {
				tb.Fatal(err)
			}
			if stack[0] != event {
				stack[0] = r.event(1, benchEvent)
			} else {
				copy(r.bytes(event, r.room), image)
			}
		}
		if err := fold.CallWithStack(r.ctx, stack); err != nil {
			tb.Fatal(err)
		}
		if int32(stack[0]) != 0 {
			tb.Fatalf("tally_fold returned %d: %s", int32(stack[0]), r.failText)
		}
	}
	return time.Since(start)
}
