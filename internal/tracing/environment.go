package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// serviceName is what OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES overrule.
const serviceName = "tallystick"

// FromEnvironment returns a tracer that sends spans by OTLP over HTTP where OpenTelemetry's environment variables ask for it:
// OTEL_TRACES_EXPORTER is otlp, or is not set while OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is. Otherwise it
// returns nil. What it cannot do is logged and left, as the specification has it: tracing is no reason not to serve. Stop the tracer.
func FromEnvironment(ctx context.Context, version string, log *slog.Logger) *Tracer {
	if !wanted(ctx, log) {
		return nil
	}
	exporter, err := otlptracehttp.New(ctx) // it does not connect yet
	if err != nil {
		log.LogAttrs(ctx, slog.LevelWarn, "traces are not sent: OTEL_EXPORTER_OTLP_… cannot be followed", slog.Any("error", err))
		return nil
	}
	ours := resource.NewSchemaless(attribute.String("service.name", serviceName), attribute.String("service.version", version))
	described, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithHost(), resource.WithFromEnv())
	if err != nil {
		log.LogAttrs(ctx, slog.LevelWarn, "a part of OTEL_RESOURCE_ATTRIBUTES is left out", slog.Any("error", err))
	}
	if merged, err := resource.Merge(ours, described); err == nil {
		ours = merged
	}
	otel.SetErrorHandler(&complaints{log: log})
	// OTEL_TRACES_SAMPLER and OTEL_BSP_… are read by these.
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(ours))
	log.LogAttrs(ctx, slog.LevelInfo, "sending traces by OTLP over HTTP")
	return &Tracer{provider: provider, tracer: provider.Tracer("github.com/tallystick/tallystick")}
}

// wanted reports whether the environment asks for traces, in a way that we can follow.
func wanted(ctx context.Context, log *slog.Logger) bool {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return false
	}
	switch exporter := os.Getenv("OTEL_TRACES_EXPORTER"); exporter {
	case "otlp":
	case "":
		if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
			return false
		}
	case "none":
		return false
	default:
		log.LogAttrs(ctx, slog.LevelWarn, "traces are not sent: OTEL_TRACES_EXPORTER is none of otlp, none", slog.String("value", exporter))
		return false
	}
	protocol := os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
	if protocol == "" {
		protocol = os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL")
	}
	if protocol != "" && protocol != "http/protobuf" {
		log.LogAttrs(ctx, slog.LevelWarn, "traces are not sent: OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, "+
			"which collectors take at port 4318", slog.String("value", protocol))
		return false
	}
	return true
}

// complainEvery is the least time between two lines of the log about spans that could not be sent: a collector may be away for hours.
const complainEvery = time.Minute

// complaints logs what goes wrong with traces.
type complaints struct {
	log  *slog.Logger
	mu   sync.Mutex
	last time.Time
}

// Handle implements otel.ErrorHandler.
func (c *complaints) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.last) >= complainEvery {
		c.last = now
		c.log.LogAttrs(context.Background(), slog.LevelWarn, "traces are not sent for now", slog.String("error", fmt.Sprint(err)))
	}
}
