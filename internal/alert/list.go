package alert

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

// MaxCounted bounds the logs that are counted of an alert.
const MaxCounted = 10_000

// List returns alerts in the order of their names, after one. Their memory is booked in room, which may be nil. The error is the
// database's.
func (a *Alerts) List(ctx context.Context, tenant uuid.UUID, after string, limit int32, room *memory.Hold) ([]Put, error) {
	rows, err := a.db.ListAlerts(ctx, db.Booked(a.db.Read, room), dbsqlc.ListAlertsParams{TenantID: tenant, After: after, MaxRows: limit})
	if err != nil {
		return nil, fmt.Errorf("listing alerts: %w", db.Classify(err))
	}
	list := make([]Put, len(rows))
	for i, row := range rows {
		alert, err := stored(row.AlertID, tenant, row.Name, row.Version, row.Definition)
		if err != nil {
			return nil, err
		}
		list[i] = Put{
			Alert: alert, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt, UpdatedBy: row.UpdatedBy, Spreading: row.SweepAfter != nil,
			Firing: row.Firing, Failing: row.Failing,
		}
	}
	return list, nil
}

// Count returns on how many logs an alert is firing, and failing: up to MaxCounted.
func (a *Alerts) Count(ctx context.Context, alert *Alert) (firing, failing int64, err error) {
	row, err := a.db.AlertCounts(ctx, a.db.Read, dbsqlc.AlertCountsParams{AlertID: alert.ID, Most: MaxCounted})
	if err != nil {
		return 0, 0, fmt.Errorf("counting an alert's logs: %w", db.Classify(err))
	}
	return row.Firing, row.Failing, nil
}

// Only selects how an alert must stand on the logs of a list.
type Only string

// What there is to select.
const (
	All     Only = ""
	Firing  Only = "firing"
	Failing Only = "failing"
)

// LogState is how an alert stands on a log.
type LogState struct {
	ID          uuid.UUID
	Log         string
	Sequence    int64 // the value reflects the events up to this one
	Value, Of   string
	Window      string
	WindowEnd   time.Time // zero: not known
	Thresholds  map[string]Standing
	Error       string    // why the last evaluation had no value; "": it had
	NextAt      time.Time // when it is evaluated without an event; zero: not before the next one
	EvaluatedAt time.Time
}

// Logs returns how an alert stands on the logs on which it was evaluated, in the order in which they were made, after one. Their memory is
// booked in room, which may be nil. The error is the database's.
func (a *Alerts) Logs(ctx context.Context, alert *Alert, only Only, after uuid.UUID, limit int32, room *memory.Hold) ([]LogState, error) {
	from := db.Booked(a.db.Read, room)
	params := dbsqlc.ListAlertStatesParams{AlertID: alert.ID, After: after, MaxRows: limit}
	var rows []dbsqlc.ListAlertStatesRow
	var err error
	switch only {
	case Firing:
		var firing []dbsqlc.ListFiringAlertStatesRow
		firing, err = a.db.ListFiringAlertStates(ctx, from, dbsqlc.ListFiringAlertStatesParams(params))
		for _, row := range firing {
			rows = append(rows, dbsqlc.ListAlertStatesRow(row))
		}
	case Failing:
		var failing []dbsqlc.ListFailingAlertStatesRow
		failing, err = a.db.ListFailingAlertStates(ctx, from, dbsqlc.ListFailingAlertStatesParams(params))
		for _, row := range failing {
			rows = append(rows, dbsqlc.ListAlertStatesRow(row))
		}
	case All:
		rows, err = a.db.ListAlertStates(ctx, from, params)
	}
	if err != nil {
		return nil, fmt.Errorf("reading how an alert stands: %w", db.Classify(err))
	}
	list := make([]LogState, len(rows))
	for i, row := range rows {
		s, err := stateOf(&dbsqlc.AlertState{
			Sequence: row.Sequence, Value: row.Value, OfValue: row.OfValue, WindowKey: row.WindowKey, WindowEnd: row.WindowEnd,
			Thresholds: row.Thresholds, Error: row.Error, DueAt: row.DueAt, EvaluatedAt: row.EvaluatedAt,
		})
		if err != nil {
			return nil, err
		}
		list[i] = LogState{
			ID: row.LogID, Log: row.Log, Sequence: s.sequence, Value: s.value, Of: s.of, Window: s.window.key, WindowEnd: s.window.end,
			Thresholds: s.thresholds, Error: s.err, NextAt: s.due, EvaluatedAt: s.at,
		}
	}
	return list, nil
}

// Crossing is what has fired or was resolved.
type Crossing struct {
	ID        uuid.UUID
	Log       string
	Kind      string // Fired or Resolved
	Reason    string // ByValue or ByWindow
	Threshold string
	Round     int32 // how often the threshold has fired in the window
	Window    string
	Value, Of string
	Sequence  int64
	At        time.Time
}

// Crossings returns crossings of an alert, newest first, from before one; of one log unless that is zero. Their memory is booked in room,
// which may be nil. The error is the database's.
func (a *Alerts) Crossings(
	ctx context.Context, alert *Alert, log, before uuid.UUID, limit int32, room *memory.Hold,
) ([]Crossing, error) {
	if before.IsZero() {
		for i := range before {
			before[i] = 0xff
		}
	}
	from := db.Booked(a.db.Read, room)
	var rows []dbsqlc.ListCrossingsRow
	var err error
	if log.IsZero() {
		rows, err = a.db.ListCrossings(ctx, from, dbsqlc.ListCrossingsParams{AlertID: alert.ID, Before: before, MaxRows: limit})
	} else {
		var ofLog []dbsqlc.ListLogCrossingsRow
		ofLog, err = a.db.ListLogCrossings(ctx, from, dbsqlc.ListLogCrossingsParams{
			LogID: log, AlertID: alert.ID, Before: before, MaxRows: limit,
		})
		for _, row := range ofLog {
			rows = append(rows, dbsqlc.ListCrossingsRow(row))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading an alert's crossings: %w", db.Classify(err))
	}
	list := make([]Crossing, len(rows))
	for i, row := range rows {
		list[i] = Crossing{
			ID: row.CrossingID, Log: row.Log, Kind: row.Kind, Reason: row.Reason, Threshold: row.Threshold, Round: row.Round,
			Window: row.WindowKey, Value: row.Value, Of: row.OfValue, Sequence: row.Sequence, At: row.At,
		}
	}
	return list, nil
}

// Test is what an evaluation of an alert on a log would read now.
type Test struct {
	Query      string // the question, as it was asked
	Sequence   int64
	Value, Of  string
	Window     string
	Thresholds []Tested
	Error      string // why there is no value; "": there is
}

// Tested is a threshold, and whether the value is past it.
type Tested struct {
	Threshold string
	Reached   bool
}

// ErrNotCovered: the alert's pattern does not match the log.
var ErrNotCovered = errors.New("the alert does not cover the log")

// Test evaluates an alert on a log now: nothing fires, and nothing is recorded. The error is ErrNotCovered, view.ErrBusy, memory.ErrFull,
// ctx's, or the database's.
func (a *Alerts) Test(ctx context.Context, alert *Alert, log eventlog.Ref, room *memory.Hold) (Test, error) {
	if !alert.Logs.Matches(log.Name) {
		return Test{}, ErrNotCovered
	}
	at := moment{now: a.now()}
	if alert.calendar != "" {
		at.from, at.to = alert.calendar.at(at.now, alert.zone)
	}
	test := Test{Query: alert.query(at)}
	got, err := a.views.Query(ctx, log.ID, alert.View, test.Query, room)
	found, err := answerOf(&got, err)
	if err != nil {
		return Test{}, fmt.Errorf("asking the view %s: %w", alert.View, err)
	}
	r := alert.read(found, at)
	test.Sequence, test.Error = r.sequence, r.err
	if r.err != "" {
		return test, nil
	}
	test.Value, test.Of, test.Window = r.value.text, r.of.text, r.window.key
	for _, t := range alert.thresholds {
		test.Thresholds = append(test.Thresholds, Tested{t.text, t.reached(r.value.value, r.of.value, alert.direction)})
	}
	return test, nil
}
