package view

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/replay"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/wasm"
)

const (
	// MaxPreviewEvents bounds the events that a preview folds.
	MaxPreviewEvents = 100_000
	// DefaultPreviewEvents is how many it folds where nothing is said.
	DefaultPreviewEvents = 10_000
)

// PreviewOptions say what a view that is not deployed is tried on.
type PreviewOptions struct {
	Events int    // the log's last so many at most, up to MaxPreviewEvents; 0 for DefaultPreviewEvents
	Query  string // what it is asked afterwards
}

// Preview is what a view would make of a log's last events, from an empty state.
type Preview struct {
	From, To    int64 // the first and the last event that was folded; 0 where none was
	Earlier     int64 // events of the log before these
	Complete    bool  // whether all were folded that were to be: neither did it halt nor was the time over
	Counts      replay.RunCounts
	StateKeys   int
	StateBytes  int64        // of keys and values
	Halt        *HaltedError // nil unless it fails over an event; the rest is of what came before
	Answer      Answer
	AnswerError *QueryError // why there is no answer; nil where there is one
}

// Preview folds the last events of a log by a view that somebody may want to deploy under the name, asks it, and stores nothing. What a
// deploy would refuse is refused. Its guard, if it has one, is not asked. The error is a *RefusedError, an *event.InvalidError,
// ErrInquiriesBusy, a *replay.StateTooLargeError, eventlog.ErrLogNotFound, ctx's, or the database's.
func (v *Views) Preview(ctx context.Context, log uuid.UUID, name string, d Deployment, options PreviewOptions) (Preview, error) {
	if err := eventlog.CheckName("the view's name", name); err != nil {
		return Preview{}, err
	}
	if err := v.check(ctx, &d); err != nil {
		return Preview{}, err
	}
	defer v.unload(ctx, &d)
	if err := v.checkPreview(ctx, log, name, &d); err != nil {
		return Preview{}, err
	}
	if err := v.rehearse(ctx, log, &d); err != nil {
		return Preview{}, err
	}
	q, err := v.beginInquiry(ctx, log)
	if err != nil {
		return Preview{}, fmt.Errorf("previewing a view: %w", err)
	}
	defer q.end()
	preview, err := q.preview(ctx, &d, options)
	if err != nil {
		return Preview{}, fmt.Errorf("previewing a view: %w", err)
	}
	return preview, nil
}

// checkPreview refuses what the log has no room for.
func (v *Views) checkPreview(ctx context.Context, log uuid.UUID, name string, d *Deployment) error {
	view, err := v.viewID(ctx, v.db.Read, log, name)
	if err != nil && !errors.Is(err, ErrViewNotFound) { // it would be a new one
		return err
	}
	return v.checkRoom(ctx, v.db.Read, log, view, v.foldGas(d))
}

func (q *inquiry) preview(ctx context.Context, d *Deployment, options PreviewOptions) (p Preview, err error) {
	fields, err := q.views.fields.Of(d.fields)
	if err != nil {
		return p, err
	}
	head, err := q.views.db.GetHead(ctx, q.views.db.Read, q.log)
	if err != nil {
		return p, headError(err)
	}
	run := replay.NewRun(replay.View{Module: d.compiled, Fields: fields, Settings: wasm.Settings{
		Config: d.Config, FoldGas: q.views.foldGas(d), QueryGas: q.views.config.QueryGas, Pause: q.pace.Pause,
	}}, MaxAuditStateBytes)
	defer run.Close()
	most := int64(options.Events)
	if most == 0 {
		most = DefaultPreviewEvents
	}
	p.Earlier = max(0, head.Sequence-min(most, MaxPreviewEvents))
	err = q.within(ctx, time.Until(q.until), func(ctx context.Context) error {
		return q.foldRange(ctx, p.Earlier, head.Sequence, func(events []event.Recorded) error {
			n, failed, err := run.Fold(ctx, events)
			if failed != nil {
				p.Halt = &HaltedError{Sequence: events[n].Sequence, Reason: failed.Error()}
				return errPreviewHalted
			}
			return err
		})
	})
	if err != nil && !errors.Is(err, errPreviewHalted) && !errors.Is(err, errInquiryTime) {
		return p, err
	}
	p.Complete, p.Counts = err == nil, run.Counts()
	if p.Counts.Events > 0 {
		p.From, p.To = p.Earlier+1, p.Earlier+p.Counts.Events
	}
	p.StateKeys, p.StateBytes = run.Size()
	return p, q.ask(ctx, run, options.Query, &p)
}

// errPreviewHalted ends the folding of a preview at the event that the view fails over.
var errPreviewHalted = errors.New("the view fails over an event")

func (q *inquiry) ask(ctx context.Context, run *replay.Run, query string, p *Preview) error {
	answer, kind, failed, err := run.Ask(ctx, query)
	switch {
	case err != nil:
		return fmt.Errorf("asking the view: %w", err)
	case failed != nil:
		p.AnswerError = &QueryError{Refused: failed.Kind == wasm.KindRefused, Reason: failed.Message}
	default:
		p.Answer = Answer{Body: answer, Type: kind, Sequence: p.To}
	}
	return nil
}
