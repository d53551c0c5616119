package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

// statesAtOnce are read in one statement: each may have an error of some KiB.
const statesAtOnce = 250

// ViewState is how a version of a view stands on a log.
type ViewState struct {
	LogID          string         `json:"log_id" format:"uuid" doc:"The log's id."`
	Log            string         `json:"log" doc:"The log's name."`
	View           string         `json:"view" doc:"The view's name."`
	ViewID         string         `json:"view_id" format:"uuid" doc:"The id of this version."`
	Version        int32          `json:"version" doc:"The version's number."`
	Status         string         `json:"status" enum:"building,live,halted,retired" doc:"building: it folds the history; live: it answers queries; halted: at an event that it could not fold; retired: it folds and answers no more."`
	Progress       *BuildProgress `json:"progress,omitempty" doc:"How far it is built, while it is building."`
	Module         string         `json:"module" doc:"The module's SHA-256, in hexadecimal."`
	Ready          string         `json:"ready,omitempty" doc:"The ready view that the module is, with its version; absent for other modules." example:"meter@1"`
	Applied        int64          `json:"applied" doc:"The last sequence it has folded."`
	Head           int64          `json:"head" doc:"The log's last sequence."`
	HaltedSequence int64          `json:"halted_sequence,omitempty" doc:"The event that it could not fold."`
	Error          string         `json:"error,omitempty" doc:"Why it could not."`
	ChangedAt      time.Time      `json:"changed_at" doc:"When it came to have this status; when it was asked for, while it is building."`
}

// ViewStatePage is a page of versions of views.
type ViewStatePage struct {
	Views      []ViewState `json:"views" nullable:"false" doc:"By log, view and version."`
	NextCursor string      `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page; absent on the last. A page may have fewer than limit before that."`
}

type listViewStatesInput struct {
	Status string `query:"status" maxLength:"100" default:"building,live,halted" doc:"Only versions of these statuses, with commas between them: building, live, halted and retired." example:"halted,building"`
	View   string `query:"view" maxLength:"200" pattern:"^[A-Za-z0-9._:@+=~-]*$" doc:"Only views of this name."`
	PageCursor
	Limit int32 `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"The most of a page."`
}

type listViewStatesOutput struct{ Body ViewStatePage }

func (s *server) registerViewStates(api huma.API) {
	register(s, api, access.Read|access.Query|access.Deploy, huma.Operation{
		OperationID: "list-view-states", Method: http.MethodGet, Path: "/view-states", Summary: "List the views of all logs",
		Tags: []string{"views"},
		Description: "The versions of views of all logs that there are for the key, as they stand. Those that are halted or building are " +
			"found at once, however many logs there are; where others are asked for, the answer may take seconds.",
		Errors: []int{http.StatusUnprocessableEntity},
	}, s.listViewStates)
}

func (s *server) listViewStates(ctx context.Context, in *listViewStatesInput) (*listViewStatesOutput, error) {
	selection, err := in.selection(requestOf(ctx).caller)
	if err != nil {
		return nil, err
	}
	if !selection.IsQuick() {
		give, err := s.takeSearch(ctx)
		if err != nil {
			return nil, err
		}
		defer give()
	}
	out := &listViewStatesOutput{ViewStatePage{Views: []ViewState{}}}
	for size, more := 0, true; more && len(out.Body.Views) < int(in.Limit) && size < listBytes; {
		selection.Limit = min(in.Limit-int32(len(out.Body.Views)), statesAtOnce) //nolint:gosec // below the limit
		states, err := s.Views.States(ctx, s.tenant(ctx), selection, requestOf(ctx).answer)
		if errors.Is(err, view.ErrNoPlace) {
			return nil, notThisListsCursor()
		} else if err != nil {
			return nil, s.problem(ctx, err)
		}
		for i := range states {
			size += stateBytes(&states[i])
			out.Body.Views = append(out.Body.Views, s.presentState(&states[i]))
			selection.After = view.Place{LogID: states[i].LogID, VersionID: states[i].VersionID}
		}
		if err := s.bookNow(ctx, int64(listFactor*size)); err != nil {
			return nil, err
		}
		more = len(states) == int(selection.Limit)
		out.Body.NextCursor = ""
		if more {
			out.Body.NextCursor = selection.After.LogID.String() + "." + selection.After.VersionID.String()
		}
	}
	return out, nil
}

// selection returns what is asked for. The error is a *Problem.
func (in *listViewStatesInput) selection(caller *access.Caller) (view.Selection, error) {
	selection := view.Selection{View: in.View, Logs: caller.Logs}
	for name := range strings.SplitSeq(in.Status, ",") {
		status := view.Status(name)
		switch status {
		case view.Building, view.Live, view.Halted, view.Retired:
		default:
			return selection, newProblem("invalid_parameter", "there is no status \""+shortened(name)+
				"\": give building, live, halted or retired, or several of them with commas between them")
		}
		if !slices.Contains(selection.Statuses, status) {
			selection.Statuses = append(selection.Statuses, status)
		}
	}
	if in.Cursor == "" {
		return selection, nil
	}
	log, version, _ := strings.Cut(in.Cursor, ".")
	var err error
	if selection.After.LogID, err = uuid.Parse(log); err == nil {
		selection.After.VersionID, err = uuid.Parse(version)
	}
	if err != nil {
		return selection, notThisListsCursor()
	}
	return selection, nil
}

// stateBytes is about how long a state's description is.
func stateBytes(state *view.State) int {
	const escaped = 6 // bytes for one, at most, as in \u003c
	size := 1 << 9
	if plainJSON(state.Error) {
		return size + len(state.Error)
	}
	return size + escaped*len(state.Error)
}

func (s *server) presentState(state *view.State) ViewState {
	return ViewState{
		LogID: state.LogID.String(), Log: state.Log, View: state.View, ViewID: state.VersionID.String(), Version: state.Version,
		Status: string(state.Status), Progress: presentProgress(state.Progress),
		Module: state.ModuleSHA256, Ready: s.ReadyViews.Reference(state.ModuleSHA256),
		Applied: state.Applied, Head: state.Head, HaltedSequence: state.HaltedSequence, Error: state.Error,
		ChangedAt: state.ChangedAt.UTC(),
	}
}
