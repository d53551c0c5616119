package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httputil"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// The measurements of live updates.
const (
	tailHere        = "tail/same-server"
	tailThere       = "tail/other-server"
	appendFollowed  = "append/followed"
	appendWatched   = "append/watched"
	appendUnwatched = "append/unwatched"
)

const (
	// pacedRate is the rate of the appends that are followed, in events per second, by pacedClients connections in turn.
	pacedRate    = 1000
	pacedClients = 64
	// sentMember is the field with the time at which an event was sent, by this process's clock in nanoseconds.
	sentMember = `"sent_ns":`
	// dialers is the number of goroutines that open the watching connections.
	dialers = 16
)

// followed is a log that tails follow.
func followed(*stage) logs { return logs{prefix: "followed", count: 1} }

// quiet returns the logs that are watched while others are appended to.
func quiet(s *stage) logs { return logs{prefix: "quiet", count: s.config.scale().watchers} }

func liveRows() []rowKind {
	tail := func(name, what, figure string, atMost float64) rowKind {
		return rowKind{
			name: name, what: what, unit: "ms", atMost: atMost, needs: []string{figure, appendFollowed},
			value: func(f figures, _ *stage) (float64, string) {
				return f[figure].P99, fmt.Sprintf(
					"p50 %.3f ms, the longest %.3f ms, at %s events/s; until the append is answered p50 %.3f ms, p99 %.3f ms",
					f[figure].P50, f[figure].Longest, count(f[figure].PerSecond), f[appendFollowed].P50, f[appendFollowed].P99)
			},
		}
	}
	return []rowKind{
		tail("tail-here", "from sending an event until a tail of the same server has it, at 1,000 appends/s: 99 of 100", tailHere, 20),
		tail("tail-there", "until a tail of another server has it", tailThere, 150),
		{
			name: "watchers",
			what: "single appends to one log, 256 connections, while 1,000 watch other logs ÷ while none do",
			unit: "×", atLeast: 0.9, needs: []string{appendWatched, appendUnwatched},
			value: func(f figures, _ *stage) (float64, string) { return ratio(f[appendWatched], f[appendUnwatched]) },
		},
	}
}

func livePhase() phase {
	return phase{measurements: []measurement{
		{names: []string{tailHere, tailThere, appendFollowed}, on: followed, run: followAppends},
		{names: []string{appendWatched, appendUnwatched}, on: quiet, run: appendsBesideWatchers},
	}}
}

// followAppends appends at a steady rate while a tail of this server and one of another follow.
func followAppends(ctx context.Context, s *stage, report reporter) (err error) {
	other, err := startServer(ctx, s.config.Program, s.database, filepath.Join(s.folder, "modules"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, other.stop()) }()
	reading, stop := context.WithCancel(ctx)
	defer stop()
	group, reading := errgroup.WithContext(reading)
	window := s.config.Duration
	from := time.Now().Add(min(window/warmUpPart, maxWarmUp))
	until := from.Add(window)
	samples := map[string]*timed{}
	for _, name := range []string{tailHere, tailThere, appendFollowed} {
		samples[name] = &timed{sample: sample{seconds: window.Seconds()}, from: from, until: until}
	}
	for name, address := range map[string]string{tailHere: s.server.address, tailThere: other.address} {
		w, err := watch(reading, address, followed(s).path(0)+"/tail")
		if err != nil {
			return err
		}
		group.Go(func() error { return w.collect(reading, samples[name]) })
	}
	if _, err := s.drive(ctx, pacedClients, s.pacedAppends(followed(s), samples[appendFollowed])); err != nil {
		return err
	}
	stop()
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	for _, name := range []string{tailHere, tailThere, appendFollowed} {
		if samples[name].sample.count == 0 {
			return fmt.Errorf("%s had no event", name)
		}
		report(name, samples[name].sample.sorted())
	}
	return nil
}

// timed is a sample of what ends within a window, for several goroutines.
type timed struct {
	mu          sync.Mutex
	sample      sample
	from, until time.Time
}

// add counts an event if done is within the window.
func (t *timed) add(sent, done time.Time) {
	if done.Before(t.from) || done.After(t.until) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sample.count++
	t.sample.latencies = append(t.sample.latencies, done.Sub(sent))
}

// pacedAppends sends events with the time of sending in them, pacedRate per second over all workers.
func (s *stage) pacedAppends(set logs, into *timed) workerFactory {
	began := time.Now()
	return func(ctx context.Context, i int) (worker, error) {
		c, err := dial(ctx, s.server.address)
		if err != nil {
			return worker{}, fmt.Errorf("connecting to the server: %w", err)
		}
		g := newGenerator(i)
		turn := time.NewTimer(0)
		next := began.Add(time.Duration(i) * time.Second / pacedRate)
		once := func(ctx context.Context) (int, error) {
			for now := time.Now(); next.Before(now); { // missed turns are skipped
				next = next.Add(pacedClients * time.Second / pacedRate)
			}
			turn.Reset(time.Until(next))
			select {
			case <-ctx.Done():
				return 0, ctx.Err()
			case <-turn.C:
			}
			now := time.Now()
			event := bytes.TrimSuffix(g.json(now), []byte("}"))
			event = append(strconv.AppendInt(append(append(event, ','), sentMember...), now.UnixNano(), 10), '}')
			_, err := c.do("POST", set.path(0)+"/append", "", event)
			into.add(now, time.Now())
			return 1, err
		}
		return worker{once: once, close: func() { turn.Stop(); c.close() }}, nil
	}
}

// appendsBesideWatchers appends to one log, first alone, and then while other logs are watched, on which nothing happens.
func appendsBesideWatchers(ctx context.Context, s *stage, report reporter) error {
	if err := s.ensureLogs(ctx, oneLog(s)); err != nil {
		return err
	}
	alone, err := s.drive(ctx, maxClients, s.appends(oneLog(s)))
	if err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	set := quiet(s)
	group, dialing := errgroup.WithContext(watching)
	group.SetLimit(dialers)
	for i := range set.count {
		path := set.path(i) + "/tail"
		if i%2 == 1 {
			path = set.path(i) + "/views/monthly-totals/live?month=2025-03"
		}
		group.Go(func() error {
			if dialing.Err() != nil {
				return dialing.Err()
			}
			_, err := watch(watching, s.server.address, path) // closed with watching
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	beside, err := s.drive(ctx, maxClients, s.appends(oneLog(s)))
	if err != nil {
		return err
	}
	report(appendUnwatched, alone)
	report(appendWatched, beside)
	return nil
}

// watcher reads server-sent events.
type watcher struct {
	conn  net.Conn
	lines *bufio.Scanner
}

// watch opens a stream and reads its beginning. The connection is closed when ctx ends.
func watch(ctx context.Context, address, path string) (*watcher, error) {
	return watchAs(ctx, address, path, "")
}

// watchAs is watch with more headers: whole lines, each with its end.
func watchAs(ctx context.Context, address, path, headers string) (*watcher, error) {
	c, err := dial(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("connecting to the server: %w", err)
	}
	head := "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + keyLine + headers + "Accept: text/event-stream\r\n\r\n"
	if _, err := c.conn.Write([]byte(head)); err != nil {
		return nil, err
	}
	status, _, chunked, err := c.readHead()
	if err != nil || status != 200 || !chunked {
		return nil, fmt.Errorf("GET %s: the server answered %d (%w)", path, status, err)
	}
	w := &watcher{conn: c.conn, lines: bufio.NewScanner(httputil.NewChunkedReader(c.reader))}
	if !w.lines.Scan() {
		return nil, fmt.Errorf("GET %s: the stream does not begin: %w", path, w.lines.Err())
	}
	return w, nil
}

// collect records the latency of each event, until ctx ends.
func (w *watcher) collect(ctx context.Context, into *timed) error {
	for w.lines.Scan() {
		_, sent, found := bytes.Cut(w.lines.Bytes(), []byte(sentMember))
		if !found {
			continue
		}
		now := time.Now()
		ns, err := strconv.ParseInt(string(bytes.TrimRight(sent, "}")), 10, 64)
		if err != nil {
			return fmt.Errorf("an event does not say when it was sent: %w", err)
		}
		into.add(time.Unix(0, ns), now)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("the stream ended: %w", errors.Join(w.lines.Err(), errors.New("before the server was told to stop")))
}
