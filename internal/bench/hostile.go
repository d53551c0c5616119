package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	api "github.com/tallystick/tallystick/openapi/clients/go"
)

const (
	attackAlone   = "attack/"              // and the attack's name: on an idle server
	attackLoaded  = "attack-under-appends" // all of them, one after the other
	appendCalm    = "append/many-logs/calm"
	appendHostile = "append/many-logs/under-attack"
	// hostileClients append while attacks go on.
	hostileClients = 64
	hostileView    = "hostile"
	// rssBefore and rssAfter are values: the server's resident memory, in bytes.
	rssBefore = "rss before attacks"
	rssAfter  = "rss after attacks"
	// Memory is steady once it has not fallen for steadyFor; maxSteadyWait bounds the wait.
	steadyFor, maxSteadyWait = 5 * time.Second, 30 * time.Second
	steadyPoll               = 250 * time.Millisecond
)

// hostile holds what the attacks share.
type hostile struct {
	client *api.Client
	number int // of attacks so far
}

// hostilePhase attacks a server, first idle and then under load.
func hostilePhase() phase {
	h := &hostile{}
	names := []string{attackLoaded, appendHostile, appendCalm}
	for i := range attacks {
		names = append(names, attackAlone+attacks[i].name)
	}
	return phase{
		prepare: h.prepare,
		measurements: []measurement{{names: names, on: manyLogs, run: func(ctx context.Context, s *stage, report reporter) error {
			return h.measure(ctx, s, report)
		}}},
	}
}

// prepare restarts the server and puts load on it for a while, so that it has allocated what it needs for that.
func (h *hostile) prepare(ctx context.Context, s *stage, _ reporter) (err error) {
	if err := s.startServer(ctx); err != nil {
		return err
	}
	if h.client, err = newClient(s.server.address, "", requestTimeout); err != nil {
		return err
	}
	s.cleanup(func(context.Context) error { h.client.Close(); return nil })
	if err := s.ensureLogs(ctx, manyLogs(s)); err != nil {
		return err
	}
	if _, err := s.drive(ctx, hostileClients, s.appends(manyLogs(s))); err != nil {
		return err
	}
	return s.recordMemory(ctx, rssBefore)
}

// measure runs every attack on an idle server, then all of them while other logs are appended to, and then the appends alone.
func (h *hostile) measure(ctx context.Context, s *stage, report reporter) error {
	for i := range attacks {
		took, err := h.attack(ctx, &attacks[i])
		if err != nil {
			return err
		}
		report(attackAlone+attacks[i].name, sample{count: 1, seconds: took.Seconds(), latencies: []time.Duration{took}})
	}
	var all sample
	beside, err := s.driveWhile(ctx, hostileClients, s.appends(manyLogs(s)), func(ctx context.Context) error {
		for i := range attacks {
			took, err := h.attack(ctx, &attacks[i])
			if err != nil {
				return err
			}
			all.add(1, took)
		}
		return nil
	})
	if err != nil {
		return err
	}
	report(attackLoaded, all.sorted())
	report(appendHostile, beside)
	calm, err := s.drive(ctx, hostileClients, s.appends(manyLogs(s)))
	if err != nil {
		return err
	}
	report(appendCalm, calm)
	return s.recordMemory(ctx, rssAfter)
}

// attack uploads an attack's module to a new log, appends an event to it and queries the view, and returns the time from the upload to the
// last response. It returns an error if the attack was not contained.
func (h *hostile) attack(ctx context.Context, a *attack) (time.Duration, error) {
	h.number++
	log := "hostile-" + strconv.Itoa(h.number)
	if _, err := h.client.CreateLog(ctx, log, nil); err != nil {
		return 0, fmt.Errorf("creating a log: %w", err)
	}
	module := a.module(h.number)
	began := time.Now()
	if err := h.checkContained(ctx, a, log, module); err != nil {
		return 0, fmt.Errorf("the attack %s was not contained as it should be: %w", a.name, err)
	}
	return time.Since(began), nil
}

func (h *hostile) checkContained(ctx context.Context, a *attack, log string, module []byte) error {
	_, err := h.client.DeployModule(ctx, log, hostileView, module, api.Deployment{})
	var problem *api.Error
	if errors.As(err, &problem) && a.mayRefuse(problem) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := h.client.AppendEvent(ctx, log, []byte(`{"type":"api.call"}`), nil); err != nil {
		return fmt.Errorf("appending to its log: %w", err)
	}
	if a.fails != "" {
		_, err := h.client.QueryView(ctx, log, hostileView, "")
		if !errors.As(err, &problem) || !strings.Contains(problem.Detail, a.fails) {
			return fmt.Errorf("a query should have failed with %q; it returned: %w", a.fails, err)
		}
	}
	found, err := h.client.GetView(ctx, log, hostileView)
	if err != nil {
		return err
	}
	switch v := &found; {
	case a.halts == "" && v.Status == api.Live:
	case a.halts != "" && v.Status == api.Halted && strings.Contains(v.Error, a.halts):
	default:
		return fmt.Errorf("the view is %s, with the error %q; it should have halted with %q", v.Status, v.Error, a.halts)
	}
	return nil
}

// recordMemory waits until the server's memory is steady and records it. It does nothing where memory cannot be read.
func (s *stage) recordMemory(ctx context.Context, name string) error {
	least, err := residentBytes(s.server.process.PID())
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return err
	}
	poll := time.NewTicker(steadyPoll)
	defer poll.Stop()
	began := time.Now()
	most := maxSteadyWait
	if s.config.Quick {
		most = s.config.Duration
	}
	for lessAt := began; time.Since(lessAt) < steadyFor && time.Since(began) < most; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-poll.C:
		}
		now, err := residentBytes(s.server.process.PID())
		if err != nil {
			return err
		}
		if now < least {
			least, lessAt = now, time.Now()
		}
	}
	s.recordValue(name, float64(least))
	return nil
}
