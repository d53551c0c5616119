// Package viewtest runs views over events in memory, on the engine of the server: for authors of views, whose golden folders
// it plays, and for the tests of the ready views. Package replay folds.
//
// A golden folder holds events.ndjson (one event a line), config.json (optional), queries.txt (optional, one query string
// a line) and expected.txt: what must come of them, as [Case.Play] writes it.
package viewtest

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/tallystick/tallystick/internal/replay"
	"github.com/tallystick/tallystick/internal/wasm"
)

// RecordedAt is when all events of a test were appended, and when those without a time of their own happened.
var RecordedAt = time.Date(2025, 3, 1, 10, 5, 30, 0, time.UTC)

// View is a module with a configuration, as a deploy leaves it. It is safe for concurrent use.
type View struct{ view replay.View }

// Deploy asks a compiled module for its fields, with the settings. The error is a *wasm.ViewError where the view refuses the
// configuration, and a *wasm.RefusedError where the server would.
func Deploy(ctx context.Context, module *wasm.Module, settings wasm.Settings) (*View, error) {
	settings.Config = bytes.TrimSpace(settings.Config)
	names, err := module.Fields(ctx, settings.Config)
	if err != nil {
		return nil, err
	}
	var cache replay.FieldCache
	fields, err := cache.Of(names)
	if err != nil {
		return nil, err
	}
	return &View{replay.View{Module: module, Settings: settings, Fields: fields}}, nil
}

// Start begins a session on a state. It must be closed.
func (v *View) Start(ctx context.Context, state wasm.State) (*wasm.Session, error) {
	return v.view.Start(ctx, state)
}

// Event returns what the view sees of an event's JSON at this sequence. The error says why the server would not accept it.
func (v *View) Event(sequence int64, data []byte) (*wasm.Event, error) {
	event, err := parse(data)
	if err != nil {
		return nil, err
	}
	e := &wasm.Event{}
	return e, v.read(e, sequence, &event)
}

// read sets e to what the view sees of an event at this sequence.
func (v *View) read(e *wasm.Event, sequence int64, event *Event) error {
	recorded := at(sequence, event)
	return v.view.Read(e, &recorded)
}

// Answer is a view's answer to a query.
type Answer struct {
	Type string // its media type
	Text []byte
}

// Ask asks a query of a state, in a session of its own. A *wasm.ViewError of kind refused is the view's own refusal.
func (v *View) Ask(ctx context.Context, state State, query string) (Answer, error) {
	session, err := v.Start(ctx, state)
	if err != nil {
		return Answer{}, err
	}
	defer session.Close()
	text, err := session.Query(query)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Type: session.AnswerType(), Text: text}, nil
}

// Refusal is the view's own text when err is a refusal, such as of a query or a configuration.
func Refusal(err error) (text string, ok bool) {
	var view *wasm.ViewError
	if errors.As(err, &view) && view.Kind == wasm.KindRefused {
		return view.Message, true
	}
	return "", false
}
