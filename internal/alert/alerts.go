package alert

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/background"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

// Announcement is what receivers are to be told of a crossing.
type Announcement struct {
	Kind string // Fired or Resolved
	Log  string
	Data json.RawMessage
	Key  string // names the crossing: a receiver is told of it once
}

// Config configures Alerts. Start from DefaultConfig.
type Config struct {
	// Announce puts down what is announced, in the transaction that records it.
	Announce func(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, a Announcement) error
	// Workers is how many logs are evaluated at a time. A quarter of them, and one more, are for views that are slow.
	Workers int
	// Dead is after how long without a sign of life a server's work is taken over. It gives a sign ten times as often.
	Dead time.Duration
	// Room books the memory of what is read to evaluate; nil means no bound.
	Room *memory.Book
	Now  func() time.Time
	Log  *slog.Logger
}

// DefaultConfig has others take over within ten seconds.
func DefaultConfig() Config {
	return Config{Workers: 4, Dead: 10 * time.Second, Now: time.Now, Log: slog.Default()}
}

// Alerts keeps the alerts of a database, and evaluates them from Start until Stop. It is safe for concurrent use.
type Alerts struct {
	db     *db.DB
	logs   *eventlog.Logs
	views  *view.Views
	config Config
	record *access.Registry
	stats  *Stats

	known   *known
	pending *pending
	queue   *queue
	states  states
	upkeep  upkeep
	worker  background.Worker

	// beforeRecord is called between an evaluation and its record, in tests.
	beforeRecord func(ctx context.Context, log uuid.UUID)
}

// New returns the alerts of the database.
func New(d *db.DB, logs *eventlog.Logs, views *view.Views, config Config) *Alerts {
	a := &Alerts{
		db: d, logs: logs, views: views, config: config, record: access.NewRegistry(d), stats: newStats(), known: newKnown(d, config.Log),
		states: states{of: map[stateKey]state{}},
	}
	a.queue = newQueue()
	a.pending = newPending(a.queue)
	return a
}

// Start starts evaluating.
func (a *Alerts) Start() {
	a.worker.Go(a.keepKnown)
	a.worker.Go(a.keepUp)
	slow := a.config.Workers/4 + 1
	for i := range a.config.Workers + slow {
		a.worker.Go(func(ctx context.Context) { a.work(ctx, i < slow) })
	}
}

// Stop implements background.Part. What has not been evaluated is left to other servers, or to the next start.
func (a *Alerts) Stop(ctx context.Context) error {
	err := a.worker.Stop(ctx)
	if a.pending.known() {
		// Others need not wait then to find it gone; if this fails, they do.
		_ = a.db.LeaveAlertServer(ctx, a.db.Access, a.pending.server)
	}
	return err
}

// covers reports whether an alert covers a log, as far as that is known without asking: if it is not known, it does.
func (a *Alerts) covers(log uuid.UUID) bool {
	set := a.known.current()
	if set == nil {
		return true
	}
	if len(set.byID) == 0 {
		return false
	}
	if alerts, known := set.lookUp(log); known {
		return len(alerts) > 0
	}
	tenant, name, known := a.logs.Owner(log)
	if !known {
		return true
	}
	return len(set.tenants[tenant]) > 0 && len(set.coveredBy(log, tenant, name)) > 0
}
