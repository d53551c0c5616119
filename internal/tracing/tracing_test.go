package tracing_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/tracing"
)

const traceID, spanID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

// TestParent: a traceparent counts where the W3C's Trace Context says that it is valid, and is as good as absent elsewhere.
func TestParent(t *testing.T) {
	for header, want := range map[string]string{
		"00-" + traceID + "-" + spanID + "-01":                                       traceID,
		"00-" + traceID + "-" + spanID + "-00":                                       traceID,
		"cc-" + traceID + "-" + spanID + "-01-what-will-be":                          traceID, // a later version
		"00-" + traceID + "-" + spanID + "-01-more":                                  "",
		"ff-" + traceID + "-" + spanID + "-01":                                       "",
		"00-" + strings.Repeat("0", 32) + "-" + spanID + "-01":                       "",
		"00-" + traceID + "-" + strings.Repeat("0", 16) + "-01":                      "",
		"00-" + strings.ToUpper(traceID) + "-" + spanID + "-01":                      "",
		"00-" + traceID[1:] + "-" + spanID + "-01":                                   "",
		"00-" + traceID + "-" + spanID:                                               "",
		strings.Repeat("x", 1<<16):                                                   "",
		"00-" + traceID + "-" + spanID + "-01, 00-" + traceID + "-" + spanID + "-01": "",
	} {
		ctx := tracing.Parent(t.Context(), http.Header{"Traceparent": {header}})
		if got := tracing.TraceID(ctx); got != want {
			t.Errorf("of %.80q the trace is %q, not %q", header, got, want)
		}
	}
}

// TestNothingIsFree: without a tracer nothing is allocated.
func TestNothingIsFree(t *testing.T) {
	var none *tracing.Tracer
	header := http.Header{"Accept": {"*/*"}}
	n := testing.AllocsPerRun(100, func() {
		ctx, span := none.StartServer(tracing.Parent(t.Context(), header), http.MethodGet)
		ctx, inner := none.Start(ctx, "append")
		inner.SetNumber("n", 1)
		inner.LinkWith(span)
		inner.End()
		span.SetText("http.route", "/")
		span.Fail("internal")
		span.End()
		if span.IsRecording() || tracing.TraceID(ctx) != "" {
			t.Error("there is a span")
		}
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
	if err := none.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

type request struct{}

func (request) LogAttrs() []slog.Attr { return []slog.Attr{slog.String("request_id", "r1")} }

// TestLogHandler: lines of a request name it, once, whatever logger they go by; others do not.
func TestLogHandler(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(tracing.LogHandler(tracing.LogHandler(slog.NewTextHandler(&out, nil))))
	ctx := context.WithValue(t.Context(), tracing.RequestKey{}, request{})
	for _, logger := range []*slog.Logger{log, log.With("a", 1), log.WithGroup("g")} {
		out.Reset()
		logger.InfoContext(ctx, "of a request")
		if strings.Count(out.String(), "request_id=r1") != 1 {
			t.Errorf("the line is %s", out.String())
		}
	}
	out.Reset()
	log.Info("of none")
	if strings.Contains(out.String(), "request_id") {
		t.Errorf("the line is %s", out.String())
	}
}
