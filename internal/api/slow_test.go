package api_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/api"
)

// TestSlowBodies: a body that does not arrive in time is given up, and does not hold its connection where no operation
// takes it.
func TestSlowBodies(t *testing.T) {
	handler := api.New(api.Services{Log: slog.New(slog.NewTextHandler(t.Output(), nil)), BodyTimeout: 50 * time.Millisecond}, "test")
	running := httptest.NewServer(handler)
	defer running.Close()
	s := &service{t: t, url: running.URL}
	for path, want := range map[string]struct {
		status int
		code   string
	}{
		"/logs":                   {408, "body_timeout"},
		"/logs/acme/append":       {408, "body_timeout"},
		"/logs/acme/append_batch": {408, "body_timeout"},
		"/logs/acme/views/v":      {408, "body_timeout"},
		"/nowhere":                {404, "no_such_path"},
		"/healthz":                {405, "method_not_allowed"},
	} {
		conn := s.send(t, "POST "+path+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
		s.wantProblem(want.status, want.code, receive(t, conn))
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("%s: the connection was not closed but says %v", path, err)
		}
	}
}

// TestAnswersThatNobodyReads: a client that asks and does not read is cut off, whatever it asked for.
func TestAnswersThatNobodyReads(t *testing.T) {
	const requests = 400 // of an answer of 100 KB and more: more than the buffers of a connection take
	closed := make(chan struct{})
	handler := api.New(api.Services{Log: slog.New(slog.NewTextHandler(t.Output(), nil)), WriteTimeout: 50 * time.Millisecond}, "test")
	running := httptest.NewUnstartedServer(handler)
	running.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			close(closed)
		}
	}
	running.Start()
	defer running.Close()
	s := &service{t: t, url: running.URL}
	conn := s.send(t, strings.Repeat("GET /openapi.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n", requests))
	defer conn.Close() //nolint:errcheck // the server has closed it
	<-closed
}

// TestTooManyBodies: bodies under way are bounded by what they may grow to; others are told to come back, before they
// are sent.
func TestTooManyBodies(t *testing.T) {
	const room = 512 / 10 // MiB
	s := start(t)
	s.createLog("acme")
	announce := fmt.Sprintf("POST /logs/acme/append_batch HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", 10*mebibyte)
	waiting := make([]net.Conn, room)
	for i := range waiting {
		waiting[i] = s.send(t, announce)
		if r := receive(t, waiting[i]); r.status != http.StatusContinue {
			t.Fatalf("body %d is answered %d: %s", i+1, r.status, r.body)
		}
	}
	for range 2 {
		r := receive(t, s.send(t, announce))
		if s.wantProblem(http.StatusServiceUnavailable, "busy", r, "nothing was stored"); r.header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After is %q", r.header.Get("Retry-After"))
		}
	}
	s.append("acme", `{}`) // small ones have room
	for _, conn := range waiting {
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s.await("the room of bodies that were given up is given back", func() bool { // once the server has noticed
		r := receive(t, s.send(t, announce))
		if r.status != http.StatusContinue {
			s.wantProblem(http.StatusServiceUnavailable, "busy", r)
		}
		return r.status == http.StatusContinue
	})
}
