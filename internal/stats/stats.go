// Package stats counts what a server does: for the price of an atomic addition, without allocating, and in no format of any monitoring
// system. Package metrics shows the counts.
package stats

import (
	"sync/atomic"
	"time"
)

// Counter counts what happened. The zero value is ready to use.
type Counter struct{ n atomic.Int64 }

// Add counts n more.
func (c *Counter) Add(n int64) { c.n.Add(n) }

// Inc counts one more.
func (c *Counter) Inc() { c.n.Add(1) }

// Value is the count so far.
func (c *Counter) Value() int64 { return c.n.Load() }

// Histogram counts values by size. Use NewTimes or NewSizes. It is safe for concurrent use; a Snapshot that is taken meanwhile may have
// some of the latest values in its sum only.
type Histogram struct {
	bounds []int64 // ascending; a value belongs to the first that is not below it
	counts []atomic.Int64
	sum    atomic.Int64
	unit   float64 // of values, in what a Snapshot counts by
}

// NewTimes returns a histogram of durations, which a Snapshot has in seconds: from 100 µs to 50 s, three bounds for each power of ten.
func NewTimes() *Histogram {
	var bounds []int64
	for scale := 100 * time.Microsecond; scale <= 10*time.Second; scale *= 10 {
		bounds = append(bounds, int64(scale), int64(scale*5/2), int64(scale*5))
	}
	return newHistogram(bounds, float64(time.Second))
}

// NewSizes returns a histogram of numbers from 1 to 10,000, such as the events of a group.
func NewSizes() *Histogram {
	return newHistogram([]int64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000}, 1)
}

func newHistogram(bounds []int64, unit float64) *Histogram {
	return &Histogram{bounds: bounds, counts: make([]atomic.Int64, len(bounds)+1), unit: unit}
}

// Observe counts a value. For what NewTimes returns it is in nanoseconds.
func (h *Histogram) Observe(value int64) {
	low, high := 0, len(h.bounds)
	for low < high {
		if middle := (low + high) / 2; h.bounds[middle] < value {
			low = middle + 1
		} else {
			high = middle
		}
	}
	h.sum.Add(value)
	h.counts[low].Add(1)
}

// ObserveTime counts a duration.
func (h *Histogram) ObserveTime(d time.Duration) { h.Observe(int64(d)) }

// Snapshot is what a histogram has counted.
type Snapshot struct {
	Count   uint64
	Sum     float64
	Buckets map[float64]uint64 // how many values were no larger, by bound
}

// Snapshot returns what was counted so far. The buckets never exceed the count.
func (h *Histogram) Snapshot() Snapshot {
	s := Snapshot{Buckets: make(map[float64]uint64, len(h.bounds))}
	for i := range h.counts {
		s.Count += uint64(h.counts[i].Load()) //nolint:gosec // counts are not negative
		if i < len(h.bounds) {
			s.Buckets[float64(h.bounds[i])/h.unit] = s.Count
		}
	}
	s.Sum = float64(h.sum.Load()) / h.unit
	return s
}
