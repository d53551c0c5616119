package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/live"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/otlp"
	"github.com/tallystick/tallystick/internal/view"
)

// Problem is an error as RFC 9457 has it. Code is stable and meant for programs; the members after it are there where
// they help.
type Problem struct {
	Type   string `json:"type" doc:"urn:tallystick:problem: and the code."`
	Title  string `json:"title" doc:"The HTTP status in words."`
	Status int    `json:"status" doc:"The HTTP status."`
	Code   string `json:"code" doc:"What went wrong, for programs. Never changes its meaning." example:"sequence_mismatch"`
	Detail string `json:"detail" doc:"What went wrong and what to do, for people."`

	Fields []InvalidField `json:"fields,omitempty" doc:"Which parameters or members are wrong, and why."`
	LogID  string         `json:"log_id,omitempty" doc:"The log that has the name already."`
	Line   *int           `json:"line,omitempty" doc:"The line of a batch, from 1; in a JSON array the element, from 1."`
	Head   *int64         `json:"head,omitempty" doc:"The log's last sequence."`
	// Sequence is where a view halted, or the event that has an idempotency key.
	Sequence *int64 `json:"sequence,omitempty" doc:"The event in question."`
	Applied  *int64 `json:"applied,omitempty" doc:"How many events a building view has folded."`
	Events   *int   `json:"events,omitempty" doc:"How many of the request's events one request may have, for what its log's views need."`
	Limit    string `json:"limit,omitempty" doc:"The limit that was exceeded or reached."`
	View     string `json:"view,omitempty" doc:"The view whose guard refuses the event, or cannot be asked."`
	// Answer is the guard's.
	Answer json.RawMessage `json:"answer,omitempty" doc:"What the guard says about its refusal: a JSON object of the view's own."`
	// RequestID is that of a request that the server is to blame for.
	RequestID string `json:"request_id,omitempty" doc:"The request's id, as the header Tally-Request-Id and the server's log have it; where the status is 500 or above."`

	header  http.Header // of the response
	instead string      // the code that a gateway is not told, since it would drop what it sends; refusals are counted by it
}

// InvalidField is a parameter or a member that is wrong.
type InvalidField struct {
	Location string `json:"location,omitempty" doc:"Where it is, as in body.name or query.limit."`
	Message  string `json:"message" doc:"What is wrong with it."`
}

// Error implements error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.header }

// newProblem is a problem with the status that goes with its code.
func newProblem(code, detail string) *Problem {
	status, known := statuses[code]
	if !known { // TestCodes finds it
		status = http.StatusBadRequest
	}
	return &Problem{Type: "urn:tallystick:problem:" + code, Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

// internalDetail is all that a client sees of a fault of the server.
const internalDetail = "something went wrong in the server; its log says what"

// writeProblem responds with a problem outside of huma: to OTLP, in its own form.
func writeProblem(w http.ResponseWriter, p *Problem) {
	ours, ok := w.(*responseWriter)
	if ok && ours.request != nil {
		ours.request.refuse(p)
	}
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	if ok && ours.request != nil && ours.request.isOTLP {
		encoding := ours.request.encoding
		w.Header().Set("Content-Type", encoding.ContentType())
		w.WriteHeader(p.Status)
		_, _ = w.Write(otlp.AppendStatus(encoding, grpcCode(p.Status), p.Code+": "+p.Detail)) // the client has gone
		return
	}
	p = p.of(w.Header().Get(requestIDHeader))
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client has gone
}

// grpcCode returns the code of google.rpc.Status for an HTTP status.
func grpcCode(status int) int32 {
	const invalidArgument, notFound, permissionDenied, unimplemented, unavailable, unauthenticated = 3, 5, 7, 12, 14, 16
	switch status {
	case http.StatusUnauthorized:
		return unauthenticated
	case http.StatusForbidden:
		return permissionDenied
	case http.StatusNotFound:
		return notFound
	case http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType:
		return unimplemented
	case http.StatusServiceUnavailable:
		return unavailable
	}
	return invalidArgument
}

// of returns the problem for the request with that id. Several requests may share one problem.
func (p *Problem) of(request string) *Problem {
	if p.Status < http.StatusInternalServerError {
		return p
	}
	own := *p
	own.RequestID = request
	return &own
}

// withRequestID is a huma.Transformer.
func withRequestID(ctx huma.Context, _ string, value any) (any, error) {
	if p, ok := value.(*Problem); ok {
		requestOf(ctx.Context()).refuse(p)
		return p.of(requestOf(ctx.Context()).id), nil
	}
	return value, nil
}

// huma makes its own errors (parameters, bodies) through these; the text of an internal one stays inside.
func init() { //nolint:gochecknoinits // huma's only hooks are package variables
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return requestProblem(context.Background(), nil, status, message, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		p := requestProblem(ctx.Context(), ctx.Operation(), status, message, errs)
		for name := range p.GetHeaders() { // huma sends those of errors that operations return
			ctx.SetHeader(name, p.GetHeaders().Get(name))
		}
		return p
	}
}

// unreadBody is huma's message when a body does not arrive whole, with a status that blames the server.
const unreadBody = "cannot read request body"

// requestProblem maps huma's errors. operation is nil where huma only asks for the type of an error.
func requestProblem(ctx context.Context, operation *huma.Operation, status int, message string, errs []error) *Problem {
	switch {
	case slices.ContainsFunc(errs, func(err error) bool { return errors.Is(err, memory.ErrFull) }):
		return fullProblem()
	case limitProblem(errors.Join(errs...)) != nil:
		return limitProblem(errors.Join(errs...))
	case encodingProblem(errors.Join(errs...), nothingStored) != nil:
		return encodingProblem(errors.Join(errs...), nothingStored)
	case isStopping(ctx) && (message == unreadBody || status == http.StatusRequestTimeout):
		return stoppingProblem()
	case message == unreadBody:
		return newProblem("body_incomplete", "the body broke off before its end"+nothingStored)
	case status >= http.StatusInternalServerError:
		requestOf(ctx).fail(errors.Join(append([]error{errors.New(message)}, errs...)...))
		return newProblem("internal", internalDetail)
	case status == http.StatusRequestTimeout && operation != nil:
		return newProblem("body_timeout", fmt.Sprintf("the body did not arrive within %s; nothing was stored", operation.BodyReadTimeout))
	case status == http.StatusRequestEntityTooLarge && operation != nil:
		// huma refuses a body of exactly MaxBodyBytes, so one byte less is allowed.
		return newProblem("body_too_large", fmt.Sprintf("the body is too large: at most %d bytes are allowed", operation.MaxBodyBytes-1))
	case status == http.StatusBadRequest && len(errs) == 0:
		return newProblem("body_missing", "the request has no body; this operation needs one")
	}
	p := newProblem("invalid_request", message)
	if status == http.StatusBadRequest {
		p = newProblem("invalid_json", message)
	}
	for _, err := range errs {
		field := InvalidField{Message: err.Error()}
		var detail *huma.ErrorDetail
		if errors.As(err, &detail) {
			field = InvalidField{Message: detail.Message, Location: detail.Location}
		}
		p.Fields = append(p.Fields, field)
	}
	if len(p.Fields) > 0 {
		p.Detail = "the request is not valid: " + strings.TrimPrefix(p.Fields[0].Location+": ", ": ") + p.Fields[0].Message
	}
	return p
}

const (
	// busyRetrySeconds: a lane empties its queue within a second or two.
	busyRetrySeconds = 1
	// lockRetrySeconds: PostgreSQL releases the locks of a server that has stopped after 10 s.
	lockRetrySeconds = 5
	// outageRetrySeconds: a database restart or failover takes some seconds.
	outageRetrySeconds = 5
)

// problem maps a domain error to what the client may see, a *Problem. What it may not see is logged when the request is done.
func (s *server) problem(ctx context.Context, err error) error {
	return s.present(ctx, err).of(requestOf(ctx).id)
}

func (s *server) present(ctx context.Context, err error) *Problem {
	var revoked *Problem
	if errors.As(context.Cause(ctx), &revoked) || errors.As(err, &revoked) { // see whileAllowed and mayGoOn
		return revoked
	}
	if p := guardProblem(err); p != nil {
		return p
	}
	if p := logProblem(err); p != nil {
		return p
	}
	if p := viewProblem(err); p != nil {
		return p
	}
	if p := patternProblem(err); p != nil {
		return p
	}
	if p := searchProblem(err); p != nil {
		return p
	}
	if p := accessProblem(ctx, err); p != nil {
		return p
	}
	if p := sourceProblem(err); p != nil {
		return p
	}
	if p := alertProblem(err); p != nil {
		return p
	}
	if p := webhookProblem(err); p != nil {
		return p
	}
	if p := limitProblem(err); p != nil {
		return p
	}
	switch {
	case errors.Is(err, ingest.ErrBusy):
		return retry(newProblem("busy", "too many appends are waiting; nothing was stored, try again a little later"), busyRetrySeconds)
	case errors.Is(err, memory.ErrFull):
		return fullProblem()
	case errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, db.ErrUnavailable):
		requestOf(ctx).fail(err)
		p := newProblem("busy", "the server did not get to it in time; nothing was stored, try again a little later")
		return retry(p, busyRetrySeconds)
	case errors.Is(err, view.ErrBusy):
		return retry(newProblem("busy", "too many long queries are under way; try again a little later"), busyRetrySeconds)
	case errors.Is(err, view.ErrInquiriesBusy):
		return retry(newProblem("busy", err.Error()+"; try again a little later"), inquiryRetrySeconds)
	case errors.Is(err, ingest.ErrClosed):
		return stoppingProblem()
	case errors.Is(err, ingest.ErrOutcomeUnknown):
		requestOf(ctx).fail(err)
		p := newProblem("outcome_unknown", "the database was lost while committing: what was asked for may or may not be stored; "+
			"a retry with the same idempotency keys settles it for events, and a retry of a deploy finds what is there")
		return retry(p, outageRetrySeconds)
	case isStopping(ctx):
		return stoppingProblem()
	case errors.Is(err, db.ErrMisconfigured):
		requestOf(ctx).fail(err)
		p := newProblem("database_misconfigured", "the database cannot work until its operator has seen to it; nothing was stored; "+
			"the server's log and /readyz say what is wrong")
		return retry(p, outageRetrySeconds)
	case errors.Is(err, db.ErrConflict), errors.Is(err, db.ErrStale):
		requestOf(ctx).fail(err)
		p := newProblem("log_busy", "somebody else keeps locked what the request needs, or changes it again and again: "+
			"another server, or whoever works in the database; nothing was stored, try again")
		return retry(p, lockRetrySeconds)
	case errors.Is(err, db.ErrUnavailable):
		requestOf(ctx).fail(err)
		return retry(newProblem("database_unavailable", "the database is not available; nothing was stored, try again"), outageRetrySeconds)
	case errors.Is(err, db.ErrRejectedData):
		requestOf(ctx).fail(err)
		return newProblem("value_refused", "the database refuses a value of this request; nothing was stored")
	}
	if ctx.Err() != nil {
		return newProblem("connection_closed", "the client closed its side of the connection before the answer was ready")
	}
	requestOf(ctx).fail(err)
	return newProblem("internal", internalDetail)
}

// isStopping reports whether the request has been cut off since the server stops.
func isStopping(ctx context.Context) bool { return errors.Is(context.Cause(ctx), ingest.ErrClosed) }

func stoppingProblem() *Problem {
	return retry(newProblem("stopping", "the server is stopping; nothing was stored, try again"), busyRetrySeconds)
}

func retry(p *Problem, seconds int) *Problem {
	p.header = http.Header{"Retry-After": {strconv.Itoa(seconds)}}
	return p
}

// guardRetrySeconds is when an append may come again that a halted guard keeps out: somebody has to see to the view.
const guardRetrySeconds = 30

// guardProblem maps what guards decide. A refusal has the guard's own status.
func guardProblem(err error) *Problem {
	if refused, ok := errors.AsType[*view.RefusedByGuardError](err); ok {
		p := newProblem("refused_by_guard", fmt.Sprintf("the view %s does not admit the event; nothing was stored", refused.View))
		p.Status, p.Title, p.View, p.Answer = refused.Status, http.StatusText(refused.Status), refused.View, refused.Answer
		if refused.RetryAfter > 0 {
			p.Detail += fmt.Sprintf(", and may be in %d seconds", refused.RetryAfter)
			p = retry(p, refused.RetryAfter)
		}
		return p
	}
	if halted, ok := errors.AsType[*view.GuardHaltedError](err); ok {
		p := newProblem("guard_halted", fmt.Sprintf("the guard of the view %s is halted, and the view was deployed so that no event is "+
			"admitted without it; nothing was stored: resume, replace or retire the view", halted.View))
		p.View = halted.View
		return retry(p, guardRetrySeconds)
	}
	return nil
}

// logProblem maps the errors of logs and appends.
func logProblem(err error) *Problem {
	var invalid *event.InvalidError
	var nameTaken *eventlog.NameTakenError
	var mismatch *ingest.SequenceMismatchError
	var gone *live.GoneError
	var reused *ingest.KeyReusedError
	var ahead *ingest.TooFarAheadError
	var costly *ingest.TooCostlyError
	switch {
	case errors.As(err, &costly):
		p := newProblem("append_too_costly",
			fmt.Sprintf("%v; nothing was stored: send at most %d events like these at once", costly, costly.Events))
		p.Events = &costly.Events
		return p
	case errors.As(err, &ahead):
		return newProblem("event_too_far_ahead", ahead.Error()+"; nothing was stored")
	case errors.Is(err, eventlog.ErrLogNotFound):
		return newProblem("log_not_found", "there is no log with that id or name; POST /logs creates one")
	case errors.As(err, &gone):
		return unknownEventID(gone.Head)
	case errors.As(err, &invalid):
		return newProblem(invalid.Code, invalid.Detail)
	case errors.As(err, &nameTaken):
		p := newProblem("name_taken", "another log has that name: "+nameTaken.LogID.String())
		p.LogID = nameTaken.LogID.String()
		return p
	case errors.As(err, &mismatch):
		p := newProblem("sequence_mismatch", mismatch.Error()+"; nothing was stored")
		p.Head = &mismatch.Head
		return p
	case errors.As(err, &reused):
		p := newProblem("idempotency_key_reused", reused.Error()+"; nothing was stored: send the same bytes again, or use another key")
		if reused.Sequence > 0 {
			p.Sequence = &reused.Sequence
		}
		return p
	}
	return nil
}

// viewProblem maps the errors of views.
func viewProblem(err error) *Problem {
	var refused *view.RefusedError
	var building *view.BuildingError
	var halted *view.HaltedError
	var query *view.QueryError
	switch {
	case errors.Is(err, view.ErrViewNotFound):
		return newProblem("view_not_found", "the log has no view with that name; GET /logs/{log}/views lists them")
	case errors.Is(err, view.ErrVersionNotFound):
		return newProblem("version_not_found", "the view has no version with that number; GET /logs/{log}/views/{view}/versions lists them")
	case errors.Is(err, view.ErrViewRetired):
		return newProblem("view_retired", "the view is retired; a deploy or a rollback brings it back")
	case errors.Is(err, view.ErrNotHalted):
		return newProblem("view_not_halted", "no such version of the view is halted, so there is nothing to resume")
	case errors.As(err, &refused):
		return newProblem(refused.Code, refused.Detail)
	case errors.As(err, &building):
		p := newProblem("view_building", building.Error()+"; try again in a moment")
		p.Applied, p.Head = &building.Applied, &building.Head
		return retry(p, busyRetrySeconds)
	case errors.As(err, &halted):
		p := newProblem("view_halted", halted.Error()+"; resume it there or past that event, or deploy a corrected version")
		p.Sequence = &halted.Sequence
		return p
	case errors.As(err, &query) && query.Refused:
		return newProblem("query_refused", query.Reason)
	case errors.As(err, &query):
		return newProblem("query_failed", fmt.Sprintf("the view failed on this query: %s", query.Reason))
	}
	return nil
}

// atLine adds to a problem the line of a batch that it is about.
func atLine(err error, line int, what string) error {
	var p *Problem
	if errors.As(err, &p) {
		p.Line = &line
		p.Detail = fmt.Sprintf("%s %d: %s", what, line, p.Detail)
		return p
	}
	return err
}
