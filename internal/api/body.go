package api

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/tallystick/tallystick/internal/framing"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/intake"
	"github.com/tallystick/tallystick/internal/limits"
	"github.com/tallystick/tallystick/internal/memory"
)

const (
	// freeBodyBytes of each body are not booked: a connection has a buffer of that size anyway.
	freeBodyBytes = 4 << 10
	// bodyStep is how much is booked ahead at most. That doubles up to here, as the buffer of a body does.
	bodyStep = 256 << 10
	// bodyFactor is the memory of a body of unknown length as a multiple of its bytes: its buffer doubles when it is full.
	bodyFactor = 2
	// LargestBody is the memory of the largest body, in bytes. Its encoding is taken off before its events are parsed.
	LargestBody = max(
		bodyFactor*(ingest.MaxBatchBytes+bodyStep)+max(ingest.MaxBatchEvents*parsedEventBytes, framing.MaxMemory),
		intake.BaseBytes+headBytes+framing.MaxMemory+longBytes+mediumBytes)
	// SmallBody is the memory of a small body, in bytes, for which there is room whatever large ones there are. A delivery can be taken in
	// it that has any number of lines, if each has some ten KiB at most; its portions are small then.
	SmallBody = 256 << 10
	// parsedEventBytes is about the memory of a batch's event, beside its bytes, until it is committed: it may have two bytes.
	parsedEventBytes = 512
)

// bookedBody is a request's body whose memory is booked just before it is read: bytes that a client only announces cost nobody memory. It
// is for one goroutine. Releasing held returns the memory.
type bookedBody struct {
	io.ReadCloser    // what is read
	sent             io.ReadCloser
	encoding         string          // of what was sent; "" once it is taken off, as it must be before anything can be read
	ctx              context.Context //nolint:containedctx // of the request
	held             *memory.Hold
	arrived, allowed int64
	decoding         int64          // memory that taking the encoding off needs, beside that of what comes out
	account          limits.Account // to be charged as bytes arrive, where their number was not announced
}

func newBookedBody(r *http.Request, held *memory.Hold, encoding string) *bookedBody {
	return &bookedBody{ReadCloser: r.Body, sent: r.Body, encoding: encoding, ctx: r.Context(), held: held, allowed: freeBodyBytes}
}

// Read waits for memory, and the client that sends the body with it. If there is none it fails with memory.ErrFull, after it has read and
// dropped the rest: a client that is still sending would not see a response.
func (b *bookedBody) Read(p []byte) (int, error) {
	if b.encoding != "" {
		return 0, &framing.EncodingError{Encoding: b.encoding}
	}
	if b.arrived >= b.allowed {
		allowed := b.arrived + min(b.arrived, bodyStep)
		if err := b.book(b.decoding, allowed); err != nil {
			return 0, err
		}
		b.allowed = allowed
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.allowed-b.arrived)])
	b.arrived += int64(n)
	if over := b.account.Bytes(int64(n)); over != nil {
		return 0, over
	}
	return n, err
}

// book books memory for that many bytes of the body, and for decoding.
func (b *bookedBody) book(decoding, allowed int64) error {
	if allowed > freeBodyBytes {
		decoding += bodyFactor * allowed
	}
	err := b.held.Grow(b.ctx, decoding)
	if errors.Is(err, memory.ErrFull) {
		_, _ = io.Copy(io.Discard, b.sent) // for as long as a body may take; what has arrived is in memory until then
	}
	return err
}

// Close also ends decoding. What came of it is still held.
func (b *bookedBody) Close() error {
	b.decoding = 0
	return b.ReadCloser.Close()
}

// parsed books memory for the events that were found in the body.
func (b *bookedBody) parsed(events int) error {
	if b == nil { // outside of a request
		return nil
	}
	return b.held.Grow(b.ctx, b.decoding+bodyFactor*b.allowed+int64(events)*parsedEventBytes)
}

// book grows the memory that is booked for a response, and for what it is made of, to so many bytes in all, and waits for it. It is
// released when the request is done. The error is a *Problem.
func (s *server) book(ctx context.Context, bytes int64) error {
	return s.booked(ctx, requestOf(ctx).answer.Grow(ctx, bytes))
}

// bookNow is book for what is in memory already: it does not wait.
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
	// listBytes ends a page of a list: the rest is on the next one.
	listBytes = 1 << 20
	// listFactor is the memory of a list as a multiple of its bytes: what it is made of, and its encoded form.
	listFactor = 3
)

// fullProblem is the problem of a request for which there is no memory.
func fullProblem() *Problem {
	p := newProblem("busy",
		"the server has no memory left for requests of this size; nothing was stored: try again a little later, or with less at once")
	return retry(p, busyRetrySeconds)
}
