package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick/views"
)

const (
	// setupClients is the number of connections that prepare logs.
	setupClients = 16
	// batchEvents is the number of events in our batches.
	batchEvents = 1000
	// batchClients send batches at the same time, so that some are parsed while others are committed.
	batchClients = 16
	// uploadLog is the log that modules are uploaded to. It stays empty.
	uploadLog = "modules"
)

// module is a view that every log has.
type module struct {
	view string
	code []byte
	// deploy is the body that deploys it once it has been uploaded.
	deploy []byte
}

// logs is a set of logs with all three views, named prefix-0, prefix-1 and so on.
type logs struct {
	prefix string
	count  int
}

func (l logs) name(i int) string { return l.prefix + "-" + strconv.Itoa(i) }

func (l logs) path(i int) string { return "/logs/" + l.name(i) }

// paths returns the paths of all logs, each with the suffix.
func (l logs) paths(suffix string) []string {
	paths := make([]string, l.count)
	for i := range paths {
		paths[i] = l.path(i) + suffix
	}
	return paths
}

// uploadModules uploads the views' modules, so that deployments can refer to them by hash.
func (s *stage) uploadModules(ctx context.Context) error {
	config, err := json.Marshal(map[string]any{"prices": prices})
	if err != nil {
		return err
	}
	s.modules = []module{
		{view: "monthly-totals", code: views.MonthlyTotals(), deploy: []byte(`{}`)},
		{view: "rate-check", code: views.RateCheck(), deploy: []byte(`{}`)},
		{view: "cost-by-team", code: views.CostByTeam(), deploy: config},
	}
	c, err := dial(ctx, s.server.address)
	if err != nil {
		return err
	}
	defer c.close()
	if _, err := c.do("POST", "/logs", "", []byte(`{"name":"`+uploadLog+`"}`)); err != nil {
		return fmt.Errorf("creating a log: %w", err)
	}
	for i := range s.modules {
		m := &s.modules[i]
		if _, err := c.do("POST", "/logs/"+uploadLog+"/views/"+m.view, "", m.code); err != nil {
			return fmt.Errorf("uploading a module: %w", err)
		}
		sum := sha256.Sum256(m.code)
		m.deploy, err = json.Marshal(map[string]any{"module": hex.EncodeToString(sum[:]), "config": json.RawMessage(m.deploy)})
		if err != nil {
			return err
		}
	}
	return nil
}

// ensureLogs creates the logs if they do not exist yet.
func (s *stage) ensureLogs(ctx context.Context, set logs) error {
	if s.made[set] {
		return nil
	}
	if s.made == nil {
		s.made = map[logs]bool{}
	}
	s.made[set] = true
	return s.createLogs(ctx, set)
}

// createLogs creates logs, deploys the views on each and appends one event to each.
func (s *stage) createLogs(ctx context.Context, set logs) error {
	return s.each(ctx, set, func(c *client, g *generator, i int) error {
		if _, err := c.do("POST", "/logs", "", []byte(`{"name":"`+set.name(i)+`"}`)); err != nil {
			return fmt.Errorf("creating a log: %w", err)
		}
		for _, m := range s.modules {
			if _, err := c.do("POST", set.path(i)+"/views/"+m.view, "", m.deploy); err != nil {
				return fmt.Errorf("deploying a view: %w", err)
			}
		}
		return appendOnce(c, g, set, i)
	})
}

func appendOnce(c *client, g *generator, set logs, i int) error {
	_, err := c.do("POST", set.path(i)+"/append", "", g.json(time.Now()))
	return err
}

// each calls work for every log of the set, over a few connections.
func (s *stage) each(ctx context.Context, set logs, work func(c *client, g *generator, i int) error) error {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for n := range setupClients {
		group.Go(func() error {
			c, err := dial(ctx, s.server.address)
			if err != nil {
				return err
			}
			defer c.close()
			g := newGenerator(n)
			for i := int(next.Add(1)) - 1; i < set.count && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := work(c, g, i); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}

// clientWorkers makes workers with a connection each, whose operation is once.
func (s *stage) clientWorkers(once func(c *client, g *generator) (int, error)) workerFactory {
	return func(ctx context.Context, i int) (worker, error) {
		c, err := dial(ctx, s.server.address)
		if err != nil {
			return worker{}, fmt.Errorf("connecting to the server: %w", err)
		}
		g := newGenerator(i)
		return worker{once: func(context.Context) (int, error) { return once(c, g) }, close: c.close}, nil
	}
}

// scriptFactory makes the script of worker i, whose events g makes.
type scriptFactory = func(g *generator, i int) script

// flowWorkers makes workers with a flow each.
func (s *stage) flowWorkers(newScript scriptFactory) workerFactory {
	return func(ctx context.Context, i int) (worker, error) { // the server may have been replaced by then
		return flowWorkersAt(s.server.address, newScript)(ctx, i)
	}
}

// flowWorkersAt is hireFlow for any server.
func flowWorkersAt(address string, newScript scriptFactory) workerFactory {
	return func(ctx context.Context, i int) (worker, error) {
		f, err := openFlow(ctx, address, newScript(newGenerator(i), i))
		if err != nil {
			return worker{}, fmt.Errorf("connecting to the server: %w", err)
		}
		return worker{flow: f, close: f.close}, nil
	}
}

// appends sends single events to random logs of the set.
func (s *stage) appends(set logs) workerFactory { return s.flowWorkers(single(set)) }

// appendsWithIDs is appends with an idempotency key for each event, as a client needs in order to retry.
func (s *stage) appendsWithIDs(set logs) workerFactory { return s.flowWorkers(singleWithIDs(set)) }

// batches sends batches of events, each to a random log of the set. The bodies are made beforehand, as COPY's rows are.
func (s *stage) batches(set logs) workerFactory { return s.flowWorkers(batched(set)) }

// batchesWithIDs is batches of events with idempotency keys: only these change from one use of a body to the next.
func (s *stage) batchesWithIDs(set logs) workerFactory { return s.flowWorkers(batchedWithIDs(set)) }

func single(set logs) scriptFactory {
	paths := set.paths("/append")
	return func(g *generator, _ int) script {
		return func(b []byte) ([]byte, int) {
			return appendRequest(b, "POST", paths[g.random.IntN(len(paths))], "", g.json(time.Now())), 1
		}
	}
}

func singleWithIDs(set logs) scriptFactory {
	newScript := single(set)
	return func(g *generator, i int) script {
		g.distinct(i)
		return newScript(g, i)
	}
}

func batched(set logs) scriptFactory {
	paths := set.paths("/append_batch")
	return func(g *generator, _ int) script {
		bodies, turn := g.batches(time.Now()), 0
		return func(b []byte) ([]byte, int) {
			turn++
			return appendRequest(b, "POST", paths[g.random.IntN(len(paths))], "", bodies[turn%len(bodies)]), batchEvents
		}
	}
}

func batchedWithIDs(set logs) scriptFactory {
	paths := set.paths("/append_batch")
	return func(g *generator, i int) script {
		g.distinct(i)
		bodies, turn := g.batches(time.Now()), 0
		id := bytes.Clone(g.id)
		return func(b []byte) ([]byte, int) {
			turn++
			body := bodies[turn%len(bodies)]
			for line := body; len(line) > 0; line = line[bytes.IndexByte(line, '\n')+1:] {
				increment(id)
				copy(line[len(idMember):], id)
			}
			return appendRequest(b, "POST", paths[g.random.IntN(len(paths))], "", body), batchEvents
		}
	}
}

// batches makes the bodies that a client sends in turn.
func (g *generator) batches(now time.Time) [][]byte {
	bodies := make([][]byte, copyRows/batchEvents)
	for n := range bodies {
		for range batchEvents {
			bodies[n] = append(g.event(now).appendJSON(bodies[n]), '\n')
		}
	}
	return bodies
}
