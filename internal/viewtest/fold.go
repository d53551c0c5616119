package viewtest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/wasm"
)

// Folded is what came of folding events into an empty state.
type Folded struct {
	State   State
	Ignored []int64 // sequences, from 1
	// Halted is the event that the view could not fold, where it stopped; 0 when it folded all.
	Halted int64
	Reason string // why it halted
	Gas    Gas    // of the events that were folded one by one
	// Together is how many were folded in calls of many events.
	Together int
}

// Gas is what folding took of the budget.
type Gas struct {
	Total, Most int64 // of all events, and of the one that took most
	Events      int   // that were folded
}

// batching says how many events the n-th session folds, from 0.
type batching func(n int) int

// Ways in which the same events must give the same state: a view that differs keeps something in its memory. One more is many events in
// one call, where the view takes them so.
var (
	inOneSession batching = func(int) int { return int(^uint(0) >> 1) }
	oneByOne     batching = func(int) int { return 1 }
	inBatches    batching = func(n int) int { return []int{2, 3, 5, 7, 11}[n%5] }
)

// Fold folds the events in one session, from sequence 1 on. The error is not the view's doing: its own are in Folded.
func (v *View) Fold(ctx context.Context, events []Event) (*Folded, error) {
	return v.fold(ctx, events, inOneSession, false)
}

// FoldOneByOne is Fold with a session for each event.
func (v *View) FoldOneByOne(ctx context.Context, events []Event) (*Folded, error) {
	return v.fold(ctx, events, oneByOne, false)
}

// FoldInBatches is Fold with a session for every few events.
func (v *View) FoldInBatches(ctx context.Context, events []Event) (*Folded, error) {
	return v.fold(ctx, events, inBatches, false)
}

// FoldTogether is Fold with calls that fold many events each, as a server folds a batch, where the view takes them.
func (v *View) FoldTogether(ctx context.Context, events []Event) (*Folded, error) {
	return v.fold(ctx, events, inOneSession, true)
}

func (v *View) fold(ctx context.Context, events []Event, size batching, together bool) (*Folded, error) {
	f := &Folded{State: State{}}
	state := &undoable{State: f.State, before: map[string][]byte{}}
	for batch, at := 0, 0; at < len(events) && f.Halted == 0; batch++ {
		end := at + min(size(batch), len(events)-at)
		if err := v.foldBatch(ctx, f, state, at, events[at:end], together); err != nil {
			return nil, err
		}
		at = end
	}
	return f, nil
}

// foldBatch folds events, of which `before` came before them, until one halts the view.
func (v *View) foldBatch(ctx context.Context, f *Folded, state *undoable, before int, events []Event, together bool) error {
	session, err := v.Start(ctx, state)
	if err != nil {
		return err
	}
	defer func() { session.Close() }()
	ev := &wasm.Event{Fields: make([]jsonscan.Value, v.fields.Len())}
	most := 0 // events in one call
	if together && session.Batches() {
		most = wasm.MaxBatchEvents
	}
	for i := 0; i < len(events); i++ {
		if most > 1 {
			n, err := v.foldTogether(f, session, state, before+i, events[i:min(len(events), i+most)])
			if err != nil {
				return err
			}
			if n > 0 {
				i += n - 1
				continue
			}
			most /= 4 // as the server does it
			session.Close()
			if session, err = v.Start(ctx, state); err != nil {
				return err
			}
		}
		sequence := int64(before + i + 1)
		if err := v.read(ev, sequence, &events[i]); err != nil {
			return fmt.Errorf("reading event %d: %w", sequence, err)
		}
		ignored, err := session.Fold(ev)
		if session.Again() {
			state.undo()
			fresh, starting := v.Start(ctx, state)
			if starting != nil {
				return starting
			}
			session.Close()
			session = fresh
			ignored, err = session.Fold(ev)
		}
		var failed *wasm.ViewError
		switch {
		case errors.As(err, &failed):
			state.undo()
			f.Halted, f.Reason = sequence, failed.Error()
			return nil
		case err != nil:
			return fmt.Errorf("folding event %d: %w", sequence, err)
		}
		state.keep()
		f.Gas.add(session.GasUsed())
		if ignored {
			f.Ignored = append(f.Ignored, sequence)
		}
	}
	return nil
}

// foldTogether folds the first of the events in one call, and says how many; none where they are to be folded one by one.
func (v *View) foldTogether(f *Folded, session *wasm.Session, state *undoable, before int, events []Event) (int, error) {
	batch := make([]wasm.Event, len(events))
	for i := range batch {
		batch[i].Fields = make([]jsonscan.Value, v.fields.Len())
		if err := v.read(&batch[i], int64(before+i+1), &events[i]); err != nil {
			return 0, fmt.Errorf("reading event %d: %w", before+i+1, err)
		}
	}
	n, err := session.FoldBatch(batch)
	if _, failed := errors.AsType[*wasm.ViewError](err); failed {
		state.undo()
		return 0, nil
	} else if err != nil {
		return 0, fmt.Errorf("folding from event %d on: %w", before+1, err)
	}
	state.keep()
	for i := range batch[:n] {
		if batch[i].Ignored {
			f.Ignored = append(f.Ignored, batch[i].Sequence)
		}
	}
	f.Together += n
	return n, nil
}

func (g *Gas) add(used int64) {
	g.Total += used
	g.Most = max(g.Most, used)
	g.Events++
}

// Difference says how two foldings of the same events differ, "" when they do not. The names say which is which.
func (f *Folded) Difference(name string, other *Folded, otherName string) string {
	switch {
	case f.Halted != other.Halted || f.Reason != other.Reason:
		return fmt.Sprintf("%s: %s; %s: %s", name, f.end(), otherName, other.end())
	case !slices.Equal(f.Ignored, other.Ignored):
		return fmt.Sprintf("%s ignores the events %v, %s %v", name, f.Ignored, otherName, other.Ignored)
	}
	var keys []string
	for key := range f.State {
		keys = append(keys, key)
	}
	for key := range other.State {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if a, b := f.State.show(key), other.State.show(key); a != b {
			return fmt.Sprintf("key %q has %s when folded %s, and %s %s", key, a, name, b, otherName)
		}
	}
	return ""
}

func (f *Folded) end() string {
	if f.Halted == 0 {
		return "all events are folded"
	}
	return fmt.Sprintf("halted at event %d, %s", f.Halted, f.Reason)
}

func (s State) show(key string) string {
	if value, ok := s[key]; ok {
		return string(value)
	}
	return "no value"
}
