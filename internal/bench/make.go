package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// The measurements of making logs.
const (
	makeDeploys = "make/deploys"
	makePattern = "make/pattern"
)

// patternViews is the prefix of the views that patterns deploy, madeByPattern that of the matching logs.
const (
	patternViews  = "pattern-"
	madeByPattern = "patterned"
)

func makeRows() []rowKind {
	rate := func(name, what, figure string, atLeast float64) rowKind {
		return rowKind{
			name: name, what: what, unit: "/s", atLeast: atLeast, needs: []string{figure},
			value: func(f figures, _ *stage) (float64, string) {
				made := f[figure]
				return made.PerSecond, fmt.Sprintf("processor time for a log: %.0f µs in the server, %.0f µs in PostgreSQL",
					made.ServerCPU, made.PostgresCPU)
			},
		}
	}
	return []rowKind{
		rate("make-deploys", "logs made with three views, each deployed on each log, 16 connections", makeDeploys, 200),
		rate("make-pattern", "logs made whose three views come by patterns, 16 connections", makePattern, 800),
	}
}

// makePhase creates logs, with views deployed one by one and with views from patterns.
func makePhase() phase {
	return phase{
		prepare: func(ctx context.Context, s *stage, _ reporter) error {
			c, err := dial(ctx, s.server.address)
			if err != nil {
				return err
			}
			defer c.close()
			for _, m := range s.modules {
				if _, err := c.do("POST", "/views/"+patternViews+m.view+"?logs="+madeByPattern+"-*", "", m.deploy); err != nil {
					return fmt.Errorf("deploying on a pattern: %w", err)
				}
			}
			return nil
		},
		measurements: []measurement{
			making(makeDeploys, func(s *stage) workerFactory { return s.newLogs("deployed", s.modules) }),
			making(makePattern, func(s *stage) workerFactory { return s.newLogs(madeByPattern, nil) }),
		},
	}
}

// making counts every log that was begun and measures until the last one is made: on a busy machine, one log takes longer than a quick
// measurement.
func making(name string, workers func(s *stage) workerFactory) measurement {
	return measurement{names: []string{name}, run: func(ctx context.Context, s *stage, report reporter) error {
		result, err := s.driveFor(ctx, setupClients, workers(s), s.config.Duration)
		if err == nil {
			report(name, result)
		}
		return err
	}}
}

// newLogs creates logs with the prefix and deploys the modules on each.
func (s *stage) newLogs(prefix string, modules []module) workerFactory {
	run := strconv.FormatInt(time.Now().UnixNano(), 36)
	return func(ctx context.Context, i int) (worker, error) {
		made := 0
		return s.clientWorkers(func(c *client, _ *generator) (int, error) {
			made++
			name := fmt.Sprintf("%s-%s-%d-%d", prefix, run, i, made)
			if _, err := c.do("POST", "/logs", "", []byte(`{"name":"`+name+`"}`)); err != nil {
				return 0, fmt.Errorf("creating a log: %w", err)
			}
			for _, m := range modules {
				if _, err := c.do("POST", "/logs/"+name+"/views/"+m.view, "", m.deploy); err != nil {
					return 0, fmt.Errorf("deploying a view: %w", err)
				}
			}
			return 1, nil
		})(ctx, i)
	}
}
