package tally

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	// firstDelay and lastDelay bound the random delay before another try: it is below firstDelay·2ⁿ after n failures.
	firstDelay = 100 * time.Millisecond
	lastDelay  = 10 * time.Second
	// maxRetryAfter bounds what a server may ask to wait, so that it cannot send us away for good.
	maxRetryAfter = time.Hour
	// maxReconnect bounds likewise how long a stream waits before it is opened again.
	maxReconnect = time.Minute
)

// jitter is a random delay after n failures: full jitter, so that clients that failed together come back apart.
func jitter(n int) time.Duration {
	return rand.N(min(firstDelay<<min(n, 10), lastDelay)) //nolint:gosec // it need not be secret
}

// retrying calls try until it succeeds, fails for good, or the call's time is up. It returns how many tries there were.
func (c *Client) retrying(ctx context.Context, r request, try func(context.Context) error) (tries int, err error) {
	var until time.Time // zero: as long as ctx
	if c.deadline > 0 {
		until = time.Now().Add(c.deadline)
		if !r.long {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadlineCause(ctx, until, errDeadline)
			defer cancel()
		}
	}
	for tries = 1; ; tries++ {
		err = try(ctx)
		if err == nil || !c.retries || ctx.Err() != nil || !mayRepeat(r, err) {
			return tries, err
		}
		delay := retryAfter(err) + jitter(tries-1)
		if !until.IsZero() && time.Now().Add(delay).After(until) {
			return tries, err
		}
		if !wait(ctx, delay) {
			return tries, fmt.Errorf("%w, after %d tries; the last: %w", context.Cause(ctx), tries, err)
		}
	}
}

var errDeadline = errors.New("the call took longer than its deadline")

// wait returns after a delay, or false when ctx ends before.
func wait(ctx context.Context, delay time.Duration) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// mayRepeat reports whether another try is safe, and may help.
func mayRepeat(r request, err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	return e.retry && (r.safe || e.nothingDone())
}

// nothingDone reports whether the server says that it refused the request before it did anything.
func (e *Error) nothingDone() bool {
	switch e.Code {
	case "busy", "too_many_streams", "too_many_verifications", "too_many_watchers":
		return true
	}
	return e.Status == http.StatusTooManyRequests
}

// retryAfter is how long the server asks to wait; 0 where it does not say.
func retryAfter(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}
