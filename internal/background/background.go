// Package background is the one contract of whatever works beside requests: it works from its start until Stop.
package background

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Part works in the background, once it was started, until Stop.
type Part interface {
	// Stop has the part finish its work and returns when it has ended. When ctx ends first, Stop leaves the rest running soon after and
	// returns an error. It may be called more than once, concurrently, and on a part that was never started.
	Stop(ctx context.Context) error
}

// Func makes a function that stops something a Part. The function must allow what Part.Stop does.
type Func func(ctx context.Context) error

// Stop implements Part.
func (f Func) Stop(ctx context.Context) error { return f(ctx) }

// Worker is a Part that runs functions, each in its own goroutine. The zero value is ready to use.
type Worker struct {
	mu      sync.Mutex
	ctx     context.Context //nolint:containedctx // of the functions; ends with Stop
	cancel  context.CancelFunc
	working sync.WaitGroup
}

// Go runs work, which must return soon after its ctx ends. After Stop, Go does nothing.
func (w *Worker) Go(work func(ctx context.Context)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.prepare()
	if ctx := w.ctx; ctx.Err() == nil {
		w.working.Go(func() { work(ctx) })
	}
}

// Stop implements Part.
func (w *Worker) Stop(ctx context.Context) error {
	w.mu.Lock()
	w.prepare()
	w.cancel()
	w.mu.Unlock()
	return Wait(ctx, w.working.Wait)
}

// prepare makes the zero value's context. mu is held.
func (w *Worker) prepare() {
	if w.ctx == nil {
		w.ctx, w.cancel = context.WithCancel(context.Background())
	}
}

// Grace is how long Wait goes on after its ctx has ended: parts that are stopped late still have time to end.
const Grace = time.Second

// Wait calls wait and returns when it does. When ctx ends first, Wait returns an error Grace later, and wait goes on in a goroutine.
func Wait(ctx context.Context, wait func()) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-done:
		return nil
	case <-time.After(Grace):
		return fmt.Errorf("waiting for the end: %w", context.Cause(ctx))
	}
}

// Parts are parts in the order of their start.
type Parts []Part

// Stop implements Part: it stops the parts one by one, in the reverse order, and goes on after one that fails.
func (p Parts) Stop(ctx context.Context) error {
	var errs []error
	for i := len(p) - 1; i >= 0; i-- {
		errs = append(errs, p[i].Stop(ctx))
	}
	return errors.Join(errs...)
}
