package api

import (
	"context"
	"sync"

	"github.com/tallystick/tallystick/internal/live"
)

// questions are what views are asked by those who watch them: each question once for every state of its log, however many watch.
type questions struct {
	mu    sync.Mutex
	asked map[string]*question
}

// question is one that somebody watches.
type question struct {
	watchers int           // guarded by questions.mu
	turn     chan struct{} // holds one while the question is asked; it guards what follows
	version  uint64        // of the state of the log that the message reflects, at least
	message  *liveMessage  // nil before the first
}

// liveMessage is what watchers of a view are told. It never changes.
type liveMessage struct {
	id      int64
	event   string
	data    []byte
	problem *Problem // nil when it is an answer
}

// join begins to watch a question; leave ends it.
func (qs *questions) join(key string) *question {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	q := qs.asked[key]
	if q == nil {
		if qs.asked == nil {
			qs.asked = map[string]*question{}
		}
		q = &question{turn: make(chan struct{}, 1)}
		qs.asked[key] = q
	}
	q.watchers++
	return q
}

func (qs *questions) leave(key string) {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	q := qs.asked[key]
	if q.watchers--; q.watchers == 0 {
		delete(qs.asked, key)
	}
}

// answer returns a message that reflects the state, or a later one: the last one, or what ask says, which must reflect the log as it is
// when ask is called.
func (q *question) answer(ctx context.Context, state live.State, ask func() (*liveMessage, error)) (*liveMessage, error) {
	select {
	case q.turn <- struct{}{}:
		defer func() { <-q.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if q.message != nil && q.version >= state.Version {
		return q.message, nil
	}
	message, err := ask()
	if err != nil {
		return nil, err
	}
	q.version, q.message = state.Version, message
	return message, nil
}
