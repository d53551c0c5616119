package cli

import (
	"errors"
	"regexp"
	"strings"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// call is a call of the API, as problems name it.
var call = regexp.MustCompile(`\b(?:GET|POST|PUT|PATCH|DELETE) /[\w/{}.-]*`)

// calls are the commands for the calls that problems tell people to make.
var calls = map[string]string{ //nolint:gosec // no secret
	"GET /logs": "tally log list", "POST /logs": "tally log create", "GET /logs/{log}/views": "tally view list LOG",
	"GET /logs/{log}/views/{view}/versions": "tally view versions LOG VIEW", "GET /views": "tally view pattern list",
	"GET /view-states":      "tally view states",
	"PUT /modules/{sha256}": "tally module put FILE", "GET /ready-views": "tally view ready",
	"PUT /sources/{source}": "tally source put SOURCE", "GET /sources": "tally source list",
	"GET /sources/{source}/versions": "tally source versions SOURCE", "GET /ready-sources": "tally source ready",
	"GET /tenants": "tally tenant list", "GET /keys": "tally key list", "POST /keys": "tally key create",
	"POST /tokens": "tally token create", "GET /alerts": "tally alert list", "PUT /alerts/{alert}": "tally alert put",
	"GET /webhooks": "tally webhook list", "GET /webhooks/{webhook}/deliveries": "tally webhook deliveries WEBHOOK",
}

var digest = regexp.MustCompile(`/modules/[0-9a-f]{64}$`)

// inCommands returns an error as it is shown: what a server says of calls of its API is said of commands. Programs read its code.
func inCommands(err error) string {
	text := err.Error()
	var refused *tally.Error
	if !errors.As(err, &refused) {
		return text
	}
	return call.ReplaceAllStringFunc(text, func(found string) string {
		path := strings.TrimRight(found, ".")
		if command := calls[digest.ReplaceAllString(path, "/modules/{sha256}")]; command != "" {
			return command + found[len(path):]
		}
		return found
	})
}
