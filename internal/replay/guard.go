package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/wasm"
)

// Decision is what a view's guard makes of an event.
type Decision struct {
	wasm.Verdict
	Failed *wasm.ViewError // the view halts at the event; nil where it decided
}

func (d Decision) String() string {
	text := "admitted"
	switch {
	case d.Failed != nil:
		return "not decided on, " + Shown([]byte(d.Failed.Error())) + ","
	case d.RetryAfter > 0:
		text = fmt.Sprintf("refused with %d for %d s", d.Status, d.RetryAfter)
	case d.Status != 0:
		text = fmt.Sprintf("refused with %d", d.Status)
	}
	if d.Answer != nil {
		text += " and the answer " + Shown(d.Answer)
	}
	return text
}

func (d Decision) same(other Decision) bool {
	return d.Status == other.Status && d.RetryAfter == other.RetryAfter && bytes.Equal(d.Answer, other.Answer) &&
		Outcome{Failed: d.Failed}.same(Outcome{Failed: other.Failed})
}

// Guard asks the view's guard about an event that may be folded next, in every way: alone, and where many events share a session, as an
// append does. Whatever it decides, the event may be folded or not. The decision and its gas are those of asking it alone, from which the
// other ways must not differ. The view must have a guard; the error is not its fault.
func (r *Replay) Guard(ctx context.Context, e *event.Recorded) (Decision, int64, *Difference, error) {
	if err := r.view.Read(&r.event, e); err != nil {
		return Decision{}, 0, nil, err
	}
	var first Decision
	var gasAlone int64
	var difference *Difference
	for i, w := range r.ways {
		found, gas, err := w.decide(ctx, &r.event)
		if err != nil {
			return Decision{}, 0, nil, fmt.Errorf("asking the guard about event %d with %s: %w", e.Sequence, w.name, err)
		}
		r.gas += gas
		if i == 0 {
			w.end()
			first, gasAlone = found, gas
		} else if difference == nil && !first.same(found) {
			difference = &Difference{Way: w.name, Sequence: e.Sequence, Expected: first.String(), Found: found.String()}
		}
	}
	return first, gasAlone, difference, nil
}

// decide asks the view's guard in the way's session, and returns the gas of all attempts. The error is never the view's fault.
func (w *way) decide(ctx context.Context, e *wasm.Event) (d Decision, gas int64, err error) {
	if err := w.begin(ctx); err != nil {
		return d, 0, err
	}
	d.Verdict, err = w.session.Guard(e)
	gas = w.session.GasUsed()
	if w.session.Again() {
		w.end()
		d, again, err := w.decide(ctx, e)
		return d, gas + again, err
	}
	if err != nil {
		if !errors.As(err, &d.Failed) {
			return d, gas, err
		}
		w.end()
	}
	return d, gas, nil
}
