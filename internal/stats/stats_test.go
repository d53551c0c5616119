package stats_test

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/stats"
)

// TestBuckets: a value is counted at its own bound and at all above, one beyond the last bound only in the total.
func TestBuckets(t *testing.T) {
	sizes := stats.NewSizes()
	for _, value := range []int64{0, 1, 2, 3, 10_000, 10_001} {
		sizes.Observe(value)
	}
	s := sizes.Snapshot()
	for bound, want := range map[float64]uint64{1: 2, 2: 3, 5: 4, 5000: 4, 10_000: 5} {
		if got := s.Buckets[bound]; got != want {
			t.Errorf("%v values up to %v, not %d", got, bound, want)
		}
	}
	if s.Count != 6 || s.Sum != 20_007 {
		t.Errorf("%d values that add up to %v", s.Count, s.Sum)
	}

	times := stats.NewTimes()
	times.ObserveTime(250 * time.Microsecond)
	times.ObserveTime(time.Minute)
	s = times.Snapshot()
	if s.Buckets[0.0001] != 0 || s.Buckets[0.00025] != 1 || s.Buckets[50] != 1 || s.Count != 2 || math.Abs(s.Sum-60.00025) > 1e-9 {
		t.Errorf("durations were counted as %+v", s)
	}
}

// TestSnapshotsWhileCounting: bounds never count more than the total, and in the end nothing is lost.
func TestSnapshotsWhileCounting(t *testing.T) {
	const writers, each = 4, 20_000
	h := stats.NewSizes()
	var writing sync.WaitGroup
	for range writers {
		writing.Go(func() {
			for i := range int64(each) {
				h.Observe(i % 20_000)
			}
		})
	}
	for range 100 {
		s := h.Snapshot()
		for bound, count := range s.Buckets {
			if count > s.Count {
				t.Fatalf("%d values up to %v, of %d", count, bound, s.Count)
			}
		}
	}
	writing.Wait()
	if s := h.Snapshot(); s.Count != writers*each {
		t.Errorf("%d values were counted of %d", s.Count, writers*each)
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	h, c := stats.NewTimes(), &stats.Counter{}
	if n := testing.AllocsPerRun(100, func() { h.ObserveTime(time.Millisecond); c.Inc() }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	h := stats.NewTimes()
	for b.Loop() {
		h.ObserveTime(time.Millisecond)
	}
}
