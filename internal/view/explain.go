package view

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/replay"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// MaxExplainedValue is how much of a value of state an explanation has, in bytes: a value may have 64 KiB.
	MaxExplainedValue = 4 << 10
	// MaxExplainedChanges and maxExplainedBytes bound what an explanation has of one version's changes; the rest is only counted.
	MaxExplainedChanges = 100
	maxExplainedBytes   = 64 << 10
)

// Outcome is what became of an event in a version of a view.
type Outcome string

// What can become of an event.
const (
	Applied    Outcome = "applied"     // it changed the state
	Ignored    Outcome = "ignored"     // it changed nothing
	NotCounted Outcome = "not_counted" // the state says that it could not be counted, in whole or in part, and why
	LeftOut    Outcome = "left_out"    // the version was resumed past it
	HaltedAt   Outcome = "halted"      // the version halted over it
	NotYet     Outcome = "not_yet"     // the version has not come to it
	Unknown    Outcome = "unknown"     // it could not be found out
)

// Explanation is how one version of a view counted an event.
type Explanation struct {
	View     string
	Version  int32
	Status   Status
	Outcome  Outcome
	Reason   string // why, where Outcome is not Applied or Ignored
	Changes  []ExplainedChange
	LeftOver int // changes that there are besides
}

// ExplainedChange is what an event made of a key of the state.
type ExplainedChange struct {
	Key           string
	Before, After ExplainedValue
}

// ExplainedValue is a value of state, JSON, or its beginning; the zero value stands for a key that there was not.
type ExplainedValue struct {
	Text []byte
	Cut  bool // Text is the first MaxExplainedValue bytes of it, to a whole character
}

// Explain tells how an event of the log was counted by each version of its views that is not retired, or by those of one view: by folding
// in memory what came before it, and then the event. What takes too long, or too much memory, is Unknown; so is what folding again does not
// confirm. What describes the views is booked in room, which may be nil. The error is ErrInquiriesBusy, ErrViewNotFound, ErrViewRetired,
// memory.ErrFull, eventlog.ErrLogNotFound, ctx's, or the database's.
func (v *Views) Explain(ctx context.Context, log uuid.UUID, sequence int64, name string, room *memory.Hold) ([]Explanation, error) {
	infos, err := v.explained(ctx, log, name, room)
	if err != nil {
		return nil, err
	}
	explanations, open := make([]Explanation, len(infos)), []int(nil)
	for i := range infos {
		info := &infos[i]
		explanations[i] = Explanation{View: info.Name, Version: info.Version, Status: info.Status}
		if explanations[i].Outcome, explanations[i].Reason = info.halt(sequence); explanations[i].Outcome == "" {
			open = append(open, i)
		}
	}
	if len(open) == 0 {
		return explanations, nil
	}
	q, err := v.beginInquiry(ctx, log)
	if err != nil {
		return nil, fmt.Errorf("explaining an event: %w", err)
	}
	defer q.end()
	for n, i := range open {
		share := time.Until(q.until) / time.Duration(len(open)-n) // what one view leaves of its share is for those after it
		if err := q.explain(ctx, share, &infos[i], sequence, &explanations[i]); err != nil {
			return nil, fmt.Errorf("explaining an event by view %s: %w", infos[i].Name, err)
		}
	}
	return explanations, nil
}

// explained describes the versions that an explanation is about.
func (v *Views) explained(ctx context.Context, log uuid.UUID, name string, room *memory.Hold) ([]Info, error) {
	if name == "" {
		return v.List(ctx, log, room)
	}
	return v.Get(ctx, log, name, room)
}

// halt returns what became of an event that the version has halted over, or has not come to; "" for another one.
func (i *Info) halt(sequence int64) (Outcome, string) {
	switch {
	case i.Status == Halted && sequence == i.HaltedSequence:
		return HaltedAt, i.Error
	case i.Status == Halted && sequence > i.HaltedSequence:
		return NotYet, fmt.Sprintf("the version halted at event %d", i.HaltedSequence)
	case i.Status == Building && sequence > i.Applied:
		return NotYet, fmt.Sprintf("the version is being built, and has come to event %d", i.Applied)
	}
	return "", ""
}

// explain folds. The error is ctx's or the database's.
func (q *inquiry) explain(ctx context.Context, limit time.Duration, info *Info, sequence int64, to *Explanation) error {
	err := q.within(ctx, limit, func(ctx context.Context) error { return q.explainBy(ctx, info, sequence, to) })
	var large *replay.StateTooLargeError
	var failed *failedError
	var refused *RefusedError
	switch {
	case errors.Is(err, errInquiryTime):
		to.Reason = fmt.Sprintf("folding the view's events up to this one takes longer than the %v that an explanation has for all its "+
			"views: ask for fewer of them", MaxInquiryTime)
	case errors.As(err, &large):
		to.Reason = large.Error()
	case errors.As(err, &failed):
		to.Reason = failed.Error() + ": audit the view"
	case errors.As(err, &refused):
		to.Reason = refused.Detail
	case errors.Is(err, ErrStateNotKept), errors.Is(err, ErrVersionNotFound), errors.Is(err, ErrViewNotFound):
		to.Reason = "the version was retired meanwhile"
	default:
		return err
	}
	to.Outcome, to.Changes, to.LeftOver = Unknown, nil, 0
	return nil
}

func (q *inquiry) explainBy(ctx context.Context, info *Info, sequence int64, to *Explanation) error {
	module, err := hex.DecodeString(info.ModuleSHA256)
	if err != nil {
		return fmt.Errorf("reading a module's hash: %w", err)
	}
	row, err := q.views.auditedVersion(ctx, q.views.db.Read, auditTarget{q.log, info.Name, info.Version})
	if err != nil {
		return err
	}
	of, err := q.folded(ctx, versionRow{
		ID: info.VersionID, Name: info.Name, ModuleSHA256: module, Config: info.Config, Fields: row.Fields, FoldGas: row.FoldGas,
		CostModel: row.CostModel,
	})
	if err != nil {
		return err
	}
	if of.leavesOut(sequence) {
		to.Outcome, to.Reason = LeftOut, "the version was resumed past this event"
		return nil
	}
	run, err := q.stateAsOf(ctx, of, sequence-1)
	if err != nil {
		return err
	}
	defer run.Close()
	e, err := q.event(ctx, sequence)
	if err != nil {
		return err
	}
	changes, failed, err := run.FoldAlone(ctx, e)
	if err != nil {
		return err
	}
	if failed != nil {
		return &failedError{sequence, failed}
	}
	to.Outcome, to.Reason = outcomeOf(changes)
	to.Changes, to.LeftOver = present(changes)
	return nil
}

// outcomeOf is what an event was that made these changes.
func outcomeOf(changes []replay.Change) (Outcome, string) {
	if reason := uncountedReason(changes); reason != "" {
		return NotCounted, reason
	}
	if len(changes) > 0 {
		return Applied, ""
	}
	return Ignored, ""
}

// present cuts changes to what an explanation has of them.
func present(changes []replay.Change) (shown []ExplainedChange, left int) {
	bytes := 0
	for i := range changes {
		c := ExplainedChange{changes[i].Key, cutValue(changes[i].Before), cutValue(changes[i].After)}
		bytes += len(c.Key) + len(c.Before.Text) + len(c.After.Text)
		if i == MaxExplainedChanges || bytes > maxExplainedBytes {
			return shown, len(changes) - i
		}
		shown = append(shown, c)
	}
	return shown, 0
}

func cutValue(value []byte) ExplainedValue {
	if len(value) <= MaxExplainedValue {
		return ExplainedValue{Text: value}
	}
	return ExplainedValue{replay.Cut(value, MaxExplainedValue), true}
}
