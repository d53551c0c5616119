package webhook

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/background"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/stats"
)

const (
	// schema has the queue's tables, which migrations make (migrations/00022_webhooks.sql).
	schema = "tally_queue"
	// queue is the queue's name for deliveries.
	queue = "webhooks"
	// maxRuns bounds how often a job may begin. Each try that fails gives its run back, so only servers that are killed use them up.
	maxRuns = 1000
	// runTimeout bounds one run of a job: a try, and recording it. A job that has run for rescueAfter was a killed server's.
	runTimeout  = TryTimeout + 15*time.Second
	rescueAfter = 2 * runTimeout
	// softStop is how long requests that are under way have when a server stops. What they do not finish is sent again.
	softStop = 3 * time.Second
	// fetchCooldown bounds how often a server takes jobs, and fetchPoll how late it finds one that no notification told it of.
	fetchCooldown = 50 * time.Millisecond
	fetchPoll     = time.Second
)

// Config says how requests are sent. Start from DefaultConfig.
type Config struct {
	// Allow has networks that requests may go to, although they are not public. To their addresses http is allowed as well.
	Allow []netip.Prefix
	// Workers is how many requests this server has under way at a time, at most.
	Workers int
	Version string // of the program, for User-Agent
	Log     *slog.Logger

	schedule []time.Duration // waits between tries; for tests
	resolver resolver        // for tests
	roots    *x509.CertPool  // for tests
	timeout  time.Duration   // of one try; for tests
	rescue   time.Duration   // rescueAfter; for tests
	poll     time.Duration   // fetchPoll; for tests
	soft     time.Duration   // softStop; for tests
}

// DefaultConfig sends to public addresses only.
func DefaultConfig() Config { return Config{Workers: 64, Log: slog.Default()} }

// Webhooks keeps receivers, and delivers to them between Start and Stop. It is safe for concurrent use.
type Webhooks struct {
	db     *db.DB
	record *access.Registry
	config Config
	queue  *river.Client[pgx.Tx]
	sender *sender
	turns  *turns
	Stats  Stats

	background background.Worker
}

// New returns the webhooks of a database. Without Start, it takes announcements, which another server delivers.
func New(d *db.DB, config Config) (*Webhooks, error) {
	if config.schedule == nil {
		config.schedule = Schedule
	}
	if config.timeout == 0 {
		config.timeout = TryTimeout
	}
	if config.rescue == 0 {
		config.rescue = rescueAfter
	}
	if config.poll == 0 {
		config.poll = fetchPoll
	}
	if config.soft == 0 {
		config.soft = softStop
	}
	w := &Webhooks{
		db: d, record: access.NewRegistry(d), config: config, sender: newSender(config), turns: newTurns(config.Workers),
		Stats: Stats{Tries: stats.NewTimes()},
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{of: w})
	var err error
	w.queue, err = river.NewClient(riverpgxv5.New(d.Queue), &river.Config{
		Schema:  schema,
		Queues:  map[string]river.QueueConfig{queue: {MaxWorkers: config.Workers}},
		Workers: workers,
		Logger:  slog.New(warningsOnly{config.Log.Handler()}),

		FetchCooldown: fetchCooldown, FetchPollInterval: config.poll,
		JobTimeout: min(runTimeout, config.rescue), RescueStuckJobsAfter: config.rescue, SoftStopTimeout: config.soft,
		// What became of a delivery is in tables of ours. Indexes are not made anew: a server may not change tables.
		CompletedJobRetentionPeriod: time.Minute, CancelledJobRetentionPeriod: time.Hour, DiscardedJobRetentionPeriod: time.Hour,
		ReindexerIndexNames: []string{},
	})
	if err != nil {
		return nil, fmt.Errorf("preparing the queue of webhooks: %w", err)
	}
	return w, nil
}

// Start delivers until Stop. The error is the database's; ctx does not bound what runs on.
func (w *Webhooks) Start(ctx context.Context) error {
	if err := w.queue.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("starting the queue of webhooks: %w", db.Classify(err))
	}
	w.background.Go(w.notice) //nolint:contextcheck // until Stop
	w.background.Go(w.prune)  //nolint:contextcheck // likewise
	return nil
}

// Stop implements background.Part. Requests that are under way have a few seconds; what they do not finish is sent again later.
func (w *Webhooks) Stop(ctx context.Context) error {
	if err := w.background.Stop(ctx); err != nil {
		return err
	}
	if err := w.queue.Stop(ctx); err != nil {
		return fmt.Errorf("stopping the queue of webhooks: %w", err)
	}
	w.sender.close()
	return nil
}

var _ background.Part = (*Webhooks)(nil)

// warningsOnly leaves out what River logs of its own doings.
type warningsOnly struct{ slog.Handler }

func (h warningsOnly) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

func (h warningsOnly) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warningsOnly{h.Handler.WithAttrs(attrs)}
}

func (h warningsOnly) WithGroup(name string) slog.Handler {
	return warningsOnly{h.Handler.WithGroup(name)}
}
