package view

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/replay"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/wasm"
)

const (
	// rehearsalEvents is how many of a log's first events a view is rehearsed with, and how many of its last.
	rehearsalEvents = 256
	// rehearsalBytes bounds each of the two.
	rehearsalBytes = 1 << 20
)

// rehearse folds samples in several ways, which must agree: synthetic events for the view's fields, and events of the log, if there is one.
// The error is a *RefusedError with the code not_reproducible, or not the view's fault.
func (v *Views) rehearse(ctx context.Context, log uuid.UUID, d *Deployment) error {
	var samples []replay.Sample
	if !v.rehearsed.has(v.rehearsal(d)) {
		synthetic := replay.Sample{What: "events made up for its fields", Events: replay.Synthetic(d.fields)}
		samples = append(samples, synthetic, replay.Sample{What: "no events"})
	}
	if !log.IsZero() {
		history, err := v.history(ctx, log)
		if err != nil {
			return err
		}
		if len(history) > 0 {
			samples = append(samples, replay.Sample{What: "events of the log", Events: history})
		}
	}
	if len(samples) == 0 {
		return nil
	}
	restarted, err := v.engine.Restarted(ctx)
	if err != nil {
		return fmt.Errorf("starting another engine: %w", err)
	}
	err = v.rehearseWith(ctx, restarted, log, d, samples)
	if closing := restarted.Close(context.WithoutCancel(ctx)); closing != nil {
		return errors.Join(err, fmt.Errorf("closing the other engine: %w", closing))
	}
	if err == nil {
		v.rehearsed.add(v.rehearsal(d))
	}
	return err
}

func (v *Views) rehearseWith(ctx context.Context, restarted *wasm.Engine, log uuid.UUID, d *Deployment, samples []replay.Sample) error {
	t, err := v.beginTrial(ctx)
	if err != nil {
		return err
	}
	defer t.end()
	again, err := restarted.Compile(ctx, d.Code)
	if err != nil {
		return fmt.Errorf("compiling a module again: %w", err)
	}
	fields, err := v.fields.Of(d.fields)
	if err != nil {
		return err
	}
	pace := v.inBackground(ctx, log)
	defer pace.turn.End()
	err = replay.Rehearse(ctx, replay.View{
		Module: d.compiled, Restarted: again, Fields: fields,
		Settings: wasm.Settings{Config: d.Config, FoldGas: v.foldGas(d), Pause: pace.Pause},
	}, samples, t.rest)
	var differs *replay.NotReproducibleError
	if errors.As(err, &differs) {
		return &RefusedError{"not_reproducible", differs.Error()}
	}
	return err
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
		first, err := eventlog.ReadHistory(ctx, v.db, tx, log, 0, rehearsalEvents, rehearsalBytes)
		if err != nil {
			return err
		}
		if len(first) == 0 {
			return eventlog.Missing(1)
		}
		after := max(first[len(first)-1].Sequence, head.Sequence-rehearsalEvents)
		last, err := eventlog.ReadHistory(ctx, v.db, tx, log, after, rehearsalEvents, rehearsalBytes)
		events = append(first, last...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading a sample of the log: %w", err)
	}
	return events, nil
}
