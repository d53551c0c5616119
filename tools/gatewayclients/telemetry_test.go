package gatewayclients_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Of retries by the exporters themselves.
const (
	firstWait = time.Millisecond
	longWait  = 10 * time.Millisecond
)

// batch is how many records an exporter gets at a time.
const batch = 20

// again sends a batch until the exporter says that it has arrived, as whoever owns the records must: exporters of OpenTelemetry Go give up
// where a connection closes without an answer.
type again struct {
	given atomic.Int32 // batches given to the exporter
	ended atomic.Pointer[string]
}

func (a *again) until(ctx context.Context, send func(context.Context) error) error {
	for {
		a.given.Add(1)
		err := send(ctx)
		if err == nil || ctx.Err() != nil || strings.Contains(err.Error(), "partial success") {
			if err != nil {
				said := err.Error()
				a.ended.Store(&said)
			}
			return err
		}
		select {
		case <-time.After(longWait):
		case <-ctx.Done():
		}
	}
}

// failure is what an exporter said that did not go away by sending again.
func (a *again) failure() string {
	if said := a.ended.Load(); said != nil {
		return *said
	}
	return ""
}

type logsAgain struct {
	again
	sdklog.Exporter
}

func (a *logsAgain) Export(ctx context.Context, records []sdklog.Record) error {
	return a.until(ctx, func(ctx context.Context) error { return a.Exporter.Export(ctx, records) })
}

type spansAgain struct {
	again
	sdktrace.SpanExporter
}

func (a *spansAgain) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	return a.until(ctx, func(ctx context.Context) error { return a.SpanExporter.ExportSpans(ctx, spans) })
}

// logger is a program's pipeline of logs.
func (r *rig) logger(url string, compressed bool) (*logsAgain, *sdklog.LoggerProvider) {
	r.t.Helper()
	options := []otlploghttp.Option{
		otlploghttp.WithEndpointURL(url + "/sources/calls/v1/logs"),
		otlploghttp.WithHeaders(map[string]string{"X-Api-Key": key}),
		otlploghttp.WithTimeout(patience),
		otlploghttp.WithRetry(otlploghttp.RetryConfig{
			Enabled: true, InitialInterval: firstWait, MaxInterval: longWait, MaxElapsedTime: patience,
		}),
	}
	if compressed {
		options = append(options, otlploghttp.WithCompression(otlploghttp.GzipCompression))
	}
	exporter, err := otlploghttp.New(r.t.Context(), options...)
	if err != nil {
		r.t.Fatal(err)
	}
	kept := &logsAgain{Exporter: exporter}
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(kept,
		sdklog.WithExportMaxBatchSize(batch), sdklog.WithExportInterval(patience), sdklog.WithExportTimeout(patience))))
	r.t.Cleanup(func() { _ = provider.Shutdown(context.WithoutCancel(r.t.Context())) })
	return kept, provider
}

const callEvent = "gen_ai.client.inference.operation.details"

// callRecord is the log record of a call that used n tokens.
func callRecord(customer string, n int) log.Record {
	var record log.Record
	record.SetTimestamp(time.Unix(1795846000+int64(n), 250e6))
	record.SetEventName(callEvent)
	record.AddAttributes(callAttributes(customer, n)...)
	record.AddAttributes(attribute.String("gen_ai.response.id", fmt.Sprintf("%s-%d", customer, n)))
	return record
}

func callAttributes(customer string, n int) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("gen_ai.operation.name", "chat"), attribute.String("customer.id", customer),
		attribute.String("gen_ai.request.model", "m"), attribute.Int("gen_ai.usage.input_tokens", n),
		attribute.StringSlice("tags", []string{"a", "b"}), attribute.Float64("seconds", 0.25),
	}
}

// tracer is a program's pipeline of spans.
func (r *rig) tracer(url string, compressed bool) (*spansAgain, *sdktrace.TracerProvider) {
	r.t.Helper()
	options := []otlptracehttp.Option{
		otlptracehttp.WithEndpointURL(url + "/sources/calls/v1/traces"),
		otlptracehttp.WithHeaders(map[string]string{"Authorization": bearer}),
		otlptracehttp.WithTimeout(patience),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
			Enabled: true, InitialInterval: firstWait, MaxInterval: longWait, MaxElapsedTime: patience,
		}),
	}
	if compressed {
		options = append(options, otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	}
	exporter, err := otlptracehttp.New(r.t.Context(), options...)
	if err != nil {
		r.t.Fatal(err)
	}
	kept := &spansAgain{SpanExporter: exporter}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(kept,
		sdktrace.WithMaxExportBatchSize(batch), sdktrace.WithBatchTimeout(patience), sdktrace.WithExportTimeout(patience)))
	r.t.Cleanup(func() { _ = provider.Shutdown(context.WithoutCancel(r.t.Context())) })
	return kept, provider
}
