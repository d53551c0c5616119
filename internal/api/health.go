package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
)

// Health says that the server's process is alive.
type Health struct {
	Status string `json:"status" example:"ok" doc:"ok."`
}

type healthOutput struct{ Body Health }

// Readiness says that the server can store events.
type Readiness struct {
	Status   string   `json:"status" example:"ok" doc:"ok."`
	Warnings []string `json:"warnings,omitempty" doc:"What an operator should see to; the server serves all the same. For keys with the scope operator."`
}

type readyOutput struct{ Body Readiness }

// NotReadyError is why the server cannot store events, in words that anybody may read.
type NotReadyError struct {
	Reason string
	Err    error // what it came from, for the log
}

func (e *NotReadyError) Error() string { return e.Reason + ": " + e.Err.Error() }

// Unwrap lets errors.Is and As see the cause.
func (e *NotReadyError) Unwrap() error { return e.Err }

func (s *server) registerHealth(api huma.API) {
	register(s, api, anybody, huma.Operation{
		OperationID: "health", Method: http.MethodGet, Path: "/healthz",
		Summary: "Is the process alive?", Description: "Asks nothing of the database.",
		Tags: []string{"health"}, Metadata: map[string]any{anyQuery: true},
	}, s.healthz)
	register(s, api, anybody, huma.Operation{
		OperationID: "ready", Method: http.MethodGet, Path: "/readyz",
		Summary:     "Can the server reach its database, and store events there?",
		Description: "Who asks with a key of the scope operator gets warnings, too.", Tags: []string{"health"},
		Metadata: map[string]any{anyQuery: true},
	}, s.readyz)
}

func (s *server) healthz(context.Context, *struct{}) (*healthOutput, error) {
	out := &healthOutput{}
	out.Body.Status = "ok"
	return out, nil
}

func (s *server) readyz(ctx context.Context, _ *struct{}) (*readyOutput, error) {
	if err := s.Ready(ctx); err != nil {
		requestOf(ctx).fail(err)
		detail := "the database does not answer"
		var known *NotReadyError
		if errors.As(err, &known) {
			detail = "appends cannot be stored: " + known.Reason
		}
		return nil, retry(newProblem("not_ready", detail), outageRetrySeconds)
	}
	out := &readyOutput{}
	out.Body.Status = "ok"
	if caller, p := s.identify(ctx); p != nil || !caller.Scopes.Has(access.Operator) {
		return out, nil // warnings name logs of all tenants
	}
	if s.Warnings != nil {
		out.Body.Warnings = s.Warnings()
	}
	out.Body.Warnings = append(out.Body.Warnings, s.ahead.warnings()...)
	return out, nil
}
