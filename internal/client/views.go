package client

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
	Progress       *Progress       `json:"progress,omitempty"` // nil unless it is building
	Module         string          `json:"module"`             // SHA-256, hexadecimal
	Config         json.RawMessage `json:"config"`
	Applied        int64           `json:"applied"` // last sequence folded
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
}

// Progress is how far a version is that is being built.
type Progress struct {
	Done            int64   `json:"done"`
	Total           int64   `json:"total"`
	EventsPerSecond float64 `json:"events_per_second"`      // 0 while nobody can tell
	SecondsLeft     *int64  `json:"seconds_left,omitempty"` // nil while nobody can tell
}

// Deployment is what to deploy.
type Deployment struct {
	Module []byte
	Config []byte // JSON; empty for none
	Gas    int64  // budget of one event; 0 for the server's
}

// maxQueryBytes is how long a query string is sent: servers take 64 KiB of request line and headers.
const maxQueryBytes = 32 << 10

// request makes the call that deploys to a path. A configuration that is too long for the query string goes into the body,
// beside the hash of a module that the server must have by then.
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
	// By hand, for the configuration is to arrive byte for byte.
	r.body = strings.NewReader(fmt.Sprintf(`{"module":"%x","config":%s}`, sha256.Sum256(d.Module), d.Config))
	r.contentType = jsonType
	return r
}

func (c *Client) deploy(ctx context.Context, path []string, query url.Values, d Deployment, answer any) error {
	r := d.request(path, query)
	err := c.call(ctx, r, answer)
	if r.contentType == jsonType && IsCode(err, "module_not_found") {
		return fmt.Errorf("a configuration of %d bytes is sent without its module, and the server does not have the module yet: deploy it once "+
			"with a short configuration: %w", len(d.Config), err)
	}
	return err
}

// Deploy makes a module the newest version of a view, and answers when it is live, or after some seconds while it is built.
func (c *Client) Deploy(ctx context.Context, log, view string, d Deployment) (View, error) {
	var answer View
	err := c.deploy(ctx, []string{"logs", log, "views", view}, url.Values{}, d, &answer)
	return answer, err
}

// Views lists the versions of all views of a log that are not retired.
func (c *Client) Views(ctx context.Context, log string) ([]View, error) {
	return c.views(ctx, "logs", log, "views")
}

// View gives the versions of a view that are not retired.
func (c *Client) View(ctx context.Context, log, view string) ([]View, error) {
	return c.views(ctx, "logs", log, "views", view)
}

func (c *Client) views(ctx context.Context, path ...string) ([]View, error) {
	var answer struct {
		Views []View `json:"views"`
	}
	err := c.call(ctx, request{method: http.MethodGet, path: path}, &answer)
	return answer.Views, err
}

// History is all that a view was.
type History struct {
	Versions []View   `json:"versions"` // newest first
	Actions  []Action `json:"actions"`  // newest first
}

// Action is something that was done to a view.
type Action struct {
	Action   string    `json:"action"`
	Version  int32     `json:"version,omitempty"` // 0: the view as a whole
	Actor    string    `json:"actor,omitempty"`   // "" for the server itself
	Sequence int64     `json:"sequence,omitempty"`
	Detail   string    `json:"detail,omitempty"`
	At       time.Time `json:"at"`
}

// Versions gives all versions of a view, and the last things that were done to them.
func (c *Client) Versions(ctx context.Context, log, view string) (History, error) {
	var all History
	for before := int32(0); ; {
		var page struct {
			History
			Next int32 `json:"next"`
		}
		r := request{method: http.MethodGet, path: []string{"logs", log, "views", view, "versions"}}
		if before > 0 {
			r.query = url.Values{"before": {strconv.Itoa(int(before))}}.Encode()
		}
		if err := c.call(ctx, r, &page); err != nil {
			return History{}, err
		}
		if before == 0 {
			all.Actions = page.Actions
		}
		all.Versions = append(all.Versions, page.Versions...)
		if page.Next == 0 {
			return all, nil
		}
		before = page.Next
	}
}

// Rollback makes an earlier version of a view the one that is to be live, like Deploy.
func (c *Client) Rollback(ctx context.Context, log, view string, version int32) (View, error) {
	return c.change(ctx, log, view, "rollback", map[string]any{"version": version})
}

// Resumption is how a halted view goes on.
type Resumption struct {
	Version int32  `json:"version,omitempty"` // 0: the one that was asked for last
	Skip    bool   `json:"skip"`              // past the event, which is then left out for ever
	Reason  string `json:"reason,omitempty"`
	Gas     int64  `json:"gas,omitempty"` // 0: the budget stays
}

// Resume has a halted version go on.
func (c *Client) Resume(ctx context.Context, log, view string, r Resumption) (View, error) {
	return c.change(ctx, log, view, "resume", r)
}

func (c *Client) change(ctx context.Context, log, view, what string, body any) (View, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return View{}, fmt.Errorf("describing the %s: %w", what, err)
	}
	var answer View
	r := request{method: http.MethodPost, path: []string{"logs", log, "views", view, what}, body: bytes.NewReader(text), contentType: jsonType}
	err = c.call(ctx, r, &answer)
	return answer, err
}

// Retire ends a view on a log: it answers no more.
func (c *Client) Retire(ctx context.Context, log, view string) error {
	return c.call(ctx, request{method: http.MethodDelete, path: []string{"logs", log, "views", view}}, nil)
}

// Answer is what a view said.
type Answer struct {
	Type     string // its media type, without parameters
	Sequence int64  // the last event that it reflects
	Body     []byte
}

// Query asks a view; question is an encoded query string.
func (c *Client) Query(ctx context.Context, log, view, question string) (Answer, error) {
	response, err := c.do(ctx, request{method: http.MethodGet, path: []string{"logs", log, "views", view, "query"}, query: question})
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = response.Body.Close() }() // it is read to its end
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
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

// Audit is what an audit of a view found.
type Audit struct {
	OK         bool        `json:"ok"`
	View       string      `json:"view"`
	Version    int32       `json:"version"`
	Sequence   int64       `json:"sequence"`
	Events     int64       `json:"events"`
	Skipped    int64       `json:"skipped"`
	Keys       int64       `json:"keys"`
	Ways       []string    `json:"ways"`
	Seconds    float64     `json:"seconds"`
	Difference *Difference `json:"difference,omitempty"` // nil when OK
}

// Difference is where two foldings of the same events, or a folding and the stored state, part.
type Difference struct {
	Way      string  `json:"way"`
	Key      string  `json:"key"`
	Expected *string `json:"expected"` // nil: no value
	Found    *string `json:"found"`    // nil: no value
	Sequence int64   `json:"sequence"`
}

// Audit has the server fold a view's events again and compare the state. It takes as long as reading the whole log does.
func (c *Client) Audit(ctx context.Context, log, view string) (Audit, error) {
	var answer Audit
	err := c.call(ctx, request{method: http.MethodPost, path: []string{"logs", log, "views", view, "audit"}}, &answer)
	return answer, err
}
