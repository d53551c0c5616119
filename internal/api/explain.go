package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

// EventExplanation is how an event was counted.
type EventExplanation struct {
	Sequence int64             `json:"sequence" doc:"The event's place in its log."`
	Type     string            `json:"type,omitempty" doc:"The event's type; absent where it has none."`
	Views    []ViewExplanation `json:"views" nullable:"false" doc:"One for each version of the log's views that is not retired, by name."`
}

// ViewExplanation is how a version of a view counted an event.
type ViewExplanation struct {
	View    string `json:"view" doc:"The view's name."`
	Version int32  `json:"version" doc:"Which version: a view may have one that answers, and one that is being built in its place."`
	Status  string `json:"status" enum:"building,live,halted" doc:"The version's."`
	Outcome string `json:"outcome" enum:"applied,ignored,not_counted,left_out,halted,not_yet,unknown" doc:"applied: it changed the state; ignored: it changed nothing; not_counted: the state says that it could not be counted, in whole or in part; left_out: the version was resumed past it; halted: the version halted over it; not_yet: the version has not come to it; unknown: it could not be found out."`
	Reason  string `json:"reason,omitempty" doc:"Why: of not_counted the reasons by which the view counts such events, with commas between them; else in words." example:"value_null"`

	Changes        []StateChange `json:"changes" nullable:"false" doc:"What it changed of the view's state, in byte order of keys: at most 100 keys, and 64 KiB of them and their values."`
	ChangesLeftOut int           `json:"changes_left_out" doc:"Keys that it changed besides."`
}

// StateChange is what an event made of a key of a view's state.
type StateChange struct {
	Key       string          `json:"key" doc:"The key."`
	Before    json.RawMessage `json:"before,omitempty" doc:"Its value before the event, any JSON; absent where there was none, or it is long."`
	After     json.RawMessage `json:"after,omitempty" doc:"Its value after the event, any JSON; absent where there is none, or it is long."`
	BeforeCut string          `json:"before_cut,omitempty" doc:"In place of before where that is longer than 4,096 bytes: the text of its first 4,096."`
	AfterCut  string          `json:"after_cut,omitempty" doc:"In place of after where that is longer than 4,096 bytes: the text of its first 4,096."`
}

type explainInput struct {
	LogPath
	Sequence int64  `path:"sequence" minimum:"1" doc:"The event's place in its log." example:"1"`
	View     string `query:"view" maxLength:"200" doc:"The name of the one view that is to explain it; all when absent."`
}

type explainOutput struct{ Body EventExplanation }

// inquiryRetrySeconds: an explanation takes a few seconds on a long log, an audit longer.
const inquiryRetrySeconds = 5

func (s *server) registerExplain(api huma.API) {
	register(s, api, access.Read, huma.Operation{
		OperationID: "explain-event", Method: http.MethodGet, Path: "/logs/{log}/events/{sequence}/explanation",
		Summary: "Explain how an event was counted", Tags: []string{"events"}, Metadata: map[string]any{forKeys: true},
		Description: "For each view of the log: whether it applied the event, ignored it or could not count it, why, and which keys of " +
			"its state the event changed. It is found out by folding the log's events up to this one again, in memory: " +
			"that takes as long as building the view would, and 45 seconds at most. What takes longer is unknown. Appends go on meanwhile.",
		Errors: []int{http.StatusNotFound, http.StatusGone},
	}, s.explainEvent)
}

func (s *server) explainEvent(ctx context.Context, in *explainInput) (*explainOutput, error) {
	log, head, err := s.head(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	if in.Sequence > head.Sequence {
		return nil, unknownSequence(head)
	}
	out := &explainOutput{EventExplanation{Sequence: in.Sequence}}
	page, err := s.Events.Page(ctx, log, head, eventlog.Query{From: in.Sequence, Through: in.Sequence}, 1, 1, requestOf(ctx).answer)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	if len(page.Events) == 0 {
		return nil, s.problem(ctx, errors.New("event "+strconv.FormatInt(in.Sequence, 10)+" of log "+log.String()+" is missing"))
	}
	out.Body.Type = page.Events[0].Type
	out.Body.Views, err = s.explanations(ctx, log, in)
	return out, err
}

func (s *server) explanations(ctx context.Context, log uuid.UUID, in *explainInput) ([]ViewExplanation, error) {
	ctx, stop := s.whileAllowed(ctx)
	defer stop()
	explanations, err := s.Views.Explain(ctx, log, in.Sequence, in.View, requestOf(ctx).answer)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	size := 0
	views := make([]ViewExplanation, len(explanations))
	for i := range explanations {
		views[i] = presentExplanation(&explanations[i])
		for _, c := range views[i].Changes {
			size += len(c.Key) + len(c.Before) + len(c.After) + len(c.BeforeCut) + len(c.AfterCut)
		}
	}
	return views, s.bookNow(ctx, int64(listFactor*size))
}

func presentExplanation(e *view.Explanation) ViewExplanation {
	out := ViewExplanation{
		View: e.View, Version: e.Version, Status: string(e.Status), Outcome: string(e.Outcome), Reason: e.Reason,
		Changes: make([]StateChange, len(e.Changes)), ChangesLeftOut: e.LeftOver,
	}
	for i, c := range e.Changes {
		out.Changes[i].Key = c.Key
		out.Changes[i].Before, out.Changes[i].BeforeCut = presentValue(c.Before)
		out.Changes[i].After, out.Changes[i].AfterCut = presentValue(c.After)
	}
	return out
}

// presentValue returns a value of state, or its beginning as a text.
func presentValue(value view.ExplainedValue) (whole json.RawMessage, cut string) {
	if value.Cut {
		return nil, string(value.Text)
	}
	return value.Text, ""
}
