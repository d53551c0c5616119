package api

import (
	"net/http"
	"sync"
	"time"
)

// streamDeadline is the write deadline of one HTTP/2 stream. On HTTP/1 a deadline that has passed matters to the next write only, and each
// write sets its own. On HTTP/2 it resets the stream when it passes, even while nothing is being written. So it is in force during writes
// only: a tail may be silent for longer than a client may take to read.
type streamDeadline struct {
	stream *http.ResponseController

	mu       sync.Mutex
	deadline time.Time // of the write under way, or of the next one
	writing  bool
}

// newStreamDeadline returns nil for a request that has its connection to itself.
func newStreamDeadline(w http.ResponseWriter, r *http.Request) *streamDeadline {
	if r.ProtoMajor < 2 {
		return nil
	}
	return &streamDeadline{stream: http.NewResponseController(w)}
}

// set holds for the write under way, if there is one, and for those that follow. One that has passed ends the stream at once. It may be
// called from any goroutine until the handler returns.
func (d *streamDeadline) set(deadline time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.deadline = deadline
	if passed := !deadline.IsZero() && !deadline.After(time.Now()); d.writing || passed {
		return d.stream.SetWriteDeadline(deadline)
	}
	return nil
}

// during runs a write with the deadline in force.
func (d *streamDeadline) during(write func() error) error {
	d.begin()
	defer d.end()
	return write()
}

func (d *streamDeadline) begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writing = true
	if !d.deadline.IsZero() {
		_ = d.stream.SetWriteDeadline(d.deadline) // streams of net/http can have one
	}
}

func (d *streamDeadline) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writing = false
	if !d.deadline.IsZero() {
		_ = d.stream.SetWriteDeadline(time.Time{})
	}
}

// last bounds the sending of what is still buffered when the handler returns. net/http lifts it when the stream has ended.
func (d *streamDeadline) last(timeout time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = d.stream.SetWriteDeadline(time.Now().Add(timeout))
}
