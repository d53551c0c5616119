package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/view"
)

// maxPreviewBytes bounds the body of a preview: a configuration of view.MaxConfigBytes, laid out for people, and a question.
const maxPreviewBytes = 256 << 10

// ViewPreview is what a view would make of a log's last events.
type ViewPreview struct {
	FromSequence int64 `json:"from_sequence" doc:"The first event that was folded, onto an empty state; 0 where none was."`
	ToSequence   int64 `json:"to_sequence" doc:"The last one."`
	Events       int64 `json:"events" doc:"Events that were folded."`
	Ignored      int64 `json:"ignored" doc:"Of these, those that the view had no use for."`
	LeftOut      int64 `json:"left_out" doc:"Events of the log before these, which were not folded."`
	Complete     bool  `json:"complete" doc:"All events that were to be folded are: the view did not halt, and it did not take more than 45 seconds."`
	StateKeys    int   `json:"state_keys" doc:"Keys of its state."`
	StateBytes   int64 `json:"state_bytes" doc:"Bytes of these keys and their values."`
	GasPerEvent  int64 `json:"gas_per_event" doc:"The gas that folding took, by the event."`

	Answer        any            `json:"answer,omitempty" doc:"What it answers to the question: any JSON, or a text where it answers in CSV or plain text."`
	AnswerType    string         `json:"answer_type,omitempty" doc:"application/json, text/csv or text/plain; absent where there is no answer."`
	AnswerProblem *AnswerProblem `json:"answer_problem,omitempty" doc:"Why there is no answer; absent where there is one."`
	Halt          *PreviewHalt   `json:"halt,omitempty" doc:"Where it would halt; absent where it would not. The rest is of the events before that."`
}

// AnswerProblem is why a view does not answer.
type AnswerProblem struct {
	Code   string `json:"code" doc:"query_refused where the view refuses the question, query_failed where it fails over it."`
	Detail string `json:"detail" doc:"Why, in words."`
}

// PreviewHalt is the event that a view fails over.
type PreviewHalt struct {
	Sequence int64  `json:"sequence" doc:"The event."`
	Error    string `json:"error" doc:"Why it cannot be folded."`
}

type previewInput struct {
	ViewPath
	RawBody []byte `contentType:"application/json"`
}

type previewOutput struct{ Body ViewPreview }

const previewPath = "/logs/{log}/views/{view}/preview"

func (s *server) registerPreview(api huma.API) {
	register(s, api, access.Deploy, huma.Operation{
		OperationID: "preview-view", Method: http.MethodPost, Path: previewPath,
		Summary: "Try a view on a log's last events", Tags: []string{"views"},
		Description: "Folds the log's last events, onto an empty state, by a view as it would be deployed, asks it a question, and " +
			"stores nothing. What a deploy would refuse is refused. Its guard, if it has one, is not asked. " +
			"It folds for 45 seconds at most.",
		MaxBodyBytes: maxPreviewBytes + 1, SkipValidateBody: true,
		Errors: []int{http.StatusNotFound, http.StatusRequestURITooLong},
	}, s.previewView)
	describeBody(api, previewPath, previewBody(api))
}

// previewBody describes the body: that of a deploy, and more.
func previewBody(api huma.API) map[string]*huma.Schema {
	deploy := api.OpenAPI().Components.Schemas.Map()["DeployModule"]
	properties := map[string]*huma.Schema{
		"events": {
			Type: huma.TypeInteger, Format: "int64", Minimum: new(1.0), Maximum: new(float64(view.MaxPreviewEvents)),
			Description: fmt.Sprintf("How many of the log's last events to fold at most; %d when absent.", view.DefaultPreviewEvents),
		},
		"question": {
			Type: huma.TypeObject, AdditionalProperties: true,
			Description: "The parameters of the query that it is asked; a list for one that is repeated. None when absent.",
		},
	}
	for name, schema := range deploy.Properties {
		properties[name] = schema
	}
	return map[string]*huma.Schema{mediaJSON: named(api, "PreviewView", &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: false, Properties: properties,
		Examples: []any{map[string]any{
			"ready": "meter", "config": map[string]any{"value": "/tokens", "aggregations": []any{"sum"}},
			"events": 1000, "question": map[string]any{"window": "day"},
		}},
	})}
}

// namedPreview is the body of a preview.
type namedPreview struct {
	namedDeployment
	events   int
	question url.Values
}

func (s *server) previewView(ctx context.Context, in *previewInput) (*previewOutput, error) {
	log, err := s.resolve(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	named, err := parsePreview(in.RawBody)
	if err != nil {
		return nil, err
	}
	query := named.question.Encode()
	if len(query) > maxQueryBytes {
		return nil, queryTooLong(len(query))
	}
	d, err := s.namedDeployment(ctx, &named.namedDeployment)
	if err != nil {
		return nil, err
	}
	undo, err := requestOf(ctx).account.DeployView(ctx, log, in.View)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	undo() // it is not deployed
	ctx, stop := s.whileAllowed(ctx)
	defer stop()
	preview, err := s.Views.Preview(ctx, log, in.View, d, view.PreviewOptions{Events: named.events, Query: query})
	if err != nil {
		return nil, s.deployProblem(ctx, err, &d, "")
	}
	if err := s.bookNow(ctx, int64(listFactor*len(preview.Answer.Body))); err != nil {
		return nil, err
	}
	return &previewOutput{s.presentPreview(ctx, &preview)}, nil
}

func (s *server) presentPreview(ctx context.Context, p *view.Preview) ViewPreview {
	out := ViewPreview{
		FromSequence: p.From, ToSequence: p.To, Events: p.Counts.Events, Ignored: p.Counts.Ignored, LeftOut: p.Earlier,
		Complete: p.Complete, StateKeys: p.StateKeys, StateBytes: p.StateBytes, AnswerType: p.Answer.Type,
	}
	if p.Counts.Events > 0 {
		out.GasPerEvent = p.Counts.Gas / p.Counts.Events
	}
	if p.AnswerError != nil {
		problem := s.present(ctx, p.AnswerError)
		out.AnswerProblem = &AnswerProblem{problem.Code, problem.Detail}
	} else if p.Answer.Type == mediaJSON {
		out.Answer = json.RawMessage(p.Answer.Body)
	} else {
		out.Answer = string(p.Answer.Body)
	}
	if p.Halt != nil {
		out.Halt = &PreviewHalt{p.Halt.Sequence, p.Halt.Reason}
	}
	return out
}

// parsePreview refuses whatever else it would have to leave out. The error is a *Problem.
func parsePreview(body []byte) (*namedPreview, error) {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '{' {
		return nil, newProblem("invalid_request",
			`the body must be a JSON object that names what to preview: put a module to /modules/{sha256} and name it by "module"`)
	}
	named := &namedPreview{}
	err := eachMember(trimmed, func(name string, value json.RawMessage) error {
		absent := string(value) == "null"
		switch {
		case name == "events" && !absent:
			events, err := strconv.ParseInt(string(value), 10, 64)
			if err != nil || events < 1 || events > view.MaxPreviewEvents {
				return newProblem("invalid_request", fmt.Sprintf(`"events" is %s; it must be a whole number from 1 to %d, or absent for %d`,
					shortened(string(value)), view.MaxPreviewEvents, view.DefaultPreviewEvents))
			}
			named.events = int(events)
		case name == "question" && !absent:
			var err error
			named.question, err = parseQuestion(value)
			return err
		case name == "events", name == "question":
		default:
			return named.member(name, value)
		}
		return nil
	})
	if err == nil {
		err = named.check()
	}
	return named, err
}

// parseQuestion reads the parameters of a query: texts, numbers, true and false, or lists of them. The error is a *Problem.
func parseQuestion(value json.RawMessage) (url.Values, error) {
	question := url.Values{}
	if value[0] != '{' {
		return nil, newProblem("invalid_request", fmt.Sprintf(`"question" is %s; it must be an object`, shortened(string(value))))
	}
	return question, eachMember(value, func(name string, value json.RawMessage) error {
		all := []json.RawMessage{value}
		if value[0] == '[' {
			if err := json.Unmarshal(value, &all); err != nil {
				return newProblem("invalid_json", "the body is not valid JSON: "+err.Error())
			}
		}
		for _, one := range all {
			text := string(one)
			switch one[0] {
			case '"':
				if err := json.Unmarshal(one, &text); err != nil {
					return newProblem("invalid_json", "the body is not valid JSON: "+err.Error())
				}
			case '{', '[', 'n':
				return newProblem("invalid_request", fmt.Sprintf(
					"the question's %s is %s; it must be a text, a number, true, false, or a list of these",
					strconv.Quote(shortened(name)), shortened(text)))
			}
			question.Add(name, text)
		}
		return nil
	})
}
