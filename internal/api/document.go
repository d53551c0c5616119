package api

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Version is that of the API, not of the program: it changes when the description does, by semantic versioning.
const Version = "0.1.0"

const (
	mediaJSON    = "application/json"
	mediaProblem = "application/problem+json"
	mediaProto   = "application/x-protobuf"

	// statusesExtension lists, beside the one response that stands for all problems, the statuses that they have.
	statusesExtension = "x-statuses"
	// codesExtension lists the codes of problems, of which there will be more.
	codesExtension = "x-codes"
	// valuesExtension lists the values that a member of an answer has today. They are no enum: a later server may know more, and a client
	// that does not must go on.
	valuesExtension = "x-known-values"

	// hiddenQuery lists, in an operation's metadata, parameters of the query string that the description leaves out.
	hiddenQuery = "hidden query"
)

var tags = []*huma.Tag{
	{Name: "logs", Description: "Logs of events: one for each customer, say."},
	{Name: "events", Description: "Appending and reading events."},
	{Name: "views", Description: "Deploying views, querying them, and what becomes of them."},
	{Name: "live", Description: "Following events and answers as they come, by server-sent events."},
	{Name: "audit", Description: "Proving that a log is whole."},
	{Name: "sources", Description: "What is made of what gateways send."},
	{Name: "gateways", Description: "Where gateways send usage, in the forms that they have."},
	{Name: "alerts", Description: "Thresholds on answers of views, and when they were crossed."},
	{Name: "webhooks", Description: "Who is told of alerts, views and keys, and what became of each message."},
	{Name: "access", Description: "Tenants, keys and tokens."},
	{Name: "health", Description: "For load balancers and operators, and what happened lately."},
}

// describeProblems has one response stand for all problems of an operation: clients need one way of reading them.
func describeProblems(api huma.API, operation *huma.Operation, statuses []int) {
	slices.Sort(statuses)
	statuses = slices.Compact(statuses)
	texts := make([]string, len(statuses))
	for i, status := range statuses {
		texts[i] = strconv.Itoa(status)
	}
	if operation.Responses == nil {
		operation.Responses = map[string]*huma.Response{}
	}
	problem := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	operation.Responses["default"] = &huma.Response{
		Description: "A problem, after RFC 9457, with one of the statuses " + strings.Join(texts, ", ") + ".",
		Content:     map[string]*huma.MediaType{mediaProblem: {Schema: problem}},
		Headers: map[string]*huma.Header{
			"Retry-After": {
				Description: "After how many seconds the same request may succeed. Absent where it will not by itself.",
				Schema:      &huma.Schema{Type: huma.TypeInteger, Minimum: new(0.0)},
			},
			requestIDHeader: {Description: "The request's id, as the server's log has it.", Schema: &huma.Schema{Type: huma.TypeString}},
		},
		Extensions: map[string]any{statusesExtension: statuses},
	}
	operation.Errors = nil
}

// describe finishes the description: what holds for all operations and schemas.
func describe(api *huma.OpenAPI) {
	api.Servers = []*huma.Server{{URL: "http://127.0.0.1:8080", Description: "Where tally serve and tally dev listen by default."}}
	api.Tags = tags
	schemas := api.Components.Schemas.Map()
	for name, schema := range schemas {
		schema.Description = schemaDescriptions[name]
	}
	schemas["Problem"].Properties["code"].Extensions = map[string]any{codesExtension: slices.Sorted(maps.Keys(statuses))}
	sent := map[string]bool{}
	for _, operation := range operations(api) {
		for _, p := range operation.Parameters {
			sayOnce(&p.Description, p.Schema)
			if rule, known := singleHeaders[p.Name]; known && !rule.mayBeNil && p.Schema.Type == huma.TypeString {
				p.Schema.MinLength = new(1)
			}
		}
		if operation.RequestBody != nil {
			for _, media := range operation.RequestBody.Content {
				walk(media.Schema, schemas, sent, func(*huma.Schema) {})
			}
		}
		for status, response := range operation.Responses {
			delete(response.Headers, "Content-Type") // which the content says
			describeAnswer(status, response)
			for _, header := range response.Headers {
				sayOnce(&header.Description, header.Schema)
			}
		}
	}
	for name, schema := range schemas {
		if !sent[name] {
			walk(schema, nil, nil, open)
		}
	}
	describeExamples(api)
}

// sayOnce leaves the description of a parameter or a header at that, and takes it from the schema, which huma gives the same.
func sayOnce(description *string, schema *huma.Schema) {
	if *description == "" {
		*description = schema.Description
	}
	schema.Description = ""
}

// describeAnswer says of an answer that has the name of its status alone what its content is.
func describeAnswer(status string, response *huma.Response) {
	code, _ := strconv.Atoi(status)
	if response.Description != http.StatusText(code) {
		return
	}
	if media := response.Content[mediaJSON]; media != nil {
		if name, ok := strings.CutPrefix(media.Schema.Ref, schemaPrefix); ok {
			response.Description = schemaDescriptions[name]
		}
	} else if code == http.StatusNoContent {
		response.Description = "It is done."
	}
}

// open has a schema of an answer allow what later servers may add to it.
func open(schema *huma.Schema) {
	if schema.AdditionalProperties == false {
		schema.AdditionalProperties = nil
	}
	if len(schema.Enum) > 0 {
		schema.Extensions = map[string]any{valuesExtension: schema.Enum}
		schema.Enum = nil
	}
}

func operations(api *huma.OpenAPI) (all []*huma.Operation) {
	for _, path := range slices.Sorted(maps.Keys(api.Paths)) {
		item := api.Paths[path]
		for _, operation := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete, item.Options, item.Head} {
			if operation != nil {
				all = append(all, operation)
			}
		}
	}
	return all
}

// walk visits a schema and those in it; with schemas, those that it refers to, too, whose names it notes in seen.
func walk(schema *huma.Schema, schemas map[string]*huma.Schema, seen map[string]bool, visit func(*huma.Schema)) {
	if schema == nil {
		return
	}
	if name, ok := strings.CutPrefix(schema.Ref, schemaPrefix); ok {
		if schemas != nil && !seen[name] {
			seen[name] = true
			walk(schemas[name], schemas, seen, visit)
		}
		return
	}
	visit(schema)
	walk(schema.Items, schemas, seen, visit)
	for _, property := range schema.Properties {
		walk(property, schemas, seen, visit)
	}
	for _, all := range [][]*huma.Schema{schema.AllOf, schema.AnyOf, schema.OneOf} {
		for _, part := range all {
			walk(part, schemas, seen, visit)
		}
	}
	if values, ok := schema.AdditionalProperties.(*huma.Schema); ok {
		walk(values, schemas, seen, visit)
	}
}

const schemaPrefix = "#/components/schemas/"

// named adds a schema that is not made of a Go type to the components, and returns the reference to it.
func named(api huma.API, name string, schema *huma.Schema) *huma.Schema {
	api.OpenAPI().Components.Schemas.Map()[name] = schema
	return &huma.Schema{Ref: schemaPrefix + name}
}

// describeParameter has the description show another schema for a parameter than that by which huma reads it, so that what is wrong with
// it is refused by the operation, in its own words.
func describeParameter(operation *huma.Operation, name string, schema *huma.Schema) {
	i := slices.IndexFunc(operation.Parameters, func(p *huma.Param) bool { return p.Name == name })
	operation.Parameters[i].Schema = schema
}

// hiddenParameters are the names of an input's parameters of the query string that the description leaves out.
func hiddenParameters(input reflect.Type) (names []string) {
	for _, field := range reflect.VisibleFields(input) {
		if field.Tag.Get("hidden") == "true" && field.Tag.Get("query") != "" {
			names = append(names, field.Tag.Get("query"))
		}
	}
	return names
}

func sequenceSchema() *huma.Schema {
	return &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: new(0.0)}
}

func timeSchema() *huma.Schema { return &huma.Schema{Type: huma.TypeString, Format: "date-time"} }

// questionParameter describes the query string of a view, which is the view's own.
func questionParameter() *huma.Param {
	return &huma.Param{
		Name: "question", In: "query", Style: "form", Explode: new(true),
		Description: "The question: whatever parameters the view takes. Each is a parameter of its own, as in ?month=2025-03.",
		Schema:      &huma.Schema{Type: huma.TypeObject, AdditionalProperties: &huma.Schema{Type: huma.TypeString}},
	}
}
