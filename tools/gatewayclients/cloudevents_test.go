package gatewayclients_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/client"
	"github.com/cloudevents/sdk-go/v2/protocol"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

// callOf is the event of a call that used n tokens.
func callOf(t *testing.T, customer string, n int) cloudevents.Event {
	t.Helper()
	e := cloudevents.NewEvent()
	e.SetID(fmt.Sprintf("%s-%d", customer, n))
	e.SetSource("/gateway/7")
	e.SetType("api.call")
	e.SetSubject(customer)
	e.SetTime(time.Date(2026, 11, 28, 6, 0, n, 123456789, time.UTC))
	e.SetExtension("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if err := e.SetData(cloudevents.ApplicationJSON, map[string]any{"tokens_in": n, "model": "gpt-4"}); err != nil {
		t.Fatal(err)
	}
	return e
}

// The client retries what is answered 503, if it is told to; where a connection closes, its program sends the event again, which may well
// be in the other mode.
func TestCloudEventsClient(t *testing.T) {
	r := newRig(t, "calls", "cloudevents", "/data/tokens_in")
	n := 0
	for _, path := range []string{"/sources/calls/events", "/sources/calls/api/v1/events"} {
		sender := r.eventSender(r.front.URL + path)
		for _, s := range scenarios {
			n++
			r.begin(s)
			for i, customer := range customers {
				r.sendUntilAccepted(sender, callOf(t, customer, n), i+n)
			}
			if _, left := r.front.seen(); left > 0 || !r.wire.Done() {
				t.Errorf("%v: %d faults did not come about; wire done: %v", s, left, r.wire.Done())
			}
			for _, customer := range customers {
				r.wantOnce(customer, n)
			}
		}
	}
	for _, customer := range customers {
		r.verify("customer-" + customer)
	}
	r.wantNoRejects("calls")
}

func (r *rig) eventSender(url string) client.Client {
	r.t.Helper()
	sender, err := cloudevents.NewClientHTTP(cloudevents.WithTarget(url), cloudevents.WithHeader("Authorization", bearer))
	if err != nil {
		r.t.Fatal(err)
	}
	return sender
}

// sendUntilAccepted sends an event until the answer is one of success, in turns in both modes.
func (r *rig) sendUntilAccepted(sender client.Client, e cloudevents.Event, turn int) {
	r.t.Helper()
	for ; ; turn++ {
		ctx := cloudevents.ContextWithRetriesExponentialBackoff(r.t.Context(), firstWait, 5)
		if turn%2 == 0 {
			ctx = cloudevents.WithEncodingBinary(ctx)
		} else {
			ctx = cloudevents.WithEncodingStructured(ctx)
		}
		if result := sender.Send(ctx, e); protocol.IsACK(result) {
			return
		}
		if r.t.Context().Err() != nil {
			r.t.Fatal("the test was ended before an event was accepted")
		}
	}
}

// The same identity with other content is no second event, and neither is it lost: it is a reject.
func TestCloudEventsIdentity(t *testing.T) {
	r := newRig(t, "calls", "cloudevents", "/data/tokens_in")
	sender := r.eventSender(r.server.URL() + "/sources/calls/events")
	send := func(e cloudevents.Event) {
		t.Helper()
		if result := sender.Send(context.WithoutCancel(t.Context()), e); !protocol.IsACK(result) {
			t.Errorf("sending an event: %v", result)
		}
	}
	first, other, elsewhere := callOf(t, "acme", 1), callOf(t, "acme", 2), callOf(t, "acme", 2)
	send(first)
	send(first)
	other.SetID(first.ID())
	send(other)
	elsewhere.SetID(first.ID())
	elsewhere.SetSource("/gateway/8")
	send(elsewhere) // another source's events have their own ids
	r.wantOnce("acme", 2)
	if codes := r.rejects("calls"); !slices.Equal(codes, []string{"idempotency_key_reused"}) {
		t.Errorf("rejected: %v", codes)
	}
}

// What was sent one by one counts no second time in a batch, and the other way round.
func TestCloudEventsBatch(t *testing.T) {
	r := newRig(t, "calls", "cloudevents", "/data/tokens_in")
	sender := r.eventSender(r.server.URL() + "/sources/calls/events")
	var events []cloudevents.Event
	for n := range 9 {
		events = append(events, callOf(t, "acme", n+1))
	}
	send := func(e cloudevents.Event) {
		t.Helper()
		if result := sender.Send(t.Context(), e); !protocol.IsACK(result) {
			t.Errorf("sending an event: %v", result)
		}
	}
	send(events[3])
	for range 2 {
		request, err := cehttp.NewHTTPRequestFromEvents(t.Context(), r.server.URL()+"/sources/calls/events", events)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", bearer)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("a batch was answered %s", response.Status)
		}
	}
	send(events[4])
	r.wantOnce("acme", len(events))
	r.wantNoRejects("calls")
}
