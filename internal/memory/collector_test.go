package memory

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestPercent(t *testing.T) {
	for live, want := range map[int64]int{
		0: 400, 10 << 20: 400, 40 << 20: 400, 80 << 20: 200, 160 << 20: 100, 320 << 20: 250, 1600 << 20: 370,
	} {
		if got := percentFor(live); got != want {
			t.Errorf("at %d MiB live, the heap may grow by %d %%, not %d", live>>20, got, want)
		}
	}
}

// TestPaceCollector: the percentage falls while much is live, and rises again.
func TestPaceCollector(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	PaceCollector()
	percent := func() int {
		now := debug.SetGCPercent(100)
		debug.SetGCPercent(now)
		return now
	}
	await := func(wanted func(int) bool, what string) {
		for !wanted(percent()) {
			if t.Context().Err() != nil {
				t.Fatalf("%s: it is %d", what, percent())
			}
			runtime.GC()
		}
	}
	held := make([]byte, 150<<20)
	await(func(p int) bool { return p < 2*leastPercent }, "with much live")
	runtime.KeepAlive(held)
	await(func(p int) bool { return p == mostPercent }, "with little live")
}
