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

// hire makes worker i of a measurement.
type hire = func(ctx context.Context, i int) (worker, error)

// sample is what one measurement of one round gave.
type sample struct {
	count     int // events moved, or questions answered
	seconds   float64
	latencies []time.Duration // of single operations, shortest first
	used      usage           // in the meantime; zero where it cannot be told
}

// add counts a piece of work that took so long.
func (s *sample) add(count int, took time.Duration) {
	s.count += count
	s.seconds += took.Seconds()
	s.latencies = append(s.latencies, took)
}

// sorted is the sample once everything has been added.
func (s *sample) sorted() sample {
	slices.Sort(s.latencies)
	return *s
}

func (s *sample) perSecond() float64 { return float64(s.count) / s.seconds }

// each is the part of a time that fell to one event or question, in microseconds.
func (s *sample) each(used time.Duration) float64 {
	return float64(used) / float64(time.Microsecond) / float64(max(s.count, 1))
}

// quantile returns the latency that the given part of all operations did not exceed; 0 when there were none.
func (s *sample) quantile(part float64) time.Duration {
	if len(s.latencies) == 0 {
		return 0
	}
	return s.latencies[min(int(part*float64(len(s.latencies))), len(s.latencies)-1)]
}

// drive keeps n workers busy, each with one operation at a time, for a warm-up and then for window. An operation counts
// when it ends within the window.
func (s *stage) drive(ctx context.Context, n int, hire hire) (sample, error) {
	window := s.config.Duration
	workers, err := hireAll(ctx, n, hire)
	defer dismiss(workers)
	if err != nil {
		return sample{}, err
	}
	from := time.Now().Add(min(window/warmUpPart, warmUpMost))
	until := from.Add(window)
	samples := make([]sample, n)
	all := sample{seconds: window.Seconds()}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		all.used = s.usageBetween(ctx, from, until)
		return nil
	})
	for i := range n {
		group.Go(func() error { return samples[i].fill(ctx, workers[i].once, from, until) })
	}
	if err := group.Wait(); err != nil {
		return sample{}, err
	}
	all.gather(samples)
	return all, nil
}

// driveWhile keeps n workers busy for as long as work takes. There is no warm-up: all that ends meanwhile counts.
func (s *stage) driveWhile(ctx context.Context, n int, hire hire, work func(ctx context.Context) error) (sample, error) {
	workers, err := hireAll(ctx, n, hire)
	defer dismiss(workers)
	if err != nil {
		return sample{}, err
	}
	used, _ := s.usage()
	began := time.Now()
	done := make(chan struct{})
	samples := make([]sample, n)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(done)
		return work(ctx)
	})
	for i := range n {
		group.Go(func() error { return samples[i].fillWhile(ctx, workers[i].once, done) })
	}
	if err := group.Wait(); err != nil {
		return sample{}, err
	}
	all := sample{seconds: time.Since(began).Seconds(), used: s.usedSince(used)}
	all.gather(samples)
	return all, nil
}

func hireAll(ctx context.Context, n int, hire hire) ([]worker, error) {
	workers := make([]worker, 0, n)
	for i := range n {
		w, err := hire(ctx, i)
		if err != nil {
			return workers, fmt.Errorf("client %d of %d: %w", i+1, n, err)
		}
		workers = append(workers, w)
	}
	return workers, nil
}

func dismiss(workers []worker) {
	for _, w := range workers {
		w.close()
	}
}

// gather makes one sample of those of all workers.
func (s *sample) gather(samples []sample) {
	for _, one := range samples {
		s.count += one.count
		s.latencies = append(s.latencies, one.latencies...)
	}
	slices.Sort(s.latencies)
}

func (s *sample) fillWhile(ctx context.Context, once operation, done <-chan struct{}) error {
	for began := time.Now(); ctx.Err() == nil; {
		select {
		case <-done:
			return nil
		default:
		}
		count, err := once(ctx)
		if err != nil {
			return err
		}
		ended := time.Now()
		s.count += count
		s.latencies = append(s.latencies, ended.Sub(began))
		began = ended
	}
	return ctx.Err()
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

// usedSince is what was used since then; nothing where it cannot be told.
func (s *stage) usedSince(then usage) usage {
	now, ok := s.usage()
	if !ok {
		return usage{}
	}
	return usage{server: now.server - then.server, postgres: now.postgres - then.postgres}
}

// usageBetween waits until the window is over and returns what was used within it.
func (s *stage) usageBetween(ctx context.Context, from, until time.Time) usage {
	var at [2]usage
	for i, moment := range []time.Time{from, until} {
		timer := time.NewTimer(time.Until(moment))
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return usage{}
		case <-timer.C:
		}
		var ok bool
		if at[i], ok = s.usage(); !ok {
			return usage{}
		}
	}
	return usage{server: at[1].server - at[0].server, postgres: at[1].postgres - at[0].postgres}
}
