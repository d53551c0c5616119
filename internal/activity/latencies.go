package activity

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Latencies are counted in four buckets for each power of two of microseconds, from 2^lowestPower on, so that a bucket is at most a quarter
// wider than its lower bound. What is shorter is in the first bucket, and what is longer than some 67 seconds in the last. The numbers of
// buckets are stored: changing these takes a new column.
const (
	lowestPower = 6
	perPower    = 4
	buckets     = 1 + 20*perPower
)

// latencies count durations.
type latencies [buckets]atomic.Int32

func (l *latencies) observe(d time.Duration) { l[bucketOf(d)].Add(1) }

func bucketOf(d time.Duration) int {
	us := uint64(max(d.Microseconds(), 0))
	power := bits.Len64(us) - 1
	if power < lowestPower {
		return 0
	}
	const subBits = 2 // of perPower
	within := int(us >> (power - subBits) & (perPower - 1))
	return min(1+(power-lowestPower)*perPower+within, buckets-1)
}

// lowerBound is the least duration of a bucket.
func lowerBound(bucket int) time.Duration {
	if bucket == 0 {
		return 0
	}
	power, within := (bucket-1)/perPower+lowestPower, (bucket-1)%perPower
	return time.Duration(perPower+within) << (power - 2) * time.Microsecond
}

// sums are latencies of several intervals or servers.
type sums [buckets]int64

// percentile returns how long the given part of all took at most, within a bucket's width; 0 where there are none.
func (s *sums) percentile(part float64) time.Duration {
	all := int64(0)
	for _, n := range s {
		all += n
	}
	if all == 0 {
		return 0
	}
	rank, before := part*float64(all), int64(0)
	for bucket, n := range s {
		if n > 0 && float64(before+n) >= rank {
			low, high := lowerBound(bucket), lowerBound(bucket+1)
			return low + time.Duration(float64(high-low)*max(0, rank-float64(before))/float64(n))
		}
		before += n
	}
	return lowerBound(buckets)
}
