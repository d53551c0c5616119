package cli

import (
	"context"
	"time"

	"github.com/tallystick/tallystick/internal/client"
)

const (
	// pollEvery is how often a server is asked how far it is.
	pollEvery = 300 * time.Millisecond
	// pollPatience is how long a server may be away while it is asked: it may be restarting, and goes on building then.
	pollPatience = 30 * time.Second
)

// poll asks again and again until the answer is that it is done. Between answers the server may be away for a while. The error is that of
// ctx, or the last one.
func poll(ctx context.Context, ask func(context.Context) (done bool, err error)) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	answered := time.Now()
	for {
		done, err := ask(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil && done:
			return nil
		case err == nil:
			answered = time.Now()
		case !client.MayPass(err) || time.Since(answered) > pollPatience:
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// buildState says how far a version is: events done and in all, how many it folds in a second, and the time left, negative when
// nobody can tell.
func buildState(v client.View) (done, total int64, perSecond float64, left time.Duration) {
	p := v.Progress
	if p == nil {
		return v.Applied, v.Head, 0, -1
	}
	if p.SecondsLeft == nil {
		return p.Done, p.Total, p.EventsPerSecond, -1
	}
	return p.Done, p.Total, p.EventsPerSecond, time.Duration(*p.SecondsLeft) * time.Second
}
