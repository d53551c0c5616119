package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// memoryAttackers are the clients of one attack.
type memoryAttackers struct {
	address         string
	large           []byte // a batch of largeBody bytes
	quick           bool
	oneByOne        sync.Mutex
	heads           sync.WaitGroup // not sent yet
	answered        atomic.Int64
	refused, cutOff atomic.Int64
}

// connect opens a connection that ends with ctx.
func (a *memoryAttackers) connect(ctx context.Context) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", a.address)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		err = conn.SetDeadline(deadline)
	}
	return conn, err
}

// readNothing sends requests and reads only the first line of the first response. If the server refuses, it tries again.
func (a *memoryAttackers) readNothing(ctx context.Context, path string) error {
	const requests = 64 // on a connection: more than its buffers take
	request := strings.Repeat(string(appendRequest(nil, http.MethodGet, path, "", nil)), requests)
	for ctx.Err() == nil {
		conn, err := a.connect(ctx)
		if err != nil {
			return ignoreEnd(ctx, err)
		}
		if _, err = io.WriteString(conn, request); err == nil {
			err = a.hold(ctx, conn)
		}
		_ = conn.Close()
		if err != nil {
			return ignoreEnd(ctx, err)
		}
	}
	return nil
}

// hold waits for a response and then, unless it is a refusal, for the end of the attack.
func (a *memoryAttackers) hold(ctx context.Context, conn net.Conn) error {
	line, err := bufio.NewReaderSize(conn, 16).ReadString('\n')
	if err != nil {
		return err
	}
	a.answered.Add(1)
	if !strings.HasPrefix(line, "HTTP/1.1 200") {
		a.refused.Add(1)
		return nil
	}
	<-ctx.Done()
	return nil
}

// batches sends a batch repeatedly. Refusals are expected.
func (a *memoryAttackers) batches(ctx context.Context, log, batch string) error {
	conn, err := dial(ctx, a.address)
	if err != nil {
		return ignoreEnd(ctx, err)
	}
	defer conn.close()
	for ctx.Err() == nil {
		if err := a.exchange(conn, appendRequest(nil, http.MethodPost, "/logs/"+log+"/append_batch", "", []byte(batch))); err != nil {
			return ignoreEnd(ctx, err)
		}
	}
	return nil
}

// exchange sends a request, reads the response and counts it.
func (a *memoryAttackers) exchange(conn *client, request []byte) error {
	if _, err := conn.conn.Write(request); err != nil {
		return err
	}
	status, err := conn.read()
	if err != nil {
		return err
	}
	if a.answered.Add(1); status >= http.StatusBadRequest {
		a.refused.Add(1)
	}
	return nil
}

// claim announces a large body, and sends nothing.
func (a *memoryAttackers) claim(ctx context.Context) error {
	conn, err := a.connect(ctx)
	if err != nil {
		return ignoreEnd(ctx, err)
	}
	defer conn.Close() //nolint:errcheck // nothing is lost
	_, err = fmt.Fprintf(conn,
		"POST /logs/%s/append_batch HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %d\r\n\r\n", innocentLog, keyLine, largeBody)
	if err == nil {
		<-ctx.Done()
	}
	return ignoreEnd(ctx, err)
}

// body sends a large batch, once, and waits for the response. All clients send the head of their request first: otherwise, on a busy
// machine, a client might connect and send nothing before the server times out.
func (a *memoryAttackers) body(ctx context.Context) error {
	conn, err := a.head(context.WithoutCancel(ctx))
	a.heads.Done()
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // nothing is lost
	a.heads.Wait()
	if _, err = conn.Write(a.large); err != nil {
		a.cutOff.Add(1)
		return nil //nolint:nilerr // that is what is counted
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		a.cutOff.Add(1)
		return nil //nolint:nilerr // likewise
	}
	_ = response.Body.Close()
	if a.answered.Add(1); response.StatusCode >= http.StatusBadRequest {
		a.refused.Add(1)
	}
	return nil
}

// head opens a connection and sends a request without its body.
func (a *memoryAttackers) head(ctx context.Context) (net.Conn, error) {
	a.oneByOne.Lock()
	defer a.oneByOne.Unlock()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", a.address)
	if err != nil {
		return nil, err
	}
	request := appendRequest(nil, http.MethodPost, "/logs/"+attackedLog+"-bodies/append_batch", "", a.large)
	_, err = conn.Write(request[:len(request)-len(a.large)])
	return conn, errors.Join(err, conn.SetDeadline(time.Now().Add(requestTimeout)))
}

// ignoreEnd returns err, or nil if the attack is over.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return nil
	}
	return err
}
