package tally

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// dialTimeout bounds connecting to the server. Responses may take longer: an audit reads the whole log.
	dialTimeout = 10 * time.Second
	// maxResponseBytes bounds a response: a view's answer has at most 1 MiB, a list of versions a few.
	maxResponseBytes = 64 << 20
	// maxProblemBytes bounds the body of an error, which need not come from our server.
	maxProblemBytes = 64 << 10
)

// Options name the server to call, and the caller.
type Options struct {
	URL string // of the server, such as http://127.0.0.1:8080; may have a path, which prefixes the API's
	Key string // a key or token; "" for a server that asks for none
	// Tenant is the one to act in, for an operator's key; "" for the key's own.
	Tenant string
	Actor  string // recorded by the server with each action; may be empty
	// CAFile is a PEM file with authorities to trust for https, beside those of the system; may be empty.
	CAFile string
	// Connections bounds the requests in flight; 0: no bound.
	Connections int
	// Timeout bounds one request; 0: none.
	Timeout time.Duration
}

// Client calls one server. It is safe for concurrent use.
type Client struct {
	base   *url.URL
	header http.Header // of every request
	http   *http.Client
}

// New checks the configuration; it does not connect. The caller must close the client.
func New(c Options) (*Client, error) {
	base, err := url.Parse(c.URL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("%q is not the address of a server: it must be such as http://127.0.0.1:8080", c.URL)
	}
	base.RawQuery, base.Fragment = "", ""
	transport := &http.Transport{
		Proxy:           http.ProxyFromEnvironment,
		DialContext:     (&net.Dialer{Timeout: dialTimeout}).DialContext,
		MaxConnsPerHost: c.Connections, MaxIdleConnsPerHost: c.Connections,
		TLSHandshakeTimeout: dialTimeout,
	}
	if c.CAFile != "" {
		if transport.TLSClientConfig, err = trusting(c.CAFile); err != nil {
			return nil, err
		}
	}
	header := http.Header{}
	for name, value := range map[string]string{"Authorization": bearer(c.Key), "Tally-Tenant": c.Tenant, "Tally-Actor": c.Actor} {
		if value != "" {
			header.Set(name, value)
		}
	}
	return &Client{base: base, header: header, http: &http.Client{
		Transport: transport, Timeout: c.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a POST would become a GET
	}}, nil
}

func bearer(key string) string {
	if key == "" {
		return ""
	}
	return "Bearer " + key
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// isLocal reports whether the server is on this machine.
func (c *Client) isLocal() bool {
	host := c.base.Hostname()
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// request is one call of the API.
type request struct {
	method string
	path   []string // unescaped segments
	query  string   // encoded
	header http.Header
	// body is streamed; may be nil.
	body        io.Reader
	contentType string
}

// call sends a request and decodes the JSON response into into, unless that is nil. The error is a *Error if the server refused the
// request.
func (c *Client) call(ctx context.Context, r request, result any) error {
	response, err := c.do(ctx, r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it is read to its end
	text, err := io.ReadAll(io.LimitReader(response.Body, maxResponseBytes))
	if err != nil {
		return fmt.Errorf("reading the answer of %s: %w", c.base, err)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(text, result); err != nil {
		return fmt.Errorf("the answer of %s is not Tallystick's: %w; is --url right?", c.base, err)
	}
	return nil
}

// do sends a request. The caller closes the response's body. A status other than 2xx is returned as a *Problem.
func (c *Client) do(ctx context.Context, r request) (*http.Response, error) {
	target := strings.TrimRight(c.base.String(), "/")
	for _, segment := range r.path {
		target += "/" + url.PathEscape(segment)
	}
	if r.query != "" {
		target += "?" + r.query
	}
	request, err := http.NewRequestWithContext(ctx, r.method, target, r.body)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", c.base, err)
	}
	maps.Copy(request.Header, c.header)
	maps.Copy(request.Header, r.header)
	if r.contentType != "" {
		request.Header.Set("Content-Type", r.contentType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		defer func() { _ = response.Body.Close() }() // the problem is what counts
		return nil, c.refused(response)
	}
	return response, nil
}

// unreachable explains what to do about a request without a response.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return &noServerError{c.base.String()}
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) { // its text repeats the whole URL
		err = wrapped.Err
	}
	if advice := adviceOnTLS(err); advice != "" {
		return fmt.Errorf("asking %s: %w; %s", c.base, err, advice)
	}
	return fmt.Errorf("asking %s: %w", c.base, err)
}

// noServerError: nothing was sent, since there is nobody. It wraps syscall.ECONNREFUSED.
type noServerError struct{ base string }

func (e *noServerError) Error() string {
	return fmt.Sprintf("no server answers at %s: start one, such as by tally dev, or name another by --url", e.base)
}

func (e *noServerError) Unwrap() error { return syscall.ECONNREFUSED }

// Error is an error response of the server, in the format of RFC 9457.
type Error struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Line   int    `json:"line"` // of a batch, from 1; else 0
	// RetryAfter is how long the server asks to wait before the next attempt; 0 where it does not say.
	RetryAfter time.Duration `json:"-"`
}

// Error returns the server's text, and the code that the documentation explains, on one line. The text may quote a view, and must not look
// like other output.
func (p *Error) Error() string {
	if p.Code == "" {
		return fmt.Sprintf("the server answered %d %s: %s", p.Status, http.StatusText(p.Status), oneLine(p.Detail))
	}
	return fmt.Sprintf("%s (%s)", oneLine(p.Detail), oneLine(p.Code))
}

// IsCode reports whether err is the problem with this code.
func IsCode(err error, code string) bool {
	var p *Error
	return errors.As(err, &p) && p.Code == code
}

// IsTransient reports whether a retry may succeed: the connection failed, or the server is busy or restarting.
func IsTransient(err error) bool {
	var p *Error
	if !errors.As(err, &p) {
		return true
	}
	switch p.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// refused reads a problem, and says what to do about one that comes of not having sent a key.
func (c *Client) refused(response *http.Response) error {
	err := readProblem(response)
	var p *Error
	if errors.As(err, &p) && p.Code == "unauthorized" && c.header.Get("Authorization") == "" {
		p.Detail = "the server asks for a key, and none was given: set TALLY_KEY to yours; tally key create makes one"
	}
	return err
}

func readProblem(response *http.Response) error {
	p := &Error{}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxProblemBytes))
	if err != nil || json.Unmarshal(text, p) != nil || p.Code == "" {
		*p = Error{Detail: strings.ToValidUTF8(string(bytes.TrimSpace(text)), "?")} // not our server's
	}
	p.Status = response.StatusCode
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		p.RetryAfter = min(time.Duration(seconds)*time.Second, maxRetry)
	}
	return p
}
