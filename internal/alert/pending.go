package alert

import (
	"context"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// restFor is how long a log must have been at rest, and evaluated, before it is no longer pending: a busy one costs no row for each
	// event.
	restFor = 2 * time.Second
	// doubtFor is how long it must have been at rest where an append may still be on its way to its commit.
	doubtFor = time.Minute
	// maxPending bounds the logs that are pending though they are at rest.
	maxPending = 100_000
)

// pending knows which logs this server has put down as pending. What it put down holds as long as the server gives signs of life in time:
// its lease.
type pending struct {
	server uuid.UUID
	queue  *queue
	clock  time.Time // times are durations since then

	mu         sync.Mutex
	logs       map[uuid.UUID]*pendingLog
	generation uint64                          // grows when others have taken over what was put down before
	lease      time.Duration                   // until when it holds
	seen       bool                            // the server has given a sign of life
	settled    dbsqlc.DeleteAlertPendingParams // rows to be deleted
}

// pendingLog is a log with events that may not have been evaluated.
type pendingLog struct {
	rows       []uuid.UUID // that may be there, the last one for sure once held
	held       bool        // a row was committed
	generation uint64      // in which it was
	open       bool        // an append has begun that is not known to be committed
	touched    time.Duration
}

func newPending(q *queue) *pending {
	return &pending{server: uuid.New(), queue: q, clock: time.Now(), logs: map[uuid.UUID]*pendingLog{}}
}

// Appending is for ingest.Config: it queues, for the transaction that appends to these logs, that those which an alert covers are pending.
// It costs logs without alerts a look into a map.
func (a *Alerts) Appending(ctx context.Context, to *db.Pipeline, logs []uuid.UUID) error {
	var rows dbsqlc.InsertAlertPendingParams
	for _, log := range logs {
		if a.covers(log) {
			if id, needed := a.pending.begin(log); needed {
				rows.LogIds, rows.PendingIds = append(rows.LogIds, log), append(rows.PendingIds, id)
			}
		}
	}
	if len(rows.LogIds) == 0 {
		return nil
	}
	rows.ServerID = a.pending.server
	return a.db.InsertAlertPending(ctx, to, rows)
}

// Committed is for ingest.Config: it has the alerts of a log evaluated. It does not block.
func (a *Alerts) Committed(log uuid.UUID, _ []event.Recorded) {
	if a.covers(log) {
		a.pending.committed(log)
		a.queue.add(log)
	}
}

// begin notes that an append to a log begins. needed: the transaction must put a row of that id down.
func (p *pending) begin(log uuid.UUID) (id uuid.UUID, needed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.logs[log]
	if l == nil {
		l = &pendingLog{}
		p.logs[log] = l
	}
	now := time.Since(p.clock)
	l.open, l.touched = true, now
	if l.held && l.generation == p.generation && now < p.lease {
		return id, false
	}
	id = uuid.New()
	l.rows, l.held, l.generation = append(l.rows, id), false, p.generation
	return id, true
}

func (p *pending) committed(log uuid.UUID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.logs[log]; l != nil { // else the append began when no alert covered the log
		l.held, l.open, l.touched = true, false, time.Since(p.clock)
	}
}

// adopt takes a row over, which another server has put down.
func (p *pending) adopt(log, row uuid.UUID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.logs[log]
	if l == nil {
		l = &pendingLog{}
		p.logs[log] = l
	}
	l.rows = append(l.rows, row)
	l.touched = time.Since(p.clock)
}

// renew notes a sign of life, given at a time. anew: others had taken over what was put down before.
func (p *pending) renew(at time.Time, lease time.Duration, anew bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if anew {
		p.generation++
	}
	p.seen, p.lease = true, at.Sub(p.clock)+lease
}

func (p *pending) known() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

func (p *pending) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.logs)
}

// settle forgets the logs that are at rest and evaluated, and returns the rows to be deleted. Those of a log whose append came to nothing
// are among them once it was evaluated.
func (p *pending) settle() dbsqlc.DeleteAlertPendingParams {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Since(p.clock)
	full := len(p.logs) > maxPending
	for log, l := range p.logs {
		rest := now - l.touched
		switch {
		case l.open && rest < doubtFor, !l.open && rest < restFor && !full:
		case l.open: // nobody knows what became of it
			l.open = false
			p.queue.add(log)
		case p.queue.isDone(log):
			for _, row := range l.rows {
				p.settled.LogIds, p.settled.PendingIds = append(p.settled.LogIds, log), append(p.settled.PendingIds, row)
			}
			delete(p.logs, log)
		}
	}
	return p.settled
}

// deleted notes that the rows which settle returned are gone.
func (p *pending) deleted() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settled = dbsqlc.DeleteAlertPendingParams{}
}
