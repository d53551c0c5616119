package demo

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// batchEvents is the number of events in one batch of the replay.
const batchEvents = 500

// replay sends the trace to the server: its first half as single appends, the rest as batches.
type replay struct {
	client   *tally.Client
	progress func(events int)
	fresh    atomic.Int64 // events that were new

	singles, batched       int
	singlesTook, batchTook time.Duration
}

func (r *replay) run(ctx context.Context, requests []request) error {
	half := len(requests) / 2
	r.singles, r.batched = half, len(requests)-half
	began := time.Now()
	if err := r.sendSingles(ctx, requests[:half]); err != nil {
		return err
	}
	r.singlesTook = time.Since(began)
	began = time.Now()
	if err := r.sendBatches(ctx, requests[half:]); err != nil {
		return err
	}
	r.batchTook = time.Since(began)
	return nil
}

// sendSingles keeps all connections busy, so events may be reordered, which does not change totals.
func (r *replay) sendSingles(ctx context.Context, requests []request) error {
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range connections {
		group.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(requests)); i = next.Add(1) - 1 {
				appended, err := r.client.AppendEvent(ctx, requests[i].customer, requests[i].body, nil)
				if err != nil {
					return fmt.Errorf("appending request %d: %w", i+1, err)
				}
				if !appended.Duplicate {
					r.fresh.Add(1)
				}
				r.progress(1)
			}
			return nil
		})
	}
	return group.Wait()
}

// sendBatches sends each customer's events in order, one batch after the other.
func (r *replay) sendBatches(ctx context.Context, requests []request) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, customer := range customers {
		group.Go(func() error {
			var lines bytes.Buffer
			events := 0
			send := func() error {
				if events == 0 {
					return nil
				}
				appended, err := r.client.AppendEvents(ctx, customer, lines.Bytes(), nil)
				if err != nil {
					return fmt.Errorf("appending a batch: %w", err)
				}
				r.fresh.Add(int64(appended.Appended))
				r.progress(events)
				lines.Reset()
				events = 0
				return nil
			}
			for _, q := range requests {
				if q.customer != customer {
					continue
				}
				lines.Write(q.body)
				lines.WriteByte('\n')
				if events++; events == batchEvents {
					if err := send(); err != nil {
						return err
					}
				}
			}
			return send()
		})
	}
	return group.Wait()
}
