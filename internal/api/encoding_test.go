package api_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/limits"
	"github.com/tallystick/tallystick/internal/memory"
)

func gzipped(t testing.TB, body string) string {
	t.Helper()
	var b bytes.Buffer
	return packed(t, gzip.NewWriter(&b), &b, body)
}

func zstandard(t testing.TB, body string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	return packed(t, w, &b, body)
}

func packed(t testing.TB, w io.WriteCloser, b *bytes.Buffer, body string) string {
	t.Helper()
	_, err := io.WriteString(w, body)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func encoded(t testing.TB, encoding, body string) string {
	t.Helper()
	switch encoding {
	case "gzip":
		return gzipped(t, body)
	case "zstd":
		return zstandard(t, body)
	default:
		return body
	}
}

// sendEncoded posts a body whose length is known, or not.
func (s *service) sendEncoded(path, encoding, body string, chunked bool, headers ...string) reply {
	s.t.Helper()
	var r io.Reader = strings.NewReader(body)
	if chunked {
		r = struct{ io.Reader }{r}
	}
	answer, err := s.try("POST", path, r, append(headers, "Content-Encoding: "+encoding)...)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer
}

// TestEncodedAppends: an event is the same in every encoding, and so is its key.
func TestEncodedAppends(t *testing.T) {
	s := start(t)
	acme := s.createLog("acme")
	encodings := []string{"identity", "gzip", "zstd"}
	var want []string
	for _, first := range encodings {
		event := fmt.Sprintf(`{"id": %q, "text": "%s"}`, first, strings.Repeat("x", 10_000))
		unnamed := fmt.Sprintf(`{"sent": %q}`, first)
		key := "Idempotency-Key: key " + first
		batch := fmt.Sprintf("{\"id\":\"%s a\"}\n{\"n\":1}\n", first)
		s.want(http.StatusCreated, s.sendEncoded("/logs/acme/append", first, encoded(t, first, event), false))
		s.want(http.StatusCreated, s.sendEncoded("/logs/acme/append", first, encoded(t, first, unnamed), true, key))
		s.want(http.StatusCreated, s.sendEncoded("/logs/acme/append_batch", first, encoded(t, first, batch), false, key+" batch"))
		want = append(want, event, unnamed, fmt.Sprintf(`{"id":"%s a"}`, first), `{"n":1}`)
		for _, second := range encodings {
			for _, chunked := range []bool{false, true} {
				s.want(http.StatusOK, s.sendEncoded("/logs/acme/append", second, encoded(t, second, event), chunked))
				s.want(http.StatusOK, s.sendEncoded("/logs/acme/append", second, encoded(t, second, unnamed), chunked, key))
				s.want(http.StatusOK, s.sendEncoded("/logs/acme/append_batch", second, encoded(t, second, batch), chunked, key+" batch"))
			}
			s.wantProblem(http.StatusUnprocessableEntity, "idempotency_key_reused",
				s.sendEncoded("/logs/acme/append", second, encoded(t, second, `{"sent":"other"}`), false, key))
		}
	}
	if got := s.events(acme); !slices.Equal(got, want) {
		t.Errorf("the log holds %q, want %q", got, want)
	}
}

// TestEncodedLimits: an operation's limit holds for what comes out, to the byte.
func TestEncodedLimits(t *testing.T) {
	s := start(t)
	acme := s.createLog("acme")
	for _, encoding := range []string{"gzip", "zstd"} {
		largest := padded(event.MaxBytes)
		s.want(http.StatusCreated, s.sendEncoded("/logs/acme/append", encoding, encoded(t, encoding, largest), false,
			"Idempotency-Key: "+encoding))
		s.wantProblem(http.StatusRequestEntityTooLarge, "body_too_large",
			s.sendEncoded("/logs/acme/append", encoding, encoded(t, encoding, largest+" "), false), "1048576 bytes", "nothing was stored")
		spaces := strings.Repeat(" ", ingest.MaxBatchBytes-2)
		s.want(http.StatusCreated, s.sendEncoded("/logs/acme/append_batch", encoding, encoded(t, encoding, "{}"+spaces), true))
		s.wantProblem(http.StatusRequestEntityTooLarge, "body_too_large",
			s.sendEncoded("/logs/acme/append_batch", encoding, encoded(t, encoding, "{} "+spaces), true), "10485760 bytes")
	}
	if got := len(s.events(acme)); got != 4 {
		t.Errorf("the log holds %d events", got)
	}
}

// TestBrokenEncodings: what cannot be decoded to its end stores nothing, though a valid event comes first.
func TestBrokenEncodings(t *testing.T) {
	s := start(t)
	acme := s.createLog("acme")
	event := `{"n":1}` + "\n"
	for _, path := range []string{"/logs/acme/append", "/logs/acme/append_batch"} {
		for _, encoding := range []string{"gzip", "zstd"} {
			whole := encoded(t, encoding, event)
			other := map[string]string{"gzip": "zstd", "zstd": "gzip"}[encoding]
			for name, body := range map[string]string{
				"not encoded": event, "in the other encoding": encoded(t, other, event), "followed by more": whole + event,
				"cut by a byte": whole[:len(whole)-1], "cut in half": whole[:len(whole)/2], "one byte": whole[:1],
				"of other content": strings.Replace(whole, whole[len(whole)-5:], "XXXXX", 1),
			} {
				for _, chunked := range []bool{false, true} {
					r := s.sendEncoded(path, encoding, body, chunked)
					if p := s.wantProblem(http.StatusBadRequest, "body_corrupt", r, encoding, "nothing was stored"); p.Code == "" {
						t.Errorf("%s, %s, %s", path, encoding, name)
					}
				}
			}
			s.wantProblem(http.StatusBadRequest, map[string]string{"/logs/acme/append": "invalid_json"}[path]+
				map[string]string{"/logs/acme/append_batch": "empty_batch"}[path], s.sendEncoded(path, encoding, encoded(t, encoding,
				" "), false))
		}
		for _, encoding := range []string{"br", "deflate", "gzip, gzip", "gzip,zstd", "*"} {
			r := s.sendEncoded(path, encoding, event, false)
			s.wantProblem(http.StatusUnsupportedMediaType, "content_encoding", r, encoding)
			if got := r.header.Get("Accept-Encoding"); got != "gzip, zstd" {
				t.Errorf("Accept-Encoding is %q", got)
			}
		}
		twice := gzipped(t, gzipped(t, event))
		s.wantProblem(http.StatusUnsupportedMediaType, "content_encoding", receive(t, s.send(t, fmt.Sprintf("POST %s HTTP/1.1\r\n"+
			"Host: localhost\r\nContent-Encoding: gzip\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", path, len(twice),
			twice))),
			"gzip, gzip")
		conn := s.send(t,
			"POST "+path+" HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"+
				"5\r\n\x1f\x8b\x08\x00\x00\r\n")
		if tcp, ok := conn.(interface{ CloseWrite() error }); !ok || tcp.CloseWrite() != nil {
			t.Fatal("the connection cannot be half closed")
		}
		s.wantProblem(http.StatusBadRequest, "body_incomplete", receive(t, conn))
	}
	for _, path := range []string{"/logs", "/logs/acme/views/v", "/tokens"} {
		r := s.sendEncoded(path, "gzip", gzipped(t, event), false)
		s.wantProblem(http.StatusUnsupportedMediaType, "content_encoding", r, "send it as it is")
		if got := r.header.Get("Accept-Encoding"); got != "identity" {
			t.Errorf("Accept-Encoding of %s is %q", path, got)
		}
	}
	if got := s.events(acme); len(got) > 0 {
		t.Errorf("the log holds %q", got)
	}
}

// TestEncodedByteLimit: a tenant's limit in bytes is for what it sends, not for what comes out.
func TestEncodedByteLimit(t *testing.T) {
	s := start(t, limited(limits.Values{limits.Bytes: 1}))
	s.createLog("l")
	body := gzipped(t, strings.Repeat(" ", ingest.MaxBatchBytes-1000))
	for i := range 10 {
		s.wantProblem(http.StatusBadRequest, "empty_batch", s.sendEncoded("/logs/l/append_batch", "gzip", body, i%2 == 0))
	}
	random := make([]byte, ingest.MaxBatchBytes-mebibyte)
	_, _ = rand.NewChaCha8([32]byte{}).Read(random) // it never fails
	body = gzipped(t, strings.ReplaceAll(string(random), "\n", "x"))
	s.wantProblem(http.StatusRequestEntityTooLarge, "event_too_large", s.sendEncoded("/logs/l/append_batch", "gzip", body, true))
	for _, chunked := range []bool{false, true} {
		s.limitOf(s.sendEncoded("/logs/l/append_batch", "gzip", body, chunked), "too_many_requests", "bytes_per_second")
	}
}

// TestMemoryOfBombs: what comes out of a body is booked before it is held, and no more than an operation takes; it is given back.
func TestMemoryOfBombs(t *testing.T) {
	const clients = 16
	zeros := strings.Repeat("\x00", 64*mebibyte)
	for _, encoding := range []string{"gzip", "zstd"} {
		book := memory.NewBook(64*mebibyte, api.LargestBody, time.Minute)
		running := httptest.NewServer(api.New(api.Services{Log: slog.New(slog.DiscardHandler), Bodies: book}))
		defer running.Close()
		s := &service{t: t, url: running.URL}
		bomb := encoded(t, encoding, zeros)
		s.wantProblem(http.StatusRequestEntityTooLarge, "body_too_large", s.sendEncoded("/logs/acme/append_batch", encoding, bomb, false))
		if peak := book.Peak(); peak < 2*ingest.MaxBatchBytes || peak > api.LargestBody {
			t.Errorf("a bomb of %s books %d bytes", encoding, peak)
		}
		var group sync.WaitGroup
		for i := range clients {
			group.Go(func() {
				r := s.sendEncoded("/logs/acme/append_batch", encoding, bomb, i%2 == 0)
				s.wantProblem(http.StatusRequestEntityTooLarge, "body_too_large", r)
			})
		}
		group.Wait()
		s.await("the memory is given back", func() bool { return book.Held() == 0 })
		if peak := book.Peak(); peak > book.Total() {
			t.Errorf("%d bytes were booked of %d", peak, book.Total())
		}
	}
}

// TestMemoryOfWindows: the window that a zstd stream asks for is booked, too, whatever is in the stream.
func TestMemoryOfWindows(t *testing.T) {
	book := memory.NewBook(64*mebibyte, api.LargestBody, time.Minute)
	running := httptest.NewServer(api.New(api.Services{Log: slog.New(slog.DiscardHandler), Bodies: book}))
	defer running.Close()
	s := &service{t: t, url: running.URL}
	const frame = "\x28\xb5\x2f\xfd\x00\x68\x01\x00\x00" // of a window of 8 MiB, and without content
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			if r := s.sendEncoded("/logs/acme/append", "zstd", frame+"x", false); r.status == http.StatusServiceUnavailable {
				t.Errorf("one had no turn: %s", r.body)
			}
		})
	}
	group.Wait()
	s.await("the memory is given back", func() bool { return book.Held() == 0 })
	if peak := book.Peak(); peak < 8*mebibyte || peak > book.Total() {
		t.Errorf("%d bytes were booked of %d", peak, book.Total())
	}
}
