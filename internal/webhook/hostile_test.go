package webhook

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/dns/dnsmessage"
)

// raw is a receiver that does with a connection what the test says. It closes them when the test ends.
func raw(t *testing.T, serve func(conn net.Conn)) (url string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(t.Context(), func() { _ = conn.Close() })
			go serve(conn)
		}
	}()
	return "http://" + listener.Addr().String()
}

// drip writes without end, a little at a time, until the other side has gone.
func drip(conn net.Conn, text string, every time.Duration) {
	defer func() { _ = conn.Close() }()
	for tick := time.NewTicker(every); ; <-tick.C {
		if _, err := conn.Write([]byte(text)); err != nil {
			return
		}
	}
}

// answering reads a request, and then does what the test says.
func answering(then func(conn net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		request, err := http.ReadRequest(bufio.NewReader(conn))
		if err == nil {
			_ = request.Body.Close()
			then(conn)
		}
	}
}

// TestHostileReceivers: whatever a receiver does, a try ends in time, holds little, and says in words what happened.
func TestHostileReceivers(t *testing.T) {
	redirected := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	t.Cleanup(redirected.Close)
	redirect := http.RedirectHandler(redirected.URL, http.StatusTemporaryRedirect).ServeHTTP
	ssh := func(conn net.Conn) { _, _ = conn.Write([]byte("SSH-2.0-x\r\n\r\n")) }
	down := httptest.NewServer(nil)
	down.Close()
	tls := httptest.NewTLSServer(nil)
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(tls.Close)
	const timeout = 500 * time.Millisecond
	big := strings.Repeat("x", 64<<10)
	for name, test := range map[string]struct {
		url    string
		says   string // "" for success
		status int
	}{
		"down":          {url: down.URL, says: "refused the connection"},
		"never answers": {url: raw(t, func(net.Conn) {}), says: "did not answer within 500ms"}, // and reads nothing
		"drips its header": {
			url: raw(t, answering(func(conn net.Conn) { drip(conn, "H", time.Millisecond) })), says: "did not answer within 500ms",
		},
		"drips headers": {url: raw(t, answering(func(conn net.Conn) {
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nX: "))
			drip(conn, "a", 10*time.Millisecond)
		})), says: "did not answer within 500ms"},
		"sends headers without end": {url: raw(t, answering(func(conn net.Conn) {
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\n"))
			drip(conn, "X-Bomb: "+big+"\r\n", time.Microsecond)
		})), says: "exceeded"},
		"continues without end": {
			url:  raw(t, answering(func(conn net.Conn) { drip(conn, "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n", time.Microsecond) })),
			says: "exceeded",
		},
		"sends a body without end": {url: raw(t, answering(func(conn net.Conn) {
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
			drip(conn, big, time.Microsecond)
		})), status: 200},
		"drips its body": {url: raw(t, answering(func(conn net.Conn) {
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"))
			drip(conn, "b", 10*time.Millisecond)
		})), status: 200},
		"closes":              {url: raw(t, answering(func(conn net.Conn) { _ = conn.Close() })), says: "closed the connection"},
		"speaks no HTTP":      {url: raw(t, answering(ssh)), says: "malformed HTTP"},
		"redirects":           {url: newReceiver(t, redirect).URL, says: "307, a redirect", status: 307},
		"has its own CA":      {url: tls.URL, says: "certificate is not valid"},
		"has no such name":    {url: "https://receiver.invalid/", says: "name receiver.invalid"},
		"has a gzip bomb":     {url: newReceiver(t, gzipped).URL, status: 200},
		"is not yet ready":    {url: newReceiver(t, status(503)).URL, says: "503", status: 503},
		"answers 599":         {url: newReceiver(t, status(599)).URL, says: "answered 599", status: 599},
		"answers 204":         {url: newReceiver(t, status(204)).URL, status: 204},
		"is at a dead socket": {url: "https://192.0.2.1/", says: "nothing was sent: 192.0.2.1:443 is not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := testConfig()
			config.timeout = time.Minute // what ends the try is what the receiver does, or that enough was read or waited for
			if strings.HasPrefix(test.says, "did not answer") {
				config.timeout = timeout
			}
			s := newSender(config)
			defer s.close()
			r := s.send(t.Context(), test.url, "msg_1", []byte(`{}`), [][]byte{newSecret()})
			said := ""
			if r.err != nil {
				said = r.err.Error()
			}
			if r.status != test.status || (test.says == "") != (r.err == nil) || !strings.Contains(said, test.says) {
				t.Errorf("%d, %v", r.status, r.err)
			}
			if utf8.RuneCountInString(r.answer) > MaxAnswerBytes || strings.Contains(said, "http") && strings.Contains(said, "127.0.0.1") {
				t.Errorf("%d bytes of an answer; %s", len(r.answer), said)
			}
		})
	}
}

// status answers with a status and nothing else.
func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func gzipped(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	_, _ = w.Write(make([]byte, 1<<20))
}

// TestProxiesAreNotUsed: those of the environment would connect to what the server itself may not.
func TestProxiesAreNotUsed(t *testing.T) {
	proxy := newReceiver(t, nil)
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	s := newSender(testConfig())
	for _, client := range []*http.Client{s.encrypted, s.plain} { // net/http reads the environment once, so a request would show nothing
		if transport, ok := client.Transport.(*http.Transport); !ok || transport.Proxy != nil {
			t.Error("requests go by a proxy")
		}
	}
}

// names is a resolver that answers each question about a name with the next of some addresses, and then with the last of them.
func names(t *testing.T, addresses ...string) *net.Resolver {
	t.Helper()
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	var asked atomic.Int64
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var message dnsmessage.Message
			if message.Unpack(buffer[:n]) != nil {
				continue
			}
			message.Response, message.Additionals = true, nil
			if q := message.Questions[0]; q.Type == dnsmessage.TypeA {
				at := min(asked.Add(1), int64(len(addresses))) - 1
				message.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: netip.MustParseAddr(addresses[at]).As4()},
				}}
			}
			if answer, err := message.Pack(); err == nil {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// TestRebinding: a name that means a public address when it is checked, and this machine when the request is sent, gets nobody here. The
// receiver on this machine is there, and takes the request where the operator allows it.
func TestRebinding(t *testing.T) {
	here := newReceiver(t, nil)
	port := here.Listener.Addr().(*net.TCPAddr).Port
	url := fmt.Sprintf("https://receiver.example:%d/", port)
	config := testConfig()
	config.Allow, config.timeout = nil, 5*time.Second
	if err := (addresses{}).checkURL(url); err != nil {
		t.Fatal(err)
	}
	for name, addresses := range map[string][]string{
		"from the start":          {"127.0.0.1"},
		"after the first look-up": {"203.0.113.1", "127.0.0.1"},
		"to a cloud's metadata":   {"169.254.169.254"},
	} {
		config.resolver = names(t, addresses...)
		s := newSender(config)
		for range len(addresses) {
			r := s.send(t.Context(), url, "msg_1", []byte(`{}`), [][]byte{newSecret()})
			if !r.forbidden || r.err == nil || !strings.HasPrefix(r.err.Error(), "nothing was sent: ") {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
	config.Allow, config.resolver = ourselves, names(t, "127.0.0.1")
	r := newSender(config).send(t.Context(), strings.Replace(url, "https", "http", 1), "msg_1", []byte(`{}`), [][]byte{newSecret()})
	if r.err != nil {
		t.Error(r.err)
	}
	here.next(t)
	select {
	case got := <-here.got:
		t.Errorf("a forbidden request arrived: %+v", got)
	default:
	}
	var forbidden *ForbiddenError
	if !errors.As(fmt.Errorf("x: %w", &ForbiddenError{}), &forbidden) {
		t.Error("it is not found in an error")
	}
}

// TestRetryAfter: seconds, or a time.
func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "-1": 0, "soon": 0, "99999999999999999999": 0,
		"Sat, 28 Nov 2026 13:00:00 GMT": time.Hour, "Sat, 28 Nov 2026 11:00:00 GMT": 0,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
	for tries := 1; tries <= len(Schedule); tries++ {
		wait, more := nextTry(Schedule, tries, 0, 0)
		if !more || wait < Schedule[tries-1] || wait > Schedule[tries-1]*11/10 {
			t.Errorf("%v, %v after %d tries", wait, more, tries)
		}
	}
	if wait, more := nextTry(Schedule, 1, 0, time.Hour); !more || wait < time.Hour || wait > 66*time.Minute {
		t.Errorf("an hour was asked for: %v, %v", wait, more)
	}
	if wait, _ := nextTry(Schedule, 1, 0, 1000*time.Hour); wait > MaxRetryAfter*11/10 {
		t.Errorf("more than there may be was asked for: %v", wait)
	}
	_, after := nextTry(Schedule, len(Schedule)+1, 0, 0)
	if _, late := nextTry(Schedule, 1, GiveUpAfter, 0); after || late {
		t.Error("a delivery is tried for ever")
	}
	var longest time.Duration
	for _, wait := range Schedule {
		longest += wait * 11 / 10
	}
	if longest > GiveUpAfter {
		t.Errorf("the schedule takes up to %v, and is cut off after %v", longest, GiveUpAfter)
	}
}
