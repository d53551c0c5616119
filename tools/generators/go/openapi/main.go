// Command openapi appends by the client that OpenAPI Generator makes.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/tallystick/tallystick/tools/generators/go/openapi/client"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	check(err)
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var event map[string]any
	check(decoder.Decode(&event))
	configuration := client.NewConfiguration()
	configuration.Servers = client.ServerConfigurations{{URL: os.Getenv("TALLY_URL")}}
	api := client.NewAPIClient(configuration).EventsAPI
	_, _, err = api.AppendEvent(context.Background(), os.Args[2]).RequestBody(event).Execute()
	check(err)
	_, _, err = api.AppendEvents(context.Background(), os.Args[2]).RequestBody([]map[string]any{event, event}).Execute()
	check(err)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
