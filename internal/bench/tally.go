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
	// setupClients is how many connections prepare logs.
	setupClients = 16
	// batchEvents is how many events our batches have.
	batchEvents = 1000
	// batchClients send batches at the same time, so that some are parsed while others are committed together.
	batchClients = 16
	// uploadLog is where modules are uploaded to; nothing is appended to it.
	uploadLog = "modules"
)

// module is a view that every log has.
type module struct {
	view string
	code []byte
	// deploy is the body that deploys it once it has been uploaded.
	deploy []byte
}

// logs is a set of logs with all three views, called prefix-0 and so on.
type logs struct {
	prefix string
	count  int
}

func (l logs) name(i int) string { return l.prefix + "-" + strconv.Itoa(i) }

func (l logs) path(i int) string { return "/logs/" + l.name(i) }

// paths are those of all logs, each with what follows it.
func (l logs) paths(suffix string) []string {
	paths := make([]string, l.count)
	for i := range paths {
		paths[i] = l.path(i) + suffix
	}
	return paths
}

// uploadModules makes the server know the views' modules, so that logs can name them.
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

// ensureLogs creates the logs unless that has been done.
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

// each does work for every log of the set, over a few connections.
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

// hireClient makes workers with a connection each, which do once.
func (s *stage) hireClient(once func(c *client, g *generator) (int, error)) hire {
	return func(ctx context.Context, i int) (worker, error) {
		c, err := dial(ctx, s.server.address)
		if err != nil {
			return worker{}, fmt.Errorf("connecting to the server: %w", err)
		}
		g := newGenerator(i)
		return worker{once: func(context.Context) (int, error) { return once(c, g) }, close: c.close}, nil
	}
}

// scripts makes the script of worker i, whose events g makes.
type scripts = func(g *generator, i int) script

// hireFlow makes workers that are a flow each.
func (s *stage) hireFlow(scripts scripts) hire {
	return func(ctx context.Context, i int) (worker, error) { // the server may be another by then
		return hireFlowAt(s.server.address, scripts)(ctx, i)
	}
}

// hireFlowAt is hireFlow for any server.
func hireFlowAt(address string, scripts scripts) hire {
	return func(ctx context.Context, i int) (worker, error) {
		f, err := openFlow(ctx, address, scripts(newGenerator(i), i))
		if err != nil {
			return worker{}, fmt.Errorf("connecting to the server: %w", err)
		}
		return worker{flow: f, close: f.close}, nil
	}
}

// appends sends single events to logs of the set at random.
func (s *stage) appends(set logs) hire { return s.hireFlow(single(set)) }

// appendsWithIDs is appends with an idempotency key for each event, as a sender has that can send again.
func (s *stage) appendsWithIDs(set logs) hire { return s.hireFlow(singleWithIDs(set)) }

// batches sends batches of events, each to one log of the set at random. The bodies are made before, as COPY's rows are.
func (s *stage) batches(set logs) hire { return s.hireFlow(batched(set)) }

// batchesWithIDs is batches of events that have idempotency keys, which are all that changes from one use of a body to the next.
func (s *stage) batchesWithIDs(set logs) hire { return s.hireFlow(batchedWithIDs(set)) }

func single(set logs) scripts {
	paths := set.paths("/append")
	return func(g *generator, _ int) script {
		return func(b []byte) ([]byte, int) {
			return appendRequest(b, "POST", paths[g.random.IntN(len(paths))], "", g.json(time.Now())), 1
		}
	}
}

func singleWithIDs(set logs) scripts {
	scripts := single(set)
	return func(g *generator, i int) script {
		g.distinct(i)
		return scripts(g, i)
	}
}

func batched(set logs) scripts {
	paths := set.paths("/append_batch")
	return func(g *generator, _ int) script {
		bodies, turn := g.batches(time.Now()), 0
		return func(b []byte) ([]byte, int) {
			turn++
			return appendRequest(b, "POST", paths[g.random.IntN(len(paths))], "", bodies[turn%len(bodies)]), batchEvents
		}
	}
}

func batchedWithIDs(set logs) scripts {
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

// batches makes the bodies that a client sends again and again.
func (g *generator) batches(now time.Time) [][]byte {
	bodies := make([][]byte, copyRows/batchEvents)
	for n := range bodies {
		for range batchEvents {
			bodies[n] = append(g.event(now).appendJSON(bodies[n]), '\n')
		}
	}
	return bodies
}
