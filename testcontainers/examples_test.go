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
	state, err := c.State(ctx)
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(state.Running)
	// Output: true
}
