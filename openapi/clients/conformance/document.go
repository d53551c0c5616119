package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// document is what the suite needs of the API's description.
type document struct{ operations []operation }

type operation struct {
	ID, Method, Path string
	pattern          *regexp.Regexp // of the escaped path
	fixed            int            // segments that are no parameters: where several match, the one with most is meant
	parameters       []parameter
	hasBody          bool
	pages            bool // it takes a cursor
}

type parameter struct{ Name, In string }

var pathParameter = regexp.MustCompile(`\{[a-z0-9_]+\}`)

func fetchDocument(ctx context.Context, server *url.URL) (*document, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.JoinPath("openapi.json").String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("reading the API's description: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	type described struct {
		OperationID string `json:"operationId"`
		Parameters  []parameter
		RequestBody any
	}
	var text struct {
		Paths map[string]map[string]described
	}
	if err := json.NewDecoder(response.Body).Decode(&text); err != nil {
		return nil, fmt.Errorf("reading the API's description: %w", err)
	}
	d := &document{}
	for path, methods := range text.Paths {
		for method, o := range methods {
			d.operations = append(d.operations, operation{
				ID: o.OperationID, Method: strings.ToUpper(method), Path: path, pattern: patternOf(path),
				fixed:      strings.Count(path, "/") - len(pathParameter.FindAllString(path, -1)),
				parameters: o.Parameters, hasBody: o.RequestBody != nil,
				pages: slices.Contains(o.Parameters, parameter{Name: "cursor", In: "query"}),
			})
		}
	}
	slices.SortFunc(d.operations, func(a, b operation) int { return strings.Compare(a.ID, b.ID) })
	if len(d.operations) == 0 {
		return nil, fmt.Errorf("the API's description at %s has no operations", server)
	}
	return d, nil
}

func patternOf(path string) *regexp.Regexp {
	var pattern strings.Builder
	rest := path
	for _, found := range pathParameter.FindAllStringIndex(path, -1) {
		offset := len(path) - len(rest)
		pattern.WriteString(regexp.QuoteMeta(rest[:found[0]-offset]) + `[^/]+`)
		rest = path[found[1]:]
	}
	return regexp.MustCompile("^" + pattern.String() + regexp.QuoteMeta(rest) + "$")
}

// find returns the operation of a request; nil if the document has none.
func (d *document) find(method, escapedPath string) *operation {
	var found *operation
	for i := range d.operations {
		o := &d.operations[i]
		if o.Method == method && o.pattern.MatchString(escapedPath) && (found == nil || o.fixed > found.fixed) {
			found = o
		}
	}
	return found
}

// byID returns the operation of that id; nil if there is none.
func (d *document) byID(id string) *operation {
	for i := range d.operations {
		if d.operations[i].ID == id {
			return &d.operations[i]
		}
	}
	return nil
}
