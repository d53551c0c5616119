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
	// pumpEvents is how many connections one epoll_wait may report.
	pumpEvents = 256
	// pumpLook is how often a pump that nobody answers looks whether it is to stop.
	pumpLook = 100 * time.Millisecond
	// answerBytes is what a flow reads at once. An append's answer has some 300 bytes.
	answerBytes = 4 << 10
)

// flow is a connection on which one request follows another, without a goroutine of its own: a pump serves all flows of a
// measurement. The Go runtime's poller does not know of it, and does not wake threads for it.
type flow struct {
	socket  int
	next    script
	request []byte
	unsent  []byte // the rest of request
	answer  []byte
	events  int
	began   time.Time
}

// openFlow connects to host:port.
func openFlow(ctx context.Context, address string, next script) (*flow, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // its duplicate is what is used
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil, fmt.Errorf("%s is no TCP address", address)
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	f := &flow{next: next, answer: make([]byte, 0, answerBytes)}
	failure := raw.Control(func(fd uintptr) {
		syscall.ForkLock.RLock() // no child process gets it
		defer syscall.ForkLock.RUnlock()
		if f.socket, err = syscall.Dup(int(fd)); err == nil {
			syscall.CloseOnExec(f.socket)
		}
	})
	return f, errors.Join(err, failure)
}

func (f *flow) close() { _ = syscall.Close(f.socket) }

// pump keeps all flows busy until p has had enough and the last request is answered. It is one thread with epoll, as wrk
// is: a goroutine a connection spends most of its time on reads that find nothing and on waking threads.
func pump(ctx context.Context, flows []*flow, p progress) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	poll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	defer syscall.Close(poll) //nolint:errcheck // nothing is lost
	for i, f := range flows {
		// Edges, so that nothing needs to be changed for the rare request that the socket does not take at once.
		edges := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLOUT | -syscall.EPOLLET, Fd: int32(i)}
		if err := syscall.EpollCtl(poll, syscall.EPOLL_CTL_ADD, f.socket, &edges); err != nil {
			return fmt.Errorf("epoll: %w", err)
		}
		if err := f.begin(time.Now()); err != nil {
			return err
		}
	}
	return turn(ctx, poll, flows, p)
}

// turn serves flows that have begun until none has a request out.
func turn(ctx context.Context, poll int, flows []*flow, p progress) error {
	events := make([]syscall.EpollEvent, pumpEvents)
	heard := time.Now()
	for out := len(flows); out > 0; {
		n, err := syscall.EpollWait(poll, events, int(pumpLook/time.Millisecond))
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("epoll: %w", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if n <= 0 {
			if time.Since(heard) > requestPatience {
				return fmt.Errorf("the server has not answered any of %d requests for %v", out, requestPatience)
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
			heard = time.Now()
			p.done(f.events, f.began, heard)
			if !p.more(heard) {
				out--
			} else if err := f.begin(heard); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin sends the flow's next request, or as much of it as the socket takes.
func (f *flow) begin(now time.Time) error {
	f.began = now
	f.request, f.events = f.next(f.request[:0])
	f.unsent, f.answer = f.request, f.answer[:0]
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

// advance does what the socket is ready for, and says whether the answer is whole.
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
		if len(f.answer) == cap(f.answer) {
			f.answer = append(f.answer, make([]byte, answerBytes)...)[:len(f.answer)]
		}
		room := f.answer[len(f.answer):cap(f.answer)]
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
		f.answer = f.answer[:len(f.answer)+n]
		if whole, err := answered(f.answer); whole || err != nil {
			return whole, err
		}
		if n < len(room) {
			return false, nil // the next edge tells of more
		}
	}
}
