package live

import (
	"context"
	"crypto/sha256"
	"sync"
	"sync/atomic"

	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

// SharedQueries are the queries of views that watchers watch. Each runs once for every state of its log, however many watch it. The zero
// value has none. It is safe for concurrent use.
type SharedQueries struct {
	mu      sync.Mutex
	queries map[QueryKey]*SharedQuery
}

// QueryKey is a query of a view of a log. Watchers with equal keys share one.
type QueryKey struct {
	Log         uuid.UUID
	View, Query string
}

// SharedQuery is a query that is watched.
type SharedQuery struct {
	watchers int           // guarded by SharedQueries.mu
	asking   chan struct{} // holds one value while the query runs; guards what follows
	version  uint64        // the outcome reflects at least this version of the log's state
	latest   *Outcome      // nil before the first
}

// Outcome is the result of a query: an answer, or why there is none. It is immutable. It has holders, and its memory stays booked until the
// last of them releases it.
type Outcome struct {
	Sequence int64  // that an answer reflects
	Body     []byte // of the answer; of Err as watchers get it, where that is set
	Err      error

	sum     [sha256.Size]byte // of Body
	room    *memory.Hold      // of Body; may be nil
	holders atomic.Int64
}

// NewAnswer returns an answer whose one holder is the caller. room, which may be nil, is released with it.
func NewAnswer(sequence int64, body []byte, room *memory.Hold) *Outcome {
	return newOutcome(&Outcome{Sequence: sequence, Body: body, room: room})
}

// NewFailure returns an outcome for err whose one holder is the caller. body is err as watchers get it.
func NewFailure(err error, body []byte) *Outcome {
	return newOutcome(&Outcome{Err: err, Body: body})
}

func newOutcome(o *Outcome) *Outcome {
	o.sum = sha256.Sum256(o.Body)
	o.holders.Store(1)
	return o
}

// Release gives up a hold. Each holder calls it once.
func (o *Outcome) Release() {
	if o.holders.Add(-1) == 0 {
		o.room.Release()
	}
}

// Fingerprint identifies what watchers see of an outcome, without holding its memory: fingerprints are equal if watchers see no difference.
type Fingerprint struct {
	failed bool
	sum    [sha256.Size]byte
}

// Fingerprint returns the fingerprint. It leaves out the sequence: an answer that stays the same is not news.
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

// Leave undoes Join. The watcher must not call Outcome any more.
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

// Outcome returns an outcome that reflects state, or a later one, with the caller as a holder: the latest, or else the result of ask, which
// must reflect the log as of the call of ask. The error is ask's, which other watchers do not see, or ctx's.
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
