package api

import (
	"context"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/eventlog"
)

// Log is a log and its head.
type Log struct {
	LogID      string            `json:"log_id" format:"uuid"`
	Name       string            `json:"name"`
	Labels     map[string]string `json:"labels"`
	CreatedAt  time.Time         `json:"created_at"`
	Sequence   int64             `json:"sequence" doc:"The last event's sequence; 0 for an empty log."`
	Hash       string            `json:"hash" doc:"The hash of everything up to that event, in hexadecimal."`
	RecordedAt time.Time         `json:"recorded_at" doc:"When the last event was recorded; when the log was created, for an empty one."`
}

func presentLog(l eventlog.Log) Log {
	return Log{
		LogID: l.ID.String(), Name: l.Name, Labels: l.Labels, CreatedAt: l.CreatedAt.UTC(),
		Sequence: l.Head.Sequence, Hash: hex.EncodeToString(l.Head.Hash[:]), RecordedAt: time.UnixMicro(l.Head.RecordedAt).UTC(),
	}
}

// maxLogBytes bounds the description of a log: all labels that it may have, every byte of them escaped.
const maxLogBytes = 128 << 10

type createLogInput struct {
	Body struct {
		Name   string            `json:"name" doc:"Unique; letters, digits and . _ : @ + = ~ -, 1 to 200 of them." example:"customer-acme-usage"`
		Labels map[string]string `json:"labels,omitempty" doc:"At most 32, for your own use."`
	}
}

type createLogOutput struct {
	Body struct {
		LogID string `json:"log_id" format:"uuid"`
	}
}

type listLogsInput struct {
	Prefix string `query:"prefix" maxLength:"200" pattern:"^[A-Za-z0-9._:@+=~-]*$" doc:"Only logs whose name starts so."`
	After  string `query:"after" maxLength:"200" pattern:"^[A-Za-z0-9._:@+=~-]*$" doc:"Only logs whose name comes after this one: the last of the page before."`
	Limit  int32  `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

type listLogsOutput struct {
	Body struct {
		Logs []Log  `json:"logs" nullable:"false"`
		Next string `json:"next,omitempty" doc:"Give it as after to read on; absent on the last page."`
	}
}

type getLogOutput struct{ Body Log }

func (s *server) registerLogs(api huma.API) {
	register(s, api, huma.Operation{
		OperationID: "create-log", Method: http.MethodPost, Path: "/logs", Summary: "Create a log", Tags: []string{"logs"},
		DefaultStatus: http.StatusCreated, MaxBodyBytes: maxLogBytes + 1,
		Errors: []int{http.StatusConflict},
	}, s.createLog)
	register(s, api, huma.Operation{
		OperationID: "list-logs", Method: http.MethodGet, Path: "/logs", Summary: "List logs by name", Tags: []string{"logs"},
		Errors: []int{http.StatusUnprocessableEntity},
	}, s.listLogs)
	register(s, api, huma.Operation{
		OperationID: "get-log", Method: http.MethodGet, Path: "/logs/{log}", Summary: "Get a log and its head", Tags: []string{"logs"},
		Errors: []int{http.StatusNotFound},
	}, s.getLog)
}

func (s *server) createLog(ctx context.Context, in *createLogInput) (*createLogOutput, error) {
	log, err := s.Logs.Create(ctx, s.tenant(ctx), in.Body.Name, in.Body.Labels)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &createLogOutput{}
	out.Body.LogID = log.ID.String()
	return out, nil
}

func (s *server) listLogs(ctx context.Context, in *listLogsInput) (*listLogsOutput, error) {
	logs, err := s.Logs.List(ctx, s.tenant(ctx), in.Prefix, in.After, in.Limit)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &listLogsOutput{}
	out.Body.Logs = make([]Log, len(logs))
	for i, l := range logs {
		out.Body.Logs[i] = presentLog(l)
	}
	if len(logs) == int(in.Limit) {
		out.Body.Next = logs[len(logs)-1].Name
	}
	return out, nil
}

func (s *server) getLog(ctx context.Context, in *LogPath) (*getLogOutput, error) {
	id, err := s.resolve(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	log, err := s.Logs.Get(ctx, s.tenant(ctx), id)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &getLogOutput{presentLog(log)}, nil
}
