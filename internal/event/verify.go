package event

import (
	"bytes"
	"fmt"

	"github.com/tallystick/tallystick/internal/uuid"
)

// Kinds of faults.
const (
	FaultChanged    = "event_changed"      // what is stored of an event is not what was chained
	FaultMissing    = "event_missing"      // a gap in the sequences
	FaultSwapped    = "events_swapped"     // two neighbours have changed places
	FaultDuplicate  = "sequence_duplicate" // two events with one sequence
	FaultClock      = "recorded_backwards" // recorded before the event in front of it
	FaultHead       = "head_mismatch"      // the head is not the last event's
	FaultBeyondHead = "event_beyond_head"  // an event after the log's end
	FaultTruncated  = "log_truncated"      // the log ends before a head that was noted earlier
	FaultRewritten  = "history_rewritten"  // the chain is whole, but not the one whose head was noted earlier
	FaultOutside    = "noted_outside"      // what was read starts after the head that was noted: nobody can tell
	FaultKeys       = "keys_missing"       // idempotency keys are gone: a retry would count twice
)

// maxFaults bounds how many faults are reported; the others are only counted.
const maxFaults = 20

// Fault is one thing that is wrong with a log.
type Fault struct {
	Kind     string `json:"kind"`
	Sequence int64  `json:"sequence"` // where it shows
	Detail   string `json:"detail"`
}

// Noted is a head that was noted earlier, outside of the database.
type Noted struct {
	Sequence int64
	Hash     Hash
}

// Checked is what a check of a chain read and found.
type Checked struct {
	From    int64 // the first event's sequence; 0 when there was none
	Through int64 // the last one's
	Events  int64
	Bytes   int64 // of the events as they were sent
	Keys    int64 // events with an idempotency key
	Hash    Hash  // the last event's, as stored
	// RecordedAt is the latest time of recording, microseconds since 1970 UTC; what stands out of place does not count.
	RecordedAt int64
	Anchor     bool // the chain was checked from the log's beginning on, so it is the log's own
	Linked     bool // of a part: its first event follows a head that was noted
	Faults     []Fault
	Wrong      int64 // number of faults, with those that are not in Faults
}

// Checker checks a log's chain, event by event in the order of sequences. It goes on after a fault, because it computes each link from the
// stored hash of the event before. It reuses memory: one Checker serves one goroutine.
type Checker struct {
	chain    Chainer
	genesis  Hash // when the log is known
	previous Hash
	linked   bool // previous is known
	noted    []Noted
	suspect  *suspect
	result   Checked
}

// suspect is an event whose link is wrong, until the next event shows in which way.
type suspect struct {
	event    Recorded // with bytes of its own
	previous Hash     // of the event before it
	computed Hash     // what its own should be
}

// NewChecker returns a checker of a log from its first event on.
func NewChecker(log uuid.UUID, noted ...Noted) *Checker {
	genesis := Genesis(log)
	return &Checker{genesis: genesis, previous: genesis, linked: true, noted: noted, result: Checked{Anchor: true}}
}

// NewPartChecker returns a checker of a part of a log. The first event's link can be checked only if the head just before it was noted.
func NewPartChecker(noted ...Noted) *Checker { return &Checker{noted: noted} }

func (c *Checker) fault(kind string, sequence int64, format string, args ...any) {
	c.result.AddFault(kind, sequence, format, args...)
}

// AddFault counts a fault, and keeps it while there are few.
func (c *Checked) AddFault(kind string, sequence int64, format string, args ...any) {
	c.Wrong++
	if len(c.Faults) < maxFaults {
		c.Faults = append(c.Faults, Fault{kind, sequence, fmt.Sprintf(format, args...)})
	}
}

// Add checks the next event. It does not retain e.
func (c *Checker) Add(e *Recorded) {
	r := &c.result
	first := r.Events == 0
	if first && r.Anchor {
		r.From = 1
	} else if first {
		c.begin(e.Sequence)
	}
	r.Events++
	r.Bytes += int64(len(e.Data))
	if e.Key != "" {
		r.Keys++
	}
	switch next := r.Through + 1; {
	case e.Sequence < next:
		c.fault(FaultDuplicate, e.Sequence, "there is more than one event with sequence %d, or it is not in its place", e.Sequence)
		return
	case e.Sequence == next+1:
		c.gap()
		c.fault(FaultMissing, next, "event %d is missing", next)
	case e.Sequence > next:
		c.gap()
		c.fault(FaultMissing, next, "events %d to %d are missing", next, e.Sequence-1)
	}
	if swapped := c.link(e); !swapped && c.suspect == nil { // else its times mean nothing
		if e.RecordedAt < r.RecordedAt {
			c.fault(FaultClock, e.Sequence, "event %d says that it was recorded before event %d", e.Sequence, e.Sequence-1)
		}
		r.RecordedAt = max(r.RecordedAt, e.RecordedAt)
	}
	r.Through, r.Hash = e.Sequence, e.Hash
	c.compareNoted(e)
}

// begin starts in the middle of a log, linked if the head just before was noted.
func (c *Checker) begin(sequence int64) {
	c.result.From, c.result.Through = sequence, sequence-1
	for _, noted := range c.noted {
		if noted.Sequence == sequence-1 {
			c.previous, c.linked, c.result.Linked = noted.Hash, true, true
		} else if noted.Sequence < sequence {
			c.fault(FaultOutside, sequence,
				"what was read starts at event %d, after the head at %d that was noted: it cannot be held against that",
				sequence, noted.Sequence)
		}
	}
}

// gap drops what missing events make unknown.
func (c *Checker) gap() {
	c.flushSuspect()
	c.linked = false
}

// link checks that e follows the event before it, and reports whether the two have changed places.
func (c *Checker) link(e *Recorded) (swapped bool) {
	if s := c.suspect; s != nil {
		c.suspect = nil
		if hash, ok := c.swapped(s, e); ok {
			c.fault(FaultSwapped, s.event.Sequence, "events %d and %d have changed places", s.event.Sequence, e.Sequence)
			c.previous = hash
			return true
		}
		follows := c.chain.Link(s.event.Hash, e) == e.Hash
		if !follows && c.chain.Link(s.computed, e) == e.Hash {
			c.fault(FaultChanged, s.event.Sequence,
				"the hash of event %d was changed: the events around it give another one", s.event.Sequence)
			c.previous = e.Hash
			return false
		}
		c.faultChanged(s)
		c.previous = s.event.Hash
	}
	if !c.linked {
		c.previous, c.linked = e.Hash, true
		return false
	}
	if computed := c.chain.Link(c.previous, e); computed != e.Hash {
		c.suspect = &suspect{event: *e, previous: c.previous, computed: computed}
		c.suspect.event.Data = bytes.Clone(e.Data)
	}
	c.previous = e.Hash
	return false
}

func (c *Checker) faultChanged(s *suspect) {
	c.fault(FaultChanged, s.event.Sequence,
		"event %d is not what was recorded: its bytes, times, type, key or hash were changed, or those of event %d before it",
		s.event.Sequence, s.event.Sequence-1)
}

// swapped reports whether two neighbours follow the event before them once they are exchanged, as whole rows or in some columns. It returns
// the hash of the second.
func (c *Checker) swapped(s *suspect, e *Recorded) (Hash, bool) {
	for _, whole := range []bool{true, false} { // or only the bytes that were sent
		for _, clocks := range []bool{true, false} {
			for _, hashes := range []bool{true, false} {
				first, second := s.event, *e
				first.Data, second.Data = second.Data, first.Data
				if whole {
					first.Event, second.Event = e.Event, s.event.Event
				}
				if clocks {
					first.RecordedAt, second.RecordedAt = second.RecordedAt, first.RecordedAt
				}
				if hashes {
					first.Hash, second.Hash = second.Hash, first.Hash
				}
				if c.chain.Link(s.previous, &first) == first.Hash && c.chain.Link(first.Hash, &second) == second.Hash {
					return second.Hash, true
				}
			}
		}
	}
	return Hash{}, false
}

func (c *Checker) compareNoted(e *Recorded) {
	for _, noted := range c.noted {
		if noted.Sequence == e.Sequence && noted.Hash != e.Hash {
			c.fault(FaultRewritten, e.Sequence, "event %d has the hash %x; what was noted earlier is %x: "+
				"the log, or a part of it up to that event, was written anew", e.Sequence, e.Hash, noted.Hash)
		}
	}
}

// flushSuspect reports the suspect, if there is one, when no next event can show more.
func (c *Checker) flushSuspect() {
	if c.suspect != nil {
		c.faultChanged(c.suspect)
		c.suspect = nil
	}
}

// Finish returns the result. head is the log's head, nil when it is unknown, as in an export.
func (c *Checker) Finish(head *Noted) Checked {
	c.flushSuspect()
	r := &c.result
	end := r.Through
	if head != nil {
		end = head.Sequence
		switch {
		case head.Sequence > r.Through:
			c.fault(FaultMissing, r.Through+1, "the last events, %d to %d, are missing", r.Through+1, head.Sequence)
		case r.Events > 0 && head.Sequence == r.Through && head.Hash != r.Hash:
			c.fault(FaultHead, head.Sequence, "the head's hash is not that of the last event, %d", head.Sequence)
		case r.Events == 0 && r.Anchor && head.Hash != c.previous:
			c.fault(FaultHead, 0, "the head's hash is not that of an empty log")
		}
	}
	for _, noted := range c.noted {
		if noted.Sequence > end {
			c.fault(FaultTruncated, end, "it ends at %d, and a head at %d was noted earlier: events were cut off", end, noted.Sequence)
		}
		if noted.Sequence == 0 && r.Anchor && noted.Hash != c.genesis {
			c.fault(FaultRewritten, 0, "the hash that was noted of the empty log is not this log's")
		}
	}
	return c.result
}
