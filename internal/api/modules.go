package api

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/view"
)

// Module is a module that the tenant has.
type Module struct {
	Module    string    `json:"module" doc:"Its SHA-256, in hexadecimal."`
	Ready     string    `json:"ready,omitempty" doc:"The ready view that it is, with its version; absent for other modules." example:"meter@1"`
	Bytes     int64     `json:"bytes" doc:"How many bytes it has."`
	Deployed  bool      `json:"deployed" doc:"Whether a view of the tenant uses it, or did: it is kept for ever. Of the others, the last 32 are."`
	CreatedAt time.Time `json:"created_at" doc:"When the tenant deployed it first; before that, when it uploaded it last."`
}

// ModulePage is a page of modules.
type ModulePage struct {
	Modules    []Module `json:"modules" nullable:"false" doc:"By SHA-256."`
	NextCursor string   `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page; absent on the last."`
}

// ReadyView is a view that every server has, to be deployed by its name.
type ReadyView struct {
	Name        string             `json:"name" doc:"By which it is deployed." example:"meter"`
	Title       string             `json:"title" doc:"What people call it."`
	Description string             `json:"description" doc:"What it counts, in a sentence."`
	Gas         int64              `json:"gas" doc:"The budget of one event's fold that a deployment gets which names none: this server's."`
	Versions    []ReadyViewVersion `json:"versions" nullable:"false" doc:"Oldest first. A deployment by the name alone gets the last."`
	Config      json.RawMessage    `json:"config" doc:"The JSON Schema (2020-12) of the newest version's configuration."`
}

// ReadyViewVersion is one module of a ready view.
type ReadyViewVersion struct {
	Version int    `json:"version" doc:"Its number, the same on every server that has it: meter@1 is the first version of meter."`
	Module  string `json:"module" doc:"The module's SHA-256, in hexadecimal."`
	Release string `json:"release,omitempty" doc:"The first release that has it; absent while there is none."`
}

// ReadyViewList is the ready views.
type ReadyViewList struct {
	Views []ReadyView `json:"views" nullable:"false" doc:"By name."`
}

// ModulePath is the {sha256} of a path.
type ModulePath struct {
	SHA256 string `path:"sha256" maxLength:"200" doc:"The module's SHA-256, in hexadecimal." example:"2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"`
}

type putModuleInput struct {
	ModulePath
	RawBody []byte `contentType:"application/wasm"`
}

type putModuleOutput struct {
	Status int
	Body   Module
}

type moduleOutput struct{ Body Module }

type listModulesInput struct {
	PageCursor
	Limit int32 `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"The most of a page."`
}

type listModulesOutput struct{ Body ModulePage }

type readyViewsOutput struct{ Body ReadyViewList }

const modulePath = "/modules/{sha256}"

func (s *server) registerModules(api huma.API) {
	tags := []string{"views"}
	register(s, api, access.Deploy, huma.Operation{
		OperationID: "put-module", Method: http.MethodPut, Path: modulePath, Summary: "Upload a module", Tags: tags,
		Description: "So that it can be deployed by its SHA-256. It is checked as by a deploy. 201 with one that is new to the tenant. " +
			"Of those that no view uses, the last 32 are kept.",
		DefaultStatus: http.StatusCreated, MaxBodyBytes: maxModuleBytes + 1, SkipValidateBody: true,
	}, s.putModule)
	describeBody(api, modulePath, map[string]*huma.Schema{
		"application/wasm": {Type: huma.TypeString, Format: "binary", Description: "A WebAssembly module of at most 4 MiB."},
	})
	describeUnchanged(api.OpenAPI().Paths[modulePath].Put.Responses, "The tenant had the module before.")
	register(s, api, access.Read|access.Deploy, huma.Operation{
		OperationID: "get-module", Method: http.MethodGet, Path: modulePath, Summary: "Get what is known of a module", Tags: tags,
		Errors: []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	}, s.getModule)
	register(s, api, access.Deploy, huma.Operation{
		OperationID: "list-modules", Method: http.MethodGet, Path: "/modules", Summary: "List the tenant's modules", Tags: tags,
		Description: "Those that were uploaded, and those that were deployed, ready views' among them.",
		Errors:      []int{http.StatusBadRequest, http.StatusUnprocessableEntity},
	}, s.listModules)
	for _, operation := range operations(api.OpenAPI()) {
		if operation.Path == modulePath {
			describeParameter(operation, "sha256", digestSchema("The module's SHA-256, in hexadecimal."))
		}
	}
	register(s, api, access.Read|access.Query|access.Deploy, huma.Operation{
		OperationID: "list-ready-views", Method: http.MethodGet, Path: "/ready-views",
		Summary: "List the views that every server has, to be deployed by their names", Tags: tags,
	}, s.listReadyViews)
}

func digestSchema(description string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: "^[0-9a-fA-F]{64}$", Description: description}
}

func (s *server) putModule(ctx context.Context, in *putModuleInput) (*putModuleOutput, error) {
	digest, err := moduleDigest(in.SHA256)
	if err != nil {
		return nil, err
	}
	info, created, err := s.Views.PutModule(ctx, s.tenant(ctx), digest, bytes.Clone(in.RawBody))
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &putModuleOutput{http.StatusOK, s.presentModule(info)}
	if created {
		out.Status = http.StatusCreated
	}
	return out, nil
}

func (s *server) getModule(ctx context.Context, in *ModulePath) (*moduleOutput, error) {
	digest, err := moduleDigest(in.SHA256)
	if err != nil {
		return nil, err
	}
	info, err := s.Views.Module(ctx, s.tenant(ctx), digest)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &moduleOutput{s.presentModule(info)}, nil
}

func (s *server) listModules(ctx context.Context, in *listModulesInput) (*listModulesOutput, error) {
	after, err := hex.DecodeString(in.Cursor)
	if err != nil {
		return nil, newProblem("invalid_cursor", "the cursor is not one of this list: give next_cursor as it came")
	}
	infos, err := s.Views.Modules(ctx, s.tenant(ctx), after, in.Limit)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &listModulesOutput{ModulePage{Modules: make([]Module, len(infos))}}
	for i, info := range infos {
		out.Body.Modules[i] = s.presentModule(info)
	}
	if len(infos) == int(in.Limit) {
		out.Body.NextCursor = out.Body.Modules[len(infos)-1].Module
	}
	return out, nil
}

func (s *server) presentModule(i view.ModuleInfo) Module {
	digest := hex.EncodeToString(i.SHA256)
	return Module{digest, s.ReadyViews.Reference(digest), i.Bytes, i.Deployed, i.CreatedAt.UTC()}
}

func (s *server) listReadyViews(context.Context, *struct{}) (*readyViewsOutput, error) {
	out := &readyViewsOutput{ReadyViewList{make([]ReadyView, len(s.ReadyViews))}}
	for i, ready := range s.ReadyViews {
		versions := make([]ReadyViewVersion, len(ready.Versions))
		for n, v := range ready.Versions {
			versions[n] = ReadyViewVersion{n + 1, v.SHA256, v.Release}
		}
		out.Body.Views[i] = ReadyView{ready.Name, ready.Title, ready.Description, s.Views.FoldGas(), versions, ready.Config}
	}
	return out, nil
}
