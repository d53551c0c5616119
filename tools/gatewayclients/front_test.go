package gatewayclients_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
)

// A fault is what becomes of one request on its way to the server.
type fault string

const (
	refuse      fault = "a balancer answers 503"
	refuseFor1s fault = "a balancer answers 503 with Retry-After"
	loseRequest fault = "the connection closes before the request arrives"
	cutRequest  fault = "the connection closes in the middle of the request"
	loseAnswer  fault = "the connection closes before the answer, after COMMIT"
	cutAnswer   fault = "the connection closes in the middle of the answer, after COMMIT"
)

// front is a proxy in front of the server.
type front struct {
	*httptest.Server

	t      testing.TB
	server string // its host and port

	mu       sync.Mutex
	faults   []fault // of the next requests; after them, all pass
	requests int
}

func newFront(t testing.TB, server string) *front {
	t.Helper()
	f := &front{t: t}
	f.moveTo(server)
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// moveTo sends what comes from now on to another server.
func (f *front) moveTo(server string) {
	f.t.Helper()
	at, err := url.Parse(server)
	if err != nil {
		f.t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.server = at.Host
}

func (f *front) host() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.server
}

// cause has the next requests meet these faults.
func (f *front) cause(faults ...fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults, f.requests = faults, 0
}

// seen returns how many requests came since cause was called, and how many faults nobody has met yet.
func (f *front) seen() (requests, left int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests, len(f.faults)
}

func (f *front) next() (next fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	if len(f.faults) > 0 {
		next, f.faults = f.faults[0], f.faults[1:]
	}
	return next
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	next := f.next()
	if next == loseRequest {
		panic(http.ErrAbortHandler)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		f.t.Errorf("reading a request: %v", err)
	}
	switch next {
	case refuseFor1s:
		w.Header().Set("Retry-After", "1")
		fallthrough
	case refuse:
		http.Error(w, "nobody is here", http.StatusServiceUnavailable)
		return
	case cutRequest:
		f.sendHalf(r, body)
		panic(http.ErrAbortHandler)
	case loseRequest, loseAnswer, cutAnswer:
	}
	status, header, answer := f.pass(r, body)
	switch {
	case next == "":
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = w.Write(answer)
		return
	case status >= http.StatusMultipleChoices:
		f.t.Errorf("%s: the server answered %d: %s", next, status, answer)
	case next == cutAnswer:
		f.cut(w)
	}
	panic(http.ErrAbortHandler)
}

// pass sends a request to the server and reads its whole answer.
func (f *front) pass(r *http.Request, body []byte) (status int, header http.Header, answer []byte) {
	request, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+f.host()+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		f.t.Error(err)
		panic(http.ErrAbortHandler)
	}
	request.Header = r.Header.Clone()
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil { // the server is gone
		panic(http.ErrAbortHandler)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is lost
	if answer, err = io.ReadAll(response.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
	return response.StatusCode, response.Header, answer
}

// sendHalf sends the first half of a request's body to the server, and then nothing more. It returns once the server has seen that.
func (f *front) sendHalf(r *http.Request, body []byte) {
	conn, err := net.Dial("tcp", f.host())
	if err != nil {
		f.t.Error(err)
		return
	}
	defer conn.Close() //nolint:errcheck // nothing is lost
	var head bytes.Buffer
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", r.Method, r.URL.RequestURI(), f.host(), len(body))
	if err := r.Header.WriteSubset(&head, map[string]bool{"Content-Length": true, "Connection": true}); err != nil {
		f.t.Error(err)
	}
	head.WriteString("Connection: close\r\n\r\n")
	if _, err := conn.Write(append(head.Bytes(), body[:len(body)/2]...)); err != nil {
		f.t.Error(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		f.t.Error(err)
	}
	_, _ = io.Copy(io.Discard, conn)
}

// cut sends the beginning of an answer.
func (f *front) cut(w http.ResponseWriter) {
	conn, out, err := w.(http.Hijacker).Hijack()
	if err != nil {
		f.t.Error(err)
		return
	}
	_, _ = out.WriteString("HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 100\r\n\r\n\x0a")
	_ = out.Flush()
	_ = conn.Close()
}
