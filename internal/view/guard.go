package view

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/wasm"
)

// OnHalt is what becomes of appends while a version with a guard is halted that was live.
type OnHalt string

// Appends are admitted without the guard, or refused until the view is live again, replaced or retired.
const (
	OnHaltAdmit  OnHalt = "admit"
	OnHaltRefuse OnHalt = "refuse"
)

// guardFailed begins the reason of a halt that a guard caused. The event that it names was folded by nobody; where appends are refused
// without the guard, it was not appended either.
const guardFailed = "its guard failed: "

// GuardAnswer is what a guard says of an event that it admits.
type GuardAnswer struct {
	View   string
	Answer []byte // a JSON object
}

// RefusedByGuardError: a view's guard does not admit an event.
type RefusedByGuardError struct {
	View string
	wasm.Verdict
}

func (e *RefusedByGuardError) Error() string {
	return fmt.Sprintf("view %s refuses the event with status %d", e.View, e.Status)
}

// GuardHaltedError: a view's guard cannot be asked, and without it no append may pass.
type GuardHaltedError struct {
	View string
	// Reason is why it fails over the event at hand, which halts the view; empty if it was halted before.
	Reason string
}

func (e *GuardHaltedError) Error() string {
	return fmt.Sprintf("the guard of view %s is halted, and appends are refused without it", e.View)
}

// HasGuards reports whether views of the log decide on its events. Then Guard is called for each event before Fold is for all of them.
func (f *Folding) HasGuards() bool {
	return len(f.snapshot.unguarded) > 0 || slices.ContainsFunc(f.runs, func(r run) bool { return r.version.guard })
}

// Guard asks the guards of the log's views about the next event, and where they admit it has these views fold it. Fold then leaves them
// out, and folds the same events into the others. The error is a *RefusedByGuardError or *GuardHaltedError where the event is not
// admitted, which changes nothing; or one of Fold.
//
// A guard that guesses (see Views.Begin) admits what it has to guess about.
func (f *Folding) Guard(e *event.Recorded, budget Budget) ([]GuardAnswer, error) {
	if len(f.snapshot.unguarded) > 0 {
		return nil, &GuardHaltedError{View: f.snapshot.unguarded[0]}
	}
	spent := f.spending(&budget)
	if spent.events > 0 {
		if err := f.checkBudget(spent); err != nil {
			return nil, err
		}
	}
	f.guarding = true
	if err := f.read([]event.Recorded{*e}); err != nil {
		return nil, err
	}
	gas := spent.gas
	answers, err := f.askGuards(e, spent)
	if err == nil {
		err = f.foldGuarded(e, spent)
		spent.events++
	}
	f.countGas(spent.gas - gas)
	return answers, err
}

// askGuards asks every guard that is not halted.
func (f *Folding) askGuards(e *event.Recorded, spent *spending) (answers []GuardAnswer, err error) {
	for i := range f.runs {
		r := &f.runs[i]
		if !r.version.guard || r.halt != nil {
			continue
		}
		f.present(i)
		verdict, err := r.ask(e)
		if r.session != nil {
			spent.gas += r.session.GasUsed()
		}
		failed, isViews := errors.AsType[*wasm.ViewError](err)
		r.used = r.used || isViews
		switch guesses := len(r.writes.missed) > 0; {
		case err != nil && !isViews:
			return nil, fmt.Errorf("asking the guard of view %s about event %d: %w", r.version.Name, e.Sequence, err)
		case guesses && isViews:
			if err := r.renew(); err != nil {
				return nil, err
			}
		case guesses:
		case isViews && r.version.onHalt == OnHaltRefuse:
			return nil, &GuardHaltedError{View: r.version.Name, Reason: guardFailed + failed.Error()}
		case isViews:
			r.stop(e, guardFailed+failed.Error())
		case !verdict.Admits():
			return nil, &RefusedByGuardError{View: r.version.Name, Verdict: verdict}
		case verdict.Answer != nil:
			answers = append(answers, GuardAnswer{r.version.Name, verdict.Answer})
		}
	}
	return answers, nil
}

// foldGuarded folds an event that is admitted into the views with guards.
func (f *Folding) foldGuarded(e *event.Recorded, spent *spending) error {
	for i := range f.runs {
		r := &f.runs[i]
		if !r.version.guard || r.halt != nil {
			continue
		}
		f.present(i)
		if err := r.fold(e); err != nil {
			return err
		}
		if r.session != nil {
			spent.gas += r.session.GasUsed()
		}
		if err := f.count(r); err != nil {
			return err
		}
	}
	return nil
}

// present sets what a view reads of the first event that was read.
func (f *Folding) present(view int) {
	for field, index := range f.snapshot.ownFields[view] {
		f.runs[view].event.Fields[field] = f.values[index]
	}
}

// ask asks the view's guard about an event. The error is a *wasm.ViewError if that is its fault.
func (r *run) ask(e *event.Recorded) (wasm.Verdict, error) {
	if r.version.refused != "" {
		return wasm.Verdict{}, &wasm.ViewError{Kind: wasm.KindTrap, Message: r.version.refused}
	}
	r.event.Sequence, r.event.Time, r.event.RecordedAt, r.event.Data = e.Sequence, e.Time, e.RecordedAt, e.Data
	verdict, err := r.session.Guard(&r.event)
	if !r.session.Again() {
		return verdict, err
	}
	if err := r.renew(); err != nil {
		return wasm.Verdict{}, err
	}
	return r.session.Guard(&r.event)
}

// renew begins another session: the guest remembers nothing, and may have failed.
func (r *run) renew() error {
	if r.session == nil {
		return nil
	}
	r.session.Close()
	return r.open()
}

// HaltGuard halts a view whose guard failed over the event after head, which was not appended. Everything since the last Keep is undone.
func (f *Folding) HaltGuard(head event.Head, halted *GuardHaltedError) {
	for i := range f.runs {
		if r := &f.runs[i]; r.version.Name == halted.View && r.halt == nil {
			r.halt = &Halt{Version: r.version.ID, View: r.version.Name, Sequence: head.Sequence + 1, Reason: halted.Reason}
		}
	}
}

func (f *Folding) hasHalts() bool {
	return slices.ContainsFunc(f.runs, func(r run) bool { return r.halt != nil })
}

// unguarded returns the views without whose guards no append may pass after what was folded.
func (f *Folding) unguarded() []string {
	names := slices.Clone(f.snapshot.unguarded)
	for i := range f.runs {
		if r := &f.runs[i]; r.halt != nil && r.version.guard && r.version.onHalt == OnHaltRefuse {
			names = append(names, r.version.Name)
		}
	}
	return names
}
