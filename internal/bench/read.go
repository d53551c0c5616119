package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	streamLines = "stream/ndjson"
	copyOut     = "copy-out"
	// streamMemory is what is found of the server's memory: its peak while it streams, over what it held before, in bytes.
	streamMemory = "memory of a stream"
	// streamBuffer is what the stream's reader takes at a time, as much as the server's writes are worth.
	streamBuffer = 256 << 10
)

func readRows() []rowKind {
	return []rowKind{
		{
			name: "stream",
			what: "streaming a log of 1,000,000 events as NDJSON ÷ COPY of their JSON to the client",
			unit: "×", atLeast: 0.5, needs: []string{streamLines, copyOut},
			value: func(f figures, _ *stage) (float64, string) { return ratio(f[streamLines], f[copyOut]) },
		}, {
			name: "stream-memory", what: "the server's peak memory while it streams, over that of an idle one", unit: "MB", atMost: 64,
			needs: []string{streamLines},
			value: func(f figures, s *stage) (float64, string) {
				return s.medianValue(streamMemory) / 1e6, fmt.Sprintf("a log of %s events at %s/s",
					count(float64(s.config.scale().largeHistory)), count(f[streamLines].PerSecond))
			},
		},
	}
}

// readPhase reads a long history: through the server, and from PostgreSQL alone.
func readPhase() phase {
	return phase{
		prepare: func(ctx context.Context, s *stage, _ reporter) error {
			_, err := s.vacuumedHistory(ctx)
			return err
		},
		measurements: []measurement{{
			names: []string{streamLines, copyOut},
			run: func(ctx context.Context, s *stage, report reporter) error {
				streamed, err := s.streamAnew(ctx)
				if err != nil {
					return err
				}
				copied, err := s.copyOut(ctx)
				if err != nil {
					return err
				}
				report(streamLines, streamed)
				report(copyOut, copied)
				return nil
			},
		}},
	}
}

// streamAnew starts a server, which has read nothing yet, and streams the history from it.
func (s *stage) streamAnew(ctx context.Context) (sample, error) {
	if err := s.startServer(ctx); err != nil {
		return sample{}, err
	}
	url := "http://" + s.server.address + s.large.path(0) + "/events?"
	if _, err := countLines(ctx, url+"format=ndjson&limit=1"); err != nil {
		return sample{}, err
	}
	pid := s.server.process.PID()
	idle, err := residentBytes(pid)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return sample{}, err
	}
	used, _ := s.usage()
	began := time.Now()
	lines, err := countLines(ctx, url+"format=ndjson&stream=true")
	if err != nil {
		return sample{}, err
	}
	took := time.Since(began)
	if lines < s.large.events {
		return sample{}, fmt.Errorf("the stream had %d events of %d", lines, s.large.events)
	}
	peak, err := procField("/proc/"+strconv.Itoa(pid)+"/status", "VmHWM:")
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return sample{}, err
	}
	s.recordValue(streamMemory, float64(peak<<10-idle))
	return sample{count: lines, seconds: took.Seconds(), used: s.usedSince(used)}, nil
}

// countLines reads an answer to its end.
func countLines(ctx context.Context, url string) (lines int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+benchKey)
	transport := &http.Transport{DisableCompression: true, ReadBufferSize: streamBuffer}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close() //nolint:errcheck // it has been read
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("the server answered %s", response.Status)
	}
	counter := &lineCounter{}
	_, err = io.CopyBuffer(counter, response.Body, make([]byte, streamBuffer))
	return counter.lines, err
}

// lineCounter counts what is written to it.
type lineCounter struct{ lines int }

func (c *lineCounter) Write(p []byte) (int, error) {
	c.lines += bytes.Count(p, []byte{'\n'})
	return len(p), nil
}

// copyOut has PostgreSQL send the JSON of the same events, in order, to this process.
func (s *stage) copyOut(ctx context.Context) (sample, error) {
	conn, err := pgx.Connect(ctx, s.database)
	if err != nil {
		return sample{}, fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is lost
	var log string
	if err := conn.QueryRow(ctx, "SELECT log_id::text FROM logs WHERE name = $1", s.large.name(0)).Scan(&log); err != nil {
		return sample{}, fmt.Errorf("finding the log: %w", err)
	}
	used, _ := s.usage()
	began := time.Now()
	counter := &lineCounter{}
	_, err = conn.PgConn().CopyTo(ctx, counter, "COPY (SELECT data FROM events WHERE log_id = '"+log+"' ORDER BY sequence) TO STDOUT")
	if err != nil {
		return sample{}, fmt.Errorf("copying events out: %w", err)
	}
	return sample{count: counter.lines, seconds: time.Since(began).Seconds(), used: s.usedSince(used)}, nil
}
