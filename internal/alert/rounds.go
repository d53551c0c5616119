package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// roundEvery is how often a server looks for what is to be evaluated without an append of its own, and idleEvery how often where there
	// are no alerts.
	roundEvery = time.Second
	idleEvery  = 30 * time.Second
	// countEvery is how often it counts alerts that fail, cleanEvery how often it drops what nobody needs.
	countEvery = 30 * time.Second
	cleanEvery = 10 * time.Second
	// page bounds the logs that are taken at a time, and maxWaiting those that may wait before no more are.
	page       = 500
	maxWaiting = 2000
	// KeptDays is for how many days crossings are kept.
	KeptDays = 400
	// signsPerDeath and leasesPerDeath: how often a server gives a sign of life while others would take it for dead, and which part of that
	// time it trusts what it has put down.
	signsPerDeath  = 10
	leasesPerDeath = 2
)

// upkeep is when the rounds were made last.
type upkeep struct{ round, counted, cleaned time.Time }

// keepKnown asks for changes of alerts, and gives signs of life where there are any, until ctx ends.
func (a *Alerts) keepKnown(ctx context.Context) {
	tick := time.NewTicker(min(refreshEvery, a.config.Dead/signsPerDeath))
	defer tick.Stop()
	failed, signed := false, time.Time{}
	for {
		err := a.known.refresh(ctx)
		if err == nil && (a.known.any() || a.pending.count() > 0) && time.Since(signed) >= a.config.Dead/signsPerDeath {
			at := time.Now()
			var anew bool
			if anew, err = a.db.SeeAlertServer(ctx, a.db.Access, a.pending.server); err == nil {
				a.pending.renew(at, a.config.Dead/leasesPerDeath, anew)
				signed = at
			}
		}
		if err != nil && ctx.Err() == nil && !failed {
			a.config.Log.LogAttrs(ctx, slog.LevelWarn, "asking for changes of alerts failed; trying again", slog.Any("error", err))
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-a.known.again:
		}
	}
}

// any reports whether there are alerts, as far as is known.
func (k *known) any() bool {
	set := k.set.Load()
	return set != nil && len(set.byID) > 0
}

// keepUp makes rounds until ctx ends.
func (a *Alerts) keepUp(ctx context.Context) {
	tick := time.NewTicker(min(roundEvery, a.config.Dead/signsPerDeath))
	defer tick.Stop()
	for {
		if err := a.round(ctx); err != nil && ctx.Err() == nil {
			a.config.Log.LogAttrs(ctx, slog.LevelWarn, "looking for alerts that are due failed; trying again", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (a *Alerts) round(ctx context.Context) error {
	if err := a.settle(ctx); err != nil {
		return err
	}
	a.queue.sweep()
	if !a.known.any() && time.Since(a.upkeep.round) < idleEvery {
		return nil
	}
	a.upkeep.round = time.Now()
	for _, find := range []func(context.Context) (more bool, err error){a.adopt, a.takeDue, a.sweep} {
		for more := true; more && a.queue.waiting() < maxWaiting; {
			var err error
			if more, err = find(ctx); err != nil {
				return err
			}
		}
	}
	if time.Since(a.upkeep.counted) >= countEvery {
		failing, err := a.db.FailingAlerts(ctx, a.db.Read)
		if err != nil {
			return fmt.Errorf("counting alerts that fail: %w", db.Classify(err))
		}
		a.stats.failing.Store(failing)
		a.upkeep.counted = time.Now()
	}
	if time.Since(a.upkeep.cleaned) >= cleanEvery {
		if err := a.clean(ctx); err != nil {
			return err
		}
		a.upkeep.cleaned = time.Now()
	}
	return nil
}

// settle deletes the rows of logs that are pending no more.
func (a *Alerts) settle(ctx context.Context) error {
	rows := a.pending.settle()
	if len(rows.LogIds) == 0 {
		return nil
	}
	if err := a.db.DeleteAlertPending(ctx, a.db.Read, rows); err != nil {
		return fmt.Errorf("deleting what is pending no more: %w", db.Classify(err))
	}
	a.pending.deleted()
	return nil
}

// adopt takes over what servers that are gone have left.
func (a *Alerts) adopt(ctx context.Context) (more bool, err error) {
	var rows []dbsqlc.AdoptAlertPendingRow
	err = a.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) (err error) {
		if err := a.db.ForgetAlertServers(ctx, tx, a.config.Dead.Seconds()); err != nil {
			return err
		}
		rows, err = a.db.AdoptAlertPending(ctx, tx, dbsqlc.AdoptAlertPendingParams{ServerID: a.pending.server, MaxRows: page})
		return err
	})
	if err != nil {
		return false, fmt.Errorf("taking over pending logs: %w", err)
	}
	for _, row := range rows {
		a.pending.adopt(row.LogID, row.PendingID)
		a.queue.add(row.LogID)
	}
	return len(rows) == page, nil
}

// takeDue takes what is to be evaluated without an event: windows that are over, and evaluations that failed.
func (a *Alerts) takeDue(ctx context.Context) (more bool, err error) {
	rows, err := a.db.ClaimDueAlerts(ctx, a.db.Read, page)
	if err != nil {
		return false, fmt.Errorf("taking alerts that are due: %w", db.Classify(err))
	}
	for _, row := range rows {
		a.states.forget(stateKey{row.LogID, row.AlertID})
		a.queue.add(row.LogID)
	}
	return len(rows) == page, nil
}

// sweep takes an alert that was put to the next of its logs that have events: they are pending then.
func (a *Alerts) sweep(ctx context.Context) (more bool, err error) {
	var taken dbsqlc.InsertAlertPendingParams
	err = a.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		taken, more = dbsqlc.InsertAlertPendingParams{ServerID: a.pending.server}, false
		row, err := a.db.LockAlertToSweep(ctx, tx)
		if err != nil {
			return ignoreNotFound(err)
		}
		more = true
		alert, err := stored(row.AlertID, row.TenantID, "", row.Version, row.Definition)
		if err != nil {
			return err
		}
		logs, err := a.db.LogsToSweep(ctx, tx, dbsqlc.LogsToSweepParams{
			TenantID: row.TenantID, After: row.SweepAfter, LikePattern: alert.Logs.Like(), MaxRows: page,
		})
		if err != nil {
			return err
		}
		next := dbsqlc.MoveSweepParams{AlertID: row.AlertID}
		if len(logs) == page {
			next.SweepAfter = &logs[page-1]
		}
		if taken.LogIds, err = a.db.LogsWithEvents(ctx, tx, logs); err != nil {
			return err
		}
		for range taken.LogIds {
			taken.PendingIds = append(taken.PendingIds, uuid.New())
		}
		if len(taken.LogIds) > 0 {
			if err := a.db.InsertAlertPending(ctx, tx, taken); err != nil {
				return err
			}
		}
		return a.db.MoveSweep(ctx, tx, next)
	})
	if err != nil {
		return false, fmt.Errorf("taking an alert to its logs: %w", err)
	}
	for i, log := range taken.LogIds {
		a.pending.adopt(log, taken.PendingIds[i])
		a.queue.add(log)
	}
	return more, nil
}

// clean drops what is left of alerts that were deleted, and crossings of long ago.
func (a *Alerts) clean(ctx context.Context) error {
	deleted, err := a.db.DeletedAlerts(ctx, a.db.Read, page)
	if err != nil {
		return fmt.Errorf("looking for deleted alerts: %w", db.Classify(err))
	}
	for _, id := range deleted {
		if _, err := a.db.DropAlertStates(ctx, a.db.Read, dbsqlc.DropAlertStatesParams{AlertID: id, MaxRows: page}); err != nil {
			return fmt.Errorf("dropping an alert's states: %w", db.Classify(err))
		}
		if _, err := a.db.DropCrossings(ctx, a.db.Read, dbsqlc.DropCrossingsParams{AlertID: id, MaxRows: page}); err != nil {
			return fmt.Errorf("dropping an alert's crossings: %w", db.Classify(err))
		}
		if err := a.db.DropAlert(ctx, a.db.Read, id); err != nil {
			return fmt.Errorf("dropping an alert: %w", db.Classify(err))
		}
	}
	if _, err := a.db.PruneCrossings(ctx, a.db.Read, dbsqlc.PruneCrossingsParams{KeptDays: KeptDays, MaxRows: page}); err != nil {
		return fmt.Errorf("dropping crossings of long ago: %w", db.Classify(err))
	}
	return nil
}

func ignoreNotFound(err error) error {
	if errors.Is(db.Classify(err), db.ErrNotFound) {
		return nil
	}
	return err
}
