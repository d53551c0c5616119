package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/internal/wasm"
	"github.com/tallystick/tallystick/views"
)

const (
	// foldTurn is the number of events that a view folds in one turn, in one session and as one group, as a server folds a batch. A turn's
	// milliseconds are an event's microseconds.
	foldTurn = 1000
	// foldTurns is the number of turns until the events repeat. They happened within half a day, and their states stay below the 1,024 keys
	// of a state that a server caches.
	foldTurns = 20
	foldStep  = 2400 * time.Millisecond // between events: 25 a minute, as in the history that queries ask about
	// gasTurn is the number of folds after which the metered and the bare view alternate: long compared with reading the clock, short
	// compared with disturbances.
	gasTurn = 200
)

// meterByTwoGroups is the configuration of the meter that is measured.
const meterByTwoGroups = `{"type":"api.call","value":"/tokens_out","aggregations":["sum"],"group_by":{"model":"/model","team":"/team"},` +
	`"resolution":"hour"}`

// folds measures views in this process, on the server's engine but without a server.
type folds struct {
	engine, unmetered *wasm.Engine
	views             []*foldedView
	events            []*wasm.Event // without fields
	turn              int
}

// foldedView is a view with the state that it folds into.
type foldedView struct {
	name     string
	module   *wasm.Module
	settings wasm.Settings
	fields   *jsonscan.Pointers
	batch    [wasm.MaxBatchEvents]wasm.Event
	values   []jsonscan.Value // of the batch
	state    *view.MemoryState
}

// newFolds compiles the kits' examples and the meter, and folds each event once, so that totals have grown. The stage closes what it
// opened.
func newFolds(ctx context.Context, s *stage) (*folds, error) {
	f := &folds{}
	var err error
	for engine, config := range map[**wasm.Engine]wasm.Config{&f.engine: {}, &f.unmetered: {Unmetered: true}} {
		if *engine, err = wasm.NewEngine(ctx, config); err != nil {
			return nil, err
		}
		s.cleanup((*engine).Close)
	}
	g := newGenerator(0)
	at := time.Date(2025, time.March, 1, 8, 0, 0, 0, time.UTC)
	for i := range foldTurn * foldTurns {
		happened := at.Add(time.Duration(i) * foldStep)
		f.events = append(f.events, &wasm.Event{
			Sequence: int64(i + 1), Time: happened.UnixMicro(), RecordedAt: happened.UnixMicro(),
			Data: append([]byte(nil), g.json(happened)...),
		})
	}
	for _, kit := range views.Kits() {
		example, err := s.example(ctx, kit)
		if err != nil {
			return nil, err
		}
		if example == nil {
			continue
		}
		if err := f.add(ctx, foldKit+kit.Language, example, "{}"); err != nil {
			return nil, err
		}
	}
	if err := f.add(ctx, foldReady, views.MonthlyTotals(), "{}"); err != nil {
		return nil, err
	}
	if err := f.add(ctx, foldMeter, views.Meter(), meterByTwoGroups); err != nil {
		return nil, err
	}
	for range foldTurns {
		if err := f.everyView(ctx, func(string, time.Duration) {}); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *folds) add(ctx context.Context, name string, code []byte, config string) error {
	module, err := f.engine.Compile(ctx, code)
	if err != nil {
		return fmt.Errorf("compiling the view of %s: %w", name, err)
	}
	v := &foldedView{name: name, module: module, settings: wasm.Settings{Config: []byte(config)}, state: view.NewMemoryState(ctx)}
	if v.fields, err = fieldsOf(ctx, module, config); err != nil {
		return fmt.Errorf("asking the view of %s for its fields: %w", name, err)
	}
	v.values = make([]jsonscan.Value, len(v.batch)*v.fields.Len())
	f.views = append(f.views, v)
	return nil
}

func fieldsOf(ctx context.Context, module *wasm.Module, config string) (*jsonscan.Pointers, error) {
	names, err := module.Fields(ctx, []byte(config))
	if err != nil {
		return nil, err
	}
	return jsonscan.Compile(names)
}

// measure has the views take turns for the time of one measurement.
func (f *folds) measure(ctx context.Context, s *stage, report reporter) error {
	samples := map[string]*sample{}
	for _, v := range f.views {
		samples[v.name] = &sample{}
	}
	for until := time.Now().Add(s.config.Duration); time.Now().Before(until); {
		err := f.everyView(ctx, func(name string, took time.Duration) { samples[name].add(foldTurn, took) })
		if err != nil {
			return err
		}
	}
	for _, v := range f.views {
		report(v.name, samples[v.name].sorted())
	}
	return nil
}

// everyView has each view fold the next events, and passes the time to done.
func (f *folds) everyView(ctx context.Context, done func(name string, took time.Duration)) error {
	from := f.turn % foldTurns * foldTurn
	f.turn++
	for _, v := range f.views {
		began := time.Now()
		if err := v.foldAll(ctx, f.events[from:from+foldTurn]); err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
		done(v.name, time.Since(began))
	}
	return nil
}

// foldAll folds events as an append folds a batch: it reads the view's fields from their JSON and folds into cached state.
func (v *foldedView) foldAll(ctx context.Context, events []*wasm.Event) error {
	session, err := v.module.Start(ctx, v.settings, v.state)
	if err != nil {
		return err
	}
	defer session.Close()
	for batch := range slices.Chunk(events, wasm.MaxBatchEvents) {
		if err := v.read(batch); err != nil {
			return err
		}
		for left := v.batch[:len(batch)]; len(left) > 0; {
			folded, err := v.foldSome(session, left)
			if err != nil {
				return fmt.Errorf("event %d was not applied: %w", left[0].Sequence, err)
			}
			left = left[folded:]
			v.state.Keep()
		}
	}
	v.state.Commit()
	return nil
}

// read converts events to the form that the view folds.
func (v *foldedView) read(events []*wasm.Event) error {
	for i, event := range events {
		fields := v.values[i*v.fields.Len():][:v.fields.Len()]
		if err := v.fields.Scan(event.Data, fields); err != nil {
			return err
		}
		v.batch[i] = *event
		v.batch[i].Fields = fields
	}
	return nil
}

// foldSome folds the first events: as a batch if the view accepts batches, else one.
func (v *foldedView) foldSome(session *wasm.Session, events []wasm.Event) (folded int, err error) {
	if folded, err = session.FoldBatch(events); err != nil || folded > 0 {
		return folded, err
	}
	ignored, err := session.Fold(&events[0])
	if err == nil && ignored {
		err = errors.New("it was ignored")
	}
	return 1, err
}

// measureGas folds one event repeatedly with monthly_totals, metered and bare in turn. The fields are read beforehand and the state is one
// value, so that little but the guest is measured.
func (f *folds) measureGas(ctx context.Context, s *stage, report reporter) error {
	var sessions [2]*wasm.Session
	var event wasm.Event
	for i, engine := range []*wasm.Engine{f.engine, f.unmetered} {
		module, err := engine.Compile(ctx, views.MonthlyTotals())
		if err != nil {
			return fmt.Errorf("compiling monthly_totals: %w", err)
		}
		fields, err := fieldsOf(ctx, module, "{}")
		if err != nil {
			return err
		}
		event = *f.events[0]
		event.Fields = make([]jsonscan.Value, fields.Len())
		if err := fields.Scan(event.Data, event.Fields); err != nil {
			return err
		}
		if sessions[i], err = module.Start(ctx, wasm.Settings{}, &oneValue{}); err != nil {
			return err
		}
		defer sessions[i].Close()
	}
	var samples [2]sample
	var ratios []float64
	for until := time.Now().Add(s.config.Duration); time.Now().Before(until); {
		var took [2]time.Duration
		for i, session := range sessions {
			began := time.Now()
			for range gasTurn {
				if _, err := session.Fold(&event); err != nil {
					return fmt.Errorf("folding an event again: %w", err)
				}
			}
			took[i] = time.Since(began)
			samples[i].add(gasTurn, took[i])
		}
		ratios = append(ratios, float64(took[0])/float64(took[1]))
	}
	report(foldMetered, samples[0].sorted())
	report(foldBare, samples[1].sorted())
	s.recordValue(gasRatio, median(ratios))
	return nil
}

// oneValue is a state of one key that costs next to nothing.
type oneValue struct{ value []byte }

// Get implements wasm.State.
func (o *oneValue) Get([]byte) ([]byte, bool, error) { return o.value, o.value != nil, nil }

// Set implements wasm.State.
func (o *oneValue) Set(_, value []byte) error {
	o.value = append(o.value[:0], value...)
	return nil
}

// Delete implements wasm.State.
func (o *oneValue) Delete([]byte) error { return nil }

// Scan implements wasm.State.
func (o *oneValue) Scan([]byte, []byte, int) ([]wasm.Entry, error) { return nil, nil }

// foldPhase measures what views cost, in this process.
func foldPhase() phase {
	var f *folds
	var r *resets
	kits := []string{foldReady, foldMeter}
	for _, language := range views.Languages() {
		kits = append(kits, foldKit+language)
	}
	sizes := []string{resetFold}
	for _, size := range resetGuests {
		sizes = append(sizes, size.name)
	}
	return phase{
		prepare: func(ctx context.Context, s *stage, _ reporter) (err error) {
			if f, err = newFolds(ctx, s); err == nil {
				r, err = newResets(ctx, f.engine)
			}
			return err
		},
		measurements: []measurement{
			{names: kits, run: func(ctx context.Context, s *stage, report reporter) error {
				return f.measure(ctx, s, report)
			}},
			{names: []string{foldMetered, foldBare}, run: func(ctx context.Context, s *stage, report reporter) error {
				return f.measureGas(ctx, s, report)
			}},
			{names: sizes, run: func(ctx context.Context, s *stage, report reporter) error {
				return r.measure(ctx, s, report)
			}},
		},
	}
}
