package view

import (
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
	// MaxInquiryTime bounds how long an explanation or a preview folds: a client waits for it, and so may audits.
	MaxInquiryTime = 45 * time.Second
	// inquiryPatience is how long one waits for an audit, or another one, to end before it is refused.
	inquiryPatience = 10 * time.Second
)

// ErrInquiriesBusy: an audit, or an explanation or preview, has been under way for all the time that one may wait. Try again later.
var ErrInquiriesBusy = errors.New("another audit, explanation or preview is under way")

// inquiry folds events of a log in memory for a client that waits, and stores nothing. Like audits they run one at a time in a server, with
// a state of at most MaxAuditStateBytes, and they rest beside appends as builds do.
type inquiry struct {
	views   *Views
	log     uuid.UUID
	pace    *backgroundPace
	until   time.Time // when it has taken MaxInquiryTime
	began   time.Time // since it rested last
	commits int64     // by then
}

// beginInquiry waits for its turn beside audits. It must be ended. The error is ErrInquiriesBusy or ctx's.
func (v *Views) beginInquiry(ctx context.Context, log uuid.UUID) (*inquiry, error) {
	select {
	case v.audits <- struct{}{}:
	default:
		patience := time.NewTimer(v.inquiryPatience)
		defer patience.Stop()
		select {
		case v.audits <- struct{}{}:
		case <-patience.C:
			return nil, ErrInquiriesBusy
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for an audit: %w", ctx.Err())
		}
	}
	now := time.Now()
	return &inquiry{
		views: v, log: log, pace: v.inBackground(ctx, log), until: now.Add(v.inquiryTime), began: now, commits: v.commits.Load(),
	}, nil
}

func (q *inquiry) end() {
	q.pace.turn.End()
	<-q.views.audits
}

// errInquiryTime: an inquiry has taken the time that it may.
var errInquiryTime = errors.New("the time for folding in memory is over")

// within does work, for at most so long. The error is errInquiryTime where that was too little, else work's.
func (q *inquiry) within(ctx context.Context, limit time.Duration, work func(context.Context) error) error { //nolint:contextcheck // of ctx
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	turn := q.pace.ctx
	q.pace.ctx = limited
	defer func() { q.pace.ctx = turn }()
	err := work(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return errInquiryTime
	}
	return err
}

// rest rests if appends go on, once it has worked for as long as a trial.
func (q *inquiry) rest(ctx context.Context) {
	if time.Since(q.began) < trialTime {
		return
	}
	q.pace.Release()
	q.views.rest(ctx, q.began, q.commits)
	q.began, q.commits = time.Now(), q.views.commits.Load()
}

// inquired is a version whose events are folded in memory.
type inquired struct {
	view   replay.View
	leaves []int64 // the sequences of events that it leaves out, since it was resumed past them
}

// folded is what is known of a version that is to be folded in memory. The error is a *RefusedError for a module that this build does
// not run, or the database's.
func (q *inquiry) folded(ctx context.Context, row versionRow) (*inquired, error) {
	version, err := q.views.version(ctx, q.views.db.Read, row)
	if err != nil {
		return nil, err
	}
	if version.refused != "" {
		return nil, &RefusedError{"module_refused", version.refused}
	}
	skips, err := q.views.db.ListSkips(ctx, q.views.db.Read, dbsqlc.ListSkipsParams{LogID: q.log, VersionID: row.ID})
	if err != nil {
		return nil, fmt.Errorf("reading which events are left out: %w", db.Classify(err))
	}
	settings := wasm.Settings{Config: row.Config, FoldGas: row.FoldGas, QueryGas: q.views.config.QueryGas, Pause: q.pace.Pause}
	return &inquired{replay.View{Module: version.module, Fields: version.fields, Settings: settings}, skips}, nil
}

// failedError: the version fails over an event that it has passed, by what the database says of it.
type failedError struct {
	sequence int64
	failure  *wasm.ViewError
}

func (e *failedError) Error() string {
	return fmt.Sprintf("folded again, the view fails over event %d, which it has passed: %v", e.sequence, e.failure)
}

// stateAsOf folds the version's events up to a sequence, which must be in the log, and returns the run with the state as it was then, which
// must be closed. The error is a *failedError, a *replay.StateTooLargeError, ctx's, or the database's.
func (q *inquiry) stateAsOf(ctx context.Context, of *inquired, sequence int64) (*replay.Run, error) {
	run := replay.NewRun(of.view, MaxAuditStateBytes)
	err := q.foldRange(ctx, 0, sequence, func(events []event.Recorded) error {
		for len(events) > 0 {
			next, skipped := of.untilSkip(events)
			n, failed, err := run.Fold(ctx, events[:next])
			if err != nil {
				return err
			}
			if failed != nil {
				return &failedError{events[n].Sequence, failed}
			}
			events = events[next+skipped:]
		}
		return nil
	})
	if err != nil {
		run.Close()
		return nil, err
	}
	return run, nil
}

// untilSkip returns how many of the events come before one that is left out, and how many are left out there: one, or none at the end.
func (i *inquired) untilSkip(events []event.Recorded) (before, left int) {
	at, _ := slices.BinarySearch(i.leaves, events[0].Sequence)
	if at == len(i.leaves) {
		return len(events), 0
	}
	if before, found := find(events, i.leaves[at]); found {
		return before, 1
	}
	return len(events), 0
}

// leavesOut reports whether the version leaves an event out.
func (i *inquired) leavesOut(sequence int64) bool {
	_, found := slices.BinarySearch(i.leaves, sequence)
	return found
}

// find returns where an event is among others, or would be.
func find(events []event.Recorded, sequence int64) (int, bool) {
	return slices.BinarySearchFunc(events, sequence, func(e event.Recorded, sequence int64) int {
		return cmp.Compare(e.Sequence, sequence)
	})
}

// foldRange reads the events that follow after, up to a sequence, and has each page folded.
func (q *inquiry) foldRange(ctx context.Context, after, until int64, fold func([]event.Recorded) error) error {
	if after >= until {
		return nil
	}
	history := eventlog.NewHistory(ctx, q.views.db, q.log, after)
	defer history.Close()
	for after < until {
		q.rest(ctx)
		q.pace.Release()
		events, err := history.Next(ctx)
		if err != nil {
			return err
		}
		for i := range events {
			if events[i].Sequence != after+int64(i)+1 {
				return eventlog.Missing(after + int64(i) + 1)
			}
		}
		if len(events) == 0 {
			return eventlog.Missing(after + 1)
		}
		events = events[:min(int64(len(events)), until-after)]
		if err := fold(events); err != nil {
			return err
		}
		after = events[len(events)-1].Sequence
	}
	return nil
}

// event reads one event, as a view sees it.
func (q *inquiry) event(ctx context.Context, sequence int64) (e *event.Recorded, err error) {
	q.pace.Release()
	err = q.views.db.InTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := q.views.db.PlanForPartitions(ctx, tx); err != nil {
			return fmt.Errorf("preparing to read events: %w", err)
		}
		events, err := eventlog.ReadHistory(ctx, q.views.db, tx, q.log, sequence-1, 1, eventlog.HistoryBytes)
		if err != nil {
			return err
		}
		if len(events) == 0 || events[0].Sequence != sequence {
			return eventlog.Missing(sequence)
		}
		e = &events[0]
		return nil
	})
	return e, err
}
