package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"strings"
	"time"
)

// requestTimeout bounds one request: only a hanging server takes longer.
const requestTimeout = 60 * time.Second

// client is one keep-alive HTTP/1.1 connection, for one goroutine. It does only what a measurement needs, because it shares the cores with
// the server, and net/http's client would use about as much processor time as the server. For many requests a second there is flow.
type client struct {
	conn         net.Conn
	reader       *bufio.Reader
	request      []byte
	body         []byte
	stopWatching func() bool
	// deadline is the connection's deadline. It is extended once half of it has passed, not for each request.
	deadline time.Time
}

// dial connects to host:port. The connection is closed when ctx ends.
func dial(ctx context.Context, address string) (*client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn, reader: bufio.NewReader(conn)}
	c.stopWatching = context.AfterFunc(ctx, func() { _ = conn.Close() })
	return c, nil
}

func (c *client) close() {
	c.stopWatching()
	_ = c.conn.Close()
}

// do sends a request and returns the response's body, which is valid until the next call. headers are whole lines, each with its end. A
// status other than 2xx is an error that quotes the body.
func (c *client) do(method, path, headers string, body []byte) ([]byte, error) {
	c.request = appendRequest(c.request[:0], method, path, headers, body)
	if err := c.exchange(c.request); err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return c.body, nil
}

// exchange sends a whole request and reads the response. A status other than 2xx is an error that quotes the body.
func (c *client) exchange(request []byte) error { return c.exchangeFor(request, success) }

// exchangeFor is exchange where statuses are to begin with want.
func (c *client) exchangeFor(request []byte, want string) error {
	if err := c.send(request); err != nil {
		return err
	}
	status, err := c.read()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(strconv.Itoa(status), want) {
		return fmt.Errorf("the server answered %d: %s", status, c.body)
	}
	return nil
}

// send sends a whole request.
func (c *client) send(request []byte) error {
	if now := time.Now(); c.deadline.Sub(now) < requestTimeout/2 {
		c.deadline = now.Add(requestTimeout)
		if err := c.conn.SetDeadline(c.deadline); err != nil {
			return err
		}
	}
	_, err := c.conn.Write(request)
	return err
}

var errNotHTTP = errors.New("the answer is not HTTP/1.1")

// read reads one response.
func (c *client) read() (status int, err error) {
	status, length, chunked, err := c.readHead()
	if err != nil {
		return 0, err
	}
	if chunked {
		return status, c.readChunked()
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	c.body = c.body[:length]
	_, err = io.ReadFull(c.reader, c.body)
	return status, err
}

// readHead reads a response's status and headers.
func (c *client) readHead() (status, length int, chunked bool, err error) {
	line, err := c.reader.ReadSlice('\n')
	if err != nil {
		return 0, 0, false, err
	}
	if len(line) < len("HTTP/1.1 200") || string(line[:9]) != "HTTP/1.1 " {
		return 0, 0, false, errNotHTTP
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, 0, false, errNotHTTP
	}
	for {
		if line, err = c.reader.ReadSlice('\n'); err != nil {
			return 0, 0, false, err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			return status, length, chunked, nil
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, 0, false, errNotHTTP
			}
		} else if bytes.Equal(line, []byte("Transfer-Encoding: chunked")) {
			chunked = true
		}
	}
}

// readChunked reads a body in chunks, which Go's server uses beyond 2 KiB, and the empty line after it.
func (c *client) readChunked() (err error) {
	if c.body, err = io.ReadAll(httputil.NewChunkedReader(c.reader)); err != nil {
		return err
	}
	_, err = c.reader.Discard(len("\r\n"))
	return err
}
