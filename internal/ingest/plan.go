package ingest

import (
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

// plan is what a group of requests does to its logs: who gets which sequence, who is refused, and who has to wait for the next group.
type plan struct {
	logs  []*logPlan // in the order in which their first requests came
	byLog map[uuid.UUID]*logPlan
	known map[eventKey]keyOwner // keys of events that are in the database; nil when that was not asked
	now   int64                 // when the group's events are recorded
	// refused is true when a request was refused, which is only true if the heads were.
	refused bool
	held    []uuid.UUID // logs that somebody else has locked, whose requests are left undecided
	// repeated is true when a request has an event that was there before.
	repeated bool
}

// logPlan is one log's part of a group.
type logPlan struct {
	snapshot *view.Snapshot
	requests []*waiter
	admitted int        // of the requests, from the first on: placed or refused. The others are deferred
	head     event.Head // after events
	events   []event.Recorded
	keys     map[uuid.UUID]keyOwner // of events, by the hash of the key
	fold     view.Fold
	spent    time.Duration // folding
	written  int           // bytes of keys and values that its views have set
	slow     bool          // a request took too long for the lane
}

type eventKey struct{ log, hash uuid.UUID }

// keyOwner is the event that an idempotency key belongs to.
type keyOwner struct {
	sequence int64
	payload  uuid.UUID
	former   uuid.UUID // the event's former key, which is not to be in the database; not Valid for none
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

// sort puts the logs in the order of their ids, so that servers that lock several never wait for each other in a circle.
func (p *plan) sort() {
	slices.SortFunc(p.logs, func(a, b *logPlan) int {
		return a.snapshot.Log.Compare(b.snapshot.Log)
	})
}

// reset takes everything back that the plan decided for the log.
func (log *logPlan) reset() {
	log.head, log.events, log.keys, log.admitted, log.slow = log.snapshot.Head, log.events[:0], nil, 0, false
	for _, w := range log.requests {
		w.reset()
	}
}

// assign gives every event of the request its sequence, after those that the log's plan has already, and returns the new ones.
func (p *plan) assign(log *logPlan, w *waiter, chain *event.Chainer, maxAhead time.Duration) (fresh []event.Recorded, err error) {
	placements, claimed, err := p.resolve(log, w)
	if err == nil && len(claimed) > 0 {
		err = checkAhead(w.request.Events, placements, max(p.now, log.head.RecordedAt), maxAhead)
	}
	if err == nil && len(claimed) > 0 && w.request.Expected != AnySequence && w.request.Expected != log.head.Sequence {
		err = &SequenceMismatchError{Expected: w.request.Expected, Head: log.head.Sequence}
	}
	if err != nil {
		log.release(w, claimed)
		return nil, err
	}
	before := len(log.events)
	log.events = slices.Grow(log.events, len(claimed))
	for _, i := range claimed {
		var recorded event.Recorded
		recorded, log.head = chain.Next(log.head, w.request.Events[i], p.now)
		log.events = append(log.events, recorded)
	}
	w.appended = placements
	p.repeated = p.repeated || len(claimed) < len(placements)
	return log.events[before:], nil
}

// checkAhead marks the new events that are ahead of now, when they are recorded, and refuses one that is too far. A retry is no new event:
// it is answered whatever the limit has become.
func checkAhead(events []event.Event, placements []Appended, now int64, most time.Duration) error {
	for i := range placements {
		if placements[i].Duplicate || !events[i].HasTime {
			continue
		}
		ahead := events[i].Time - now // both are within the years 0 to 9999
		if most > 0 && ahead > most.Microseconds() {
			return &TooFarAheadError{Index: i, Time: events[i].Time, Most: most}
		}
		placements[i].Ahead = ahead > AheadAfter.Microseconds()
	}
	return nil
}

// resolve tells new events from duplicates and claims the keys of the new ones, which follow the head in order. claimed are the indexes of
// the new ones, those up to the one at fault when there is an error.
func (p *plan) resolve(log *logPlan, w *waiter) (placements []Appended, claimed []int, err error) {
	placements = make([]Appended, len(w.request.Events))
	claimed = make([]int, 0, len(placements))
	head := log.head.Sequence
	for i := range w.request.Events {
		e := &w.request.Events[i]
		sequence := head + int64(len(claimed)) + 1
		if !e.KeyHash.IsZero() {
			owner, taken := p.owner(log, e)
			switch {
			case taken && !e.HasPayload(owner.payload):
				if owner.sequence > head { // claimed by this request, which is not stored
					owner.sequence = 0
				}
				return nil, claimed, &KeyReusedError{Index: i, Key: e.Key, Sequence: owner.sequence}
			case taken:
				placements[i] = Appended{Sequence: owner.sequence, Duplicate: true}
				continue
			}
			if log.keys == nil {
				log.keys = map[uuid.UUID]keyOwner{}
			}
			log.keys[e.KeyHash] = keyOwner{sequence: sequence, payload: e.PayloadHash(), former: e.FormerKeyHash}
		}
		placements[i] = Appended{Sequence: sequence}
		claimed = append(claimed, i)
	}
	return placements, claimed, nil
}

// owner returns the event that has e's key, or else the same bytes under its former key: an earlier version stored them so.
func (p *plan) owner(log *logPlan, e *event.Event) (owner keyOwner, taken bool) {
	id := log.snapshot.Log
	owner, taken = log.keys[e.KeyHash]
	if !taken {
		owner, taken = p.known[eventKey{id, e.KeyHash}]
	}
	if taken && e.HasPayload(owner.payload) || e.FormerKeyHash.IsZero() {
		return owner, taken
	}
	if former, ok := p.known[eventKey{id, e.FormerKeyHash}]; ok && e.HasPayload(former.payload) {
		return former, true
	}
	return owner, taken
}

// release gives back the keys that the request claimed.
func (log *logPlan) release(w *waiter, claimed []int) {
	for _, i := range claimed {
		delete(log.keys, w.request.Events[i].KeyHash)
	}
}

// unassign takes back the last request that was placed, whose new events these are. before is the head in front of them.
func (log *logPlan) unassign(w *waiter, fresh []event.Recorded, before event.Head) {
	for i := range fresh {
		delete(log.keys, fresh[i].KeyHash)
	}
	log.events, log.head = log.events[:len(log.events)-len(fresh)], before
	w.appended = nil
}
