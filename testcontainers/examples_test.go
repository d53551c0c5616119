package tallystick_test

import (
	"context"
	"fmt"
	"log"

	"github.com/testcontainers/testcontainers-go"

	"github.com/tallystick/tallystick/testcontainers"
)

func ExampleRun() {
	ctx := context.Background()
	c, err := tallystick.Run(ctx, "tallystick/dev",
		tallystick.WithView("customer-*", "tokens",
			tallystick.Ready("meter", map[string]any{"value": "/tokens", "aggregations": []string{"sum"}})),
		tallystick.WithLog("customer-acme", nil),
	)
	defer func() {
		if err := testcontainers.TerminateContainer(c); err != nil {
			log.Print(err)
		}
	}()
	if err != nil {
		log.Print(err)
		return
	}
	client, err := c.Client(ctx)
	if err != nil {
		log.Print(err)
		return
	}
	defer client.Close()
	if _, err := client.AppendEvent(ctx, "customer-acme", map[string]any{"tokens": 570}, nil); err != nil {
		log.Print(err)
		return
	}
	answer, err := client.QueryView(ctx, "customer-acme", "tokens", "")
	if err != nil {
		log.Print(err)
		return
	}
	var counted struct {
		Rows []struct{ Sum string }
	}
	if err := answer.Decode(&counted); err != nil {
		log.Print(err)
		return
	}
	fmt.Println(counted.Rows[0].Sum)
	// Output: 570
}

func ExampleWithKey() {
	ctx := context.Background()
	c, err := tallystick.Run(ctx, "tallystick/dev", tallystick.WithKey("append"), tallystick.WithLog("acme", nil))
	defer func() {
		if err := testcontainers.TerminateContainer(c); err != nil {
			log.Print(err)
		}
	}()
	if err != nil {
		log.Print(err)
		return
	}
	client, err := c.Client(ctx) // with that key
	if err != nil {
		log.Print(err)
		return
	}
	defer client.Close()
	appended, err := client.AppendEvent(ctx, "acme", map[string]any{"type": "api.call"}, nil)
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(appended.Sequence)
	// Output: 1
}
