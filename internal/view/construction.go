package view

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// chunkTime is how long one transaction of a build folds: long enough to make up for the commit, short enough that nobody waits
	// long for the version's row, and that killing a server loses little.
	chunkTime = 150 * time.Millisecond
	// chunkKeys bounds what one transaction of a build writes, since writing a key can take longer than folding an event.
	chunkKeys = 10_000
	// finishTime is how long the chunk that reaches the head may hold the head's lock, which stops appends to that log;
	// finishEvents is how many events are expected to fit in, where nothing is known of the view yet.
	finishTime   = 50 * time.Millisecond
	finishEvents = 1000
	// While appends go on, a build rests after each chunk, restFactor times as long as the chunk took, so that it uses only a part of the
	// machine. busyCommits is how many logs' appends must have been committed meanwhile for that.
	restFactor  = 2
	busyCommits = 5
	// buildLease is for how long after a chunk other servers leave the version to this one: they would have to read its state.
	buildLease = 2 * time.Second
	// rateMemory is about how far back a build's rate looks.
	rateMemory = 10 * time.Second
)

type buildStep int

const (
	stepHeldElsewhere buildStep = iota // or no longer building
	stepMore
	stepDone
)

// construction is one server's build of a version. What it knows between chunks is believed as long as the version's row shows that no
// other server has built on, and the log still holds the event that it reached: after a restore that may be another one.
type construction struct {
	views   *Views
	log, id uuid.UUID

	history  *eventlog.History // ahead of the folding; nil until needed
	snapshot *Snapshot         // the state at applied; nil when nothing is known
	turn     int64
	applied  int64
	reached  eventlog.Mark // the event that was folded last; the zero value when nothing is known of it

	speed  float64 // events/s of the last chunk; 0 when nothing is known
	before int64   // events that were left before the last chunk
	racing bool    // appends come as fast as they are folded
}

// forget drops everything that is known, as when a chunk was not committed.
func (c *construction) forget() {
	c.history.Close()
	c.history, c.snapshot, c.reached = nil, nil, eventlog.Mark{}
}

// chunk folds the next events of the log's history into the version, in one transaction. The chunk that is to reach the head holds the
// head's lock, so that the version goes live there with no event in between. It locks the head before the version: the order in which
// going live locks the versions that it retires.
func (c *construction) chunk(ctx context.Context) (step buildStep, err error) {
	v := c.views
	progress, err := v.db.BuildProgress(ctx, v.db.Read, dbsqlc.BuildProgressParams{LogID: c.log, VersionID: c.id})
	if kind := db.Classify(err); isNotFound(kind) {
		return stepHeldElsewhere, nil
	} else if kind != nil {
		return 0, fmt.Errorf("reading how far a version is: %w", kind)
	}
	b := c.plan(progress.Head - progress.AppliedSequence)
	if !b.last { // long chunks take turns, so that builds do not take all cores from appends
		select {
		case v.building <- struct{}{}:
			defer func() { <-v.building }()
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		defer v.rest(ctx, time.Now(), v.commits.Load())
	}
	err = v.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		b.tx = tx
		step, err = b.run(ctx)
		return err
	})
	if err != nil || step != stepMore {
		c.forget()
	}
	return step, err
}

// rest rests after a chunk if appends went on meanwhile. The chunk began at a time when there had been so many commits.
func (v *Views) rest(ctx context.Context, began time.Time, commits int64) {
	if v.commits.Load()-commits < busyCommits {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(restFactor * time.Since(began)):
	}
}

// plan returns the next chunk, where so many events are left to fold.
func (c *construction) plan(left int64) *chunk {
	c.racing = c.racing || c.before > 0 && left >= c.before
	b := &chunk{construction: c, left: left, limit: chunkTime}
	switch {
	case left <= finishEvents, float64(left) <= c.speed*finishTime.Seconds():
		b.last, b.limit = true, finishTime
	case c.racing: // then appends must wait now and then, or the version never goes live
		b.last = true
	}
	return b
}

// chunk is one transaction of a construction.
type chunk struct {
	*construction
	tx      pgx.Tx
	left    int64         // events to fold, as was known before
	limit   time.Duration // of folding
	started time.Time     // when the version's row was locked
	last    bool          // the head is locked
	head    int64         // where it is locked
	row     dbsqlc.LockBuildingVersionRow
	version *Version
}

func (b *chunk) run(ctx context.Context) (buildStep, error) {
	queries := b.views.db.Queries
	if b.last {
		head, err := queries.LockHead(ctx, b.tx, b.log)
		if err != nil {
			return 0, fmt.Errorf("locking the head: %w", err)
		}
		b.head = head.Sequence
	}
	var err error
	b.row, err = queries.LockBuildingVersion(ctx, b.tx, dbsqlc.LockBuildingVersionParams{
		LogID: b.log, VersionID: b.id, Builder: &b.views.id, Lease: pgtype.Interval{Microseconds: buildLease.Microseconds(), Valid: true},
	})
	if kind := db.Classify(err); isNotFound(kind) {
		return stepHeldElsewhere, nil
	} else if kind != nil {
		return 0, fmt.Errorf("locking a version: %w", kind)
	}
	b.started = time.Now()
	if b.row.State != stateKept { // of an earlier life: it has to go first
		_, err := b.views.dropLocked(ctx, b.tx, b.log, b.id)
		return stepMore, err
	}
	b.version, err = b.views.version(ctx, b.tx, versionRow{
		ID: b.id, ModuleSHA256: b.row.ModuleSha256, Config: b.row.Config, Fields: b.row.Fields, FoldGas: b.row.FoldGas,
		CostModel: b.row.CostModel,
	})
	if err != nil {
		return 0, err
	}
	if err := b.prepare(ctx); err != nil {
		return 0, err
	}
	fold, err := b.fold(ctx)
	if err != nil {
		return 0, err
	}
	if err := b.write(ctx, fold); err != nil {
		return 0, err
	}
	switch {
	case len(fold.Halts) > 0:
		b.views.CountHalts(len(fold.Halts))
		return stepDone, nil
	case b.last && b.applied == b.head:
		return stepDone, b.goLive(ctx)
	}
	return stepMore, b.recordProgress(ctx)
}

// prepare makes memory agree with the version's row, which is locked.
func (b *chunk) prepare(ctx context.Context) error {
	// A new log has nothing to read, and whoever makes many has each statement planned once.
	if b.snapshot != nil || !b.last || b.row.AppliedSequence < b.head {
		if err := b.views.db.PlanForPartitions(ctx, b.tx); err != nil {
			return fmt.Errorf("preparing to read events: %w", err)
		}
	}
	known := b.snapshot != nil && b.turn == b.row.Turn && b.applied == b.row.AppliedSequence
	if known {
		var err error
		if known, err = b.reached.IsIn(ctx, b.views.db, b.tx, b.log); err != nil {
			return err
		}
	}
	if !known {
		b.forget()
		b.turn, b.applied = b.row.Turn, b.row.AppliedSequence
		state, err := b.readState(ctx)
		if err != nil {
			return err
		}
		b.snapshot = &Snapshot{Log: b.log, views: []liveView{{state: state}}}
	}
	b.snapshot.views[0].version = b.version
	b.snapshot.uniteFields(&b.views.fields)
	if b.last {
		b.history.Close()
		b.history = nil
		return nil
	}
	if b.history == nil {
		b.history = eventlog.NewHistory(ctx, b.views.db, b.log, b.applied)
	}
	return nil
}

// readState reads the version's state, whole where it fits into a builder's memory.
func (b *chunk) readState(ctx context.Context) (*state, error) {
	s := &state{whole: true}
	if b.applied == 0 {
		return s, nil
	}
	reader := &stateReader{db: b.views.db, tx: b.tx, log: b.log, version: b.id}
	for after := ""; ; {
		page, err := reader.scan(ctx, "", after, loadedKeys)
		if err != nil {
			return nil, err
		}
		for _, entry := range page {
			after = string(entry.Key)
			s.put(after, entry.Value)
		}
		if len(page) < loadedKeys {
			return s, nil
		}
		if s.bytes > b.views.config.buildBounds().bytes {
			return &state{}, nil
		}
	}
}

func (b *chunk) snapshotAhead() *Snapshot {
	s := b.snapshot
	return &Snapshot{Log: b.log, views: s.views, fields: s.fields, ownFields: s.ownFields}
}

// write writes what the fold changed. The construction then believes that it was committed, until it hears otherwise.
func (b *chunk) write(ctx context.Context, fold Fold) error {
	b.snapshot = fold.Next
	var pipeline db.Pipeline
	var writer Writer
	writer.Add(b.log, fold)
	if err := writer.Queue(ctx, b.views.db.Queries, &pipeline); err != nil {
		return err
	}
	if err := pipeline.SendIn(ctx, b.tx); err != nil {
		return fmt.Errorf("writing a chunk's state: %w", err)
	}
	return nil
}

// recordProgress records how far the version is, and how fast it is built.
func (b *chunk) recordProgress(ctx context.Context) error {
	took := time.Since(b.started)
	events := float64(b.applied - b.row.AppliedSequence)
	b.speed, b.before = events/took.Seconds(), b.left
	rate := recentRate(deref(b.row.BuildRate), events, b.row.SecondsSince+took.Seconds(), b.row.AgeSeconds+took.Seconds())
	err := b.views.db.SetBuilt(ctx, b.tx, dbsqlc.SetBuiltParams{
		AppliedSequence: b.applied, Builder: &b.views.id, BuildRate: &rate, LogID: b.log, VersionID: b.id,
	})
	if err != nil {
		return fmt.Errorf("recording how far a version is: %w", err)
	}
	return nil
}

// recentRate updates a build's rate in events/s, from before, by so many events in so many seconds. Up to an age of about rateMemory it is
// the average since the build began; later, older events count for little.
func recentRate(before, events, seconds, age float64) float64 {
	const leastSeconds = 1e-3
	seconds = max(seconds, leastSeconds)
	weight := max(1-math.Exp(-seconds/rateMemory.Seconds()), min(1, seconds/max(age, leastSeconds)))
	return before*(1-weight) + events/seconds*weight
}

// goLive makes the version the live one, unless one with a higher turn has gone live meanwhile.
func (b *chunk) goLive(ctx context.Context) error {
	queries := b.views.db.Queries
	live, err := queries.LiveTurn(ctx, b.tx, dbsqlc.LiveTurnParams{LogID: b.log, ViewID: b.row.ViewID})
	if err != nil {
		return fmt.Errorf("looking for a later version: %w", err)
	}
	r := retirement{log: b.log, view: b.row.ViewID, head: b.head, before: b.row.Turn}
	r.why = fmt.Sprintf("version %d went live", b.row.Version)
	if live > b.row.Turn {
		r.before, r.why = live, "a later version is live"
		if err := b.recordProgress(ctx); err != nil {
			return err
		}
		return b.views.retire(ctx, b.tx, r)
	}
	if err := b.views.retire(ctx, b.tx, r); err != nil && !isNoneRetired(err) {
		return err
	}
	err = queries.SetVersionLive(ctx, b.tx, dbsqlc.SetVersionLiveParams{AppliedSequence: b.head, LogID: b.log, VersionID: b.id})
	if err != nil {
		return fmt.Errorf("going live: %w", err)
	}
	return b.views.changeLiveViews(ctx, b.tx, b.log)
}
