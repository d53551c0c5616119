package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Names of proxies.
const (
	direct = "direct"
	lossy  = "lossy"
	busy   = "busy"
	cut    = "cut"
	future = "future"
	sparse = "sparse"
)

var proxyNames = []string{direct, lossy, busy, cut, future, sparse}

// proxy carries requests to the server, does to them what its name says, and records them.
type proxy struct {
	name      string
	stand     *Stand
	transport http.RoundTripper
}

func newProxy(name string, s *Stand) *proxy {
	return &proxy{name: name, stand: s, transport: &http.Transport{
		DisableCompression: true, // what the client asks for passes as it is
		DisableKeepAlives:  true, // the server is replaced now and then
	}}
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, in *http.Request) {
	body, err := io.ReadAll(in.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client is gone
	}
	entry, before, first := p.stand.record.begin(p.name, p.stand.document, in, body)
	if p.name == busy && before%2 == 0 {
		p.refuse(w, entry, first)
		return
	}
	if p.name == sparse && p.emptyPage(w, in, entry) {
		return
	}
	response, err := p.forward(in, body)
	if err != nil { // the server is away
		p.stand.record.end(entry, func(r *request) { r.lost = true })
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = response.Body.Close() }()
	stream := strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream")
	switch {
	case p.name == lossy && before%2 == 0 && !stream:
		_, _ = io.Copy(io.Discard, response.Body) // the server has done all of it
		p.stand.record.end(entry, func(r *request) { r.status, r.lost = response.StatusCode, true })
		panic(http.ErrAbortHandler) // closes the connection without an answer
	case p.name == future && !stream:
		p.answerLater(w, entry, response)
	default:
		p.pass(w, entry, response, stream)
	}
}

// forward sends a request to the server.
func (p *proxy) forward(in *http.Request, body []byte) (*http.Response, error) {
	out := in.Clone(in.Context())
	out.URL.Scheme, out.URL.Host = p.stand.upstream.Scheme, p.stand.upstream.Host
	out.RequestURI = ""
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if len(body) == 0 {
		out.Body = http.NoBody
	}
	if p.name == future || p.name == sparse {
		out.Header.Del("Accept-Encoding") // the proxy reads the answer
	}
	return p.transport.RoundTrip(out)
}

// refuse answers in the place of the server.
func (p *proxy) refuse(w http.ResponseWriter, entry *request, first bool) {
	wait := 0
	if first {
		wait = 1
	}
	status, code := http.StatusServiceUnavailable, "busy"
	if entry.operation == "append-events" || entry.operation == "list-events" {
		status, code = http.StatusTooManyRequests, "too_many_requests"
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", strconv.Itoa(wait))
	w.WriteHeader(status)
	p.stand.record.end(entry, func(r *request) { r.status, r.wait = status, time.Duration(wait)*time.Second })
	// A client that is gone does not matter.
	_, _ = fmt.Fprintf(w, `{"type":"urn:tallystick:problem:%s","title":%q,"status":%d,"code":%q,"detail":"nothing was done: try again"}`,
		code, http.StatusText(status), status, code)
}

// pass hands the server's answer on.
func (p *proxy) pass(w http.ResponseWriter, entry *request, response *http.Response, stream bool) {
	maps.Copy(w.Header(), response.Header)
	w.WriteHeader(response.StatusCode)
	p.stand.record.end(entry, func(r *request) {
		r.status = response.StatusCode
		if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
			r.wait = time.Duration(seconds) * time.Second
		}
	})
	var source io.Reader = response.Body
	if stream && p.name == cut {
		source = newCutter(response.Body)
	}
	flush := http.NewResponseController(w).Flush
	if err := flush(); err != nil {
		panic(http.ErrAbortHandler)
	}
	chunk := make([]byte, 32<<10)
	for {
		n, err := source.Read(chunk)
		if n > 0 {
			if _, err := w.Write(chunk[:n]); err != nil {
				return // the client is gone
			}
			_ = flush() // likewise, at the next one
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler) // cut off here, too
		}
	}
}
