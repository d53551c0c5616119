package view

import (
	"math"
	"testing"
)

// TestRecentRate: the rate of a build is that of the last seconds, whoever builds, however long its chunks are and however it began.
func TestRecentRate(t *testing.T) {
	for _, chunk := range []float64{0.02, 0.15, 1, 7} {
		rate, age := 0.0, 0.0
		run := func(seconds, events float64) {
			for end := age + seconds; age < end; {
				age += chunk
				rate = recentRate(rate, events*chunk, chunk, age)
			}
		}
		near := func(what string, want float64) {
			t.Helper()
			if math.Abs(rate-want) > want/10 {
				t.Errorf("chunks of %gs: %s the rate is %.0f/s, want about %.0f", chunk, what, rate, want)
			}
		}
		run(chunk, 1000)
		near("after the first chunk", 1000)
		run(5, 1000)
		near("soon", 1000)
		run(60, 100_000)
		near("a minute after it became faster", 100_000)
		run(60, 5000)
		near("a minute after it became slower", 5000)
		rate = recentRate(rate, 10, 600, age+600) // nobody built it for ten minutes
		if rate > 1 {
			t.Errorf("chunks of %gs: after a long rest the rate is %.1f/s", chunk, rate)
		}
	}
	if rate := recentRate(0, 0, 0, 0); rate != 0 {
		t.Errorf("the rate of nothing in no time is %f", rate)
	}
}
