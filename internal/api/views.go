package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/view"
)

const (
	// maxModuleBytes bounds an uploaded module, as the view ABI does.
	maxModuleBytes = 4 << 20
	// moduleCopies of one are in memory while it is deployed: as it was read, and as it is looked at.
	moduleCopies = 2
	// maxQueryBytes bounds a query, as proxies do.
	maxQueryBytes = 8 << 10
)

// ViewPath is the {log} and {view} of a path.
type ViewPath struct {
	LogPath
	View string `path:"view" maxLength:"200" doc:"The view's name." example:"monthly-totals"`
}

// View is one version of a view.
type View struct {
	ViewID         string          `json:"view_id" format:"uuid" doc:"The id of this version."`
	Name           string          `json:"name" doc:"The view's name."`
	Version        int32           `json:"version" doc:"Grows with each deploy that changes something."`
	Status         string          `json:"status" enum:"building,live,halted,retired" doc:"building: it folds the history; live: it answers queries; halted: at an event that it could not fold; retired: it folds and answers no more."`
	Progress       *BuildProgress  `json:"progress,omitempty" doc:"How far it is built, while it is building."`
	Module         string          `json:"module" doc:"The module's SHA-256, in hexadecimal."`
	Ready          string          `json:"ready,omitempty" doc:"The ready view that the module is, with its version; absent for other modules." example:"meter@1"`
	Config         json.RawMessage `json:"config" doc:"The view's configuration."`
	Applied        int64           `json:"applied" doc:"The last sequence it has folded."`
	Head           int64           `json:"head" doc:"The log's last sequence."`
	HaltedSequence int64           `json:"halted_sequence,omitempty" doc:"The event that it could not fold."`
	HaltedEvent    string          `json:"halted_event,omitempty" doc:"That event's JSON, or its first 4,096 characters; for who may read events or deploy views."`
	Error          string          `json:"error,omitempty" doc:"Why it could not."`
	Gas            int64           `json:"gas" doc:"The budget of one event's fold, in units of gas."`

	Guard  bool   `json:"guard" doc:"Whether it has a guard, which decides on events before they are appended."`
	OnHalt string `json:"on_halt,omitempty" enum:"admit,refuse" doc:"What becomes of appends while a view with a guard is halted; absent without a guard."`

	StateKept bool `json:"state_kept" doc:"Whether its state is still there. A rollback to a version without builds from the first event."`

	Actor     string     `json:"actor,omitempty" doc:"Who deployed it: the key's name, and what Tally-Actor said."`
	CreatedAt time.Time  `json:"created_at" doc:"When this version was deployed."`
	LiveAt    *time.Time `json:"live_at,omitempty" doc:"When it last went live."`
	HaltedAt  *time.Time `json:"halted_at,omitempty" doc:"When it halted."`
	RetiredAt *time.Time `json:"retired_at,omitempty" doc:"When it was retired."`

	Successor *View `json:"successor,omitempty" doc:"The version that was asked for last, while it is not the one that answers queries: it is being built in its place, or halted on the way. Absent in the list of versions."`
}

// BuildProgress is how far a version is built.
type BuildProgress struct {
	Done            int64   `json:"done" doc:"Events folded."`
	Total           int64   `json:"total" doc:"Events in the log."`
	EventsPerSecond float64 `json:"events_per_second" doc:"Of the last ten seconds or so; 0 until something is known."`
	SecondsLeft     *int64  `json:"seconds_left,omitempty" doc:"At that rate; absent while it is 0."`
}

func (s *server) presentView(i view.Info) View {
	v := View{
		ViewID: i.ViewID.String(), Name: i.Name, Version: i.Version, Status: string(i.Status), Module: i.ModuleSHA256,
		Ready: s.ReadyViews.Reference(i.ModuleSHA256), Config: i.Config,
		Applied: i.Applied, Head: i.Head, HaltedSequence: i.HaltedSequence, HaltedEvent: i.HaltedEvent, Error: i.Error,
		Gas: i.FoldGas, StateKept: i.StateKept, Actor: i.Actor, CreatedAt: i.CreatedAt.UTC(),
		LiveAt: presentTime(i.LiveAt), HaltedAt: presentTime(i.HaltedAt), RetiredAt: presentTime(i.RetiredAt),
	}
	if v.Guard = i.Guard; v.Guard {
		v.OnHalt = string(i.OnHalt)
	}
	v.Progress = presentProgress(i.Progress)
	return v
}

// presentProgress returns nil for nil.
func presentProgress(p *view.Progress) *BuildProgress {
	if p == nil {
		return nil
	}
	progress := &BuildProgress{Done: p.Done, Total: p.Total, EventsPerSecond: p.EventsPerSecond}
	if p.SecondsLeft >= 0 {
		progress.SecondsLeft = &p.SecondsLeft
	}
	return progress
}

// presentTime returns nil for the zero time.
func presentTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

type deployInput struct {
	ViewPath
	ActorHeader
	Config  string `query:"config" hidden:"true" doc:"The view's configuration: JSON, {} when absent."`
	Gas     int64  `query:"gas" hidden:"true" doc:"The budget of one event's fold; the server's own when absent."`
	RawBody []byte `contentType:"application/wasm"`
}

type viewOutput struct{ Body View }

type deployedOutput struct {
	Status int
	Body   View
}

// ViewList is the views of a log.
type ViewList struct {
	Views []View `json:"views" nullable:"false" doc:"By name."`
}

type listViewsOutput struct{ Body ViewList }

// QueryParams are what a view is asked, and how.
type QueryParams struct {
	ViewPath
	query string
}

// ownsQuery has the query string left alone: see register.
func (*QueryParams) ownsQuery() {}

// Resolve implements huma.Resolver: the whole query string belongs to the view.
func (in *QueryParams) Resolve(ctx huma.Context) []error {
	request, _ := humago.Unwrap(ctx)
	in.query = request.URL.RawQuery
	if request.ContentLength != 0 {
		return []error{&huma.ErrorDetail{Location: "body", Message: "a query has no body: put it into the query string"}}
	}
	return nil
}

// check returns a *Problem when the query is too long.
func (in *QueryParams) check() error {
	if len(in.query) > maxQueryBytes {
		return queryTooLong(len(in.query))
	}
	return nil
}

func queryTooLong(bytes int) *Problem {
	return newProblem("query_too_long", fmt.Sprintf("the query string has %d bytes; at most %d are allowed", bytes, maxQueryBytes))
}

type queryOutput struct {
	ContentType string `header:"Content-Type"`
	NoSniff     string `header:"X-Content-Type-Options"`
	Sequence    int64  `header:"Tally-Sequence" doc:"The answer reflects the events up to this one."`
	Body        []byte
}

func (s *server) registerViews(api huma.API) {
	for _, method := range []string{http.MethodPost, http.MethodPut} {
		register(s, api, access.Deploy, huma.Operation{
			OperationID: "deploy-view", Method: method, Hidden: method != http.MethodPost, Path: "/logs/{log}/views/{view}",
			Summary: "Deploy a view on a log", Tags: []string{"views"},
			Description: "The view is built from the log's history before it is live. " +
				"A long history goes on in the background: the status is then building.",
			DefaultStatus: http.StatusCreated, MaxBodyBytes: maxModuleBytes + 1,
			Errors: []int{http.StatusNotFound}, SkipValidateBody: true,
		}, s.deployView)
	}
	describeBody(api, "/logs/{log}/views/{view}", deploymentBody(api))
	describeUnchanged(api.OpenAPI().Paths["/logs/{log}/views/{view}"].Post.Responses, "The same was asked for last: nothing changed.")
	register(s, api, access.Read|access.Query|access.Deploy, huma.Operation{
		OperationID: "list-views", Method: http.MethodGet, Path: "/logs/{log}/views",
		Summary: "List a log's views", Tags: []string{"views"}, Metadata: map[string]any{forKeys: true},
		Errors: []int{http.StatusNotFound},
	}, s.listViews)
	register(s, api, access.Read|access.Query|access.Deploy, huma.Operation{
		OperationID: "get-view", Method: http.MethodGet, Path: "/logs/{log}/views/{view}",
		Summary: "Get a view", Tags: []string{"views"}, Metadata: map[string]any{forKeys: true},
		Errors: []int{http.StatusNotFound, http.StatusGone},
	}, s.getView)
	s.registerModules(api)
	s.registerLife(api)
	s.registerAudit(api)
	s.registerPreview(api)
	s.registerPatterns(api)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		register(s, api, access.Query, huma.Operation{
			OperationID: "query-view", Method: method, Path: "/logs/{log}/views/{view}/query", Hidden: method != http.MethodGet,
			Summary: "Query a view", Tags: []string{"views"}, Parameters: []*huma.Param{questionParameter()},
			Responses:   map[string]*huma.Response{"200": answerResponse()},
			Description: "The query string is passed to the view as it is. The answer reflects every event acknowledged before.",
			Errors: []int{
				http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusRequestURITooLong,
				http.StatusUnprocessableEntity,
			},
		}, s.queryView)
	}
}

// answerResponse describes what a view answers, which is the view's own.
func answerResponse() *huma.Response {
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	return &huma.Response{
		Description: "The view's answer: JSON, unless the view says that it is CSV or plain text.",
		Headers: map[string]*huma.Header{
			sequenceHeader: {Description: "The answer reflects the events up to this one.", Schema: sequenceSchema()},
		},
		Content: map[string]*huma.MediaType{
			mediaJSON: {Schema: &huma.Schema{Description: "Any JSON."}}, "text/csv": text, "text/plain": text,
		},
	}
}

// maxGas is the largest budget that may be asked for.
const maxGas = view.MaxFoldGas

// deploymentBody describes the body of a deploy. A module's bytes are taken as well, but not described: a client generator that finds two
// types of body chooses one of them.
func deploymentBody(api huma.API) map[string]*huma.Schema {
	return map[string]*huma.Schema{mediaJSON: named(api, "DeployModule", &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: false,
		Properties: map[string]*huma.Schema{
			"ready": {
				Type: huma.TypeString, MinLength: new(1), Examples: []any{"meter"},
				Description: "The name of a ready view, as GET /ready-views lists them: the newest version of this server. " +
					"After an @ comes another version, by its number or the first 8 or more digits of its SHA-256.",
			},
			"module": digestSchema("The SHA-256, in hexadecimal, of a module that was put to /modules/{sha256}, or deployed before."),
			"config": {Description: "The view's configuration: any JSON; {} when absent."},
			"gas": {
				Type: huma.TypeInteger, Format: "int64", Minimum: new(0.0), Maximum: new(float64(maxGas)),
				Description: "The budget of one event's fold; the server's own when absent or 0.",
			},
			"on_halt": {
				Type: huma.TypeString, Enum: []any{string(view.OnHaltAdmit), string(view.OnHaltRefuse)},
				Description: "What becomes of appends while the view is halted, if it has a guard: they are admitted without it, or " +
					"refused. As before when absent, and admit at first.",
			},
		},
		Examples: []any{map[string]any{"ready": "meter", "config": map[string]any{
			"value": "/tokens", "aggregations": []any{"sum", "count"}, "group_by": map[string]any{"model": "/model"},
		}}},
	})}
}

func (s *server) deployView(ctx context.Context, in *deployInput) (*deployedOutput, error) {
	log, err := s.resolve(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	deployment, err := s.deployment(ctx, in)
	if err != nil {
		return nil, err
	}
	undo, err := requestOf(ctx).account.DeployView(ctx, log, in.View)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	info, err := s.Views.Deploy(ctx, log, in.View, deployment)
	if err != nil {
		undo()
		return nil, s.deployProblem(ctx, err, &deployment, in.Config)
	}
	return &deployedOutput{deployedStatus(info.Unchanged), s.presentView(info)}, nil
}

func deployedStatus(unchanged bool) int {
	if unchanged {
		return http.StatusOK
	}
	return http.StatusCreated
}

func (s *server) listViews(ctx context.Context, in *LogPath) (*listViewsOutput, error) {
	log, err := s.resolve(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	infos, err := s.Views.List(ctx, log, requestOf(ctx).answer)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	versions, err := s.presentViews(ctx, infos)
	if err != nil {
		return nil, err
	}
	return &listViewsOutput{ViewList{withSuccessors(versions)}}, nil
}

func (s *server) getView(ctx context.Context, in *ViewPath) (*viewOutput, error) {
	log, err := s.resolve(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	infos, err := s.Views.Get(ctx, log, in.View, requestOf(ctx).answer)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	versions, err := s.presentViews(ctx, infos)
	if err != nil {
		return nil, err
	}
	return &viewOutput{withSuccessors(versions)[0]}, nil
}

// withSuccessors makes one of a view's versions, of which those of a name stand together, the one that was asked for last as the last.
func withSuccessors(versions []View) []View {
	views := []View{}
	for _, version := range versions {
		last := len(views) - 1
		switch {
		case last < 0 || views[last].Name != version.Name:
			views = append(views, version)
		case version.Status == string(view.Live):
			views[last] = version
		default:
			views[last].Successor = &version
		}
	}
	return views
}

// infoBytes is about how long a version's description is.
func infoBytes(i *view.Info) int { return 1<<10 + len(i.Config) + len(i.Error) + len(i.HaltedEvent) }

func (s *server) presentViews(ctx context.Context, infos []view.Info) ([]View, error) {
	size := 0
	for i := range infos {
		size += infoBytes(&infos[i])
	}
	if err := s.bookNow(ctx, int64(listFactor*size)); err != nil {
		return nil, err
	}
	out := make([]View, len(infos))
	for i, info := range infos {
		if !requestOf(ctx).caller.Scopes.HasAny(access.Read | access.Deploy) { // an event is more than an answer
			info.HaltedEvent = ""
		}
		out[i] = s.presentView(info)
	}
	return out, nil
}

func (s *server) queryView(ctx context.Context, in *QueryParams) (*queryOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	log, err := s.resolveView(ctx, &in.ViewPath)
	if err != nil {
		return nil, err
	}
	answer, err := s.Views.Query(ctx, log, in.View, in.query, requestOf(ctx).answer)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	contentType := answer.Type
	if strings.HasPrefix(contentType, "text/") {
		contentType += "; charset=utf-8"
	}
	return &queryOutput{ContentType: contentType, NoSniff: "nosniff", Sequence: answer.Sequence, Body: answer.Body}, nil
}
