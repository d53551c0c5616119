package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"syscall"
	"time"
)

const (
	// pumpEvents is the number of connections that one epoll_wait may report.
	pumpEvents = 256
	// pumpPoll is how often a pump without responses checks whether it has to stop.
	pumpPoll = 100 * time.Millisecond
	// edgeTriggered is EPOLLET, which package syscall has with another sign on each architecture.
	edgeTriggered = 1 << 31
	// readBytes is what a flow reads at once. An append's response has some 300 bytes.
	readBytes = 4 << 10
)

// flow is a connection on which one request follows another, without a goroutine: a pump serves all flows of a measurement. The Go
// runtime's poller does not know it, and wakes no threads for it.
type flow struct {
	socket   int
	next     script
	want     string // what statuses begin with; others are errors
	request  []byte
	unsent   []byte // the rest of request
	response []byte
	events   int
	began    time.Time
}

// openFlow connects to host:port.
func openFlow(ctx context.Context, address string, next script) (*flow, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // its duplicate is used
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil, fmt.Errorf("%s is no TCP address", address)
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	f := &flow{next: next, want: success, response: make([]byte, 0, readBytes)}
	failure := raw.Control(func(fd uintptr) {
		syscall.ForkLock.RLock() // no child process inherits it
		defer syscall.ForkLock.RUnlock()
		if f.socket, err = syscall.Dup(int(fd)); err == nil {
			syscall.CloseOnExec(f.socket)
		}
	})
	return f, errors.Join(err, failure)
}

func (f *flow) close() { _ = syscall.Close(f.socket) }

// pump keeps all flows busy until p.more returns false and every request has its response. It is one thread with epoll, like wrk:
// goroutines for each connection would spend most of their time on reads that find nothing and on waking threads.
func pump(ctx context.Context, flows []*flow, p progress) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	poll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	defer syscall.Close(poll) //nolint:errcheck // nothing is lost
	for i, f := range flows {
		// Edge-triggered: nothing has to change for the rare request that the socket does not accept at once.
		edges := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLOUT | edgeTriggered, Fd: int32(i)}
		if err := syscall.EpollCtl(poll, syscall.EPOLL_CTL_ADD, f.socket, &edges); err != nil {
			return fmt.Errorf("epoll: %w", err)
		}
		if err := f.begin(time.Now()); err != nil {
			return err
		}
	}
	return turn(ctx, poll, flows, p)
}

// turn serves the flows until none has a request in flight.
func turn(ctx context.Context, poll int, flows []*flow, p progress) error {
	events := make([]syscall.EpollEvent, pumpEvents)
	lastResponse := time.Now()
	for out := len(flows); out > 0; {
		n, err := syscall.EpollWait(poll, events, int(pumpPoll/time.Millisecond))
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("epoll: %w", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if n <= 0 {
			if time.Since(lastResponse) > requestTimeout {
				return fmt.Errorf("the server has not answered any of %d requests for %v", out, requestTimeout)
			}
			continue
		}
		for _, event := range events[:n] {
			f := flows[event.Fd]
			whole, err := f.advance(event.Events)
			if err != nil {
				return err
			}
			if !whole {
				continue
			}
			lastResponse = time.Now()
			p.done(f.events, f.began, lastResponse)
			if !p.more(lastResponse) {
				out--
			} else if err := f.begin(lastResponse); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin sends the flow's next request, or as much of it as the socket accepts.
func (f *flow) begin(now time.Time) error {
	f.began = now
	f.request, f.events = f.next(f.request[:0])
	f.unsent, f.response = f.request, f.response[:0]
	return f.send()
}

func (f *flow) send() error {
	for len(f.unsent) > 0 {
		n, err := syscall.Write(f.socket, f.unsent)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return nil
		case err != nil && !errors.Is(err, syscall.EINTR):
			return fmt.Errorf("sending a request: %w", err)
		}
		f.unsent = f.unsent[max(n, 0):]
	}
	return nil
}

// advance does what the socket is ready for, and reports whether the response is complete.
func (f *flow) advance(ready uint32) (bool, error) {
	if len(f.unsent) > 0 {
		if err := f.send(); err != nil {
			return false, err
		}
	}
	if ready&^syscall.EPOLLOUT == 0 {
		return false, nil
	}
	for {
		if len(f.response) == cap(f.response) {
			f.response = append(f.response, make([]byte, readBytes)...)[:len(f.response)]
		}
		room := f.response[len(f.response):cap(f.response)]
		n, err := syscall.Read(f.socket, room)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN):
			return false, nil
		case err != nil:
			return false, fmt.Errorf("reading an answer: %w", err)
		case n == 0:
			return false, fmt.Errorf("reading an answer: %w", io.ErrUnexpectedEOF)
		}
		f.response = f.response[:len(f.response)+n]
		if whole, err := completeResponse(f.response, f.want); whole || err != nil {
			return whole, err
		}
		if n < len(room) {
			return false, nil // the next edge reports more
		}
	}
}
