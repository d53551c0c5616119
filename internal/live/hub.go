// Package live notifies watchers of a log when it has changed: ingest reports commits of this server, NOTIFY those of others. A
// notification is a hint, never the data: watchers read the log, and heads are polled for changes without a notification.
package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/background"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

// WatcherBytes is about what a watching client takes in memory, with its connection and without the events on their way to it.
const WatcherBytes = 50 << 10

// Config configures a Hub. Start from DefaultConfig.
type Config struct {
	// Coalesce is how long changes are gathered before other servers are notified: each NOTIFY takes a lock that all share.
	Coalesce time.Duration
	// Poll is how often the heads of watched logs are read. A change without a notification, such as of a view's version, stays unseen for
	// that long.
	Poll time.Duration
	// Watchers is how many may watch at a time; each takes WatcherBytes.
	Watchers int
	// Recent books the memory of watched logs' recent events; nil means no bound.
	Recent *memory.Book
	Log    *slog.Logger
}

// DefaultConfig notifies other servers within a fiftieth of a second.
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
	id     string // distinguishes this server's notifications from others'

	mu       sync.Mutex
	topics   map[uuid.UUID]*topic
	watchers int
	changed  map[uuid.UUID]int64 // last sequences that other servers have not been notified of; nil if there are too many
	wake     chan struct{}       // receives when changed is no longer empty
	open     context.Context     //nolint:containedctx // ends with EndWatches; not a request's
	close    context.CancelFunc
	worker   background.Worker
}

// New returns a hub without watchers. From Start until Stop it exchanges notifications with other servers.
func New(d *db.DB, reader *eventlog.Reader, config Config) *Hub {
	h := &Hub{
		db: d, reader: reader, config: config, id: uuid.New().String(),
		topics: map[uuid.UUID]*topic{}, changed: map[uuid.UUID]int64{}, wake: make(chan struct{}, 1),
	}
	h.open, h.close = context.WithCancel(context.Background())
	return h
}

// State is a log's head as far as this server knows; the log may be ahead. After a restore, or a failover that lost commits, an earlier
// state can follow. The hash then shows that an equal sequence is another event.
type State struct {
	Sequence int64      // noLog if the log is gone
	Hash     event.Hash // zero if unknown, as in notifications from other servers
	Epoch    int64      // changes whenever the set of the log's live views does
	Version  uint64     // grows with every change of the state
}

// noLog is the sequence of a log that no longer exists.
const noLog = -1

func stateOf(head event.Head) State {
	return State{Sequence: head.Sequence, Hash: head.Hash, Epoch: head.ViewsEpoch}
}

// Position is a watcher's position in a log: after the event with that sequence, or 0 for the beginning. The event's hash identifies the
// history; it is zero if unknown.
type Position struct {
	Sequence int64
	Hash     event.Hash
}

// known reports whether the history of the position is known. All histories of a log begin alike.
func (p Position) known() bool { return p.Sequence == 0 || p.Hash != event.Hash{} }

// is reports whether hash is that of the position's event, or either is unknown.
func (p Position) is(hash event.Hash) bool {
	return p.Sequence == 0 || p.Hash == hash || p.Hash == event.Hash{} || hash == event.Hash{}
}

// GoneError: the last event that a watcher has seen is no longer in its log. The database was restored to a state before it, or failed over
// to a server that lacks it.
type GoneError struct{ Sequence, Head int64 }

func (e *GoneError) Error() string {
	return fmt.Sprintf("event %d, which came last, is not in the log any more, which ends at %d: its database was set back",
		e.Sequence, e.Head)
}

// Watch is one watcher of a log. It is for one goroutine.
type Watch struct {
	hub    *Hub
	log    uuid.UUID
	topic  *topic
	wave   *wave
	closed bool // guarded by the hub
}

// Watch starts watching a log: State shows what is committed from now on. Close it. The error is ErrTooManyWatchers or ErrClosed.
func (h *Hub) Watch(log uuid.UUID) (*Watch, error) {
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
		t = newTopic(log, h.config.Recent.Hold())
		h.topics[log] = t
	}
	h.watchers++
	t.watchers++
	return &Watch{hub: h, log: log, topic: t, wave: t.enter()}, nil
}

// Close ends the watch. It may be called twice.
func (w *Watch) Close() {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	if w.closed {
		return
	}
	w.closed = true
	w.hub.watchers--
	w.topic.leave(w.wave)
	if w.topic.watchers--; w.topic.watchers == 0 {
		delete(w.hub.topics, w.log)
		w.topic.close()
	}
}

// Head reads the log's head. The error is eventlog.ErrLogNotFound or the database's.
func (w *Watch) Head(ctx context.Context) (event.Head, error) {
	state, _ := w.State()
	head, err := w.hub.reader.Head(ctx, w.log)
	if err == nil {
		w.topic.observe(state.Version, stateOf(head))
	}
	return head, err
}

// State returns the log's state, and a channel that is closed when the state has changed; a moment later where many watch the log, and
// perhaps once more for a change that the state already shows.
func (w *Watch) State() (State, <-chan struct{}) {
	w.topic.mu.Lock()
	defer w.topic.mu.Unlock()
	return w.topic.state, w.wave.moved
}

// Watching returns how many watch, the most that may, and how many logs they watch.
func (h *Hub) Watching() (watchers, most, logs int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.watchers, h.config.Watchers, len(h.topics)
}

// Done is closed when all watching ends.
func (h *Hub) Done() <-chan struct{} { return h.open.Done() }

// OnEnd calls f in its own goroutine when all watching ends, unless stop is called before.
func (h *Hub) OnEnd(f func()) (stop func() bool) { return context.AfterFunc(h.open, f) }

// EndWatches ends all watching for good: it closes Done, upon which watchers must leave. Other servers are notified until Stop.
func (h *Hub) EndWatches() {
	h.mu.Lock() // so that Watch either sees the end or precedes it
	defer h.mu.Unlock()
	h.close()
}

// Start starts notifying other servers of changes, listening to theirs, and polling.
func (h *Hub) Start() {
	h.worker.Go(func(ctx context.Context) { h.keepUp(ctx, "telling other servers of changes", h.notify) })
	h.worker.Go(func(ctx context.Context) { h.keepUp(ctx, "hearing of other servers' changes", h.listen) })
	h.worker.Go(h.pollAll)
}

// Stop implements background.Part. It ends all watching.
func (h *Hub) Stop(ctx context.Context) error {
	h.EndWatches()
	return h.worker.Stop(ctx)
}

// maxChanged bounds the changed logs that a notification names. When there are more, it names none, and other servers poll all that they
// watch.
const maxChanged = 1000

// Committed reports that events of a log are committed; they are its last ones. It does not block.
func (h *Hub) Committed(log uuid.UUID, events []event.Recorded) {
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

// observe records that another server has moved a log to a sequence.
func (h *Hub) observe(log uuid.UUID, sequence int64) {
	h.mu.Lock()
	t := h.topics[log]
	h.mu.Unlock()
	if t != nil {
		t.hear(sequence)
	}
}

// watched returns the watched topics, with the version of each one's state.
func (h *Hub) watched() map[*topic]uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	topics := make(map[*topic]uint64, len(h.topics))
	for _, t := range h.topics {
		topics[t] = t.version()
	}
	return topics
}

// poll reads the heads of all watched logs.
func (h *Hub) poll(ctx context.Context) error {
	topics := h.watched()
	if len(topics) == 0 {
		return nil
	}
	logs := make([]uuid.UUID, 0, len(topics))
	for t := range topics {
		logs = append(logs, t.log)
	}
	rows, err := h.db.ListHeads(ctx, h.db.Read, logs)
	if err != nil {
		return db.Classify(err)
	}
	found := make(map[uuid.UUID]State, len(rows))
	for _, row := range rows {
		found[row.LogID] = State{Sequence: row.Sequence, Hash: event.Hash(row.Hash), Epoch: row.ViewsEpoch}
	}
	for t, version := range topics {
		state, ok := found[t.log]
		if !ok {
			state.Sequence = noLog
		}
		t.observe(version, state)
	}
	return nil
}
