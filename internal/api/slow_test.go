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
	"github.com/tallystick/tallystick/internal/memory"
)

// TestSlowBodies: a body that does not arrive in time is given up, and does not hold its connection where no operation
// takes it.
func TestSlowBodies(t *testing.T) {
	handler := api.New(api.Services{Log: slog.New(slog.NewTextHandler(t.Output(), nil)), BodyTimeout: 50 * time.Millisecond})
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
	handler := api.New(api.Services{Log: slog.New(slog.NewTextHandler(t.Output(), nil)), WriteTimeout: 50 * time.Millisecond})
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

// TestClaimedBodies: a body takes room as it arrives, not as it is claimed.
func TestClaimedBodies(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	for i := range 60 { // 600 MiB
		conn := s.send(t, fmt.Sprintf("POST /logs/acme/append_batch HTTP/1.1\r\nHost: localhost\r\n"+
			"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", 10*mebibyte))
		if r := receive(t, conn); r.status != http.StatusContinue {
			t.Fatalf("body %d is answered %d: %s", i+1, r.status, r.body)
		}
	}
	event := `{"text":"` + strings.Repeat("x", mebibyte/2) + `"}`
	s.want(http.StatusCreated, s.call("POST", "/logs/acme/append_batch", strings.Repeat(event+"\n", 8)))
}

// TestTooManyBodies: there is no room for more than so many bytes of bodies. Whoever sends more is told to come back, and hears it though
// it was still sending; a small body has room.
func TestTooManyBodies(t *testing.T) {
	handler := api.New(api.Services{Log: slog.New(slog.DiscardHandler), Bodies: memory.NewBook(4*mebibyte, 0, time.Millisecond)})
	running := httptest.NewServer(handler)
	defer running.Close()
	s := &service{t: t, url: running.URL}
	request := func(claimed int) string {
		return fmt.Sprintf("POST /logs/acme/append_batch HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", claimed)
	}
	full := strings.Repeat("x", mebibyte)
	busy := func() reply {
		conn := s.send(t, request(mebibyte))
		defer conn.Close()                             //nolint:errcheck // it has served
		for sent := 0; sent < mebibyte; sent += 4096 { // slowly enough that an answer could come in between
			if _, err := conn.Write([]byte(full[:4096])); err != nil {
				t.Fatalf("after %d bytes: %v", sent, err)
			}
		}
		return receive(t, conn)
	}
	var held net.Conn
	var r reply
	s.await("a body that is under way takes the room", func() bool { // where it did not come first, it was the one that was refused
		held = s.send(t, request(2*mebibyte)+full[:mebibyte-1]) // and no more for now
		if r = busy(); r.status != http.StatusServiceUnavailable {
			_ = held.Close()
		}
		return r.status == http.StatusServiceUnavailable
	})
	if s.wantProblem(http.StatusServiceUnavailable, "busy", r, "nothing was stored"); r.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After is %q", r.header.Get("Retry-After"))
	}
	// There is no database behind it.
	if r := receive(t, s.send(t, request(30<<10)+full[:30<<10])); r.status == http.StatusServiceUnavailable {
		t.Errorf("a small body is answered %d: %s", r.status, r.body)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	s.await("the room of a body that was given up is given back", func() bool { return busy().status != http.StatusServiceUnavailable })
}
