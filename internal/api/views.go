package api

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tallystick/tallystick/internal/view"
)

const (
	// maxModuleBytes bounds an uploaded module, as the view ABI says.
	maxModuleBytes = 4 << 20
	// maxQueryBytes bounds a question, as proxies do.
	maxQueryBytes = 8 << 10
)

// ViewPath is the {log} and {view} of a path.
type ViewPath struct {
	LogPath
	View string `path:"view" maxLength:"200" doc:"The view's name." example:"monthly-totals"`
}

// View is one version of a view.
type View struct {
	ViewID         string          `json:"view_id" format:"uuid"`
	Name           string          `json:"name"`
	Version        int32           `json:"version"`
	Status         string          `json:"status" enum:"building,live,halted,retired"`
	Module         string          `json:"module" doc:"The module's SHA-256, in hexadecimal."`
	Config         json.RawMessage `json:"config"`
	Applied        int64           `json:"applied" doc:"The last sequence it has folded."`
	Head           int64           `json:"head" doc:"The log's last sequence."`
	HaltedSequence int64           `json:"halted_sequence,omitempty" doc:"The event that it could not fold."`
	Error          string          `json:"error,omitempty" doc:"Why it could not."`
	CreatedAt      time.Time       `json:"created_at"`
}

func presentView(i view.Info) View {
	return View{
		ViewID: i.ViewID.String(), Name: i.Name, Version: i.Version, Status: string(i.Status), Module: i.ModuleSHA256, Config: i.Config,
		Applied: i.Applied, Head: i.Head, HaltedSequence: i.HaltedSequence, Error: i.Error, CreatedAt: i.CreatedAt.UTC(),
	}
}

type deployInput struct {
	ViewPath
	Config  string `query:"config" doc:"The view's configuration: JSON, {} when absent."`
	RawBody []byte `contentType:"application/wasm"`
}

type viewOutput struct{ Body View }

type listViewsOutput struct {
	Body struct {
		Views []View `json:"views" nullable:"false"`
	}
}

type queryInput struct {
	ViewPath
	query string
}

// Resolve implements huma.Resolver: the whole query string belongs to the view.
func (in *queryInput) Resolve(ctx huma.Context) []error {
	request, _ := humago.Unwrap(ctx)
	in.query = request.URL.RawQuery
	if request.ContentLength != 0 {
		return []error{&huma.ErrorDetail{Location: "body", Message: "a question has no body: put it into the query string"}}
	}
	return nil
}

type queryOutput struct {
	ContentType string `header:"Content-Type"`
	Sequence    int64  `header:"Tally-Sequence" doc:"The answer reflects the events up to this one."`
	Body        []byte
}

func (s *server) registerViews(api huma.API) {
	for _, method := range []string{http.MethodPost, http.MethodPut} {
		register(s, api, huma.Operation{
			OperationID: operationID("deploy-view", method, http.MethodPost), Method: method, Path: "/logs/{log}/views/{view}",
			Summary: "Deploy a view on a log", Tags: []string{"views"},
			Description:   "The view is built from the log's history before it is live. A long history goes on in the background: the status is then building.",
			DefaultStatus: http.StatusCreated, MaxBodyBytes: maxModuleBytes + 1,
			Errors: []int{http.StatusNotFound}, SkipValidateBody: true,
		}, s.deployView)
	}
	describeBody(api, "/logs/{log}/views/{view}", map[string]*huma.Schema{
		"application/wasm": {Type: huma.TypeString, Format: "binary", Description: "A WebAssembly module of at most 4 MiB."},
		"application/json": {
			Type: huma.TypeObject, Required: []string{"module"}, Description: "Names a module that was uploaded before.",
			Properties: map[string]*huma.Schema{
				"module": {Type: huma.TypeString, Pattern: "^[0-9a-fA-F]{64}$", Description: "Its SHA-256, in hexadecimal."},
				"config": {Description: "The view's configuration: any JSON; {} when absent."},
			},
		},
	})
	register(s, api, huma.Operation{
		OperationID: "list-views", Method: http.MethodGet, Path: "/logs/{log}/views", Summary: "List a log's views", Tags: []string{"views"},
		Errors: []int{http.StatusNotFound},
	}, s.listViews)
	register(s, api, huma.Operation{
		OperationID: "get-view", Method: http.MethodGet, Path: "/logs/{log}/views/{view}", Summary: "Get a view's versions", Tags: []string{"views"},
		Errors: []int{http.StatusNotFound},
	}, s.getView)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		register(s, api, huma.Operation{
			OperationID: operationID("query-view", method, http.MethodGet), Method: method, Path: "/logs/{log}/views/{view}/query",
			Summary: "Ask a view a question", Tags: []string{"views"},
			Description: "The query string is the question and belongs to the view. The answer reflects every event acknowledged before.",
			Errors: []int{
				http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusRequestURITooLong, http.StatusUnprocessableEntity,
			},
		}, s.queryView)
	}
}

// operationID tells the operations of one path apart that differ in method only.
func operationID(id, method, usual string) string {
	if method == usual {
		return id
	}
	return id + "-" + map[string]string{http.MethodPut: "put", http.MethodPost: "post"}[method]
}

func (s *server) deployView(ctx context.Context, in *deployInput) (*viewOutput, error) {
	log, err := s.resolve(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	code, config, err := s.deployment(ctx, in)
	if err != nil {
		return nil, err
	}
	info, err := s.Views.Deploy(ctx, log, in.View, code, config)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &viewOutput{presentView(info)}, nil
}

// deployment returns the module and the configuration that the request means.
func (s *server) deployment(ctx context.Context, in *deployInput) (code, config []byte, err error) {
	config = []byte(in.Config)
	code = in.RawBody
	if trimmed := bytes.TrimLeft(code, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '{' {
		var named struct {
			Module string          `json:"module"`
			Config json.RawMessage `json:"config"`
		}
		if err := json.Unmarshal(trimmed, &named); err != nil {
			return nil, nil, newProblem(http.StatusBadRequest, "invalid_json", "the body is neither a WebAssembly module nor valid JSON: "+err.Error())
		}
		if len(named.Config) > 0 {
			config = named.Config
		}
		if code, err = s.uploaded(ctx, named.Module); err != nil {
			return nil, nil, err
		}
	}
	if len(config) == 0 {
		config = []byte("{}")
	}
	return bytes.Clone(code), bytes.Clone(config), nil
}

func (s *server) uploaded(ctx context.Context, hash string) ([]byte, error) {
	sha256, err := hex.DecodeString(hash)
	if err != nil || len(sha256) != 32 {
		return nil, newProblem(http.StatusBadRequest, "invalid_module_hash", `"module" must be the SHA-256 of an uploaded module: 64 hexadecimal digits`)
	}
	code, err := s.Views.ModuleCode(ctx, [32]byte(sha256))
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return code, nil
}

func (s *server) listViews(ctx context.Context, in *LogPath) (*listViewsOutput, error) {
	log, err := s.resolve(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	infos, err := s.Views.List(ctx, log)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return presentViews(infos), nil
}

func (s *server) getView(ctx context.Context, in *ViewPath) (*listViewsOutput, error) {
	log, err := s.resolve(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	infos, err := s.Views.Get(ctx, log, in.View)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return presentViews(infos), nil
}

func presentViews(infos []view.Info) *listViewsOutput {
	out := &listViewsOutput{}
	out.Body.Views = make([]View, len(infos))
	for i, info := range infos {
		out.Body.Views[i] = presentView(info)
	}
	return out
}

func (s *server) queryView(ctx context.Context, in *queryInput) (*queryOutput, error) {
	if len(in.query) > maxQueryBytes {
		return nil, newProblem(http.StatusRequestURITooLong, "query_too_long", fmt.Sprintf("the query string has %d bytes; at most %d are allowed", len(in.query), maxQueryBytes))
	}
	log, err := s.resolve(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	answer, err := s.Views.Query(ctx, log, in.View, in.query)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &queryOutput{ContentType: "application/json", Sequence: answer.Sequence, Body: answer.JSON}, nil
}
