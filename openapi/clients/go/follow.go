package tally

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

const (
	// followSilence is how long a stream of server-sent events may be silent: a server sends a comment every 15 seconds.
	followSilence = 45 * time.Second
	// firstReturn is the delay before a lost connection is made again, unless the server sets another. Every failure doubles it, up to
	// lastReturn. A random part is added.
	firstReturn = time.Second
	lastReturn  = 15 * time.Second
)

// FollowOptions say who is told about lost connections. Its functions are called by the iterator, between two of its pairs.
type FollowOptions struct {
	// Disconnected is called when the connection is lost, with the delay before the next attempt. May be nil.
	Disconnected func(err error, in time.Duration)
	// Reconnected is called when the connection is there again. May be nil.
	Reconnected func()
}

// following is a stream of server-sent events over any number of connections.
type following struct {
	FollowOptions
	client *Client
	request
	// last is the id to resume after; "" for none.
	last string
	// resumes: the server goes on after last.
	resumes bool
	// handle is called for each message. An error ends the stream.
	handle func(message) error
}

// errEnough ends a stream whose iterator is left.
var errEnough = errors.New("the iterator was left")

// run reads until ctx ends, the server refuses, or handle fails. Until the first connection is there, it is made as often as any read is;
// later for ever.
func (f *following) run(ctx context.Context) error {
	body, header, err := f.connect(ctx)
	for failures, delay := 0, firstReturn; ; {
		if err == nil {
			var retry time.Duration
			failures = 0
			retry, err = f.read(body, header)
			if retry > 0 {
				delay = retry
			}
		} else if failures == 0 {
			return err // the first connection
		}
		var final finalError
		switch {
		case errors.As(err, &final):
			return final.error
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !IsTransient(err):
			return err
		}
		in := max(min(delay<<min(failures, 10), max(lastReturn, delay)), retryAfter(err)) + jitter(failures)
		failures++
		if f.Disconnected != nil {
			f.Disconnected(err, in)
		}
		if !wait(ctx, in) {
			return context.Cause(ctx)
		}
		if body, header, err = f.once(ctx); err == nil && f.Reconnected != nil {
			f.Reconnected()
		}
	}
}

// finalError is an error that reconnecting would not change.
type finalError struct{ error }

// connect makes the first connection.
func (f *following) connect(ctx context.Context) (body io.ReadCloser, header http.Header, err error) {
	_, err = f.client.retryingStream(ctx, f.request, func() error {
		body, header, err = f.once(ctx)
		return err
	})
	return body, header, err
}

func (f *following) once(ctx context.Context) (io.ReadCloser, http.Header, error) {
	r := f.request
	r.header = http.Header{"Accept": {"text/event-stream"}}
	if f.resumes && f.last != "" {
		r.header.Set("Last-Event-ID", f.last)
	}
	return f.client.open(ctx, r, followSilence)
}

// read reads from one connection, and closes it. The error is never nil.
func (f *following) read(body io.ReadCloser, header http.Header) (retry time.Duration, err error) {
	defer func() { _ = body.Close() }() // the rest is not needed
	if mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type")); err != nil || mediaType != "text/event-stream" {
		return 0, finalError{f.client.stranger(header, errors.New("it is no stream of events"))}
	}
	in := newMessages(body, f.last)
	for {
		m, err := in.next()
		f.last = in.last
		switch {
		case errors.Is(err, io.EOF):
			return in.retry, cutOff(errors.New("the server ended it"))
		case errors.Is(err, errMessageTooLarge):
			return in.retry, finalError{f.client.stranger(header, err)}
		case err != nil:
			return in.retry, cutOff(err)
		case m.event == "end":
			return in.retry, endReason(m.data)
		}
		if err := f.handle(m); err != nil {
			return 0, finalError{err}
		}
	}
}

// endReason returns why the server ended a stream.
func endReason(data []byte) error {
	e := &Error{}
	if err := json.Unmarshal(data, e); err != nil || e.Status == 0 {
		return cutOff(errors.New("the server ended it"))
	}
	if e.Status == http.StatusInternalServerError { // transient, as far as the client can know
		return cutOff(fmt.Errorf("the server ended it: %w", e))
	}
	return e
}

// retryingStream makes the first connection of a stream, as often as other reads are tried.
func (c *Client) retryingStream(ctx context.Context, r request, open func() error) (tries int, err error) {
	r.long = true // the deadline is for connecting; it must not end the stream
	return c.retrying(ctx, r, func(context.Context) error { return open() })
}
