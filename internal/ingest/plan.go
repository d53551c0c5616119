package ingest

import (
	"bytes"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/view"
)

// plan is what a group of requests does to its logs: who gets which sequence, and who is refused.
type plan struct {
	logs  []*logPlan // in the order of their ids
	byLog map[db.UUID]*logPlan
	keys  map[eventKey]keyOwner
	// refused is true when a request was refused, which is only true if the heads were.
	refused bool
	// repeated is true when a request has an event that was there before.
	repeated bool
}

// logPlan is one log's part of a group.
type logPlan struct {
	snapshot *view.Snapshot
	head     eventlog.Head // after events
	events   []eventlog.Recorded
	fold     view.Fold
}

type eventKey struct{ log, hash db.UUID }

// keyOwner is the event that an idempotency key belongs to.
type keyOwner struct {
	sequence int64
	payload  db.UUID
	former   db.UUID // the event's former key, which is not to be in the database; not Valid for none
	fresh    bool    // not in the database yet
}

func newPlan(snapshots map[db.UUID]*view.Snapshot, known map[eventKey]keyOwner) *plan {
	p := &plan{byLog: make(map[db.UUID]*logPlan, len(snapshots)), keys: known}
	if p.keys == nil {
		p.keys = map[eventKey]keyOwner{}
	}
	for id, s := range snapshots {
		log := &logPlan{snapshot: s, head: s.Head}
		p.byLog[id] = log
		p.logs = append(p.logs, log)
	}
	slices.SortFunc(p.logs, func(a, b *logPlan) int {
		return bytes.Compare(a.snapshot.Log.Bytes[:], b.snapshot.Log.Bytes[:])
	})
	return p
}

// place gives every event of the request its sequence, or the request its error.
func (p *plan) place(w *waiter, chain *eventlog.Chainer, now int64, maxAhead time.Duration) {
	w.placements, w.err = nil, nil
	log := p.byLog[w.log]
	if log == nil {
		w.err, p.refused = eventlog.ErrLogNotFound, true
		return
	}
	placements, fresh, err := p.settleKeys(w, log.head.Sequence)
	now = max(now, log.head.RecordedAt)
	if err == nil && fresh > 0 {
		err = checkAhead(w.request.Events, placements, now, maxAhead)
	}
	if err == nil && fresh > 0 && w.request.Expected != AnySequence && w.request.Expected != log.head.Sequence {
		err = &SequenceMismatchError{Expected: w.request.Expected, Head: log.head.Sequence}
	}
	if err != nil {
		w.err, p.refused = err, true
		p.giveBackKeys(w, log.head.Sequence)
		return
	}
	log.events = slices.Grow(log.events, fresh)
	for i, placement := range placements {
		if placement.Duplicate {
			continue
		}
		var recorded eventlog.Recorded
		recorded, log.head = chain.Next(log.head, w.request.Events[i], now)
		log.events = append(log.events, recorded)
	}
	w.placements = placements
	p.repeated = p.repeated || fresh < len(placements)
}

// checkAhead marks the new events that are ahead of now, when they are recorded, and refuses one that is too far. A retry is no new event:
// it is answered whatever the limit has become.
func checkAhead(events []eventlog.Event, placements []Placement, now int64, most time.Duration) error {
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

// settleKeys tells new events from duplicates and claims the keys of the new ones, which follow head in order.
func (p *plan) settleKeys(w *waiter, head int64) (placements []Placement, fresh int, err error) {
	placements = make([]Placement, len(w.request.Events))
	for i := range w.request.Events {
		e := &w.request.Events[i]
		sequence := head + int64(fresh) + 1
		if e.KeyHash.Valid {
			owner, taken := p.owner(w.log, e)
			switch {
			case taken && !e.HasPayload(owner.payload):
				if owner.sequence > head { // claimed by this request, which is not stored
					owner.sequence = 0
				}
				return nil, 0, &KeyReusedError{Index: i, Key: e.Key, Sequence: owner.sequence}
			case taken:
				placements[i] = Placement{Sequence: owner.sequence, Duplicate: true}
				continue
			}
			p.keys[eventKey{w.log, e.KeyHash}] = keyOwner{sequence: sequence, payload: e.PayloadHash(), former: e.FormerKeyHash, fresh: true}
		}
		placements[i] = Placement{Sequence: sequence}
		fresh++
	}
	return placements, fresh, nil
}

// owner returns the event that has e's key, or else the same bytes under its former key: an earlier version stored them so.
func (p *plan) owner(log db.UUID, e *eventlog.Event) (owner keyOwner, taken bool) {
	owner, taken = p.keys[eventKey{log, e.KeyHash}]
	if taken && e.HasPayload(owner.payload) || !e.FormerKeyHash.Valid {
		return owner, taken
	}
	if former, ok := p.keys[eventKey{log, e.FormerKeyHash}]; ok && !former.fresh && e.HasPayload(former.payload) {
		return former, true
	}
	return owner, taken
}

// giveBackKeys undoes what a refused request claimed: the keys beyond the head.
func (p *plan) giveBackKeys(w *waiter, head int64) {
	for i := range w.request.Events {
		key := eventKey{w.log, w.request.Events[i].KeyHash}
		if owner, ok := p.keys[key]; ok && owner.fresh && owner.sequence > head {
			delete(p.keys, key)
		}
	}
}
