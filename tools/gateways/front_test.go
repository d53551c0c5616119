package gateways_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A mode is what becomes of a gateway's connections to the server.
type mode int

const (
	through  mode = iota // they reach the server, byte for byte
	away                 // nobody listens
	refusing             // each request is answered 503, as by a balancer whose server is away
	losing               // the server takes each request and answers it, and the connection is cut before the answer
)

// front stands where a gateway sends to, and passes on to wherever the server is. Changing its mode cuts every connection.
type front struct {
	t       testing.TB
	address string
	stub    *httptest.Server // answers where the server does not

	watched       string       // what the paths of requests begin with that are counted
	refused, lost atomic.Int64 // those answered 503; those whose answer, a success, was cut off

	mu       sync.Mutex
	mode     mode
	server   string // its address
	listener net.Listener
	conns    map[net.Conn]bool
	running  sync.WaitGroup
}

func newFront(t testing.TB) *front {
	f := &front{t: t, address: freeAddress(t), conns: map[net.Conn]bool{}, mode: away}
	f.stub = httptest.NewServer(http.HandlerFunc(f.answer))
	t.Cleanup(func() {
		f.set(away)
		f.stub.Close()
		f.running.Wait()
	})
	return f
}

// serves names the server's address.
func (f *front) serves(address string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.server = address
}

// set changes the mode and cuts every connection.
func (f *front) set(m mode) {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mode = m
	for conn := range f.conns {
		cut(conn)
	}
	if m == away && f.listener != nil {
		_ = f.listener.Close()
		f.listener = nil
	}
	if m != away && f.listener == nil {
		listener, err := net.Listen("tcp", f.address)
		if err != nil {
			f.t.Fatal(err)
		}
		f.listener = listener
		f.running.Go(func() { f.accept(listener) })
	}
}

func (f *front) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		f.running.Go(func() { f.pass(conn) })
	}
}

// cut ends a connection as a machine that goes away does.
func cut(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// pass copies between a gateway's connection and the server, or the stub in its place, until either ends.
func (f *front) pass(conn net.Conn) {
	defer cut(conn)
	f.mu.Lock()
	to := f.server
	if f.mode == refusing || f.mode == losing {
		to = f.stub.Listener.Addr().String()
	}
	gone := f.mode == away
	f.conns[conn] = true
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.conns, conn)
	}()
	if gone {
		return
	}
	behind, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer cut(behind)
	var copying sync.WaitGroup
	copying.Go(func() {
		_, _ = io.Copy(behind, conn)
		cut(behind)
	})
	if _, err := io.Copy(conn, behind); err == nil {
		_ = conn.Close() // as the server did: what it sent arrives
	}
	cut(conn)
	copying.Wait()
}

// answer refuses a request, or has the server take it and never says so.
func (f *front) answer(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	mode, server := f.mode, f.server
	f.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if mode != losing {
		f.note(&f.refused, r)
		w.Header().Set("Retry-After", "1")
		http.Error(w, "nobody is here", http.StatusServiceUnavailable)
		return
	}
	request, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+server+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	request.Header = r.Header
	response, err := http.DefaultClient.Do(request)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if err == nil && response.StatusCode < http.StatusMultipleChoices {
			f.note(&f.lost, r)
		}
	}
	panic(http.ErrAbortHandler) // which cuts the connection
}

func (f *front) note(count *atomic.Int64, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, f.watched) {
		count.Add(1)
	}
}

// behind returns the server's address.
func (f *front) behind() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.server
}
