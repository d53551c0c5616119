package server

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// patience turns a hang into a failure.
const patience = time.Minute

// listening serves a handler as a server does, with time limits a hundredth of the real ones.
func listening(t *testing.T, handler http.HandlerFunc) (address string) {
	t.Helper()
	server := newHTTPServer(handler, nil, slog.New(slog.DiscardHandler))
	on2 := server.HTTP2
	for _, limit := range []*time.Duration{
		&server.ReadHeaderTimeout, &server.IdleTimeout, &on2.SendPingTimeout, &on2.PingTimeout, &on2.WriteByteTimeout,
	} {
		*limit /= 100
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- acceptFrom(listener, server) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

const (
	preface  = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	settings = "\x00\x00\x00\x04\x00\x00\x00\x00\x00" // a frame that sets nothing
	// partOfHeaders is a HEADERS frame of stream 1 that says that more will follow.
	partOfHeaders = "\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82"
)

func dial(t *testing.T, address, first string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, first); err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestSlowHeaders: a connection on which no whole request comes is cut off, on both protocols.
func TestSlowHeaders(t *testing.T) {
	address := listening(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("a request was served: %v", r) })
	for name, first := range map[string]string{
		"nothing":                  "",
		"a part of HTTP/1's":       "GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ",
		"a part of the preface":    preface[:16],
		"a preface":                preface,
		"a connection that idles":  preface + settings,
		"a part of HTTP/2's":       preface + settings + partOfHeaders,
		"a part of HTTP/2's frame": preface + settings + partOfHeaders[:5],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, address, first)
			if _, err := io.Copy(io.Discard, conn); err != nil && errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v after %v", err, patience)
			}
		})
	}
}

// TestHTTP2IsBounded: a connection is told what it may have.
func TestHTTP2IsBounded(t *testing.T) {
	conn := dial(t, listening(t, func(http.ResponseWriter, *http.Request) {}), preface+settings)
	var head [9]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil || head[3] != 4 {
		t.Fatalf("the first frame is %x: %v", head, err)
	}
	payload := make([]byte, int(head[1])<<8|int(head[2]))
	if _, err := io.ReadFull(conn, payload); err != nil {
		t.Fatal(err)
	}
	got := map[uint16]uint32{}
	for ; len(payload) >= 6; payload = payload[6:] {
		got[binary.BigEndian.Uint16(payload)] = binary.BigEndian.Uint32(payload[2:])
	}
	const streams, window, frame, headerList = 3, 4, 5, 6
	if got[streams] != maxStreams || got[window] != streamBuffer || got[frame] != frameBuffer ||
		got[headerList] == 0 || got[headerList] > 2*maxHeaderBytes {
		t.Errorf("it may have %v", got)
	}
}

// TestLongHeaders: headers beyond the limit are refused on HTTP/1.
func TestLongHeaders(t *testing.T) {
	address := listening(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for size, want := range map[int]string{maxHeaderBytes / 2: "HTTP/1.1 204", 2 * maxHeaderBytes: "HTTP/1.1 431"} {
		conn := dial(t, address, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-A: "+strings.Repeat("a", size)+"\r\n\r\n")
		if text, _ := io.ReadAll(conn); !strings.HasPrefix(string(text), want) { // the rest may be cut off
			t.Errorf("%d bytes of headers are answered %.40q, want %s", size, text, want)
		}
	}
}

// TestUnreadConnection: a connection that takes no bytes at all is cut off, though the streams on it were given up before.
func TestUnreadConnection(t *testing.T) {
	ended := make(chan struct{})
	address := listening(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		piece := make([]byte, 64<<10)
		for {
			if _, err := w.Write(piece); err != nil {
				return
			}
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Millisecond))
		}
	})
	// A window of 2 GiB for the stream and for the connection, and GET / on stream 1; then nothing is read.
	wide := "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x04\x7f\xff\xff\xff" + "\x00\x00\x04\x08\x00\x00\x00\x00\x00\x7f\x00\x00\x00"
	conn := dial(t, address, preface+wide+"\x00\x00\x0c\x01\x05\x00\x00\x00\x01\x82\x84\x86\x41\x07example")
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("the handler still writes")
	}
	_ = conn.Close()
}
