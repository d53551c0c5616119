// Package tracing makes spans as OpenTelemetry has them, where the usual environment variables say where to send them, and does nothing at
// all elsewhere. It also adds to the lines of the log which request they are of. It is the only one that knows OpenTelemetry.
//
// Nothing that a client sent goes into a span, but for the ids in its traceparent and tracestate: no header, no path, no query, no event.
package tracing

import (
	"context"
	"fmt"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Tracer makes spans. A nil *Tracer makes none. It is safe for concurrent use.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// Span is one piece of work. The zero value is one that nobody looks at.
type Span struct{ span trace.Span }

// Stop implements background.Part: it sends what has not been sent.
func (t *Tracer) Stop(ctx context.Context) error {
	if t == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("sending the last spans: %w", err)
	}
	return nil
}

// Start begins a span within that of ctx, if that one is looked at.
func (t *Tracer) Start(ctx context.Context, name string) (context.Context, Span) {
	return t.start(ctx, name, trace.SpanKindInternal)
}

// StartClient is Start for a request to the database.
func (t *Tracer) StartClient(ctx context.Context, name string) (context.Context, Span) {
	return t.start(ctx, name, trace.SpanKindClient)
}

func (t *Tracer) start(ctx context.Context, name string, kind trace.SpanKind) (context.Context, Span) {
	if t == nil || !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, Span{}
	}
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(kind))
	return ctx, Span{span}
}

// StartServer begins the span of a request that was received: within the caller's if ctx has one (see Parent), or else as the first of its
// trace.
func (t *Tracer) StartServer(ctx context.Context, method string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	ctx, span := t.tracer.Start(ctx, method, trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", method)))
	return ctx, Span{span}
}

// traceParent is as http.Header has it.
const traceParent = "Traceparent"

// Parent returns ctx with the caller's span, from the traceparent of a request. One that is not valid, or comes twice, is ignored, as the
// W3C's Trace Context says.
func Parent(ctx context.Context, header http.Header) context.Context {
	if len(header[traceParent]) != 1 {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(header))
}

// TraceID returns the id of the trace that ctx belongs to; "" if there is none.
func TraceID(ctx context.Context) string {
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		return span.TraceID().String()
	}
	return ""
}

// Within returns ctx with the span as what Start begins spans within.
func (s Span) Within(ctx context.Context) context.Context {
	if s.span == nil {
		return ctx
	}
	return trace.ContextWithSpan(ctx, s.span)
}

// IsRecording reports whether somebody will look at the span.
func (s Span) IsRecording() bool { return s.span != nil && s.span.IsRecording() }

// Rename gives the span a name that is known only now.
func (s Span) Rename(name string) {
	if s.span != nil {
		s.span.SetName(name)
	}
}

// SetText adds an attribute, as do SetNumber and SetSeconds.
func (s Span) SetText(name, value string) { s.set(attribute.String(name, value)) }

// SetNumber adds an attribute.
func (s Span) SetNumber(name string, value int) { s.set(attribute.Int(name, value)) }

// SetSeconds adds an attribute.
func (s Span) SetSeconds(name string, value float64) { s.set(attribute.Float64(name, value)) }

func (s Span) set(value attribute.KeyValue) {
	if s.span != nil {
		s.span.SetAttributes(value)
	}
}

// LinkWith links two spans to each other.
func (s Span) LinkWith(other Span) {
	if s.span == nil || other.span == nil {
		return
	}
	s.span.AddLink(trace.Link{SpanContext: other.span.SpanContext()})
	other.span.AddLink(trace.Link{SpanContext: s.span.SpanContext()})
}

// Fail marks the span as that of work that failed. kind says how, in a word of ours: the text of an error may quote what somebody sent.
func (s Span) Fail(kind string) {
	if s.span != nil {
		s.span.SetStatus(codes.Error, "")
		s.span.SetAttributes(attribute.String("error.type", kind))
	}
}

// End ends the span.
func (s Span) End() {
	if s.span != nil {
		s.span.End()
	}
}
