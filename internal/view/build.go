package view

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
)

const (
	// A chunk is what one transaction of a build folds: large enough to amortise the commit, small enough that the
	// last one, which holds the log's head, stops appends to that log for a moment only.
	chunkEvents = 2000
	chunkBytes  = 8 << 20
	// buildPoll is how often a server looks for versions that nobody builds: another server may have stopped.
	buildPoll = 5 * time.Second
	// buildRetry is how long to leave a version alone that another server holds, or that could not be built on.
	buildRetry = 50 * time.Millisecond
	// maxBuildsListed bounds one round of the builder.
	maxBuildsListed = 100
)

// Run builds versions that wait in the background, chunk by chunk in turn, until ctx ends. Every server of a database may
// run it: a version's row lock decides who builds.
func (v *Views) Run(ctx context.Context) {
	poll := time.NewTicker(buildPoll)
	defer poll.Stop()
	for {
		worked, err := v.buildRound(ctx)
		if worked {
			continue // a version that cannot be built does not hold up the others; its error is told when they are done
		}
		if err != nil && ctx.Err() == nil {
			v.log.LogAttrs(ctx, slog.LevelError, "building views failed; trying again", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-v.work:
		case <-poll.C:
		}
	}
}

// buildRound folds one chunk into every version that waits, and says whether there was any it could work on.
func (v *Views) buildRound(ctx context.Context) (worked bool, err error) {
	versions, err := v.db.BuildingVersions(ctx, v.db.Read, maxBuildsListed)
	if err != nil {
		return false, fmt.Errorf("listing versions to build: %w", db.Classify(err))
	}
	var failures []error
	for _, version := range versions {
		step, err := v.buildChunk(ctx, version.LogID, version.VersionID)
		if err != nil {
			failures = append(failures, fmt.Errorf("building version %s of log %s: %w", version.VersionID, version.LogID, err))
			continue
		}
		worked = worked || step != stepHeldElsewhere
	}
	return worked, errors.Join(failures...)
}

// buildFor builds a version until it is live or halted, or patience runs out: then the background goes on with it.
func (v *Views) buildFor(ctx context.Context, log, version db.UUID, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		step, err := v.buildChunk(ctx, log, version)
		switch {
		case errors.Is(err, db.ErrConflict), err == nil && step == stepHeldElsewhere:
			done, err := v.isBuilt(ctx, log, version)
			if err != nil || done {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(buildRetry):
			}
		case err != nil:
			return fmt.Errorf("building a view version: %w", err)
		case step == stepDone:
			return nil
		}
	}
	select {
	case v.work <- struct{}{}:
	default:
	}
	return nil
}

func (v *Views) isBuilt(ctx context.Context, log, version db.UUID) (bool, error) {
	status, err := v.db.VersionStatus(ctx, v.db.Read, dbsqlc.VersionStatusParams{LogID: log, VersionID: version})
	if err != nil {
		return false, fmt.Errorf("reading a version's status: %w", db.Classify(err))
	}
	return Status(status) != Building, nil
}

type buildStep int

const (
	stepHeldElsewhere buildStep = iota // or no longer building
	stepMore
	stepDone
)

// buildChunk folds the next events of the log's history into a building version, in one transaction. The chunk that
// reaches the head holds the head's lock, so that the version goes live there with no event in between. It takes the
// head before the version, as whoever goes live does with the versions that it retires.
func (v *Views) buildChunk(ctx context.Context, log, versionID db.UUID) (buildStep, error) {
	step := stepHeldElsewhere
	err := v.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		progress, err := v.db.BuildProgress(ctx, tx, dbsqlc.BuildProgressParams{LogID: log, VersionID: versionID})
		if isNotFound(db.Classify(err)) {
			return nil
		} else if err != nil {
			return err
		}
		b := build{views: v, tx: tx, log: log, until: progress.Head, last: progress.Head-progress.AppliedSequence <= chunkEvents}
		if b.last {
			head, err := v.db.LockHead(ctx, tx, log)
			if err != nil {
				return fmt.Errorf("locking the head: %w", err)
			}
			b.until = head.Sequence
		}
		b.row, err = v.db.LockBuildingVersion(ctx, tx, dbsqlc.LockBuildingVersionParams{LogID: log, VersionID: versionID})
		if isNotFound(db.Classify(err)) {
			return nil
		} else if err != nil {
			return err
		}
		if b.version, err = v.version(ctx, tx, versionID, "", b.row.ModuleSha256, b.row.Config, b.row.Fields); err != nil {
			return err
		}
		step, err = b.chunk(ctx)
		return err
	})
	return step, err
}

// build is one chunk of a version's way through history.
type build struct {
	views   *Views
	tx      pgx.Tx
	log     db.UUID
	row     dbsqlc.LockBuildingVersionRow
	version *Version
	until   int64 // the head when the chunk began
	last    bool  // the head is locked
}

func (b *build) chunk(ctx context.Context) (buildStep, error) {
	queries := b.views.db.Queries
	if err := queries.PlanForPartitions(ctx, b.tx); err != nil {
		return 0, fmt.Errorf("preparing to read history: %w", err)
	}
	events, err := queries.ListEventsToFold(ctx, b.tx, dbsqlc.ListEventsToFoldParams{
		LogID: b.log, After: b.row.AppliedSequence, Until: b.until, MaxRows: chunkEvents, MaxBytes: chunkBytes,
	})
	if err != nil {
		return 0, fmt.Errorf("reading history: %w", err)
	}
	applied, halted, err := b.fold(ctx, events)
	switch {
	case err != nil:
		return 0, err
	case halted:
		return stepDone, nil
	case b.last && applied == b.until:
		return stepDone, b.goLive(ctx, applied)
	}
	return stepMore, queries.SetAppliedSequence(ctx, b.tx, dbsqlc.SetAppliedSequenceParams{
		AppliedSequence: applied, LogID: b.log, VersionID: b.version.ID,
	})
}

// fold folds the events and writes the state that they make. It returns the last sequence that is folded now.
func (b *build) fold(ctx context.Context, rows []dbsqlc.ListEventsToFoldRow) (applied int64, halted bool, err error) {
	applied = b.row.AppliedSequence
	if len(rows) == 0 {
		return applied, false, nil
	}
	snapshot := &Snapshot{Log: b.log, views: []liveView{{version: b.version}}}
	if err := b.views.loadStates(ctx, b.tx, map[db.UUID]*Snapshot{b.log: snapshot}); err != nil {
		return 0, false, err
	}
	snapshot.fields, snapshot.places = b.views.fields.union(snapshot.views)
	events := make([]eventlog.Recorded, len(rows))
	for i, row := range rows {
		if row.Sequence != applied+1 {
			return 0, false, fmt.Errorf("the log has no event %d: its history is not whole", applied+1)
		}
		applied = row.Sequence
		events[i] = eventlog.Recorded{Sequence: row.Sequence, RecordedAt: row.RecordedAt.UnixMicro()}
		events[i].Time, events[i].Data = row.Time.UnixMicro(), row.Data
	}
	fold, err := b.views.Fold(ctx, b.tx, snapshot, events, eventlog.Head{Sequence: applied})
	if err != nil {
		return 0, false, err
	}
	var pipeline db.Pipeline
	var writer Writer
	writer.Add(b.log, fold)
	if err := writer.Queue(ctx, b.views.db.Queries, &pipeline); err != nil {
		return 0, false, err
	}
	return applied, len(fold.Halts) > 0, pipeline.SendIn(ctx, b.tx)
}

func (b *build) goLive(ctx context.Context, applied int64) error {
	queries := b.views.db.Queries
	err := queries.RetireOtherVersions(ctx, b.tx, dbsqlc.RetireOtherVersionsParams{
		Head: applied, LogID: b.log, ViewID: b.row.ViewID, Version: b.row.Version,
	})
	if err != nil {
		return fmt.Errorf("retiring the version before: %w", err)
	}
	err = queries.SetVersionLive(ctx, b.tx, dbsqlc.SetVersionLiveParams{AppliedSequence: applied, LogID: b.log, VersionID: b.version.ID})
	if err != nil {
		return fmt.Errorf("going live: %w", err)
	}
	return queries.BumpViewsEpoch(ctx, b.tx, b.log)
}
