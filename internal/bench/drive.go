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

// worker is one client: its operation, or the flow that it is one of, and how to let go of what it holds.
type worker struct {
	once  operation
	flow  *flow
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
	all := sample{seconds: window.Seconds()}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		all.used = s.usageBetween(ctx, from, until)
		return nil
	})
	samples := work(ctx, group, workers, func(now time.Time) bool { return now.Before(until) }, func(ended time.Time) bool {
		return !ended.Before(from) && !ended.After(until)
	})
	if err := group.Wait(); err != nil {
		return sample{}, err
	}
	all.gather(samples)
	return all, nil
}

// driveWhile keeps n workers busy for as long as something else takes. There is no warm-up: all that ends meanwhile counts.
func (s *stage) driveWhile(ctx context.Context, n int, hire hire, meanwhile func(ctx context.Context) error) (sample, error) {
	workers, err := hireAll(ctx, n, hire)
	defer dismiss(workers)
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

// driveFor keeps n workers busy for a time. All that they did counts.
func (s *stage) driveFor(ctx context.Context, n int, hire hire, window time.Duration) (sample, error) {
	return s.driveWhile(ctx, n, hire, func(ctx context.Context) error {
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

// work has all workers work while there is more to do. What each did may be read once the group has ended.
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

// addWithin counts a piece of work if when it ended counts.
func (s *sample) addWithin(count int, began, ended time.Time, counts func(time.Time) bool) {
	if counts(ended) {
		s.count += count
		s.latencies = append(s.latencies, ended.Sub(began))
	}
}

// usedSince is what was used since then; nothing where it cannot be told.
func (s *stage) usedSince(then usage) usage {
	now, ok := s.usage()
	if !ok {
		return usage{}
	}
	return now.since(then)
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
	return at[1].since(at[0])
}
