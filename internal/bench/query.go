package bench

import (
	"context"
	"fmt"
	"time"
)

const (
	// historyBatch is the number of events that one request loads.
	historyBatch = 5000
	// historyEvents in historySpan is the rate at which loaded events happened: 25 in each minute for four weeks.
	historyEvents = 1_000_000
	historySpan   = 28 * 24 * time.Hour
)

// history is a log whose events happened one after another at a steady rate.
type history struct {
	logs
	events int
	from   time.Time
}

func newHistory(prefix string, events int) *history {
	h := &history{logs: logs{prefix: prefix, count: 1}, events: events}
	h.from = time.Now().Add(-h.span())
	return h
}

// largeHistory returns the log with the longest history, which the first call loads.
func (s *stage) largeHistory(ctx context.Context) (*history, error) {
	if s.large == nil {
		large := newHistory("large", s.config.scale().largeHistory)
		if err := large.load(ctx, s); err != nil {
			return nil, err
		}
		s.large = large
	}
	return s.large, nil
}

// vacuumedHistory returns the large history after VACUUM, so that autovacuum does not disturb the measurement.
func (s *stage) vacuumedHistory(ctx context.Context) (*history, error) {
	h, err := s.largeHistory(ctx)
	if err != nil {
		return nil, err
	}
	return h, s.execute(ctx, "VACUUM ANALYZE", "CHECKPOINT")
}

// span is how long the events took to happen.
func (h *history) span() time.Duration {
	return time.Duration(float64(historySpan) * float64(h.events) / historyEvents)
}

// load creates the log with its views and appends the events in batches.
func (h *history) load(ctx context.Context, s *stage) error {
	if err := s.createLogs(ctx, h.logs); err != nil {
		return err
	}
	c, err := dial(ctx, s.server.address)
	if err != nil {
		return err
	}
	defer c.close()
	g := newGenerator(0)
	step := h.span() / time.Duration(h.events)
	var lines []byte
	for i := range h.events {
		lines = append(g.event(h.from.Add(time.Duration(i)*step)).appendJSON(lines), '\n')
		if (i+1)%historyBatch == 0 || i == h.events-1 {
			if _, err := c.do("POST", h.path(0)+"/append_batch", "", lines); err != nil {
				return fmt.Errorf("loading events: %w", err)
			}
			lines = lines[:0]
		}
	}
	return nil
}

// queries sends queries to the three views in turn: the totals and the costs of a month, and the rate of five minutes, at a random time
// between from and from+span. Each query goes to a random log of the set.
func (s *stage) queries(set logs, from time.Time, span time.Duration) workerFactory {
	return func(ctx context.Context, i int) (worker, error) {
		turn := i
		return s.clientWorkers(func(c *client, g *generator) (int, error) {
			at := from.Add(time.Duration(g.random.Int64N(int64(span)))).UTC()
			path := set.path(g.random.IntN(set.count)) + "/views/"
			switch turn++; turn % 3 {
			case 0:
				path += "monthly-totals/query?month=" + at.Format("2006-01")
			case 1:
				path += "rate-check/query?minutes=5&time=" + at.Format(time.RFC3339)
			default:
				path += "cost-by-team/query?month=" + at.Format("2006-01")
			}
			_, err := c.do("GET", path, "", nil)
			return 1, err
		})(ctx, i)
	}
}
