package db

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallystick/tallystick/internal/tracing"
)

// tracer makes a span of each statement and each batch within a traced request. Spans have the statements' names, and no values.
type tracer struct{ *tracing.Tracer }

type spanKey struct{}

func (t tracer) begin(ctx context.Context, name string) (context.Context, tracing.Span) {
	ctx, span := t.StartClient(ctx, name)
	if !span.IsRecording() {
		return ctx, span
	}
	span.SetText("db.system.name", "postgresql")
	return context.WithValue(ctx, spanKey{}, span), span
}

func (t tracer) end(ctx context.Context, err error) {
	span, ok := ctx.Value(spanKey{}).(tracing.Span)
	if !ok {
		return
	}
	if err != nil {
		kind := "connection"
		if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
			kind = refused.Code
		}
		span.Fail(kind)
	}
	span.End()
}

// TraceQueryStart implements pgx.QueryTracer.
func (t tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	ctx, _ = t.begin(ctx, statementName(data.SQL))
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (t tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	t.end(ctx, data.Err)
}

// TraceBatchStart implements pgx.BatchTracer.
func (t tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	ctx, span := t.begin(ctx, "batch")
	if span.IsRecording() {
		names := make([]string, 0, len(data.Batch.QueuedQueries))
		for _, query := range data.Batch.QueuedQueries {
			names = append(names, statementName(query.SQL))
		}
		span.SetText("db.operation.name", strings.Join(names, " "))
		span.SetNumber("db.operation.batch.size", len(names))
	}
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (t tracer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (t tracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchEndData) {
	t.end(ctx, data.Err)
}

// statementName returns what sqlc calls a statement, or else its first word.
func statementName(sql string) string {
	if named, ok := strings.CutPrefix(sql, "-- name: "); ok {
		sql = named
	}
	name, _, _ := strings.Cut(strings.TrimLeft(sql, " \n\t"), " ")
	return name
}
