package activity_test

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/activity"
)

// TestBuckets: every duration is in a bucket that has it, and whose width is at most a quarter of it.
func TestBuckets(t *testing.T) {
	const first, last = 64 * time.Microsecond, 67 * time.Second
	for d := time.Duration(0); d < 3*last; d += max(time.Microsecond, d/97).Truncate(time.Microsecond) {
		low, high := activity.Bucket(d)
		switch {
		case d < first && (low != 0 || high != first):
			t.Fatalf("%v is in the bucket from %v to %v", d, low, high)
		case d >= first && d < last && (d < low || d >= high || high-low > d/4):
			t.Fatalf("%v is in the bucket from %v to %v", d, low, high)
		case d >= last && high < 60*time.Second:
			t.Fatalf("%v is in the bucket from %v to %v", d, low, high)
		}
	}
	if low, _ := activity.Bucket(-time.Second); low != 0 {
		t.Errorf("a clock that went back makes an append take %v", low)
	}
}

func TestPercentiles(t *testing.T) {
	near := func(what string, got, want time.Duration) {
		t.Helper()
		if got < want*3/4 || got > want*5/4 {
			t.Errorf("%s is %v, not about %v", what, got, want)
		}
	}
	var all []time.Duration
	for range 98 {
		all = append(all, 3*time.Millisecond)
	}
	all = append(all, 500*time.Millisecond, 500*time.Millisecond)
	near("the median", activity.Percentile(0.5, all...), 3*time.Millisecond)
	near("p99", activity.Percentile(0.99, all...), 500*time.Millisecond)
	near("p99 of one", activity.Percentile(0.99, 7*time.Second), 7*time.Second)
	near("p50 of one", activity.Percentile(0.5, 7*time.Second), 7*time.Second)
	if p := activity.Percentile(0.99); p != 0 {
		t.Errorf("p99 of nothing is %v", p)
	}
}
