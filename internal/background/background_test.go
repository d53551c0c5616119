package background_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/internal/background"
)

// TestWorker: every call of Stop waits for the work to end, and nothing runs afterwards.
func TestWorker(t *testing.T) {
	var w background.Worker
	ended := make(chan struct{})
	w.Go(func(ctx context.Context) {
		<-ctx.Done()
		close(ended)
	})
	var stopping sync.WaitGroup
	for range 3 {
		stopping.Go(func() {
			if err := w.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			select {
			case <-ended:
			default:
				t.Error("it was stopped while it worked")
			}
		})
	}
	stopping.Wait()
	w.Go(func(context.Context) { t.Error("it works after its end") })
	if err := w.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestNeverStarted: a worker that never ran anything can be stopped, and runs nothing afterwards.
func TestNeverStarted(t *testing.T) {
	var w background.Worker
	if err := w.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	w.Go(func(context.Context) { t.Error("it works after its end") })
	if err := w.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestLeftBehind: work that ignores its context is left running when time is up.
func TestLeftBehind(t *testing.T) {
	var w background.Worker
	release := make(chan struct{})
	w.Go(func(context.Context) { <-release })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var late background.Worker
	late.Go(func(ctx context.Context) { <-ctx.Done() })
	if err := late.Stop(ctx); err != nil {
		t.Errorf("one that ends at once is left behind: %v", err)
	}
	if err := w.Stop(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("it is left behind with %v", err)
	}
	close(release)
	if err := w.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestParts: all parts are stopped, in the reverse order.
func TestParts(t *testing.T) {
	var order []int
	failed := errors.New("failed")
	var parts background.Parts
	for i := range 3 {
		parts = append(parts, background.Func(func(context.Context) error {
			order = append(order, i)
			if i == 1 {
				return failed
			}
			return nil
		}))
	}
	if err := parts.Stop(t.Context()); !errors.Is(err, failed) || !slices.Equal(order, []int{2, 1, 0}) {
		t.Errorf("they stop in the order %v: %v", order, err)
	}
}
