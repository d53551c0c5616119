// Command oapi appends by the client that oapi-codegen makes.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/tallystick/tallystick/tools/generators/go/oapi/client"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	check(err)
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var event client.EventInput
	check(decoder.Decode(&event))
	c, err := client.NewClient(os.Getenv("TALLY_URL"))
	check(err)
	done := func(response *http.Response, err error) {
		check(err)
		if response.StatusCode != http.StatusCreated {
			check(fmt.Errorf("the status is %s", response.Status))
		}
	}
	done(c.AppendEvent(context.Background(), os.Args[2], nil, event))
	done(c.AppendEvents(context.Background(), os.Args[2], nil, client.AppendEventsJSONRequestBody{event, event}))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
