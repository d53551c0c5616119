package view

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/wasm"
)

const (
	// rehearsalEvents is how many events of a log's beginning a view is rehearsed with, and how many of its end.
	rehearsalEvents = 256
	// rehearsalBytes bounds each of the two.
	rehearsalBytes = 1 << 20
	// rehearsalGas is where the rehearsal of a sample stops, however few events were folded, and rehearsalGasOfAll where that of a deploy
	// does: all that its ways use counts, and gas bounds the time that it takes. A deploy is to take less than two seconds of a processor,
	// whatever the module does.
	rehearsalGas      = 300_000_000
	rehearsalGasOfAll = 600_000_000
	// rehearsalEventGas is what an event may take to be folded in every way. One that takes more is folded in one way only, and is the last.
	rehearsalEventGas = 250_000_000
	// rehearsalFailureGas is what an event that a view fails over counts for besides. An instance is thrown away for it, and with
	// that of a deep recursion a stack of 50 MB, which takes a tenth of a second. A view that fails would have halted, so that
	// little is lost by rehearsing it less.
	rehearsalFailureGas = 100_000_000
	// rehearsalQueryGas is what a question of a rehearsal may take. A view that needs more says so three times alike.
	rehearsalQueryGas = 50_000_000
	// rehearsalStateBytes bounds the state of a rehearsal. Few events can hardly make that much; a view that does is
	// rehearsed with those until then.
	rehearsalStateBytes = 64 << 20
)

// rehearsalQueries are asked twice after a rehearsal. A view may refuse them, but in the same words.
var rehearsalQueries = []string{"", "from=2024-02-01T00:00:00Z&to=2024-03-01T00:00:00Z&by=model&month=2024-02"}

const reproducibleHint = "a view may keep nothing in memory or globals from one event to the next: what it is to remember belongs into its state"

// candidate is a view that is about to be deployed.
type candidate struct {
	code     []byte
	module   *wasm.Module
	settings wasm.Settings
	fields   []string
	askedGas int64 // the budget that was asked for; 0: the server's
	actor    string
	known    bool // the module was in memory before: some version runs it, or did lately
}

// candidate checks a deployment. The error is a *RefusedError or not the deployment's fault.
func (v *Views) candidate(ctx context.Context, d Deployment) (c candidate, err error) {
	if err := checkSettings(d); err != nil {
		return candidate{}, err
	}
	id := wasm.ModuleID{SHA256: sha256.Sum256(d.Code), Model: wasm.LatestCostModel}
	c = candidate{
		code: d.Code, askedGas: d.FoldGas, actor: d.Actor, known: v.engine.Compiled(id) != nil,
		settings: wasm.Settings{Config: d.Config, FoldGas: cmp.Or(d.FoldGas, v.config.FoldGas)},
	}
	if c.module, err = v.tryCode(ctx, c); err != nil {
		return candidate{}, err
	}
	if c.fields, err = v.fieldsOf(ctx, c.module, d.Config); err != nil {
		v.letGo(ctx, c)
		return candidate{}, err
	}
	return c, nil
}

// tryCode compiles a candidate's code. New code takes a trial for it, as its rehearsal will: many deploys at once take no more of the cores than one.
func (v *Views) tryCode(ctx context.Context, c candidate) (*wasm.Module, error) {
	if !c.known {
		t, err := v.takeTrial(ctx)
		if err != nil {
			return nil, err
		}
		defer t.end()
	}
	return v.compile(ctx, c.code)
}

// letGo forgets the module of a candidate that is not deployed: whoever sends many is not to put out of memory what others run.
func (v *Views) letGo(ctx context.Context, c candidate) {
	if !c.known {
		v.engine.Forget(context.WithoutCancel(ctx), c.module)
	}
}

// rehearse folds samples in several ways, which must agree: events made up for the view's fields, and the log's own
// if there is one. A view that fails over an event is not refused for it, as long as it always does.
// The error is a *RefusedError with the code not_reproducible, or not the view's fault.
func (v *Views) rehearse(ctx context.Context, log uuid.UUID, c candidate) error {
	var samples []sample
	if !v.rehearsed.has(c.rehearsal()) {
		samples = append(samples, sample{"events made up for its fields", synthetic(c.fields)}, sample{"no events", nil})
	}
	if !log.IsZero() {
		history, err := v.history(ctx, log)
		if err != nil {
			return err
		}
		if len(history) > 0 {
			samples = append(samples, sample{"events of the log", history})
		}
	}
	if len(samples) == 0 {
		return nil
	}
	restarted, err := v.engine.Restarted(ctx)
	if err != nil {
		return fmt.Errorf("starting another engine: %w", err)
	}
	pace, paced := v.inBackground(ctx, log), c
	defer pace.turn.End()
	paced.settings.Pause = pace.Pause
	err = v.rehearseWith(ctx, restarted, samples, paced)
	if closing := restarted.Close(context.WithoutCancel(ctx)); closing != nil {
		return errors.Join(err, fmt.Errorf("closing the other engine: %w", closing))
	}
	if err == nil {
		v.rehearsed.add(c.rehearsal())
	}
	return err
}

// sample is events that a view is rehearsed with, and what to call them.
type sample struct {
	what   string
	events []event.Recorded
}

func (v *Views) rehearseWith(ctx context.Context, restarted *wasm.Engine, samples []sample, c candidate) error {
	t, err := v.takeTrial(ctx)
	if err != nil {
		return err
	}
	defer t.end()
	again, err := restarted.Compile(ctx, c.code)
	if err != nil {
		return fmt.Errorf("compiling a module again: %w", err)
	}
	fields, err := v.fields.of(c.fields)
	if err != nil {
		return err
	}
	c.settings.QueryGas, c.settings.LargeMemoryPriced = rehearsalQueryGas, true
	var used int64
	for _, s := range samples {
		r := newRefolding(c.module, again, c.settings, fields, rehearsalStateBytes)
		r.gas, r.mostGas, r.rest = used, rehearsalEventGas, t.rest
		err := r.rehearse(ctx, s.events, s.what, min(used+rehearsalGas, rehearsalGasOfAll))
		used = r.gas
		r.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// trial is the right to use a processor for views that are about to be deployed, to compile one or to rehearse it: one has it at a time. It rests
// beside appends as a build does.
type trial struct {
	views   *Views
	began   time.Time
	commits int64
}

// trialTime is how long a trial works before it rests: about as long as a group of appends folds.
const trialTime = 20 * time.Millisecond

func (v *Views) takeTrial(ctx context.Context) (*trial, error) {
	select {
	case v.trials <- struct{}{}:
		return &trial{v, time.Now(), v.commits.Load()}, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to try a view: %w", ctx.Err())
	}
}

func (t *trial) end() { <-t.views.trials }

// rest rests if the trial has worked for long enough and appends go on.
func (t *trial) rest(ctx context.Context) {
	if time.Since(t.began) < trialTime {
		return
	}
	t.views.rest(ctx, t.began, t.commits)
	t.began, t.commits = time.Now(), t.views.commits.Load()
}

// history reads the beginning and the end of a log.
func (v *Views) history(ctx context.Context, log uuid.UUID) (events []event.Recorded, err error) {
	err = v.db.InTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		head, err := v.db.GetHead(ctx, tx, log)
		if err != nil || head.Sequence == 0 {
			return err
		}
		if err := v.db.PlanForPartitions(ctx, tx); err != nil {
			return err
		}
		first, err := listEvents(ctx, v.db, tx, log, 0, rehearsalEvents, rehearsalBytes)
		if err != nil {
			return err
		}
		if len(first) == 0 {
			return errNotWhole(1)
		}
		after := max(first[len(first)-1].sequence, head.Sequence-rehearsalEvents)
		last, err := listEvents(ctx, v.db, tx, log, after, rehearsalEvents, rehearsalBytes)
		events = recorded(append(first, last...))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading a sample of the log: %w", err)
	}
	return events, nil
}

// errNotWhole says that a log lacks an event that it must have.
func errNotWhole(sequence int64) error {
	return fmt.Errorf("the log has no event %d: its history is not whole", sequence)
}

// rehearse folds events until that has taken so much gas, what was used before included.
func (r *refolding) rehearse(ctx context.Context, events []event.Recorded, what string, most int64) error {
	for i := 0; i < len(events) && r.gas <= most; i++ {
		if err := r.pause(); err != nil {
			return err
		}
		if r.rest != nil {
			r.rest(ctx)
		}
		result, difference, err := r.fold(ctx, &events[i])
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
			return notReproducible(what, difference)
		}
		if f := result.failed; f != nil && f.Kind != wasm.KindRefused {
			r.gas += rehearsalFailureGas
		}
	}
	if difference, err := r.finish(ctx); err != nil {
		return err
	} else if difference != nil {
		return notReproducible(what, difference)
	}
	return r.rehearseQueries(ctx)
}

func notReproducible(what string, difference *Difference) error {
	return &RefusedError{"not_reproducible", fmt.Sprintf("folding %s one by one and in batches gives different results: %v; %s", what, difference, reproducibleHint)}
}

// pause lets others have their turn.
func (r *refolding) pause() error {
	if r.settings.Pause == nil {
		return nil
	}
	if err := r.settings.Pause(); err != nil {
		return fmt.Errorf("waiting for a turn to rehearse: %w", err)
	}
	return nil
}

// rehearseQueries asks every question of the first module twice and of the restarted one once.
func (r *refolding) rehearseQueries(ctx context.Context) error {
	modules := []*wasm.Module{r.ways[0].module, r.ways[0].module, r.ways[len(r.ways)-1].module}
	for _, query := range rehearsalQueries {
		var first reply
		for i, module := range modules {
			answer, err := r.ask(ctx, module, query)
			if err != nil {
				return fmt.Errorf("rehearsing the question %q: %w", query, err)
			}
			if i == 0 {
				first = answer
			} else if !first.same(answer) {
				return &RefusedError{"not_reproducible", fmt.Sprintf("the question %q, asked again of the same state, is answered with %s first and with %s then; %s",
					query, first, answer, reproducibleHint)}
			}
		}
	}
	return nil
}

// reply is what a view says to a question.
type reply struct {
	outcome
	text []byte
	kind string // the answer's content type
}

func (a reply) same(b reply) bool {
	return a.outcome.same(b.outcome) && bytes.Equal(a.text, b.text) && a.kind == b.kind
}

func (a reply) String() string {
	if a.failed != nil {
		return a.outcome.String()
	}
	return shown(a.text) + " (" + a.kind + ")"
}

func (r *refolding) ask(ctx context.Context, module *wasm.Module, query string) (answer reply, err error) {
	session, err := module.Start(ctx, r.settings, &layer{base: &r.base})
	if err != nil {
		return reply{}, err
	}
	defer session.Close()
	answer.text, err = session.Query(query)
	if err != nil && !errors.As(err, &answer.failed) {
		return reply{}, err
	}
	if err == nil {
		answer.kind = session.AnswerType()
	}
	return answer, nil
}
