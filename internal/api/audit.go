package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/view"
)

// ViewAudit is the result of folding a view's events again.
type ViewAudit struct {
	OK      bool   `json:"ok" doc:"Every way of folding, and the stored state, agree byte for byte."`
	View    string `json:"view" doc:"The view's name."`
	Version int32  `json:"version" doc:"Which version was audited."`

	Sequence int64 `json:"sequence" doc:"The state was compared as of this event; where something differs, the first event that shows it."`

	Events     int64            `json:"events" doc:"Events folded, each in every way."`
	Skipped    int64            `json:"skipped" doc:"Events that the version leaves out, since somebody resumed it past them."`
	Keys       int64            `json:"keys" doc:"Keys of the stored state that were compared."`
	Ways       []string         `json:"ways" nullable:"false" doc:"What was compared."`
	Seconds    float64          `json:"seconds" doc:"How long it took."`
	Difference *AuditDifference `json:"difference,omitempty" doc:"Where it differs; absent where nothing does."`
}

// AuditDifference is where two ways of folding differ.
type AuditDifference struct {
	Way      string `json:"way" doc:"Which way differs from folding one event at a time."`
	Sequence int64  `json:"sequence" doc:"After which event."`

	Key string `json:"key" doc:"The first key that differs, in byte order; empty when the ways differ over what they say of the event."`

	Expected *string `json:"expected" doc:"The value one event at a time, its first 200 bytes; null: no such key."`
	Found    *string `json:"found" doc:"The value that the other way gives; null: no such key."`
}

type auditInput struct {
	ViewPath
	Version int32  `query:"version" minimum:"0" maximum:"2147483647" doc:"Which version; the one that answers when absent, else the one that did last."`
	Accept  string `header:"Accept" hidden:"true"`
}

func (s *server) registerAudit(api huma.API) {
	report := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[ViewAudit](), true, "ViewAudit")
	register(s, api, access.Read|access.Deploy, huma.Operation{
		OperationID: "audit-view", Method: http.MethodPost, Path: "/logs/{log}/views/{view}/audit",
		Summary: "Fold a view's events again and compare", Tags: []string{"views"}, Metadata: map[string]any{forKeys: true},
		Description: "Folds the raw events one by one, in batches, in uneven batches after a restart, and many in one call, " +
			"and compares what each gives with the others and with the stored state, byte for byte. " +
			"It takes as long as reading the log three times or so; appends go on meanwhile.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusUnprocessableEntity},
		Responses: map[string]*huma.Response{"200": {
			Description: "The result of folding a view's events again.",
			Content:     map[string]*huma.MediaType{mediaJSON: {Schema: report}},
		}},
	}, s.auditView)
}

func (s *server) auditView(ctx context.Context, in *auditInput) (*huma.StreamResponse, error) {
	log, err := s.resolve(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	audited := func(ctx context.Context, progress func(WorkProgress)) (any, error) {
		report, err := s.Views.Audit(ctx, log, in.View, view.AuditOptions{Version: in.Version}, func(done, total int64) {
			progress(WorkProgress{in.View, done, total})
		})
		if err != nil {
			return nil, err
		}
		return presentAudit(report), nil
	}
	if inLines(in.Accept) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) { //nolint:contextcheck // it is the request's own
			s.reportInLines(ctx, audited)
		}}, nil
	}
	ctx, stop := s.whileAllowed(ctx)
	defer stop()
	report, err := audited(ctx, func(WorkProgress) {})
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return reportAtOnce(report), nil
}

func presentAudit(r view.Report) ViewAudit {
	a := ViewAudit{
		OK: r.OK, View: r.View, Version: r.Version, Sequence: r.Sequence, Events: r.Events, Skipped: r.Skipped, Keys: r.Keys,
		Ways: r.Ways, Seconds: r.Duration.Seconds(),
	}
	if d := r.Difference; d != nil {
		a.Difference = &AuditDifference{
			Way: d.Way, Sequence: d.Sequence, Key: d.Key, Expected: presentText(d.Expected), Found: presentText(d.Found),
		}
	}
	return a
}

// presentText returns nil, which is null in JSON, for an empty text.
func presentText(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
