package alert

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/uuid"
)

// Errors of alerts.
var (
	ErrAlertNotFound = errors.New("alert not found")
	ErrTooManyAlerts = errors.New("too many alerts")
)

// Put is an alert as it was put.
type Put struct {
	*Alert
	CreatedAt, UpdatedAt time.Time
	UpdatedBy            string
	Spreading            bool // it has not been taken to all of its logs since it was put
	Firing, Failing      bool // on some log; in lists only
}

// Put makes this definition the alert's, from now on; within a second on every server. What it is already changes nothing: changed is false
// then. may is asked what the pattern of the alert that is there is, before anything is done. The error is may's, an *event.InvalidError,
// ErrTooManyAlerts, or the database's.
func (a *Alerts) Put(
	ctx context.Context, by access.Actor, tenant uuid.UUID, name string, definition []byte, may func(eventlog.Pattern) error,
) (put Put, changed bool, err error) {
	if err := eventlog.CheckName("the alert's name", name); err != nil {
		return Put{}, false, err
	}
	parsed, err := Parse(definition)
	if err != nil {
		return Put{}, false, err
	}
	if err := may(parsed.Logs); err != nil {
		return Put{}, false, err
	}
	parsed.Tenant, parsed.Name = tenant, name
	err = a.change(ctx, "putting an alert", tenant, name, func(tx pgx.Tx, present *dbsqlc.Alert, number int64) error {
		if present == nil {
			changed = true
			put, err = a.insert(ctx, tx, by, parsed, number)
			return err
		}
		if put, err = putOf(present); err != nil {
			return err
		}
		if err := may(put.Logs); err != nil {
			return err
		}
		if string(present.Definition) == string(parsed.Definition) {
			return nil
		}
		changed = true
		row, err := a.db.UpdateAlert(ctx, tx, dbsqlc.UpdateAlertParams{
			Definition: parsed.Definition, Changed: number, SweepAfter: &uuid.UUID{}, WaitSeconds: sweepAfter.Seconds(), UpdatedBy: by.Name,
			AlertID: present.AlertID,
		})
		if err != nil {
			return err
		}
		parsed.ID, parsed.Version = present.AlertID, row.Version
		put = Put{Alert: parsed, CreatedAt: present.CreatedAt, UpdatedAt: row.UpdatedAt, UpdatedBy: by.Name, Spreading: true}
		return a.record.Record(ctx, tx, tenant, by, "alert.put", name, map[string]int64{"version": row.Version})
	})
	if err != nil {
		return Put{}, false, err
	}
	return put, changed, nil
}

func (a *Alerts) insert(ctx context.Context, tx pgx.Tx, by access.Actor, alert *Alert, number int64) (Put, error) {
	count, err := a.db.CountAlerts(ctx, tx, alert.Tenant)
	if err != nil {
		return Put{}, err
	}
	if count >= MaxAlerts {
		return Put{}, ErrTooManyAlerts
	}
	alert.ID, alert.Version = uuid.New(), 1
	created, err := a.db.InsertAlert(ctx, tx, dbsqlc.InsertAlertParams{
		AlertID: alert.ID, TenantID: alert.Tenant, Name: alert.Name, Definition: alert.Definition, Changed: number,
		SweepAfter: &uuid.UUID{}, WaitSeconds: sweepAfter.Seconds(), UpdatedBy: by.Name,
	})
	if err != nil {
		return Put{}, err
	}
	put := Put{Alert: alert, CreatedAt: created, UpdatedAt: created, UpdatedBy: by.Name, Spreading: true}
	return put, a.record.Record(ctx, tx, alert.Tenant, by, "alert.put", alert.Name, map[string]int64{"version": 1})
}

// Delete ends an alert, within a second on every server, with all that is known of it. What was announced stays announced; nothing is
// resolved. The error is may's, ErrAlertNotFound or the database's.
func (a *Alerts) Delete(ctx context.Context, by access.Actor, tenant uuid.UUID, name string, may func(eventlog.Pattern) error) error {
	return a.change(ctx, "deleting an alert", tenant, name, func(tx pgx.Tx, present *dbsqlc.Alert, number int64) error {
		if present == nil {
			return ErrAlertNotFound
		}
		put, err := putOf(present)
		if err != nil {
			return err
		}
		if err := may(put.Logs); err != nil {
			return err
		}
		params := dbsqlc.DeleteAlertParams{Changed: number, UpdatedBy: by.Name, AlertID: present.AlertID}
		if err := a.db.DeleteAlert(ctx, tx, params); err != nil {
			return err
		}
		return a.record.Record(ctx, tx, tenant, by, "alert.delete", name, map[string]int64{"version": present.Version})
	})
}

// change runs fn with an alert, nil if there is none, in a transaction that other servers notice, one change after the other.
func (a *Alerts) change(
	ctx context.Context, what string, tenant uuid.UUID, name string, fn func(tx pgx.Tx, present *dbsqlc.Alert, number int64) error,
) error {
	err := a.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		number, err := a.db.NextAlertsVersion(ctx, tx)
		if err != nil {
			return err
		}
		row, err := a.db.GetAlert(ctx, tx, dbsqlc.GetAlertParams{TenantID: tenant, Name: name})
		switch err = db.Classify(err); {
		case errors.Is(err, db.ErrNotFound):
			return fn(tx, nil, number)
		case err != nil:
			return err
		}
		return fn(tx, &row, number)
	})
	a.known.lookAgain()
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Get returns an alert. The error is ErrAlertNotFound or the database's.
func (a *Alerts) Get(ctx context.Context, tenant uuid.UUID, name string) (Put, error) {
	row, err := a.db.GetAlert(ctx, a.db.Read, dbsqlc.GetAlertParams{TenantID: tenant, Name: name})
	if err = db.Classify(err); errors.Is(err, db.ErrNotFound) {
		return Put{}, ErrAlertNotFound
	} else if err != nil {
		return Put{}, fmt.Errorf("reading an alert: %w", err)
	}
	return putOf(&row)
}

func putOf(row *dbsqlc.Alert) (Put, error) {
	alert, err := stored(row.AlertID, row.TenantID, row.Name, row.Version, row.Definition)
	return Put{
		Alert: alert, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt, UpdatedBy: row.UpdatedBy, Spreading: row.SweepAfter != nil,
	}, err
}

// stored reads an alert that was put before.
func stored(id, tenant uuid.UUID, name string, version int64, definition []byte) (*Alert, error) {
	alert, err := Parse(definition)
	if err != nil {
		return nil, fmt.Errorf("reading the alert %s, which a newer server may have put: %w", name, err)
	}
	alert.ID, alert.Tenant, alert.Name, alert.Version = id, tenant, name, version
	return alert, nil
}
