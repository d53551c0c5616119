package view

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// buildPoll is how often a server looks for versions that nobody builds: another server may have stopped.
	buildPoll = 2 * time.Second
	// buildRetry is how long to wait for a version that another server holds, or whose chunk conflicted.
	buildRetry = 50 * time.Millisecond
	// buildTurn is how long one version is built before the next: long enough to make up for reading its state, short enough that the
	// others do not wait long.
	buildTurn = 5 * time.Second
	// maxBuildsListed bounds one round of the builder; the next goes on after it.
	maxBuildsListed = 100
)

// Start begins, in the background, to build waiting versions in turn, to drop state that is no longer kept, and to deploy views on the logs
// of their patterns. Every server of a database may do so: a version's row lock decides which one builds it.
func (v *Views) Start() {
	v.worker.Go(v.runBuilds)
	v.worker.Go(v.runPatterns)
}

// Stop implements background.Part.
func (v *Views) Stop(ctx context.Context) error { return v.worker.Stop(ctx) }

func (v *Views) runBuilds(ctx context.Context) {
	poll := time.NewTicker(buildPoll)
	defer poll.Stop()
	for after := (dbsqlc.BuildingVersionsRow{}); ; {
		built, next, err := v.buildRound(ctx, after)
		after = next
		dropped, dropErr := v.dropRound(ctx)
		if built || dropped || !next.LogID.IsZero() {
			continue // a version that cannot be built does not hold up the others; its error is logged when they are done
		}
		if err := errors.Join(err, dropErr); err != nil && ctx.Err() == nil {
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

// wakeBuilder has the background look for work at once.
func (v *Views) wakeBuilder() {
	select {
	case v.work <- struct{}{}:
	default:
	}
}

// buildRound builds each waiting version for a while, from the one after a position on. It returns whether there was any it could work on,
// and where to go on; zero at the end.
func (v *Views) buildRound(
	ctx context.Context, after dbsqlc.BuildingVersionsRow,
) (worked bool, next dbsqlc.BuildingVersionsRow, err error) {
	versions, err := v.db.BuildingVersions(ctx, v.db.Read, dbsqlc.BuildingVersionsParams{
		AfterLog: after.LogID, AfterVersion: after.VersionID, MaxRows: maxBuildsListed, // the zero UUID is before all others
	})
	if err != nil {
		return false, next, fmt.Errorf("listing versions to build: %w", db.Classify(err))
	}
	var failures []error
	for _, version := range versions {
		step, err := v.buildTurn(ctx, version.LogID, version.VersionID, time.Now().Add(buildTurn))
		if err != nil {
			failures = append(failures, fmt.Errorf("building version %s of log %s: %w", version.VersionID, version.LogID, err))
			continue
		}
		worked = worked || step != stepHeldElsewhere
	}
	if len(versions) == maxBuildsListed {
		next = versions[len(versions)-1]
	}
	return worked, next, errors.Join(failures...)
}

// buildFor builds a version until it is live or halted, or patience runs out: then the background goes on with it.
func (v *Views) buildFor(ctx context.Context, log, version uuid.UUID, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		step, err := v.buildTurn(ctx, log, version, deadline)
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
	v.wakeBuilder()
	return nil
}

func (v *Views) isBuilt(ctx context.Context, log, version uuid.UUID) (bool, error) {
	status, err := v.db.VersionStatus(ctx, v.db.Read, dbsqlc.VersionStatusParams{LogID: log, VersionID: version})
	if err != nil {
		return false, fmt.Errorf("reading a version's status: %w", db.Classify(err))
	}
	return Status(status) != Building, nil
}

// buildTurn builds a version chunk by chunk until it is done, or at the first chunk that ends after until.
func (v *Views) buildTurn(ctx context.Context, log, version uuid.UUID, until time.Time) (buildStep, error) {
	if _, busy := v.constructions.LoadOrStore(version, struct{}{}); busy {
		return stepHeldElsewhere, nil
	}
	defer v.constructions.Delete(version)
	c := &construction{views: v, log: log, id: version}
	defer c.forget()
	for {
		step, err := c.chunk(ctx)
		if err != nil || step != stepMore || !time.Now().Before(until) {
			return step, err
		}
	}
}
