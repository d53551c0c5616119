// Package ingest appends events. It owns the one transaction that stores events, view state and heads together, and commits the appends of
// many clients in it as a group. Start reading at lane.run, which forms the groups, and lane.transact, which is the transaction.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/tallystick/tallystick/internal/background"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/tracing"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

const (
	// MaxBatchEvents and MaxBatchBytes bound one request.
	MaxBatchEvents = 10_000
	MaxBatchBytes  = 10 << 20
	// maxGroupEvents and maxGroupBytes bound a group; the rest waits for the next one. Everybody in a group waits for all of it, so it must
	// not grow with the load.
	maxGroupEvents = 10_000
	maxGroupBytes  = 16 << 20
	// commitTimeout is how long a lane works on a group before it gives up; slowCommitTimeout is the same for a slow lane, where folding
	// one request may take slowFoldTime, and again as long once missing keys were read.
	commitTimeout     = 30 * time.Second
	slowCommitTimeout = 60 * time.Second
)

// AnySequence is the Request.Expected that accepts any head.
const AnySequence int64 = -1

// Request holds events for one log. They are appended together and in order, or not at all.
type Request struct {
	Events   []event.Event
	Expected int64 // the sequence that the log must be at, or AnySequence
	// Separate has an event that cannot be appended refused by itself, by its Appended.Err, and not the request.
	Separate bool
	// Unguarded has the events appended without asking guards: they say what has been refused, and must not be refused themselves.
	Unguarded bool
	Span      tracing.Span // of the append
}

// Appended is an event's position in its log.
type Appended struct {
	Sequence  int64
	Duplicate bool // an earlier append stored the event under the same idempotency key
	Ahead     bool // the event is new, and its time is more than AheadAfter later than when it was recorded
	// Guards is what guards said of the event when they admitted it, a JSON object of their answers by the names of the views; "" when they
	// said nothing, and of a duplicate, about which they are not asked.
	Guards string
	// Err is why the event was refused, in a request whose events are separate: a *KeyReusedError, *TooFarAheadError or *RefusedError.
	Err error
}

// AheadAfter is how far ahead of its recording an event's time may be before it looks like a mistake: clocks differ by seconds, and a
// wrong time zone explains 14 hours at most.
const AheadAfter = 24 * time.Hour

var (
	// ErrBusy: more appends wait than the limits allow, or the lane did not get to the request in time. Nothing was stored; retry a little
	// later.
	ErrBusy = errors.New("too many appends are waiting")
	// ErrClosed: the server is stopping. Nothing was stored.
	ErrClosed = errors.New("the server is stopping")
	// ErrOutcomeUnknown: the connection was lost during COMMIT, or COMMIT failed with an error that does not rule out success, and the
	// database did not come back in time to find out. The events are stored, all of them, or none is; a retry with the same idempotency
	// keys is safe.
	ErrOutcomeUnknown = db.ErrOutcomeUnknown
)

// SequenceMismatchError: the log's head is not at the sequence that the request expected. Nothing was stored.
type SequenceMismatchError struct{ Expected, Head int64 }

func (e *SequenceMismatchError) Error() string {
	return fmt.Sprintf("the log is at sequence %d, not at %d", e.Head, e.Expected)
}

// KeyReusedError: an idempotency key belongs to an event with different bytes. Nothing was stored.
type KeyReusedError struct {
	Index    int // of the event in the request
	Key      string
	Sequence int64 // of the event that has the key; 0 when it is an earlier one of the same request
}

func (e *KeyReusedError) Error() string {
	if e.Sequence == 0 {
		return fmt.Sprintf("the idempotency key %q is used by two events of this request, whose bytes differ", e.Key)
	}
	return fmt.Sprintf("the idempotency key %q belongs to event %d, whose bytes differ", e.Key, e.Sequence)
}

// TooFarAheadError: an event's time is further in the future than Config.MaxAhead allows. Nothing was stored.
type TooFarAheadError struct {
	Index int   // of the event in the request
	Time  int64 // of the event, microseconds since 1970 UTC
	Most  time.Duration
}

func (e *TooFarAheadError) Error() string {
	at := time.UnixMicro(e.Time).UTC().Format(time.RFC3339)
	return fmt.Sprintf("the event's time is %s, which is more than %v ahead of now", at, e.Most)
}

// RefusedError: the guard of one of the log's views does not admit an event. Nothing was stored.
type RefusedError struct {
	Index int // of the event in the request
	*view.RefusedByGuardError
}

// Unwrap returns the guard's refusal.
func (e *RefusedError) Unwrap() error { return e.RefusedByGuardError }

// checkExpected returns why the request's events must not follow the head.
func (r *Request) checkExpected(head int64) error {
	if r.Expected == AnySequence || r.Expected == head {
		return nil
	}
	return &SequenceMismatchError{Expected: r.Expected, Head: head}
}

// IndexOf returns the index of the event that err is about; false when err is not about one event.
func IndexOf(err error) (int, bool) {
	var reused *KeyReusedError
	var ahead *TooFarAheadError
	var refused *RefusedError
	switch {
	case errors.As(err, &reused):
		return reused.Index, true
	case errors.As(err, &ahead):
		return ahead.Index, true
	case errors.As(err, &refused):
		return refused.Index, true
	}
	return 0, false
}

// Config configures an Ingester. Start from DefaultConfig.
type Config struct {
	Lanes            int // shared group-commit loops, each with one transaction at a time; SlowLanes more are started for slow logs
	MaxWaitingEvents int // per lane
	MaxWaitingBytes  int // per lane
	// MaxAhead is how far a new event's time may be ahead of its recording; 0 means no limit.
	MaxAhead time.Duration
	// Room books the memory that views set and read while their group is folded; nil means no bound.
	Room *memory.Book
	// Appending is called before a group is committed, with the logs that get events: it may queue statements for that transaction. Once it
	// is committed, Committed is called for each of them; if it is not, or that is unknown, Appending may be called again. It must not
	// block. May be nil.
	Appending func(ctx context.Context, to *db.Pipeline, logs []uuid.UUID) error
	// Committed is called with each log's new events once they are durable, before Append returns. It must not block. May be nil.
	Committed func(log uuid.UUID, events []event.Recorded)
	// Attempted is called with the outcome of each group, nil when it was committed. It must not block. May be nil.
	Attempted func(error)
	// StalledAfter is for how long an append of any server may have heads locked while its server sends nothing, before it is ended.
	StalledAfter time.Duration
	Log          *slog.Logger
	// Tracer makes spans of groups; nil for none.
	Tracer *tracing.Tracer
	Now    func() time.Time // the clock that events are recorded by
}

// DefaultConfig has a lane for each core, so that PostgreSQL has work while another lane folds; more would only make groups smaller.
func DefaultConfig() Config {
	const fewest, most = 2, 16
	return Config{
		Lanes:            min(max(runtime.GOMAXPROCS(0), fewest), most),
		MaxWaitingEvents: 50_000, MaxWaitingBytes: 64 << 20,
		StalledAfter: stalledAfter, Log: slog.Default(),
		Now: time.Now,
	}
}

// Ingester appends events to logs. It is safe for concurrent use.
type Ingester struct {
	router *router
	// db, views and config are for dry runs.
	db     *db.DB
	views  *view.Views
	config Config
	beside background.Worker
}

// New returns an ingester that appends from Start until Stop.
func New(d *db.DB, views *view.Views, config Config) *Ingester {
	return &Ingester{router: newRouter(d, views, config), db: d, views: views, config: config}
}

// IsFull reports whether any append to the log would fail with ErrBusy now, so that its request need not be read.
func (g *Ingester) IsFull(log uuid.UUID) bool { return g.router.isFullFor(log) }

// Append adds the request's events to the log and folds them into its live views. When it returns nil, the events are durable and every
// query sees them.
//
// Append takes no context, because a request cannot leave its group: it returns when the group has been committed or given up, or when Stop
// runs out of time. A lane gives up a group after 30 seconds, a lane for slow logs after 60, so a request waits for that long and for the
// groups before its own.
//
// The error is ErrBusy, ErrClosed, ErrOutcomeUnknown, a *SequenceMismatchError, *KeyReusedError, *TooFarAheadError, *RefusedError,
// *TooCostlyError or *view.GuardHaltedError, memory.ErrFull, eventlog.ErrLogNotFound, or one of package db's.
func (g *Ingester) Append(log uuid.UUID, request Request) ([]Appended, error) {
	pending, err := g.Enqueue(log, request)
	if err != nil {
		return nil, err
	}
	return pending.Wait()
}

// Pending is a request that a lane has taken.
type Pending struct{ w *waiter }

// Enqueue is Append without waiting for the outcome: one caller can have requests for many logs in one group. The error is ErrBusy or
// ErrClosed; then nothing was enqueued.
func (g *Ingester) Enqueue(log uuid.UUID, request Request) (Pending, error) {
	w := &waiter{log: log, request: request, since: time.Now(), done: make(chan struct{})}
	for i := range request.Events {
		w.bytes += len(request.Events[i].Data)
	}
	return Pending{w}, g.router.enqueue(w)
}

// Wait returns what Append does, once that is known.
func (p Pending) Wait() ([]Appended, error) {
	<-p.w.done
	return p.w.appended, p.w.err
}

// Start starts the lanes.
func (g *Ingester) Start() {
	g.router.start()
	g.beside.Go(g.endStalled)
}

// Stop implements background.Part: it refuses new appends, finishes those that wait, and returns when all lanes have ended. When ctx ends,
// requests that wait fail with ErrClosed and those being committed with ErrOutcomeUnknown, and Stop returns a moment later. The error is
// always nil.
func (g *Ingester) Stop(ctx context.Context) error {
	_ = g.beside.Stop(ctx) // it ends a statement at most
	g.router.stop(ctx)
	return nil
}
