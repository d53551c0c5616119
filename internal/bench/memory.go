package bench

import (
	"context"
	"errors"
	"time"
)

func memoryPhase() phase {
	return phase{once: true, measurements: []measurement{{names: []string{createLogs, appendRound}, run: measureMemory}}}
}

// measureMemory restarts the server, creates logs with their views, appends one more event to each, and records the server's memory.
func measureMemory(ctx context.Context, s *stage, report reporter) error {
	if err := s.startServer(ctx); err != nil {
		return err
	}
	set := logs{prefix: "memory", count: s.config.scale().memoryLogs}
	began := time.Now()
	if err := s.createLogs(ctx, set); err != nil {
		return err
	}
	created := time.Since(began)
	began = time.Now()
	err := s.each(ctx, set, func(c *client, g *generator, i int) error { return appendOnce(c, g, set, i) })
	if err != nil {
		return err
	}
	report(createLogs, sample{count: set.count, seconds: created.Seconds()})
	report(appendRound, sample{count: set.count, seconds: time.Since(began).Seconds()})
	s.rss, err = residentBytes(s.server.process.PID())
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
