package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/tallystick/tallystick/internal/limits"
)

const (
	// deliveryRate is how much of a delivery a client has to send a second, beyond what a body of any size has time for.
	deliveryRate = 256 << 10
	// deadlineSlack is how far a deadline may be behind what a client has time for, so that not every read sets it anew.
	deadlineSlack = 250 * time.Millisecond
	// headBytes of a body are remembered, for the reject that is kept of one that cannot be read.
	headBytes = 64 << 10
)

// arriving is a delivery's body as it arrives: its time grows with what has come, and where its sender's rate is exceeded, it waits. Only
// what the server waits for the client counts: committing what came before takes as long as it takes. It remembers how it began.
type arriving struct {
	ctx        context.Context //nolint:containedctx // of the request
	body       io.Reader
	connection *http.ResponseController
	account    limits.Account
	announced  bool // its length was, and has been charged
	shared     bool // the connection has other requests, too
	patience   time.Duration
	still      func() error            // whether its sender may go on
	bookHead   func(bytes int64) error // books memory for head
	waited     time.Duration
	arrived    int64
	asked      int64     // arrived, when still was last called
	deadline   time.Time // of the connection
	head       []byte
	failure    error // of body
}

// Read implements io.Reader. A client that is too slow gets a *Problem.
func (a *arriving) Read(p []byte) (int, error) {
	if err := a.mayGoOn(); err != nil {
		return 0, err
	}
	n, err := a.read(p)
	if more := min(n, headBytes-len(a.head)); more > 0 {
		if err := a.bookHead(int64(len(a.head) + more)); err != nil {
			return n, err
		}
		a.head = append(a.head, p[:more]...)
	}
	if !a.announced && n > 0 {
		if over := a.charge(int64(n)); over != nil {
			return n, over
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = a.tooSlow()
	}
	return n, err
}

func (a *arriving) mayGoOn() error {
	if a.ctx.Err() != nil {
		return context.Cause(a.ctx)
	}
	if a.arrived-a.asked < deliveryRate {
		return nil
	}
	a.asked = a.arrived
	return a.still()
}

func (a *arriving) tooSlow() error {
	if isStopping(a.ctx) {
		return stoppingProblem()
	}
	return retry(newProblem("not_stored", "the body did not arrive in time: what came before is stored; send the same again"),
		busyRetrySeconds)
}

// read reads for as long as the client has time.
func (a *arriving) read(p []byte) (int, error) {
	if a.failure != nil {
		return 0, a.failure
	}
	began := time.Now()
	until := began.Add(a.patience + time.Duration(a.arrived)*time.Second/deliveryRate - a.waited)
	// Once the server stops, the connection's deadline is that of whoever stops it.
	if a.ctx.Err() == nil && (a.deadline.IsZero() || until.Sub(a.deadline) > deadlineSlack) {
		a.deadline = until
		_ = a.connection.SetReadDeadline(until) // one that cannot have a deadline is not one that a client could be slow on
	}
	n, err := a.body.Read(p)
	if a.shared && err == nil { // on HTTP/2 a deadline that passes ends the body, also while nobody waits for it
		_ = a.connection.SetReadDeadline(time.Time{})
		a.deadline = time.Time{}
	}
	a.waited += time.Since(began)
	a.arrived += int64(n)
	a.failure = err
	return n, err
}

// begin reads the beginning of a body of which nothing was read.
func (a *arriving) begin() {
	if len(a.head) == 0 {
		head := make([]byte, headBytes)
		n, _ := a.read(head) // what there is
		a.head = head[:n]
	}
}

// drop reads the rest of the body: a client that is still sending would not see a response, and many take a connection that breaks for a
// batch that is lost.
func (a *arriving) drop() {
	for rest, dropped := make([]byte, 32<<10), 0; dropped < maxDeliveryBytes; {
		n, err := a.read(rest)
		if dropped += n; err != nil {
			return
		}
	}
}

// charge charges bytes to the sender's limits, and waits where its rate is exceeded.
func (a *arriving) charge(n int64) error {
	for began := time.Now(); ; {
		err := a.account.Bytes(n)
		var exceeded *limits.ExceededError
		if !errors.As(err, &exceeded) || time.Since(began)+exceeded.Wait() > a.patience {
			return err
		}
		select {
		case <-time.After(exceeded.Wait()):
		case <-a.ctx.Done():
			return context.Cause(a.ctx)
		}
	}
}
