package ingest

import (
	"context"
	"time"

	"github.com/tallystick/tallystick/internal/stats"
	"github.com/tallystick/tallystick/internal/tracing"
)

// traceGroup begins a span for the group if one of its requests is traced: in the trace of the first of them, and linked with the others.
func (l *lane) traceGroup(ctx context.Context, group []*waiter, began time.Time) (context.Context, tracing.Span) {
	var span tracing.Span
	if l.config.Tracer == nil {
		return ctx, span
	}
	events := 0
	for _, w := range group {
		events += len(w.request.Events)
		if !w.request.Span.IsRecording() {
			continue
		}
		w.request.Span.SetSeconds("tally.append.wait", began.Sub(w.since).Seconds())
		if span.IsRecording() {
			span.LinkWith(w.request.Span)
		} else {
			ctx, span = l.config.Tracer.Start(w.request.Span.Within(ctx), "group")
		}
	}
	span.SetNumber("tally.group.requests", len(group))
	span.SetNumber("tally.group.events", events)
	return ctx, span
}

// endGroup ends a group's span, before its requests are answered: theirs may end as soon as they are.
func endGroup(span tracing.Span, err error) {
	if err != nil {
		span.Fail("group_failed")
	}
	span.End()
}

// timed does one part of a group's work and counts how long it took. What fails is not counted.
func (l *lane) timed(ctx context.Context, what string, took *stats.Histogram, work func(context.Context) error) error {
	began := time.Now()
	ctx, span := l.config.Tracer.Start(ctx, what)
	err := work(ctx)
	span.End()
	if err == nil {
		took.ObserveTime(time.Since(began))
	}
	return err
}
