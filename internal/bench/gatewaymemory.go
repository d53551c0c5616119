package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	largeDeliveries = "source/large" // lines of them
	// Values: deliveryMemory is how much more a server held at most than before, in bytes; deliveriesRefused how often a client was told to
	// come back.
	deliveryMemory    = "delivery memory"
	deliveriesRefused = "deliveries refused"
	// largeClients send largeBytes each, in lines of about lineBytes, at the same time.
	largeClients = 64
	largeBytes   = 32<<20 - 1<<10
	lineBytes    = 1 << 10
	// largePatience is how long a client comes back.
	largePatience = 5 * time.Minute
)

func gatewayMemoryRows() []rowKind {
	return []rowKind{{
		name: "source-memory", what: "the most that a server held beyond what it held idle, while 64 clients each sent 32 MiB at once",
		unit: "MB", atMost: 300, needs: []string{largeDeliveries},
		value: func(f figures, s *stage) (float64, string) {
			return s.medianValue(deliveryMemory) / 1e6, fmt.Sprintf("all were taken, after %s times 503, at %s lines/s",
				count(s.medianValue(deliveriesRefused)), count(f[largeDeliveries].PerSecond))
		},
	}}
}

func gatewayMemoryPhase() phase {
	return phase{once: true, measurements: []measurement{{names: []string{largeDeliveries}, on: gatewayLogs, run: sendLarge}}}
}

// sendLarge restarts the server, and has many clients send as much as a delivery may have at once. Each comes back until it is taken.
func sendLarge(ctx context.Context, s *stage, report reporter) error {
	if err := s.startServer(ctx); err != nil {
		return err
	}
	pid := s.server.process.PID()
	idle, err := residentBytes(pid)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	clients, size := largeClients, largeBytes
	if s.config.Quick {
		clients, size = 8, largeBytes/32
	}
	var lines, refused atomic.Int64
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, largePatience)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	for i := range clients {
		group.Go(func() error {
			for {
				body := newLongBody(i, size)
				taken, err := s.sendBody(ctx, client, body)
				if err != nil {
					return err
				}
				if taken {
					lines.Add(body.line)
					return nil
				}
				refused.Add(1)
				select {
				case <-time.After(time.Second):
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	report(largeDeliveries, sample{count: int(lines.Load()), seconds: time.Since(began).Seconds()})
	s.recordValue(deliveriesRefused, float64(refused.Load()))
	kib, err := procField("/proc/"+strconv.Itoa(pid)+"/status", "VmHWM:")
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	s.recordValue(deliveryMemory, float64(kib<<10-idle))
	return err
}

// sendBody reports whether the delivery was taken; false where the client is to come back.
func (s *stage) sendBody(ctx context.Context, client *http.Client, body io.Reader) (taken bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.server.address+"/events", body)
	if err != nil {
		return false, err
	}
	request.Header.Set("Authorization", "Bearer "+benchKey)
	response, err := client.Do(request)
	if err != nil {
		return false, err
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	answer, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return false, err
	case response.StatusCode == http.StatusServiceUnavailable:
		return false, nil
	case response.StatusCode != http.StatusOK || !strings.Contains(string(answer), `"rejected":0`):
		return false, fmt.Errorf("a delivery was answered %d: %s", response.StatusCode, answer)
	}
	return true, nil
}

// longBody makes lines as it is read. The same client sends the same ones again.
type longBody struct {
	client int
	left   int
	line   int64
	buf    []byte
	rest   []byte
	filler string
}

func newLongBody(client, size int) *longBody {
	return &longBody{client: client, left: size, filler: strings.Repeat("x", lineBytes-64)}
}

// Read implements io.Reader.
func (b *longBody) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		if b.left < lineBytes {
			return 0, io.EOF
		}
		b.buf = fmt.Appendf(b.buf[:0], `{"log":"%s","id":"%d-%d","text":"%s"}`+"\n",
			gatewayLogs(nil).name(b.client%gatewayLogs(nil).count), b.client, b.line, b.filler)
		b.rest = b.buf
		b.left -= len(b.buf)
		b.line++
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}
