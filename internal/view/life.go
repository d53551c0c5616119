package view

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
)

// keptStates is how many retired versions of a view, those retired last, keep their state: a rollback to one of them folds only later
// events. The state of older ones is dropped in the background.
const keptStates = 2

var (
	// ErrVersionNotFound: the view has no version with that number.
	ErrVersionNotFound = errors.New("version not found")
	// ErrNotHalted: only a halted version can be resumed.
	ErrNotHalted = errors.New("the view is not halted")
)

// Rollback brings an earlier version of a view back: it folds what came since it was retired, or everything where its state was
// not kept, while the live version goes on answering, and replaces that one at the head. Like Deploy it returns after little more than two
// seconds. A rollback to the live version gives up newer ones that are building or halted.
// The error is ErrViewNotFound, ErrVersionNotFound, a *HaltedError (resume that version instead), a *RefusedError or the database's.
func (v *Views) Rollback(ctx context.Context, log uuid.UUID, name string, version int32, actor string) (Info, error) {
	var id uuid.UUID
	err := v.changeView(ctx, log, name, func(tx pgx.Tx, view uuid.UUID) error {
		row, err := v.findVersion(ctx, tx, log, view, version)
		if err != nil {
			return err
		}
		if err := v.checkRoom(ctx, tx, log, view, row.FoldGas); err != nil {
			return err
		}
		id = row.VersionID
		return v.selectVersion(ctx, tx, selection{log: log, view: view, version: version, action: "rollback", actor: actor})
	})
	if err != nil {
		return Info{}, fmt.Errorf("rolling back: %w", err)
	}
	return v.awaitBuilt(ctx, log, id)
}

// changeView calls do in a transaction that has locked the log against other changes of its views.
func (v *Views) changeView(ctx context.Context, log uuid.UUID, name string, do func(tx pgx.Tx, view uuid.UUID) error) error {
	return v.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if err := v.lockLog(ctx, tx, log); err != nil {
			return err
		}
		view, err := v.viewID(ctx, tx, log, name)
		if err != nil {
			return err
		}
		return do(tx, view)
	})
}

func (v *Views) findVersion(ctx context.Context, tx pgx.Tx, log, view uuid.UUID, version int32) (dbsqlc.FindViewVersionRow, error) {
	row, err := v.db.FindViewVersion(ctx, tx, dbsqlc.FindViewVersionParams{LogID: log, ViewID: view, Version: version})
	if kind := db.Classify(err); isNotFound(kind) {
		return row, ErrVersionNotFound
	} else if kind != nil {
		return row, fmt.Errorf("finding a version: %w", kind)
	}
	return row, nil
}

// selection is an existing version that is to have the highest turn again, and by whose action.
type selection struct {
	log, view     uuid.UUID
	version       int32
	action, actor string
}

// selectVersion gives a version the highest turn of its view. The log is locked against other deploys, so nobody else changes turns
// meanwhile; but versions go live and halt. The head is locked before any version, in the order of going live.
func (v *Views) selectVersion(ctx context.Context, tx pgx.Tx, s selection) error {
	head, err := v.db.LockHead(ctx, tx, s.log)
	if err != nil {
		return fmt.Errorf("locking the head: %w", err)
	}
	row, err := v.findVersion(ctx, tx, s.log, s.view, s.version)
	if err != nil {
		return err
	}
	last, err := v.db.LastViewVersion(ctx, tx, dbsqlc.LastViewVersionParams{LogID: s.log, ViewID: s.view})
	if err != nil {
		return err
	}
	turn := last.Turn + 1
	switch Status(row.Status) {
	case Halted:
		return &HaltedError{Sequence: deref(row.HaltedSequence), Reason: deref(row.Error)}
	case Retired:
		err = v.db.BuildAgain(ctx, tx, dbsqlc.BuildAgainParams{Turn: turn, LogID: s.log, VersionID: row.VersionID})
	case Building, Live:
		if row.Turn == last.Turn {
			return nil // asked for last already
		}
		err = v.db.TakeTurn(ctx, tx, dbsqlc.TakeTurnParams{Turn: turn, LogID: s.log, VersionID: row.VersionID})
	}
	if err == nil && Status(row.Status) == Live {
		err = v.retire(ctx, tx, retirement{
			log: s.log, view: s.view, before: turn, head: head.Sequence,
			actor: s.actor, why: fmt.Sprintf("version %d was asked for", s.version),
		})
		if isNoneRetired(err) {
			err = nil
		}
	}
	if err != nil {
		return err
	}
	return v.db.InsertAction(ctx, tx, dbsqlc.InsertActionParams{
		LogID: s.log, ViewID: s.view, Version: &s.version, Action: s.action, Actor: s.actor,
	})
}

// retirement is which versions of a view to retire, and why. The head is locked.
type retirement struct {
	log, view  uuid.UUID
	before     int64 // the turn
	head       int64
	actor, why string
}

// errNoneRetired: there was no version to retire.
var errNoneRetired = errors.New("no version to retire")

func isNoneRetired(err error) bool { return errors.Is(err, errNoneRetired) }

func (v *Views) retire(ctx context.Context, tx pgx.Tx, r retirement) error {
	n, err := v.db.RetireVersions(ctx, tx, dbsqlc.RetireVersionsParams{
		LogID: r.log, ViewID: r.view, Turn: r.before, Head: r.head, Actor: r.actor, Detail: r.why,
	})
	if err != nil {
		return fmt.Errorf("retiring versions: %w", err)
	}
	if n == 0 {
		return errNoneRetired
	}
	if err := v.db.MarkOldStates(ctx, tx, dbsqlc.MarkOldStatesParams{LogID: r.log, ViewID: r.view, KeptStates: keptStates}); err != nil {
		return fmt.Errorf("marking old state: %w", err)
	}
	return nil
}

// changeLiveViews ends every server's snapshot of a log, whose head is locked and whose live views have changed. What the head row held of
// state, maybe of versions that are not live any more, goes to rows.
func (v *Views) changeLiveViews(ctx context.Context, tx pgx.Tx, log uuid.UUID) error {
	if err := v.db.StoreRecentState(ctx, tx, log); err != nil {
		return fmt.Errorf("storing the head's state: %w", err)
	}
	if err := v.db.BumpViewsEpoch(ctx, tx, log); err != nil {
		return fmt.Errorf("ending snapshots: %w", err)
	}
	if err := v.db.AlertsOfLogAreDue(ctx, tx, log); err != nil {
		return fmt.Errorf("having alerts look at other answers: %w", err)
	}
	return nil
}

// Retire ends all versions of a view: it no longer folds or answers. A later Deploy or Rollback brings it back.
// The error is ErrViewNotFound, ErrViewRetired or the database's.
func (v *Views) Retire(ctx context.Context, log uuid.UUID, name, actor string) error {
	err := v.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if err := v.lockLog(ctx, tx, log); err != nil {
			return err
		}
		return v.retireView(ctx, tx, log, name, actor)
	})
	if err != nil {
		return fmt.Errorf("retiring a view: %w", err)
	}
	v.wakeBuilder() // state may have to be dropped
	return nil
}

// retireView retires a view on a log that is locked against deploys.
func (v *Views) retireView(ctx context.Context, tx pgx.Tx, log uuid.UUID, name, actor string) error {
	view, err := v.viewID(ctx, tx, log, name)
	if err != nil {
		return err
	}
	head, err := v.db.LockHead(ctx, tx, log)
	if err != nil {
		return fmt.Errorf("locking the head: %w", err)
	}
	err = v.retire(ctx, tx, retirement{
		log: log, view: view, before: math.MaxInt64, head: head.Sequence, actor: actor, why: "the view was retired",
	})
	if errors.Is(err, errNoneRetired) {
		return ErrViewRetired
	} else if err != nil {
		return err
	}
	return v.changeLiveViews(ctx, tx, log)
}

// Resumption is how a halted version goes on.
type Resumption struct {
	Version int32  // 0: the halted one with the highest turn
	Skip    bool   // leave out the event that it halted at, for ever; else that event is tried again
	FoldGas int64  // the budget from here on; 0: as before
	Reason  string // why; recorded
	Actor   string // who resumes it; recorded
}

// MaxReasonBytes bounds the reason of a resumption.
const MaxReasonBytes = 1 << 10

// Resume has a halted version go on: it builds until it has reached the head. Like Deploy it returns after little more than two seconds;
// the version may have halted again by then.
// The error is ErrViewNotFound, ErrVersionNotFound, ErrNotHalted, a *RefusedError or the database's.
func (v *Views) Resume(ctx context.Context, log uuid.UUID, name string, r Resumption) (Info, error) {
	if err := checkGas(r.FoldGas); err != nil {
		return Info{}, err
	}
	if len(r.Reason) > MaxReasonBytes {
		return Info{}, &RefusedError{
			"invalid_reason",
			fmt.Sprintf("the reason has %d bytes; at most %d are allowed", len(r.Reason), MaxReasonBytes),
		}
	}
	if strings.ContainsFunc(r.Reason, func(c rune) bool { return unicode.IsControl(c) && c != '\n' && c != '\t' }) {
		return Info{}, &RefusedError{
			"invalid_reason",
			"the reason holds a control character; of those, only line feeds and tabs are allowed",
		}
	}
	var id uuid.UUID
	err := v.changeView(ctx, log, name, func(tx pgx.Tx, view uuid.UUID) error {
		if r.Version != 0 {
			if _, err := v.findVersion(ctx, tx, log, view, r.Version); err != nil {
				return err
			}
		}
		row, err := v.db.HaltedVersion(ctx, tx, dbsqlc.HaltedVersionParams{LogID: log, ViewID: view, Version: r.Version})
		if isNotFound(db.Classify(err)) {
			return ErrNotHalted
		} else if err != nil {
			return fmt.Errorf("finding the halted version: %w", err)
		}
		if r.FoldGas > 0 {
			if err := v.checkRoom(ctx, tx, log, view, r.FoldGas); err != nil {
				return err
			}
		}
		id = row.VersionID
		return v.resume(ctx, tx, log, view, row, r)
	})
	if err != nil {
		return Info{}, fmt.Errorf("resuming: %w", err)
	}
	return v.awaitBuilt(ctx, log, id)
}

func (v *Views) resume(ctx context.Context, tx pgx.Tx, log, view uuid.UUID, row dbsqlc.HaltedVersionRow, r Resumption) error {
	n, err := v.db.ResumeVersion(ctx, tx, dbsqlc.ResumeVersionParams{FoldGas: r.FoldGas, LogID: log, VersionID: row.VersionID})
	if err != nil {
		return err
	}
	if n == 0 { // another version went live and retired it
		return ErrNotHalted
	}
	action := "resume"
	if r.Skip {
		head, err := v.db.GetHead(ctx, tx, log)
		if err != nil {
			return fmt.Errorf("reading the head: %w", err)
		}
		if halted := deref(row.HaltedSequence); halted > head.Sequence {
			return &RefusedError{"nothing_to_skip", fmt.Sprintf("the view's guard failed over an event that was refused for it: "+
				"the log's last event is %d, and there is no event %d to leave out; resume without skip", head.Sequence, halted)}
		}
		action = "skip"
		err = v.db.InsertSkip(ctx, tx, dbsqlc.InsertSkipParams{
			LogID: log, VersionID: row.VersionID, Sequence: deref(row.HaltedSequence),
			Actor: r.Actor, Reason: r.Reason, Error: deref(row.Error),
		})
		if err != nil {
			return fmt.Errorf("recording the event to leave out: %w", err)
		}
	}
	detail := r.Reason
	if r.FoldGas > 0 {
		detail = fmt.Sprintf("gas %d", r.FoldGas)
		if r.Reason != "" {
			detail += ": " + r.Reason
		}
	}
	return v.db.InsertAction(ctx, tx, dbsqlc.InsertActionParams{
		LogID: log, ViewID: view, Version: &row.Version, Action: action, Actor: r.Actor, Sequence: row.HaltedSequence, Detail: detail,
	})
}
