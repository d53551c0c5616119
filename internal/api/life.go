package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

const (
	// maxActorBytes bounds an actor: a name or an address, which is recorded.
	maxActorBytes = 200
	// maxLifeBytes bounds the body of a rollback or a resume: a reason of view.MaxReasonBytes, every byte of it escaped.
	maxLifeBytes = 16 << 10
)

// ActorHeader is who asks for a change.
type ActorHeader struct {
	Actor string `header:"Tally-Actor" doc:"Who asks, for the record, which names the key besides: at most 200 bytes without control characters." example:"ada@example.com"`
}

// actor returns who is recorded for what a request does: the key's name, with what the header adds in parentheses; without keys, what the
// header says. The error is a *Problem for what must not be recorded.
func (s *server) actor(ctx context.Context, header ActorHeader) (string, error) {
	if len(header.Actor) > maxActorBytes || !utf8.ValidString(header.Actor) || strings.ContainsFunc(header.Actor, unicode.IsControl) {
		return "", newProblem("invalid_actor", fmt.Sprintf(
			"Tally-Actor has %d bytes; it must be at most %d bytes of UTF-8 without control characters", len(header.Actor), maxActorBytes))
	}
	key := requestOf(ctx).caller.KeyName
	switch {
	case key == "":
		return header.Actor, nil
	case header.Actor == "":
		return key, nil
	}
	return key + " (" + header.Actor + ")", nil
}

// ViewAction is something that was done to a view.
type ViewAction struct {
	Version int32  `json:"version,omitempty" doc:"Absent when it concerns the whole view."`
	Action  string `json:"action" enum:"deploy,live,rollback,retire,halt,resume,skip" doc:"What was done."`
	Actor   string `json:"actor,omitempty" doc:"Who asked for it. Absent when nobody said, or the server did it by itself."`

	Sequence int64 `json:"sequence,omitempty" doc:"The event that a halt, a resume or a skip is about, or the head at which it went live."`

	Detail string    `json:"detail,omitempty" doc:"Why: an error, a reason."`
	At     time.Time `json:"at" doc:"When."`
}

type versionsInput struct {
	ViewPath
	PageCursor
	Limit int32 `query:"limit" default:"100" minimum:"1" maximum:"200" doc:"The most of a page."`
}

// ViewHistory is a page of a view's versions, and what was done to it.
type ViewHistory struct {
	Versions   []View       `json:"versions" nullable:"false" doc:"Newest first."`
	NextCursor string       `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page; absent on the last."`
	Actions    []ViewAction `json:"actions" nullable:"false" doc:"What was done to the view, newest first: the last 500 at most."`
}

type versionsOutput struct{ Body ViewHistory }

// RollbackView says which version is to be live again.
type RollbackView struct {
	Version int32 `json:"version" minimum:"1" doc:"The version to make live again."`
}

type rollbackInput struct {
	ViewPath
	ActorHeader
	Body RollbackView
}

// ResumeView says how a halted view goes on.
type ResumeView struct {
	Version int32  `json:"version,omitempty" minimum:"1" doc:"Which halted version; the one that was asked for last when absent."`
	Skip    bool   `json:"skip,omitempty" doc:"Leave out the event that it halted at, for ever. Else that event is tried again."`
	Gas     int64  `json:"gas,omitempty" doc:"The budget of one event's fold from here on; as before when absent."`
	Reason  string `json:"reason,omitempty" doc:"Why, for the record: at most 1,024 bytes."`
}

type resumeInput struct {
	ViewPath
	ActorHeader
	Body ResumeView
}

type retireInput struct {
	ViewPath
	ActorHeader
}

func (s *server) registerLife(api huma.API) {
	register(s, api, access.Read|access.Query|access.Deploy, huma.Operation{
		OperationID: "list-view-versions", Method: http.MethodGet, Path: "/logs/{log}/views/{view}/versions",
		Summary: "List all versions of a view and what was done to it", Tags: []string{"views"},
		Metadata: map[string]any{forKeys: true}, Errors: []int{http.StatusNotFound},
	}, s.listVersions)
	register(s, api, access.Deploy, huma.Operation{
		OperationID: "rollback-view", Method: http.MethodPost, Path: "/logs/{log}/views/{view}/rollback",
		Summary: "Make an earlier version live again", Tags: []string{"views"},
		Description: "It folds what came since it was retired, or everything where its state was not kept, " +
			"while the live version goes on answering.",
		MaxBodyBytes: maxLifeBytes, Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, s.rollbackView)
	register(s, api, access.Deploy, huma.Operation{
		OperationID: "resume-view", Method: http.MethodPost, Path: "/logs/{log}/views/{view}/resume",
		Summary: "Take a halted view on, at the event it halted at or past it", Tags: []string{"views"},
		MaxBodyBytes: maxLifeBytes, Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, s.resumeView)
	register(s, api, access.Deploy, huma.Operation{
		OperationID: "retire-view", Method: http.MethodDelete, Path: "/logs/{log}/views/{view}",
		Summary: "Retire a view", Tags: []string{"views"}, DefaultStatus: http.StatusNoContent,
		Description: "It folds and answers no more. A later deploy or rollback brings it back.",
		Errors:      []int{http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity},
	}, s.retireView)
}

func (s *server) listVersions(ctx context.Context, in *versionsInput) (*versionsOutput, error) {
	log, err := s.resolve(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	infos, more, err := s.versions(ctx, log, in)
	if err != nil {
		return nil, err
	}
	actions, err := s.Views.Actions(ctx, log, in.View, requestOf(ctx).answer)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	views, err := s.presentViews(ctx, infos)
	if err != nil {
		return nil, err
	}
	out := &versionsOutput{}
	out.Body.Versions = views
	if n := len(infos); more && infos[n-1].Version > 1 {
		out.Body.NextCursor = nextCursor(infos[n-1].Version)
	}
	out.Body.Actions = make([]ViewAction, len(actions))
	for i, a := range actions {
		out.Body.Actions[i] = ViewAction{
			Version: a.Version, Action: a.Action, Actor: a.Actor, Sequence: a.Sequence, Detail: a.Detail, At: a.At.UTC(),
		}
	}
	return out, nil
}

// versionsAtOnce are read in one statement: each may have a configuration of 64 KiB.
const versionsAtOnce = 20

// versions reads a page of a view's versions, and reports whether there may be more.
func (s *server) versions(ctx context.Context, log uuid.UUID, in *versionsInput) (infos []view.Info, more bool, err error) {
	last, err := in.before()
	if err != nil {
		return nil, false, err
	}
	before, size := int32(min(last, math.MaxInt32)), 0 //nolint:gosec // as said
	for more = true; more && len(infos) < int(in.Limit) && size < listBytes; {
		limit := min(int(in.Limit)-len(infos), versionsAtOnce)
		next, err := s.Views.Versions(ctx, log, in.View, before, limit, requestOf(ctx).answer)
		if err != nil {
			return nil, false, s.problem(ctx, err)
		}
		for i := range next {
			size += infoBytes(&next[i])
			before = next[i].Version
		}
		if err := s.bookNow(ctx, int64(listFactor*size)); err != nil {
			return nil, false, err
		}
		infos, more = append(infos, next...), len(next) == limit
	}
	return infos, more, nil
}

func (s *server) rollbackView(ctx context.Context, in *rollbackInput) (*viewOutput, error) {
	actor, err := s.actor(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	log, err := s.resolve(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	if err := s.mayBuild(ctx); err != nil {
		return nil, err
	}
	info, err := s.Views.Rollback(ctx, log, in.View, in.Body.Version, actor)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &viewOutput{s.presentView(info)}, nil
}

func (s *server) resumeView(ctx context.Context, in *resumeInput) (*viewOutput, error) {
	actor, err := s.actor(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	log, err := s.resolve(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	info, err := s.Views.Resume(ctx, log, in.View, view.Resumption{
		Version: in.Body.Version, Skip: in.Body.Skip, FoldGas: in.Body.Gas, Reason: in.Body.Reason, Actor: actor,
	})
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &viewOutput{s.presentView(info)}, nil
}

func (s *server) retireView(ctx context.Context, in *retireInput) (*struct{}, error) {
	actor, err := s.actor(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	log, err := s.resolve(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	if err := s.Views.Retire(ctx, log, in.View, actor); err != nil {
		return nil, s.problem(ctx, err)
	}
	return nil, nil
}
