package api

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/activity"
)

// activityBytes is about what an interval takes in memory while it is summed up and encoded.
const activityBytes = 1 << 10

// Activity is what happened in a tenant lately.
type Activity struct {
	At              time.Time          `json:"at" doc:"When this was read, by the server's clock, as all times here."`
	IntervalSeconds int                `json:"interval_seconds" doc:"How long an interval is." example:"5"`
	Intervals       []ActivityInterval `json:"intervals" nullable:"false" doc:"The oldest first, without gaps; the last is under way."`
	Events          int64              `json:"events" doc:"Events stored in all of them, without duplicates and without what was rejected."`
	Appends         int64              `json:"appends" doc:"Appends in all of them."`
	EventsPerSecond float64            `json:"events_per_second" doc:"Of the last five seconds up to now by the server that answers, and by others of the last interval that all have written."`
	AppendP50MS     *float64           `json:"append_p50_ms,omitempty" doc:"Half of all appends took no longer, in milliseconds; absent without appends."`
	AppendP99MS     *float64           `json:"append_p99_ms,omitempty" doc:"99 of 100 took no longer."`
	Refusals        []RefusalCount     `json:"refusals" nullable:"false" doc:"Requests in all intervals that ended with a problem, by its code, the most frequent first."`

	Logs           *int64 `json:"logs,omitempty" doc:"How many logs there are, up to 1,000,000; for who may list them."`
	HaltedViews    *int64 `json:"halted_views,omitempty" doc:"Versions of views that are halted; for who may list them."`
	BuildingViews  *int64 `json:"building_views,omitempty" doc:"Versions of views that are being built; for who may list them."`
	FiringAlerts   *int64 `json:"firing_alerts,omitempty" doc:"Alerts that are firing on a log at least; for who may list them."`
	DeadDeliveries *int64 `json:"dead_deliveries,omitempty" doc:"Deliveries to webhooks that are given up, up to 10,000; for who may list them."`
}

// ActivityInterval is what happened in an interval.
type ActivityInterval struct {
	At          time.Time `json:"at" doc:"When it began."`
	Open        bool      `json:"open,omitempty" doc:"True while it may still grow: it is under way, or other servers may not have written what they counted."`
	Events      int64     `json:"events" doc:"Events stored."`
	Appends     int64     `json:"appends" doc:"Appends: one for each request that appended, and of a delivery one for each log and portion."`
	Refusals    int64     `json:"refusals" doc:"Requests that ended with a problem."`
	AppendP50MS *float64  `json:"append_p50_ms,omitempty" doc:"Half of the appends took no longer, in milliseconds; absent without appends."`
	AppendP99MS *float64  `json:"append_p99_ms,omitempty" doc:"99 of 100 took no longer."`
}

// RefusalCount is how many requests ended with a problem.
type RefusalCount struct {
	Code  string `json:"code" doc:"The problem's code." example:"too_many_requests"`
	Count int64  `json:"count" doc:"How many."`
}

type getActivityInput struct {
	Minutes int32 `query:"minutes" default:"15" minimum:"1" maximum:"60" doc:"How far back."`
}

type activityOutput struct{ Body Activity }

func (s *server) registerActivity(api huma.API) {
	register(s, api, access.Read|access.Query|access.Deploy|access.Admin, huma.Operation{
		OperationID: "get-activity", Method: http.MethodGet, Path: "/activity", Summary: "What happened lately", Tags: []string{"health"},
		Description: "In the tenant, on all servers: what was appended and refused in intervals of five seconds, and how views, alerts " +
			"and webhooks stand. The key must be for all logs.",
	}, s.getActivity)
}

func (s *server) getActivity(ctx context.Context, in *getActivityInput) (*activityOutput, error) {
	caller := requestOf(ctx).caller
	if caller.Logs != "*" {
		return nil, newProblem("outside_pattern", "the key is for logs whose names match "+string(caller.Logs)+
			"; what happened lately is told of all logs together: GET /logs and GET /view-states tell of those that there are for the key")
	}
	intervals := int(in.Minutes) * int(time.Minute/activity.Interval)
	if err := s.bookNow(ctx, int64(intervals*activityBytes)); err != nil {
		return nil, err
	}
	report, err := s.Activity.Read(ctx, caller.Tenant, int(in.Minutes), requestOf(ctx).answer)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	standing, err := s.Activity.Standing(ctx, caller.Tenant)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	a := presentActivity(report)
	show := func(count *int64, scopes access.Scopes) *int64 {
		if !caller.Scopes.HasAny(scopes) {
			return nil
		}
		return count
	}
	a.Logs = show(&standing.Logs, access.Read|access.Deploy)
	a.HaltedViews = show(&standing.Halted, access.Read|access.Query|access.Deploy)
	a.BuildingViews = show(&standing.Building, access.Read|access.Query|access.Deploy)
	a.FiringAlerts = show(&standing.FiringAlerts, access.Query|access.Admin)
	a.DeadDeliveries = show(&standing.DeadDeliveries, access.Admin)
	return &activityOutput{a}, nil
}

func presentActivity(r *activity.Report) Activity {
	a := Activity{
		At: r.At.UTC().Truncate(time.Microsecond), IntervalSeconds: int(activity.Interval / time.Second),
		Intervals: make([]ActivityInterval, len(r.Intervals)),
		Events:    r.All.Events, Appends: r.All.Appends, EventsPerSecond: r.EventsPerSecond, Refusals: []RefusalCount{},
	}
	a.AppendP50MS, a.AppendP99MS = milliseconds(&r.All)
	for i := range r.Intervals {
		span := &r.Intervals[i]
		interval := ActivityInterval{
			At: span.At.UTC(), Open: span.Open, Events: span.Events, Appends: span.Appends, Refusals: span.Refusals,
		}
		interval.AppendP50MS, interval.AppendP99MS = milliseconds(span)
		a.Intervals[i] = interval
	}
	for _, c := range r.Refusals {
		a.Refusals = append(a.Refusals, RefusalCount{Code: c.Code, Count: c.Count})
	}
	return a
}

// milliseconds returns what half and nearly all appends took, to a hundredth; nil where there are none.
func milliseconds(s *activity.Span) (p50, p99 *float64) {
	if s.Appends == 0 {
		return nil, nil
	}
	round := func(d time.Duration) *float64 {
		const hundredths = 100
		ms := math.Round(d.Seconds()*1000*hundredths) / hundredths
		return &ms
	}
	return round(s.P50), round(s.P99)
}
