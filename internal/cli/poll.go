package cli

import (
	"context"
	"time"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

const (
	// pollEvery is the interval at which a server is polled.
	pollEvery = 300 * time.Millisecond
	// maxOutage is how long a server may be unreachable while it is polled: it may be restarting, and then goes on building.
	maxOutage = 30 * time.Second
)

// poll calls ask until it returns done. The server may be unreachable for up to maxOutage. The error is the cause of ctx, or ask's last
// one.
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
		case !tally.IsTransient(err) || time.Since(answered) > maxOutage:
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// buildState returns the progress of a version: events done and in total, events per second (0 if unknown), and the time left (negative if
// unknown).
func buildState(v tally.View) (done, total int64, perSecond float64, left time.Duration) {
	p := v.Progress
	if p == nil {
		return v.Applied, v.Head, 0, -1
	}
	if p.SecondsLeft == nil {
		return p.Done, p.Total, p.EventsPerSecond, -1
	}
	return p.Done, p.Total, p.EventsPerSecond, time.Duration(*p.SecondsLeft) * time.Second
}
