package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// A measurement warms up first, for this part of its time but not for long: connections are made, statements prepared.
const (
	warmUpPart = 4
	warmUpMost = time.Second
)

// operation does one piece of work and says how many events it moved or questions it answered.
type operation func(ctx context.Context) (int, error)

// worker is one client: its operation, and how to let go of what it holds.
type worker struct {
	once  operation
	close func()
}

// sample is what one measurement of one round gave.
type sample struct {
	count     int // events moved, or questions answered
	seconds   float64
	latencies []time.Duration // of single operations, shortest first
}

func (s *sample) perSecond() float64 { return float64(s.count) / s.seconds }

// quantile returns the latency that the given part of all operations did not exceed; 0 when there were none.
func (s *sample) quantile(part float64) time.Duration {
	if len(s.latencies) == 0 {
		return 0
	}
	return s.latencies[min(int(part*float64(len(s.latencies))), len(s.latencies)-1)]
}

// drive keeps n workers busy, each with one operation at a time, for a warm-up and then for window. An operation counts
// when it ends within the window.
func drive(ctx context.Context, window time.Duration, n int, hire func(ctx context.Context, i int) (worker, error)) (sample, error) {
	workers := make([]worker, 0, n)
	defer func() {
		for _, w := range workers {
			w.close()
		}
	}()
	for i := range n {
		w, err := hire(ctx, i)
		if err != nil {
			return sample{}, fmt.Errorf("client %d of %d: %w", i+1, n, err)
		}
		workers = append(workers, w)
	}
	from := time.Now().Add(min(window/warmUpPart, warmUpMost))
	until := from.Add(window)
	samples := make([]sample, n)
	group, ctx := errgroup.WithContext(ctx)
	for i := range n {
		group.Go(func() error { return samples[i].fill(ctx, workers[i].once, from, until) })
	}
	if err := group.Wait(); err != nil {
		return sample{}, err
	}
	all := sample{seconds: window.Seconds()}
	for _, s := range samples {
		all.count += s.count
		all.latencies = append(all.latencies, s.latencies...)
	}
	slices.Sort(all.latencies)
	return all, nil
}

func (s *sample) fill(ctx context.Context, once operation, from, until time.Time) error {
	for began := time.Now(); began.Before(until) && ctx.Err() == nil; {
		count, err := once(ctx)
		if err != nil {
			return err
		}
		ended := time.Now()
		if !ended.Before(from) && !ended.After(until) {
			s.count += count
			s.latencies = append(s.latencies, ended.Sub(began))
		}
		began = ended
	}
	return ctx.Err()
}
