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
	"time"
)

// requestPatience bounds one request. Nothing that is measured takes longer, unless the server hangs.
const requestPatience = 60 * time.Second

// client is one keep-alive HTTP/1.1 connection that serves one goroutine. It does just what a measurement needs, because it shares
// the cores with the server: net/http's client would cost about as much as that. Load with many requests a second is a flow's job.
type client struct {
	conn    net.Conn
	reader  *bufio.Reader
	request []byte
	answer  []byte
	unhook  func() bool
	// patientUntil is the connection's deadline. It is moved on when half of it has passed, not for each request.
	patientUntil time.Time
}

// dial connects to host:port. The connection is closed when ctx ends.
func dial(ctx context.Context, address string) (*client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn, reader: bufio.NewReader(conn)}
	c.unhook = context.AfterFunc(ctx, func() { _ = conn.Close() })
	return c, nil
}

func (c *client) close() {
	c.unhook()
	_ = c.conn.Close()
}

// do sends a request and returns the answer's body, which holds until the next call. headers are whole lines, each with
// its end. An answer that is not 2xx is an error that shows it.
func (c *client) do(method, path, headers string, body []byte) ([]byte, error) {
	c.request = appendRequest(c.request[:0], method, path, headers, body)
	if err := c.exchange(c.request); err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return c.answer, nil
}

// exchange sends a whole request and reads its answer. One that is not 2xx is an error that shows it.
func (c *client) exchange(request []byte) error {
	if now := time.Now(); c.patientUntil.Sub(now) < requestPatience/2 {
		c.patientUntil = now.Add(requestPatience)
		if err := c.conn.SetDeadline(c.patientUntil); err != nil {
			return err
		}
	}
	if _, err := c.conn.Write(request); err != nil {
		return err
	}
	status, err := c.read()
	if err != nil {
		return err
	}
	if status < 200 || status > 299 {
		return fmt.Errorf("the server answered %d: %s", status, c.answer)
	}
	return nil
}

var errNotHTTP = errors.New("the answer is not HTTP/1.1")

// read takes one answer from the connection.
func (c *client) read() (status int, err error) {
	status, length, chunked, err := c.readHead()
	if err != nil {
		return 0, err
	}
	if chunked {
		return status, c.readChunked()
	}
	if cap(c.answer) < length {
		c.answer = make([]byte, length)
	}
	c.answer = c.answer[:length]
	_, err = io.ReadFull(c.reader, c.answer)
	return status, err
}

// readHead takes an answer's status and headers from the connection.
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
	if c.answer, err = io.ReadAll(httputil.NewChunkedReader(c.reader)); err != nil {
		return err
	}
	_, err = c.reader.Discard(len("\r\n"))
	return err
}
