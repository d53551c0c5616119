package tracing

import (
	"context"
	"log/slog"
)

// RequestKey is the key of a request in its context, whose value may be a LoggedRequest.
type RequestKey struct{}

// LoggedRequest says how lines of the log name it.
type LoggedRequest interface{ LogAttrs() []slog.Attr }

// LogHandler returns a handler that adds to each line which request it is of, if it is of one.
func LogHandler(next slog.Handler) slog.Handler {
	if _, ok := next.(logHandler); ok {
		return next
	}
	return logHandler{next}
}

type logHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	if request, ok := ctx.Value(RequestKey{}).(LoggedRequest); ok {
		record.AddAttrs(request.LogAttrs()...)
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }
