package tally_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"testing"
	"time"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// arguments are those of a step, with their variables replaced.
type arguments struct {
	*testing.T
	scope   map[string]any
	members map[string]any
}

func (a arguments) text(name string) string {
	if v, ok := a.members[name]; ok {
		return fmt.Sprint(v)
	}
	return ""
}

func (a arguments) number(name string) json.Number {
	n, _ := a.members[name].(json.Number)
	return n
}

func (a arguments) int(name string) int64 {
	n, _ := a.number(name).Int64()
	return n
}

// into decodes an argument.
func (a arguments) into(name string, value any) {
	if v, ok := a.members[name]; ok {
		text, err := json.Marshal(v)
		if err == nil {
			err = json.Unmarshal(text, value)
		}
		if err != nil {
			a.Errorf("%s: %v", name, err)
		}
	}
}

func (a arguments) list() *tally.ListOptions {
	o := &tally.ListOptions{Cursor: a.text("cursor"), Limit: int(a.int("limit"))}
	if a.text("limit") == "0" {
		o.Limit = 1 << 30 // 0 is the server's default here; this is out of range all the same
	}
	return o
}

func (a arguments) logs() *tally.ListLogsOptions {
	return &tally.ListLogsOptions{
		Prefix: a.text("prefix"), Search: a.text("search"), Label: a.text("label"), Sort: a.text("sort"), ListOptions: *a.list(),
	}
}

func (a arguments) viewStates() *tally.ListViewStatesOptions {
	o := &tally.ListViewStatesOptions{View: a.text("view"), ListOptions: *a.list()}
	if statuses := a.text("status"); statuses != "" {
		o.Statuses = strings.Split(statuses, ",")
	}
	return o
}

func (a arguments) append() *tally.AppendOptions {
	o := &tally.AppendOptions{IdempotencyKey: a.text("idempotency_key")}
	if _, ok := a.members["expected_sequence"]; ok {
		o.ExpectedSequence = tally.Sequence(a.int("expected_sequence"))
	}
	o.DryRun, _ = a.members["dry_run"].(bool)
	return o
}

func (a arguments) filter() tally.EventFilter {
	f := tally.EventFilter{From: a.int("from"), To: a.int("to"), Type: a.text("type")}
	if after := a.int("after"); after > 0 {
		f.From = after + 1
	}
	for name, at := range map[string]*time.Time{
		"time_from": &f.TimeFrom, "time_to": &f.TimeTo, "recorded_from": &f.RecordedFrom, "recorded_to": &f.RecordedTo,
	} {
		a.into(name, at)
	}
	return f
}

// question is an object of text as a query string.
func (a arguments) question() string {
	values := make(urlValues)
	a.into("question", &values)
	return values.encode()
}

func (a arguments) deployment() (d tally.Deployment) {
	body, _ := a.members["body"].(map[string]any)
	d.Ready, _ = body["ready"].(string)
	d.Module, _ = body["module"].(string)
	d.Config = body["config"]
	if gas, ok := body["gas"].(json.Number); ok {
		d.Gas, _ = gas.Int64()
	}
	d.OnHalt, _ = body["on_halt"].(string)
	return d
}

// preview is what goes with the deployment of a body.
func (a arguments) preview() *tally.PreviewViewOptions {
	body, _ := a.members["body"].(map[string]any)
	question := make(urlValues)
	arguments{members: body}.into("question", &question)
	o := &tally.PreviewViewOptions{Question: question.encode()}
	if events, ok := body["events"].(json.Number); ok {
		n, _ := events.Int64()
		o.Events = int(n)
	}
	return o
}

// body is exact bytes, or a value.
func (a arguments) body() []byte {
	switch body := a.members["body"].(type) {
	case []byte:
		return body
	case json.RawMessage:
		return body
	default:
		return encoded(body)
	}
}

func (a arguments) sending() *tally.SendOptions {
	return &tally.SendOptions{IdempotencyKey: a.text("idempotency_key")}
}

// jsonSending is for OTLP, whose bodies are JSON unless they are bytes.
func (a arguments) jsonSending() *tally.SendOptions {
	o := a.sending()
	if _, binary := a.members["body"].([]byte); !binary {
		o.ContentType = "application/json"
	}
	return o
}

// events are a list, or exact lines.
func (a arguments) events(name string) any {
	switch v := a.members[name].(type) {
	case copies:
		return []any(v)
	default:
		return v
	}
}

// oneEvent is an event as the server sent it.
func oneEvent(e tally.Event, err error) (any, error) {
	return json.RawMessage(e.JSON()), err
}

func eventTexts(events []tally.Event) []json.RawMessage {
	texts := []json.RawMessage{}
	for _, e := range events {
		texts = append(texts, e.JSON())
	}
	return texts
}

// exact encodes a list of texts without changing them.
func exact(texts []json.RawMessage) json.RawMessage {
	all := []byte("[")
	for i, text := range texts {
		if i > 0 {
			all = append(all, ',')
		}
		all = append(all, text...)
	}
	return append(all, ']')
}

// take reads an iterator, up to the argument take.
func take[T any](a arguments, all iter.Seq2[T, error]) ([]T, error) {
	list := []T{}
	for one, err := range all {
		if err != nil {
			return list, err
		}
		if list = append(list, one); len(list) == int(a.int("take")) {
			break
		}
	}
	return list, nil
}

func listed[T any](name string, list []T, err error) (any, error) {
	return map[string][]T{name: list}, err
}

func none(err error) (any, error) { return nil, err }

func answered(a tally.Answer, err error) (any, error) {
	if err == nil && a.Type != "application/json" {
		return string(a.Body), nil
	}
	return json.RawMessage(a.Body), err
}

func watch(ctx context.Context, c *tally.Client, a arguments) (any, error) {
	answers := []any{}
	for live, err := range c.Watch(ctx, a.text("log"), a.text("view"), a.question(), nil) {
		if err != nil {
			return nil, err
		}
		if live.Problem != nil {
			continue
		}
		answers = append(answers, map[string]any{"answer": json.RawMessage(live.Body), "sequence": live.Sequence})
		if len(answers) == int(a.int("take")) {
			break
		}
	}
	return answers, nil
}

func tail(ctx context.Context, c *tally.Client, a arguments) (any, error) {
	o := &tally.TailOptions{Type: a.text("type")}
	if _, ok := a.members["after"]; ok {
		o.After = tally.Sequence(a.int("after"))
	}
	events, err := take(a, c.Tail(ctx, a.text("log"), o))
	return exact(eventTexts(events)), err
}

func batch(ctx context.Context, c *tally.Client, a arguments) (any, error) {
	type failure struct {
		Log    string            `json:"log"`
		Events []json.RawMessage `json:"events"`
		Error  json.RawMessage   `json:"error"`
	}
	options := struct {
		MaxEvents int     `json:"max_events"`
		MaxBytes  int     `json:"max_bytes"`
		MaxBuffer int     `json:"max_buffer"`
		Linger    float64 `json:"linger"`
	}{}
	a.into("options", &options)
	failures := []failure{}
	b := c.NewBatcher(&tally.BatcherOptions{
		MaxEvents: options.MaxEvents, MaxBytes: options.MaxBytes, MaxBuffer: options.MaxBuffer,
		Linger: time.Duration(options.Linger * float64(time.Second)),
		OnFailure: func(log string, events [][]byte, err error) {
			f := failure{Log: log, Error: json.RawMessage("{}")}
			for _, e := range events {
				f.Events = append(f.Events, e)
			}
			if e, ok := err.(*tally.Error); ok { //nolint:errorlint // as the batcher gives it
				f.Error = describeError(e)
			}
			failures = append(failures, f)
		},
	})
	list, _ := a.events("add").([]any)
	for _, one := range list {
		o := one.(map[string]any)
		if err := b.Add(ctx, fmt.Sprint(o["log"]), o["event"]); err != nil {
			return nil, err
		}
	}
	if flush, _ := a.members["flush"].(bool); flush {
		_ = b.Flush(ctx) // failures are in their list
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	_ = b.Close(ctx) // likewise
	return map[string]any{"failures": failures, "unsent": 0}, nil
}

// formerValid is the body of rotate-key.
func formerValid(a arguments) *time.Duration {
	var body struct {
		Seconds *int64 `json:"former_valid_seconds"`
	}
	a.into("body", &body)
	if body.Seconds == nil {
		return nil
	}
	d := time.Duration(*body.Seconds) * time.Second
	return &d
}

func version(a arguments) int64 {
	if n, ok := a.members["version"].(json.Number); ok {
		v, _ := n.Int64()
		return v
	}
	v, _ := strconv.ParseInt(a.text("version"), 10, 64)
	return v
}
