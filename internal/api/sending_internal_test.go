package api

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
)

// TestSending: all streams have their turn, one that does not come to an end holds up nobody for good, and who has gone does not wait.
func TestSending(t *testing.T) {
	const turns = 3
	s := make(sending, turns)
	stuck := s.turn(t.Context(), nil)
	defer stuck()
	var sent atomic.Int64
	var streams sync.WaitGroup
	for range 1000 {
		streams.Go(func() {
			done := s.turn(t.Context(), nil)
			sent.Add(1)
			done()
		})
	}
	streams.Wait()
	if sent.Load() != 1000 || len(s) > 1 {
		t.Errorf("%d of 1,000 have sent, and %d turns are taken", sent.Load(), len(s))
	}
	for range 10 * turns { // none of which ends by itself
		s.turn(t.Context(), nil)
	}
	full := make(sending, 1)
	full <- struct{}{}
	gone, leave := context.WithCancel(t.Context())
	leave()
	full.turn(gone, nil)()
	stopped := make(chan struct{})
	close(stopped)
	full.turn(t.Context(), stopped)()
	if len(full) != 1 {
		t.Error("who had no turn has ended somebody else's")
	}
}
