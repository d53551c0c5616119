package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/framing"
	"github.com/tallystick/tallystick/internal/intake"
	"github.com/tallystick/tallystick/internal/otlp"
)

const (
	// maxDeliveryBytes bounds a delivery, decompressed.
	maxDeliveryBytes = 32 << 20
	// maxRecordBytes bounds one record of a delivery: what a mapping makes of it may be of event.MaxBytes.
	maxRecordBytes = 4 << 20
)

// gateway is one of the paths to which gateways send: what comes there, and how it is answered.
type gateway struct {
	name, path string // the path after that of the source
	form       intake.Form
	signal     otlp.Signal // of OTLP
	summary    string
	body       string // what the body holds
	answer     string // what a client gets to see
}

const (
	eventsPath    = "/events"
	openMeterPath = "/api/v1/events"
)

const sourcePrefix = "/sources/{source}"

var gateways = []gateway{
	{
		name: "events", path: eventsPath, form: intake.Events,
		summary: "Send events to a source",
		body: "One JSON object, an array, or values one after the other, with or without line breaks; or a CloudEvent in structured, " +
			"batch or binary mode. What it is shows in its bytes.",
		answer: "How many lines were stored, were there before, were skipped by the mapping, or could not be stored and are kept in the " +
			"source's log of rejects. With Accept: application/x-ndjson, a line for each.",
	},
	{
		name: "openmeter-events", path: openMeterPath, form: intake.Events,
		summary: "Send CloudEvents to a source, as to OpenMeter",
		body:    "A CloudEvent, or an array of them.",
		answer:  "Everything is stored, or kept in the source's log of rejects.",
	},
	{
		name: "otlp-logs", path: "/v1/logs", form: intake.Logs, signal: otlp.LogSignal,
		summary: "Send log records to a source, by OTLP/HTTP",
		body:    "An ExportLogsServiceRequest, as protobuf or JSON.",
		answer:  "An ExportLogsServiceResponse; partial_success tells of records that are kept in the source's log of rejects.",
	},
	{
		name: "otlp-traces", path: "/v1/traces", form: intake.Traces, signal: otlp.TraceSignal,
		summary: "Send spans to a source, by OTLP/HTTP",
		body:    "An ExportTraceServiceRequest, as protobuf or JSON.",
		answer:  "An ExportTraceServiceResponse; partial_success tells of spans that are kept in the source's log of rejects.",
	},
}

// SourcePath is the {source} of a path.
type SourcePath struct {
	Source string `path:"source" doc:"The source's name." example:"litellm"`
}

// defaultSource stands for SourcePath in paths that name no source.
type defaultSource struct{}

func (p *SourcePath) sourceName() string  { return p.Source }
func (*defaultSource) sourceName() string { return intake.DefaultSource }

// DeliveryHeaders are the headers of a delivery that an operation reads.
type DeliveryHeaders struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"Lines without an identity of their own get this key, with :n added for line n, from 0."`
}

type namedDelivery struct {
	SourcePath
	DeliveryHeaders
}

type defaultDelivery struct {
	defaultSource
	DeliveryHeaders
}

// ValidationHeaders are the headers of a webhook's validation.
type ValidationHeaders struct {
	Origin string `header:"WebHook-Request-Origin" doc:"Who wants to deliver."`
}

func (h *ValidationHeaders) origin() string { return h.Origin }

type namedValidation struct {
	SourcePath
	ValidationHeaders
}

type defaultValidation struct {
	defaultSource
	ValidationHeaders
}

// ofSource is what all inputs of gateways are.
type ofSource interface{ sourceName() string }

func (s *server) registerIntake(api huma.API) {
	for _, g := range gateways {
		registerGateway[namedDelivery, namedValidation](s, api, g, sourcePrefix)
		registerGateway[defaultDelivery, defaultValidation](s, api, g, "")
	}
}

// registerGateway registers what a gateway's path takes: deliveries, and what health checks and Event Grid ask before.
func registerGateway[D, V any](s *server, api huma.API, g gateway, at string) {
	where := "To the source of that name."
	if at == "" {
		where = "To the source " + intake.DefaultSource + "."
	}
	tags, path, status := []string{"gateways"}, at+g.path, http.StatusOK
	if g.path == openMeterPath {
		status = http.StatusNoContent
	}
	register(s, api, access.Append, huma.Operation{
		OperationID: "send-" + g.name, Method: http.MethodPost, Path: path, Summary: g.summary, Tags: tags, Hidden: at == "",
		Description: where + " Takes Content-Encoding gzip and zstd, and at most 32 MiB decompressed, of any number of lines. " +
			"The answer comes when all of it is durable. What is transient is 503 with Retry-After, never 408, 429 or " +
			"500: send the same again.",
		Errors: []int{http.StatusRequestEntityTooLarge}, Metadata: map[string]any{anyQuery: true, gatewayOperation: true},
		DefaultStatus: status, Responses: map[string]*huma.Response{strconv.Itoa(status): {Description: g.answer}},
	}, func(ctx context.Context, in *D) (*huma.StreamResponse, error) { return s.take(ctx, g, in) })
	if at != "" {
		g.describe(api, api.OpenAPI().Paths[path].Post, strconv.Itoa(status))
	}
	register(s, api, anybody, huma.Operation{
		OperationID: "check-" + g.name, Method: http.MethodGet, Path: path, Tags: tags, Hidden: true,
		Summary:     "Is there somebody who takes deliveries?",
		Description: "For health checks of gateways; says nothing of the source.", Metadata: map[string]any{anyQuery: true},
	}, func(ctx context.Context, _ *V) (*healthOutput, error) { return s.healthz(ctx, nil) })
	register(s, api, anybody, huma.Operation{
		OperationID: "validate-" + g.name, Method: http.MethodOptions, Path: path, Tags: tags, Hidden: true,
		Summary: "May an origin deliver here?",
		Description: "The validation of CloudEvents' webhooks, which Event Grid asks for: for origins that the source's mapping names. " +
			"Without a key that may append, for Event Grid alone, and the answer says nothing of the source.",
		DefaultStatus: http.StatusOK, Metadata: map[string]any{anyQuery: true},
	}, func(ctx context.Context, in *V) (*validationOutput, error) { return s.validateWebhook(ctx, in) })
}

type validationOutput struct {
	Allow  string `header:"Allow"`
	Origin string `header:"WebHook-Allowed-Origin"`
	Rate   string `header:"WebHook-Allowed-Rate"`
}

// eventGridOrigin is who may ask without a key: Azure Event Grid need not send the headers of its deliveries when it validates.
const eventGridOrigin = "eventgrid.azure.net"

// validateWebhook follows section 4 of CloudEvents' HTTP 1.1 Web Hooks.
func (s *server) validateWebhook(ctx context.Context, in any) (*validationOutput, error) {
	origins := []string{eventGridOrigin}
	caller, p := s.identify(ctx)
	if p == nil {
		p = permit(caller, access.Append, requestOf(ctx).operation)
	}
	switch {
	case p == nil:
		requestOf(ctx).caller = caller
		source, err := s.source(ctx, in)
		if err != nil {
			return nil, err
		}
		origins = source.Mapping.Origins()
	case p.Status != http.StatusUnauthorized && p.Status != http.StatusForbidden:
		return nil, forGateway(p)
	}
	out := &validationOutput{Allow: "GET, HEAD, POST, OPTIONS"}
	origin := in.(interface{ origin() string }).origin() //nolint:forcetypeassert // all inputs of validations have one
	for _, allowed := range origins {
		if origin != "" && (allowed == "*" || strings.EqualFold(allowed, origin)) {
			out.Origin, out.Rate = origin, "*"
		}
	}
	return out, nil
}

// source returns the source that a path names. The error is a *Problem.
func (s *server) source(ctx context.Context, in any) (*intake.Source, error) {
	name := in.(ofSource).sourceName() //nolint:forcetypeassert // all inputs of gateways are
	source, err := s.Sources.Get(ctx, s.tenant(ctx), name)
	if err != nil {
		return nil, s.transient(ctx, err)
	}
	return source, nil
}

// take takes a delivery, and answers by itself whatever becomes of it.
func (s *server) take(ctx context.Context, g gateway, in any) (*huma.StreamResponse, error) {
	source, err := s.source(ctx, in)
	if p := (*Problem)(nil); errors.As(err, &p) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			_, w := humago.Unwrap(ctx)
			writeProblem(w, p)
		}}, nil
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) { //nolint:contextcheck // it is the request's own
		r, w := humago.Unwrap(ctx)
		room := s.Bodies.Hold()
		defer room.Release()
		caller := requestOf(r.Context()).caller
		d := s.Intake.Deliver(source, intake.Sender{
			Tenant: caller.Tenant, Sees: caller.SeesLog, Account: requestOf(r.Context()).account, Room: room,
			Placed: s.placed(caller.Tenant),
			Still:  func() error { return s.recheck(r.Context()) },
			Path:   requestOf(r.Context()).operation.Path, RequestID: requestOf(r.Context()).id, KeyName: caller.KeyName,
		}, g.form)
		d.Key = r.Header.Get("Idempotency-Key")
		t := &taking{server: s, gateway: g, source: source, delivery: d, room: room, r: r, w: w}
		t.run()
	}}, nil
}

// transient maps an error of a delivery to a *Problem.
func (s *server) transient(ctx context.Context, err error) *Problem {
	return forGateway(s.present(ctx, err)).of(requestOf(ctx).id)
}

// forGateway turns a problem that may pass into 503: gateways drop what is answered with 408, 429 or 500.
func forGateway(p *Problem) *Problem {
	switch p.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError:
		return notStored(p)
	default:
		return p
	}
}

// notFinal turns a problem that no client has made into 503: whatever keeps a portion from being stored, its lines must come again.
func notFinal(p *Problem) *Problem {
	switch p.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable:
		return p
	default:
		return notStored(p)
	}
}

func notStored(p *Problem) *Problem {
	instead := newProblem("not_stored", "not all of it could be stored ("+p.Code+": "+p.Detail+
		"): send the same again; what is stored is found by its identity")
	instead.instead, instead.RequestID = p.Code, p.RequestID
	after := p.header.Get("Retry-After")
	if instead = retry(instead, busyRetrySeconds); after != "" {
		instead.header.Set("Retry-After", after)
	}
	return instead
}

// gatewayOperation marks, in an operation's metadata, one that gateways send deliveries to.
const gatewayOperation = "for gateways"

func (r *request) isDelivery() bool {
	return r.operation != nil && r.operation.Metadata[gatewayOperation] != nil
}

// gatewayAt returns the gateway to which deliveries are sent there; nil for none.
func gatewayAt(path string) *gateway {
	if rest, ok := strings.CutPrefix(path, "/sources/"); ok {
		_, path, _ = strings.Cut(rest, "/")
		path = "/" + path
	}
	if i := slices.IndexFunc(gateways, func(g gateway) bool { return g.path == path }); i >= 0 {
		return &gateways[i]
	}
	return nil
}

// cameBefore ends the text of a problem with a body.
const cameBefore = "; what came before is stored, and found by its identity when it comes again"

// deliveryProblem maps what is wrong with a body; nil where err is of another kind.
func deliveryProblem(err error) *Problem {
	var syntax *framing.SyntaxError
	var invalid *otlp.InvalidError
	var mediaType *framing.TypeError
	var header *framing.HeaderError
	if p := encodingProblem(err, cameBefore); p != nil {
		return p
	}
	switch {
	case errors.As(err, &syntax):
		return newProblem("invalid_json", syntax.Error()+cameBefore)
	case errors.As(err, &invalid):
		return newProblem("invalid_otlp", invalid.Error()+cameBefore)
	case errors.As(err, &mediaType):
		return newProblem("unsupported_media_type", mediaType.Error())
	case errors.As(err, &header):
		return newProblem("invalid_request", header.Error())
	}
	return nil
}
