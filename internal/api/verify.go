package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/verify"
	"github.com/tallystick/tallystick/internal/view"
)

const (
	// maxVerifications bounds how many logs are verified at once: each reads a whole log.
	maxVerifications = 2
	// verifyRetrySeconds: a log of a million events takes some ten seconds, its views longer.
	verifyRetrySeconds = 10
	// maxViewsNamed bounds a list of views: no log has more.
	maxViewsNamed = view.MaxViewsPerLog
)

// LogVerification is the result of reading a log again.
type LogVerification struct {
	OK bool `json:"ok" doc:"Nothing was found: the chain is whole and leads to the head, and every view's state is what the events give."`

	LogID    string             `json:"log_id" format:"uuid" doc:"The log's id."`
	Name     string             `json:"name" doc:"The log's name."`
	From     int64              `json:"from" doc:"The first sequence that was read; 0 for an empty log."`
	To       int64              `json:"to" doc:"The last one: the head when the verification began."`
	Hash     string             `json:"hash" doc:"The head's hash."`
	Events   int64              `json:"events" doc:"Events that were read."`
	Bytes    int64              `json:"bytes" doc:"Their size as they were sent."`
	Noted    *LogHead           `json:"noted,omitempty" doc:"The head noted earlier that the log was held against."`
	Wrong    int64              `json:"wrong" doc:"How many faults were found in the log; at most the first 20 are told."`
	Faults   []LogFault         `json:"faults" nullable:"false" doc:"The first of them."`
	Views    []ViewVerification `json:"views" nullable:"false" doc:"The views that were verified."`
	Seconds  float64            `json:"seconds" doc:"How long it took."`
	Finished time.Time          `json:"finished_at" doc:"When the verification ended."`
}

// LogFault is something wrong in a log.
type LogFault struct {
	Kind     string `json:"kind" doc:"Which check it failed."`
	Sequence int64  `json:"sequence" doc:"Where it shows."`
	Detail   string `json:"detail" doc:"What is wrong, in words."`
}

// LogHead is a head that somebody noted earlier.
type LogHead struct {
	Sequence int64  `json:"sequence" doc:"The last event's place."`
	Hash     string `json:"hash" doc:"Of everything up to it, in hexadecimal."`
}

// ViewVerification is the result of folding a view's events again, or why it could not be done.
type ViewVerification struct {
	View   string     `json:"view" doc:"The view's name."`
	OK     bool       `json:"ok" doc:"Nothing differs."`
	Audit  *ViewAudit `json:"audit,omitempty" doc:"What was read and compared."`
	Code   string     `json:"code,omitempty" doc:"Why it could not be done, as a problem's code."`
	Detail string     `json:"detail,omitempty" doc:"Likewise, in words."`
}

type verifyInput struct {
	LogPath
	Views    string `query:"views" doc:"all, none, or the names of up to 64 views with commas between them; all when absent. Each is verified once."`
	Sequence int64  `query:"sequence" minimum:"0" doc:"The sequence of a head noted earlier, with its hash: the log must lead to it and past it."`
	Hash     string `query:"hash" doc:"That head's hash: 64 hexadecimal digits."`
	Accept   string `header:"Accept" hidden:"true"`
}

func (s *server) registerVerify(api huma.API) {
	report := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[LogVerification](), true, "LogVerification")
	register(s, api, access.Read, huma.Operation{
		OperationID: "verify-log", Method: http.MethodGet, Path: "/logs/{log}/verify",
		Summary: "Verify a log and its views", Tags: []string{"audit"},
		Description: "Reads the log's raw rows again, checks the hash chain and that no event is missing, " +
			"folds every view's events again in batches of other sizes, and compares the state byte for byte. " +
			"What is found is in the answer, whose ok is then false.",
		Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity},
		Responses: map[string]*huma.Response{"200": {Description: "What was read and found.", Content: map[string]*huma.MediaType{
			mediaJSON: {Schema: report},
		}}},
	}, s.verifyLog)
}

// verification is a checked request to verify a log.
type verification struct {
	log     eventlog.Log
	request verify.Request
}

func (s *server) verifyLog(ctx context.Context, in *verifyInput) (*huma.StreamResponse, error) {
	v, err := s.verification(ctx, in)
	if err != nil {
		return nil, err
	}
	give, ok := s.verifications.take(s.tenant(ctx))
	if !ok {
		p := newProblem("too_many_verifications", "as many logs as the server allows at a time, or all but one of one tenant, are being "+
			"verified; try again in a while")
		return nil, retry(p, verifyRetrySeconds)
	}
	verified := func(ctx context.Context, progress func(WorkProgress)) (any, error) {
		report, err := s.verifier.Verify(ctx, v.request, func(p verify.Progress) { progress(WorkProgress{p.Part, p.Done, p.Total}) })
		if err != nil {
			return nil, err
		}
		return s.presentVerification(ctx, v, report), nil
	}
	if inLines(in.Accept) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) { //nolint:contextcheck // it is the request's own
			defer give()
			s.reportInLines(ctx, verified)
		}}, nil
	}
	defer give()
	ctx, stop := s.whileAllowed(ctx)
	defer stop()
	report, err := verified(ctx, func(WorkProgress) {})
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return reportAtOnce(report), nil
}

// verification checks a request. The error is a *Problem.
func (s *server) verification(ctx context.Context, in *verifyInput) (v verification, err error) {
	var noted []event.Noted
	if in.Hash != "" {
		hash, err := hex.DecodeString(in.Hash)
		if err != nil || len(hash) != len(event.Hash{}) {
			return v, newProblem("invalid_hash", "hash is not 64 hexadecimal digits, as a log's head and its events have them")
		}
		noted = []event.Noted{{Sequence: in.Sequence, Hash: event.Hash(hash)}}
	} else if in.Sequence > 0 {
		return v, newProblem("invalid_hash", "sequence comes without hash: a head that was noted earlier has both")
	}
	id, err := s.resolve(ctx, in.Log)
	if err != nil {
		return v, err
	}
	if requestOf(ctx).caller.Token != nil { // a token is for events and answers, not for what there is to know of views
		if in.Views != "" && in.Views != "none" {
			return v, newProblem("missing_scope", "a token verifies a log's events alone; its views take a key")
		}
		in.Views = "none"
	}
	if v.log, err = s.Logs.Get(ctx, s.tenant(ctx), id); err != nil {
		return v, s.problem(ctx, err)
	}
	v.request = verify.Request{Log: id, Noted: noted}
	if in.Views == "none" {
		return v, nil
	}
	names, err := s.verifier.ViewNames(ctx, id, requestOf(ctx).answer)
	if err != nil {
		return v, s.problem(ctx, err)
	}
	if in.Views != "" && in.Views != "all" {
		if names, err = s.selectViews(ctx, names, in.Views); err != nil {
			return v, err
		}
	}
	v.request.Views = names
	return v, nil
}

// selectViews reads a comma-separated list of views, each of which has to be one of views. A name that comes twice counts once. The error
// is a *Problem.
func (s *server) selectViews(ctx context.Context, views []string, list string) (selected []string, err error) {
	names := strings.Split(list, ",")
	if len(names) > maxViewsNamed {
		return nil, newProblem("invalid_views", fmt.Sprintf("views names %d views; at most %d are allowed, as many as a log can have: "+
			"name each once, or leave views out for all", len(names), maxViewsNamed))
	}
	for _, name := range names {
		switch {
		case !slices.Contains(views, name):
			return nil, s.problem(ctx, view.ErrViewNotFound)
		case !slices.Contains(selected, name):
			selected = append(selected, name)
		}
	}
	return selected, nil
}

func (s *server) presentVerification(ctx context.Context, v verification, r *verify.Report) LogVerification {
	out := LogVerification{
		OK: r.OK(), LogID: v.log.ID.String(), Name: v.log.Name,
		From: r.Chain.From, To: r.Head.Sequence, Hash: hex.EncodeToString(r.Head.Hash[:]), Events: r.Chain.Events, Bytes: r.Chain.Bytes,
		Wrong: r.Chain.Wrong, Faults: make([]LogFault, len(r.Chain.Faults)), Views: make([]ViewVerification, len(r.Views)),
		Seconds: r.Duration.Seconds(), Finished: r.Finished,
	}
	for i, fault := range r.Chain.Faults {
		out.Faults[i] = LogFault(fault)
	}
	for _, noted := range v.request.Noted {
		out.Noted = &LogHead{noted.Sequence, hex.EncodeToString(noted.Hash[:])}
	}
	for i := range r.Views {
		out.Views[i] = s.presentVerdict(ctx, &r.Views[i])
	}
	return out
}

func (s *server) presentVerdict(ctx context.Context, r *verify.ViewReport) ViewVerification {
	verdict := ViewVerification{View: r.View, OK: r.OK()}
	var p *Problem
	switch {
	case r.Err == nil:
		audit := presentAudit(r.Audit)
		verdict.Audit = &audit
	case verdict.OK: // retired
		verdict.Code, verdict.Detail = "state_not_kept", "the view is retired and its state is no longer kept"
	case errors.As(s.problem(ctx, r.Err), &p):
		verdict.Code, verdict.Detail = p.Code, p.Detail
	}
	return verdict
}
