package api

import (
	"context"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

// Log is a log and its head.
type Log struct {
	LogID      string            `json:"log_id" format:"uuid" doc:"The log's id."`
	Name       string            `json:"name" doc:"The log's name."`
	Labels     map[string]string `json:"labels" doc:"What it was given at its creation."`
	CreatedAt  time.Time         `json:"created_at" doc:"When it was created."`
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

// logsAtOnce are read in one statement: each may have labels of 16 KiB.
const logsAtOnce = 25

// CreateLog is a log that is to be created.
type CreateLog struct {
	Name   string            `json:"name" doc:"Unique; letters, digits and . _ : @ + = ~ -, 1 to 200 of them." example:"customer-acme-usage"`
	Labels map[string]string `json:"labels,omitempty" doc:"At most 32, for your own use."`
}

type createLogInput struct{ Body CreateLog }

// CreatedLog is a log that was created.
type CreatedLog struct {
	LogID string `json:"log_id" format:"uuid" doc:"The log's id, by which it can be named instead of by its name."`
}

type createLogOutput struct{ Body CreatedLog }

type listLogsInput struct {
	Prefix string `query:"prefix" maxLength:"200" pattern:"^[A-Za-z0-9._:@+=~-]*$" doc:"Only logs whose name starts so."`
	Search string `query:"search" maxLength:"200" doc:"Only logs with this text in their name, or in the value of a label, whatever the case of its letters."`
	Label  string `query:"label" maxLength:"2100" doc:"Only logs with this label: name=value, or up to four of them with commas between them. A comma, and in a name =, is written with \\ before it, and so is \\ itself." example:"plan=gold"`
	Sort   string `query:"sort" enum:"name,activity" default:"name" doc:"activity: the log with the latest event first. One that gets an event while pages are read moves to the front."`
	PageCursor
	Limit int32 `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"The most of a page."`
}

// EnsureLog is a log that is to be there.
type EnsureLog struct {
	Labels map[string]string `json:"labels,omitempty" doc:"At most 32, for your own use. A log that is there must have just these; any when absent."`
}

type ensureLogInput struct {
	Log  string `path:"log" maxLength:"200" doc:"The log's name." example:"customer-acme-usage"`
	Body *EnsureLog
}

type ensureLogOutput struct {
	Status int
	Body   Log
}

// LogPage is a page of logs.
type LogPage struct {
	Logs       []Log  `json:"logs" nullable:"false" doc:"By name, or by activity."`
	NextCursor string `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page; absent on the last. A page may have fewer than limit logs before that."`
}

type listLogsOutput struct{ Body LogPage }

type getLogOutput struct{ Body Log }

const logPath = "/logs/{log}"

func (s *server) registerLogs(api huma.API) {
	register(s, api, access.Append, huma.Operation{
		OperationID: "create-log", Method: http.MethodPost, Path: "/logs", Summary: "Create a log", Tags: []string{"logs"},
		DefaultStatus: http.StatusCreated, MaxBodyBytes: maxLogBytes + 1,
		Errors: []int{http.StatusConflict},
	}, s.createLog)
	register(s, api, access.Append, huma.Operation{
		OperationID: "ensure-log", Method: http.MethodPut, Path: logPath,
		Summary: "Create a log, unless it is there", Tags: []string{"logs"},
		Description: "201 when it was created, 200 when it was there before; 409 when it was there with other labels than are asked for. " +
			"It may be sent again and again.",
		DefaultStatus: http.StatusCreated, MaxBodyBytes: maxLogBytes + 1,
		Errors: []int{http.StatusConflict},
	}, s.ensureLog)
	describeUnchanged(api.OpenAPI().Paths[logPath].Put.Responses, "It was there before.")
	register(s, api, access.Read|access.Deploy, huma.Operation{
		OperationID: "list-logs", Method: http.MethodGet, Path: "/logs", Summary: "List logs", Tags: []string{"logs"},
		Description: "By name, or by activity. A search, a label and an order by activity have the server look at all logs whose name " +
			"has the prefix: one that takes more than five seconds is refused, with the code search_too_broad.",
		Errors: []int{http.StatusUnprocessableEntity},
	}, s.listLogs)
	register(s, api, access.Append|access.Read|access.Query|access.Deploy, huma.Operation{
		OperationID: "get-log", Method: http.MethodGet, Path: logPath, Summary: "Get a log and its head", Tags: []string{"logs"},
		Errors: []int{http.StatusNotFound},
	}, s.getLog)
}

func (s *server) createLog(ctx context.Context, in *createLogInput) (*createLogOutput, error) {
	log, err := s.create(ctx, in.Body.Name, in.Body.Labels)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &createLogOutput{CreatedLog{log.ID.String()}}, nil
}

// create creates a log, if its creation is not beyond what the caller may do.
func (s *server) create(ctx context.Context, name string, labels map[string]string) (eventlog.Log, error) {
	if caller := requestOf(ctx).caller; eventlog.CheckName("", name) == nil && !caller.SeesLog(name) {
		return eventlog.Log{}, outsidePattern("logs whose names match " + string(caller.Logs))
	}
	undo, err := requestOf(ctx).account.CreateLog()
	if err != nil && !s.exists(ctx, name) { // else it is refused for that
		return eventlog.Log{}, err
	}
	log, err := s.Logs.Create(ctx, s.tenant(ctx), name, labels)
	if err != nil {
		undo()
	}
	return log, err
}

func (s *server) ensureLog(ctx context.Context, in *ensureLogInput) (*ensureLogOutput, error) {
	var labels map[string]string
	if in.Body != nil {
		labels = in.Body.Labels
	}
	log, err := s.create(ctx, in.Log, labels)
	var taken *eventlog.NameTakenError
	if !errors.As(err, &taken) {
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &ensureLogOutput{Status: http.StatusCreated, Body: presentLog(log)}, nil
	}
	if log, err = s.Logs.Get(ctx, s.tenant(ctx), taken.LogID); err != nil {
		return nil, s.problem(ctx, err)
	}
	if labels != nil && !maps.Equal(labels, log.Labels) {
		p := newProblem("name_taken", "there is a log of that name with other labels; leave labels out to take it as it is")
		p.LogID = log.ID.String()
		return nil, p
	}
	return &ensureLogOutput{Status: http.StatusOK, Body: presentLog(log)}, nil
}

// exists reports whether the tenant has a log of that name.
func (s *server) exists(ctx context.Context, name string) bool {
	_, err := s.Logs.Resolve(ctx, s.tenant(ctx), name)
	return err == nil
}

func (s *server) listLogs(ctx context.Context, in *listLogsInput) (*listLogsOutput, error) {
	search, err := in.search()
	if err != nil {
		return nil, err
	}
	searching := search.Text != "" || len(search.Labels) > 0
	if searching || in.Sort == sortByActivity {
		give, err := s.takeSearch(ctx)
		if err != nil {
			return nil, err
		}
		defer give()
	}
	if in.Sort == sortByActivity {
		return s.listActiveLogs(ctx, in, search)
	}
	out := &listLogsOutput{}
	out.Body.Logs = []Log{}
	after, size := in.Cursor, 0
	for more := true; more && len(out.Body.Logs) < int(in.Limit) && size < listBytes; {
		limit := min(in.Limit-int32(len(out.Body.Logs)), logsAtOnce) //nolint:gosec // below the limit
		listing := eventlog.Listing{Prefix: in.Prefix, After: after, Logs: requestOf(ctx).caller.Logs, Limit: limit}
		list := s.Logs.List
		if searching {
			list = func(ctx context.Context, tenant uuid.UUID, l eventlog.Listing, room *memory.Hold) ([]eventlog.Log, error) {
				return s.Logs.Search(ctx, tenant, l, search, room)
			}
		}
		logs, err := list(ctx, s.tenant(ctx), listing, requestOf(ctx).answer)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		for i := range logs {
			size += logBytes(&logs[i])
			out.Body.Logs = append(out.Body.Logs, presentLog(logs[i]))
			after = logs[i].Name
		}
		if err := s.bookNow(ctx, int64(listFactor*size)); err != nil {
			return nil, err
		}
		more = len(logs) == int(limit)
		out.Body.NextCursor = ""
		if more {
			out.Body.NextCursor = after
		}
	}
	return out, nil
}

// logBytes is about how long a log's description is.
func logBytes(l *eventlog.Log) int {
	const escaped = 6 // bytes for one, at most, as in \u003c
	size := 1 << 9
	for name, value := range l.Labels {
		size += len(name) + len(value)
		if !plainJSON(name) || !plainJSON(value) {
			size += (escaped - 1) * (len(name) + len(value))
		}
	}
	return size
}

// plainJSON reports whether a text needs no escapes in JSON.
func plainJSON(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return r < ' ' || r == '"' || r == '\\' || r == '<' || r == '>' || r == '&' || r == '\u2028' || r == '\u2029'
	})
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
	if requestOf(ctx).caller.Token != nil { // labels are for the tenant's own use
		log.Labels = map[string]string{}
	}
	return &getLogOutput{presentLog(log)}, nil
}
