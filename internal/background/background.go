// Package background has the one contract of what works beside requests: it works from its start until Stop.
package background

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Part works in the background once it was started.
type Part interface {
	// Stop has the part finish what it is at, and returns when it has ended. When ctx ends first, it leaves the rest behind soon after and
	// returns an error. It may be called twice, by several at a time, and for a part that was never started.
	Stop(ctx context.Context) error
}

// Func is a Part of which only the end is known. It must do nothing when it is called again.
type Func func(ctx context.Context) error

// Stop implements Part.
func (f Func) Stop(ctx context.Context) error { return f(ctx) }

// Worker is a Part that is made of functions, each in a goroutine of its own. The zero value has none.
type Worker struct {
	mu      sync.Mutex
	ctx     context.Context //nolint:containedctx // ends with Stop: it is no request's
	cancel  context.CancelFunc
	working sync.WaitGroup
}

// Go runs work, which is to return soon after its ctx has ended. Once the worker was stopped nothing runs any more.
func (w *Worker) Go(work func(ctx context.Context)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx == nil {
		w.ctx, w.cancel = context.WithCancel(context.Background())
	}
	if ctx := w.ctx; ctx.Err() == nil {
		w.working.Go(func() { work(ctx) })
	}
}

// Stop implements Part.
func (w *Worker) Stop(ctx context.Context) error {
	w.mu.Lock()
	if w.ctx == nil {
		w.ctx, w.cancel = context.WithCancel(context.Background())
	}
	w.cancel()
	w.mu.Unlock()
	return Wait(ctx, w.working.Wait)
}

// Grace is how long after the end of its ctx Wait still waits: who stops late gives those that end at once the time for it.
const Grace = time.Second

// Wait returns when wait has, or with an error Grace after ctx has ended; wait then goes on in a goroutine.
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

// Stop implements Part: it stops them in reverse, one after the other, also those that come after one which could not end in time.
func (p Parts) Stop(ctx context.Context) error {
	var errs []error
	for i := len(p) - 1; i >= 0; i-- {
		errs = append(errs, p[i].Stop(ctx))
	}
	return errors.Join(errs...)
}
