package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/intake"
	"github.com/tallystick/tallystick/internal/source"
)

// Source is what a source is told to do.
type Source struct {
	Name      string          `json:"name" doc:"The source's name."`
	Version   int64           `json:"version" doc:"Grows with each change. 0: the source default, as it is before anybody has put it."`
	Mapping   json.RawMessage `json:"mapping,omitempty" doc:"As it was sent, without white space; absent in the version by which the source was deleted."`
	Resolved  json.RawMessage `json:"resolved,omitempty" doc:"The mapping that holds: with the ready one that it names written out, as that was when this version was put."`
	CreatedAt *time.Time      `json:"created_at,omitempty" doc:"When this version was put; absent in version 0."`
	CreatedBy string          `json:"created_by,omitempty" doc:"The key's name, and what Tally-Actor said."`
}

// SourceVersion is a version of a source in a list.
type SourceVersion struct {
	Version   int64     `json:"version" doc:"Grows with each change."`
	Deleted   bool      `json:"deleted,omitempty" doc:"The source was deleted by this version."`
	CreatedAt time.Time `json:"created_at" doc:"When this version was put."`
	CreatedBy string    `json:"created_by,omitempty" doc:"The key's name, and what Tally-Actor said."`
}

// ListedSource is a source in a list.
type ListedSource struct {
	Name string `json:"name" doc:"The source's name."`
	SourceVersion
}

// ReadySource is a mapping that comes with the server.
type ReadySource struct {
	Name    string          `json:"name" doc:"What a mapping has as ready."`
	Mapping json.RawMessage `json:"mapping" doc:"What the name stands for."`
}

type putSourceInput struct {
	SourcePath
	ActorHeader
	RawBody []byte `contentType:"application/json"`
}

type putSourceOutput struct {
	Status int
	Body   Source
}

type getSourceInput struct {
	SourcePath
	Version int64 `query:"version" minimum:"1" doc:"Which version; the present one when absent. Those of a deleted source are there, too."`
}

type sourceOutput struct{ Body Source }

type deleteSourceInput struct {
	SourcePath
	ActorHeader
}

type listSourcesInput struct {
	PageCursor
	Limit int32 `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"The most of a page."`
}

// SourcePage is a page of sources.
type SourcePage struct {
	Sources    []ListedSource `json:"sources" nullable:"false" doc:"By name."`
	NextCursor string         `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page; absent on the last."`
}

type listSourcesOutput struct{ Body SourcePage }

type sourceVersionsInput struct {
	SourcePath
	PageCursor
	Limit int32 `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"The most of a page."`
}

// SourceHistory is a page of a source's versions.
type SourceHistory struct {
	Versions   []SourceVersion `json:"versions" nullable:"false" doc:"Newest first."`
	NextCursor string          `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page; absent on the last."`
}

type sourceVersionsOutput struct{ Body SourceHistory }

// ReadySourceList is the mappings that come with the server.
type ReadySourceList struct {
	Sources []ReadySource `json:"sources" nullable:"false" doc:"By name."`
}

type readySourcesOutput struct{ Body ReadySourceList }

func (s *server) registerSources(api huma.API) {
	tags := []string{"sources"}
	notFound := []int{http.StatusNotFound, http.StatusUnprocessableEntity}
	register(s, api, access.Deploy, huma.Operation{
		OperationID: "put-source", Method: http.MethodPut, Path: sourcePrefix, Summary: "Say what a source does", Tags: tags,
		Description: "The body is the mapping, by which what is sent to the source becomes events. 201 with a new version, 200 when the " +
			"source does that already. It holds on every server within a second. The key must be for all logs.",
		DefaultStatus: http.StatusCreated, MaxBodyBytes: intake.MaxMappingBytes + 1, SkipValidateBody: true,
	}, s.putSource)
	describeBody(api, sourcePrefix, map[string]*huma.Schema{mediaJSON: named(api, "SourceMapping", &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true,
		Examples: []any{map[string]any{"log": "customer-{/team}", "type": "api.call", "id": "{/id}", "keep": map[string]any{"n": "/n"}}},
	})})
	describeUnchanged(api.OpenAPI().Paths[sourcePrefix].Put.Responses, "The source does that already.")
	register(s, api, access.Read|access.Deploy, huma.Operation{
		OperationID: "get-source", Method: http.MethodGet, Path: sourcePrefix, Summary: "Get what a source does", Tags: tags,
		Errors: notFound,
	}, s.getSource)
	register(s, api, access.Deploy, huma.Operation{
		OperationID: "delete-source", Method: http.MethodDelete, Path: sourcePrefix, Summary: "Delete a source", Tags: tags,
		Description: "On every server within a second. Its events stay, and so do its rejects and versions. The source default does " +
			"again what it did before anybody put it. The key must be for all logs.",
		Errors: notFound,
	}, s.deleteSource)
	register(s, api, access.Read|access.Deploy, huma.Operation{
		OperationID: "list-sources", Method: http.MethodGet, Path: "/sources", Summary: "List sources by name", Tags: tags,
		Description: "Those that somebody has put.",
		Errors:      []int{http.StatusUnprocessableEntity},
	}, s.listSources)
	register(s, api, access.Read|access.Deploy, huma.Operation{
		OperationID: "list-source-versions", Method: http.MethodGet, Path: sourcePrefix + "/versions",
		Summary: "List all versions of a source, newest first", Tags: tags,
		Description: "Without their mappings. They are there also once the source is deleted.",
		Errors:      notFound,
	}, s.sourceVersions)
	register(s, api, access.Read|access.Deploy, huma.Operation{
		OperationID: "list-ready-sources", Method: http.MethodGet, Path: "/ready-sources",
		Summary: "List the mappings that come with the server", Tags: tags,
		Description: `A mapping {"ready": NAME} is that one; what else is in it replaces members of it.`,
	}, s.readySources)
}

func presentSource(source *intake.Source) Source {
	shown := Source{
		Name: source.Name, Version: source.Version, Mapping: source.Sent,
		CreatedAt: presentTime(source.CreatedAt), CreatedBy: source.CreatedBy,
	}
	if source.Mapping != nil {
		shown.Resolved = source.Mapping.JSON()
	}
	return shown
}

// forAllLogs refuses a key whose pattern leaves logs out: what a source does concerns whoever sends to it.
func forAllLogs(ctx context.Context) error {
	if requestOf(ctx).caller.Logs == "*" {
		return nil
	}
	return outsidePattern("some logs, and what a source does concerns all of them")
}

func (s *server) putSource(ctx context.Context, in *putSourceInput) (*putSourceOutput, error) {
	by, err := s.doer(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	if err := forAllLogs(ctx); err != nil {
		return nil, err
	}
	put, changed, err := s.Sources.Put(ctx, by, s.tenant(ctx), in.Source, in.RawBody)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &putSourceOutput{Status: http.StatusOK, Body: presentSource(put)}
	if changed {
		out.Status = http.StatusCreated
	}
	return out, nil
}

func (s *server) getSource(ctx context.Context, in *getSourceInput) (*sourceOutput, error) {
	found, err := s.sourceVersion(ctx, in.Source, in.Version)
	if err != nil {
		return nil, err
	}
	return &sourceOutput{presentSource(found)}, nil
}

// sourceVersion returns a version of a source; 0 for the present one. The error is a *Problem.
func (s *server) sourceVersion(ctx context.Context, name string, version int64) (found *intake.Source, err error) {
	if version == 0 {
		found, err = s.Sources.Get(ctx, s.tenant(ctx), name)
	} else {
		found, err = s.Sources.Version(ctx, s.tenant(ctx), name, version)
	}
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return found, nil
}

func (s *server) deleteSource(ctx context.Context, in *deleteSourceInput) (*struct{}, error) {
	by, err := s.doer(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	if err := forAllLogs(ctx); err != nil {
		return nil, err
	}
	if err := s.Sources.Delete(ctx, by, s.tenant(ctx), in.Source); err != nil {
		return nil, s.problem(ctx, err)
	}
	return nil, nil //nolint:nilnil // huma answers 204
}

func (s *server) listSources(ctx context.Context, in *listSourcesInput) (*listSourcesOutput, error) {
	list, err := s.Sources.List(ctx, s.tenant(ctx), in.Cursor, in.Limit, requestOf(ctx).answer)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &listSourcesOutput{}
	out.Body.Sources = make([]ListedSource, len(list))
	for i, listed := range list {
		out.Body.Sources[i] = ListedSource{Name: listed.Name, SourceVersion: presentVersion(listed)}
	}
	if len(list) == int(in.Limit) {
		out.Body.NextCursor = list[len(list)-1].Name
	}
	return out, nil
}

func presentVersion(listed intake.Listed) SourceVersion {
	return SourceVersion{Version: listed.Version, Deleted: listed.Deleted, CreatedAt: listed.CreatedAt.UTC(), CreatedBy: listed.CreatedBy}
}

func (s *server) sourceVersions(ctx context.Context, in *sourceVersionsInput) (*sourceVersionsOutput, error) {
	before, err := in.before()
	if err != nil {
		return nil, err
	}
	list, err := s.Sources.Versions(ctx, s.tenant(ctx), in.Source, before, in.Limit, requestOf(ctx).answer)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &sourceVersionsOutput{}
	out.Body.Versions = make([]SourceVersion, len(list))
	for i, listed := range list {
		out.Body.Versions[i] = presentVersion(listed)
	}
	if len(list) == int(in.Limit) {
		out.Body.NextCursor = nextCursor(list[len(list)-1].Version)
	}
	return out, nil
}

func (s *server) readySources(context.Context, *struct{}) (*readySourcesOutput, error) {
	out := &readySourcesOutput{}
	out.Body.Sources = []ReadySource{}
	for _, name := range source.Ready() {
		mapping, _ := source.ReadyMapping(name)
		out.Body.Sources = append(out.Body.Sources, ReadySource{name, mapping})
	}
	return out, nil
}

// sourceProblem maps the errors of sources.
func sourceProblem(err error) *Problem {
	switch {
	case errors.Is(err, intake.ErrSourceNotFound):
		return newProblem("source_not_found", "there is no source with that name; PUT /sources/{source} makes one, GET /sources lists them")
	case errors.Is(err, intake.ErrVersionNotFound):
		return newProblem("version_not_found", "the source has no version with that number; GET /sources/{source}/versions lists them")
	case errors.Is(err, intake.ErrTooManySources):
		return newProblem("too_many_sources", fmt.Sprintf("the tenant has %d sources, as many as there may be; delete some",
			intake.MaxSources))
	case errors.Is(err, intake.ErrNewerMapping):
		return retry(newProblem("newer_mapping", "the source's mapping was made by a newer server, and this one does not understand it: "+
			"nothing was stored; update this server, or ask another"), outageRetrySeconds)
	}
	return nil
}
