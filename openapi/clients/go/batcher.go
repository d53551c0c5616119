package tally

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// What a Batcher does unless its options say otherwise.
const (
	DefaultMaxEvents   = 1000
	DefaultMaxBytes    = 1 << 20
	DefaultLinger      = 100 * time.Millisecond
	DefaultMaxBuffer   = 16 << 20
	DefaultConcurrency = 8
)

var (
	// ErrBatcherClosed: Close was called.
	ErrBatcherClosed = errors.New("the batcher is closed")
	// ErrBufferFull: the events that wait have MaxBuffer bytes, or the event alone has more.
	ErrBufferFull = errors.New("the batcher's buffer is full")
)

// BatcherOptions bound what a Batcher sends and keeps.
type BatcherOptions struct {
	MaxEvents int           // of a batch, at most 10,000; 0 for DefaultMaxEvents
	MaxBytes  int           // of a batch, at most 10 MiB; 0 for DefaultMaxBytes. An event that is larger goes alone
	Linger    time.Duration // how long an event waits for others; 0 for DefaultLinger
	MaxBuffer int           // bytes of all events that wait or are being sent; 0 for DefaultMaxBuffer
	// Concurrency is how many logs are appended to at once; 0 for DefaultConcurrency.
	Concurrency int
	// FailWhenFull has Add fail with ErrBufferFull where it would wait for room.
	FailWhenFull bool
	// OnFailure is called, one call at a time, with events of a log that are given up: the server refuses them for good (the error is its
	// *Error), or Close's context ended before they were acknowledged, in which case they may be stored nevertheless. Each is the text that
	// was sent. It must not call the batcher. nil: Flush and Close tell how many there were.
	OnFailure func(log string, events [][]byte, err error)
}

// Batcher appends events to any number of logs, in batches, in the background. Events of a log keep their order. Each that Add took is
// either acknowledged by the server, and then counted once, or reported as failed. Batches are sent again for as long as the server may
// recover. It is safe for concurrent use. A Batcher that is no longer needed must be closed.
type Batcher struct {
	client  *Client
	options BatcherOptions
	stop    context.CancelCauseFunc
	ctx     context.Context //nolint:containedctx // of everything that is being sent; ends with Close's

	failing sync.Mutex // held while OnFailure is called

	mu       sync.Mutex
	closed   bool
	lanes    map[string]*lane // of the logs that have events
	waiting  []*lane          // for one of Concurrency; first come, first served
	active   int              // lanes that are being sent
	buffered int              // bytes
	changed  chan struct{}    // closed, and made anew, when events are done with
	failed   int              // events, since Flush or Close told
	failure  error            // the first of these
	sending  sync.WaitGroup
}

// NewBatcher starts a batcher. nil stands for the defaults.
func (c *Client) NewBatcher(o *BatcherOptions) *Batcher {
	b := &Batcher{client: c, options: *orNew(o), lanes: map[string]*lane{}, changed: make(chan struct{})}
	b.options.MaxEvents = min(cmp.Or(max(b.options.MaxEvents, 0), DefaultMaxEvents), 10_000)
	b.options.MaxBytes = min(cmp.Or(max(b.options.MaxBytes, 0), DefaultMaxBytes), 10<<20)
	b.options.Linger = cmp.Or(max(b.options.Linger, 0), DefaultLinger)
	b.options.MaxBuffer = cmp.Or(max(b.options.MaxBuffer, 0), DefaultMaxBuffer)
	b.options.Concurrency = cmp.Or(max(b.options.Concurrency, 0), DefaultConcurrency)
	b.ctx, b.stop = context.WithCancelCause(context.Background())
	return b
}

// Add takes an event for a log, as AppendEvent does. It waits for room in the buffer, within ctx. When it fails, the event was not taken.
func (b *Batcher) Add(ctx context.Context, log string, event any) error {
	text, err := encodeText(event)
	if err != nil {
		return err
	}
	text = bytes.Clone(text) // the caller's bytes stay the caller's
	if len(text) > b.options.MaxBuffer {
		return fmt.Errorf("%w: the event has %d bytes", ErrBufferFull, len(text))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		switch {
		case b.closed:
			return ErrBatcherClosed
		case b.buffered+len(text) <= b.options.MaxBuffer:
			b.add(log, text)
			return nil
		case b.options.FailWhenFull:
			return ErrBufferFull
		}
		for _, l := range b.lanes { // nobody lingers while somebody waits for room
			l.flush()
			b.dispatch(l)
		}
		if err := b.await(ctx); err != nil {
			return fmt.Errorf("waiting for room: %w", err)
		}
	}
}

// await waits, without the lock, until events are done with, or for Close.
func (b *Batcher) await(ctx context.Context) error {
	changed := b.changed
	b.mu.Unlock()
	defer b.mu.Lock()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// wake wakes who awaits something.
func (b *Batcher) wake() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// Flush sends what was added before the call, and returns when all of it is acknowledged or given up. The error is a *GivenUpError where
// events were given up since the last Flush, or the cause of ctx.
func (b *Batcher) Flush(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	until := map[*lane]int64{}
	for _, l := range b.lanes {
		until[l] = l.added
		l.flush()
		b.dispatch(l)
	}
	for l, added := range until {
		for l.done < added {
			if err := b.await(ctx); err != nil {
				return fmt.Errorf("flushing: %w", err)
			}
		}
	}
	return b.givenUp()
}

// Close refuses further events, sends what is left, and returns when all of it is acknowledged or given up. When ctx ends before, the rest
// is given up. The error is a *GivenUpError where events were given up since the last Flush. Further calls return nil, once the first has.
func (b *Batcher) Close(ctx context.Context) error {
	b.mu.Lock()
	b.closed = true
	b.wake()
	for _, l := range b.lanes {
		l.flush()
		b.dispatch(l)
	}
	for len(b.lanes) > 0 {
		if err := b.await(ctx); err != nil {
			b.stop(fmt.Errorf("the batcher was closed before they were acknowledged: %w", err))
			break
		}
	}
	for len(b.lanes) > 0 { // what is being sent ends at once; what waits is given up without being sent
		_ = b.await(context.WithoutCancel(ctx))
	}
	b.mu.Unlock()
	b.sending.Wait()
	b.stop(ErrBatcherClosed)
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.givenUp()
}

// GivenUpError tells of events that were given up. It wraps the first reason.
type GivenUpError struct {
	Events int
	First  error
}

// Error tells how many events, and why the first of them.
func (e *GivenUpError) Error() string {
	return fmt.Sprintf("%d events could not be appended; the first: %v", e.Events, e.First)
}

// Unwrap returns the first reason.
func (e *GivenUpError) Unwrap() error { return e.First }

func (b *Batcher) givenUp() error {
	if b.failed == 0 {
		return nil
	}
	err := &GivenUpError{Events: b.failed, First: b.failure}
	b.failed, b.failure = 0, nil
	return err
}
