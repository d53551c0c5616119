package activity

import (
	"context"
	"time"
)

// MaxTenants and MaxCodes bound what is counted in one interval.
const (
	MaxTenants = maxTenants
	MaxCodes   = maxCodes
	Retention  = retention
)

// Flush ends the interval under way, if the clock has left it, and writes it.
func (a *Activity) Flush(ctx context.Context) error {
	if !a.next(false) {
		return nil
	}
	return a.write(ctx)
}

// Drop drops old rows.
func (a *Activity) Drop(ctx context.Context) error { return a.drop(ctx) }

// Counted is how many tenants are counted in the interval under way.
func (a *Activity) Counted() int {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return len(a.tenants) + len(a.writing.tenants)
}

// Bucket returns the bounds of the bucket that a duration is counted in.
func Bucket(d time.Duration) (low, high time.Duration) {
	bucket := bucketOf(d)
	return lowerBound(bucket), lowerBound(bucket + 1)
}

// Percentile is that of durations that are counted.
func Percentile(part float64, all ...time.Duration) time.Duration {
	s := &sums{}
	for _, d := range all {
		s[bucketOf(d)]++
	}
	return s.percentile(part)
}
