package tally

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// EventExplanation is how an event was counted, by each version of each view that is not retired.
type EventExplanation struct {
	Sequence int64             `json:"sequence"`
	Type     string            `json:"type,omitempty"`
	Views    []ViewExplanation `json:"views"`
}

// ViewExplanation is how a version of a view counted an event.
type ViewExplanation struct {
	View           string        `json:"view"`
	Version        int32         `json:"version"`
	Status         string        `json:"status"`           // of the version: Building, Live, Halted
	Outcome        string        `json:"outcome"`          // applied, ignored, not_counted, left_out, halted, not_yet, unknown
	Reason         string        `json:"reason,omitempty"` // of not_counted those of the view, with commas between them; else in words
	Changes        []StateChange `json:"changes"`          // of the view's state, at most 100
	ChangesLeftOut int           `json:"changes_left_out"` // that there are besides
}

// StateChange is what an event made of a key of a view's state. Of a value over 4,096 bytes there is the beginning, as a text, instead.
type StateChange struct {
	Key       string          `json:"key"`
	Before    json.RawMessage `json:"before,omitempty"` // nil: there was none, or see BeforeCut
	After     json.RawMessage `json:"after,omitempty"`  // nil: there is none, or see AfterCut
	BeforeCut string          `json:"before_cut,omitempty"`
	AfterCut  string          `json:"after_cut,omitempty"`
}

// ExplainEventOptions select who explains.
type ExplainEventOptions struct {
	View string // "": all views of the log
}

// ExplainEvent tells how an event was counted by the views of its log. The server folds the log again, up to the event: on a long one that
// takes up to a minute or so, within ctx.
func (c *Client) ExplainEvent(
	ctx context.Context, log string, sequence int64, o *ExplainEventOptions,
) (explanation EventExplanation, err error) {
	r := get("logs", log, "events", strconv.FormatInt(sequence, 10), "explanation")
	r.long = true
	_, err = c.call(ctx, r.with("view", orNew(o).View), &explanation)
	return explanation, err
}

// PreviewViewOptions say on what a deployment is tried.
type PreviewViewOptions struct {
	Events   int    // the log's last so many at most, up to 100,000; 0 for 10,000
	Question string // what it is asked afterwards, as a query string
}

// ViewPreview is what a view would make of a log's last events.
type ViewPreview struct {
	FromSequence  int64           `json:"from_sequence"` // 0: no event was folded
	ToSequence    int64           `json:"to_sequence"`
	Events        int64           `json:"events"`
	Ignored       int64           `json:"ignored"`  // of these
	LeftOut       int64           `json:"left_out"` // before these
	Complete      bool            `json:"complete"` // false: it halted, or took longer than it may
	StateKeys     int             `json:"state_keys"`
	StateBytes    int64           `json:"state_bytes"`
	GasPerEvent   int64           `json:"gas_per_event"`
	Answer        json.RawMessage `json:"answer,omitempty"`         // of CSV and plain text a JSON string
	AnswerType    string          `json:"answer_type,omitempty"`    // application/json, text/csv or text/plain
	AnswerProblem *AnswerProblem  `json:"answer_problem,omitempty"` // nil where there is an answer
	Halt          *PreviewHalt    `json:"halt,omitempty"`           // nil unless it would halt
}

// AnswerProblem is why a view does not answer.
type AnswerProblem struct {
	Code   string `json:"code"` // query_refused, query_failed
	Detail string `json:"detail"`
}

// PreviewHalt is the event that a view would halt over.
type PreviewHalt struct {
	Sequence int64  `json:"sequence"`
	Error    string `json:"error"`
}

// PreviewView tries a deployment on a log's last events, onto an empty state, asks it, and stores nothing. What a deploy would refuse is
// refused. It takes up to a minute or so, within ctx.
func (c *Client) PreviewView(
	ctx context.Context, log, view string, d Deployment, o *PreviewViewOptions,
) (preview ViewPreview, err error) {
	body, err := d.body()
	if err == nil {
		body, err = orNew(o).addTo(body)
	}
	r := request{
		method: http.MethodPost, path: []string{"logs", log, "views", view, "preview"}, body: body, contentType: jsonType,
		safe: true, long: true,
	}
	return preview, c.send(ctx, r, err, &preview)
}

// addTo adds the options to the body of a deployment.
func (o *PreviewViewOptions) addTo(body []byte) ([]byte, error) {
	question, err := url.ParseQuery(o.Question)
	if err != nil {
		return nil, fmt.Errorf("reading the question %q: %w", o.Question, err)
	}
	asked, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	body = append(append(body[:len(body)-1], `,"question":`...), asked...)
	if o.Events != 0 {
		body = strconv.AppendInt(append(body, `,"events":`...), int64(o.Events), 10)
	}
	return append(body, '}'), nil
}
