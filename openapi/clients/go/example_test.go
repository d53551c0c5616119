package tally_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"time"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// exampleClient is a client of the tests' server, with a log of that name.
func exampleClient(name string) *tally.Client {
	shared.once.Do(func() { shared.server, shared.err = launch() })
	if shared.err != nil {
		log.Fatal(shared.err)
	}
	c := shared.server.Client // of yours: tally.New(tally.Options{}), with TALLY_URL and TALLY_KEY
	if _, err := c.EnsureLog(context.Background(), name, nil); err != nil {
		log.Fatal(err)
	}
	return c
}

func ExampleClient_AppendEvent() {
	c, ctx := exampleClient("example-append"), context.Background()
	event := map[string]any{"id": "req-17", "type": "api.call", "tokens": 12}
	for range 2 { // the second is the same event: it counts once
		appended, err := c.AppendEvent(ctx, "example-append", event, nil)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(appended.Sequence, appended.Duplicate)
	}
	// Output:
	// 1 false
	// 1 true
}

// A view that guards the log holds an estimate before a model answers, and charges what it came to.
func ExampleClient_AppendEvent_reservation() {
	c, ctx := exampleClient("example-reservation"), context.Background()
	_, err := c.DeployView(ctx, "example-reservation", "credits", tally.Deployment{
		Ready: "quota", Config: map[string]any{"credits": map[string]any{"value": "/cost"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, event := range []map[string]any{
		{"type": "grant", "amount": "1.00"},
		{"type": "reserve", "reservation": "request-17", "amount": "0.60", "ttl": 120},
		{"type": "reserve", "reservation": "request-18", "amount": "0.60"},
		{"type": "settle", "reservation": "request-17", "amount": "0.35"},
	} {
		_, err := c.AppendEvent(ctx, "example-reservation", event, nil)
		var e *tally.Error
		if errors.As(err, &e) && e.Code == tally.CodeRefusedByGuard {
			var said struct{ Available, Amount string }
			if err := json.Unmarshal(e.Answer, &said); err != nil {
				log.Fatal(err)
			}
			fmt.Printf("%d %s: %s of %s\n", e.Status, e.View, said.Available, said.Amount)
		} else if err != nil {
			log.Fatal(err)
		}
	}
	head, err := c.GetLog(ctx, "example-reservation")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(head.Sequence, "events")
	// Output:
	// 402 credits: 0.4 of 0.6
	// 3 events
}

func ExampleError() {
	c, ctx := exampleClient("example-error"), context.Background()
	_, err := c.AppendEvent(ctx, "example-error", `{}`, &tally.AppendOptions{ExpectedSequence: tally.Sequence(7)})
	var e *tally.Error
	if errors.As(err, &e) && e.Code == "sequence_mismatch" {
		fmt.Println("the log is at", e.Head)
	}
	// Output: the log is at 0
}

func ExampleBatcher() {
	c, ctx := exampleClient("example-batcher"), context.Background()
	batcher := c.NewBatcher(&tally.BatcherOptions{
		OnFailure: func(log string, events [][]byte, err error) { fmt.Printf("%s refuses %s: %v\n", log, events, err) },
	})
	for i := range 100 {
		if err := batcher.Add(ctx, "example-batcher", map[string]int{"n": i}); err != nil {
			log.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := batcher.Close(ctx); err != nil {
		log.Fatal(err)
	}
	head, err := c.GetLog(ctx, "example-batcher")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(head.Sequence)
	// Output: 100
}

func ExampleClient_Tail() {
	c, ctx := exampleClient("example-tail"), context.Background()
	if _, err := c.AppendEvents(ctx, "example-tail", []any{`{"n":0.10}`, `{"n":9007199254740993}`}, nil); err != nil {
		log.Fatal(err)
	}
	for event, err := range c.Tail(ctx, "example-tail", &tally.TailOptions{After: tally.Sequence(0)}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d %s\n", event.Sequence, event.Bytes())
		if event.Sequence == 2 {
			break
		}
	}
	// Output:
	// 1 {"n":0.10}
	// 2 {"n":9007199254740993}
}
