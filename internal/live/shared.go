package live

import (
	"context"
	"crypto/sha256"
	"sync"
	"sync/atomic"

	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

// SharedQueries are the queries that watchers have views answer: each once for every state of its log, however many watch. The zero value
// has none. It is safe for concurrent use.
type SharedQueries struct {
	mu      sync.Mutex
	queries map[QueryKey]*SharedQuery
}

// QueryKey is a query of a view of a log. Watchers with equal keys share one.
type QueryKey struct {
	Log         uuid.UUID
	View, Query string
}

// SharedQuery is a query that somebody watches.
type SharedQuery struct {
	watchers int           // guarded by SharedQueries.mu
	asking   chan struct{} // holds one while the query runs; it guards what follows
	version  uint64        // of the state of the log that the outcome reflects, at least
	latest   *Outcome      // nil before the first
}

// Outcome is what a query came to: an answer, or why there is none. It never changes. It has holders, and its memory stays booked until the
// last of them has released it.
type Outcome struct {
	Sequence int64  // that an answer reflects
	Body     []byte // of the answer; of Err as watchers get it, where that is set
	Err      error

	sum     [sha256.Size]byte // of Body
	room    *memory.Hold      // of Body; may be nil
	holders atomic.Int64
}

// NewAnswer is an answer with one holder, its caller. room, which may be nil, is released with it.
func NewAnswer(sequence int64, body []byte, room *memory.Hold) *Outcome {
	return newOutcome(&Outcome{Sequence: sequence, Body: body, room: room})
}

// NewFailure is a reason why there is no answer, and how watchers get it, with one holder, its caller.
func NewFailure(err error, body []byte) *Outcome {
	return newOutcome(&Outcome{Err: err, Body: body})
}

func newOutcome(o *Outcome) *Outcome {
	o.sum = sha256.Sum256(o.Body)
	o.holders.Store(1)
	return o
}

// Release is called once by each holder.
func (o *Outcome) Release() {
	if o.holders.Add(-1) == 0 {
		o.room.Release()
	}
}

// Fingerprint stands for what watchers see of an outcome, and holds no memory of it: equal where they would see no difference.
type Fingerprint struct {
	failed bool
	sum    [sha256.Size]byte
}

// Fingerprint does not cover the sequence: an answer that stays the same is no news.
func (o *Outcome) Fingerprint() Fingerprint { return Fingerprint{o.Err != nil, o.sum} }

// Join adds a watcher to a query; Leave removes it.
func (s *SharedQueries) Join(key QueryKey) *SharedQuery {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queries[key]
	if q == nil {
		if s.queries == nil {
			s.queries = map[QueryKey]*SharedQuery{}
		}
		q = &SharedQuery{asking: make(chan struct{}, 1)}
		s.queries[key] = q
	}
	q.watchers++
	return q
}

// Leave ends what Join began. The watcher no longer calls Outcome.
func (s *SharedQueries) Leave(key QueryKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queries[key]
	if q.watchers--; q.watchers > 0 {
		return
	}
	delete(s.queries, key)
	if q.latest != nil {
		q.latest.Release()
	}
}

// Outcome returns one that reflects the state, or a later one, with the caller as a holder: the latest, or else that of ask, which must
// reflect the log as it is when ask is called. The error is ask's, of which other watchers see nothing, or ctx's.
func (q *SharedQuery) Outcome(ctx context.Context, state State, ask func() (*Outcome, error)) (*Outcome, error) {
	select {
	case q.asking <- struct{}{}:
		defer func() { <-q.asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if q.latest == nil || q.version < state.Version {
		outcome, err := ask()
		if err != nil {
			return nil, err
		}
		if q.latest != nil {
			q.latest.Release()
		}
		q.version, q.latest = state.Version, outcome
	}
	q.latest.holders.Add(1)
	return q.latest, nil
}
