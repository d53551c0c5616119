package limits

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallystick/tallystick/internal/db/dbsqlc"
)

const (
	// measureEvery is how soon a tenant is measured again, where that takes no more than a restFactor-th of the time.
	measureEvery = time.Minute
	// restFactor is how long measuring rests, as a multiple of how long it worked: it works for one hundredth of the time at most.
	restFactor = 99
	// A statement measures as many logs as take about stepTime, maxStep at most. One that takes statementTime is ended by the database.
	stepTime      = 200 * time.Millisecond
	firstStep     = 500
	maxStep       = 10_000
	statementTime = 30 * time.Second
	// failureRest is how long measuring rests after a failure, such as a database that is away.
	failureRest = 10 * time.Second
)

// pass is one measurement of a tenant: some logs after the others, by name.
type pass struct {
	after  string
	step   int32 // logs of the next statement
	blind  bool  // the next log's state takes too long to sum up
	views  bool  // are counted
	state  bool  // is summed up
	sum    [limits]int64
	before [limits]int64 // usage.added when it began
}

// newPass begins a measurement. The tenant's mutex is held.
func newPass(step int32, t *tenant) *pass {
	t.usage.began++
	return &pass{step: step, views: t.own.values[Views] > 0, state: t.own.values[StateBytes] > 0, before: t.usage.added}
}

// measureNext takes one step with the tenant, and returns how long to rest.
func (l *Limiter) measureNext(ctx context.Context, t *tenant) time.Duration {
	began := time.Now()
	if err := l.step(ctx, t); err != nil && ctx.Err() == nil {
		l.config.Log.LogAttrs(ctx, slog.LevelWarn, "measuring what a tenant has stored failed; it will be tried again",
			slog.String("tenant", t.id.String()), slog.Any("error", err))
		return failureRest
	}
	return restFactor * time.Since(began)
}

// due returns the tenant that is to be measured and had its last turn the longest ago; nil for none.
func (l *Limiter) due() (next *tenant) {
	now := l.config.Now()
	var last time.Time
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, t := range l.tenants {
		t.mu.Lock()
		u := &t.usage
		if t.own.values.counted() && (u.pass != nil || u.twice || !u.knows(&t.own.values) || now.Sub(u.measured) >= measureEvery) &&
			(next == nil || u.stepped.Before(last)) {
			next, last = t, u.stepped
		}
		t.mu.Unlock()
	}
	return next
}

// step measures the tenant's next logs. One goroutine at a time calls it.
func (l *Limiter) step(ctx context.Context, t *tenant) error {
	t.mu.Lock()
	u := &t.usage
	u.stepped = l.config.Now()
	if u.pass == nil {
		u.pass = newPass(firstStep, t)
	}
	p := u.pass
	t.mu.Unlock()

	params := dbsqlc.MeasureLogsParams{
		TenantID: t.id, After: p.after, MaxLogs: p.step, CountViews: p.views, SumState: p.state && !p.blind,
	}
	began := time.Now()
	measured, patterns, err := l.measure(ctx, params)
	took := time.Since(began)
	if isTimeout(err) && params.SumState {
		l.slower(ctx, t, p)
		return nil
	}
	if err != nil {
		return err
	}
	p.sum[Logs] += measured.Logs
	p.sum[Views] += measured.Views
	p.sum[StateBytes] += measured.StateBytes
	p.sum[Patterns] = patterns
	p.after, p.blind = measured.LastName, false
	whole := measured.Logs < int64(params.MaxLogs)
	p.step = nextStep(p.step, took)

	t.mu.Lock()
	defer t.mu.Unlock()
	if !whole {
		for i, sum := range p.sum {
			u.base[i] = max(u.base[i], sum) // it is that at least
		}
		return nil
	}
	u.twice = false
	for i, before := range p.before {
		u.added[i] -= before
		u.twice = u.twice || u.added[i] > 0
	}
	u.base, u.views, u.state = p.sum, p.views, p.state
	u.measured, u.pass = l.config.Now(), nil
	u.ended++
	return nil
}

// slower has the next statement sum up less: it took too long.
func (l *Limiter) slower(ctx context.Context, t *tenant, p *pass) {
	if p.step > 1 {
		p.step = max(1, p.step/10)
		return
	}
	p.blind = true
	l.config.Log.LogAttrs(ctx, slog.LevelWarn, "a log's state is too large to be measured for its tenant's limit, and is left out",
		slog.String("tenant", t.id.String()), slog.String("after_log", p.after))
}

// nextStep is how many logs would have taken stepTime.
func nextStep(step int32, took time.Duration) int32 {
	fitting := float64(step) * float64(stepTime) / float64(max(took, time.Microsecond))
	return int32(max(1, min(fitting, 4*float64(step), maxStep)))
}

func (l *Limiter) measure(ctx context.Context, params dbsqlc.MeasureLogsParams) (row dbsqlc.MeasureLogsRow, patterns int64, err error) {
	err = l.db.InTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := l.db.LimitStatementTime(ctx, tx, strconv.FormatInt(statementTime.Milliseconds(), 10)); err != nil {
			return err
		}
		if row, err = l.db.MeasureLogs(ctx, tx, params); err != nil {
			return err
		}
		patterns, err = l.db.CountPatterns(ctx, tx, params.TenantID)
		return err
	})
	if err != nil {
		return row, 0, fmt.Errorf("measuring logs: %w", err)
	}
	return row, patterns, nil
}

// isTimeout reports whether a statement was ended for taking too long.
func isTimeout(err error) bool {
	const queryCanceled = "57014"
	var refusal *pgconn.PgError
	return errors.As(err, &refusal) && refusal.Code == queryCanceled
}
