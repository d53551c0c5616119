package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	api "github.com/tallystick/tallystick/internal/client"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/wasm"
	"github.com/tallystick/tallystick/internal/wasmbin"
	"github.com/tallystick/tallystick/views"
)

const (
	quietAlone  = "quiet/alone/"  // and the noise: before it
	quietBeside = "quiet/beside/" // and the noise
	noisyView   = "noise"
	// quietRate is how many events a second are appended to the quiet log, one by one: what a machine has time for, whatever else it does.
	quietRate = 100
	// noisePatience bounds one request of those that make noise.
	noisePatience = 2 * time.Minute
	// laneTries is how many logs are made at most until one is in the quiet log's lane.
	laneTries = 64
)

// Gas of what makes noise, in units.
const (
	noisyFoldGas  = 44_000_000
	noisyQueryGas = 900_000_000
)

// noise is what somebody does to a log of the quiet log's lane.
type noise struct {
	name, what string
	prepare    func(ctx context.Context, n *noisy) error // may be nil
	clients    int
	once       func(ctx context.Context, n *noisy, client int) error // what each client does again and again; an error of the server's is none
	beside     func(ctx context.Context, n *noisy) error             // goes on until ctx ends; may be nil
}

func noises() []noise {
	return []noise{
		{
			name: "slow-view", what: "160 clients that append batches of 5,000 events to a log whose view takes 44 million units of gas for each", clients: 160,
			prepare: deploySpinner,
			once: func(ctx context.Context, n *noisy, _ int) error {
				const events = 5000
				return n.batch(ctx, strings.Repeat("{}\n", events))
			},
		}, {
			name: "meters", what: "4 clients that append batches of 10,000 events of new users to a log with eight meters that count unique users", clients: 4,
			prepare: deployMeters, once: appendUsers,
		}, {
			name: "held-lock", what: "16 clients that append to a log whose head somebody else has locked", clients: 16,
			once: func(ctx context.Context, n *noisy, _ int) error {
				_, err := n.client.Append(ctx, n.log, []byte(`{}`))
				return err
			},
			beside: holdHead,
		}, {
			name: "questions", what: "16 clients that ask questions of 900 million units of gas", clients: 16,
			prepare: deploySpinner,
			once: func(ctx context.Context, n *noisy, client int) error {
				_, err := n.client.Query(ctx, n.log, noisyView, "client="+strconv.Itoa(client))
				return err
			},
		}, {
			name: "watchers", what: "50 clients that watch different answers of 900 million units of gas on a log that is appended to", clients: 50,
			prepare: deploySpinner,
			once:    watchAnswers,
			beside: func(ctx context.Context, n *noisy) error {
				return each(ctx, 100*time.Millisecond, func(time.Time) error {
					_, err := n.client.Append(ctx, n.log, []byte(`{}`))
					return err
				})
			},
		}, {
			name: "deploys", what: "4 clients that deploy views of 44 million units of gas for each event", clients: 4,
			once: deployAgain,
		}, {
			name: "bodies", what: "52 connections that claim a body of 10 MiB and send nothing", clients: 52,
			once: claimBody,
		},
	}
}

// noisy is a noise and its log.
type noisy struct {
	stage  *stage
	client *api.Client
	quiet  string
	log    string // the noise's own
	id     string // of log
	number int    // of logs and modules so far
	round  int64  // gas of spinRounds rounds of spin in a fold
	asked  int64  // likewise in a question
}

func noisyRows() []rowKind {
	var rows []rowKind
	for _, n := range noises() {
		alone, beside := quietAlone+n.name, quietBeside+n.name
		rows = append(rows, rowKind{
			name: "noisy-" + n.name, what: "99 of 100 appends to a quiet log of the same lane ÷ alone, beside " + n.what, unit: "×", atMost: 2,
			needs: []string{alone, beside},
			value: func(f figures, _ *stage) (float64, string) {
				if f[alone].P99 == 0 {
					return 0, ""
				}
				return f[beside].P99 / f[alone].P99, fmt.Sprintf("p99 %.3f ms ÷ %.3f ms; p50 %.3f ms, %.3f ms; the longest %.3f ms, %.3f ms",
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
			run: func(ctx context.Context, _ *stage, report func(string, sample)) error {
				return n.measure(ctx, &noise, report)
			},
		})
	}
	return p
}

// prepare starts a server anew, with a log that somebody appends to now and then.
func (n *noisy) prepare(ctx context.Context, s *stage, _ func(string, sample)) (err error) {
	if err := s.startServer(ctx); err != nil {
		return err
	}
	n.stage = s
	if err := n.measureSpin(ctx); err != nil {
		return err
	}
	if n.client, err = api.New(api.Config{URL: "http://" + s.server.address, Timeout: noisePatience}); err != nil {
		return err
	}
	s.later(func(context.Context) error { n.client.Close(); return nil })
	quiet := logs{prefix: "beside-noise", count: 1}
	n.quiet = quiet.name(0)
	return s.ensureLogs(ctx, quiet)
}

// measure appends to the quiet log alone, and then while there is noise.
func (n *noisy) measure(ctx context.Context, noise *noise, report func(string, sample)) error {
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
	return nil
}

// repeat has a client make noise until ctx ends. Where the server has no room it comes back when it is told to, as honest clients do.
func (n *noisy) repeat(ctx context.Context, noise *noise, client int) error {
	for ctx.Err() == nil {
		err := noise.once(ctx, n, client)
		var problem *api.Problem
		switch {
		case errors.As(err, &problem) && problem.Status == http.StatusServiceUnavailable:
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		case errors.As(err, &problem), err == nil, ctx.Err() != nil:
		default:
			return err
		}
	}
	return ctx.Err()
}

// appendQuietly appends to the quiet log at a steady rate, after a warm-up. An append's time counts from when it was due, and the last one
// is waited for: one that hangs is what this is about.
func (n *noisy) appendQuietly(ctx context.Context) (sample, error) {
	window := n.stage.config.Duration
	from := time.Now().Add(min(window/warmUpPart, warmUpMost))
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

// each calls do once in every interval, or as often as it can to make up for what it missed, until ctx ends.
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

// makeLog makes a log in the lane of the quiet one.
func (n *noisy) makeLog(ctx context.Context) error {
	lane := func(log string) (int, error) {
		described, err := n.client.Log(ctx, log)
		if err != nil {
			return 0, err
		}
		n.id = described.ID
		id, err := uuid.Parse(described.ID)
		return int(id[15]) % ingest.DefaultConfig().Lanes, err // as internal/ingest has it
	}
	want, err := lane(n.quiet)
	if err != nil {
		return err
	}
	for range laneTries {
		n.number++
		n.log = "noise-" + strconv.Itoa(n.number)
		if err := n.client.CreateLog(ctx, n.log, nil); err != nil {
			return fmt.Errorf("creating a log: %w", err)
		}
		if found, err := lane(n.log); err != nil || found == want {
			return err
		}
	}
	return fmt.Errorf("none of %d logs is in the quiet log's lane", laneTries)
}

// spin is code that does nothing, so many times, and uses the first local.
func spin(rounds int64) []byte {
	return code(opConst(rounds), opWith(wasmbin.OpLocalSet, 0), opStart(wasmbin.OpLoop),
		opWith(wasmbin.OpLocalGet, 0), opConst(1), op(opI32Subtract), opWith(wasmbin.OpLocalTee, 0), opWith(wasmbin.OpBrIf, 0), op(wasmbin.OpEnd))
}

// spinner is a view that takes the gas of noise, and is another module for each number.
func (n *noisy) spinner() []byte {
	n.number++
	g := guest{
		pages: 1, nonce: []byte(strconv.Itoa(n.number)), fold: code(spin(noisyFoldGas*spinRounds/n.round), opConst(0)),
		query: code(spin(noisyQueryGas*spinRounds/n.asked), opConst64(nullAt<<32|int64(len("null")))),
	}
	return g.encode()
}

// spinRounds is how many rounds are measured.
const spinRounds = 10_000

// measureSpin finds what spinRounds rounds of spin take by this version's cost model, of an event and of a question.
func (n *noisy) measureSpin(ctx context.Context) error {
	const plenty = 1 << 40
	engine, err := wasm.NewEngine(ctx, wasm.Config{})
	if err != nil {
		return err
	}
	defer engine.Close(ctx) //nolint:errcheck // of no use any more
	n.round, n.asked = noisyFoldGas, noisyQueryGas
	module, err := engine.Compile(ctx, n.spinner())
	if err != nil {
		return err
	}
	session, err := module.Start(ctx, wasm.Settings{FoldGas: plenty, QueryGas: plenty}, nil)
	if err != nil {
		return err
	}
	defer session.Close()
	if _, err := session.Fold(&wasm.Event{Data: []byte(`{}`)}); err != nil {
		return err
	}
	n.round = session.GasUsed()
	_, err = session.Query("")
	n.asked = session.GasUsed()
	return err
}

func deploySpinner(ctx context.Context, n *noisy) error {
	_, err := n.client.Deploy(ctx, n.log, noisyView, api.Deployment{Module: n.spinner()})
	return err
}

func deployMeters(ctx context.Context, n *noisy) error {
	const meters = 8
	config := []byte(`{"unique":"/user","aggregations":["count","unique"],"resolution":"day"}`)
	for i := range meters {
		if _, err := n.client.Deploy(ctx, n.log, "meter-"+strconv.Itoa(i), api.Deployment{Module: views.Meter(), Config: config}); err != nil {
			return err
		}
	}
	return nil
}

func (n *noisy) batch(ctx context.Context, lines string) error {
	_, err := n.client.AppendBatch(ctx, n.log, strings.NewReader(lines))
	return err
}

// appendUsers appends events of users that nobody has seen.
func appendUsers(ctx context.Context, n *noisy, client int) error {
	const events = ingest.MaxBatchEvents
	var lines strings.Builder
	from := time.Now().UnixNano()
	for i := range events {
		fmt.Fprintf(&lines, "{\"user\":\"u%d-%d-%d\"}\n", client, from, i)
	}
	return n.batch(ctx, lines.String())
}

// holdHead keeps the lock of the log's head.
func holdHead(ctx context.Context, n *noisy) error {
	conn, err := pgx.Connect(ctx, n.stage.database)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // which rolls back
	if _, err := conn.Exec(ctx, "BEGIN"); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "SELECT FROM log_heads WHERE log_id = $1 FOR UPDATE", n.id); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// watchAnswers watches an answer that nobody else asks for.
func watchAnswers(ctx context.Context, n *noisy, client int) error {
	w, err := watch(ctx, n.stage.server.address, "/logs/"+n.log+"/views/"+noisyView+"/live?client="+strconv.Itoa(client))
	if err != nil {
		return &api.Problem{Status: http.StatusServiceUnavailable, Detail: err.Error()} // it was refused: there is no room now
	}
	defer w.conn.Close() //nolint:errcheck // nothing is lost
	for w.lines.Scan() { // until the server or ctx ends it
	}
	return ctx.Err()
}

// deployAgain deploys another module.
func deployAgain(ctx context.Context, n *noisy, client int) error {
	g := guest{pages: 1, nonce: []byte(time.Now().String() + strconv.Itoa(client)), fold: code(spin(noisyFoldGas*spinRounds/n.round), opConst(0))}
	_, err := n.client.Deploy(ctx, n.log, noisyView+"-"+strconv.Itoa(client), api.Deployment{Module: g.encode()})
	return err
}

// claimBody claims a body, sends nothing of it, and waits for what the server says to that.
func claimBody(ctx context.Context, n *noisy, _ int) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", n.stage.server.address)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // nothing is lost
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if _, err := fmt.Fprintf(conn, "POST /logs/%s/append_batch HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", n.log, ingest.MaxBatchBytes); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, conn) // until it is closed
	return nil
}
