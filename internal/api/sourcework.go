package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/framing"
	"github.com/tallystick/tallystick/internal/intake"
	"github.com/tallystick/tallystick/internal/source"
)

// maxTestBytes bounds a payload that a source is tested with.
const maxTestBytes = 1 << 20

// TestedLine is what a source would make of a record.
type TestedLine struct {
	Line    int             `json:"line" doc:"Which record of the payload, from 1; those of one envelope share it."`
	Outcome string          `json:"outcome" enum:"mapped,skipped,rejected" doc:"What would become of it."`
	Log     string          `json:"log,omitempty" doc:"Where it would go. Whether there is such a log is not looked at."`
	Key     string          `json:"key,omitempty" doc:"What the event would be known by; absent where nothing identifies it."`
	Event   json.RawMessage `json:"event,omitempty" doc:"The event, of a record that is mapped."`
	Code    string          `json:"code,omitempty" doc:"Why it would be rejected."`
	Detail  string          `json:"detail,omitempty" doc:"Likewise, for people."`
}

type testSourceInput struct {
	SourcePath
	As      string `query:"as" enum:"events,logs,traces" default:"events" doc:"How the payload would come: to events, or as OTLP's logs or traces."`
	Version int64  `query:"version" minimum:"1" doc:"Which version of the source; the present one when absent."`
	RawBody []byte `contentType:"application/json"`
}

// SourceTest is what a source would make of a payload.
type SourceTest struct {
	Version  int64        `json:"version" doc:"Of the source."`
	Lines    []TestedLine `json:"lines" nullable:"false" doc:"What would become of each record."`
	Mapped   int          `json:"mapped" doc:"How many records would become events."`
	Skipped  int          `json:"skipped" doc:"How many the mapping does not select."`
	Rejected int          `json:"rejected" doc:"How many would be rejected."`
	More     bool         `json:"more,omitempty" doc:"The payload has more than is shown: 1,000 lines, or 4 MiB of events."`
}

type testSourceOutput struct{ Body SourceTest }

// ReplaySource says which rejects are to be mapped again.
type ReplaySource struct {
	From  int64 `json:"from,omitempty" minimum:"0" doc:"The first sequence of the log of rejects; its beginning when absent."`
	Limit int   `json:"limit,omitempty" minimum:"0" maximum:"10000" doc:"How many rejects at most; 1000 when absent."`
}

type replayInput struct {
	SourcePath
	Body ReplaySource
}

// FirstRejected is a reject that still cannot be stored.
type FirstRejected struct {
	Sequence int64  `json:"sequence" doc:"Of the reject."`
	Code     string `json:"code" doc:"Why, for programs."`
	Detail   string `json:"detail" doc:"Why, for people."`
}

// SourceReplay says what became of rejects that were mapped again.
type SourceReplay struct {
	Read        int `json:"read" doc:"Rejects that were looked at."`
	Stored      int `json:"stored" doc:"Events that are new."`
	Duplicates  int `json:"duplicates" doc:"Events that were there before."`
	Skipped     int `json:"skipped" doc:"Records that the mapping does not select."`
	Rejected    int `json:"rejected" doc:"Records that still cannot be stored; they stay in the log of rejects as they are."`
	Unavailable int `json:"unavailable" doc:"Rejects of which too little was kept, or that were never a record."`

	FirstRejected *FirstRejected `json:"first_rejected,omitempty" doc:"The first that still cannot be stored."`

	Next int64 `json:"next,omitempty" doc:"Pass it as from to go on; absent at the end of the log of rejects."`
}

type replayOutput struct{ Body SourceReplay }

func (s *server) registerSourceWork(api huma.API) {
	tags := []string{"sources"}
	path := sourcePrefix + "/test"
	register(s, api, access.Read|access.Deploy, huma.Operation{
		OperationID: "test-source", Method: http.MethodPost, Path: path, Summary: "Show what a source would make of a payload", Tags: tags,
		Description: "Stores nothing, and looks for no logs: what is mapped can still be rejected for a log that there is not, or for an " +
			"identity that another event has.",
		MaxBodyBytes: maxTestBytes + 1, SkipValidateBody: true, Errors: []int{http.StatusNotFound}, Metadata: takingEncodings(),
	}, s.testSource)
	describeBody(api, path, map[string]*huma.Schema{
		"application/json":       {Description: "As it would be sent."},
		"application/x-protobuf": {Description: "As it would be sent by OTLP."},
	})
	register(s, api, access.Append, huma.Operation{
		OperationID: "replay-source", Method: http.MethodPost, Path: sourcePrefix + "/replay",
		Summary: "Map a source's rejects again, and store what maps now", Tags: tags,
		Description: "After its mapping was corrected. To replay what is stored already stores nothing: events are known by their " +
			"identity, and those without one by that of their reject.",
		MaxBodyBytes: maxAccessBytes, Errors: []int{http.StatusNotFound},
	}, s.replaySource)
}

func (s *server) testSource(ctx context.Context, in *testSourceInput) (*testSourceOutput, error) {
	tested, err := s.sourceVersion(ctx, in.Source, in.Version)
	if err != nil {
		return nil, err
	}
	if tested.Mapping == nil {
		return nil, s.problem(ctx, intake.ErrSourceNotFound) // it was deleted by that version
	}
	if err := s.book(ctx, listFactor*maxTestBytes); err != nil {
		return nil, err
	}
	payload, err := payloadOf(requestOf(ctx), intake.Form(in.As), in.RawBody)
	if err != nil {
		return nil, deliveryProblem(err)
	}
	shown := intake.PreviewPayload(tested.Mapping, intake.Form(in.As), requestOf(ctx).contentType, payload)
	out := &testSourceOutput{}
	out.Body.Version, out.Body.More = tested.Version, shown.More
	out.Body.Mapped, out.Body.Skipped, out.Body.Rejected = shown.Mapped, shown.Skipped, shown.Rejected
	out.Body.Lines = make([]TestedLine, len(shown.Lines))
	size := 0
	for i, line := range shown.Lines {
		size += 1<<9 + len(line.Event)
		out.Body.Lines[i] = TestedLine{
			Line: line.Line, Outcome: outcomes[line.Outcome], Log: line.Log, Key: line.Key, Event: line.Event,
			Code: line.Code, Detail: line.Detail,
		}
	}
	return out, s.bookNow(ctx, int64(listFactor*size))
}

// payloadOf returns what is tested: a CloudEvent in binary mode has a part of it in headers. The error is one of deliveryProblem's.
func payloadOf(request *request, form intake.Form, body []byte) ([]byte, error) {
	if form != intake.Events {
		return body, nil
	}
	if framing.Kind(request.contentType, request.header) == framing.Binary {
		header := request.header.Clone()
		header.Set("Content-Type", request.contentType)
		return framing.BinaryEvent(header, body)
	}
	return body, framing.CheckType(request.contentType)
}

var outcomes = map[source.Outcome]string{source.Mapped: "mapped", source.Skipped: "skipped", source.Rejected: "rejected"}

// defaultReplayed is how many rejects a replay looks at unless it says otherwise.
const defaultReplayed = 1000

func (s *server) replaySource(ctx context.Context, in *replayInput) (*replayOutput, error) {
	replayed, err := s.sourceVersion(ctx, in.Source, 0)
	if err != nil {
		return nil, err
	}
	caller, out := requestOf(ctx).caller, &replayOutput{}
	if !caller.SeesLog(intake.RejectsOf(in.Source)) {
		return nil, outsidePattern("logs that the source's log of rejects is not among")
	}
	rejects, err := s.Logs.Resolve(ctx, caller.Tenant, intake.RejectsOf(in.Source))
	if errors.Is(err, eventlog.ErrLogNotFound) {
		return out, nil // nothing was ever rejected
	} else if err != nil {
		return nil, s.problem(ctx, err)
	}
	ctx, stop := s.whileAllowed(ctx)
	defer stop()
	room := s.Bodies.Hold()
	defer room.Release()
	limit := in.Body.Limit
	if limit == 0 {
		limit = defaultReplayed
	}
	done, err := s.Intake.Replay(ctx, replayed, intake.Sender{
		Tenant: caller.Tenant, Sees: caller.SeesLog, Account: requestOf(ctx).account, Room: room, Placed: s.placed(caller.Tenant),
		Still: func() error { _, err := s.rechecked(ctx); return err },
	}, rejects, s.Events, in.Body.From, limit)
	if errors.Is(err, eventlog.ErrLogNotFound) && s.Logs.Forget(caller.Tenant, rejects.Name) { // the database was set back
		return s.replaySource(ctx, in)
	} else if err != nil {
		return nil, s.problem(ctx, err)
	}
	b := &out.Body
	b.Read, b.Unavailable = done.Read, done.Unavailable
	b.Stored, b.Duplicates, b.Skipped, b.Rejected = done.Stored, done.Duplicates, done.Skipped, done.Rejected
	if first := done.FirstRejected; first != nil {
		b.FirstRejected = &FirstRejected{Sequence: int64(first.Line), Code: first.Code, Detail: first.Detail}
	}
	if !done.Done {
		b.Next = done.Next
	}
	return out, nil
}
