package client

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
	// followIdle is how long a stream of server-sent events may be silent: a server says every 15 seconds that it is still there.
	followIdle = 50 * time.Second
	// firstReturn is when a lost connection is tried again where the server said nothing of it; every failure doubles that, up to
	// lastReturn.
	firstReturn = time.Second
	lastReturn  = 15 * time.Second
)

var errSilent = errors.New("nothing came for too long")

// Follower is told what a stream brings. Its functions are called one at a time.
type Follower struct {
	// Event takes what comes; an error ends the following.
	Event func(Message) error
	// Lost is told that the connection was lost, and when it will be tried again. May be nil.
	Lost func(err error, in time.Duration)
	// Back is told that it is there again. May be nil.
	Back func()
}

// Tail follows a log's events after a sequence, until ctx ends or the server refuses. An event comes once and in its place, whatever
// becomes of connections. Where the server cannot be reached at all to begin with, that is an error; later it is tried for ever.
func (c *Client) Tail(ctx context.Context, log, eventType string, after int64, f Follower) error {
	query := url.Values{}
	if eventType != "" {
		query.Set("type", eventType)
	}
	last := after
	return c.follow(ctx, request{path: []string{"logs", log, "tail"}, query: query.Encode()}, f, func() string { return strconv.FormatInt(last, 10) },
		func(m Message) error {
			sequence, err := strconv.ParseInt(m.ID, 10, 64)
			switch {
			case m.Event != "event":
				return nil // of a later version
			case err != nil:
				return fmt.Errorf("%s sent an event whose id, %q, is no sequence", c.base, m.ID)
			case sequence <= last:
				return nil // came before
			}
			last = sequence
			return f.Event(m)
		})
}

// Watch follows a view's answer to a question, an encoded query string, until ctx ends or the server refuses. The first answer comes at
// once, and then each that is another. A message named problem tells that the view cannot answer for now.
func (c *Client) Watch(ctx context.Context, log, view, question string, f Follower) error {
	var last *Message
	return c.follow(ctx, request{path: []string{"logs", log, "views", view, "live"}, query: question}, f, nil, func(m Message) error {
		if m.Event != "answer" && m.Event != "problem" || last != nil && last.Event == m.Event && string(last.Data) == string(m.Data) {
			return nil
		}
		last = &m
		return f.Event(m)
	})
}

// follow keeps a stream of server-sent events up. id gives the last event that is not to come again.
func (c *Client) follow(ctx context.Context, r request, f Follower, id func() string, each func(Message) error) error {
	begun, failures, retry := false, 0, firstReturn
	for {
		heard, said, err := c.listen(ctx, r, id, begun && f.Back != nil, f.Back, each)
		var ours stopped
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &ours):
			return ours.error
		case !MayPass(err), !heard && !begun:
			return err
		}
		begun = true
		if heard {
			failures = 0
		}
		if said > 0 {
			retry = said
		}
		delay := min(retry<<min(failures, 10), max(lastReturn, retry))
		failures++
		if f.Lost != nil {
			f.Lost(err, delay)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(delay):
		}
	}
}

// stopped is an error of whoever takes the events.
type stopped struct{ error }

// listen is one connection. heard tells that a server answered; the error is never nil.
func (c *Client) listen(ctx context.Context, r request, id func() string, again bool, back func(), each func(Message) error) (heard bool, retry time.Duration, err error) {
	r.method, r.header = http.MethodGet, http.Header{"Accept": {"text/event-stream"}}
	seen := ""
	if id != nil {
		seen = id()
		r.header.Set("Last-Event-ID", seen)
	}
	body, header, err := c.open(ctx, r, followIdle)
	if err != nil {
		return false, 0, err
	}
	defer func() { _ = body.Close() }() // what is left of it is of no use
	if mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type")); err != nil || mediaType != "text/event-stream" {
		return false, 0, stopped{fmt.Errorf("the answer of %s is no stream of events; is --url right?", c.base)}
	}
	if again {
		back()
	}
	messages := NewMessages(body, seen)
	for {
		m, err := messages.Next()
		switch {
		case errors.Is(err, io.EOF):
			return true, messages.Retry, errors.New("the connection ended")
		case errors.Is(err, errMessageTooLarge):
			return true, messages.Retry, stopped{err}
		case err != nil:
			return true, messages.Retry, fmt.Errorf("the connection was lost: %w", err)
		case m.Event == "end":
			return true, messages.Retry, ending(m.Data)
		}
		if err := each(m); err != nil {
			return true, 0, stopped{err}
		}
	}
}

// ending is why the server ended a stream.
func ending(data []byte) error {
	p := &Problem{}
	if err := json.Unmarshal(data, p); err != nil || p.Status == 0 {
		return errors.New("the server ended the stream")
	}
	if p.Status == http.StatusInternalServerError { // a fault of the moment, as far as anybody knows
		return errors.New(p.Detail)
	}
	return p
}

// open sends a request whose answer may go on for ever, and ends it when nothing comes for idle.
func (c *Client) open(ctx context.Context, r request, idle time.Duration) (io.ReadCloser, http.Header, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	b := &watchedBody{idle: idle, cancel: cancel, ctx: ctx}
	b.timer = time.AfterFunc(idle, func() { cancel(errSilent) })
	response, err := c.do(ctx, r) //nolint:bodyclose // whoever has b closes it
	if err != nil {
		b.timer.Stop()
		cancel(nil)
		return nil, nil, err
	}
	b.ReadCloser = response.Body
	return b, response.Header, nil
}

// watchedBody is an answer's body that fails when nothing comes for too long.
type watchedBody struct {
	io.ReadCloser
	ctx    context.Context //nolint:containedctx // the request's own, for what ended it
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

// Close lets go of the connection.
func (b *watchedBody) Close() error {
	b.timer.Stop()
	b.cancel(nil)
	return b.ReadCloser.Close()
}
