package view

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/replay"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/wasm"
)

const (
	// MaxAuditStateBytes bounds the memory that a view's state may take while it is audited: one audit runs at a time.
	MaxAuditStateBytes = 512 << 20
	// auditPageKeys is how much of the stored state is read at once: 16 MiB of the largest values.
	auditPageKeys = 256
	// auditRest is how long an audit rests after a page, as a multiple of the time that it took to fold: unlike the appends that need the
	// same cores, it can wait.
	auditRest = 1
	// auditKeepAlive is how often PostgreSQL hears from an audit that folds in a transaction: well within the time after which it ends an
	// idle one.
	auditKeepAlive = 10 * time.Second
	// auditRestarts is how often an audit begins again because the version was built anew meanwhile.
	auditRestarts = 3
	// wayStored is the way of the state that the database holds.
	wayStored = "stored state"
)

// AuditOptions choose what is audited.
type AuditOptions struct {
	Version int32 // 0: the live version, else the one that was live last
}

// Report says what an audit read and found.
type Report struct {
	OK         bool
	View       string
	Version    int32
	Sequence   int64 // the state that was compared is that of the events up to this one
	Events     int64 // that were folded
	Skipped    int64 // events that the version leaves out
	Keys       int64 // that were compared with the stored state
	Ways       []string
	Duration   time.Duration
	Difference *replay.Difference // nil when OK
}

// ErrStateNotKept: the state of the version, which was retired, has been dropped.
var ErrStateNotKept = errors.New("the state of this version is no longer kept")

// ErrAuditInterrupted: the version was built anew, again and again, while it was audited.
var ErrAuditInterrupted = errors.New("the view's version was built anew while it was audited")

// Audit folds the log's events again in several ways, and compares what each gives with the others and with the stored state, byte for
// byte. What it reads is one state of the database; appends go on meanwhile. Audits of one server run one at a time. progress is called
// with how many events are done, and may be nil. The error is ErrViewNotFound, ErrVersionNotFound, ErrStateNotKept, ErrAuditInterrupted, a
// *replay.StateTooLargeError, a *RefusedError for a module that this build does not run, or the database's. A difference is not an error:
// the report has it.
func (v *Views) Audit(
	ctx context.Context, log uuid.UUID, name string, options AuditOptions, progress func(done, total int64),
) (Report, error) {
	select {
	case v.audits <- struct{}{}:
		defer func() { <-v.audits }()
	case <-ctx.Done():
		return Report{}, fmt.Errorf("waiting for another audit: %w", ctx.Err())
	}
	if progress == nil {
		progress = func(int64, int64) {}
	}
	restarted, err := v.engine.Restarted(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("starting another engine: %w", err)
	}
	began := time.Now()
	report, err := v.auditWith(ctx, restarted, auditTarget{log, name, options.Version}, progress)
	if closing := restarted.Close(context.WithoutCancel(ctx)); closing != nil && err == nil {
		err = fmt.Errorf("closing the other engine: %w", closing)
	}
	if err != nil {
		return Report{}, fmt.Errorf("auditing view %s: %w", name, err)
	}
	report.Duration = time.Since(began)
	return report, nil
}

type auditTarget struct {
	log     uuid.UUID
	view    string
	version int32
}

func (v *Views) auditWith(
	ctx context.Context, restarted *wasm.Engine, target auditTarget, progress func(done, total int64),
) (Report, error) {
	for range auditRestarts {
		row, err := v.auditedVersion(ctx, v.db.Read, target)
		if err != nil {
			return Report{}, err
		}
		target.version = row.Version // a version that goes live meanwhile is not the one that was asked for
		a, err := v.newAudit(ctx, restarted, target, row, progress)
		if err != nil {
			return Report{}, err
		}
		err = a.run(ctx, row.Sequence)
		a.close()
		if !errors.Is(err, errRebuilt) {
			return a.report, err
		}
	}
	return Report{}, ErrAuditInterrupted
}

func (v *Views) auditedVersion(ctx context.Context, from dbsqlc.DBTX, target auditTarget) (dbsqlc.AuditedVersionRow, error) {
	row, err := v.db.AuditedVersion(ctx, from, dbsqlc.AuditedVersionParams{LogID: target.log, Name: target.view, Version: target.version})
	if kind := db.Classify(err); isNotFound(kind) {
		if _, err := v.viewID(ctx, from, target.log, target.view); err != nil {
			return row, err
		}
		return row, ErrVersionNotFound
	} else if kind != nil {
		return row, fmt.Errorf("reading the version: %w", kind)
	}
	if row.State != stateKept {
		return row, ErrStateNotKept
	}
	return row, nil
}

// audit is one run over a version's events.
type audit struct {
	views    *Views
	target   auditTarget
	version  uuid.UUID
	fold     *replay.Replay
	pace     *backgroundPace
	tx       pgx.Tx        // the open transaction, nil where there is none
	alive    time.Time     // when tx was used last
	done     int64         // the last sequence that is folded
	reached  eventlog.Mark // that event
	folded   time.Duration // what the last page took to fold
	report   Report
	progress func(done, total int64)
}

func (v *Views) newAudit(
	ctx context.Context, restarted *wasm.Engine, target auditTarget, row dbsqlc.AuditedVersionRow, progress func(done, total int64),
) (*audit, error) {
	version, err := v.version(ctx, v.db.Read, versionRow{
		ID: row.VersionID, Name: target.view, ModuleSHA256: row.ModuleSha256, Config: row.Config, Fields: row.Fields, FoldGas: row.FoldGas,
		CostModel: row.CostModel,
	})
	if err != nil {
		return nil, err
	}
	if version.refused != "" {
		return nil, &RefusedError{"module_refused", version.refused}
	}
	code, err := v.moduleCode(ctx, v.db.Read, [32]byte(row.ModuleSha256))
	if err != nil {
		return nil, err
	}
	again, err := restarted.CompileBy(ctx, code, wasm.CostModel(row.CostModel))
	if err != nil {
		return nil, fmt.Errorf("compiling the module again: %w", err)
	}
	a := &audit{views: v, target: target, version: row.VersionID, progress: progress}
	a.pace = v.inBackground(ctx, target.log)
	a.fold = replay.New(replay.View{
		Module: version.module, Restarted: again, Fields: version.fields,
		Settings: wasm.Settings{Config: row.Config, FoldGas: row.FoldGas, Pause: a.pause},
	}, MaxAuditStateBytes)
	a.report = Report{View: target.view, Version: row.Version}
	a.report.Ways = append(a.fold.Ways(), wayStored)
	return a, nil
}

func (a *audit) close() {
	a.fold.Close()
	a.pace.turn.End()
}

// pause yields to other long work, and pings now and then, so that PostgreSQL does not end an open transaction as idle.
func (a *audit) pause() error {
	if a.tx != nil && time.Since(a.alive) > auditKeepAlive {
		if err := a.tx.Conn().Ping(a.pace.ctx); err != nil {
			return fmt.Errorf("keeping a transaction open: %w", db.Classify(err))
		}
		a.alive = time.Now()
	}
	return a.pace.Pause()
}

// errRebuilt: the version has folded less than the audit has, or other events.
var errRebuilt = errors.New("the version was built anew")

// run folds the events up to until outside of any long transaction: events never change, so that they need no snapshot,
// and a long one would keep PostgreSQL from tidying up behind the appends. What came in meanwhile, and the state, are
// then read in one snapshot.
func (a *audit) run(ctx context.Context, until int64) error {
	ahead := eventlog.NewHistory(ctx, a.views.db, a.target.log, 0)
	err := a.foldUntil(ctx, a.views.db.Read, until, func(ctx context.Context) ([]event.Recorded, error) {
		if err := a.rest(ctx); err != nil {
			return nil, err
		}
		return ahead.Next(ctx)
	})
	ahead.Close()
	if err != nil || a.report.Difference != nil {
		return err
	}
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	a.pace.Release()
	return a.views.db.InTx(ctx, options, func(tx pgx.Tx) error {
		a.tx, a.alive = tx, time.Now()
		defer func() { a.tx = nil }()
		row, err := a.views.auditedVersion(ctx, tx, a.target)
		if err != nil {
			return err
		}
		if row.Sequence < a.done {
			return errRebuilt
		}
		if err := a.views.db.PlanForPartitions(ctx, tx); err != nil {
			return fmt.Errorf("preparing to read events: %w", err)
		}
		if held, err := a.reached.IsIn(ctx, a.views.db, tx, a.target.log); err != nil {
			return err
		} else if !held {
			return errRebuilt
		}
		err = a.foldUntil(ctx, tx, row.Sequence, func(ctx context.Context) ([]event.Recorded, error) {
			return eventlog.ReadHistory(ctx, a.views.db, tx, a.target.log, a.done, eventlog.HistoryEvents, eventlog.HistoryBytes)
		})
		if err != nil || a.report.Difference != nil {
			return err
		}
		a.report.Sequence = row.Sequence
		if a.report.Difference, err = a.fold.Finish(ctx); err != nil {
			return err
		}
		a.pace.Release()
		if a.report.Difference == nil {
			a.report.Difference, err = a.compareStored(ctx, tx)
		}
		if err != nil {
			return err
		}
		a.report.OK = a.report.Difference == nil
		return nil
	})
}

// rest leaves the cores to others for a while.
func (a *audit) rest(ctx context.Context) error {
	timer := time.NewTimer(auditRest * a.folded)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// foldUntil folds the pages of events that follow. It stops at a difference.
func (a *audit) foldUntil(ctx context.Context, from dbsqlc.DBTX, until int64, next func(context.Context) ([]event.Recorded, error)) error {
	for a.done < until && a.report.Difference == nil {
		a.pace.Release()
		rows, err := next(ctx)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return eventlog.Missing(a.done + 1)
		}
		skips, err := a.views.db.ListSkips(ctx, from, dbsqlc.ListSkipsParams{LogID: a.target.log, VersionID: a.version, After: a.done})
		if err != nil {
			return fmt.Errorf("reading which events are left out: %w", db.Classify(err))
		}
		beyond, _ := slices.BinarySearchFunc(rows, until+1, func(e event.Recorded, sequence int64) int {
			return cmp.Compare(e.Sequence, sequence)
		})
		began, waited := time.Now(), a.pace.Waited()
		if err := a.foldPage(ctx, rows[:beyond], skips); err != nil {
			return err
		}
		a.folded = time.Since(began) - (a.pace.Waited() - waited)
		if beyond > 0 {
			a.reached = eventlog.MarkOf(&rows[beyond-1])
		}
		a.progress(a.done, until)
	}
	return nil
}

func (a *audit) foldPage(ctx context.Context, events []event.Recorded, skips []int64) error {
	for i := range events {
		e := &events[i]
		if e.Sequence != a.done+1 {
			return eventlog.Missing(a.done + 1)
		}
		a.done = e.Sequence
		if len(skips) > 0 && skips[0] == e.Sequence {
			skips = skips[1:]
			a.report.Skipped++
			continue
		}
		if err := a.pause(); err != nil {
			return err
		}
		result, difference, err := a.fold.Fold(ctx, e)
		if err != nil {
			return err
		}
		if difference == nil && result.Failed != nil { // where the version went on
			difference = &replay.Difference{Way: wayStored, Sequence: e.Sequence, Expected: result.String(), Found: "folded"}
		}
		a.report.Events++
		if a.report.Difference = difference; difference != nil {
			a.report.Sequence = e.Sequence
			return nil
		}
	}
	return nil
}

// compareStored reads the stored state page by page, in the order of its keys, beside the one that folding gave.
func (a *audit) compareStored(ctx context.Context, tx pgx.Tx) (*replay.Difference, error) {
	recent, err := a.views.readRecent(ctx, tx, a.target.log)
	if err != nil {
		return nil, err
	}
	stored := &stateReader{db: a.views.db, tx: tx, log: a.target.log, version: a.version, recent: recent}
	folded := a.fold.State()
	more := folded.First()
	for after := ""; ; {
		page, err := stored.scan(ctx, "", after, auditPageKeys)
		if err != nil {
			return nil, err
		}
		for _, entry := range page {
			key := string(entry.Key)
			switch {
			case !more || key < folded.Key():
				return a.storedDifference(key, nil, entry.Value), nil
			case key > folded.Key():
				return a.storedDifference(folded.Key(), folded.Value(), nil), nil
			case !bytes.Equal(folded.Value(), entry.Value):
				return a.storedDifference(key, folded.Value(), entry.Value), nil
			}
			a.report.Keys++
			more, after = folded.Next(), key
		}
		switch {
		case len(page) == auditPageKeys:
		case more:
			return a.storedDifference(folded.Key(), folded.Value(), nil), nil
		default:
			return nil, nil
		}
	}
}

func (a *audit) storedDifference(key string, expected, found []byte) *replay.Difference {
	return &replay.Difference{Way: wayStored, Sequence: a.done, Key: key, Expected: replay.Shown(expected), Found: replay.Shown(found)}
}
