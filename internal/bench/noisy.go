package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/uuid"
	api "github.com/tallystick/tallystick/openapi/clients/go"
)

const (
	quietAlone  = "quiet/alone/"  // and the noise's name: before it
	quietBeside = "quiet/beside/" // and the noise's name
	noisyView   = "noise"
	// quietRate is the rate of single appends to the quiet log, in events per second: low enough for any machine under any other load.
	quietRate = 100
	// noiseTimeout bounds one request of a noisy client.
	noiseTimeout = 2 * time.Minute
	// maxLaneTries bounds how many logs are created until one is in the quiet log's lane.
	maxLaneTries = 64
)

// Gas of the noisy views, in units.
const (
	noisyFoldGas  = 44_000_000
	noisyQueryGas = 900_000_000
)

// noisy holds what the noises share, and the log of the current one.
type noisy struct {
	stage    *stage
	client   *api.Client
	quiet    string
	log      string // the noise's own
	id       string // of log
	number   int    // of logs and modules so far
	foldGas  int64  // of spinRounds rounds of spin in a fold
	queryGas int64  // likewise in a query

	other   *api.Client  // of another tenant, where that makes the noise
	headers string       // by which its requests act in it
	refused atomic.Int64 // of its requests
}

func noisyRows() []rowKind {
	var rows []rowKind
	for _, n := range noises() {
		alone, beside := quietAlone+n.name, quietBeside+n.name
		rows = append(rows, rowKind{
			name: "noisy-" + n.name,
			what: "99 of 100 appends to a quiet log of the same lane ÷ alone, beside " + n.what,
			unit: "×", atMost: 2, needs: []string{alone, beside},
			value: func(f figures, _ *stage) (float64, string) {
				if f[alone].P99 == 0 {
					return 0, ""
				}
				return f[beside].P99 / f[alone].P99,
					fmt.Sprintf("p99 %.3f ms ÷ %.3f ms; p50 %.3f ms, %.3f ms; the longest %.3f ms, %.3f ms",
						f[beside].P99, f[alone].P99, f[beside].P50, f[alone].P50, f[beside].Longest, f[alone].Longest)
			},
		})
	}
	return rows
}

func noisyPhase() phase {
	n := &noisy{}
	p := phase{prepare: n.prepare}
	for _, noise := range noises() {
		p.measurements = append(p.measurements, measurement{
			names: []string{quietAlone + noise.name, quietBeside + noise.name},
			run: func(ctx context.Context, _ *stage, report reporter) error {
				return n.measure(ctx, &noise, report)
			},
		})
	}
	return p
}

// prepare restarts the server and creates the quiet log.
func (n *noisy) prepare(ctx context.Context, s *stage, _ reporter) (err error) {
	if err := s.startServer(ctx); err != nil {
		return err
	}
	n.stage = s
	if err := n.measureSpin(ctx); err != nil {
		return err
	}
	if n.client, err = newClient(s.server.address, "", noiseTimeout); err != nil {
		return err
	}
	s.cleanup(func(context.Context) error { n.client.Close(); return nil })
	quiet := logs{prefix: "beside-noise", count: 1}
	n.quiet = quiet.name(0)
	return s.ensureLogs(ctx, quiet)
}

// measure appends to the quiet log alone, and then beside the noise.
func (n *noisy) measure(ctx context.Context, noise *noise, report reporter) error {
	if err := n.makeLog(ctx); err != nil {
		return err
	}
	if noise.prepare != nil {
		if err := noise.prepare(ctx, n); err != nil {
			return fmt.Errorf("preparing the noise %s: %w", noise.name, err)
		}
	}
	alone, err := n.appendQuietly(ctx)
	if err != nil {
		return err
	}
	report(quietAlone+noise.name, alone)
	loud, stop := context.WithCancel(ctx)
	defer stop()
	group, loud := errgroup.WithContext(loud)
	if noise.open != nil {
		if err := noise.open(loud, n); err != nil {
			return fmt.Errorf("beginning the noise %s: %w", noise.name, err)
		}
	}
	if noise.beside != nil {
		group.Go(func() error { return noise.beside(loud, n) })
	}
	for client := range noise.clients {
		group.Go(func() error { return n.repeat(loud, noise, client) })
	}
	beside, err := n.appendQuietly(loud)
	stop()
	if failed := group.Wait(); failed != nil && !errors.Is(failed, context.Canceled) {
		return fmt.Errorf("the noise %s: %w", noise.name, failed)
	}
	if err != nil {
		return err
	}
	report(quietBeside+noise.name, beside)
	if noise.check != nil {
		return noise.check(n)
	}
	return nil
}

// repeat has a client make noise until ctx ends. When the server is overloaded it comes back after a second on average, each client at a
// moment of its own: that is what Retry-After asks for, and what the SDKs do.
func (n *noisy) repeat(ctx context.Context, noise *noise, client int) error {
	for ctx.Err() == nil {
		err := noise.once(ctx, n, client)
		var problem *api.Error
		switch {
		case errors.As(err, &problem) && problem.Status == http.StatusServiceUnavailable:
			select {
			case <-ctx.Done():
			case <-time.After(time.Second/2 + rand.N(time.Second)): //nolint:gosec // it spreads clients
			}
		case errors.As(err, &problem), err == nil, ctx.Err() != nil:
		default:
			return err
		}
	}
	return ctx.Err()
}

// appendQuietly appends to the quiet log at a steady rate, after a warm-up. An append's time counts from when it was due, and it waits for
// the last one: appends that hang are the point of this measurement.
func (n *noisy) appendQuietly(ctx context.Context) (sample, error) {
	window := n.stage.config.Duration
	from := time.Now().Add(min(window/warmUpPart, maxWarmUp))
	until := from.Add(window)
	c, err := dial(ctx, n.stage.server.address)
	if err != nil {
		return sample{}, err
	}
	defer c.close()
	result := sample{seconds: window.Seconds()}
	g := newGenerator(0)
	err = each(ctx, time.Second/quietRate, func(due time.Time) error {
		if result.count > 0 && due.After(until) {
			return errEnoughAppends
		}
		_, err := c.do("POST", "/logs/"+n.quiet+"/append", "", g.json(time.Now()))
		if err == nil && due.After(from) {
			result.count++
			result.latencies = append(result.latencies, time.Since(due))
		}
		return err
	})
	if err != nil && ctx.Err() == nil && !errors.Is(err, errEnoughAppends) {
		return sample{}, fmt.Errorf("appending to the quiet log: %w", err)
	}
	return result.sorted(), ctx.Err()
}

var errEnoughAppends = errors.New("the time to measure is over")

// each calls do once per interval until ctx ends, and catches up on missed calls.
func each(ctx context.Context, interval time.Duration, do func(due time.Time) error) error {
	for due := time.Now().Add(interval); ; due = due.Add(interval) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(due)):
		}
		if err := do(due); err != nil {
			return err
		}
	}
}

// makeLog creates a log in the quiet log's lane.
func (n *noisy) makeLog(ctx context.Context) error { return n.makeLogOf(ctx, n.client) }

// makeLogOf is makeLog for the tenant of a client.
func (n *noisy) makeLogOf(ctx context.Context, client *api.Client) error {
	lane := func(client *api.Client, log string) (int, error) {
		described, err := client.GetLog(ctx, log)
		if err != nil {
			return 0, err
		}
		n.id = described.ID
		id, err := uuid.Parse(described.ID)
		return int(id[15]) % ingest.DefaultConfig().Lanes, err // as internal/ingest assigns lanes
	}
	want, err := lane(n.client, n.quiet)
	if err != nil {
		return err
	}
	for range maxLaneTries {
		n.number++
		n.log = "noise-" + strconv.Itoa(n.number)
		if _, err := client.CreateLog(ctx, n.log, nil); err != nil {
			return fmt.Errorf("creating a log: %w", err)
		}
		if found, err := lane(client, n.log); err != nil || found == want {
			return err
		}
	}
	return fmt.Errorf("none of %d logs is in the quiet log's lane", maxLaneTries)
}
