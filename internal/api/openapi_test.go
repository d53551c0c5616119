package api_test

import (
	"bytes"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/api"
)

// TestDescription: every operation says what it does and how it may fail. That no answer has another status is checked
// on every request of these tests.
func TestDescription(t *testing.T) {
	s := start(t)
	ids := map[string]bool{}
	for path, operations := range s.spec.Paths {
		for method, operation := range operations {
			what := strings.ToUpper(method) + " " + path
			if operation.Summary == "" || operation.OperationID == "" || ids[operation.OperationID] {
				t.Errorf("%s has the summary %q and the id %q: both must be there, the id only once",
					what, operation.Summary, operation.OperationID)
			}
			ids[operation.OperationID] = true
			succeeds := false
			for status, response := range operation.Responses {
				if code, err := strconv.Atoi(status); err == nil && response.Description == http.StatusText(code) {
					t.Errorf("%s: all that is said of %s is %q", what, status, response.Description)
				}
				succeeds = succeeds || strings.HasPrefix(status, "2")
				if status >= "3" && status != "default" {
					t.Errorf("%s has a response of its own for %s, which default stands for", what, status)
				}
			}
			failure := operation.Responses["default"]
			form := "application/problem+json"
			if isOTLPPath(path) {
				form = "application/x-protobuf"
			}
			if !succeeds || failure.Content[form] == nil || len(failure.Statuses) == 0 {
				t.Errorf("%s: its statuses are not all told: %v", what, operation.Responses)
			}
		}
	}
	for path, item := range api.Describe().Paths {
		for _, operation := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if operation == nil {
				continue
			}
			for _, p := range operation.Parameters {
				if p.Description == "" || p.Schema.Description != "" {
					t.Errorf("%s %s: what the parameter %s is must be said once, beside its schema", operation.OperationID, path, p.Name)
				}
				if p.Name == "limit" && p.Schema.Format != "int32" {
					t.Errorf("%s %s: its limit is of format %q, and others' int32", operation.OperationID, path, p.Schema.Format)
				}
			}
		}
	}
	if len(s.spec.Paths) < 8 {
		t.Errorf("only %d paths are described", len(s.spec.Paths))
	}
}

// TestMembersAreDescribed: every schema says what it is, and each member what it holds.
func TestMembersAreDescribed(t *testing.T) {
	for name, schema := range api.Describe().Components.Schemas.Map() {
		if schema.Description == "" {
			t.Errorf("%s has no description", name)
		}
		for member, is := range schema.Properties {
			if is.Description == "" && is.Ref == "" {
				t.Errorf("%s.%s has no description", name, member)
			}
		}
	}
}

// TestNoUnions: no schema is one of several, of which generators make types that hold none of them, or that need a library.
func TestNoUnions(t *testing.T) {
	for name, schema := range api.Describe().Components.Schemas.Map() {
		parts := []*huma.Schema{schema, schema.Items}
		for _, member := range schema.Properties {
			parts = append(parts, member, member.Items)
		}
		for _, part := range parts {
			if part != nil && (part.OneOf != nil || part.AnyOf != nil || part.AllOf != nil) {
				t.Errorf("%s: %q is one of several schemas", name, part.Description)
			}
		}
	}
}

// TestDescriptionIsServed: the served description is the one that clients are made from.
func TestDescriptionIsServed(t *testing.T) {
	s := start(t)
	served := s.want(http.StatusOK, s.call("GET", "/openapi.yaml", ""))
	file, err := os.ReadFile("../../openapi/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	printed, err := api.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, printed) {
		t.Error("openapi/openapi.yaml is not what the API says of itself: go run ./cmd/tally openapi > openapi/openapi.yaml")
	}
	if !bytes.Equal(served, file) {
		t.Error("what is served differs from openapi/openapi.yaml")
	}
}
