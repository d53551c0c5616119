package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/replay"
	"github.com/tallystick/tallystick/internal/view"
)

// PatternPath is the {view} of a path without a log.
type PatternPath struct {
	View string `path:"view" maxLength:"200" doc:"The view's name." example:"monthly-totals"`
}

// ViewPattern is a view that is deployed on every log whose name matches a pattern.
type ViewPattern struct {
	Name    string `json:"name" doc:"The view's name."`
	Logs    string `json:"logs" doc:"The pattern of logs' names: * stands for any run of characters." example:"customer-*"`
	Version int32  `json:"version" doc:"Grows with each deploy on the pattern that changes something. Versions on each log are numbered by themselves."`
	Status  string `json:"status" enum:"active,retiring,retired" doc:"retiring: later logs no longer get it, and it is being retired on those that have it."`

	Spreading bool `json:"spreading" doc:"Not every matching log has been looked at since the last deploy, or since it was retired."`

	Module     string           `json:"module" doc:"The module's SHA-256, in hexadecimal."`
	Ready      string           `json:"ready,omitempty" doc:"The ready view that the module is, with its version; absent for other modules." example:"meter@1"`
	Config     json.RawMessage  `json:"config" doc:"The view's configuration."`
	Gas        int64            `json:"gas" doc:"The budget of one event's fold, in units of gas."`
	Guard      bool             `json:"guard" doc:"Whether it has a guard, which decides on events before they are appended."`
	OnHalt     string           `json:"on_halt,omitempty" enum:"admit,refuse" doc:"What becomes of appends to a log while the view is halted there; absent without a guard."`
	Actor      string           `json:"actor,omitempty" doc:"Who deployed or retired it last, the key's name, and what Tally-Actor said."`
	CreatedAt  time.Time        `json:"created_at" doc:"When it was deployed first."`
	DeployedAt time.Time        `json:"deployed_at" doc:"When it was deployed last."`
	Covers     *PatternCoverage `json:"covers,omitempty" doc:"How the matching logs stand; absent in lists."`
}

// PatternCoverage counts logs, each by the version of the view that was asked for there last.
type PatternCoverage struct {
	Matching int64            `json:"matching" doc:"Logs whose name matches: the sum of the next seven."`
	Live     int64            `json:"live" doc:"Answering queries."`
	Building int64            `json:"building" doc:"Being built."`
	Halted   int64            `json:"halted" doc:"Halted at an event."`
	Retired  int64            `json:"retired" doc:"Retired on the log itself; the next version brings it back."`
	Waiting  int64            `json:"waiting" doc:"To get the newest version."`
	Full     int64            `json:"full" doc:"Have no room for another view."`
	Own      int64            `json:"own" doc:"Had a view of this name deployed by itself, and keep it."`
	Progress CoverageProgress `json:"progress" doc:"How far all of them together are."`
}

// CoverageProgress is how far all logs together are.
type CoverageProgress struct {
	Done  int64 `json:"done" doc:"Events folded."`
	Total int64 `json:"total" doc:"Events in the logs that the pattern covers."`
}

type deployPatternInput struct {
	PatternPath
	ActorHeader
	Logs    string `query:"logs" maxLength:"200" doc:"The pattern; the one that the view has already when absent." example:"customer-*"`
	Config  string `query:"config" hidden:"true" doc:"The view's configuration: JSON, {} when absent."`
	Gas     int64  `query:"gas" hidden:"true" doc:"The budget of one event's fold; the server's own when absent."`
	RawBody []byte `contentType:"application/wasm"`
}

type retirePatternInput struct {
	PatternPath
	ActorHeader
	Keep bool `query:"keep" doc:"Leave the view where it is; only later logs do not get it."`
}

type patternOutput struct{ Body ViewPattern }

type deployedPatternOutput struct {
	Status int
	Body   ViewPattern
}

// ViewPatternList is the views that are deployed on patterns of logs.
type ViewPatternList struct {
	Views []ViewPattern `json:"views" nullable:"false" doc:"By name."`
}

type listPatternsOutput struct{ Body ViewPatternList }

func (s *server) registerPatterns(api huma.API) {
	for _, method := range []string{http.MethodPost, http.MethodPut} {
		register(s, api, access.Deploy, huma.Operation{
			OperationID: "deploy-view-pattern", Method: method, Hidden: method != http.MethodPost, Path: "/views/{view}",
			Summary: "Deploy a view on every log whose name matches", Tags: []string{"views"},
			Description: "Logs that match get the view now, those that are created later from their first event on. " +
				"A log on which a view of that name was deployed by itself keeps its own.",
			DefaultStatus: http.StatusCreated, MaxBodyBytes: maxModuleBytes + 1,
			Errors: []int{http.StatusNotFound, http.StatusConflict}, SkipValidateBody: true,
		}, s.deployPattern)
	}
	describeBody(api, "/views/{view}", deploymentBody(api))
	describeUnchanged(api.OpenAPI().Paths["/views/{view}"].Post.Responses, "The same was asked for last: nothing changed.")
	register(s, api, access.Deploy, huma.Operation{
		OperationID: "list-view-patterns", Method: http.MethodGet, Path: "/views",
		Summary: "List the views that are deployed on patterns of logs", Tags: []string{"views"},
	}, s.listPatterns)
	register(s, api, access.Deploy, huma.Operation{
		OperationID: "get-view-pattern", Method: http.MethodGet, Path: "/views/{view}",
		Summary: "Get a view's pattern and how its logs stand", Tags: []string{"views"},
		Errors: []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	}, s.getPattern)
	register(s, api, access.Deploy, huma.Operation{
		OperationID: "retire-view-pattern", Method: http.MethodDelete, Path: "/views/{view}",
		Summary: "Retire a view on the logs that have it from its pattern", Tags: []string{"views"},
		Description: "Later logs no longer get it. What was deployed on a log by itself stays.",
		Errors:      []int{http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity},
	}, s.retirePattern)
}

func (s *server) deployPattern(ctx context.Context, in *deployPatternInput) (*deployedPatternOutput, error) {
	deployment, err := s.deployment(ctx, &deployInput{ActorHeader: in.ActorHeader, Config: in.Config, Gas: in.Gas, RawBody: in.RawBody})
	if err != nil {
		return nil, err
	}
	pattern := eventlog.Pattern(in.Logs)
	if caller := requestOf(ctx).caller; caller.Logs != "*" {
		if pattern == "" {
			existing, err := s.pattern(ctx, in.View)
			if err != nil {
				return nil, err
			}
			pattern = existing.Pattern
		}
		if !caller.Logs.Covers(pattern) {
			return nil, outsidePattern("patterns that " + string(caller.Logs) + " covers")
		}
	}
	undo, err := requestOf(ctx).account.DeployPattern(ctx, in.View)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	info, err := s.Views.DeployPattern(ctx, s.tenant(ctx), in.View, pattern, deployment)
	var differs *view.PatternDiffersError
	if err != nil {
		undo()
	}
	if errors.As(err, &differs) && !requestOf(ctx).caller.Logs.Covers(eventlog.Pattern(differs.Pattern)) {
		return nil, newProblem("pattern_differs",
			"a view of that name is deployed on logs that there are not for your key: choose another name")
	} else if err != nil {
		return nil, s.deployProblem(ctx, err, &deployment, in.Config)
	}
	out, err := s.describePattern(ctx, info)
	if err != nil {
		return nil, err
	}
	return &deployedPatternOutput{deployedStatus(info.Unchanged), out.Body}, nil
}

func (s *server) listPatterns(ctx context.Context, _ *struct{}) (*listPatternsOutput, error) {
	infos, err := s.Views.Patterns(ctx, s.tenant(ctx), requestOf(ctx).answer)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	infos = slices.DeleteFunc(infos, func(i view.PatternInfo) bool { return !requestOf(ctx).caller.Logs.Covers(i.Pattern) })
	size := 0
	for i := range infos {
		size += 1<<10 + len(infos[i].Config)
	}
	if err := s.bookNow(ctx, int64(listFactor*size)); err != nil {
		return nil, err
	}
	out := &listPatternsOutput{}
	out.Body.Views = make([]ViewPattern, len(infos))
	for i, info := range infos {
		out.Body.Views[i] = s.presentPattern(info)
	}
	return out, nil
}

func (s *server) getPattern(ctx context.Context, in *PatternPath) (*patternOutput, error) {
	info, err := s.pattern(ctx, in.View)
	if err != nil {
		return nil, err
	}
	return s.describePattern(ctx, info)
}

// pattern returns a view's pattern if there is one for the caller. The error is a *Problem.
func (s *server) pattern(ctx context.Context, name string) (view.PatternInfo, error) {
	info, err := s.Views.Pattern(ctx, s.tenant(ctx), name)
	if err == nil && !requestOf(ctx).caller.Logs.Covers(info.Pattern) {
		err = view.ErrPatternNotFound
	}
	if err != nil {
		return info, s.problem(ctx, err)
	}
	return info, nil
}

func (s *server) retirePattern(ctx context.Context, in *retirePatternInput) (*patternOutput, error) {
	actor, err := s.actor(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	if requestOf(ctx).caller.Logs != "*" {
		if _, err := s.pattern(ctx, in.View); err != nil {
			return nil, err
		}
	}
	info, err := s.Views.RetirePattern(ctx, s.tenant(ctx), in.View, in.Keep, actor)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &patternOutput{s.presentPattern(info)}, nil
}

// describePattern counts the pattern's logs, too.
func (s *server) describePattern(ctx context.Context, info view.PatternInfo) (*patternOutput, error) {
	logs, err := s.Views.PatternLogs(ctx, s.tenant(ctx), info)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	covers := &PatternCoverage{
		Matching: logs.Matching, Live: logs.Live, Building: logs.Building, Halted: logs.Halted,
		Retired: logs.Retired, Waiting: logs.Waiting, Own: logs.Own,
		Progress: CoverageProgress{Done: logs.Done, Total: logs.Total},
	}
	if !info.Spreading { // every log has been looked at: those without the version have no room
		covers.Waiting, covers.Full = 0, logs.Waiting
	}
	out := &patternOutput{s.presentPattern(info)}
	out.Body.Covers = covers
	return out, nil
}

func (s *server) presentPattern(i view.PatternInfo) ViewPattern {
	pattern := ViewPattern{
		Name: i.Name, Logs: string(i.Pattern), Version: i.Revision, Status: string(i.Status), Spreading: i.Spreading,
		Module: i.ModuleSHA256, Ready: s.ReadyViews.Reference(i.ModuleSHA256), Config: i.Config, Gas: i.FoldGas, Actor: i.Actor,
		CreatedAt: i.CreatedAt.UTC(), DeployedAt: i.DeployedAt.UTC(), Guard: i.Guard,
	}
	if i.Guard {
		pattern.OnHalt = string(i.OnHalt)
	}
	return pattern
}

// patternProblem maps the errors of patterns and audits.
func patternProblem(err error) *Problem {
	var differs *view.PatternDiffersError
	var large *replay.StateTooLargeError
	switch {
	case errors.Is(err, view.ErrPatternNotFound):
		return newProblem("pattern_not_found", "no view of that name is deployed on a pattern of logs; GET /views lists those that are")
	case errors.As(err, &differs):
		return newProblem("pattern_differs", differs.Error())
	case errors.Is(err, view.ErrStateNotKept):
		return newProblem("state_not_kept",
			"the state of this version is no longer kept, so there is nothing to compare with; a rollback builds it again")
	case errors.Is(err, view.ErrAuditInterrupted):
		return newProblem("audit_interrupted", "the version was built anew while it was audited; try again when that is done")
	case errors.As(err, &large):
		p := newProblem("state_too_large", large.Error())
		p.Sequence = &large.Sequence
		return p
	}
	return nil
}
