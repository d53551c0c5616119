package api

import (
	"context"
	"crypto/sha256"
	"sync"
	"sync/atomic"

	"github.com/tallystick/tallystick/internal/live"
	"github.com/tallystick/tallystick/internal/memory"
)

// sharedQueries are what views are asked by those who watch them: each question once for every state of its log, however many watch.
type sharedQueries struct {
	mu    sync.Mutex
	asked map[string]*sharedQuery
}

// sharedQuery is one that somebody watches.
type sharedQuery struct {
	watchers int           // guarded by questions.mu
	turn     chan struct{} // holds one while the question is asked; it guards what follows
	version  uint64        // of the state of the log that the message reflects, at least
	message  *liveMessage  // nil before the first
}

// liveMessage is what watchers of a view are told. It never changes. Its memory is booked until all who have it have let it go.
type liveMessage struct {
	id      int64
	event   string
	data    []byte
	sum     [sha256.Size]byte // of data
	problem *Problem          // nil when it is an answer
	held    *memory.Hold      // of data; nil: nowhere
	users   atomic.Int64      // the question whose last message it is, and the watchers that send it
}

// newLiveMessage is a message that whoever made it has.
func newLiveMessage(id int64, event string, data []byte, held *memory.Hold) *liveMessage {
	m := &liveMessage{id: id, event: event, data: data, sum: sha256.Sum256(data), held: held}
	m.users.Store(1)
	return m
}

// letGo is called once by each who has it.
func (m *liveMessage) letGo() {
	if m != nil && m.users.Add(-1) == 0 {
		m.held.Release()
	}
}

// join begins to watch a question; leave ends it.
func (qs *sharedQueries) join(key string) *sharedQuery {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	q := qs.asked[key]
	if q == nil {
		if qs.asked == nil {
			qs.asked = map[string]*sharedQuery{}
		}
		q = &sharedQuery{turn: make(chan struct{}, 1)}
		qs.asked[key] = q
	}
	q.watchers++
	return q
}

func (qs *sharedQueries) leave(key string) {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	q := qs.asked[key]
	if q.watchers--; q.watchers == 0 {
		delete(qs.asked, key)
		q.message.letGo()
	}
}

// reply returns a message that reflects the state, or a later one: the last one, or what ask says, which must reflect the log as it is
// when ask is called. The caller has to let it go.
func (q *sharedQuery) reply(ctx context.Context, state live.State, ask func() (*liveMessage, error)) (*liveMessage, error) {
	select {
	case q.turn <- struct{}{}:
		defer func() { <-q.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if q.message == nil || q.version < state.Version {
		message, err := ask()
		if err != nil {
			return nil, err
		}
		q.message.letGo()
		q.version, q.message = state.Version, message
	}
	q.message.users.Add(1)
	return q.message, nil
}
