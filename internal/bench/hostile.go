package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	api "github.com/tallystick/tallystick/internal/client"
)

const (
	attackAlone   = "attack/"              // and its name: on an idle server
	attackLoaded  = "attack-under-appends" // all of them, one after the other
	appendCalm    = "append/many-logs/calm"
	appendHostile = "append/many-logs/under-attack"
	// hostileClients append while attacks go on.
	hostileClients = 64
	hostileView    = "hostile"
	// rssBefore and rssAfter are what is found of the server's resident memory, in bytes.
	rssBefore = "rss before attacks"
	rssAfter  = "rss after attacks"
	// A server's memory has come to rest when it was not less for settleFor; it is waited for settleMost at the longest.
	settleFor, settleMost = 5 * time.Second, 30 * time.Second
	settlePoll            = 250 * time.Millisecond
)

// hostile attacks a server of its own.
type hostile struct {
	client *api.Client
	number int // of attacks so far
}

// hostilePhase attacks a server, on its own and while it has other work.
func hostilePhase() phase {
	h := &hostile{}
	names := []string{attackLoaded, appendHostile, appendCalm}
	for i := range attacks {
		names = append(names, attackAlone+attacks[i].name)
	}
	return phase{
		prepare: h.prepare,
		measurements: []measurement{{names: names, on: manyLogs, run: func(ctx context.Context, s *stage, report func(string, sample)) error {
			return h.measure(ctx, s, report)
		}}},
	}
}

// prepare starts a server anew and lets it work for a while, so that it has the memory that it needs for that.
func (h *hostile) prepare(ctx context.Context, s *stage, _ func(string, sample)) (err error) {
	if err := s.startServer(ctx); err != nil {
		return err
	}
	if h.client, err = api.New(api.Config{URL: "http://" + s.server.address, Timeout: requestPatience}); err != nil {
		return err
	}
	s.later(func(context.Context) error { h.client.Close(); return nil })
	if err := s.ensureLogs(ctx, manyLogs(s)); err != nil {
		return err
	}
	if _, err := s.drive(ctx, hostileClients, s.appends(manyLogs(s))); err != nil {
		return err
	}
	return s.foundMemory(ctx, rssBefore)
}

// measure tries every attack on an idle server, then all of them while other logs are appended to, and then these
// appends alone.
func (h *hostile) measure(ctx context.Context, s *stage, report func(string, sample)) error {
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
	return s.foundMemory(ctx, rssAfter)
}

// attack uploads an attack's module to a log of its own, appends an event there or asks a question, and returns how long it took from
// the upload until the last of that was answered. The error says how the attack was not contained.
func (h *hostile) attack(ctx context.Context, a *attack) (time.Duration, error) {
	h.number++
	log := "hostile-" + strconv.Itoa(h.number)
	if err := h.client.CreateLog(ctx, log, nil); err != nil {
		return 0, fmt.Errorf("creating a log: %w", err)
	}
	module := a.module(h.number)
	began := time.Now()
	if err := h.contained(ctx, a, log, module); err != nil {
		return 0, fmt.Errorf("the attack %s was not contained as it should be: %w", a.name, err)
	}
	return time.Since(began), nil
}

func (h *hostile) contained(ctx context.Context, a *attack, log string, module []byte) error {
	_, err := h.client.Deploy(ctx, log, hostileView, api.Deployment{Module: module})
	var problem *api.Problem
	if errors.As(err, &problem) && a.expects(problem) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := h.client.Append(ctx, log, []byte(`{"type":"api.call"}`)); err != nil {
		return fmt.Errorf("appending to its log: %w", err)
	}
	if a.fails != "" {
		_, err := h.client.Query(ctx, log, hostileView, "")
		if !errors.As(err, &problem) || !strings.Contains(problem.Detail, a.fails) {
			return fmt.Errorf("a question should have failed with %q; it gave: %w", a.fails, err)
		}
	}
	versions, err := h.client.View(ctx, log, hostileView)
	if err != nil {
		return err
	}
	if len(versions) != 1 {
		return fmt.Errorf("the view has %d versions", len(versions))
	}
	switch v := versions[0]; {
	case a.halts == "" && v.Status == api.Live:
	case a.halts != "" && v.Status == api.Halted && strings.Contains(v.Error, a.halts):
	default:
		return fmt.Errorf("the view is %s, with the error %q; it should have halted with %q", v.Status, v.Error, a.halts)
	}
	return nil
}

// foundMemory waits until the server's memory has come to rest and notes it; it does nothing where memory cannot be told.
func (s *stage) foundMemory(ctx context.Context, name string) error {
	least, err := residentBytes(s.server.cmd.Process.Pid)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return err
	}
	poll := time.NewTicker(settlePoll)
	defer poll.Stop()
	began := time.Now()
	most := settleMost
	if s.config.Quick {
		most = s.config.Duration
	}
	for lessAt := began; time.Since(lessAt) < settleFor && time.Since(began) < most; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-poll.C:
		}
		now, err := residentBytes(s.server.cmd.Process.Pid)
		if err != nil {
			return err
		}
		if now < least {
			least, lessAt = now, time.Now()
		}
	}
	s.found(name, float64(least))
	return nil
}
