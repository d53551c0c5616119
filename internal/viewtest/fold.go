package viewtest

import (
	"cmp"
	"context"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/replay"
)

// Folded is what came of folding events into an empty state.
type Folded struct {
	State   State
	Ignored []int64 // sequences, from 1
	// Halted is the event that the view could not fold, where it stopped; 0 when it folded all.
	Halted int64
	Reason string // why it halted
	Gas    Gas
	// Batched is how many were also folded in calls of many events.
	Batched int
	// Difference is the first of another way of folding, nil when there is none. A view that differs keeps something in its memory.
	Difference *replay.Difference
}

// Gas is what folding took of the budget, in a session of many events.
type Gas struct {
	Total, Most int64 // of all events, and of the one that took most
	Events      int   // that were folded
}

// Fold folds the events, from sequence 1 on, in every way in which a server might. What is folded one event at a time counts. The error is
// not the view's fault: its own are in Folded.
func (v *View) Fold(ctx context.Context, events []Event) (*Folded, error) {
	f := &Folded{State: State{}}
	r := replay.New(v.view, 0)
	defer r.Close()
	for i := range events {
		recorded := at(int64(i+1), &events[i])
		outcome, difference, err := r.Fold(ctx, &recorded)
		if err != nil {
			return nil, err
		}
		f.Difference = cmp.Or(f.Difference, difference)
		if outcome.Failed != nil {
			f.Halted, f.Reason = recorded.Sequence, outcome.Failed.Error()
			break
		}
		if outcome.Ignored {
			f.Ignored = append(f.Ignored, recorded.Sequence)
		}
		f.Gas.add(r.Gas())
	}
	difference, err := r.Finish(ctx)
	if err != nil {
		return nil, err
	}
	f.Difference, f.Batched = cmp.Or(f.Difference, difference), r.Batched()
	state := r.State()
	for more := state.First(); more; more = state.Next() {
		f.State[state.Key()] = state.Value()
	}
	return f, nil
}

// at is the event as it is recorded at a sequence.
func at(sequence int64, e *Event) event.Recorded {
	return event.Recorded{Event: *e, Sequence: sequence, RecordedAt: RecordedAt.UnixMicro()}
}

func (g *Gas) add(used int64) {
	g.Total += used
	g.Most = max(g.Most, used)
	g.Events++
}
