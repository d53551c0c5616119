package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	api "github.com/tallystick/tallystick/internal/client"
)

const (
	memoryAttack = "memory-attack/" // and its name: appends to another log meanwhile
	// memoryPeak, and an attack's name, is the most that the server held, in bytes; memoryRefused how many were told to come back, and
	// memoryCut how many connections ended without an answer.
	memoryPeak    = "memory peak "
	memoryRefused = "memory refused "
	memoryCut     = "memory cut "
	// attackedMemory is the limit of the server that is attacked.
	attackedMemory = 1 << 30
	// attackTurns times the duration of a measurement is how long clients hold what they asked for.
	attackTurns = 2
	innocentLog = "innocent"
	attackedLog = "attacked"
	largeBody   = 10 << 20 // bytes: the largest batch
	// innocentEvery is when another innocent event is appended.
	innocentEvery = 20 * time.Millisecond
)

// memoryAttackKind is something that many clients do at once so that the server runs out of memory.
type memoryAttackKind struct {
	name    string
	clients int // an eighth of them in quick runs
	prepare func(ctx context.Context, c *api.Client, quick bool) error
	anew    bool // the server is started anew once it is prepared: it knows nothing of the logs
	// run does it as one client, until ctx ends or it has nothing more to do.
	run func(ctx context.Context, a *memoryAttackers, client int) error
}

// memoryAttacks are in the order in which they are tried.
var memoryAttacks = []memoryAttackKind{
	{name: "pages", clients: 200, prepare: longHistory, run: func(ctx context.Context, a *memoryAttackers, _ int) error {
		return a.unread(ctx, "/logs/"+attackedLog+"/events?limit=10000")
	}},
	{name: "lists", clients: 100, prepare: longLabels, run: func(ctx context.Context, a *memoryAttackers, _ int) error {
		return a.unread(ctx, "/logs?limit=1000")
	}},
	{name: "answers", clients: 400, prepare: deployGuest(longAnswer), run: func(ctx context.Context, a *memoryAttackers, _ int) error {
		return a.unread(ctx, "/logs/"+attackedLog+"/views/"+hostileView+"/query")
	}},
	{name: "writes", clients: 16, prepare: manyWriters, run: func(ctx context.Context, a *memoryAttackers, client int) error {
		return a.batches(ctx, attackedLog+"-"+strconv.Itoa(client), strings.Repeat("{}\n", 150))
	}},
	coldStates,
	{name: "claims", clients: 52, run: func(ctx context.Context, a *memoryAttackers, _ int) error { return a.claim(ctx) }},
	{name: "bodies", clients: 512, prepare: attackedOnly, run: func(ctx context.Context, a *memoryAttackers, _ int) error { return a.body(ctx) }},
}

func memoryAttackPhase() phase {
	names := make([]string, len(memoryAttacks))
	for i := range memoryAttacks {
		names[i] = memoryAttack + memoryAttacks[i].name
	}
	return phase{once: true, measurements: []measurement{{names: names, run: func(ctx context.Context, s *stage, report func(string, sample)) error {
		for i := range memoryAttacks {
			if err := s.attackMemory(ctx, &memoryAttacks[i], report); err != nil {
				return fmt.Errorf("the attack %s: %w", memoryAttacks[i].name, err)
			}
		}
		return s.startServer(ctx) // without a limit
	}}}}
}

// attackMemory attacks a server of its own with a limit, and appends to another log meanwhile.
func (s *stage) attackMemory(ctx context.Context, kind *memoryAttackKind, report func(string, sample)) error {
	if err := s.startServer(ctx, "--memory-limit", strconv.Itoa(attackedMemory)); err != nil {
		return err
	}
	client, err := api.New(api.Config{URL: "http://" + s.server.address, Timeout: requestPatience})
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.CreateLog(ctx, innocentLog+"-"+kind.name, nil); err != nil {
		return err
	}
	if kind.prepare != nil {
		if err := kind.prepare(ctx, client, s.config.Quick); err != nil {
			return fmt.Errorf("preparing: %w", err)
		}
	}
	if kind.anew {
		if err := s.startServer(ctx, "--memory-limit", strconv.Itoa(attackedMemory)); err != nil {
			return err
		}
	}
	a := &memoryAttackers{address: s.server.address, large: largeBatch(), quick: s.config.Quick}
	ctx, cancel := context.WithTimeout(ctx, requestPatience)
	defer cancel()
	attack, end := context.WithTimeout(ctx, attackTurns*s.config.Duration)
	defer end()
	clients := kind.clients
	if s.config.Quick {
		clients /= 8
	}
	a.heads.Add(clients)
	var attackers errgroup.Group
	for i := range clients {
		attackers.Go(func() error { return kind.run(attack, a, i) })
	}
	beside, innocent := s.innocent(attack, innocentLog+"-"+kind.name)
	if err := errors.Join(attackers.Wait(), innocent); err != nil {
		return err
	}
	report(memoryAttack+kind.name, beside.sorted())
	s.found(memoryRefused+kind.name, float64(a.refused.Load()))
	s.found(memoryCut+kind.name, float64(a.cutWithout.Load()))
	kib, err := procField("/proc/"+strconv.Itoa(s.server.cmd.Process.Pid)+"/status", "VmHWM:")
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	s.found(memoryPeak+kind.name, float64(kib<<10))
	return err
}

// innocent appends one event after the other until ctx ends, each of which must be taken.
func (s *stage) innocent(ctx context.Context, log string) (all sample, err error) {
	c, err := dial(context.WithoutCancel(ctx), s.server.address)
	if err != nil {
		return all, err
	}
	defer c.close()
	began := time.Now()
	for ctx.Err() == nil {
		sent := time.Now()
		if _, err := c.do(http.MethodPost, "/logs/"+log+"/append", "", []byte(`{"type":"innocent"}`)); err != nil {
			return all, fmt.Errorf("an innocent append: %w", err)
		}
		all.add(1, time.Since(sent))
		select {
		case <-ctx.Done():
		case <-time.After(innocentEvery):
		}
	}
	all.seconds = time.Since(began).Seconds()
	return all, nil
}
