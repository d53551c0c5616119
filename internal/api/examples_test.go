package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/api"
)

var update = flag.Bool("update", false, "write examples/answers.json anew, of what the server answers")

// longSecrets are keys and tokens, of which examples have the beginning.
var longSecrets = regexp.MustCompile(`"((?:tally_|eyJ|whsec_)[\w-]{6})[\w.+/=-]{30,}`)

// exampleOrder is an order in which the examples succeed. What follows an id takes the place of what the path has in braces, or is its
// query string; what the description has as an example does otherwise.
var exampleOrder = []string{
	"health", "ready", "create-tenant", "list-tenants", "get-tenant tenant=globex", "update-tenant tenant=globex",
	"create-log", "ensure-log log=customer-b-usage", "get-log", "list-logs",
	"append-event", "append-events", "list-events", "get-event sequence=1", "get-module", "list-modules", "list-ready-views",
	"deploy-view", "get-view", "list-views", "list-view-states", "query-view", "explain-event sequence=1", "preview-view",
	"audit-view", "verify-log", "get-checkpoint", "get-checkpoint-key",
	"deploy-view +", "list-view-versions", "rollback-view", "resume-view log=halting", "retire-view",
	"deploy-view-pattern ?logs=customer-*", "list-view-patterns", "get-view-pattern", "retire-view-pattern",
	"put-source", "get-source", "list-sources", "list-source-versions", "list-ready-sources", "test-source",
	"send-events", "send-openmeter-events", "replay-source", "delete-source",
	"create-webhook", "list-webhooks", "get-webhook", "update-webhook", "rotate-webhook-secret", "test-webhook", "list-deliveries",
	"get-delivery", "replay-dead-deliveries", "delete-webhook",
	"put-alert alert=quota", "get-alert alert=quota", "list-alerts", "test-alert alert=quota", "list-crossings alert=quota",
	"delete-alert alert=quota",
	"create-key", "list-keys", "get-key", "rotate-key", "create-token", "get-caller", "revoke-key", "list-audit-log",
	"get-activity ?minutes=1",
}

// notTried are operations whose requests and answers are not JSON, and one that is for what ends after days.
var notTried = []string{"replay-delivery", "put-module", "send-otlp-logs", "send-otlp-traces", "tail-events", "watch-view"}

// TestExamples sends the examples of requests, and holds the examples of answers against what comes.
func TestExamples(t *testing.T) {
	d := openDoor(t)
	document := api.Describe()
	byID := map[string]*huma.Operation{}
	for _, item := range document.Paths {
		for _, operation := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if operation != nil {
				byID[operation.OperationID] = operation
			}
		}
	}
	d.want(http.StatusCreated, d.as(d.operator, "POST", "/logs", `{"name":"halting"}`))
	sum := d.as(d.operator, "POST", "/logs/halting/views/monthly-totals", string(haltingAt(1)))
	module := decode[viewInfo](t, d.want(http.StatusCreated, sum)).Module
	d.append("halting", `{}`, "Authorization: Bearer "+d.operator)

	answers := map[string]json.RawMessage{}
	tried := slices.Clone(notTried)
	var key, webhook, delivery string
	for _, step := range exampleOrder {
		id, change, _ := strings.Cut(step, " ")
		operation := byID[id]
		if operation == nil {
			t.Fatalf("there is no operation %s", id)
		}
		tried = append(tried, id)
		set := map[string]string{"sha256": module, "key": key, "webhook": webhook, "delivery": delivery}
		if name, value, ok := strings.Cut(change, "="); ok && change[0] != '?' {
			set[name] = value
		}
		path := operation.Path
		for _, parameter := range operation.Parameters {
			if parameter.In == "path" {
				value, ok := set[parameter.Name]
				if shown := parameter.Schema.Examples; !ok && len(shown) > 0 {
					value = fmt.Sprint(shown[0])
				}
				path = strings.ReplaceAll(path, "{"+parameter.Name+"}", value)
			}
		}
		if strings.HasPrefix(change, "?") {
			path += change
		}
		var body []byte
		if operation.RequestBody != nil {
			body, _ = operation.RequestBody.Content["application/json"].Example.(json.RawMessage)
			if body == nil {
				t.Errorf("%s has no example of its body", id)
			}
			if change == "+" { // another one
				body = bytes.Replace(body, []byte(`, "count"`), nil, 1)
			}
		}
		credential := d.operator
		if id == "create-token" {
			credential = d.keyOfDefault("for-tokens")
		}
		r := d.as(credential, operation.Method, path, string(body), "Content-Type: application/json")
		if r.status >= 300 {
			t.Fatalf("%s: %d %s", id, r.status, r.body)
		}
		switch made := decode[struct {
			KeyID      string `json:"key_id"`
			WebhookID  string `json:"webhook_id"`
			DeliveryID string `json:"delivery_id"`
		}]; id {
		case "create-key":
			key = made(t, r.body).KeyID
		case "create-webhook":
			webhook = made(t, r.body).WebhookID
		case "test-webhook":
			delivery = made(t, r.body).DeliveryID
			d.await("the delivery was tried", func() bool {
				tried := d.as(d.operator, "GET", "/webhooks/"+webhook+"/deliveries/"+delivery, "")
				return strings.Contains(string(tried.body), `"error"`)
			})
		}
		if strings.HasPrefix(r.header.Get("Content-Type"), "application/json") && answers[id] == nil {
			answers[id] = r.body
		}
	}
	for id := range byID {
		if !slices.Contains(tried, id) {
			t.Errorf("%s is not tried", id)
		}
	}
	if *update {
		writeAnswers(t, answers)
		return
	}
	schemas := document.Components.Schemas.Map()
	for id, answer := range answers {
		var shown any
		var schema *huma.Schema
		for status, response := range byID[id].Responses {
			if media := response.Content["application/json"]; strings.HasPrefix(status, "2") && media != nil && media.Example != nil {
				shown, schema = media.Example, media.Schema
			}
		}
		example, _ := shown.(json.RawMessage)
		got, want := parsed(t, answer), parsed(t, example)
		if !reflect.DeepEqual(formOf(got), formOf(want)) {
			t.Errorf("%s answers %s\nas the example is not: %s", id, answer, example)
		}
		for what, value := range map[string]any{"the answer": got, "the example": want} {
			if wrong := unlike(value, schema, schemas, ""); wrong != "" {
				t.Errorf("%s: %s is not as it is described: %s", id, what, wrong)
			}
		}
	}
}

func parsed(t *testing.T, text []byte) (value any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Errorf("%v: %s", err, text)
	}
	return value
}

// formOf replaces what a value is by its kind: numbers, texts and the like are all the same. Of lists, whose elements come in any order,
// and may differ, there is nothing but that they are some.
func formOf(value any) any {
	object, ok := value.(map[string]any)
	if !ok {
		return fmt.Sprintf("%T", value)
	}
	forms := map[string]any{}
	for name, member := range object {
		if name != "last_used_at" { // of a key, noted in a while
			forms[name] = formOf(member)
		}
	}
	return forms
}

// unlike returns where a value is not as a schema says: of another type, without a member that is required, or with one that is not
// described; "" where it is nowhere.
func unlike(value any, schema *huma.Schema, schemas map[string]*huma.Schema, at string) string {
	if name, ok := strings.CutPrefix(schema.Ref, "#/components/schemas/"); ok {
		schema = schemas[name]
	}
	isType := func(kinds ...string) bool { return schema.Type == "" || slices.Contains(kinds, schema.Type) }
	fits := true
	switch value := value.(type) {
	case nil:
		fits = schema.Nullable || schema.Type == ""
	case bool:
		fits = isType("boolean")
	case string:
		fits = isType("string")
	case json.Number:
		_, err := value.Int64()
		fits = isType("number") || err == nil && isType("integer")
	case []any:
		fits = isType("array")
		for _, element := range value {
			if fits && schema.Items != nil {
				if wrong := unlike(element, schema.Items, schemas, at+"[]"); wrong != "" {
					return wrong
				}
			}
		}
	case map[string]any:
		fits = isType("object")
		for _, name := range schema.Required {
			if _, there := value[name]; !there {
				return at + " has no " + name
			}
		}
		for name, member := range value {
			of := schema.Properties[name]
			if more, ok := schema.AdditionalProperties.(*huma.Schema); of == nil && ok {
				of = more
			}
			if of == nil && schema.Properties != nil && schema.AdditionalProperties == nil {
				return at + " has " + name + ", which is not described"
			}
			if of != nil {
				if wrong := unlike(member, of, schemas, at+"."+name); wrong != "" {
					return wrong
				}
			}
		}
	}
	if !fits {
		return fmt.Sprintf("%s is %v, which is not of the type %s", at, value, schema.Type)
	}
	return ""
}

// writeAnswers writes the answers as examples, long lists cut.
func writeAnswers(t *testing.T, answers map[string]json.RawMessage) {
	t.Helper()
	text := []byte("{\n")
	for i, id := range slices.Sorted(maps.Keys(answers)) {
		var value any
		decoder := json.NewDecoder(bytes.NewReader(answers[id]))
		decoder.UseNumber()
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
		if members, ok := value.(map[string]any); ok {
			for name, member := range members {
				if list, ok := member.([]any); ok && len(list) > 2 {
					members[name] = list[:1]
				}
			}
		}
		indented, err := json.MarshalIndent(value, "  ", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			text = append(text, ",\n"...)
		}
		text = fmt.Appendf(text, "  %q: %s", id, indented)
	}
	text = longSecrets.ReplaceAll(text, []byte("\"$1…"))
	if err := os.WriteFile("examples/answers.json", append(text, "\n}\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
}

// keyOfDefault makes a key of the tenant default.
func (d *frontDoor) keyOfDefault(name string) string {
	_, key := d.keyIn("default", name, "*", allScopes[:5]...)
	return key
}
