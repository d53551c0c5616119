package tally_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// models are the types of this package, by the names of their schemas in the API's description.
var models = map[string]any{
	"Activity": tally.Activity{}, "ActivityInterval": tally.ActivityInterval{}, "RefusalCount": tally.RefusalCount{},
	"ViewState": tally.ViewState{}, "ViewStatePage": tally.ViewStatePage{},
	"Appended": tally.Appended{}, "AppendedBatch": tally.AppendedBatch{}, "AuditDifference": tally.AuditDifference{},
	"AuditEntry": tally.AuditLogEntry{}, "AuditPage": tally.AuditLogPage{}, "BuildProgress": tally.BuildProgress{},
	"CreateKey": tally.NewKey{}, "CreateToken": tally.NewToken{}, "CreatedLog": tally.CreatedLog{}, "Delivery": tally.Delivered{},
	"DuplicateEvent": tally.DuplicateEvent{}, "Event": tally.Event{}, "EventPage": tally.EventPage{}, "Health": tally.Health{},
	"InvalidField": tally.InvalidField{}, "Key": tally.Key{}, "KeyPage": tally.KeyPage{}, "Log": tally.Log{}, "LogFault": tally.LogFault{},
	"LogHead": tally.LogHead{}, "LogPage": tally.LogPage{}, "LogVerification": tally.LogVerification{}, "Module": tally.Module{},
	"ModulePage": tally.ModulePage{},
	"Caller":     tally.Caller{}, "TokenGrant": tally.TokenGrant{},
	"CreatedKey": tally.CreatedKey{}, "PatternCoverage": tally.PatternCoverage{}, "Problem": tally.Error{}, "Readiness": tally.Readiness{},
	"ReadySource": tally.ReadySource{}, "ReadyView": tally.ReadyView{}, "ReadyViewVersion": tally.ReadyViewVersion{},
	"ReplaySource": tally.ReplaySourceOptions{}, "ResumeView": tally.ResumeViewOptions{}, "Source": tally.Source{},
	"SourceHistory": tally.SourceVersionPage{}, "SourcePage": tally.SourcePage{}, "SourceReplay": tally.ReplayedSource{},
	"SourceTest": tally.SourceTest{}, "Tenant": tally.Tenant{}, "TenantPage": tally.TenantPage{}, "TestedLine": tally.TestedLine{},
	"Token": tally.Token{}, "UpdateTenant": tally.TenantUpdate{}, "View": tally.View{}, "ViewAction": tally.ViewAction{},
	"ViewAudit": tally.ViewAudit{}, "ViewHistory": tally.ViewHistory{}, "ViewPattern": tally.ViewPattern{},
	"ViewVerification": tally.ViewVerification{}, "Webhook": tally.Webhook{}, "CreateWebhook": tally.NewWebhook{},
	"CreatedWebhook": tally.CreatedWebhook{}, "UpdateWebhook": tally.WebhookUpdate{}, "WebhookPage": tally.WebhookPage{},
	"WebhookDelivery": tally.WebhookDelivery{}, "WebhookDeliveryDetail": tally.WebhookDeliveryDetail{},
	"WebhookDeliveryPage": tally.WebhookDeliveryPage{}, "DeliveryAttempt": tally.DeliveryAttempt{},
	"EventExplanation": tally.EventExplanation{}, "ViewExplanation": tally.ViewExplanation{}, "StateChange": tally.StateChange{},
	"ViewPreview": tally.ViewPreview{}, "AnswerProblem": tally.AnswerProblem{}, "PreviewHalt": tally.PreviewHalt{},
	"AcceptedDelivery": tally.AcceptedDelivery{}, "ReplayedDeliveries": tally.ReplayedDeliveries{},
	"Alert": tally.Alert{}, "ListedAlert": tally.ListedAlert{}, "AlertStatus": tally.AlertStatus{}, "AlertLog": tally.AlertLog{},
	"AlertThreshold": tally.AlertThreshold{}, "AlertCrossing": tally.AlertCrossing{}, "AlertTest": tally.AlertTest{},
	"TestedThreshold": tally.TestedThreshold{}, "AlertPage": tally.AlertPage{}, "AlertCrossingPage": tally.AlertCrossingPage{},
}

// unmodelled are schemas without a type here, and why.
var unmodelled = map[string]string{
	"EventInput": "any JSON object", "DeployModule": "Deployment, which writes it by hand",
	"PreviewView": "Deployment with PreviewViewOptions", "SourceMapping": "any JSON object",
	"CreateLog": "arguments", "EnsureLog": "arguments", "CreateTenant": "arguments", "RollbackView": "an argument",
	"RotateKey": "an argument", "AlertDefinition": "any JSON object", "TestAlert": "an argument",
	"Limits": "a map", "OwnLimits": "a map", "ViewList": "a slice", "ViewPatternList": "a slice", "ReadyViewList": "a slice",
	"ReadySourceList": "a slice", "ListedSource": "a Source", "SourceVersion": "a Source",
	"CoverageProgress": "a member of PatternCoverage",
	"FirstRejected":    "a member of ReplayedSource", "OTLPAnswer": "the protocol's own", "OTLPStatus": "the protocol's own",
}

// elsewhere are members that a type has from another schema that it stands for, too.
var elsewhere = map[string]bool{"Source.deleted": true} // of SourceVersion

// unneeded are members that no caller needs: they say what code and status do.
var unneeded = map[string]bool{"Problem.type": true, "Problem.title": true}

// TestDocument holds the models to the API's description, as the server gives it: no member is missing here, none is there that the
// server does not have, and each has a type that holds what it may be. Each operation has a method, which the cases of ../conformance call.
func TestDocument(t *testing.T) {
	response, err := http.Get(server(t).URL + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var document struct {
		Paths      map[string]map[string]struct{ OperationID string }
		Components struct {
			Schemas map[string]struct{ Properties map[string]property }
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&document); err != nil || len(document.Paths) < 20 {
		t.Fatalf("%d paths, %v", len(document.Paths), err)
	}
	for path, methods := range document.Paths {
		for _, o := range methods {
			if _, ok := conformanceCalls[o.OperationID]; !ok {
				t.Errorf("the client has no method for %s (%s)", o.OperationID, path)
			}
		}
	}
	for name, schema := range document.Components.Schemas {
		model, ok := models[name]
		if !ok {
			if unmodelled[name] == "" {
				t.Errorf("the schema %s has no type here", name)
			}
			continue
		}
		members := membersOf(reflect.TypeOf(model))
		for member, property := range schema.Properties {
			of, known := members[member]
			switch {
			case !known && !unneeded[name+"."+member]:
				t.Errorf("%T has no member %s, as %s has", model, member, name)
			case known && !property.fits(of):
				t.Errorf("%T has %s as %s; %s has it as %+v", model, member, of, name, property)
			}
		}
		for member := range members {
			if _, ok := schema.Properties[member]; !ok && !elsewhere[name+"."+member] {
				t.Errorf("%T has a member %s, which %s does not have", model, member, name)
			}
		}
	}
}

// property is a member of a schema.
type property struct {
	Type   any    // a text, or a list of them where null may be one
	Ref    string `json:"$ref"`
	Format string
	Items  *property
}

// fits reports whether a Go type holds every value of the property, exactly.
func (p *property) fits(of reflect.Type) bool {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if of == reflect.TypeFor[json.RawMessage]() {
		return true
	}
	kind, _ := p.Type.(string)
	if list, ok := p.Type.([]any); ok {
		kind, _ = list[0].(string)
	}
	switch {
	case p.Format == "date-time":
		return of == reflect.TypeFor[time.Time]()
	case p.Ref != "" || kind == "object":
		return of.Kind() == reflect.Struct || of.Kind() == reflect.Map
	case kind == "string":
		return of.Kind() == reflect.String
	case kind == "boolean":
		return of.Kind() == reflect.Bool
	case kind == "number":
		return of.Kind() == reflect.Float64
	case kind == "integer":
		return of.Kind() == reflect.Int64 || of.Kind() == reflect.Int || p.Format == "int32" && of.Kind() == reflect.Int32
	case kind == "array":
		return of.Kind() == reflect.Slice && p.Items.fits(of.Elem())
	}
	return false // any JSON is a json.RawMessage
}

// membersOf returns the types of a struct's members by their names in JSON, those of embedded structs too.
func membersOf(of reflect.Type) map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for i := range of.NumField() {
		field := of.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous:
			maps.Copy(types, membersOf(field.Type))
		case name != "" && name != "-":
			types[name] = field.Type
		}
	}
	return types
}
