package gatewayclients_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallystick/tallystick/internal/testrig"
)

// scenario is what goes wrong while a client sends.
type scenario struct {
	faults []fault
	wire   func(*testrig.Wire) // between the server and its database
	// whether exporters send again by themselves, so that nobody needs to give them the batch again
	retried bool
}

func (s scenario) String() string { return fmt.Sprintf("%q, wire %v", s.faults, s.wire != nil) }

var scenarios = []scenario{
	{retried: true},
	{faults: []fault{refuse}, retried: true},
	{faults: []fault{refuseFor1s, refuse, refuse}, retried: true},
	{faults: []fault{loseRequest}},
	{faults: []fault{cutRequest}},
	{faults: []fault{loseAnswer}},
	{faults: []fault{cutAnswer}},
	{faults: []fault{loseAnswer, refuse, cutRequest, loseRequest, loseAnswer, cutAnswer}},
	{wire: (*testrig.Wire).LoseRequest, retried: true},
	{wire: (*testrig.Wire).LoseAnswer, retried: true},
	{wire: func(w *testrig.Wire) { w.FailCommit(0, "40003") }, retried: true},
	{wire: (*testrig.Wire).LoseAnswer, faults: []fault{loseAnswer, refuse}},
}

// calls is how many calls of each customer a client reports in each scenario: more than one batch.
const calls = 25

var customers = []string{"acme", "globex"}

func TestLogExporter(t *testing.T) {
	r := newRig(t, "calls", "genai-logs", "/tokens_in")
	n := 0
	for i, s := range scenarios {
		kept, provider := r.logger(r.front.URL, i%2 == 0)
		logger := provider.Logger("usage")
		r.begin(s)
		for range calls {
			n++
			for _, customer := range customers {
				logger.Emit(t.Context(), callRecord(customer, n))
			}
			var other log.Record // what the mapping skips
			other.SetEventName("started")
			logger.Emit(t.Context(), other)
		}
		if err := provider.ForceFlush(t.Context()); err != nil {
			t.Errorf("%v: %v", s, err)
		}
		r.end(s, &kept.again, (calls*(len(customers)+1)+batch-1)/batch)
		for _, customer := range customers {
			r.wantOnce(customer, n)
		}
	}
	for _, customer := range customers {
		r.verify("customer-" + customer)
	}
	r.wantNoRejects("calls")
}

func TestTraceExporter(t *testing.T) {
	r := newRig(t, "calls", "genai-spans", "/tokens_in")
	n := 0
	for i, s := range scenarios {
		kept, provider := r.tracer(r.front.URL, i%2 == 0)
		tracer := provider.Tracer("usage")
		r.begin(s)
		for range calls {
			n++
			ctx, request := tracer.Start(t.Context(), "POST /v1/chat") // what the mapping skips
			for _, customer := range customers {
				_, call := tracer.Start(ctx, "chat m", trace.WithSpanKind(trace.SpanKindClient),
					trace.WithAttributes(callAttributes(customer, n)...))
				call.AddEvent("first token")
				call.End()
			}
			request.End()
		}
		if err := provider.ForceFlush(t.Context()); err != nil {
			t.Errorf("%v: %v", s, err)
		}
		r.end(s, &kept.again, (calls*(len(customers)+1)+batch-1)/batch)
		for _, customer := range customers {
			r.wantOnce(customer, n)
		}
	}
	for _, customer := range customers {
		r.verify("customer-" + customer)
	}
	r.wantNoRejects("calls")
}

func (r *rig) begin(s scenario) {
	r.front.cause(slices.Clone(s.faults)...)
	if s.wire != nil {
		s.wire(r.wire)
	}
}

// end checks that the faults came about, and that an exporter needed no help where it should not.
func (r *rig) end(s scenario, a *again, batches int) {
	r.t.Helper()
	requests, left := r.front.seen()
	given := int(a.given.Load())
	if left > 0 || !r.wire.Done() {
		r.t.Errorf("%v: %d faults did not come about; wire done: %v", s, left, r.wire.Done())
	}
	if s.retried && given != batches {
		r.t.Errorf("%v: %d batches were given to the exporter %d times, in %d requests: %s", s, batches, given, requests, a.failure())
	}
	if !s.retried && given <= batches {
		r.t.Errorf("%v: no fault was noticed", s)
	}
}

// wantNoRejects checks that a source's log of rejects has no record, only what arrived of bodies that broke off, if anything.
func (r *rig) wantNoRejects(source string) {
	r.t.Helper()
	for _, code := range r.rejects(source) {
		if code != "body_incomplete" && code != "body_corrupt" {
			r.t.Errorf("rejected: %s", code)
		}
	}
}

// A record that cannot be stored is told of as the protocol has it, and the exporter understands that; the others are counted.
func TestPartialSuccess(t *testing.T) {
	r := newRig(t, "calls", "genai-logs", "/tokens_in")
	kept, provider := r.logger(r.server.URL(), true)
	logger := provider.Logger("usage")
	logger.Emit(t.Context(), callRecord("acme", 1))
	var nameless log.Record
	nameless.SetEventName(callEvent)
	nameless.AddAttributes(callAttributes("acme", 7)...) // no id
	logger.Emit(t.Context(), nameless)
	logger.Emit(t.Context(), callRecord("acme", 2))
	_ = provider.ForceFlush(context.WithoutCancel(t.Context()))
	want := "OTLP partial success: id_missing"
	if said := kept.failure(); len(said) < len(want) || said[:len(want)] != want {
		t.Errorf("the exporter says %q", said)
	}
	r.wantOnce("acme", 2)
	if codes := r.rejects("calls"); !slices.Equal(codes, []string{"id_missing"}) {
		t.Errorf("rejected: %v", codes)
	}
}
