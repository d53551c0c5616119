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

	api "github.com/tallystick/tallystick/openapi/clients/go"
)

const (
	memoryAttack = "memory-attack/" // and the attack's name: appends to another log meanwhile
	// Values, each with the attack's name: memoryPeak is the server's peak memory in bytes, memoryRefused the number of refused requests,
	// and memoryCut that of connections that ended without a response.
	memoryPeak    = "memory peak "
	memoryRefused = "memory refused "
	memoryCut     = "memory cut "
	// attackedMemory is the limit of the server that is attacked.
	attackedMemory = 1 << 30
	// attackTurns is the duration of an attack, in durations of a measurement.
	attackTurns = 2
	innocentLog = "innocent"
	attackedLog = "attacked"
	largeBody   = 10 << 20 // bytes: the largest batch
	// innocentEvery is the interval between innocent events.
	innocentEvery = 20 * time.Millisecond
)

// memoryAttackKind is something that many clients do at once to make the server run out of memory.
type memoryAttackKind struct {
	name    string
	clients int // an eighth of them in quick runs
	prepare func(ctx context.Context, c *api.Client, quick bool) error
	restart bool // start the server again after prepare, so that it has cached nothing
	// run attacks as one client, until ctx ends or it has nothing more to do.
	run func(ctx context.Context, a *memoryAttackers, client int) error
}

// memoryAttacks are in the order in which they run.
var memoryAttacks = []memoryAttackKind{
	{name: "pages", clients: 200, prepare: longHistory, run: func(ctx context.Context, a *memoryAttackers, _ int) error {
		return a.readNothing(ctx, "/logs/"+attackedLog+"/events?limit=10000")
	}},
	{name: "lists", clients: 100, prepare: longLabels, run: func(ctx context.Context, a *memoryAttackers, _ int) error {
		return a.readNothing(ctx, "/logs?limit=1000")
	}},
	{name: "answers", clients: 400, prepare: deployGuest(longAnswer), run: func(ctx context.Context, a *memoryAttackers, _ int) error {
		return a.readNothing(ctx, "/logs/"+attackedLog+"/views/"+hostileView+"/query")
	}},
	{name: "writes", clients: 16, prepare: manyWriters, run: func(ctx context.Context, a *memoryAttackers, client int) error {
		return a.batches(ctx, attackedLog+"-"+strconv.Itoa(client), strings.Repeat("{}\n", 150))
	}},
	coldStates,
	{name: "claims", clients: 52, run: func(ctx context.Context, a *memoryAttackers, _ int) error { return a.claim(ctx) }},
	{
		name: "bodies", clients: 512, prepare: attackedOnly,
		run: func(ctx context.Context, a *memoryAttackers, _ int) error { return a.body(ctx) },
	},
}

func memoryAttackPhase() phase {
	names := make([]string, len(memoryAttacks))
	for i := range memoryAttacks {
		names[i] = memoryAttack + memoryAttacks[i].name
	}
	return phase{once: true, measurements: []measurement{{names: names, run: func(ctx context.Context, s *stage, report reporter) error {
		for i := range memoryAttacks {
			if err := s.attackMemory(ctx, &memoryAttacks[i], report); err != nil {
				return fmt.Errorf("the attack %s: %w", memoryAttacks[i].name, err)
			}
		}
		return s.startServer(ctx) // without a limit
	}}}}
}

// attackMemory attacks a server with a memory limit, and appends to another log meanwhile.
func (s *stage) attackMemory(ctx context.Context, kind *memoryAttackKind, report reporter) error {
	if err := s.startServer(ctx, "--memory-limit", strconv.Itoa(attackedMemory)); err != nil {
		return err
	}
	client, err := newClient(s.server.address, "", requestTimeout)
	if err != nil {
		return err
	}
	defer client.Close()
	if _, err := client.CreateLog(ctx, innocentLog+"-"+kind.name, nil); err != nil {
		return err
	}
	if kind.prepare != nil {
		if err := kind.prepare(ctx, client, s.config.Quick); err != nil {
			return fmt.Errorf("preparing: %w", err)
		}
	}
	if kind.restart {
		if err := s.startServer(ctx, "--memory-limit", strconv.Itoa(attackedMemory)); err != nil {
			return err
		}
	}
	a := &memoryAttackers{address: s.server.address, large: largeBatch(), quick: s.config.Quick}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
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
	s.recordValue(memoryRefused+kind.name, float64(a.refused.Load()))
	s.recordValue(memoryCut+kind.name, float64(a.cutOff.Load()))
	kib, err := procField("/proc/"+strconv.Itoa(s.server.process.PID())+"/status", "VmHWM:")
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	s.recordValue(memoryPeak+kind.name, float64(kib<<10))
	return err
}

// innocent appends events until ctx ends. Each append must succeed.
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
