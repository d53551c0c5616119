// Package live tells whoever watches a log that it has changed, the moment that is committed: in this server by ingest, in others by
// NOTIFY. A notification is a hint, never the data: what has changed is read from the log, and heads are polled for what no
// notification told.
package live

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/eventlog"
)

// Config says how changes travel. Start from DefaultConfig.
type Config struct {
	// Coalesce is for how long changes are gathered before other servers are told: each NOTIFY takes a lock that all share.
	Coalesce time.Duration
	// Poll is how often the heads of watched logs are read: the longest that a change stays unseen when no notification tells of it, such as
	// that of a view's version.
	Poll time.Duration
	// Watchers is how many may watch at a time; each holds a connection of its client and some 50 KB.
	Watchers int
	Log      *slog.Logger
}

// DefaultConfig tells other servers within a fiftieth of a second.
func DefaultConfig() Config {
	return Config{Coalesce: 20 * time.Millisecond, Poll: time.Second, Watchers: 10_000, Log: slog.Default()}
}

var (
	// ErrTooManyWatchers: as many watch as Config allows.
	ErrTooManyWatchers = errors.New("too many watch")
	// ErrClosed: the server is stopping.
	ErrClosed = errors.New("the server is stopping")
)

// Hub knows who watches which log. It is safe for concurrent use.
type Hub struct {
	db     *db.DB
	reader *eventlog.Reader
	config Config
	id     string // tells this server's notifications from others'

	mu       sync.Mutex
	topics   map[db.UUID]*topic
	watchers int
	changed  map[db.UUID]int64 // that other servers have not been told of, with the last sequence; nil when there are too many
	wake     chan struct{}     // says that changed is no longer empty
	open     context.Context   //nolint:containedctx // ends with Close: it is no request's
	close    context.CancelFunc
}

// New returns a hub without watchers. Run makes it hear of other servers; Close ends all watching.
func New(d *db.DB, reader *eventlog.Reader, config Config) *Hub {
	h := &Hub{
		db: d, reader: reader, config: config, id: db.NewUUID().String(),
		topics: map[db.UUID]*topic{}, changed: map[db.UUID]int64{}, wake: make(chan struct{}, 1),
	}
	h.open, h.close = context.WithCancel(context.Background())
	return h
}

// State is how far a log is, as far as is known here: it may be further. Epoch grows whenever the set of its live views changes.
type State struct{ Sequence, Epoch int64 }

// Watch is one watcher of a log. It is for one goroutine.
type Watch struct {
	hub    *Hub
	log    db.UUID
	topic  *topic
	closed bool // guarded by the hub
}

// Watch begins to watch a log: what is committed from now on is told. Close ends it. The error is ErrTooManyWatchers or ErrClosed.
func (h *Hub) Watch(log db.UUID) (*Watch, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.open.Err() != nil:
		return nil, ErrClosed
	case h.watchers >= h.config.Watchers:
		return nil, ErrTooManyWatchers
	}
	t := h.topics[log]
	if t == nil {
		t = newTopic()
		h.topics[log] = t
	}
	h.watchers++
	t.watchers++
	return &Watch{hub: h, log: log, topic: t}, nil
}

// Close ends the watching. Closing twice is allowed.
func (w *Watch) Close() {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	if w.closed {
		return
	}
	w.closed = true
	w.hub.watchers--
	if w.topic.watchers--; w.topic.watchers == 0 {
		delete(w.hub.topics, w.log)
	}
}

// Know takes over a state that was read from the database.
func (w *Watch) Know(state State) { w.topic.moveTo(state) }

// State returns the log's state, and a channel that is closed when it is another.
func (w *Watch) State() (State, <-chan struct{}) {
	w.topic.mu.Lock()
	defer w.topic.mu.Unlock()
	return w.topic.state, w.topic.moved
}

// Done is closed when the server stops.
func (h *Hub) Done() <-chan struct{} { return h.open.Done() }

// OnClose has f called, in a goroutine of its own, when the server stops, unless stop is called before.
func (h *Hub) OnClose(f func()) (stop func() bool) { return context.AfterFunc(h.open, f) }

// Close ends all watching: whoever watches is to let go.
func (h *Hub) Close() {
	h.mu.Lock() // whoever began to watch before can be told
	defer h.mu.Unlock()
	h.close()
}

// maxChanged bounds how many changed logs other servers are told of one by one; they poll all that they watch when there are more.
const maxChanged = 1000

// Committed says that events of a log are committed, the log's last ones. It does not wait for anything.
func (h *Hub) Committed(log db.UUID, events []eventlog.Recorded) {
	if len(events) == 0 {
		return
	}
	last := events[len(events)-1].Sequence
	h.mu.Lock()
	t := h.topics[log]
	if h.changed != nil {
		h.changed[log] = last
		if len(h.changed) > maxChanged {
			h.changed = nil
		}
	}
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
	if t != nil {
		t.add(events)
	}
}

// told says that another server has moved a log to a sequence.
func (h *Hub) told(log db.UUID, sequence int64) {
	h.mu.Lock()
	t := h.topics[log]
	h.mu.Unlock()
	if t != nil {
		t.moveTo(State{Sequence: sequence})
	}
}

// watched are the logs that somebody watches.
func (h *Hub) watched() []db.UUID {
	h.mu.Lock()
	defer h.mu.Unlock()
	logs := make([]db.UUID, 0, len(h.topics))
	for log := range h.topics {
		logs = append(logs, log)
	}
	return logs
}

// poll reads the heads of all watched logs.
func (h *Hub) poll(ctx context.Context) error {
	logs := h.watched()
	if len(logs) == 0 {
		return nil
	}
	rows, err := h.db.ListHeads(ctx, h.db.Read, logs)
	if err != nil {
		return db.Classify(err)
	}
	for _, row := range rows {
		h.mu.Lock()
		t := h.topics[row.LogID]
		h.mu.Unlock()
		if t != nil {
			t.moveTo(State{Sequence: row.Sequence, Epoch: row.ViewsEpoch})
		}
	}
	return nil
}
