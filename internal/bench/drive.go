package bench

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// A measurement warms up first, for 1/warmUpPart of its time but at most maxWarmUp: connections open, statements are prepared.
const (
	warmUpPart = 4
	maxWarmUp  = time.Second
)

// operation does one unit of work and returns its number of events or queries.
type operation func(ctx context.Context) (int, error)

// worker is one client: either an operation or a flow.
type worker struct {
	once  operation
	flow  *flow
	close func()
}

// workerFactory makes worker i of a measurement.
type workerFactory = func(ctx context.Context, i int) (worker, error)

// sample is the result of one measurement in one round.
type sample struct {
	count     int // events, or queries
	seconds   float64
	latencies []time.Duration // of single operations, shortest first
	used      usage           // meanwhile; zero where unknown
}

// add counts a unit of work.
func (s *sample) add(count int, took time.Duration) {
	s.count += count
	s.seconds += took.Seconds()
	s.latencies = append(s.latencies, took)
}

// sorted returns the finished sample.
func (s *sample) sorted() sample {
	slices.Sort(s.latencies)
	return *s
}

func (s *sample) perSecond() float64 { return float64(s.count) / s.seconds }

// each returns the share of one event or query in a time, in microseconds.
func (s *sample) each(used time.Duration) float64 {
	return float64(used) / float64(time.Microsecond) / float64(max(s.count, 1))
}

// quantile returns the latency that a part of all operations did not exceed; 0 without operations.
func (s *sample) quantile(part float64) time.Duration {
	if len(s.latencies) == 0 {
		return 0
	}
	return s.latencies[min(int(part*float64(len(s.latencies))), len(s.latencies)-1)]
}

// timeWindow is the time of a measurement. An operation counts if it ends within that or, where none does, is the first one to end after
// it.
type timeWindow struct {
	from, until time.Time
	counted     atomic.Bool
	late        time.Time // when the first one ended that is after it; read it once all have ended
}

func (w *timeWindow) counts(ended time.Time) bool {
	switch {
	case ended.Before(w.from):
		return false
	case !ended.After(w.until):
		if !w.counted.Load() { // stored once: all workers share it
			w.counted.Store(true)
		}
		return true
	case w.counted.CompareAndSwap(false, true):
		w.late = ended
		return true
	}
	return false
}

// seconds is how long the operations that count had.
func (w *timeWindow) seconds() float64 {
	if w.late.IsZero() {
		return w.until.Sub(w.from).Seconds()
	}
	return w.late.Sub(w.from).Seconds()
}

// drive keeps n workers busy, each with one operation at a time, for a warm-up and then for the configured duration.
func (s *stage) drive(ctx context.Context, n int, newWorker workerFactory) (sample, error) {
	workers, err := startWorkers(ctx, n, newWorker)
	defer closeWorkers(workers)
	if err != nil {
		return sample{}, err
	}
	from := time.Now().Add(min(s.config.Duration/warmUpPart, maxWarmUp))
	w := &timeWindow{from: from, until: from.Add(s.config.Duration)}
	var all sample
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		all.used = s.usageBetween(ctx, w.from, w.until)
		return nil
	})
	samples := work(ctx, group, workers, func(now time.Time) bool { return now.Before(w.until) }, w.counts)
	if err := group.Wait(); err != nil {
		return sample{}, err
	}
	all.seconds = w.seconds()
	all.gather(samples)
	return all, nil
}

// driveWhile keeps n workers busy while meanwhile runs. There is no warm-up: every operation counts.
func (s *stage) driveWhile(ctx context.Context, n int, newWorker workerFactory, meanwhile func(ctx context.Context) error) (sample, error) {
	workers, err := startWorkers(ctx, n, newWorker)
	defer closeWorkers(workers)
	if err != nil {
		return sample{}, err
	}
	used, _ := s.usage()
	began := time.Now()
	done := make(chan struct{})
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(done)
		return meanwhile(ctx)
	})
	samples := work(ctx, group, workers, func(time.Time) bool {
		select {
		case <-done:
			return false
		default:
			return true
		}
	}, func(time.Time) bool { return true })
	if err := group.Wait(); err != nil {
		return sample{}, err
	}
	all := sample{seconds: time.Since(began).Seconds(), used: s.usedSince(used)}
	all.gather(samples)
	return all, nil
}

// driveFor keeps n workers busy for a time. Every operation counts.
func (s *stage) driveFor(ctx context.Context, n int, newWorker workerFactory, window time.Duration) (sample, error) {
	return s.driveWhile(ctx, n, newWorker, func(ctx context.Context) error {
		timer := time.NewTimer(window)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return nil
		}
	})
}

func startWorkers(ctx context.Context, n int, newWorker workerFactory) ([]worker, error) {
	workers := make([]worker, 0, n)
	for i := range n {
		w, err := newWorker(ctx, i)
		if err != nil {
			return workers, fmt.Errorf("client %d of %d: %w", i+1, n, err)
		}
		workers = append(workers, w)
	}
	return workers, nil
}

func closeWorkers(workers []worker) {
	for _, w := range workers {
		w.close()
	}
}

// gather adds the samples of all workers.
func (s *sample) gather(samples []sample) {
	for _, one := range samples {
		s.count += one.count
		s.latencies = append(s.latencies, one.latencies...)
	}
	slices.Sort(s.latencies)
}

// work runs all workers until more returns false. The samples may be read once the group has ended.
func work(ctx context.Context, group *errgroup.Group, workers []worker, more, counts func(now time.Time) bool) []sample {
	samples := make([]sample, len(workers)+1) // the last is of all flows together
	var flows []*flow
	for i, w := range workers {
		if w.flow != nil {
			flows = append(flows, w.flow)
			continue
		}
		group.Go(func() error { return samples[i].fill(ctx, w.once, more, counts) })
	}
	if len(flows) > 0 {
		pumped := &samples[len(workers)]
		group.Go(func() error {
			return pump(ctx, flows, progress{more: more, done: func(events int, began, ended time.Time) {
				pumped.addWithin(events, began, ended, counts)
			}})
		})
	}
	return samples
}

func (s *sample) fill(ctx context.Context, once operation, more, counts func(now time.Time) bool) error {
	for began := time.Now(); more(began) && ctx.Err() == nil; {
		count, err := once(ctx)
		if err != nil {
			return err
		}
		ended := time.Now()
		s.addWithin(count, began, ended, counts)
		began = ended
	}
	return ctx.Err()
}

// addWithin counts a unit of work if its end counts.
func (s *sample) addWithin(count int, began, ended time.Time, counts func(time.Time) bool) {
	if counts(ended) {
		s.count += count
		s.latencies = append(s.latencies, ended.Sub(began))
	}
}

// usedSince returns what was used since then; zero where unknown.
func (s *stage) usedSince(then usage) usage {
	now, ok := s.usage()
	if !ok {
		return usage{}
	}
	return now.since(then)
}

// usageBetween waits until the window is over and returns what was used in it.
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
	return at[1].since(at[0])
}
