package ingest

import (
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

// plan is what a group does to its logs: which requests are admitted, with which sequences and state, which are refused, and which wait
// for the next group.
type plan struct {
	logs  []*logPlan // in the order of their first requests; after admit, of their ids
	byLog map[uuid.UUID]*logPlan
	known map[eventKey]keyOwner // the group's keys that the database has; nil when it was not asked
	now   int64                 // when the group's events are recorded, microseconds since 1970 UTC
	// refused: a request was refused. On cached heads that proves nothing yet.
	refused bool
	held    []uuid.UUID // logs that somebody else has locked; their requests stay undecided
	// repeated: a request has a duplicate, an event that was stored before.
	repeated bool
}

// logPlan is one log's part of a group.
type logPlan struct {
	snapshot *view.Snapshot
	requests []*waiter
	admitted int        // how many of requests, from the first on, are decided; the others are deferred
	head     event.Head // after events
	events   []event.Recorded
	keys     map[uuid.UUID]keyOwner // of events, by the key's hash
	fold     view.Fold
	spent    time.Duration // on folding
	written  int           // bytes of keys and values that the views have set
	slow     bool          // a request took too long for a shared lane
}

type eventKey struct{ log, hash uuid.UUID }

// keyOwner is the event that an idempotency key belongs to.
type keyOwner struct {
	sequence int64
	payload  uuid.UUID // the payload hash
	former   uuid.UUID // the event's former key, which must not be in the database; the zero UUID when there is none
}

func newPlan(group []*waiter, snapshots map[uuid.UUID]*view.Snapshot, held []uuid.UUID, known map[eventKey]keyOwner, now int64) *plan {
	p := &plan{byLog: make(map[uuid.UUID]*logPlan, len(snapshots)), held: held, known: known, now: now}
	for _, w := range group {
		w.reset()
		log := p.byLog[w.log]
		if log == nil {
			s := snapshots[w.log]
			if slices.Contains(held, w.log) {
				continue
			}
			if s == nil {
				w.refuse(eventlog.ErrLogNotFound)
				p.refused = true
				continue
			}
			log = &logPlan{snapshot: s}
			p.byLog[w.log] = log
			p.logs = append(p.logs, log)
		}
		log.requests = append(log.requests, w)
	}
	return p
}

// sort orders the logs by id: servers that lock several heads in the same order cannot deadlock.
func (p *plan) sort() {
	slices.SortFunc(p.logs, func(a, b *logPlan) int {
		return a.snapshot.Log.Compare(b.snapshot.Log)
	})
}

// reset undoes what the plan decided for the log.
func (log *logPlan) reset() {
	log.head, log.events, log.keys, log.admitted, log.slow = log.snapshot.Head, log.events[:0], nil, 0, false
	for _, w := range log.requests {
		w.reset()
	}
}

// assign resolves the request's events to new ones and duplicates, and appends the new ones to the log's plan, with sequence and hash. The
// error says why the request must be refused; nothing is assigned then.
func (p *plan) assign(log *logPlan, w *waiter, chain *event.Chainer, maxAhead time.Duration) error {
	placements, claimed, err := p.resolve(log, w, maxAhead)
	if err == nil && len(claimed) > 0 {
		err = w.request.checkExpected(log.head.Sequence)
	}
	if err != nil {
		log.release(w, claimed)
		return err
	}
	log.events = slices.Grow(log.events, len(claimed))
	for _, i := range claimed {
		log.append(&w.request.Events[i], chain, p.now)
	}
	w.appended = placements
	p.repeated = p.repeated || len(claimed) < len(placements)
	return nil
}

// append appends an event to the log's plan, with its sequence and hash.
func (log *logPlan) append(e *event.Event, chain *event.Chainer, now int64) {
	var recorded event.Recorded
	recorded, log.head = chain.Next(log.head, *e, now)
	log.events = append(log.events, recorded)
}

// resolve tells new events from duplicates and claims the keys of the new ones, whose sequences follow the head. claimed holds the indexes
// of the new ones; with an error, of those before the event at fault. Events that are refused by themselves are neither.
func (p *plan) resolve(log *logPlan, w *waiter, maxAhead time.Duration) (placements []Appended, claimed []int, err error) {
	placements = make([]Appended, len(w.request.Events))
	claimed = make([]int, 0, len(placements))
	for i := range w.request.Events {
		placements[i], err = p.place(log, w, i, len(claimed), maxAhead)
		switch {
		case err == nil && !placements[i].Duplicate:
			claimed = append(claimed, i)
		case err != nil && w.request.Separate:
			placements[i].Err, err = err, nil
			p.refused = true
		case err != nil:
			return nil, claimed, err
		}
	}
	return placements, claimed, nil
}

// place returns the place of the request's event i, before which so many of the request's are new, and claims its key if it is new itself.
func (p *plan) place(log *logPlan, w *waiter, i, before int, maxAhead time.Duration) (Appended, error) {
	e, head := &w.request.Events[i], log.head.Sequence
	placement := Appended{Sequence: head + int64(before) + 1}
	owner, owned := keyOwner{}, false
	if !e.KeyHash.IsZero() {
		owner, owned = p.owner(log, e)
	}
	switch {
	case owned && !e.HasPayload(owner.payload):
		if owner.sequence > head { // claimed by this request, which is not stored yet
			owner.sequence = 0
		}
		return Appended{}, &KeyReusedError{Index: i, Key: e.Key, Sequence: owner.sequence}
	case owned: // a retry succeeds even if the limit is lower by now
		return Appended{Sequence: owner.sequence, Duplicate: true}, nil
	}
	if e.HasTime {
		ahead := e.Time - max(p.now, log.head.RecordedAt) // both are within the years 0 to 9999
		if maxAhead > 0 && ahead > maxAhead.Microseconds() {
			return Appended{}, &TooFarAheadError{Index: i, Time: e.Time, Most: maxAhead}
		}
		placement.Ahead = ahead > AheadAfter.Microseconds()
	}
	if !e.KeyHash.IsZero() {
		if log.keys == nil {
			log.keys = map[uuid.UUID]keyOwner{}
		}
		log.keys[e.KeyHash] = keyOwner{sequence: placement.Sequence, payload: e.PayloadHash(), former: e.FormerKeyHash}
	}
	return placement, nil
}

// owner returns the event that owns e's key, or one with the same bytes that owns its former key: earlier versions stored events so.
func (p *plan) owner(log *logPlan, e *event.Event) (owner keyOwner, owned bool) {
	id := log.snapshot.Log
	owner, owned = log.keys[e.KeyHash]
	if !owned {
		owner, owned = p.known[eventKey{id, e.KeyHash}]
	}
	if owned && e.HasPayload(owner.payload) || e.FormerKeyHash.IsZero() {
		return owner, owned
	}
	if former, ok := p.known[eventKey{id, e.FormerKeyHash}]; ok && e.HasPayload(former.payload) {
		return former, true
	}
	return owner, owned
}

// release releases the keys that the request claimed.
func (log *logPlan) release(w *waiter, claimed []int) {
	for _, i := range claimed {
		delete(log.keys, w.request.Events[i].KeyHash)
	}
}

// unassign undoes assign for the last request, whose new events begin at first. before is the head that they follow.
func (log *logPlan) unassign(w *waiter, first int, before event.Head) {
	log.cut(first, before)
	w.appended = nil
}

// cut takes back the log's events from first on. before is the head that they follow.
func (log *logPlan) cut(first int, before event.Head) {
	for i := range log.events[first:] {
		delete(log.keys, log.events[first+i].KeyHash)
	}
	log.events, log.head = log.events[:first], before
}

// moves reports whether the plan changes anything of the log.
func (log *logPlan) moves() bool { return len(log.events) > 0 || len(log.fold.Halts) > 0 }
