package api

import (
	"errors"
	"io"
)

const (
	// maxBodiesBytes bounds the memory of request bodies under way, as they arrive: many clients with a large batch each must not exhaust the
	// server. What reads them may take twice as much while it grows.
	maxBodiesBytes = 256 << 20
	// freeBodyBytes of each body count for nothing: however many large ones are under way, an event or a small batch has room.
	freeBodyBytes = 64 << 10
)

// errManyBodies: there is no room for more of the body.
var errManyBodies = errors.New("too many large bodies are under way")

// bookedBody is a request's body whose bytes are booked when they have arrived: what a client only claims costs nobody room. One goroutine
// reads it; release gives the room back.
type bookedBody struct {
	io.ReadCloser
	server          *server
	arrived, booked int64
}

// Read fails with errManyBodies where there is no more room, after it has read and dropped the rest: a client that is still sending would not
// see an answer.
func (b *bookedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.arrived += int64(n)
	if more := b.arrived - freeBodyBytes - b.booked; more > 0 {
		b.booked += more
		if b.server.bodies.Add(more) > b.server.BodiesBytes {
			b.release()
			_, _ = io.Copy(io.Discard, b.ReadCloser) // for as long as a body may take
			return 0, errManyBodies
		}
	}
	return n, err
}

func (b *bookedBody) release() {
	b.server.bodies.Add(-b.booked)
	b.booked = 0
}
