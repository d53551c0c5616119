package viewtest

import (
	"cmp"
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/replay"
)

// Appended is what came of appending events to an empty log whose view has a guard.
type Appended struct {
	*Folded
	Events []Event // that were admitted
	// Decisions are those that say more than that an event is admitted, in the order of the lines.
	Decisions []LineDecision
	// GuardGas is what the guard took, asked about each event alone.
	GuardGas Gas
}

// LineDecision is what the guard made of a line.
type LineDecision struct {
	Line     int
	Sequence int64 // that the event has, or would have had
	replay.Decision
}

// String is a line of expected.txt.
func (d *LineDecision) String() string {
	text := fmt.Sprintf("admitted line %d as %d:", d.Line, d.Sequence)
	if d.Status != 0 {
		text = fmt.Sprintf("refused line %d: %d", d.Line, d.Status)
	}
	if d.RetryAfter > 0 {
		text += fmt.Sprintf(", retry after %d s", d.RetryAfter)
	}
	if d.Answer != nil {
		text += " " + string(d.Answer)
	}
	return text
}

// Append appends the lines one by one, as a server does: an event that was appended before is not appended again, and about any other the
// guard is asked, on the state that the ones before it left. It is folded if the guard admits it, and else leaves nothing, its idempotency
// key neither. Each event is appended when it happened, or when the one before it was, where it has no time of its own or an earlier one;
// so the times of the events are the guard's clock. The error is a *LineError or not the view's fault.
func (v *View) Append(ctx context.Context, lines []Line) (*Appended, error) {
	run := v.run()
	defer run.close()
	a := &Appended{Folded: run.folded}
	var appended keys
	var clock int64
	for i := 0; i < len(lines) && a.Halted == 0; i++ {
		e := &lines[i]
		if duplicate, err := appended.has(e); err != nil {
			return nil, err
		} else if duplicate {
			continue
		}
		clock = appendedAt(clock, &e.Event)
		recorded := event.Recorded{Event: e.Event, Sequence: int64(len(a.Events) + 1), RecordedAt: clock}
		if !e.HasTime {
			recorded.Time = clock
		}
		decision, err := a.ask(ctx, run.replay, e.Number, &recorded)
		if err != nil {
			return nil, err
		}
		if decision.Failed != nil || decision.Status != 0 {
			continue
		}
		if err := run.fold(ctx, &recorded); err != nil {
			return nil, err
		}
		if a.Halted == 0 {
			appended.add(e)
			a.Events = append(a.Events, e.Event)
		}
	}
	_, err := run.finish(ctx)
	return a, err
}

// appendedAt is when an event is appended, after one that was at clock; 0 where it is the first.
func appendedAt(clock int64, e *Event) int64 {
	if e.HasTime {
		return max(clock, e.Time)
	}
	return cmp.Or(clock, RecordedAt.UnixMicro())
}

// ask asks the guard about the event of a line, and notes what it says.
func (a *Appended) ask(ctx context.Context, r *replay.Replay, line int, e *event.Recorded) (replay.Decision, error) {
	decision, gas, difference, err := r.Guard(ctx, e)
	if err != nil {
		return decision, err
	}
	a.Difference = cmp.Or(a.Difference, difference)
	a.GuardGas.add(gas)
	if decision.Failed != nil {
		a.Halted, a.Reason = e.Sequence, "its guard: "+decision.Failed.Error()
	} else if decision.Status != 0 || decision.Answer != nil {
		a.Decisions = append(a.Decisions, LineDecision{line, e.Sequence, decision})
	}
	return decision, nil
}
