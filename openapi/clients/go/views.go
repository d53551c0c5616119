package tally

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Statuses of a version.
const (
	Building = "building"
	Live     = "live"
	Halted   = "halted"
	Retired  = "retired"
)

// View is one version of a view on a log.
type View struct {
	ViewID         string          `json:"view_id"`
	Name           string          `json:"name"`
	Version        int32           `json:"version"`
	Status         string          `json:"status"`
	Progress       *BuildProgress  `json:"progress,omitempty"` // nil unless building
	Module         string          `json:"module"`             // SHA-256, hexadecimal
	Config         json.RawMessage `json:"config"`
	Applied        int64           `json:"applied"` // last folded sequence
	Head           int64           `json:"head"`    // last sequence of the log
	HaltedSequence int64           `json:"halted_sequence,omitempty"`
	HaltedEvent    string          `json:"halted_event,omitempty"`
	Error          string          `json:"error,omitempty"`
	Gas            int64           `json:"gas"` // budget of one event
	StateKept      bool            `json:"state_kept"`
	Actor          string          `json:"actor,omitempty"`
	CreatedAt      time.Time       `json:"created_at"`
	LiveAt         *time.Time      `json:"live_at,omitempty"`
	HaltedAt       *time.Time      `json:"halted_at,omitempty"`
	RetiredAt      *time.Time      `json:"retired_at,omitempty"`
	Successor      *View           `json:"successor,omitempty"` // the version that was asked for last, where that does not answer
}

// Versions returns the version, and its successor, if there is one.
func (v *View) Versions() []View {
	if v.Successor == nil {
		return []View{*v}
	}
	return []View{*v, *v.Successor}
}

// BuildProgress is the progress of a version that is being built.
type BuildProgress struct {
	Done            int64   `json:"done"`
	Total           int64   `json:"total"`
	EventsPerSecond float64 `json:"events_per_second"`      // 0 while unknown
	SecondsLeft     *int64  `json:"seconds_left,omitempty"` // nil while unknown
}

// Deployment is a module with its configuration.
type Deployment struct {
	Module []byte
	Config []byte // JSON; empty for none
	Gas    int64  // budget of one event; 0 for the server's default
}

// maxQueryBytes bounds the query string: servers accept 64 KiB of request line and headers.
const maxQueryBytes = 32 << 10

// request returns the call that deploys to a path. A configuration that is too long for the query string goes into the body, with the hash
// of the module in place of the module, which the server must have already.
func (d Deployment) request(path []string, query url.Values) request {
	if d.Gas > 0 {
		query.Set("gas", strconv.FormatInt(d.Gas, 10))
	}
	r := request{method: http.MethodPost, path: path, query: query.Encode()}
	if len(d.Config) > 0 {
		query.Set("config", string(d.Config))
	}
	if encoded := query.Encode(); len(encoded) <= maxQueryBytes {
		r.query, r.body, r.contentType = encoded, bytes.NewReader(d.Module), "application/wasm"
		return r
	}
	// By hand, since the configuration must arrive byte for byte.
	r.body = strings.NewReader(fmt.Sprintf(`{"module":"%x","config":%s}`, sha256.Sum256(d.Module), d.Config))
	r.contentType = jsonType
	return r
}

func (c *Client) deploy(ctx context.Context, path []string, query url.Values, d Deployment, result any) error {
	r := d.request(path, query)
	err := c.call(ctx, r, result)
	if r.contentType == jsonType && IsCode(err, "module_not_found") {
		return fmt.Errorf("a configuration of %d bytes is sent without its module, and the server does not have the module yet: "+
			"deploy it once with a short configuration: %w", len(d.Config), err)
	}
	return err
}

// Deploy makes a module the newest version of a view. It returns when the version is live, or after some seconds while it is being built.
func (c *Client) DeployView(ctx context.Context, log, view string, d Deployment) (View, error) {
	var result View
	err := c.deploy(ctx, []string{"logs", log, "views", view}, url.Values{}, d, &result)
	return result, err
}

// ListViews returns the views of a log, by name.
func (c *Client) ListViews(ctx context.Context, log string) ([]View, error) {
	var result struct {
		Views []View `json:"views"`
	}
	err := c.call(ctx, request{method: http.MethodGet, path: []string{"logs", log, "views"}}, &result)
	return result.Views, err
}

// GetView returns a view: the version that answers queries, with its successor, if there is one.
func (c *Client) GetView(ctx context.Context, log, view string) (found View, err error) {
	return found, c.call(ctx, request{method: http.MethodGet, path: []string{"logs", log, "views", view}}, &found)
}

// ViewHistory holds the versions of a view and what was done to them.
type ViewHistory struct {
	Versions []View       `json:"versions"` // newest first
	Actions  []ViewAction `json:"actions"`  // newest first
}

// ViewAction is something that was done to a view.
type ViewAction struct {
	Action   string    `json:"action"`
	Version  int32     `json:"version,omitempty"` // 0: the view as a whole
	Actor    string    `json:"actor,omitempty"`   // "" for the server itself
	Sequence int64     `json:"sequence,omitempty"`
	Detail   string    `json:"detail,omitempty"`
	At       time.Time `json:"at"`
}

// Versions returns all versions of a view, and the latest actions on them.
func (c *Client) ListViewVersions(ctx context.Context, log, view string) (ViewHistory, error) {
	var all ViewHistory
	for cursor := ""; ; {
		var page struct {
			ViewHistory
			Next string `json:"next_cursor"`
		}
		r := request{method: http.MethodGet, path: []string{"logs", log, "views", view, "versions"}}
		if cursor != "" {
			r.query = url.Values{"cursor": {cursor}}.Encode()
		}
		if err := c.call(ctx, r, &page); err != nil {
			return ViewHistory{}, err
		}
		if cursor == "" {
			all.Actions = page.Actions
		}
		all.Versions = append(all.Versions, page.Versions...)
		if page.Next == "" {
			return all, nil
		}
		cursor = page.Next
	}
}

// Rollback makes an earlier version of a view live again. It returns like Deploy.
func (c *Client) RollbackView(ctx context.Context, log, view string, version int32) (View, error) {
	return c.change(ctx, log, view, "rollback", map[string]any{"version": version})
}

// ResumeViewOptions selects how a halted view resumes.
type ResumeViewOptions struct {
	Version int32  `json:"version,omitempty"` // 0: the one requested last
	Skip    bool   `json:"skip"`              // the event, which this version then leaves out for ever
	Reason  string `json:"reason,omitempty"`
	Gas     int64  `json:"gas,omitempty"` // 0: the budget stays
}

// Resume resumes a halted version.
func (c *Client) ResumeView(ctx context.Context, log, view string, r ResumeViewOptions) (View, error) {
	return c.change(ctx, log, view, "resume", r)
}

func (c *Client) change(ctx context.Context, log, view, what string, body any) (View, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return View{}, fmt.Errorf("describing the %s: %w", what, err)
	}
	var result View
	r := request{
		method: http.MethodPost, path: []string{"logs", log, "views", view, what},
		body: bytes.NewReader(text), contentType: jsonType,
	}
	err = c.call(ctx, r, &result)
	return result, err
}

// Retire retires a view on a log: it no longer answers.
func (c *Client) RetireView(ctx context.Context, log, view string) error {
	return c.call(ctx, request{method: http.MethodDelete, path: []string{"logs", log, "views", view}}, nil)
}

// Answer is a view's answer to a query.
type Answer struct {
	Type     string // its media type, without parameters
	Sequence int64  // the last event that it reflects
	Body     []byte
}

// Query sends a view a query, an encoded query string.
func (c *Client) QueryView(ctx context.Context, log, view, query string) (Answer, error) {
	response, err := c.do(ctx, request{method: http.MethodGet, path: []string{"logs", log, "views", view, "query"}, query: query})
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = response.Body.Close() }() // it is read to its end
	body, err := io.ReadAll(io.LimitReader(response.Body, maxResponseBytes))
	if err != nil {
		return Answer{}, fmt.Errorf("reading the answer of %s: %w", c.base, err)
	}
	sequence, err := strconv.ParseInt(response.Header.Get("Tally-Sequence"), 10, 64)
	if err != nil {
		return Answer{}, fmt.Errorf("the answer of %s is not a view's: it has no Tally-Sequence header; is --url right?", c.base)
	}
	mediaType, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil {
		return Answer{}, fmt.Errorf("the answer of %s has no usable Content-Type: %w", c.base, err)
	}
	return Answer{Type: mediaType, Sequence: sequence, Body: body}, nil
}

// ViewAudit is the result of auditing a view.
type ViewAudit struct {
	OK         bool             `json:"ok"`
	View       string           `json:"view"`
	Version    int32            `json:"version"`
	Sequence   int64            `json:"sequence"`
	Events     int64            `json:"events"`
	Skipped    int64            `json:"skipped"`
	Keys       int64            `json:"keys"`
	Ways       []string         `json:"ways"`
	Seconds    float64          `json:"seconds"`
	Difference *AuditDifference `json:"difference,omitempty"` // nil when OK
}

// AuditDifference is the first difference between two ways of folding the same events, or between one of them and the stored state.
type AuditDifference struct {
	Way      string  `json:"way"`
	Key      string  `json:"key"`
	Expected *string `json:"expected"` // nil: no value
	Found    *string `json:"found"`    // nil: no value
	Sequence int64   `json:"sequence"`
}

// Audit has the server fold a view's events again and compare the state. It takes as long as reading the whole log.
func (c *Client) AuditView(ctx context.Context, log, view string) (ViewAudit, error) {
	var result ViewAudit
	err := c.call(ctx, request{method: http.MethodPost, path: []string{"logs", log, "views", view, "audit"}}, &result)
	return result, err
}
