package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/uuid"
)

// AppendHeaders are the headers of both kinds of append.
type AppendHeaders struct {
	IdempotencyKey   string `header:"Idempotency-Key" doc:"Makes a retry of events without an id safe, for ever: the same key with the same bytes returns the original sequence. In a batch, event n (from 0) gets the key with :n added. An event that has an id is known by that."`
	ExpectedSequence string `header:"Expected-Sequence" doc:"Append only if the log's last sequence is this (0: the log is empty)."`
}

// DryRunParameter is the dry_run of both kinds of append.
type DryRunParameter struct {
	DryRun bool `query:"dry_run" doc:"Say what would happen now, and store nothing: the same answer, or the same problem."`
}

type appendInput struct {
	LogPath
	AppendHeaders
	DryRunParameter
	RawBody []byte `contentType:"application/json"`
}

// Appended says where an event is.
type Appended struct {
	Sequence  int64 `json:"sequence" doc:"The event's place in its log."`
	Duplicate bool  `json:"duplicate,omitempty" doc:"True when the event was there before."`
	Ahead     bool  `json:"ahead,omitempty" doc:"True when the event's time is more than a day ahead of when it was recorded."`

	Guards map[string]json.RawMessage `json:"guards,omitempty" doc:"What guards of views said of the event when they admitted it, by the views' names. A duplicate has none."`
	DryRun bool                       `json:"dry_run,omitempty" doc:"True when nothing was stored, as asked for."`
}

type appendOutput struct {
	Status int
	Body   Appended
	guards string // Body.Guards as text
}

// maxAppendedBytes is the most that appendJSON makes.
const maxAppendedBytes = 80

// appendJSON appends the body as encoding/json makes it, for directAppend.
func (out *appendOutput) appendJSON(b []byte) []byte {
	b = append(b, `{"sequence":`...)
	b = strconv.AppendInt(b, out.Body.Sequence, 10)
	if out.Body.Duplicate {
		b = append(b, `,"duplicate":true`...)
	}
	if out.Body.Ahead {
		b = append(b, `,"ahead":true`...)
	}
	if out.guards != "" {
		b = append(append(b, `,"guards":`...), out.guards...)
	}
	return append(b, "}\n"...)
}

type appendBatchInput struct {
	LogPath
	AppendHeaders
	DryRunParameter
	RawBody []byte `contentType:"application/x-ndjson"`
}

// DuplicateEvent is an event of a batch that was there before.
type DuplicateEvent struct {
	Line     int   `json:"line" doc:"Its line in the batch, or its element in the array, from 1."`
	Sequence int64 `json:"sequence" doc:"Its place in the log."`
}

// AppendedBatch says where the events of a batch are.
type AppendedBatch struct {
	FirstSequence int64 `json:"first_sequence" doc:"The least sequence of the batch's events."`
	LastSequence  int64 `json:"last_sequence" doc:"The greatest sequence of the batch's events."`
	Appended      int   `json:"appended" doc:"How many events are new."`
	Ahead         int   `json:"ahead,omitempty" doc:"How many new events have a time more than a day ahead of when they were recorded."`

	Duplicates []DuplicateEvent `json:"duplicates" nullable:"false" doc:"Events that were there before."`
	DryRun     bool             `json:"dry_run,omitempty" doc:"True when nothing was stored, as asked for."`
}

type appendBatchOutput struct {
	Status int
	Body   AppendedBatch
}

const (
	appendPath      = "/logs/{log}/append"
	appendBatchPath = "/logs/{log}/append_batch"
)

func (s *server) registerAppend(api huma.API) {
	errors := []int{
		http.StatusPaymentRequired, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests,
	}
	binary := huma.Middlewares{refuseBinaryEvents}
	register(s, api, access.Append, huma.Operation{
		OperationID: "append-event", Method: http.MethodPost, Path: appendPath, Summary: "Append an event", Tags: []string{"events"},
		Description: "201 when the event is new, 200 when its idempotency key says that it was there before. " +
			"The event is durable and part of every view when the answer comes. Where a view of the log has a guard that does not admit " +
			"the event, the answer is a problem with the status that the guard chose, and nothing is stored.",
		DefaultStatus: http.StatusCreated, MaxBodyBytes: event.MaxBytes + 1, Errors: errors, SkipValidateBody: true, Middlewares: binary,
		Metadata: takingEncodings(), Parameters: encodingParameter(),
	}, s.append)
	describeDuplicate(api, appendPath, "The event was there before.")
	input := named(api, "EventInput", eventSchema())
	describeBody(api, appendPath, map[string]*huma.Schema{mediaJSON: input})
	register(s, api, access.Append, huma.Operation{
		OperationID: "append-events", Method: http.MethodPost, Path: appendBatchPath,
		Summary: "Append many events", Tags: []string{"events"},
		Description:   "All events are appended, in order, or none: also where a guard refuses one of them.",
		DefaultStatus: http.StatusCreated, MaxBodyBytes: ingest.MaxBatchBytes + 1,
		Errors: errors, SkipValidateBody: true, Middlewares: binary, Metadata: takingEncodings(), Parameters: encodingParameter(),
	}, s.appendBatch)
	describeDuplicate(api, appendBatchPath, "All of the events were there before.")
	describeBody(api, appendBatchPath, map[string]*huma.Schema{
		"application/x-ndjson": {Type: huma.TypeString, Description: "One event per line."},
		mediaJSON:              {Type: huma.TypeArray, Items: input, MinItems: new(1)},
	})
	for _, path := range []string{appendPath, appendBatchPath} {
		describeParameter(api.OpenAPI().Paths[path].Post, "Expected-Sequence", sequenceSchema())
	}
}

// eventSchema describes an event for client generators. It declares no member: generators make types of what is declared, which drop every
// other member, or add those that were left out as null. All that are tried in tools/generators make a map of this. The server reads events
// by itself: their bytes are kept.
func eventSchema() *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true,
		Examples: []any{map[string]any{"type": "api.call", "model": "gpt-4", "tokens_in": 150, "tokens_out": 420}},
	}
}

// describeDuplicate adds the response to a retry to the OpenAPI document: it differs in its status only.
func describeDuplicate(api huma.API, path, description string) {
	describeUnchanged(api.OpenAPI().Paths[path].Post.Responses, description)
}

// describeUnchanged describes 200 beside 201: nothing new was made.
func describeUnchanged(responses map[string]*huma.Response, description string) {
	unchanged := *responses["201"]
	unchanged.Description = description
	responses["200"] = &unchanged
}

// describeBody adds to the OpenAPI document what a raw body holds.
func describeBody(api huma.API, path string, content map[string]*huma.Schema) {
	item := api.OpenAPI().Paths[path]
	for _, operation := range []*huma.Operation{item.Post, item.Put} {
		if operation == nil {
			continue
		}
		operation.RequestBody.Content = map[string]*huma.MediaType{}
		for contentType, schema := range content {
			operation.RequestBody.Content[contentType] = &huma.MediaType{Schema: schema}
		}
	}
}

func (s *server) append(ctx context.Context, in *appendInput) (*appendOutput, error) {
	log, err := s.resolve(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	e, err := event.Parse(in.RawBody)
	if err == nil && in.IdempotencyKey != "" {
		err = e.SetKey(in.IdempotencyKey)
	}
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	expected, err := in.expected()
	if err != nil {
		return nil, err
	}
	if err := s.chargeEvents(ctx, log, 1); err != nil {
		return nil, err
	}
	placements, err := s.appendTo(ctx, log, ingest.Request{Events: []event.Event{e}, Expected: expected}, in.DryRun)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	placed := &placements[0]
	out := &appendOutput{Status: http.StatusCreated, guards: placed.Guards}
	out.Body = Appended{Sequence: placed.Sequence, Duplicate: placed.Duplicate, Ahead: placed.Ahead, DryRun: in.DryRun}
	if placed.Guards != "" {
		if err := json.Unmarshal([]byte(placed.Guards), &out.Body.Guards); err != nil { // each was checked
			return nil, s.problem(ctx, fmt.Errorf("reading what guards said: %w", err))
		}
	}
	if out.Body.Duplicate {
		out.Status = http.StatusOK
	}
	return out, nil
}

// appendTo appends in a span of its own, which the span of the group links with, or says what would come of it.
func (s *server) appendTo(ctx context.Context, log uuid.UUID, request ingest.Request, dryRun bool) ([]ingest.Appended, error) {
	ctx, request.Span = s.Tracer.Start(ctx, "append")
	defer request.Span.End()
	if dryRun {
		return s.Ingest.DryRun(ctx, log, request, requestOf(ctx).answer)
	}
	began := time.Now()
	placements, err := s.Ingest.Append(log, request)
	if err == nil {
		s.placed(s.tenant(ctx))(log, placements, time.Since(began))
	}
	return placements, err
}

// placed returns what is called with each append of the tenant's that was committed.
func (s *server) placed(tenant uuid.UUID) func(log uuid.UUID, placements []ingest.Appended, took time.Duration) {
	return func(log uuid.UUID, placements []ingest.Appended, took time.Duration) {
		s.ahead.note(log, placements)
		stored := 0
		for i := range placements {
			if p := &placements[i]; !p.Duplicate && p.Err == nil {
				stored++
			}
		}
		s.Activity.Appended(tenant, stored, took)
	}
}

func (h *AppendHeaders) expected() (int64, error) {
	if h.ExpectedSequence == "" {
		return ingest.AnySequence, nil
	}
	n, err := strconv.ParseInt(h.ExpectedSequence, 10, 64)
	if err != nil || n < 0 {
		return 0, newProblem("invalid_expected_sequence",
			"the Expected-Sequence header must be a whole number from 0 on: the log's last sequence as you know it")
	}
	return n, nil
}

func (s *server) appendBatch(ctx context.Context, in *appendBatchInput) (*appendBatchOutput, error) {
	log, err := s.resolve(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	if s.Ingest.IsFull(log) { // many clients that come back with large batches must not keep the cores busy with parsing
		return nil, s.problem(ctx, ingest.ErrBusy)
	}
	batch, err := s.parseBatch(ctx, log, in.RawBody, in.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	expected, err := in.expected()
	if err != nil {
		return nil, err
	}
	placements, err := s.appendTo(ctx, log, ingest.Request{Events: batch.events, Expected: expected}, in.DryRun)
	if err != nil {
		return nil, batch.at(s.problem(ctx, err), err)
	}
	out := batch.output(placements)
	out.Body.DryRun = in.DryRun
	return out, nil
}

// batch is a batch's events and where each stands in it.
type batch struct {
	events []event.Event
	lines  []int  // from 1
	what   string // "line" or "element"
}

func (s *server) parseBatch(ctx context.Context, log uuid.UUID, body []byte, key string) (*batch, error) {
	b, documents, err := splitBatch(body)
	if err != nil {
		return nil, err
	}
	if len(documents) == 0 {
		return nil, newProblem("empty_batch", "the batch holds no event: send one JSON object per line, or a JSON array of objects")
	}
	if len(documents) > ingest.MaxBatchEvents {
		return nil, newProblem("batch_too_large",
			fmt.Sprintf("the batch has more than %d events, which is the most that is allowed", ingest.MaxBatchEvents))
	}
	if err := s.chargeEvents(ctx, log, len(documents)); err != nil {
		return nil, err
	}
	if err := requestOf(ctx).body.parsed(len(documents)); err != nil {
		return nil, s.problem(ctx, err)
	}
	b.events = make([]event.Event, len(documents))
	for i, document := range documents {
		e, err := event.Parse(document)
		if err == nil && key != "" {
			err = e.SetKey(key + ":" + strconv.Itoa(i))
		}
		if err != nil {
			return nil, atLine(s.problem(ctx, err), b.lines[i], b.what)
		}
		b.events[i] = e
	}
	return b, nil
}

// splitBatch finds the batch's events: the elements of an array, or the lines that are not blank. It stops after one
// more than a batch may have.
func splitBatch(body []byte) (*batch, [][]byte, error) {
	const space = " \t\r\n"
	if trimmed := bytes.TrimLeft(body, space); len(trimmed) > 0 && trimmed[0] == '[' {
		elements, err := jsonscan.Elements(body, ingest.MaxBatchEvents+1)
		if err != nil {
			return nil, nil, newProblem("invalid_json", "the batch is not a valid JSON array: "+err.Error())
		}
		b := &batch{what: "element", lines: make([]int, len(elements))}
		for i := range elements {
			b.lines[i] = i + 1
		}
		return b, elements, nil
	}
	b := &batch{what: "line"}
	most := min(bytes.Count(body, []byte{'\n'})+1, ingest.MaxBatchEvents+1)
	documents := make([][]byte, 0, most)
	b.lines = make([]int, 0, most)
	number := 0
	for line := range bytes.Lines(body) {
		number++
		if len(bytes.Trim(line, space)) > 0 {
			documents = append(documents, line) // with its end: an event that was sent alone, with that end, is the same
			b.lines = append(b.lines, number)
		}
		if len(documents) > ingest.MaxBatchEvents {
			break
		}
	}
	return b, documents, nil
}

// at names the line of the event that err is about, if it is about one.
func (b *batch) at(problem, err error) error {
	if index, ok := ingest.IndexOf(err); ok {
		return atLine(problem, b.lines[index], b.what)
	}
	return problem
}

func (b *batch) output(placements []ingest.Appended) *appendBatchOutput {
	out := &appendBatchOutput{Status: http.StatusCreated}
	out.Body.FirstSequence, out.Body.LastSequence = placements[0].Sequence, placements[0].Sequence
	out.Body.Duplicates = []DuplicateEvent{}
	for i, p := range placements {
		out.Body.FirstSequence = min(out.Body.FirstSequence, p.Sequence)
		out.Body.LastSequence = max(out.Body.LastSequence, p.Sequence)
		if p.Ahead {
			out.Body.Ahead++
		}
		if p.Duplicate {
			out.Body.Duplicates = append(out.Body.Duplicates, DuplicateEvent{Line: b.lines[i], Sequence: p.Sequence})
		}
	}
	out.Body.Appended = len(placements) - len(out.Body.Duplicates)
	if out.Body.Appended == 0 {
		out.Status = http.StatusOK
	}
	return out
}
