package eventlog

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/event"
)

// TestReadAheadEnds: whoever gives up in the middle gets away, also when a page arrives at that very moment.
func TestReadAheadEnds(t *testing.T) {
	gone := errors.New("the client has gone")
	for range 100 { // of two ways to go on, the runtime picks one at random
		done := make(chan error, 1)
		go func() {
			first := true
			done <- readAhead(context.Background(), func(ctx context.Context, _ *pageBuilder) ([]event.Recorded, bool, error) {
				if !first {
					<-ctx.Done() // the next page is there just when nobody wants it any more
				}
				first = false
				return make([]event.Recorded, 1), true, nil
			}, func([]event.Recorded) error { return gone })
		}()
		select {
		case err := <-done:
			if !errors.Is(err, gone) {
				t.Fatalf("it ended with %v", err)
			}
		case <-time.After(time.Minute):
			t.Fatal("it goes on for ever")
		}
	}
}

// TestReadAhead: every page comes once and in order, and an error is the last thing that is told.
func TestReadAhead(t *testing.T) {
	broken := errors.New("broken")
	for _, end := range []error{nil, broken} {
		read, seen := int64(0), int64(0)
		err := readAhead(t.Context(), func(_ context.Context, b *pageBuilder) ([]event.Recorded, bool, error) {
			read++
			b.events = append(b.events[:0], event.Recorded{Sequence: read})
			if read == 100 {
				return nil, false, end
			}
			return b.events, true, nil
		}, func(events []event.Recorded) error {
			if seen++; events[0].Sequence != seen {
				t.Fatalf("page %d comes as the %dth", events[0].Sequence, seen)
			}
			return nil
		})
		if seen != 99 || !errors.Is(err, end) {
			t.Errorf("%d pages came, and then %v; want 99 and %v", seen, err, end)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := readAhead(ctx, func(context.Context, *pageBuilder) ([]event.Recorded, bool, error) { return nil, true, nil }, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a reading that was cancelled ends with %v", err)
	}
}
