// Package ingest appends events. It owns the one transaction in which events, view state and heads move together, and
// commits the appends of many clients as one: see lane.commit and lane.transact.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

const (
	// MaxBatchEvents and MaxBatchBytes bound one request.
	MaxBatchEvents = 10_000
	MaxBatchBytes  = 10 << 20
	// A lane closes a group when it has this much; what is left waits for the next. A group that is too large would
	// make everybody in it wait for the slowest.
	maxGroupEvents = 10_000
	maxGroupBytes  = 16 << 20
	// commitTimeout is how long a lane works on a group before it gives it up. slowCommitTimeout is that of a lane for slow logs, where a
	// request may take slowFoldTime, and twice that where keys were missing.
	commitTimeout     = 30 * time.Second
	slowCommitTimeout = 60 * time.Second
)

// AnySequence as Request.Expected asks nothing of the log's head.
const AnySequence int64 = -1

// Request is events for one log. They are appended together and in order, or not at all.
type Request struct {
	Events   []event.Event
	Expected int64 // the sequence that the log must be at, or AnySequence
}

// Appended is where an event is in its log.
type Appended struct {
	Sequence  int64
	Duplicate bool // the event was there before: its idempotency key says so
	Ahead     bool // the event is new, and says that it happened more than AheadAfter later than it was recorded
}

// AheadAfter is from when on an event's time is taken for a mistake that somebody should see: clocks differ by seconds, and times without
// their zone by 14 hours at most.
const AheadAfter = 24 * time.Hour

var (
	// ErrBusy: more appends wait than the limits allow, or the lane did not get to the request in time. Nothing was stored; try again a
	// little later.
	ErrBusy = errors.New("too many appends are waiting")
	// ErrClosed: the server is stopping. Nothing was stored.
	ErrClosed = errors.New("the server is stopping")
	// ErrOutcomeUnknown: the database went away during COMMIT, or answered it with an error that may come after the fact, and did not come
	// back in time to ask. The events are stored or they are not; a retry with the same idempotency key settles it.
	ErrOutcomeUnknown = db.ErrOutcomeUnknown
)

// SequenceMismatchError: the log is not where the request expected it. Nothing was stored.
type SequenceMismatchError struct{ Expected, Head int64 }

func (e *SequenceMismatchError) Error() string {
	return fmt.Sprintf("the log is at sequence %d, not at %d", e.Head, e.Expected)
}

// KeyReusedError: an idempotency key belongs to an event with other bytes. Nothing was stored.
type KeyReusedError struct {
	Index    int // of the event in the request
	Key      string
	Sequence int64 // of the event that has the key; 0 when that is an earlier one of the same request
}

func (e *KeyReusedError) Error() string {
	if e.Sequence == 0 {
		return fmt.Sprintf("the idempotency key %q is used by two events of this request, whose bytes differ", e.Key)
	}
	return fmt.Sprintf("the idempotency key %q belongs to event %d, whose bytes differ", e.Key, e.Sequence)
}

// TooFarAheadError: an event says that it will happen later than is allowed. Nothing was stored.
type TooFarAheadError struct {
	Index int   // of the event in the request
	Time  int64 // of the event, microseconds since 1970 UTC
	Most  time.Duration
}

func (e *TooFarAheadError) Error() string {
	return fmt.Sprintf("the event's time is %s, which is more than %v ahead of now", time.UnixMicro(e.Time).UTC().Format(time.RFC3339), e.Most)
}

// IndexOf returns which event of a request err is about, if it is about one.
func IndexOf(err error) (int, bool) {
	var reused *KeyReusedError
	var ahead *TooFarAheadError
	switch {
	case errors.As(err, &reused):
		return reused.Index, true
	case errors.As(err, &ahead):
		return ahead.Index, true
	}
	return 0, false
}

// Config says how appends are grouped.
type Config struct {
	Lanes            int // group-commit loops, each with one transaction at a time
	MaxWaitingEvents int // per lane
	MaxWaitingBytes  int // per lane
	// MaxAhead is how far ahead of the time of recording a new event's own may be; 0: any.
	MaxAhead time.Duration
	// Room is where the memory is booked of what the views of groups under way set and read; nil: nowhere.
	Room *memory.Book
	// Committed is told of each log's events once they are durable, before their senders are; it must not wait. May be nil.
	Committed func(log uuid.UUID, events []event.Recorded)
	// Attempted is told how each group's transaction ended, nil when it was committed; it must not wait. May be nil.
	Attempted func(error)
	Now       func() time.Time // when events are recorded: the clock; tests cross a month's end with another
}

// DefaultConfig has a lane for each core, so that PostgreSQL has work while another lane folds; more only make groups smaller.
func DefaultConfig() Config {
	const fewest, most = 2, 16
	return Config{Lanes: min(max(runtime.GOMAXPROCS(0), fewest), most), MaxWaitingEvents: 50_000, MaxWaitingBytes: 64 << 20, Now: time.Now}
}

// Ingester appends events to logs. It is safe for concurrent use.
type Ingester struct{ router *router }

// New returns an ingester that appends from Start until Stop.
func New(d *db.DB, views *view.Views, config Config) *Ingester {
	return &Ingester{newRouter(d, views, config)}
}

// IsFull tells whether any append to the log would end with ErrBusy now: for those who can spare themselves reading the request.
func (g *Ingester) IsFull(log uuid.UUID) bool { return g.router.isFullFor(log) }

// Append adds the request's events to the log and folds them into its live views. When it returns without an error
// they are durable and every query sees them. It cannot be interrupted: a group waits for the database for half a minute at most, and a
// request for the groups before its own.
// The error is ErrBusy, ErrClosed, ErrOutcomeUnknown, a *SequenceMismatchError, a *KeyReusedError, a
// *TooFarAheadError, eventlog.ErrLogNotFound, or one of package db's.
func (g *Ingester) Append(log uuid.UUID, request Request) ([]Appended, error) {
	w := &waiter{log: log, request: request, done: make(chan struct{})}
	for i := range request.Events {
		w.bytes += len(request.Events[i].Data)
	}
	if err := g.router.enqueue(w); err != nil {
		return nil, err
	}
	<-w.done
	return w.appended, w.err
}

// Start starts the lanes.
func (g *Ingester) Start() { g.router.start() }

// Stop implements background.Part: it refuses new appends, finishes those that wait, and returns when all lanes have ended. When ctx ends
// they end at once: what waits is answered with ErrClosed, and what is being committed with ErrOutcomeUnknown. That takes a moment, and no
// error.
func (g *Ingester) Stop(ctx context.Context) error {
	g.router.stop(ctx)
	return nil
}
