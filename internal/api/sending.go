package api

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// sendTurn is how long a stream may send before another one may, too: one whose client does not read keeps no other waiting for longer.
const sendTurn = 2 * time.Millisecond

// sending lets half as many streams send at a time as there are cores, at least one, in the order in which they come. An event wakes all
// who watch its log: thousands of them at once would keep every append waiting until the last one has sent.
type sending chan struct{}

func newSending() sending { return make(sending, max(1, runtime.GOMAXPROCS(0)/2)) }

// turn returns when the stream may send, or when ctx ends or the server stops. The stream calls done when it has sent.
func (s sending) turn(ctx context.Context, stopping <-chan struct{}) (done func()) {
	select {
	case s <- struct{}{}:
	case <-ctx.Done():
		return func() {}
	case <-stopping:
		return func() {}
	}
	leave := sync.OnceFunc(func() { <-s })
	timer := time.AfterFunc(sendTurn, leave)
	return func() {
		timer.Stop()
		leave()
	}
}
