package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/tidwall/btree"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/wasm"
)

const (
	// sampleGas is where the rehearsal of a sample stops, however few events were folded, and rehearsalGas where that of all samples does.
	// The gas of all ways counts, which bounds the time: a deploy is to take less than two seconds of a processor, whatever the module
	// does.
	sampleGas    = 300_000_000
	rehearsalGas = 600_000_000
	// rehearsalEventGas is the most that an event may take to be folded in every way. One that takes more is folded in one way only, and
	// is the last.
	rehearsalEventGas = 250_000_000
	// rehearsalFailureGas is what a failure counts for besides. An instance is thrown away for it, and with that of a deep recursion a
	// stack of 50 MB, which takes a tenth of a second. A view that fails would have halted, so that little is lost by rehearsing it less.
	rehearsalFailureGas = 100_000_000
	// rehearsalQueryGas is what a query of a rehearsal may take. A view that needs more fails alike all three times.
	rehearsalQueryGas = 50_000_000
	// rehearsalStateBytes bounds the state of a rehearsal, which ends there. Few events can hardly make that much.
	rehearsalStateBytes = 64 << 20
)

// rehearsalQueries are asked three times each after a rehearsal. A view may refuse them, but in the same words.
var rehearsalQueries = []string{"", "from=2024-02-01T00:00:00Z&to=2024-03-01T00:00:00Z&by=model&month=2024-02"}

// NotReproducibleError: a view's state or answers depend on how its events are batched.
type NotReproducibleError struct{ Detail string }

func (e *NotReproducibleError) Error() string {
	return e.Detail + "; a view may keep nothing in memory or globals from one event to the next: " +
		"what it is to remember belongs into its state"
}

// Sample is events that a view is rehearsed with, and their name for people.
type Sample struct {
	What   string
	Events []event.Recorded
}

// Rehearse folds the samples, each from an empty state, and asks queries of the state that results, in several ways, which must agree. It
// calls rest between events. A view that fails over an event is not refused for it, as long as it always does. The error is a
// *NotReproducibleError, or not the view's fault.
func Rehearse(ctx context.Context, view View, samples []Sample, rest func(context.Context)) error {
	view.Settings.QueryGas, view.Settings.LargeMemoryPriced = rehearsalQueryGas, true
	var used int64
	for _, sample := range samples {
		r := New(view, rehearsalStateBytes)
		r.gas, r.mostGas = used, rehearsalEventGas
		r.askGuard()
		err := r.rehearse(ctx, sample, min(used+sampleGas, rehearsalGas), rest)
		used = r.gas
		r.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// rehearse folds a sample until that has taken so much gas, what was used before included.
func (r *Replay) rehearse(ctx context.Context, sample Sample, most int64, rest func(context.Context)) error {
	for i := 0; i < len(sample.Events) && r.gas <= most; i++ {
		if err := r.pause(); err != nil {
			return err
		}
		rest(ctx)
		result, difference, err := r.Fold(ctx, &sample.Events[i])
		var full *StateTooLargeError
		switch {
		case errors.As(err, &full):
			return nil
		case errors.Is(err, errTooDear):
			most = -1
			continue
		case err != nil:
			return err
		case difference != nil:
			return notReproducible(sample.What, difference)
		}
		if f := result.Failed; f != nil && f.Kind != wasm.KindRefused {
			r.gas += rehearsalFailureGas
		}
	}
	if difference, err := r.Finish(ctx); err != nil {
		return err
	} else if difference != nil {
		return notReproducible(sample.What, difference)
	}
	return r.rehearseQueries(ctx)
}

func notReproducible(what string, difference *Difference) error {
	return &NotReproducibleError{fmt.Sprintf("folding %s one by one and in batches gives different results: %v", what, difference)}
}

// pause yields to others.
func (r *Replay) pause() error {
	if r.view.Settings.Pause == nil {
		return nil
	}
	if err := r.view.Settings.Pause(); err != nil {
		return fmt.Errorf("waiting for a turn to rehearse: %w", err)
	}
	return nil
}

// rehearseQueries asks every query of the first module twice and of the restarted one once.
func (r *Replay) rehearseQueries(ctx context.Context) error {
	first, last := &r.ways[0].view, &r.ways[len(r.ways)-1].view
	for _, query := range rehearsalQueries {
		var expected reply
		for i, view := range []*View{first, first, last} {
			found, err := ask(ctx, view, &r.base, query)
			if err != nil {
				return fmt.Errorf("rehearsing the query %q: %w", query, err)
			}
			if i == 0 {
				expected = found
			} else if !expected.same(found) {
				return &NotReproducibleError{fmt.Sprintf("the query %q, asked again of the same state, "+
					"is answered with %s first and with %s then", query, expected, found)}
			}
		}
	}
	return nil
}

// reply is what comes of a query: an answer, or a failure.
type reply struct {
	Outcome
	text []byte
	kind string // the answer's media type
}

func (a reply) same(b reply) bool {
	return a.Outcome.same(b.Outcome) && bytes.Equal(a.text, b.text) && a.kind == b.kind
}

func (a reply) String() string {
	if a.Failed != nil {
		return a.Outcome.String()
	}
	return Shown(a.text) + " (" + a.kind + ")"
}

// ask asks a view of a state. The error is not the view's fault.
func ask(ctx context.Context, view *View, state *btree.Map[string, []byte], query string) (result reply, err error) {
	session, err := view.Start(ctx, &layer{base: state})
	if err != nil {
		return reply{}, err
	}
	defer session.Close()
	result.text, err = session.Query(query)
	if err != nil && !errors.As(err, &result.Failed) {
		return reply{}, err
	}
	if err == nil {
		result.kind = session.AnswerType()
	}
	return result, nil
}
