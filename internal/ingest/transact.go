package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

var (
	// errCold: a log of the group is not in the cache.
	errCold = errors.New("a log is not cached")
	// errSettled: the plan in doubt turned out to be committed.
	errCommitted = errors.New("committed after all")
)

// locking is which heads a transaction locks before it folds.
type locking int

const (
	lockNone locking = iota
	lockAll
	lockFree // those that nobody else has locked; requests for the other logs are left undecided
)

// transact is the append transaction: it decides on the group's requests, folding their events into their logs' views, and commits
// events, keys, state and heads together. A group that has no room for all of its requests leaves the last of a log undecided.
//
// With lockNone it works on the cached heads and lets the database compare them while it moves them: one round
// trip does everything. errCold or db.ErrStale means that nothing was stored and that the group needs locks. With
// those the heads are locked first and everything is read under the lock.
//
// d is an attempt whose outcome is not known, nil when there is none; it needs lockAll. What transact returns is in
// doubt afterwards.
func (l *lane) transact(ctx context.Context, group []*waiter, how locking, d *doubt) (*doubt, error) {
	l.room, l.loading = l.config.Room.Hold(), l.views.LoadRoom()
	defer l.room.Release()
	defer l.loading.Release()
	tx, err := db.Begin(ctx, l.db.Append)
	if err != nil {
		return d, db.Classify(err)
	}
	defer tx.Close()

	var p *plan
	if how == lockNone {
		p, err = l.planCached(group)
	} else {
		p, err = l.planLocked(ctx, tx, group, how, d)
	}
	if errors.Is(err, errCommitted) {
		if err := l.confirm(ctx, tx); err != nil {
			return d, db.Classify(err)
		}
		d.resolve(group)
		l.forget(group)
		l.publish(d.plan)
		return nil, nil
	} else if err != nil {
		return d, db.Classify(err)
	}
	if err := l.admit(ctx, tx, p); err != nil {
		return d, db.Classify(overdue(err))
	}
	if p.refused && how == lockNone {
		return nil, db.ErrStale // a refusal needs the true head and keys
	}
	if err := l.store(ctx, tx, p); err != nil {
		if d == nil && errors.Is(err, db.ErrOutcomeUnknown) {
			d = newDoubt(p, group)
		}
		return d, db.Classify(err)
	}
	l.remember(p)
	l.judge(p)
	return nil, nil
}

// overdue tells a group whose time has run out over folding, or over waiting for a turn, from one for which the database does not answer.
func overdue(err error) error {
	if errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, db.ErrUnavailable) {
		return fmt.Errorf("%w: %v", ErrBusy, err) //nolint:errorlint // a deadline is taken for the database's
	}
	return err
}

// planCached is a plan on the cached heads.
func (l *lane) planCached(group []*waiter) (*plan, error) {
	snapshots := make(map[uuid.UUID]*view.Snapshot, len(group))
	for _, w := range group {
		if snapshots[w.log] != nil {
			continue
		}
		s := l.views.Cached(w.log)
		if s == nil {
			return nil, errCold
		}
		snapshots[w.log] = s
	}
	return newPlan(group, snapshots, nil, nil, l.now()), nil
}

// slowLockTimeout is how long a lane for slow logs waits for a lock, where only logs wait that somebody keeps or is slow with.
const slowLockTimeout = "2s"

// planLocked locks the heads and reads what is not cached. It returns errSettled when d was committed.
func (l *lane) planLocked(ctx context.Context, tx *db.Tx, group []*waiter, how locking, d *doubt) (*plan, error) {
	snapshots, held, err := l.lockHeads(ctx, tx, group, how)
	if err != nil {
		return nil, err
	}
	if d != nil {
		committed, err := l.wasCommitted(ctx, tx, d)
		if err != nil {
			return nil, err
		} else if committed {
			return nil, errCommitted
		}
	}
	known, err := l.findKeys(ctx, tx, group)
	if err != nil {
		return nil, err
	}
	return newPlan(group, snapshots, held, known, l.now()), nil
}

func (l *lane) now() int64 { return l.config.Now().UnixMicro() }

// lockHeads locks the heads of the group's logs and returns their snapshots, from memory or the database. held are logs that somebody else
// has locked, where those are not waited for.
func (l *lane) lockHeads(ctx context.Context, tx *db.Tx, group []*waiter, how locking) (snapshots map[uuid.UUID]*view.Snapshot, held []uuid.UUID, err error) {
	ids := make([]uuid.UUID, 0, len(group))
	for _, w := range group {
		ids = append(ids, w.log)
	}
	slices.SortFunc(ids, uuid.UUID.Compare)
	ids = slices.Compact(ids)
	var rows []dbsqlc.LogHead
	if !l.shared() {
		if err := l.db.BoundLocks(ctx, tx, slowLockTimeout); err != nil {
			return nil, nil, fmt.Errorf("bounding the wait for locks: %w", err)
		}
	}
	if how == lockFree {
		rows, held, err = l.lockFreeHeads(ctx, tx, ids)
	} else {
		rows, err = l.db.LockHeads(ctx, tx, ids)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("locking heads: %w", err)
	}
	snapshots = make(map[uuid.UUID]*view.Snapshot, len(rows))
	var cold []dbsqlc.LogHead
	for _, row := range rows {
		if s := l.views.Cached(row.LogID); s != nil && s.Head == view.HeadOf(&row) {
			snapshots[row.LogID] = s
		} else {
			cold = append(cold, row)
		}
	}
	if len(cold) == 0 {
		return snapshots, held, nil
	}
	loaded, err := l.views.Load(ctx, tx, cold, l.loading)
	if err != nil {
		return nil, nil, err
	}
	for id, s := range loaded {
		snapshots[id] = s
	}
	return snapshots, held, nil
}

// lockFreeHeads locks the heads that nobody else has locked; held are the logs of the others.
func (l *lane) lockFreeHeads(ctx context.Context, tx *db.Tx, ids []uuid.UUID) (rows []dbsqlc.LogHead, held []uuid.UUID, err error) {
	free, err := l.db.LockFreeHeads(ctx, tx, ids)
	if err != nil || len(free) == len(ids) {
		return free, nil, err
	}
	if held, err = l.db.ExistingLogs(ctx, tx, ids); err != nil {
		return nil, nil, err
	}
	held = slices.DeleteFunc(held, func(id uuid.UUID) bool {
		return slices.ContainsFunc(free, func(row dbsqlc.LogHead) bool { return row.LogID == id })
	})
	return free, held, nil
}

// findKeys reads the owners of the group's idempotency keys.
func (l *lane) findKeys(ctx context.Context, tx *db.Tx, group []*waiter) (map[eventKey]keyOwner, error) {
	var params dbsqlc.FindEventKeysParams
	for _, w := range group {
		for i := range w.request.Events {
			for _, hash := range []uuid.UUID{w.request.Events[i].KeyHash, w.request.Events[i].FormerKeyHash} {
				if !hash.IsZero() {
					params.LogIds = append(params.LogIds, w.log)
					params.KeyHashes = append(params.KeyHashes, hash)
				}
			}
		}
	}
	known := make(map[eventKey]keyOwner, len(params.KeyHashes))
	if len(params.KeyHashes) == 0 {
		return known, nil
	}
	rows, err := l.db.FindEventKeys(ctx, tx, params)
	if err != nil {
		return nil, fmt.Errorf("reading idempotency keys: %w", err)
	}
	for _, row := range rows {
		known[eventKey{row.LogID, row.KeyHash}] = keyOwner{sequence: row.Sequence, payload: row.PayloadHash}
	}
	return known, nil
}

// singleEvents is up to how many events, each of a log of its own, are stored by statements of one row. They take half of what those for
// any number of rows do, each; from about here on those are cheaper together.
const singleEvents = 3

// copyEvents is from how many events on a group is stored by COPY, which costs the database about a tenth less than INSERT
// and takes two more round trips.
const copyEvents = 500

// copyBytes is from how many bytes of events on it is too. A server that is stopped in the middle of sending statements keeps its locks,
// and PostgreSQL does not end its transaction, which is not idle: what is sent by INSERT is little enough for the kernel to take at once.
const copyBytes = 64 << 10

// copyTimeout ends a COPY whose server has stopped in the middle of it, likewise.
const copyTimeout = "10s"

// store writes everything the plan holds and commits. The heads come first: where one has moved, nothing after it is
// done. So a connection that was lost with the statements on their way cannot store them once the heads have moved.
func (l *lane) store(ctx context.Context, tx *db.Tx, p *plan) (err error) {
	n := p.countEvents()
	if n == 0 && p.repeated {
		return l.confirm(ctx, tx)
	} else if n == 0 {
		return nil
	}
	pipeline := &db.Pipeline{}
	small := p.eventBytes() < copyBytes
	alone := small && p.isOfSingles(n)
	if err = l.queueHeads(ctx, pipeline, p, alone); err != nil {
		return err
	}
	if former := p.formerKeys(); len(former.KeyHashes) > 0 {
		if err := l.db.ExpectNoEventKeys(ctx, pipeline, former); err != nil {
			return err
		}
	}
	if err := l.queueKeys(ctx, pipeline, p, alone); err != nil {
		return err
	}
	if months := p.months(); len(months.LogIds) > 0 {
		if err := l.db.InsertLogMonths(ctx, pipeline, months); err != nil {
			return err
		}
	}
	switch {
	case alone:
		for _, log := range p.logs {
			for i := range log.events {
				if err := l.db.InsertEvent(ctx, pipeline, log.eventRow(i)); err != nil {
					return err
				}
			}
		}
	case n < copyEvents && small:
		if err := l.db.InsertEvents(ctx, pipeline, p.eventRows(n)); err != nil {
			return err
		}
	default:
		if pipeline, err = l.sendEvents(ctx, tx, pipeline, p); err != nil {
			return err
		}
	}
	states := p.stateRows()
	if err := states.Queue(ctx, l.db.Queries, pipeline); err != nil {
		return err
	}
	return tx.SendAndCommit(ctx, pipeline)
}

// sendEvents sends what is queued and the events after it, and returns the pipeline for what follows.
func (l *lane) sendEvents(ctx context.Context, tx *db.Tx, queued *db.Pipeline, p *plan) (next *db.Pipeline, err error) {
	if err := l.db.BoundStatements(ctx, queued, copyTimeout); err != nil {
		return nil, err
	}
	if err := tx.Send(ctx, queued); err != nil {
		return nil, fmt.Errorf("moving heads: %w", err)
	}
	if err := tx.CopyEvents(ctx, p.nextEvent()); err != nil {
		return nil, fmt.Errorf("copying events: %w", err)
	}
	next = &db.Pipeline{}
	return next, l.db.BoundStatements(ctx, next, "0") // a COMMIT may have to wait: see the rationale on statement_timeout
}

// queueHeads queues moving the heads, each by itself when every log has one event.
func (l *lane) queueHeads(ctx context.Context, to *db.Pipeline, p *plan, alone bool) error {
	if !alone {
		return l.db.MoveHeads(ctx, to, p.headRows())
	}
	for _, log := range p.logs {
		if len(log.events) > 0 {
			if err := l.db.MoveHead(ctx, to, log.headRow()); err != nil {
				return err
			}
		}
	}
	return nil
}

// queueKeys queues storing the events' keys, likewise.
func (l *lane) queueKeys(ctx context.Context, to *db.Pipeline, p *plan, alone bool) error {
	if !alone {
		if keys := p.keyRows(); len(keys.KeyHashes) > 0 {
			return l.db.InsertEventKeys(ctx, to, keys)
		}
		return nil
	}
	for _, log := range p.logs {
		for hash, owner := range log.keys {
			err := l.db.InsertEventKey(ctx, to, dbsqlc.InsertEventKeyParams{
				LogID: log.snapshot.Log, KeyHash: hash, PayloadHash: owner.payload, Sequence: owner.sequence,
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// confirm commits nothing, and waits for it: then what the transaction has seen is as durable as what it had stored itself. A commit that
// stopped waiting for a synchronous standby, because its connection was ended, is seen before the standby has it.
func (l *lane) confirm(ctx context.Context, tx *db.Tx) error {
	pipeline := &db.Pipeline{}
	if err := l.db.WriteNothing(ctx, pipeline); err != nil {
		return err
	}
	if err := tx.SendAndCommit(ctx, pipeline); err != nil {
		return fmt.Errorf("%w: confirming: %v", db.ErrUnavailable, err) //nolint:errorlint // what became of it matters to nobody: it is tried again
	}
	return nil
}

// remember lets the cache and the queries know what is now true.
func (l *lane) remember(p *plan) {
	snapshots := make([]*view.Snapshot, 0, len(p.logs))
	for _, log := range p.logs {
		if log.admitted > 0 {
			snapshots = append(snapshots, log.fold.Next)
		}
	}
	l.views.Remember(snapshots)
	l.publish(p)
}

// publish tells of a plan that is committed.
func (l *lane) publish(p *plan) {
	if l.config.Committed == nil {
		return
	}
	for _, log := range p.logs {
		if len(log.events) > 0 {
			l.config.Committed(log.snapshot.Log, log.events)
		}
	}
}
