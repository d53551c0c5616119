// Command ogen appends by the client that ogen makes.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/go-faster/jx"
	"github.com/ogen-go/ogen/ogenerrors"

	"github.com/tallystick/tallystick/tools/generators/go/ogen/client"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	check(err)
	var members map[string]json.RawMessage
	check(json.Unmarshal(text, &members))
	event := client.EventInput{}
	for name, value := range members {
		event[name] = jx.Raw(value)
	}
	c, err := client.NewClient(os.Getenv("TALLY_URL"), noKey{})
	check(err)
	one, err := c.AppendEvent(context.Background(), event, client.AppendEventParams{Log: os.Args[2]})
	check(err)
	if _, ok := one.(*client.AppendEventCreated); !ok {
		check(fmt.Errorf("the answer is %#v", one))
	}
	two := client.AppendEventsReqApplicationJSON{event, event}
	_, err = c.AppendEvents(context.Background(), &two, client.AppendEventsParams{Log: os.Args[2]})
	check(err)
}

// noKey asks without a key.
type noKey struct{}

func (noKey) ApiKey(context.Context, client.OperationName) (client.ApiKey, error) {
	return client.ApiKey{}, ogenerrors.ErrSkipClientSecurity
}

func (noKey) Basic(context.Context, client.OperationName) (client.Basic, error) {
	return client.Basic{}, ogenerrors.ErrSkipClientSecurity
}

func (noKey) Bearer(context.Context, client.OperationName) (client.Bearer, error) {
	return client.Bearer{}, nil
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
