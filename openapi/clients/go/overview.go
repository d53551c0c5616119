package tally

import (
	"context"
	"iter"
	"strings"
	"time"
)

// Activity is what happened in the tenant lately, on all servers.
type Activity struct {
	At              time.Time          `json:"at"`
	IntervalSeconds int                `json:"interval_seconds"`
	Intervals       []ActivityInterval `json:"intervals"` // the oldest first, without gaps; the last is under way
	Events          int64              `json:"events"`    // stored in all of them
	Appends         int64              `json:"appends"`   // in all of them
	EventsPerSecond float64            `json:"events_per_second"`
	AppendP50MS     *float64           `json:"append_p50_ms,omitempty"` // milliseconds; nil without appends
	AppendP99MS     *float64           `json:"append_p99_ms,omitempty"`
	Refusals        []RefusalCount     `json:"refusals"` // the most frequent first

	// How the tenant stands. Each is nil where the key may not list what is counted.
	Logs           *int64 `json:"logs,omitempty"`            // up to 1,000,000
	HaltedViews    *int64 `json:"halted_views,omitempty"`    // versions of views
	BuildingViews  *int64 `json:"building_views,omitempty"`  // likewise
	FiringAlerts   *int64 `json:"firing_alerts,omitempty"`   // on a log at least
	DeadDeliveries *int64 `json:"dead_deliveries,omitempty"` // to webhooks, up to 10,000
}

// ActivityInterval is what happened in an interval.
type ActivityInterval struct {
	At          time.Time `json:"at"`             // when it began
	Open        bool      `json:"open,omitempty"` // it may still grow
	Events      int64     `json:"events"`
	Appends     int64     `json:"appends"`
	Refusals    int64     `json:"refusals"`
	AppendP50MS *float64  `json:"append_p50_ms,omitempty"` // milliseconds; nil without appends
	AppendP99MS *float64  `json:"append_p99_ms,omitempty"`
}

// RefusalCount is how many requests ended with a problem of a code.
type RefusalCount struct {
	Code  string `json:"code"`
	Count int64  `json:"count"`
}

// GetActivity returns what happened in the last minutes, 1 to 60, by intervals of five seconds; 0 minutes are the server's default, 15.
// The key must be for all logs.
func (c *Client) GetActivity(ctx context.Context, minutes int) (a Activity, err error) {
	_, err = c.call(ctx, get("activity").with("minutes", number(minutes)), &a)
	return a, err
}

// ViewState is how a version of a view stands on a log.
type ViewState struct {
	LogID          string         `json:"log_id"`
	Log            string         `json:"log"`
	View           string         `json:"view"`
	ID             string         `json:"view_id"` // of this version
	Version        int32          `json:"version"`
	Status         string         `json:"status"`             // building, live, halted or retired
	Progress       *BuildProgress `json:"progress,omitempty"` // while it is building
	Module         string         `json:"module"`             // SHA-256, hexadecimal
	Ready          string         `json:"ready,omitempty"`    // such as meter@1
	Applied        int64          `json:"applied"`
	Head           int64          `json:"head"`
	HaltedSequence int64          `json:"halted_sequence,omitempty"` // the event that it could not fold
	Error          string         `json:"error,omitempty"`           // why it could not
	ChangedAt      time.Time      `json:"changed_at"`                // when it came to have this status
}

// ListViewStatesOptions select versions of views.
type ListViewStatesOptions struct {
	Statuses []string // of these; none stands for building, live and halted
	View     string   // of this name; "" for all
	ListOptions
}

// ViewStatePage is a page of versions of views.
type ViewStatePage struct {
	Views      []ViewState `json:"views"`
	NextCursor string      `json:"next_cursor"` // "" on the last page
}

// ListViewStates lists the versions of views of all logs, by log, view and version, a page at a time. Those that are halted or building are
// found at once, however many logs there are.
func (c *Client) ListViewStates(ctx context.Context, o *ListViewStatesOptions) (page ViewStatePage, err error) {
	o = orNew(o)
	r := get("view-states").with(
		"status", strings.Join(o.Statuses, ","), "view", o.View, "limit", number(o.Limit), "cursor", o.Cursor,
	)
	_, err = c.call(ctx, r, &page)
	return page, err
}

// ViewStates iterates over the versions of views of all logs, by log, view and version. Cursor and Limit of the options are not used; nil
// stands for all that are not retired.
func (c *Client) ViewStates(ctx context.Context, o *ListViewStatesOptions) iter.Seq2[ViewState, error] {
	selected := *orNew(o)
	selected.Limit = listPage
	return pages(func(cursor string) ([]ViewState, string, error) {
		selected.Cursor = cursor
		page, err := c.ListViewStates(ctx, &selected)
		return page.Views, page.NextCursor, err
	})
}
