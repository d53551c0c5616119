package intake

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/limits"
)

const (
	// rejectsPrefix begins the name of a source's log of rejects.
	rejectsPrefix = "rejects-"
	// making is how many logs a delivery makes at a time.
	making = 3
)

// RejectsOf returns the name of a source's log of rejects.
func RejectsOf(source string) string { return rejectsPrefix + source }

// isReserved reports whether a mapping must not have events go to a log of that name.
func isReserved(log string) bool { return strings.HasPrefix(log, rejectsPrefix) }

// found is a log, or why there is none.
type found struct {
	eventlog.Ref

	err *event.InvalidError
}

// findLogs finds the logs of those names, and makes the missing ones where the source's mapping says so.
func (d *Delivery) findLogs(ctx context.Context, names []string) (map[string]found, error) {
	there, err := d.intake.logs.ResolveNames(ctx, d.sender.Tenant, names)
	if err != nil {
		return nil, err
	}
	logs := make(map[string]found, len(names))
	var missing []string
	for _, name := range names {
		if log, ok := there[name]; ok {
			logs[name] = found{Ref: log}
		} else {
			missing = append(missing, name)
		}
	}
	labels, most, ok := d.source.Mapping.Create()
	if !ok {
		for _, name := range missing {
			logs[name] = found{err: &event.InvalidError{
				Code: "log_not_found", Detail: `there is no such log: create it, or have the source do so by "create" of its mapping`,
			}}
		}
		return logs, nil
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(making)
	if len(missing) <= making { // in their order: which of them there is room for depends on it
		group.SetLimit(1)
	}
	for _, name := range missing {
		group.Go(func() error {
			log, err := d.makeLog(ctx, name, labels, int64(most))
			var invalid *event.InvalidError
			if err != nil && !errors.As(err, &invalid) {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			logs[name] = found{Ref: log, err: invalid}
			return nil
		})
	}
	return logs, group.Wait()
}

// errTooManyLogs: the source has made as many logs as its mapping allows.
var errTooManyLogs = event.Invalid("too_many_logs",
	`the source has made as many logs as "create" of its mapping allows: raise "most" there, or create the log`)

// makeLog makes a log. The error is an *event.InvalidError if there cannot be one.
func (d *Delivery) makeLog(ctx context.Context, name string, labels map[string]string, most int64) (eventlog.Ref, error) {
	return d.create(ctx, name, labels, func(ctx context.Context, tx pgx.Tx) error {
		counted, err := d.intake.db.CountSourceLog(ctx, tx, dbsqlc.CountSourceLogParams{
			TenantID: d.sender.Tenant, Source: d.source.Name, Most: most,
		})
		if err == nil && counted == 0 {
			return errTooManyLogs
		}
		return err
	})
}

// create makes a log on a condition, unless another delivery has just made it.
func (d *Delivery) create(
	ctx context.Context, name string, labels map[string]string, condition func(context.Context, pgx.Tx) error,
) (eventlog.Ref, error) {
	undo, err := d.sender.Account.CreateLog()
	var reached *limits.ReachedError
	if errors.As(err, &reached) {
		return eventlog.Ref{}, event.Invalid("limit_reached", "%s: an operator can raise it", reached.Error())
	} else if err != nil {
		return eventlog.Ref{}, err
	}
	log, err := d.intake.logs.CreateIf(ctx, d.sender.Tenant, name, labels, condition)
	if err == nil {
		return eventlog.Ref{ID: log.ID, Name: log.Name}, nil
	}
	undo()
	var taken *eventlog.NameTakenError
	if errors.As(err, &taken) {
		return d.intake.logs.Resolve(ctx, d.sender.Tenant, name)
	}
	return eventlog.Ref{}, err
}
