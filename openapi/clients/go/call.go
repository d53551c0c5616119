package tally

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// maxAnswerBytes bounds an answer: the server ends a page of events at 8 MiB, and an escaped byte takes six; a view's answer has at
	// most 1 MiB.
	maxAnswerBytes = 96 << 20
	// maxProblemBytes bounds the body of an error, which need not come from our server.
	maxProblemBytes = 64 << 10
)

const (
	jsonType   = "application/json"
	ndjsonType = "application/x-ndjson"
	wasmType   = "application/wasm"
)

// request is one call of the API.
type request struct {
	method string
	path   []string // unescaped segments
	query  string   // encoded
	header http.Header
	// body is sent by each try, byte for byte.
	body        []byte
	contentType string
	// safe: to send it twice is as good as once.
	safe bool
	// long: it may take as long as reading a whole log does.
	long bool
}

// get is a request that reads.
func get(path ...string) request { return request{method: http.MethodGet, path: path, safe: true} }

// with adds parameters: pairs of a name and a value. Those with an empty value are left out.
func (r request) with(parameters ...string) request {
	query := url.Values{}
	for i := 0; i+1 < len(parameters); i += 2 {
		if parameters[i+1] != "" {
			query.Set(parameters[i], parameters[i+1])
		}
	}
	r.query = query.Encode()
	return r
}

// number formats a parameter; "" for 0.
func number[N int | int32 | int64](n N) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(int64(n), 10)
}

// sending is a request with a body of JSON.
func sending(method string, body any, path ...string) (request, error) {
	encoded, err := encode(body)
	if err != nil {
		return request{}, err
	}
	return request{method: method, path: path, body: encoded, contentType: jsonType}, nil
}

// answer is a whole response.
type answer struct {
	status int
	header http.Header
	body   []byte
	tries  int // that it took
}

// call sends a request and decodes the answer into result, unless that is nil.
func (c *Client) call(ctx context.Context, r request, result any) (answer, error) {
	a, err := c.ask(ctx, r)
	if err != nil || result == nil {
		return a, err
	}
	if err := json.Unmarshal(a.body, result); err != nil {
		return a, c.stranger(a.header, fmt.Errorf("%w: %.200q", err, a.body))
	}
	return a, nil
}

// send is call for a request that may have failed to be made.
func (c *Client) send(ctx context.Context, r request, err error, result any) error {
	if err != nil {
		return err
	}
	_, err = c.call(ctx, r, result)
	return err
}

// ask sends a request, again where that may help, and reads the whole answer.
func (c *Client) ask(ctx context.Context, r request) (a answer, err error) {
	a.tries, err = c.retrying(ctx, r, func(ctx context.Context) error { return c.once(ctx, r, &a) })
	return a, err
}

// once sends a request once, and reads the whole answer into a.
func (c *Client) once(ctx context.Context, r request, a *answer) error {
	timeout := c.timeout
	if r.long {
		timeout = 0
	}
	response, err := c.respond(ctx, r, timeout)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it is read to its end
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes+1))
	if err != nil {
		return c.disconnected(ctx, fmt.Errorf("the answer broke off: %w", err))
	}
	if len(text) > maxAnswerBytes {
		return c.stranger(response.Header, errors.New("it is larger than any of Tallystick's"))
	}
	a.status, a.header, a.body = response.StatusCode, response.Header, text
	return nil
}

// respond sends a request once, and returns the answer, whose body fails when nothing comes for idle; 0: it may be silent for ever. The
// caller closes it. A status other than 2xx is returned as an *Error.
func (c *Client) respond(ctx context.Context, r request, idle time.Duration) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	b := &watchedBody{idle: idle, cancel: cancel, ctx: ctx}
	if idle > 0 {
		b.timer = time.AfterFunc(idle, func() { cancel(errSilent) })
	}
	response, err := c.do(ctx, r)
	if err != nil {
		b.release()
		return nil, err
	}
	b.ReadCloser = response.Body
	response.Body = b
	return response, nil
}

// open is respond for who wants the body and the headers.
func (c *Client) open(ctx context.Context, r request, idle time.Duration) (io.ReadCloser, http.Header, error) {
	response, err := c.respond(ctx, r, idle)
	if err != nil {
		return nil, nil, err
	}
	return response.Body, response.Header, nil
}

// do sends a request once.
func (c *Client) do(ctx context.Context, r request) (*http.Response, error) {
	target := strings.TrimRight(c.base.String(), "/")
	for _, segment := range r.path {
		target += "/" + url.PathEscape(segment)
	}
	if r.query != "" {
		target += "?" + r.query
	}
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	request, err := http.NewRequestWithContext(ctx, r.method, target, body)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", c.base, err)
	}
	if r.safe && r.body != nil {
		// The transport must not try again by itself: then nobody would know whether a duplicate is of its own making.
		request.GetBody = nil
	}
	maps.Copy(request.Header, c.header)
	maps.Copy(request.Header, r.header)
	if r.contentType != "" {
		request.Header.Set("Content-Type", r.contentType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.disconnected(ctx, err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		defer func() { _ = response.Body.Close() }() // the problem is what counts
		return nil, c.refused(response)
	}
	return response, nil
}

var errSilent = errors.New("nothing came for too long")

// watchedBody is a response's body that fails when nothing arrives for too long.
type watchedBody struct {
	io.ReadCloser
	ctx    context.Context //nolint:containedctx // the request's own, for its cause
	cancel context.CancelCauseFunc
	timer  *time.Timer // nil: it may be silent
	idle   time.Duration
}

func (b *watchedBody) Read(p []byte) (int, error) {
	if b.timer != nil {
		b.timer.Reset(b.idle)
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && b.ctx.Err() != nil {
		err = context.Cause(b.ctx)
	}
	return n, err
}

// Close closes the connection.
func (b *watchedBody) Close() error {
	b.release()
	return b.ReadCloser.Close()
}

func (b *watchedBody) release() {
	if b.timer != nil {
		b.timer.Stop()
	}
	b.cancel(nil)
}
