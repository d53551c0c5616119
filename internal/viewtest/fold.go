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
// not the view's fault: its own are in Folded. A guard is not asked: see [View.Append].
func (v *View) Fold(ctx context.Context, events []Event) (*Folded, error) {
	run := v.run()
	defer run.close()
	for i := range events {
		recorded := at(int64(i+1), &events[i])
		if err := run.fold(ctx, &recorded); err != nil {
			return nil, err
		}
		if run.folded.Halted > 0 {
			break
		}
	}
	return run.finish(ctx)
}

// run is a replay and what came of it so far.
type run struct {
	replay *replay.Replay
	folded *Folded
}

func (v *View) run() *run {
	return &run{replay: replay.New(v.view, 0), folded: &Folded{State: State{}}}
}

func (r *run) close() { r.replay.Close() }

// fold folds the next event, unless the view halts at it.
func (r *run) fold(ctx context.Context, e *event.Recorded) error {
	outcome, difference, err := r.replay.Fold(ctx, e)
	if err != nil {
		return err
	}
	f := r.folded
	f.Difference = cmp.Or(f.Difference, difference)
	if outcome.Failed != nil {
		f.Halted, f.Reason = e.Sequence, outcome.Failed.Error()
		return nil
	}
	if outcome.Ignored {
		f.Ignored = append(f.Ignored, e.Sequence)
	}
	f.Gas.add(r.replay.Gas())
	return nil
}

func (r *run) finish(ctx context.Context) (*Folded, error) {
	difference, err := r.replay.Finish(ctx)
	if err != nil {
		return nil, err
	}
	f := r.folded
	f.Difference, f.Batched = cmp.Or(f.Difference, difference), r.replay.Batched()
	state := r.replay.State()
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
