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
	"google.golang.org/protobuf/encoding/protowire"
)

const (
	largeDeliveries = "source/large"      // lines of them
	largeOTLP       = "source/large-otlp" // log records of them
	// Values, of each of the two: deliveryMemory is how much more a server held at most than before, in bytes; deliveriesRefused how often
	// a client was told to come back.
	deliveryMemory    = "delivery memory of "
	deliveriesRefused = "deliveries refused of "
	// largeClients send largeBytes each, in lines of about lineBytes, at the same time.
	largeClients = 64
	largeBytes   = 32<<20 - 1<<10
	lineBytes    = 1 << 10
	// largePatience is how long a client comes back.
	largePatience = 5 * time.Minute
)

func gatewayMemoryRows() []rowKind {
	return []rowKind{
		gatewayMemoryRow("source-memory", "32 MiB of lines", largeDeliveries),
		gatewayMemoryRow("source-memory-otlp", "32 MiB of OTLP log records in protobuf", largeOTLP),
	}
}

func gatewayMemoryRow(name, what, figure string) rowKind {
	return rowKind{
		name: name, what: "the most that a server held beyond what it held idle, while 64 clients each sent " + what + " at once",
		unit: "MB", atMost: 300, needs: []string{figure},
		value: func(f figures, s *stage) (float64, string) {
			return s.medianValue(deliveryMemory+figure) / 1e6, fmt.Sprintf("all were taken, after %s times 503, at %s lines/s",
				count(s.medianValue(deliveriesRefused+figure)), count(f[figure].PerSecond))
		},
	}
}

func gatewayMemoryPhase() phase {
	return phase{
		once: true,
		prepare: func(ctx context.Context, s *stage, _ reporter) error {
			const mapping = `{"log": "gateways-{/attributes/log}", "id": "{/attributes/id}", "keep": true}`
			return s.putSources(ctx, map[string]string{largeSource: mapping})
		},
		measurements: []measurement{
			{names: []string{largeDeliveries}, on: gatewayLogs, run: func(ctx context.Context, s *stage, report reporter) error {
				return sendLarge(ctx, s, report, largeDeliveries, eventsOf)
			}},
			{names: []string{largeOTLP}, on: gatewayLogs, run: func(ctx context.Context, s *stage, report reporter) error {
				return sendLarge(ctx, s, report, largeOTLP, otlpOf)
			}},
		},
	}
}

// sendLarge restarts the server, and has many clients send as much as a delivery may have at once. Each comes back until it is taken.
func sendLarge(ctx context.Context, s *stage, report reporter, figure string, as largeForm) error {
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
				body := newLongBody(i, size, as)
				taken, err := s.sendBody(ctx, client, as, body)
				if err != nil {
					return err
				}
				if taken {
					lines.Add(int64(body.line))
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
	report(figure, sample{count: int(lines.Load()), seconds: time.Since(began).Seconds()})
	s.recordValue(deliveriesRefused+figure, float64(refused.Load()))
	kib, err := procField("/proc/"+strconv.Itoa(pid)+"/status", "VmHWM:")
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	s.recordValue(deliveryMemory+figure, float64(kib<<10-idle))
	return err
}

// sendBody reports whether the delivery was taken; false where the client is to come back.
func (s *stage) sendBody(ctx context.Context, client *http.Client, as largeForm, body io.Reader) (taken bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.server.address+as.path, body)
	if err != nil {
		return false, err
	}
	request.Header.Set("Content-Type", as.contentType)
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
	case response.StatusCode != http.StatusOK || !strings.Contains(string(answer), as.allTaken):
		return false, fmt.Errorf("a delivery was answered %d: %s", response.StatusCode, answer)
	}
	return true, nil
}

// largeForm is in which form records are sent, and what an answer has when none was rejected.
type largeForm struct {
	path, contentType, allTaken string
	begin                       func(bytes int) []byte // what precedes so many bytes of records
	record                      func(b []byte, log string, client, line int, filler string) []byte
}

const largeSource = "bench-large"

var (
	eventsOf = largeForm{
		path: "/events", contentType: "application/json", allTaken: `"rejected":0`,
		begin: func(int) []byte { return nil },
		record: func(b []byte, log string, client, line int, filler string) []byte {
			return fmt.Appendf(b, `{"log":"%s","id":"%02d-%06d","text":"%s"}`+"\n", log, client, line, filler)
		},
	}
	// otlpOf sends all records in one group, of one resource and scope: as an exporter does, in one that is far too long to be held.
	otlpOf = largeForm{
		path: "/sources/" + largeSource + "/v1/logs", contentType: "application/x-protobuf",
		begin: func(bytes int) []byte {
			scope := field(nil, 1, field(nil, 1, []byte("bench")))
			resource := field(nil, 1, field(nil, 1, stringAttribute("service.name", "bench")))
			group := append(announced(resource, 2, len(scope)+bytes), scope...)
			return append(announced(nil, 1, len(group)+bytes), group...)
		},
		record: func(b []byte, log string, client, line int, filler string) []byte {
			record := field(nil, 5, protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), filler))
			record = field(record, 6, stringAttribute("log", strings.TrimPrefix(log, "gateways-")))
			record = field(record, 6, stringAttribute("id", fmt.Sprintf("%02d-%06d", client, line)))
			return field(b, 2, record)
		},
	}
)

// announced appends the beginning of a field of so many bytes.
func announced(b []byte, number protowire.Number, bytes int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.BytesType), uint64(bytes)) //nolint:gosec // a length
}

func stringAttribute(key, value string) []byte {
	return field(field(nil, 1, []byte(key)), 2, field(nil, 1, []byte(value)))
}

// field appends a field of bytes of a message.
func field(b []byte, number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), value)
}

// longBody makes records of one length as it is read. The same client sends the same ones again.
type longBody struct {
	as     largeForm
	log    string
	client int
	lines  int // in all
	line   int // the next
	buf    []byte
	rest   []byte
	filler string
}

func newLongBody(client, size int, as largeForm) *longBody {
	b := &longBody{
		as: as, log: gatewayLogs(nil).name(client % gatewayLogs(nil).count), client: client, filler: strings.Repeat("x", lineBytes-64),
	}
	length := len(as.record(nil, b.log, client, 0, b.filler))
	b.lines = size / length
	b.rest = as.begin(b.lines * length)
	return b
}

// Read implements io.Reader.
func (b *longBody) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		if b.line == b.lines {
			return 0, io.EOF
		}
		b.buf = b.as.record(b.buf[:0], b.log, b.client, b.line, b.filler)
		b.rest = b.buf
		b.line++
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}
