// Package api is Tallystick's HTTP interface: operations, their OpenAPI description, and errors as RFC 9457 problems.
// It holds no SQL and runs no WebAssembly.
package api

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/activity"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/checkpoint"
	"github.com/tallystick/tallystick/internal/dashboard"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/intake"
	"github.com/tallystick/tallystick/internal/limits"
	"github.com/tallystick/tallystick/internal/live"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/tracing"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/verify"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/internal/webhook"
	"github.com/tallystick/tallystick/views"
)

// Services is what the operations act on.
type Services struct {
	// Keys asks for a key with every request. Without, one that has none may do everything.
	Keys    bool
	Gate    *access.Gate     // checks keys
	Access  *access.Registry // of tenants and keys
	Limiter *limits.Limiter  // of what callers may use; nil: they may use everything
	Logs    *eventlog.Logs
	Ingest  *ingest.Ingester
	Views   *view.Views
	// ReadyViews can be deployed by their names; nil: those that come with the program.
	ReadyViews views.Catalog
	Events     *eventlog.Reader
	Sources    *intake.Registry
	Intake     *intake.Intake
	Live       *live.Hub
	Webhooks   *webhook.Webhooks
	Alerts     *alert.Alerts
	Activity   *activity.Activity
	Signer     *checkpoint.Signer          // of checkpoints; nil where the server has no key
	Ready      func(context.Context) error // returns why the server cannot serve; nil when it can
	// Warnings returns what an operator should fix while the server serves; nil when there never are any.
	Warnings func() []string
	Log      *slog.Logger
	// AllowHosts are the hosts that requests may name beside this machine's own, where no keys are asked for; AnyHost allows all.
	AllowHosts []string
	// Origins are those whose pages may read answers in browsers, with a token.
	Origins []string
	// NoDashboard has nothing served at /.
	NoDashboard bool
	Proxies     Proxies // whose word for the address of a client is taken
	// Streams is how many streams of events go on at a time; 0 stands for 8. Each uses a connection of the database while it reads.
	Streams int
	// BodyTimeout is how long a client may take to send a body; 0 stands for 30 seconds.
	BodyTimeout time.Duration
	// Bodies and Answers bound the memory of request bodies and of responses; nil: without bound.
	Bodies, Answers *memory.Book
	// WriteTimeout is how long a client may read nothing of a response; 0 stands for 30 seconds.
	WriteTimeout time.Duration
	// WatchTimeout is how long a client that watches may take to read what is sent at once; 0 stands for 10 seconds.
	WatchTimeout time.Duration
	// Stats counts requests, for whoever shows the counts; nil: for nobody.
	Stats *Stats
	// Tracer makes spans of requests; nil: of none.
	Tracer *tracing.Tracer
	// RequestLog gets a line for each request; nil: none is written.
	RequestLog *slog.Logger
}

type server struct {
	Services
	hosts         hosts
	anyone        *access.Caller // where no keys are asked for
	streams       *slots         // of streams of events
	verifications *slots
	longBodies    *slots // of deliveries of which much is held
	searches      *slots // of lists that look at everything that a tenant has
	verifier      *verify.Verifier
	queries       live.SharedQueries // that watchers have views answer
	ahead         ahead
	held          atomic.Int64 // refusals that are held back
	sending       sending
}

// New returns the handler of all operations.
func New(services Services) http.Handler {
	if services.BodyTimeout == 0 {
		services.BodyTimeout = bodyTimeout
	}
	if services.WriteTimeout == 0 {
		services.WriteTimeout = answerWriteTimeout
	}
	if services.WatchTimeout == 0 {
		services.WatchTimeout = sseWriteTimeout
	}
	if services.Streams == 0 {
		services.Streams = defaultStreams
	}
	if services.ReadyViews == nil {
		services.ReadyViews = views.BuiltIn()
	}
	if services.Stats == nil {
		services.Stats = NewStats()
	}
	services.Log = slog.New(tracing.LogHandler(services.Log.Handler()))
	if services.RequestLog != nil {
		services.RequestLog = slog.New(tracing.LogHandler(services.RequestLog.Handler()))
	}
	s := &server{
		Services: services, hosts: newHosts(services.AllowHosts), streams: newSlots(services.Streams),
		verifications: newSlots(maxVerifications), searches: newSlots(max(2, services.Streams/2)), sending: newSending(),
		verifier: verify.New(services.Events, services.Views),
		anyone:   access.Anyone(db.DefaultTenant, db.DefaultTenantName),
	}
	s.longBodies = newSlots(max(2, int(s.Bodies.Total()/LargestBody)))
	if s.Bodies == nil {
		s.longBodies = newSlots(math.MaxInt)
	}
	s.Stats.streams, s.Stats.verifies = s.streams.inUse, s.verifications.inUse
	mux := http.NewServeMux()
	direct := &directMux{ServeMux: mux}
	api := humago.New(direct, config())
	s.register(api)
	direct.direct = map[string]func(http.ResponseWriter, *http.Request) bool{
		http.MethodPost + " " + appendPath: s.directAppend(api.OpenAPI().Paths[appendPath].Post),
	}
	serveDocs(mux)
	dashboard.Serve(mux, s.Origins, !s.NoDashboard)
	mux.Handle("/", unrouted(mux))
	return s.guard(mux)
}

// OpenAPI returns the API's description as YAML.
func OpenAPI() ([]byte, error) {
	s := &server{}
	api := humago.New(http.NewServeMux(), config())
	s.register(api)
	return api.OpenAPI().YAML()
}

func config() huma.Config {
	config := huma.DefaultConfig("Tallystick", Version)
	config.Info.Description = "Usage metering: append events to immutable logs, " +
		"fold them through WebAssembly views in the same transaction, query the result at once."
	config.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	config.CreateHooks = nil // no $schema member in responses: they are exactly what the documentation shows
	config.SchemasPath = ""
	config.DocsPath = "" // huma's page loads its program from elsewhere: see serveDocs
	config.Transformers = append(config.Transformers, withRequestID)
	config.Components.SecuritySchemes = securitySchemes
	return config
}

func (s *server) register(api huma.API) {
	api.UseMiddleware(s.authorize, checkParameters)
	s.registerLogs(api)
	s.registerActivity(api)
	s.registerAppend(api)
	s.registerEvents(api)
	s.registerExplain(api)
	s.registerIntake(api)
	s.registerVerify(api)
	s.registerLive(api)
	s.registerCheckpoint(api)
	s.registerViews(api)
	s.registerViewStates(api)
	s.registerSources(api)
	s.registerSourceWork(api)
	s.registerTenants(api)
	s.registerKeys(api)
	s.registerTokens(api)
	s.registerCaller(api)
	s.registerWebhooks(api)
	s.registerAlerts(api)
	s.registerRecord(api)
	s.registerHealth(api)
	describe(api.OpenAPI())
}

// register adds an operation for callers that have one of the scopes, or for anybody; and to its description the errors that any operation
// of its kind may return.
func register[I, O any](
	s *server, api huma.API, scopes access.Scopes, operation huma.Operation, handler func(context.Context, *I) (*O, error),
) {
	common := []int{
		http.StatusBadRequest, http.StatusMisdirectedRequest, http.StatusUnprocessableEntity, http.StatusInternalServerError,
		http.StatusServiceUnavailable,
	}
	if operation.Method != http.MethodGet {
		common = append(common, http.StatusForbidden, http.StatusUnsupportedMediaType)
	}
	if operation.MaxBodyBytes > 0 {
		common = append(common, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge)
	}
	if operation.Metadata == nil {
		operation.Metadata = map[string]any{}
	}
	if _, owns := any(new(I)).(interface{ ownsQuery() }); owns {
		operation.Metadata[anyQuery] = true
	}
	common = append(common, restrict(&operation, scopes)...)
	operation.BodyReadTimeout = s.BodyTimeout
	operation.Metadata[hiddenQuery] = hiddenParameters(reflect.TypeFor[I]())
	mustBeBounded(reflect.TypeFor[I]())
	describeProblems(api, &operation, append(common, operation.Errors...))
	huma.Register(api, operation, resolvingAnew(s, handler))
}

// mustBeBounded panics over an operation's input with a parameter of fewer than 64 bits that has no maximum: huma cuts off what does not
// fit, and 4294967297 would be 1.
func mustBeBounded(input reflect.Type) {
	for _, field := range reflect.VisibleFields(input) {
		if field.Tag.Get("query") == "" && field.Tag.Get("path") == "" && field.Tag.Get("header") == "" {
			continue
		}
		kind := field.Type.Kind()
		narrow := kind >= reflect.Int && kind <= reflect.Int32 || kind >= reflect.Uint && kind <= reflect.Uint32
		if narrow && field.Tag.Get("maximum") == "" {
			panic("the parameter " + field.Name + " of " + input.String() + " needs a maximum: it has fewer than 64 bits")
		}
	}
}

// resolvingAnew runs an operation, if its caller may still do it, and a second time when the log that a name resolved to turns out not to
// exist, in which case nothing was stored: the database may have been restored to a time before the log was created, and the name may
// belong to another log by now.
func resolvingAnew[I, O any](s *server, handler func(context.Context, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		if err := s.recheck(ctx); err != nil && !requestOf(ctx).isDelivery() { // which asks as its body arrives
			return nil, err
		}
		out, err := handler(ctx, in)
		path, ok := any(in).(interface{ logRef() string })
		var p *Problem
		if ok && errors.As(err, &p) && p.Code == "log_not_found" && s.Logs.Forget(s.tenant(ctx), path.logRef()) {
			return handler(ctx, in)
		}
		return out, err
	}
}

// tenant is whose logs a request sees.
func (s *server) tenant(ctx context.Context) uuid.UUID { return requestOf(ctx).caller.Tenant }

// find returns a log among those that there are for the caller. The error is a *Problem.
func (s *server) find(ctx context.Context, ref string) (eventlog.Ref, error) {
	caller := requestOf(ctx).caller
	log, err := s.Logs.Resolve(ctx, caller.Tenant, ref)
	if err == nil && !caller.SeesLog(log.Name) {
		err = eventlog.ErrLogNotFound
	}
	if err != nil {
		return eventlog.Ref{}, s.problem(ctx, err)
	}
	return log, nil
}

// resolve is find for the log that a request is about.
func (s *server) resolve(ctx context.Context, ref string) (uuid.UUID, error) {
	log, err := s.find(ctx, ref)
	if err == nil {
		requestOf(ctx).log = log.ID
	}
	return log.ID, err
}

// resolveView is resolve for the log of a view that there must be for the caller.
func (s *server) resolveView(ctx context.Context, in *ViewPath) (uuid.UUID, error) {
	log, err := s.resolve(ctx, in.Log)
	if err == nil && !requestOf(ctx).caller.SeesView(in.View) {
		err = s.problem(ctx, view.ErrViewNotFound)
	}
	return log, err
}

// maxLogRef is the longest reference to a log, in characters: LogPath's maxLength.
const maxLogRef = 200

// LogPath is the {log} of a path.
type LogPath struct {
	Log string `path:"log" maxLength:"200" doc:"The log's id or its name." example:"customer-acme-usage"`
}

func (p *LogPath) logRef() string { return p.Log }

var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// unrouted responds to requests that match no operation: 405 if the path exists for other methods, else 404.
func unrouted(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allowed := ""
		for _, method := range methods {
			other := r.Clone(r.Context())
			other.Method = method
			if _, pattern := mux.Handler(other); pattern != "/" {
				if allowed != "" {
					allowed += ", "
				}
				allowed += method
			}
		}
		if allowed == "" {
			writeProblem(w, noSuchPath(r))
			return
		}
		w.Header().Set("Allow", allowed)
		writeProblem(w, newProblem("method_not_allowed", r.URL.Path+" does not take "+r.Method+"; it takes "+allowed))
	})
}
