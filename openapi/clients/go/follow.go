package tally

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	// followIdle is how long a stream of server-sent events may be silent: a server sends a comment every 15 seconds.
	followIdle = 50 * time.Second
	// firstRetry is the delay before the first retry of a lost connection, unless the server sets another. Every failure doubles it, up to
	// lastRetry.
	firstRetry = time.Second
	lastRetry  = 15 * time.Second
)

var errIdle = errors.New("nothing came for too long")

// Follower has the callbacks of a stream. They are called one at a time.
type Follower struct {
	// Event is called for each message; an error ends the stream.
	Event func(Message) error
	// Disconnected is called when the connection is lost, with the delay before the next attempt. May be nil.
	Disconnected func(err error, in time.Duration)
	// Reconnected is called when the connection is there again. May be nil.
	Reconnected func()
}

// Tail follows a log's events after a sequence, until ctx ends or the server refuses. Each event is delivered once and in order, over any
// number of connections. If the first connection fails, Tail returns the error; later it retries for ever.
func (c *Client) TailEvents(ctx context.Context, log, eventType string, after int64, f Follower) error {
	query := url.Values{}
	if eventType != "" {
		query.Set("type", eventType)
	}
	lastSequence := after
	return c.follow(ctx, request{path: []string{"logs", log, "tail"}, query: query.Encode()}, f,
		func() string { return strconv.FormatInt(lastSequence, 10) },
		func(m Message) error {
			sequence, err := strconv.ParseInt(m.ID, 10, 64)
			switch {
			case m.Event != "event":
				return nil // from a later version
			case err != nil:
				return fmt.Errorf("%s sent an event whose id, %q, is no sequence", c.base, m.ID)
			case sequence <= lastSequence:
				return nil // delivered before
			}
			lastSequence = sequence
			return f.Event(m)
		})
}

// Watch follows a view's answer to a query, an encoded query string, until ctx ends or the server refuses. The first answer comes at once,
// and then every answer that differs from the one before. A message named problem reports that the view cannot answer at present.
func (c *Client) WatchView(ctx context.Context, log, view, query string, f Follower) error {
	var last *Message
	return c.follow(ctx, request{path: []string{"logs", log, "views", view, "live"}, query: query}, f, nil, func(m Message) error {
		if m.Event != "answer" && m.Event != "problem" || last != nil && last.Event == m.Event && string(last.Data) == string(m.Data) {
			return nil
		}
		last = &m
		return f.Event(m)
	})
}

// follow reads a stream of server-sent events, and reconnects. id returns the id to resume after; nil for a stream without ids.
func (c *Client) follow(ctx context.Context, r request, f Follower, id func() string, handle func(Message) error) error {
	begun, failures, retry := false, 0, firstRetry
	for {
		var back func()
		if begun {
			back = f.Reconnected
		}
		connected, retryAfter, err := c.listen(ctx, r, id, back, handle)
		var ours finalError
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &ours):
			return ours.error
		case !IsTransient(err), !connected && !begun:
			return err
		}
		begun = true
		if connected {
			failures = 0
		}
		if retryAfter > 0 {
			retry = retryAfter
		}
		delay := min(retry<<min(failures, 10), max(lastRetry, retry))
		failures++
		if f.Disconnected != nil {
			f.Disconnected(err, delay)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(delay):
		}
	}
}

// finalError is an error that reconnecting would not change.
type finalError struct{ error }

// listen reads from one connection. connected reports whether the server accepted it; the error is never nil.
func (c *Client) listen(
	ctx context.Context, r request, id func() string, back func(), handle func(Message) error,
) (connected bool, retry time.Duration, err error) {
	r.method, r.header = http.MethodGet, http.Header{"Accept": {"text/event-stream"}}
	lastID := ""
	if id != nil {
		lastID = id()
		r.header.Set("Last-Event-ID", lastID)
	}
	body, header, err := c.open(ctx, r, followIdle)
	if err != nil {
		return false, 0, err
	}
	defer func() { _ = body.Close() }() // the rest is not needed
	if mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type")); err != nil || mediaType != "text/event-stream" {
		return false, 0, finalError{fmt.Errorf("the answer of %s is no stream of events; is --url right?", c.base)}
	}
	if back != nil {
		back()
	}
	messages := NewMessages(body, lastID)
	for {
		m, err := messages.Next()
		switch {
		case errors.Is(err, io.EOF):
			return true, messages.Retry, errors.New("the connection ended")
		case errors.Is(err, errMessageTooLarge):
			return true, messages.Retry, finalError{err}
		case err != nil:
			return true, messages.Retry, fmt.Errorf("the connection was lost: %w", err)
		case m.Event == "end":
			return true, messages.Retry, endReason(m.Data)
		}
		if err := handle(m); err != nil {
			return true, 0, finalError{err}
		}
	}
}

// endReason returns why the server ended a stream.
func endReason(data []byte) error {
	p := &Error{}
	if err := json.Unmarshal(data, p); err != nil || p.Status == 0 {
		return errors.New("the server ended the stream")
	}
	if p.Status == http.StatusInternalServerError { // transient, as far as the client can know
		return errors.New(p.Detail)
	}
	return p
}

// open sends a request whose response may be endless, and cancels it when nothing arrives for idle.
func (c *Client) open(ctx context.Context, r request, idle time.Duration) (io.ReadCloser, http.Header, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	b := &watchedBody{idle: idle, cancel: cancel, ctx: ctx}
	b.timer = time.AfterFunc(idle, func() { cancel(errIdle) })
	response, err := c.do(ctx, r) //nolint:bodyclose // whoever has b closes it
	if err != nil {
		b.timer.Stop()
		cancel(nil)
		return nil, nil, err
	}
	b.ReadCloser = response.Body
	return b, response.Header, nil
}

// watchedBody is a response's body that fails when nothing arrives for too long.
type watchedBody struct {
	io.ReadCloser
	ctx    context.Context //nolint:containedctx // the request's own, for its cause
	cancel context.CancelCauseFunc
	timer  *time.Timer
	idle   time.Duration
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.timer.Reset(b.idle)
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && b.ctx.Err() != nil {
		err = context.Cause(b.ctx)
	}
	return n, err
}

// Close closes the connection.
func (b *watchedBody) Close() error {
	b.timer.Stop()
	b.cancel(nil)
	return b.ReadCloser.Close()
}
