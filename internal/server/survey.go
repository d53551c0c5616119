package server

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/metrics"
)

const (
	// surveyEvery is how often the database is read for what metrics say of it as a whole; surveyTimeout is how long that may take.
	surveyEvery   = time.Minute
	surveyTimeout = 10 * time.Second
	// mostCounted bounds what is counted of the queue.
	mostCounted = 100_000
)

// survey keeps what metrics say of the database as a whole, so that no scrape waits for it.
type survey struct {
	db  *db.DB
	log *slog.Logger

	mu   sync.Mutex
	last metrics.Survey
	at   time.Time
}

// run reads the database now and then until ctx ends.
func (s *survey) run(ctx context.Context) {
	tick := time.NewTicker(surveyEvery)
	defer tick.Stop()
	for {
		if err := s.read(ctx); err != nil && ctx.Err() == nil { // its age tells, too
			s.log.LogAttrs(ctx, slog.LevelWarn, "reading the database for metrics failed; trying again in a minute", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *survey) read(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, surveyTimeout)
	defer cancel()
	now := metrics.Survey{Done: true, Versions: map[string]int64{}}
	rows, err := s.db.CountVersions(ctx, s.db.Read)
	if err != nil {
		return db.Classify(err)
	}
	for _, row := range rows {
		now.Versions[row.Status] = row.Versions
	}
	if now.MonthsAhead, err = s.db.MonthsAhead(ctx, s.db.Read); err != nil {
		return db.Classify(err)
	}
	if now.DefaultHoldsEvents, err = s.db.EventsDefaultInUse(ctx, s.db.Read); err != nil {
		return db.Classify(err)
	}
	queue, err := s.db.WebhookQueue(ctx, s.db.Read, mostCounted)
	if err != nil {
		return db.Classify(err)
	}
	now.QueuedWebhooks, now.OldestWebhookSeconds = queue.Jobs, queue.OldestSeconds
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.at = now, time.Now()
	return nil
}

// get returns what was read last.
func (s *survey) get() metrics.Survey {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.last
	last.SecondsSinceReading = time.Since(s.at).Seconds()
	return last
}
