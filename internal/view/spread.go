package view

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/wasm"
)

// spreadBatch is on how many logs one transaction deploys a pattern's view, or retires it: some tens of milliseconds, for
// which their deploys wait and, where views are retired, their appends.
const spreadBatch = 50

// firstLog sorts before every log.
var firstLog = &uuid.UUID{}

// runPatterns deploys views on the logs that their patterns match, in the background, until ctx ends. Every server of a
// database may run it: a pattern's row lock decides which one works on it.
func (v *Views) runPatterns(ctx context.Context) {
	poll := time.NewTicker(buildPoll)
	defer poll.Stop()
	for {
		worked, err := v.spreadRound(ctx)
		if err != nil && ctx.Err() == nil {
			v.log.LogAttrs(ctx, slog.LevelError, "putting views on the logs of their patterns failed; trying again", slog.Any("error", err))
		} else if worked {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-v.spreading:
		case <-poll.C:
		}
	}
}

// spreadRound takes every pattern that waits one batch further, and reports whether there was any it could work on.
func (v *Views) spreadRound(ctx context.Context) (worked bool, err error) {
	waiting, err := v.db.WaitingPatterns(ctx, v.db.Read)
	if err != nil {
		return false, fmt.Errorf("listing view patterns: %w", db.Classify(err))
	}
	var failures []error
	for _, pattern := range waiting {
		step, err := v.spreadBatch(ctx, pattern.TenantID, pattern.PatternID)
		if err != nil {
			failures = append(failures, fmt.Errorf("spreading pattern %s: %w", pattern.PatternID, err))
		}
		worked = worked || err == nil && step != stepHeldElsewhere
	}
	return worked, errors.Join(failures...)
}

// spreadFor works on a pattern until it is done or patience runs out: then the background goes on with it.
func (v *Views) spreadFor(ctx context.Context, tenant uuid.UUID, name string, patience time.Duration) error {
	row, err := v.db.GetPattern(ctx, v.db.Read, dbsqlc.GetPatternParams{TenantID: tenant, Name: name})
	if err != nil {
		return fmt.Errorf("reading a view pattern: %w", db.Classify(err))
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		step, err := v.spreadBatch(ctx, tenant, row.PatternID)
		if err != nil && !errors.Is(err, db.ErrConflict) {
			return err
		}
		if err == nil && step != stepMore {
			break
		}
	}
	select {
	case v.spreading <- struct{}{}:
	default:
	}
	return nil
}

// spreadBatch applies a pattern to the next logs, in one transaction.
func (v *Views) spreadBatch(ctx context.Context, tenant, pattern uuid.UUID) (step buildStep, err error) {
	step = stepHeldElsewhere
	err = v.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		row, err := v.db.LockWaitingPattern(ctx, tx, dbsqlc.LockWaitingPatternParams{TenantID: tenant, PatternID: pattern})
		if isNotFound(db.Classify(err)) {
			return nil
		} else if err != nil {
			return err
		}
		work := v.applyPattern
		if PatternStatus(row.Status) == PatternRetiring {
			work = v.removePattern
		}
		logs, err := work(ctx, tx, row)
		if err != nil {
			return err
		}
		step = stepMore
		move := dbsqlc.MovePatternParams{TenantID: tenant, PatternID: pattern, Status: row.Status}
		if len(logs) > 0 {
			move.AfterLog = &logs[len(logs)-1]
		}
		if len(logs) < spreadBatch {
			step, move.AfterLog = stepDone, nil
			if PatternStatus(row.Status) == PatternRetiring {
				move.Status = string(PatternRetired)
			}
		}
		return v.db.MovePattern(ctx, tx, move)
	})
	if err != nil {
		return stepHeldElsewhere, fmt.Errorf("spreading a view pattern: %w", err)
	}
	v.wakeBuilder()
	return step, nil
}

// applyPattern deploys the pattern's revision on the next matching logs, and returns all that it looked at. It skips logs that have no
// room.
func (v *Views) applyPattern(ctx context.Context, tx pgx.Tx, row dbsqlc.ViewPattern) ([]uuid.UUID, error) {
	logs, err := v.db.LockMatchingLogs(ctx, tx, dbsqlc.LockMatchingLogsParams{
		TenantID: row.TenantID, After: *row.AfterLog, LikePattern: row.LikePattern, MaxRows: spreadBatch,
	})
	if err != nil {
		return nil, fmt.Errorf("locking matching logs: %w", err)
	}
	due, err := v.db.LogsToPlace(ctx, tx, dbsqlc.LogsToPlaceParams{
		LogIds: logs, Name: row.Name, PatternID: row.PatternID, Revision: row.Revision,
	})
	if err != nil {
		return nil, fmt.Errorf("finding logs to put the view on: %w", err)
	}
	d := Deployment{
		Config: row.Config, FoldGas: row.FoldGas, OnHalt: OnHalt(row.OnHalt), Actor: row.Actor, fields: row.Fields, guard: row.Guard,
		module: wasm.ModuleID{SHA256: [sha256.Size]byte(row.ModuleSha256), Model: wasm.CostModel(row.CostModel)},
	}
	var placed []uuid.UUID
	for _, log := range due {
		_, err := v.record(ctx, tx, log, row.Name, &d)
		var full *RefusedError
		if errors.As(err, &full) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("putting view %s on log %s: %w", row.Name, log, err)
		}
		placed = append(placed, log)
	}
	return logs, v.db.SetPlaced(ctx, tx, dbsqlc.SetPlacedParams{
		PatternID: row.PatternID, Revision: row.Revision, LogIds: placed, Name: row.Name,
	})
}

// removePattern retires the view on the next logs that have it from the pattern, and returns all that it looked at.
func (v *Views) removePattern(ctx context.Context, tx pgx.Tx, row dbsqlc.ViewPattern) ([]uuid.UUID, error) {
	logs, err := v.db.LockPlacedLogs(ctx, tx, dbsqlc.LockPlacedLogsParams{
		PatternID: row.PatternID, After: *row.AfterLog, TenantID: row.TenantID, MaxRows: spreadBatch,
	})
	if err != nil {
		return nil, fmt.Errorf("locking the pattern's logs: %w", err)
	}
	due, err := v.db.LogsToRetire(ctx, tx, dbsqlc.LogsToRetireParams{LogIds: logs, Name: row.Name, PatternID: row.PatternID})
	if err != nil {
		return nil, fmt.Errorf("finding logs to retire the view on: %w", err)
	}
	for _, log := range due {
		if err := v.retireView(ctx, tx, log, row.Name, row.Actor); err != nil {
			return nil, fmt.Errorf("retiring view %s on log %s: %w", row.Name, log, err)
		}
	}
	return logs, nil
}
