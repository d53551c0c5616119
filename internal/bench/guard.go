package bench

import (
	"bytes"
	"context"
	"fmt"
	"time"

	api "github.com/tallystick/tallystick/openapi/clients/go"
	"github.com/tallystick/tallystick/views"
)

// The measurements of guards.
const (
	guardedMany   = "guard/many-logs"
	unguardedMany = "guard/none"
	guardedOne    = "guard/one-log"
	guardedFull   = "guard/full"
	dryRun        = "guard/dry-run"
)

// quotaView is the name of the view with a guard, and of the same view without.
const quotaView = "quota"

// Logs with that view alone. Those whose guards refuse nothing have limits that nobody reaches.
func guardedLogs(s *stage) logs { return logs{prefix: "guarded", count: s.config.scale().manyLogs} }

func unguardedLogs(s *stage) logs { return logs{prefix: "unguarded", count: s.config.scale().manyLogs} }

var (
	roomyLog = logs{prefix: "roomy", count: 1}
	fullLog  = logs{prefix: "full", count: 1}
)

// quotaConfig limits a month's requests, and each model's tokens.
func quotaConfig(requests int64) []byte {
	return fmt.Appendf(nil, `{"limits": [
		{"name": "requests", "window": "month", "limit": %d},
		{"name": "tokens", "aggregation": "sum", "value": "/tokens_in", "group_by": {"model": "/model"}, "window": "month", "limit": 1e15}
	]}`, requests)
}

const (
	endless = 1_000_000_000_000
	usedUp  = 1 // by the one event that each log has before
)

func guardRows() []rowKind {
	return []rowKind{
		{
			name: "guard", what: "single appends to 1,000 logs with the guard of quota ÷ with quota without it, 256 connections", unit: "×",
			atLeast: 0.9, needs: []string{guardedMany, unguardedMany},
			value: func(f figures, _ *stage) (float64, string) {
				value, text := ratio(f[guardedMany], f[unguardedMany])
				return value, fmt.Sprintf("%s; processor time of the server for an event: %.0f µs, without %.0f µs",
					text, f[guardedMany].ServerCPU, f[unguardedMany].ServerCPU)
			},
		}, {
			name: "guard-full", what: "single appends to a log whose guard refuses all ÷ to one whose guard admits all, 256 connections",
			unit: "×", atLeast: 1, needs: []string{guardedFull, guardedOne},
			value: func(f figures, _ *stage) (float64, string) {
				value, text := ratio(f[guardedFull], f[guardedOne])
				return value, fmt.Sprintf("%s; processor time of the server for an event: %.0f µs, admitted %.0f µs",
					text, f[guardedFull].ServerCPU, f[guardedOne].ServerCPU)
			},
		}, {
			name: "dry-run-p50", what: "asking whether a guard would admit an event, one connection, idle: median", unit: "ms", atMost: 0.5,
			needs: []string{dryRun},
			value: func(f figures, _ *stage) (float64, string) { return f[dryRun].P50, queryFigures(f[dryRun]) },
		}, {
			name: "dry-run-p99", what: "asking whether a guard would admit an event, one connection, idle: 99 of 100",
			unit: "ms", atMost: 3,
			needs: []string{dryRun},
			value: func(f figures, _ *stage) (float64, string) { return f[dryRun].P99, queryFigures(f[dryRun]) },
		},
	}
}

func guardPhase() phase {
	return phase{
		prepare: prepareGuards,
		measurements: []measurement{
			driven(guardedMany, maxClients, nil, func(s *stage) workerFactory { return s.appends(guardedLogs(s)) }),
			driven(unguardedMany, maxClients, nil, func(s *stage) workerFactory { return s.appends(unguardedLogs(s)) }),
			driven(guardedOne, maxClients, nil, func(s *stage) workerFactory { return s.appends(roomyLog) }),
			driven(guardedFull, maxClients, nil, func(s *stage) workerFactory { return s.refusedAppends(fullLog) }),
			driven(dryRun, 1, nil, func(s *stage) workerFactory { return s.dryRuns(guardedLogs(s)) }),
		},
	}
}

// prepareGuards makes the logs, whose views patterns deploy. The view without a guard is the same module under whose export nobody looks
// for one.
func prepareGuards(ctx context.Context, s *stage, _ reporter) error {
	sdk, err := newClient(s.server.address, "", requestTimeout)
	if err != nil {
		return err
	}
	guarded := views.Quota()
	const export, other = "tally_guard", "other_guard"
	bare := bytes.Replace(guarded, []byte(export), []byte(other), 1)
	if bytes.Equal(bare, guarded) {
		return fmt.Errorf("quota does not export %s", export)
	}
	for _, d := range []struct {
		set    logs
		code   []byte
		config []byte
	}{
		{guardedLogs(s), guarded, quotaConfig(endless)},
		{unguardedLogs(s), bare, quotaConfig(endless)},
		{roomyLog, guarded, quotaConfig(endless)},
		{fullLog, guarded, quotaConfig(usedUp)},
	} {
		module, err := sdk.UploadModule(ctx, d.code)
		if err != nil {
			return fmt.Errorf("uploading quota: %w", err)
		}
		deployment := api.Deployment{Module: module.Module, Config: d.config}
		logs := &api.DeployViewPatternOptions{Logs: d.set.prefix + "-*"}
		if _, err := sdk.DeployViewPattern(ctx, quotaView+"-"+d.set.prefix, deployment, logs); err != nil {
			return fmt.Errorf("deploying quota: %w", err)
		}
		if err := s.each(ctx, d.set, func(c *client, g *generator, i int) error {
			if _, err := c.do("POST", "/logs", "", []byte(`{"name":"`+d.set.name(i)+`"}`)); err != nil {
				return err
			}
			return appendOnce(c, g, d.set, i)
		}); err != nil {
			return fmt.Errorf("creating a log with quota: %w", err)
		}
	}
	return nil
}

// refusedAppends is appends where every event is refused.
func (s *stage) refusedAppends(set logs) workerFactory {
	appends := s.appends(set)
	return func(ctx context.Context, i int) (worker, error) {
		w, err := appends(ctx, i)
		if err == nil {
			w.flow.want = "429"
		}
		return w, err
	}
}

// dryRuns asks about single events for random logs of the set.
func (s *stage) dryRuns(set logs) workerFactory {
	paths := set.paths("/append?dry_run=true")
	return s.clientWorkers(func(c *client, g *generator) (int, error) {
		_, err := c.do("POST", paths[g.random.IntN(len(paths))], "", g.json(time.Now()))
		return 1, err
	})
}
