package tally

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"time"
)

// Alert watches a value in a view's answer, and tells webhooks when it crosses a threshold.
type Alert struct {
	Name       string          `json:"name"`
	Version    int64           `json:"version"`    // grows with each change
	Definition json.RawMessage `json:"definition"` // as it was put
	Spreading  bool            `json:"spreading"`  // not every log that it covers has been evaluated since it was put
	CreatedAt  time.Time       `json:"created_at"`
	UpdatedAt  time.Time       `json:"updated_at"`
	UpdatedBy  string          `json:"updated_by,omitempty"`
}

// ListedAlert is an alert in a list.
type ListedAlert struct {
	Alert

	Firing  bool `json:"firing"`  // on at least one log
	Failing bool `json:"failing"` // the last evaluation had no value, on at least one log
}

// AlertStatus is an alert with how it stands on a page of the logs where it was evaluated.
type AlertStatus struct {
	Alert

	FiringLogs  int64      `json:"firing_logs"`  // up to 10,000
	FailingLogs int64      `json:"failing_logs"` // up to 10,000
	Logs        []AlertLog `json:"logs"`
	NextCursor  string     `json:"next_cursor"` // "" on the last page
}

// AlertLog is how an alert stands on a log.
type AlertLog struct {
	Log         string           `json:"log"`
	Value       string           `json:"value,omitempty"` // that was read last
	Of          string           `json:"of,omitempty"`    // what percentages were of then
	Sequence    int64            `json:"sequence"`        // the value reflects the events up to this one
	Window      string           `json:"window,omitempty"`
	WindowEnd   *time.Time       `json:"window_end,omitempty"`
	Thresholds  []AlertThreshold `json:"thresholds"` // those that are firing, or have fired in the window
	EvaluatedAt time.Time        `json:"evaluated_at"`
	NextAt      *time.Time       `json:"next_at,omitempty"` // nil: not before the next event
	Error       string           `json:"error,omitempty"`   // why the last evaluation had no value
}

// AlertThreshold is how a threshold stands on a log.
type AlertThreshold struct {
	Threshold string     `json:"threshold"`
	Firing    bool       `json:"firing"`
	Round     int32      `json:"round"` // how often it has fired in the window
	FiredAt   *time.Time `json:"fired_at,omitempty"`
	Sequence  int64      `json:"sequence,omitempty"`
}

// AlertCrossing is what has fired or was resolved.
type AlertCrossing struct {
	Log       string    `json:"log"`
	Kind      string    `json:"kind"`   // fired, resolved
	Reason    string    `json:"reason"` // value; window: it was resolved since its window is over
	Threshold string    `json:"threshold"`
	Round     int32     `json:"round"` // how often it has fired in the window, this time included
	Value     string    `json:"value"`
	Of        string    `json:"of,omitempty"` // what percentages were of
	Window    string    `json:"window,omitempty"`
	Sequence  int64     `json:"sequence"` // the value reflects the events up to this one
	At        time.Time `json:"at"`
}

// AlertTest is what an evaluation of an alert would read.
type AlertTest struct {
	Query      string            `json:"query"` // the question, as a query string
	Value      string            `json:"value,omitempty"`
	Of         string            `json:"of,omitempty"`
	Window     string            `json:"window,omitempty"`
	Sequence   int64             `json:"sequence,omitempty"`
	Thresholds []TestedThreshold `json:"thresholds"`
	Error      string            `json:"error,omitempty"` // why there is no value
}

// TestedThreshold is a threshold, and whether the value is past it.
type TestedThreshold struct {
	Threshold string `json:"threshold"`
	Reached   bool   `json:"reached"`
}

// PutAlert makes or changes an alert. The definition is a JSON object as the API describes it: []byte, json.RawMessage and string are sent
// byte for byte, anything else as encoding/json writes it. The same again changes nothing.
func (c *Client) PutAlert(ctx context.Context, name string, definition any) (alert Alert, err error) {
	r, err := sending(http.MethodPut, definition, "alerts", name)
	r.safe = true
	return alert, c.send(ctx, r, err, &alert)
}

// AlertPage is a page of alerts.
type AlertPage struct {
	Alerts     []ListedAlert `json:"alerts"`
	NextCursor string        `json:"next_cursor"` // "" on the last page
}

// ListAlerts lists the tenant's alerts by name, a page at a time.
func (c *Client) ListAlerts(ctx context.Context, o *ListOptions) (page AlertPage, err error) {
	o = orNew(o)
	_, err = c.call(ctx, get("alerts").with("cursor", o.Cursor, "limit", number(o.Limit)), &page)
	return page, err
}

// Alerts iterates over the tenant's alerts by name.
func (c *Client) Alerts(ctx context.Context) iter.Seq2[ListedAlert, error] {
	return pages(func(cursor string) ([]ListedAlert, string, error) {
		page, err := c.ListAlerts(ctx, &ListOptions{Cursor: cursor})
		return page.Alerts, page.NextCursor, err
	})
}

// GetAlertOptions select logs of an alert.
type GetAlertOptions struct {
	ListOptions

	Only string // firing or failing: such logs alone; "" for all
}

// GetAlert returns an alert with how it stands on a page of its logs.
func (c *Client) GetAlert(ctx context.Context, name string, o *GetAlertOptions) (alert AlertStatus, err error) {
	o = orNew(o)
	_, err = c.call(ctx, get("alerts", name).with("only", o.Only, "cursor", o.Cursor, "limit", number(o.Limit)), &alert)
	return alert, err
}

// DeleteAlert ends an alert; nothing is resolved. Its crossings go with it.
func (c *Client) DeleteAlert(ctx context.Context, name string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: []string{"alerts", name}}, nil)
	return err
}

// AlertCrossingPage is a page of crossings.
type AlertCrossingPage struct {
	Crossings  []AlertCrossing `json:"crossings"`
	NextCursor string          `json:"next_cursor"` // "" on the last page
}

// ListCrossingsOptions select crossings.
type ListCrossingsOptions struct {
	ListOptions

	Log string // "" for all logs
}

// ListCrossings lists what of an alert has fired or was resolved, newest first, a page at a time.
func (c *Client) ListCrossings(ctx context.Context, alert string, o *ListCrossingsOptions) (page AlertCrossingPage, err error) {
	o = orNew(o)
	r := get("alerts", alert, "crossings").with("log", o.Log, "cursor", o.Cursor, "limit", number(o.Limit))
	_, err = c.call(ctx, r, &page)
	return page, err
}

// Crossings iterates over what of an alert has fired or was resolved, on a log or, for "", on all, newest first.
func (c *Client) Crossings(ctx context.Context, alert, log string) iter.Seq2[AlertCrossing, error] {
	return pages(func(cursor string) ([]AlertCrossing, string, error) {
		page, err := c.ListCrossings(ctx, alert, &ListCrossingsOptions{ListOptions{Cursor: cursor}, log})
		return page.Crossings, page.NextCursor, err
	})
}

// TestAlert evaluates an alert on a log, now and without consequences.
func (c *Client) TestAlert(ctx context.Context, alert, log string) (test AlertTest, err error) {
	r, err := sending(http.MethodPost, map[string]string{"log": log}, "alerts", alert, "test")
	r.safe = true
	return test, c.send(ctx, r, err, &test)
}
