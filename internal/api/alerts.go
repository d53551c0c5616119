package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/uuid"
)

const alertPrefix = "/alerts/{alert}"

// AlertPath is the {alert} of a path.
type AlertPath struct {
	Alert string `path:"alert" maxLength:"200" doc:"The alert's name." example:"quota"`
}

// Alert is what an alert watches.
type Alert struct {
	Name       string          `json:"name" doc:"The alert's name."`
	Version    int64           `json:"version" doc:"Grows with each change."`
	Definition json.RawMessage `json:"definition" doc:"As it was put, an AlertDefinition whose figures are texts."`
	Spreading  bool            `json:"spreading" doc:"Not every log that it covers has been evaluated since it was put."`
	CreatedAt  time.Time       `json:"created_at" doc:"When it was put first."`
	UpdatedAt  time.Time       `json:"updated_at" doc:"When this version was put."`
	UpdatedBy  string          `json:"updated_by,omitempty" doc:"Who put this version: the key's name, and what Tally-Actor said."`
}

// ListedAlert is an alert in a list.
type ListedAlert struct {
	Alert
	Firing  bool `json:"firing" doc:"A threshold is firing, on at least one log."`
	Failing bool `json:"failing" doc:"The last evaluation had no value, on at least one log."`
}

// AlertThreshold is how a threshold stands on a log.
type AlertThreshold struct {
	Threshold string     `json:"threshold" doc:"The threshold." example:"80%"`
	Firing    bool       `json:"firing" doc:"Whether the value is past it."`
	Round     int32      `json:"round" doc:"How often it has fired in the window."`
	FiredAt   *time.Time `json:"fired_at,omitempty" doc:"When it fired last."`
	Sequence  int64      `json:"sequence,omitempty" doc:"The value that it fired for last reflects the events up to this one."`
}

// AlertLog is how an alert stands on a log.
type AlertLog struct {
	Log         string           `json:"log" doc:"The log's name."`
	Sequence    int64            `json:"sequence" doc:"The value reflects the events up to this one."`
	Value       string           `json:"value,omitempty" doc:"The value that was read last; absent before the first." example:"81.5"`
	Of          string           `json:"of,omitempty" doc:"What percentages were of then."`
	Window      string           `json:"window,omitempty" doc:"The window that it was read for: when it begins, or what the answer has as window."`
	WindowEnd   *time.Time       `json:"window_end,omitempty" doc:"When the window is over, where that is known."`
	Thresholds  []AlertThreshold `json:"thresholds" nullable:"false" doc:"Those that are firing, or have fired in the window."`
	Error       string           `json:"error,omitempty" doc:"Why the last evaluation had no value; absent when it had."`
	NextAt      *time.Time       `json:"next_at,omitempty" doc:"When it is evaluated without an event; absent: not before the next one."`
	EvaluatedAt time.Time        `json:"evaluated_at" doc:"When it was evaluated last."`
}

// AlertStatus is an alert with how it stands.
type AlertStatus struct {
	Alert
	FiringLogs  int64      `json:"firing_logs" doc:"On how many logs a threshold is firing, up to 10,000."`
	FailingLogs int64      `json:"failing_logs" doc:"On how many logs the last evaluation had no value, up to 10,000."`
	Logs        []AlertLog `json:"logs" nullable:"false" doc:"How it stands on a page of the logs where it was evaluated, in the order in which they were made."`
	NextCursor  string     `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page; absent on the last."`
}

// AlertCrossing is what has fired or was resolved.
type AlertCrossing struct {
	Log       string    `json:"log" doc:"The log's name."`
	Kind      string    `json:"kind" enum:"fired,resolved" doc:"What happened."`
	Reason    string    `json:"reason" enum:"value,window" doc:"window: it was resolved since its window is over."`
	Threshold string    `json:"threshold" doc:"The threshold." example:"80%"`
	Round     int32     `json:"round" doc:"How often it has fired in the window, this time included."`
	Window    string    `json:"window,omitempty" doc:"In which window."`
	Value     string    `json:"value" doc:"The value."`
	Of        string    `json:"of,omitempty" doc:"What percentages were of."`
	Sequence  int64     `json:"sequence" doc:"The value reflects the events up to this one."`
	At        time.Time `json:"at" doc:"When it was recorded."`
}

// AlertCrossingPage is a page of crossings.
type AlertCrossingPage struct {
	Crossings  []AlertCrossing `json:"crossings" nullable:"false" doc:"Newest first."`
	NextCursor string          `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page; absent on the last."`
}

// AlertPage is a page of alerts.
type AlertPage struct {
	Alerts     []ListedAlert `json:"alerts" nullable:"false" doc:"By name."`
	NextCursor string        `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page; absent on the last."`
}

// TestAlert is on which log an alert is to be evaluated.
type TestAlert struct {
	Log string `json:"log" maxLength:"200" doc:"The log's name or id." example:"customer-acme-usage"`
}

// AlertTest is what an evaluation of an alert would read.
type AlertTest struct {
	Query      string            `json:"query" doc:"The question, as a query string."`
	Sequence   int64             `json:"sequence,omitempty" doc:"The value reflects the events up to this one."`
	Value      string            `json:"value,omitempty" doc:"The value; absent where there is an error."`
	Of         string            `json:"of,omitempty" doc:"What percentages are of."`
	Window     string            `json:"window,omitempty" doc:"The window."`
	Thresholds []TestedThreshold `json:"thresholds" nullable:"false" doc:"In the order of the alert; none where there is an error."`
	Error      string            `json:"error,omitempty" doc:"Why there is no value."`
}

// TestedThreshold is a threshold, and whether the value is past it.
type TestedThreshold struct {
	Threshold string `json:"threshold" doc:"The threshold." example:"80%"`
	Reached   bool   `json:"reached" doc:"Whether the value is past it."`
}

type putAlertInput struct {
	AlertPath
	ActorHeader
	RawBody []byte `contentType:"application/json"`
}

type putAlertOutput struct {
	Status int
	Body   Alert
}

type deleteAlertInput struct {
	AlertPath
	ActorHeader
}

type getAlertInput struct {
	AlertPath
	PageCursor
	Only  string `query:"only" enum:"firing,failing" doc:"Only logs on which it is firing, or failing; all when absent."`
	Limit int32  `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"The most logs of a page."`
}

type alertStatusOutput struct{ Body AlertStatus }

type listAlertsInput struct {
	PageCursor
	Limit int32 `query:"limit" default:"100" minimum:"1" maximum:"100" doc:"The most of a page."`
}

type listAlertsOutput struct{ Body AlertPage }

type listCrossingsInput struct {
	AlertPath
	PageCursor
	Log   string `query:"log" maxLength:"200" doc:"Only those of this log, by name or id; of all when absent."`
	Limit int32  `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"The most of a page."`
}

type listCrossingsOutput struct{ Body AlertCrossingPage }

type testAlertInput struct {
	AlertPath
	Body TestAlert
}

type testAlertOutput struct{ Body AlertTest }

func (s *server) registerAlerts(api huma.API) {
	tags := []string{"alerts"}
	register(s, api, access.Admin, huma.Operation{
		OperationID: "put-alert", Method: http.MethodPut, Path: alertPrefix, Summary: "Say what an alert watches", Tags: tags,
		Description: "The body is the definition. 201 with a new version, 200 when the alert watches that already. It holds on every " +
			"server within a second, and is evaluated on the logs that are there within a few. The key must be for all of its logs.",
		DefaultStatus: http.StatusCreated, MaxBodyBytes: alert.MaxDefinitionBytes + 1, SkipValidateBody: true,
		Errors: []int{http.StatusUnprocessableEntity},
	}, s.putAlert)
	describeBody(api, alertPrefix, map[string]*huma.Schema{mediaJSON: named(api, "AlertDefinition", alertDefinition())})
	describeUnchanged(api.OpenAPI().Paths[alertPrefix].Put.Responses, "The alert watches that already.")
	register(s, api, access.Query|access.Admin, huma.Operation{
		OperationID: "get-alert", Method: http.MethodGet, Path: alertPrefix, Summary: "Get an alert and how it stands on its logs",
		Tags:   tags,
		Errors: []int{http.StatusUnprocessableEntity},
	}, s.getAlert)
	register(s, api, access.Admin, huma.Operation{
		OperationID: "delete-alert", Method: http.MethodDelete, Path: alertPrefix, Summary: "Delete an alert", Tags: tags,
		Description: "With its crossings; nothing is resolved. On every server within a second. The key must be for all of its logs.",
	}, s.deleteAlert)
	register(s, api, access.Query|access.Admin, huma.Operation{
		OperationID: "list-alerts", Method: http.MethodGet, Path: "/alerts", Summary: "List alerts by name", Tags: tags,
		Description: "Those of which the key is for all logs.",
	}, s.listAlerts)
	register(s, api, access.Query|access.Admin, huma.Operation{
		OperationID: "list-crossings", Method: http.MethodGet, Path: alertPrefix + "/crossings",
		Summary: "List what has fired and was resolved, newest first", Tags: tags,
		Description: fmt.Sprintf("Of the last %d days.", alert.KeptDays), Errors: []int{http.StatusUnprocessableEntity},
	}, s.listCrossings)
	register(s, api, access.Query|access.Admin, huma.Operation{
		OperationID: "test-alert", Method: http.MethodPost, Path: alertPrefix + "/test", Summary: "Evaluate an alert on a log", Tags: tags,
		Description: "Now, and without consequences: nothing fires, and nothing is recorded.",
		Errors:      []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, s.testAlert)
}

func presentAlert(put *alert.Put) Alert {
	return Alert{
		Name: put.Name, Version: put.Version, Definition: put.Definition, Spreading: put.Spreading, CreatedAt: put.CreatedAt.UTC(),
		UpdatedAt: put.UpdatedAt.UTC(), UpdatedBy: put.UpdatedBy,
	}
}

// mayAlert returns what refuses patterns of logs that the caller's key does not reach. The error is a *Problem.
func mayAlert(ctx context.Context) func(eventlog.Pattern) error {
	return func(pattern eventlog.Pattern) error {
		if caller := requestOf(ctx).caller; !caller.Logs.Covers(pattern) {
			return outsidePattern("the logs " + string(caller.Logs) + ", and the alert, or one that has its name, for others")
		}
		return nil
	}
}

// findAlert returns an alert if there is one for the caller. The error is a *Problem.
func (s *server) findAlert(ctx context.Context, name string) (alert.Put, error) {
	put, err := s.Alerts.Get(ctx, s.tenant(ctx), name)
	if err == nil && !requestOf(ctx).caller.Logs.Covers(put.Logs) {
		err = alert.ErrAlertNotFound
	}
	if err != nil {
		return put, s.problem(ctx, err)
	}
	return put, nil
}

func (s *server) putAlert(ctx context.Context, in *putAlertInput) (*putAlertOutput, error) {
	by, err := s.doer(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	put, changed, err := s.Alerts.Put(ctx, by, s.tenant(ctx), in.Alert, in.RawBody, mayAlert(ctx))
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &putAlertOutput{Status: http.StatusOK, Body: presentAlert(&put)}
	if changed {
		out.Status = http.StatusCreated
	}
	return out, nil
}

func (s *server) deleteAlert(ctx context.Context, in *deleteAlertInput) (*struct{}, error) {
	by, err := s.doer(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	if _, err := s.findAlert(ctx, in.Alert); err != nil {
		return nil, err
	}
	if err := s.Alerts.Delete(ctx, by, s.tenant(ctx), in.Alert, mayAlert(ctx)); err != nil {
		return nil, s.problem(ctx, err)
	}
	return nil, nil //nolint:nilnil // huma answers 204
}

func (s *server) listAlerts(ctx context.Context, in *listAlertsInput) (*listAlertsOutput, error) {
	list, err := s.Alerts.List(ctx, s.tenant(ctx), in.Cursor, in.Limit, requestOf(ctx).answer)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &listAlertsOutput{Body: AlertPage{Alerts: []ListedAlert{}}}
	for i := range list {
		if requestOf(ctx).caller.Logs.Covers(list[i].Logs) {
			out.Body.Alerts = append(out.Body.Alerts, ListedAlert{presentAlert(&list[i]), list[i].Firing, list[i].Failing})
		}
	}
	if len(list) == int(in.Limit) {
		out.Body.NextCursor = list[len(list)-1].Name
	}
	return out, nil
}

// idCursor reads the cursor of a list that goes by id. The error is a *Problem.
func (c PageCursor) idCursor() (id uuid.UUID, err error) {
	if c.Cursor == "" {
		return id, nil
	}
	if id, err = uuid.Parse(c.Cursor); err != nil {
		return id, newProblem("invalid_cursor", "the cursor is not one of this list: give next_cursor as it came")
	}
	return id, nil
}

func (s *server) getAlert(ctx context.Context, in *getAlertInput) (*alertStatusOutput, error) {
	after, err := in.idCursor()
	if err != nil {
		return nil, err
	}
	put, err := s.findAlert(ctx, in.Alert)
	if err != nil {
		return nil, err
	}
	list, err := s.Alerts.Logs(ctx, put.Alert, alert.Only(in.Only), after, in.Limit, requestOf(ctx).answer)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &alertStatusOutput{Body: AlertStatus{Alert: presentAlert(&put), Logs: make([]AlertLog, len(list))}}
	if out.Body.FiringLogs, out.Body.FailingLogs, err = s.Alerts.Count(ctx, put.Alert); err != nil {
		return nil, s.problem(ctx, err)
	}
	for i := range list {
		out.Body.Logs[i] = presentAlertLog(&list[i])
	}
	if len(list) == int(in.Limit) {
		out.Body.NextCursor = list[len(list)-1].ID.String()
	}
	return out, nil
}

func presentAlertLog(of *alert.LogState) AlertLog {
	shown := AlertLog{
		Log: of.Log, Sequence: of.Sequence, Value: of.Value, Of: of.Of, Window: of.Window, WindowEnd: presentTime(of.WindowEnd),
		Error: of.Error, NextAt: presentTime(of.NextAt), EvaluatedAt: of.EvaluatedAt.UTC(), Thresholds: []AlertThreshold{},
	}
	for _, text := range slices.Sorted(maps.Keys(of.Thresholds)) {
		t := of.Thresholds[text]
		shown.Thresholds = append(shown.Thresholds, AlertThreshold{text, t.Firing, t.Round, presentTime(t.Since), t.Sequence})
	}
	return shown
}

func (s *server) listCrossings(ctx context.Context, in *listCrossingsInput) (*listCrossingsOutput, error) {
	before, err := in.idCursor()
	if err != nil {
		return nil, err
	}
	put, err := s.findAlert(ctx, in.Alert)
	if err != nil {
		return nil, err
	}
	var log eventlog.Ref
	if in.Log != "" {
		if log, err = s.find(ctx, in.Log); err != nil {
			return nil, err
		}
	}
	list, err := s.Alerts.Crossings(ctx, put.Alert, log.ID, before, in.Limit, requestOf(ctx).answer)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &listCrossingsOutput{Body: AlertCrossingPage{Crossings: make([]AlertCrossing, len(list))}}
	for i, c := range list {
		out.Body.Crossings[i] = AlertCrossing{
			c.Log, c.Kind, c.Reason, c.Threshold, c.Round, c.Window, c.Value, c.Of, c.Sequence, c.At.UTC(),
		}
	}
	if len(list) == int(in.Limit) {
		out.Body.NextCursor = list[len(list)-1].ID.String()
	}
	return out, nil
}

func (s *server) testAlert(ctx context.Context, in *testAlertInput) (*testAlertOutput, error) {
	put, err := s.findAlert(ctx, in.Alert)
	if err != nil {
		return nil, err
	}
	log, err := s.find(ctx, in.Body.Log)
	if err != nil {
		return nil, err
	}
	test, err := s.Alerts.Test(ctx, put.Alert, log, requestOf(ctx).answer)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &testAlertOutput{AlertTest{
		Query: test.Query, Sequence: test.Sequence, Value: test.Value, Of: test.Of, Window: test.Window, Error: test.Error,
		Thresholds: make([]TestedThreshold, len(test.Thresholds)),
	}}
	for i, t := range test.Thresholds {
		out.Body.Thresholds[i] = TestedThreshold(t)
	}
	return out, nil
}

// alertProblem maps the errors of alerts.
func alertProblem(err error) *Problem {
	switch {
	case errors.Is(err, alert.ErrAlertNotFound):
		return newProblem("alert_not_found", "there is no alert with that name; PUT /alerts/{alert} makes one, GET /alerts lists them")
	case errors.Is(err, alert.ErrTooManyAlerts):
		return newProblem("too_many_alerts", fmt.Sprintf("the tenant has %d alerts, as many as there may be; delete some, "+
			"or watch several logs by one pattern", alert.MaxAlerts))
	case errors.Is(err, alert.ErrNotCovered):
		return newProblem("not_covered", "the alert does not watch this log: its logs say which")
	}
	return nil
}
