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
	// errCommitted: the attempt in doubt turned out to be committed.
	errCommitted = errors.New("committed after all")
)

// locking says which heads a transaction locks before it folds.
type locking int

const (
	lockNone locking = iota
	lockAll
	lockAvailable // those that nobody else has locked; requests for the other logs stay undecided
)

// transact is the append transaction: it decides on the group's requests, folds their events into their logs' views, and commits events,
// keys, state and heads together. Requests that the group has no room for stay undecided: of each log, the last ones.
//
// With lockNone it plans on cached heads and lets the database compare them as it moves them, so that one round trip does everything. The
// error is errCold or db.ErrStale when the group needs locks instead; nothing was stored then. With the other modes it locks the heads
// first and reads under the locks.
//
// d is an earlier attempt whose outcome is unknown, nil when there is none; it needs lockAll. transact returns the attempt that is in doubt
// afterwards: d, a new one, or nil.
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
	if err := l.timed(ctx, "fold", l.stats.Fold, func(ctx context.Context) error { return l.admit(ctx, tx, p) }); err != nil {
		return d, db.Classify(overdue(err))
	}
	if p.refused && how == lockNone {
		return nil, db.ErrStale // a refusal needs the true head and keys
	}
	if err := l.timed(ctx, "commit", l.stats.Commit, func(ctx context.Context) error { return l.store(ctx, tx, p) }); err != nil {
		if d == nil && errors.Is(err, db.ErrOutcomeUnknown) {
			d = newDoubt(p, group)
		}
		return d, db.Classify(err)
	}
	l.remember(p)
	l.notePaces(p)
	return nil, nil
}

// overdue turns a deadline that passed while folding, or while waiting for a turn, into ErrBusy. Otherwise it would count as the
// database's.
func overdue(err error) error {
	if errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, db.ErrUnavailable) {
		return fmt.Errorf("%w: %v", ErrBusy, err) //nolint:errorlint // db.Classify takes any deadline for the database's
	}
	return err
}

// planCached plans on cached heads. The error is errCold when a log is not cached.
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

// slowLockTimeout is how long a slow lane waits for a lock: longer than a shared one, since it delays only logs that are slow or locked.
const slowLockTimeout = "2s"

// planLocked locks the heads, reads what is not cached, and plans on that. The error is errCommitted when d was committed.
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

// lockHeads locks the heads of the group's logs and returns their snapshots, from memory or the database. With lockAvailable, held are the
// logs that somebody else has locked.
func (l *lane) lockHeads(
	ctx context.Context, tx *db.Tx, group []*waiter, how locking,
) (snapshots map[uuid.UUID]*view.Snapshot, held []uuid.UUID, err error) {
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
	if how == lockAvailable {
		rows, held, err = l.lockAvailableHeads(ctx, tx, ids)
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

// lockAvailableHeads locks the heads that nobody else has locked; held are the logs of the others.
func (l *lane) lockAvailableHeads(ctx context.Context, tx *db.Tx, ids []uuid.UUID) (rows []dbsqlc.LogHead, held []uuid.UUID, err error) {
	available, err := l.db.LockFreeHeads(ctx, tx, ids)
	if err != nil || len(available) == len(ids) {
		return available, nil, err
	}
	if held, err = l.db.ExistingLogs(ctx, tx, ids); err != nil {
		return nil, nil, err
	}
	held = slices.DeleteFunc(held, func(id uuid.UUID) bool {
		return slices.ContainsFunc(available, func(row dbsqlc.LogHead) bool { return row.LogID == id })
	})
	return available, held, nil
}

// findKeys reads the owners of the group's idempotency keys.
func (l *lane) findKeys(ctx context.Context, tx dbsqlc.DBTX, group []*waiter) (map[eventKey]keyOwner, error) {
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

const (
	// singleEvents is up to how many events, each of a log of its own, statements of one row store. One costs half of a statement for any
	// number of rows; beyond three events the latter are cheaper.
	singleEvents = 3
	// copyEvents is from how many events on COPY stores a group. It costs the database about a tenth less than INSERT, and takes two more
	// round trips.
	copyEvents = 500
	// copyBytes is from how many bytes of events on COPY stores a group, however few events they are. What goes by INSERT is small enough
	// for the kernel to take at once: a server that is frozen halfway through sending it would hold its locks until others end that (see
	// stalled.go).
	copyBytes = 64 << 10
)

// store writes everything that the plan holds and commits. The heads come first: a head that is not where the plan expects it ends the
// transaction before anything else is written. So statements that were on their way when their connection was lost store nothing once
// somebody else has moved the heads.
func (l *lane) store(ctx context.Context, tx *db.Tx, p *plan) (err error) {
	n := p.countEvents()
	switch empty := p.isEmpty(); {
	case empty && p.repeated:
		return l.confirm(ctx, tx)
	case empty:
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
	if l.config.Appending != nil {
		if err := l.config.Appending(ctx, pipeline, p.logsWithEvents()); err != nil {
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

// sendEvents sends what is queued, then the events by COPY, and returns the pipeline for what follows.
func (l *lane) sendEvents(ctx context.Context, tx *db.Tx, queued *db.Pipeline, p *plan) (next *db.Pipeline, err error) {
	if err := tx.Send(ctx, queued); err != nil {
		return nil, fmt.Errorf("moving heads: %w", err)
	}
	if err := tx.CopyEvents(ctx, p.nextEvent()); err != nil {
		return nil, fmt.Errorf("copying events: %w", err)
	}
	return &db.Pipeline{}, nil
}

// queueHeads queues the statements that move the heads: one each when alone, else one for all.
func (l *lane) queueHeads(ctx context.Context, to *db.Pipeline, p *plan, alone bool) error {
	if !alone {
		return l.db.MoveHeads(ctx, to, p.headRows())
	}
	for _, log := range p.logs {
		if log.moves() {
			if err := l.db.MoveHead(ctx, to, log.headRow()); err != nil {
				return err
			}
		}
	}
	return nil
}

// queueKeys queues the statements that store the events' keys, likewise.
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

// confirm commits an empty change and waits for it: then everything that the transaction has seen is durable. Without that it need not be:
// a commit whose connection was lost while it waited for a synchronous standby is visible before the standby has it.
func (l *lane) confirm(ctx context.Context, tx *db.Tx) error {
	pipeline := &db.Pipeline{}
	if err := l.db.WriteNothing(ctx, pipeline); err != nil {
		return err
	}
	if err := tx.SendAndCommit(ctx, pipeline); err != nil {
		//nolint:errorlint // it changed nothing: whether it was committed is of no interest
		return fmt.Errorf("%w: confirming: %v", db.ErrUnavailable, err)
	}
	return nil
}

// remember caches the logs' new snapshots, for queries and for the next group, and publishes the events.
func (l *lane) remember(p *plan) {
	snapshots := make([]*view.Snapshot, 0, len(p.logs))
	for _, log := range p.logs {
		if log.admitted > 0 {
			snapshots = append(snapshots, log.fold.Next)
		}
		l.stats.Events.Add(int64(len(log.events)))
		l.views.CountHalts(len(log.fold.Halts))
	}
	l.views.Remember(snapshots)
	l.publish(p)
}

// publish reports the committed events to Config.Committed.
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
