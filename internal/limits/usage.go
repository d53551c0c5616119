package limits

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
)

// usage is what a tenant has stored, as far as this server knows: what was measured last, and what was made here since. Its tenant's mutex
// guards it.
type usage struct {
	base     [limits]int64
	added    [limits]int64
	measured time.Time // when base was whole; zero before
	views    bool      // base has them
	state    bool      // likewise
	pass     *pass     // the measurement under way; nil for none
	stepped  time.Time // when the tenant had its last turn
	twice    bool      // what was made during the last measurement may be in base and in added: it is measured again at once
	// began and ended count measurements; at most one is under way.
	began, ended int
}

func (u *usage) of(limit Limit) int64 { return max(0, u.base[limit]+u.added[limit]) }

// knows reports whether a measurement has ended that looked for all that the values limit.
func (u *usage) knows(v *Values) bool {
	return !u.measured.IsZero() && (u.views || v[Views] == 0) && (u.state || v[StateBytes] == 0)
}

// counted reports whether a limit is set that has to be measured.
func (v *Values) counted() bool {
	return v[Logs] > 0 || v[Views] > 0 || v[Patterns] > 0 || v[StateBytes] > 0
}

// check returns a *ReachedError if the tenant has reached the limit. The tenant's mutex is held.
func (t *tenant) check(limit Limit) error {
	if most, used := t.own.values[limit], t.usage.of(limit); most > 0 && used >= most {
		return &ReachedError{Limit: limit, Value: most, Used: used}
	}
	return nil
}

func (a Account) check(limit Limit) error {
	if a.tenant == nil {
		return nil
	}
	a.tenant.mu.Lock()
	defer a.tenant.mu.Unlock()
	return a.tenant.check(limit)
}

// reserve counts one more, or returns a *ReachedError. undo is for one that is not made after all.
func (a Account) reserve(limit Limit) (undo func(), err error) {
	a.tenant.mu.Lock()
	defer a.tenant.mu.Unlock()
	if err := a.tenant.check(limit); err != nil {
		return nothing, err
	}
	u := &a.tenant.usage
	u.added[limit]++
	at := u.began
	return func() {
		a.tenant.mu.Lock()
		defer a.tenant.mu.Unlock()
		if u.ended > at { // a measurement that began since has replaced what was added before it
			return
		}
		u.added[limit]--
		if u.began > at { // it is under way, and will
			u.pass.before[limit]--
		}
	}, nil
}

func nothing() {}

// CreateLog counts a log that is about to be created. undo takes it back if it is not. The error is a *ReachedError.
func (a Account) CreateLog() (undo func(), err error) {
	if a.tenant == nil {
		return nothing, nil
	}
	return a.reserve(Logs)
}

// DeployView counts a view that is about to be deployed on a log, unless it is there already: a new version is always let through, since it
// may be what ends a trouble. undo takes it back. The error is a *ReachedError, also where the tenant's state leaves no room, or the
// database's.
func (a Account) DeployView(ctx context.Context, log uuid.UUID, name string) (undo func(), err error) {
	if err := a.BuildView(); err != nil || a.tenant == nil || !a.limits(Views) {
		return nothing, err
	}
	d := a.limiter.db
	active, err := d.ViewIsActive(ctx, d.Read, dbsqlc.ViewIsActiveParams{LogID: log, Name: name})
	return a.reserveNew(Views, active, err)
}

// DeployPattern counts a pattern that is about to be deployed, as DeployView does a view. The views that it brings to logs are counted when
// they are measured.
func (a Account) DeployPattern(ctx context.Context, name string) (undo func(), err error) {
	if err := a.BuildView(); err != nil || a.tenant == nil || !a.limits(Views) && !a.limits(Patterns) {
		return nothing, err
	}
	d := a.limiter.db
	active, err := d.PatternIsActive(ctx, d.Read, dbsqlc.PatternIsActiveParams{TenantID: a.tenant.id, Name: name})
	if err == nil && !active {
		if err := a.check(Views); err != nil {
			return nothing, err
		}
	}
	return a.reserveNew(Patterns, active, err)
}

// reserveNew reserves what is not there yet, as the database was asked.
func (a Account) reserveNew(limit Limit, there bool, err error) (undo func(), _ error) {
	if kind := db.Classify(err); kind != nil && !errors.Is(kind, db.ErrNotFound) {
		return nothing, fmt.Errorf("looking for what is deployed: %w", kind)
	}
	if there {
		return nothing, nil
	}
	return a.reserve(limit)
}

// limits reports whether the tenant has this limit.
func (a Account) limits(limit Limit) bool {
	a.tenant.mu.Lock()
	defer a.tenant.mu.Unlock()
	return a.tenant.own.values[limit] > 0
}

// BuildView returns a *ReachedError if the tenant's stored state leaves no room for the state of one more version.
func (a Account) BuildView() error { return a.check(StateBytes) }

// Append returns a *ReachedError if the tenant's stored state leaves no room and the log's views would fold what is appended, or the
// database's error. Only a tenant that has no room makes it ask the database.
func (a Account) Append(ctx context.Context, log uuid.UUID) error {
	full := a.check(StateBytes)
	if full == nil {
		return nil
	}
	d := a.limiter.db
	folds, err := d.LogFoldsEvents(ctx, d.Read, log)
	switch {
	case err != nil:
		return fmt.Errorf("looking for a log's views: %w", db.Classify(err))
	case folds:
		return full
	}
	return nil
}
