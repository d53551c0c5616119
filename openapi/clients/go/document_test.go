package tally_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// models are the types of this package, by the names of their schemas in the API's description.
var models = map[string]any{
	"Appended": tally.Appended{}, "AppendedBatch": tally.AppendedBatch{}, "AuditDifference": tally.AuditDifference{},
	"AuditEntry": tally.AuditLogEntry{}, "AuditPage": tally.AuditLogPage{}, "BuildProgress": tally.BuildProgress{},
	"CreateKey": tally.NewKey{}, "CreateToken": tally.NewToken{}, "CreatedLog": tally.CreatedLog{}, "Delivery": tally.Delivered{},
	"DuplicateEvent": tally.DuplicateEvent{}, "Event": tally.Event{}, "EventPage": tally.EventPage{}, "Health": tally.Health{},
	"InvalidField": tally.InvalidField{}, "Key": tally.Key{}, "KeyPage": tally.KeyPage{}, "Log": tally.Log{}, "LogFault": tally.LogFault{},
	"LogHead": tally.LogHead{}, "LogPage": tally.LogPage{}, "LogVerification": tally.LogVerification{}, "Module": tally.Module{},
	"CreatedKey": tally.CreatedKey{}, "PatternCoverage": tally.PatternCoverage{}, "Problem": tally.Error{}, "Readiness": tally.Readiness{},
	"ReadySource": tally.ReadySource{}, "ReadyView": tally.ReadyView{}, "ReadyViewVersion": tally.ReadyViewVersion{},
	"ReplaySource": tally.ReplaySourceOptions{}, "ResumeView": tally.ResumeViewOptions{}, "Source": tally.Source{},
	"SourceHistory": tally.SourceVersionPage{}, "SourcePage": tally.SourcePage{}, "SourceReplay": tally.ReplayedSource{},
	"SourceTest": tally.SourceTest{}, "Tenant": tally.Tenant{}, "TenantPage": tally.TenantPage{}, "TestedLine": tally.TestedLine{},
	"Token": tally.Token{}, "UpdateTenant": tally.TenantUpdate{}, "View": tally.View{}, "ViewAction": tally.ViewAction{},
	"ViewAudit": tally.ViewAudit{}, "ViewHistory": tally.ViewHistory{}, "ViewPattern": tally.ViewPattern{},
	"ViewVerification": tally.ViewVerification{},
}

// unmodelled are schemas without a type here, and why.
var unmodelled = map[string]string{
	"EventInput": "any JSON object", "DeployModule": "Deployment, which writes it by hand", "SourceMapping": "any JSON object",
	"CreateLog": "arguments", "EnsureLog": "arguments", "CreateTenant": "arguments", "RollbackView": "an argument",
	"RotateKey": "an argument",
	"Limits":    "a map", "OwnLimits": "a map", "ViewList": "a slice", "ViewPatternList": "a slice", "ReadyViewList": "a slice",
	"ReadySourceList": "a slice", "ListedSource": "a Source", "SourceVersion": "a Source",
	"CoverageProgress": "a member of PatternCoverage",
	"FirstRejected":    "a member of ReplayedSource", "OTLPAnswer": "the protocol's own", "OTLPStatus": "the protocol's own",
}

// elsewhere are members that a type has from another schema that it stands for, too.
var elsewhere = map[string]bool{"Source.deleted": true} // of SourceVersion

// unneeded are members that no caller needs: they say what code and status do.
var unneeded = map[string]bool{"Problem.type": true, "Problem.title": true}

// TestDocument holds the models to the API's description, as the server gives it: no member is missing here, and none is there that the
// server does not have. Each operation has a method, which the cases of ../conformance call.
func TestDocument(t *testing.T) {
	response, err := http.Get(server(t).URL + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var document struct {
		Paths      map[string]map[string]struct{ OperationID string }
		Components struct {
			Schemas map[string]struct{ Properties map[string]json.RawMessage }
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
		for property := range schema.Properties {
			if !slices.Contains(members, property) && !unneeded[name+"."+property] {
				t.Errorf("%T has no member %s, as %s has", model, property, name)
			}
		}
		for _, member := range members {
			if _, ok := schema.Properties[member]; !ok && !elsewhere[name+"."+member] {
				t.Errorf("%T has a member %s, which %s does not have", model, member, name)
			}
		}
	}
}

// membersOf returns the names of a struct's members in JSON, those of embedded structs too.
func membersOf(of reflect.Type) (names []string) {
	for i := range of.NumField() {
		field := of.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous:
			names = append(names, membersOf(field.Type)...)
		case name != "" && name != "-":
			names = append(names, name)
		}
	}
	return names
}
