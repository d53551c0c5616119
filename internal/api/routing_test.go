package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/views"
)

// TestRouting: a path or method that is not served is a problem too, never a redirect or a page.
func TestRouting(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	for _, path := range []string{
		"/log", "/logs/", "/logs//append", "//logs", "/logs/acme/", "/logs/acme/append/", "/logs/acme/../acme", "/logs/./acme",
		"/logs/acme/views/", "/logs/acme/views/v/", "/healthz/", "/schemas/Log.json", "/" + strings.Repeat("x", 5000),
	} {
		for _, method := range []string{"GET", "POST"} {
			s.wantProblem(http.StatusNotFound, "no_such_path", s.call(method, path, "{}"), "/docs")
		}
	}
	for path, allowed := range map[string]string{
		"/":                         "GET, HEAD",
		"/logs":                     "GET, HEAD, POST",
		"/logs/acme":                "GET, HEAD, PUT",
		"/logs/acme/append":         "POST",
		"/logs/acme/append_batch":   "POST",
		"/logs/acme/views":          "GET, HEAD",
		"/logs/acme/views/v":        "GET, HEAD, POST, PUT, DELETE",
		"/logs/acme/views/v/resume": "POST",
		"/logs/acme/views/v/query":  "GET, HEAD, POST",
		"/healthz":                  "GET, HEAD",
		"/openapi.yaml":             "GET, HEAD",
		"/logs/acme/append?x=%2F..": "POST",
	} {
		for _, method := range []string{"PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} {
			if strings.Contains(allowed, method) {
				continue
			}
			r := s.call(method, path, "")
			s.wantProblem(http.StatusMethodNotAllowed, "method_not_allowed", r, method, allowed)
			if got := r.header.Get("Allow"); got != allowed {
				t.Errorf("%s %s: Allow is %q, want %q", method, path, got, allowed)
			}
		}
	}
	for _, path := range []string{"/", "/logs", "/logs/acme", "/healthz", "/readyz", "/openapi.yaml", "/docs"} {
		if r := s.call("HEAD", path, ""); r.status != http.StatusOK || len(r.body) != 0 {
			t.Errorf("HEAD %s: %d with %d bytes", path, r.status, len(r.body))
		}
	}
	if r := s.call("HEAD", "/logs/nobody", ""); r.status != http.StatusNotFound {
		t.Errorf("HEAD of an unknown log: %d", r.status)
	}
}

// TestContentTypes: bodies are taken for what the path says, and answers are JSON, whatever the client's headers say.
func TestContentTypes(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	for _, name := range []string{
		"", "application/json", "application/x-www-form-urlencoded", "text/plain; charset=latin1", "multipart/form-data; boundary=x",
		"application/cbor", "application/cloudevents+json", "nonsense", "a/b; c=\"",
	} {
		header := "Content-Type: " + name
		s.append("acme", `{"n":1}`, header)
		s.want(http.StatusCreated, s.call("POST", "/logs/acme/append_batch", "{}\n{}", header))
		if r := s.call("PUT", "/logs/acme/views/v", string(views.MonthlyTotals()), header); r.status != http.StatusCreated {
			s.want(http.StatusOK, r) // the same again
		}
		for _, accept := range []string{"", "*/*", "text/html", "application/cbor", "application/xml;q=1", ";;q=", name} {
			r := s.call("GET", "/logs/acme", "", "Accept: "+accept)
			if s.want(http.StatusOK, r); r.header.Get("Content-Type") != "application/json" {
				t.Errorf("Accept %q is answered with %q", accept, r.header.Get("Content-Type"))
			}
			s.wantProblem(http.StatusNotFound, "log_not_found", s.call("GET", "/logs/nobody", "", "Accept: "+accept))
		}
	}
}

// TestBrowsersOfOtherSites: a page cannot make its reader's browser write, but the server's own pages can.
func TestBrowsersOfOtherSites(t *testing.T) {
	s := start(t)
	for _, header := range []string{
		"Origin: https://example.com", "Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site",
	} {
		s.wantProblem(http.StatusForbidden, "cross_origin", s.call("POST", "/logs", `{"name":"a"}`, header))
		s.want(http.StatusOK, s.call("GET", "/logs", "", header))
	}
	s.want(http.StatusCreated, s.call("POST", "/logs", `{"name":"a"}`, "Origin: "+s.url))
	s.want(http.StatusCreated, s.call("POST", "/logs", `{"name":"b"}`, "Sec-Fetch-Site: same-origin"))
}

// send opens a connection, sends bytes as they are and leaves it open.
func (s *service) send(t *testing.T, request string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	return conn
}

// receive reads an answer from a connection.
func receive(t *testing.T, conn net.Conn) reply {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil && response.StatusCode != http.StatusContinue {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, body}
}

// TestBrokenRequests: malformed requests store nothing, and their problems reveal nothing of the inside.
func TestBrokenRequests(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	before := s.stored()
	const post = "POST /logs/acme/append HTTP/1.1\r\nHost: localhost\r\n"
	for name, c := range map[string]struct {
		request string
		status  int
		code    string // "" where the answer is the HTTP library's own
	}{
		"body cut short":   {post + "Content-Length: 100\r\n\r\n{\"a\":1}", 400, "body_incomplete"},
		"chunks cut short": {post + "Transfer-Encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n", 400, "body_incomplete"},
		"malformed chunk":  {post + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, "body_incomplete"},
		"two lengths":      {post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, ""},
		"unknown encoding": {post + "Transfer-Encoding: gzip\r\n\r\n{}", 501, ""},
		"no host":          {"POST /logs/acme/append HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 400, ""},
		"huge header":      {post + "Idempotency-Key: " + strings.Repeat("k", 80<<10) + "\r\n\r\n", 431, ""},
		"many headers":     {post + strings.Repeat("A: b\r\n", 20<<10) + "\r\n", 431, ""},
		"star":             {"GET * HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, "no_such_path"},
		"connect":          {"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, "no_such_path"},
		"absolute": {
			"POST http://localhost/logs/nobody/append HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", 404, "log_not_found",
		},
		"another's name": {
			"POST http://evil.example/logs/nobody/append HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
			421, "host_not_allowed",
		},
		"HTTP 1.0, no host": {"GET /logs/nobody HTTP/1.0\r\n\r\n", 404, "log_not_found"},
		"chunked question": {
			"POST /logs/acme/views/v/query HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nm\r\n0\r\n\r\n",
			422, "invalid_request",
		},
		"no HTTP": {"hello\r\n\r\n", 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			conn := s.send(t, c.request)
			if tcp, ok := conn.(*net.TCPConn); ok && c.code == "body_incomplete" {
				if err := tcp.CloseWrite(); err != nil {
					t.Fatal(err)
				}
			}
			r := receive(t, conn)
			if c.code != "" {
				s.wantProblem(c.status, c.code, r)
			} else if r.status != c.status || len(r.body) > 200 {
				t.Errorf("answered %d, want %d: %s", r.status, c.status, shorten(string(r.body)))
			}
			if after := s.stored(); after != before {
				t.Errorf("something was stored: %+v, before it %+v", after, before)
			}
		})
	}
}

// TestRefusedBeforeTheBody: an answer that needs no body does not wait for one that never comes.
func TestRefusedBeforeTheBody(t *testing.T) {
	s := start(t)
	conn := s.send(t, fmt.Sprintf("POST /logs/acme/append HTTP/1.1\r\nHost: localhost\r\nOrigin: http://y\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", mebibyte))
	s.wantProblem(http.StatusForbidden, "cross_origin", receive(t, conn))
}
