package api

import (
	"context"
	"errors"
	"io"

	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/memory"
)

const (
	// freeBodyBytes of each body are booked for nothing: a connection has a buffer of that size anyway.
	freeBodyBytes = 4 << 10
	// bodyStep is how much room is made at most before it is used. It doubles up to that, as what reads a body does.
	bodyStep = 256 << 10
	// bodyFactor is what a body of unknown length takes, in terms of its bytes: what it is read into doubles when it is full.
	bodyFactor = 2
	// LargestBody is what the largest body takes.
	LargestBody = bodyFactor*(ingest.MaxBatchBytes+bodyStep) + ingest.MaxBatchEvents*parsedEventBytes
	// parsedEventBytes is about what an event of a batch takes beside its bytes until it is committed: it may be of two bytes.
	parsedEventBytes = 512
)

// bookedBody is a request's body, for whose bytes room is made just before they are read: what a client only claims costs nobody room. One
// goroutine reads it; release gives the room back.
type bookedBody struct {
	io.ReadCloser
	ctx              context.Context //nolint:containedctx // of the request
	held             *memory.Hold
	arrived, allowed int64
}

// Read waits for room, as the client does who is sending. Where there is none it fails with memory.ErrFull, after it has read and dropped
// the rest: a client that is still sending would not see an answer.
func (b *bookedBody) Read(p []byte) (int, error) {
	if b.arrived >= b.allowed {
		allowed := b.arrived + min(b.arrived, bodyStep)
		if err := b.held.Grow(b.ctx, bodyFactor*allowed); err != nil {
			if errors.Is(err, memory.ErrFull) {
				_, _ = io.Copy(io.Discard, b.ReadCloser) // for as long as a body may take; what has arrived is in memory until then
			}
			return 0, err
		}
		b.allowed = allowed
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.allowed-b.arrived)])
	b.arrived += int64(n)
	return n, err
}

// parsed makes room for so many events that the body turned out to have.
func (b *bookedBody) parsed(events int) error {
	if b == nil { // outside of a request
		return nil
	}
	return b.held.Grow(b.ctx, bodyFactor*b.allowed+int64(events)*parsedEventBytes)
}

// book makes room for an answer, or for what it is made of, up to so many bytes in all, and waits for it. It is given back when the request
// is done. The error is a *Problem.
func (s *server) book(ctx context.Context, bytes int64) error {
	return s.booked(ctx, requestOf(ctx).answer.Grow(ctx, bytes))
}

// bookNow is book for what is in memory already, which must not wait there.
func (s *server) bookNow(ctx context.Context, bytes int64) error {
	return s.booked(ctx, requestOf(ctx).answer.TryGrow(bytes))
}

func (s *server) booked(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	return s.problem(ctx, err)
}

const (
	// listBytes ends a page of a list: what is beyond is on the next one.
	listBytes = 1 << 20
	// listFactor is what a list takes in memory in terms of its bytes: what it is made of, and its encoded form.
	listFactor = 3
)

// fullProblem is the answer where there is no room.
func fullProblem() *Problem {
	p := newProblem("busy",
		"the server has no memory left for requests of this size; nothing was stored: try again a little later, or with less at once")
	return retry(p, busyRetrySeconds)
}
