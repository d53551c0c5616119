//go:build !linux

package bench

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// flow is a connection on which one request follows another. Without epoll, it has a goroutine.
type flow struct {
	*client
	next    script
	want    string // what statuses begin with; others are errors
	request []byte
}

// openFlow connects to host:port.
func openFlow(ctx context.Context, address string, next script) (*flow, error) {
	c, err := dial(ctx, address)
	if err != nil {
		return nil, err
	}
	return &flow{client: c, next: next, want: success}, nil
}

// pump keeps all flows busy until p.more returns false and every request has its response.
func pump(ctx context.Context, flows []*flow, p progress) error {
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	for _, f := range flows {
		group.Go(func() error {
			for began := time.Now(); ctx.Err() == nil; {
				var events int
				f.request, events = f.next(f.request[:0])
				if err := f.client.exchangeFor(f.request, f.want); err != nil {
					return err
				}
				ended := time.Now()
				mu.Lock()
				p.done(events, began, ended)
				mu.Unlock()
				if began = ended; !p.more(ended) {
					return nil
				}
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}
