// Package turns shares processor time between tenants, and between the logs of each, whose views work for long: queries, live answers,
// logs that are slow to fold, builds and rehearsals. They get a part of the cores; the rest is left to everything else, appends above all.
// Of the tenants that wait for a core, the one that has used the least goes next, with that of its logs that has; and after a few
// milliseconds another one does.
package turns

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Key is what time is counted by: a log's id.
type Key [16]byte

// Class is what a turn is for. Of one key's turns, those of a lower class go first.
type Class int8

// The classes.
const (
	Append     Class = iota // to a log that is slow to fold
	Query                   // that a client waits for
	Watch                   // a live answer
	Background              // builds, rehearsals
	classes
)

// forSlot is the queue of those that wait for a slot; the classes are those that wait for a core.
const forSlot = classes

const (
	// Time is how long a turn keeps its core while others wait: long against the cost of a switch, short against what people notice.
	Time = 5 * time.Millisecond
	// offerTime is how often a core is offered to whatever else the machine has to do, since the work of turns is not urgent. An offer
	// takes less than a microsecond where nobody wants it.
	offerTime = 200 * time.Microsecond
	// offerPart bounds what others get by offers: after one, it is kept for at least one offerPart-th of the time that the offer took.
	offerPart = 4
	// Patience is how long a query waits for a slot before it is refused.
	Patience = 5 * time.Second
	// maxSlots bounds the queries under way that have turned out to take long: each holds an instance of its view, with up to 64 MiB of
	// memory, and may hold a connection of the database.
	maxSlots = 8
	// slotsEach is how many of the slots one key may have, or as many as there are cores to share if that is more.
	slotsEach = 2
	// maxWaiting and maxWaitingEach bound the queries that wait for a slot, all of them and those of one key.
	maxWaiting     = 256
	maxWaitingEach = 64
)

// ErrBusy: too many queries wait, or this one has waited for Patience.
var ErrBusy = errors.New("too many long queries are under way")

// Turns grants cores, and slots to queries. It is safe for concurrent use.
type Turns struct {
	offer func() // offerCore

	mu        sync.Mutex
	all       Stats   // the cores and slots that there are
	cores     []*core // that are free
	slots     int     // likewise
	slotsEach int     // slots that one key may have
	accounts  map[Key]*account
	owned     func(Key) Key  // returns whose key it is; nil: all are of one
	owners    map[Key]*owner // of the accounts
	// served is what the owner had used that got a core last. A new one begins there: nobody makes up for having been away.
	served   time.Duration
	waiting  int    // impatient ones, for a slot
	arrivals uint64 // of turns that had to wait
}

// core is the right to keep one core busy.
type core struct {
	offerAt time.Time // when it is to be offered next; for the turn that has the core
}

// account counts the time of a key while it has a slot, a core, or waits for one. A key that comes back later begins anew, which puts it
// ahead of others by one turn at most.
type account struct {
	owner   *owner
	used    time.Duration // of cores, from what others of its owner had used when it came
	turns   int           // that use this account
	slots   int           // that they have
	waiting int           // impatient ones, for a slot
	queues  [classes + 1][]*Turn
}

// New returns turns for half of the cores, at least one, and for so many long queries at a time, at most maxSlots. owned returns whose a
// key is, by another key, and must be quick; nil stands for one owner of all.
func New(slots int, owned func(Key) Key) *Turns {
	cores := make([]*core, max(1, runtime.GOMAXPROCS(0)/2))
	for i := range cores {
		cores[i] = &core{}
	}
	slots = max(1, min(slots, maxSlots))
	return &Turns{
		offer: offerCore, all: Stats{Cores: len(cores), Slots: slots}, cores: cores, slots: slots,
		slotsEach: max(1, min(max(slotsEach, len(cores)), slots-1)), accounts: map[Key]*account{},
		owned: owned, owners: map[Key]*owner{},
	}
}

// Stats is how turns are used at a moment.
type Stats struct {
	Cores, CoresUsed int
	Slots, SlotsUsed int // of queries that take long
	WaitForCore      int // turns
	WaitForSlot      int // queries
}

// Stats returns how turns are used now.
func (ts *Turns) Stats() Stats {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	s := ts.all
	s.CoresUsed, s.SlotsUsed = s.Cores-len(ts.cores), s.Slots-ts.slots
	for _, a := range ts.accounts {
		for class, queue := range a.queues {
			if Class(class) == forSlot {
				s.WaitForSlot += len(queue)
			} else {
				s.WaitForCore += len(queue)
			}
		}
	}
	return s
}

// Turn is one piece of work, for one goroutine. It must be ended.
type Turn struct {
	turns *Turns
	key   Key
	class Class

	account  *account // nil before it first needs something
	admitted bool
	core     *core     // nil where it has none
	since    time.Time // when it got that, or was charged for it last
	waited   time.Duration
	arrival  uint64
	ready    chan struct{} // closed when it gets what it waits for
}

// Turn begins a piece of work, which has neither a slot nor a core yet. It costs nothing.
func (ts *Turns) Turn(key Key, class Class) Turn { return Turn{turns: ts, key: key, class: class} }

// TryAdmit takes a slot if one is free, and reports whether the turn has one.
func (t *Turn) TryAdmit() bool {
	if t.admitted {
		return true
	}
	t.turns.mu.Lock()
	defer t.turns.mu.Unlock()
	a := t.open()
	if len(a.queues[forSlot]) == 0 && t.turns.hasSlot(a) {
		t.turns.assignSlot(t)
	}
	return t.admitted
}

// Admit waits for a slot. For an impatient turn the error is ErrBusy where too many wait, or after Patience; else it is ctx's.
func (t *Turn) Admit(ctx context.Context, impatient bool) error {
	if t.TryAdmit() {
		return nil
	}
	ts, a := t.turns, t.account
	if !impatient {
		return t.wait(ctx, forSlot)
	}
	ts.mu.Lock()
	if ts.waiting >= maxWaiting || a.waiting >= maxWaitingEach {
		ts.mu.Unlock()
		return ErrBusy
	}
	ts.waiting++
	a.waiting++
	ts.mu.Unlock()
	defer func() {
		ts.mu.Lock()
		defer ts.mu.Unlock()
		ts.waiting--
		a.waiting--
	}()
	bounded, cancel := context.WithTimeoutCause(ctx, Patience, ErrBusy)
	defer cancel()
	return t.wait(bounded, forSlot)
}

// Pause releases the core once this turn has had its time and others wait, and waits for a core where the turn has none. In between it
// offers the core to the rest of the machine now and then. If others take it, it is offered less often: however busy the machine is, turns
// have about a fifth of the time. The error is ctx's: then the work is to end.
func (t *Turn) Pause(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if t.core != nil {
		now := time.Now()
		if !now.Before(t.core.offerAt) {
			t.turns.offer()
			took := time.Since(now)
			t.core.offerAt = now.Add(took + max(offerTime, took/offerPart))
		}
		if now.Sub(t.since) < Time {
			return nil
		}
	}
	ts := t.turns
	ts.mu.Lock()
	if t.core != nil {
		t.charge()
		if !ts.anyWaits() {
			ts.mu.Unlock()
			return nil
		}
		t.releaseLocked()
	}
	t.open()
	ts.mu.Unlock()
	began := time.Now()
	defer func() { t.waited += time.Since(began) }()
	return t.wait(ctx, t.class)
}

// Waited is how long the turn has waited for cores.
func (t *Turn) Waited() time.Duration { return t.waited }

// Release releases the core, as before waiting for something else; the next Pause waits for one again.
func (t *Turn) Release() {
	if t.core == nil {
		return
	}
	t.turns.mu.Lock()
	defer t.turns.mu.Unlock()
	t.charge()
	t.releaseLocked()
}

// End releases all that the turn has.
func (t *Turn) End() {
	if t.account == nil {
		return
	}
	ts := t.turns
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t.core != nil {
		t.charge()
		t.releaseLocked()
	}
	if t.admitted {
		t.admitted = false
		t.account.slots--
		t.account.owner.slots--
		ts.slots++
		ts.grant()
	}
	if t.account.turns--; t.account.turns == 0 {
		delete(ts.accounts, t.key)
		ts.leave(t.account.owner)
	}
	t.account = nil
}

// open returns the turn's account. The lock is held, as in all that follows.
func (t *Turn) open() *account {
	if t.account == nil {
		a := t.turns.accounts[t.key]
		if a == nil {
			o := t.turns.ownerOf(t.key)
			o.accounts++
			a = &account{owner: o, used: o.served}
			t.turns.accounts[t.key] = a
		}
		a.turns++
		t.account = a
	}
	return t.account
}

// charge counts the time since the turn got its core, or was charged last.
func (t *Turn) charge() {
	now := time.Now()
	t.account.used += now.Sub(t.since)
	t.account.owner.used += now.Sub(t.since)
	t.since = now
}

func (t *Turn) releaseLocked() {
	t.turns.cores = append(t.turns.cores, t.core)
	t.core = nil
	t.turns.grant()
}

// wait waits for what the queue is for. The lock is not held.
func (t *Turn) wait(ctx context.Context, queue Class) error {
	ts, a := t.turns, t.account
	ts.mu.Lock()
	if !slices.ContainsFunc(a.queues[:], func(q []*Turn) bool { return len(q) > 0 }) {
		a.used = max(a.used, a.owner.served)
	}
	if a.owner.waiting == 0 {
		a.owner.used = max(a.owner.used, ts.served)
	}
	a.owner.waiting++
	ts.arrivals++
	t.arrival, t.ready = ts.arrivals, make(chan struct{})
	a.queues[queue] = append(a.queues[queue], t)
	ts.grant()
	ready := t.ready
	ts.mu.Unlock()
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	at := slices.Index(a.queues[queue], t)
	if at < 0 { // it was granted just now
		return nil
	}
	a.queues[queue] = slices.Delete(a.queues[queue], at, at+1)
	a.owner.waiting--
	return context.Cause(ctx)
}

// grant grants what is free to those that wait.
func (ts *Turns) grant() {
	for len(ts.cores) > 0 {
		t := ts.next(func(a *account) *Turn {
			for _, queue := range a.queues[:classes] {
				if len(queue) > 0 {
					return queue[0]
				}
			}
			return nil
		})
		if t == nil {
			break
		}
		t.account.queues[t.class] = t.account.queues[t.class][1:]
		t.account.owner.waiting--
		last := len(ts.cores) - 1
		t.core, ts.cores = ts.cores[last], ts.cores[:last]
		ts.served = max(ts.served, t.account.owner.used)
		t.account.owner.served = max(t.account.owner.served, t.account.used)
		t.since = time.Now()
		close(t.ready)
	}
	for ts.slots > 0 {
		t := ts.next(func(a *account) *Turn {
			if len(a.queues[forSlot]) > 0 && ts.hasSlot(a) {
				return a.queues[forSlot][0]
			}
			return nil
		})
		if t == nil {
			break
		}
		t.account.queues[forSlot] = t.account.queues[forSlot][1:]
		t.account.owner.waiting--
		ts.assignSlot(t)
		close(t.ready)
	}
}

// next returns the turn that goes next: see Turn.before.
func (ts *Turns) next(first func(*account) *Turn) (next *Turn) {
	for _, a := range ts.accounts {
		t := first(a)
		if t == nil {
			continue
		}
		if next == nil || t.before(next) {
			next = t
		}
	}
	return next
}

func (ts *Turns) anyWaits() bool {
	for _, a := range ts.accounts {
		for _, queue := range a.queues[:classes] {
			if len(queue) > 0 {
				return true
			}
		}
	}
	return false
}

func (ts *Turns) assignSlot(t *Turn) {
	ts.slots--
	t.account.slots++
	t.account.owner.slots++
	t.admitted = true
}
