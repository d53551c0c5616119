package alert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/uuid"
)

// Limits of an alert.
const (
	MaxAlerts          = 100      // of a tenant
	MaxThresholds      = 16       // of an alert
	MaxDefinitionBytes = 16 << 10 // of an alert, as it is put
	MaxQuestionBytes   = 4 << 10  // of its question, as a query string
	MaxPointerBytes    = 1024
)

// Alert is what an alert watches, as it was put and as it is understood. It is never changed, and shared.
type Alert struct {
	ID         uuid.UUID
	Tenant     uuid.UUID
	Name       string
	Version    int64
	Definition json.RawMessage // as it was put, with figures as texts: two that say the same in other words have the same
	Logs       eventlog.Pattern
	View       string

	question   map[string][]string
	pointers   *jsonscan.Pointers // of the value, then of of and window, where they are pointers
	value      string             // the pointer
	absent     *number            // the value where there is none; nil: an error
	of         *number            // nil: a pointer, or nothing
	ofAt       int                // where its value is among those of pointers; 0: it is no pointer
	windowAt   int                // likewise
	calendar   Calendar           // "": no calendar's windows
	zone       *time.Location
	thresholds []threshold
	direction  Direction
	resolve    bool
}

// definition is an alert as it is put, and as it is shown: then with texts where it may have had numbers.
type definition struct {
	Logs       string              `json:"logs"`
	View       string              `json:"view"`
	Question   map[string]oneOrAll `json:"question,omitempty"`
	Value      string              `json:"value"`
	Absent     *text               `json:"absent,omitempty"`
	Of         *text               `json:"of,omitempty"`
	Thresholds []text              `json:"thresholds"`
	Direction  *Direction          `json:"direction,omitempty"`
	Window     *string             `json:"window,omitempty"`
	Timezone   *string             `json:"timezone,omitempty"`
	Resolve    bool                `json:"resolve,omitempty"`
}

// text is a text, or a number as it is written.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] != '"' {
		if _, ok := parseNumber(string(data)); !ok {
			return errors.New("must be a number, or a text")
		}
		*t = text(data)
		return nil
	}
	return json.Unmarshal(data, (*string)(t))
}

// oneOrAll is the value of a parameter, or a list of them.
type oneOrAll []text

// UnmarshalJSON implements json.Unmarshaler.
func (o *oneOrAll) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, (*[]text)(o))
	}
	var one text
	err := json.Unmarshal(data, &one)
	*o = oneOrAll{one}
	return err
}

// MarshalJSON implements json.Marshaler.
func (o oneOrAll) MarshalJSON() ([]byte, error) {
	if len(o) == 1 {
		return json.Marshal(string(o[0]))
	}
	return json.Marshal([]text(o))
}

// Parse reads a definition. The error is an *event.InvalidError with the code invalid_alert.
func Parse(data []byte) (*Alert, error) {
	if len(data) > MaxDefinitionBytes {
		return nil, invalid("the alert has %d bytes; at most %d are allowed", len(data), MaxDefinitionBytes)
	}
	if err := jsonscan.Valid(data); err != nil {
		return nil, invalid("the alert is no JSON object: %v", err)
	}
	var d definition
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return nil, invalid("the alert cannot be read: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, invalid("the alert must be one JSON object")
	}
	shown, err := json.Marshal(d)
	if err != nil {
		return nil, invalid("the alert cannot be read: %v", err)
	}
	a := &Alert{Definition: shown, Logs: eventlog.Pattern(d.Logs), View: d.View, value: d.Value, resolve: d.Resolve}
	for _, understand := range []func(*definition) error{a.scope, a.figures, a.ask, a.bounds, a.windows, a.pointTo} {
		if err := understand(&d); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *Alert) scope(d *definition) error {
	if d.Logs == "" {
		return invalid("logs is missing: a log's name, or a pattern such as \"customer-*\"")
	}
	if err := a.Logs.Check(); err != nil {
		return err
	}
	if d.View == "" {
		return invalid("view is missing: the name of a view of the logs")
	}
	return eventlog.CheckName("the view's name", d.View)
}

// figures reads numbers, and what they are compared with.
func (a *Alert) figures(d *definition) error {
	if d.Absent != nil {
		n, ok := parseNumber(string(*d.Absent))
		if !ok {
			return invalid("absent must be a number, which the value is where the answer has none")
		}
		a.absent = &n
	}
	if d.Of != nil && !strings.HasPrefix(string(*d.Of), "/") {
		n, ok := parseNumber(string(*d.Of))
		if !ok {
			return invalid("of must be a number, or a JSON Pointer into the answer such as \"/limit\"")
		}
		a.of = &n
	}
	a.direction = AtLeast
	if d.Direction != nil {
		a.direction = *d.Direction
	}
	if a.direction != AtLeast && a.direction != AtMost {
		return invalid("direction is %.50q; it must be \"at_least\" or \"at_most\"", a.direction)
	}
	return nil
}

// ask reads the question.
func (a *Alert) ask(d *definition) error {
	a.question = make(map[string][]string, len(d.Question))
	for name, values := range d.Question {
		for _, value := range values {
			a.question[name] = append(a.question[name], string(value))
		}
	}
	if n := len(a.query(moment{})); n > MaxQuestionBytes {
		return invalid("the question has %d bytes as a query string; at most %d are allowed", n, MaxQuestionBytes)
	}
	return nil
}

func (a *Alert) bounds(d *definition) error {
	if n := len(d.Thresholds); n == 0 || n > MaxThresholds {
		return invalid("the alert has %d thresholds; 1 to %d are allowed", n, MaxThresholds)
	}
	for _, text := range d.Thresholds {
		t, err := parseThreshold(string(text))
		if err != nil {
			return err
		}
		if t.percent && d.Of == nil {
			return invalid("the threshold %.50q is a percentage, and the alert does not say of what: "+
				"set of to a number, or to a JSON Pointer into the answer", text)
		}
		if slices.ContainsFunc(a.thresholds, func(other threshold) bool { return other.text == t.text }) {
			return invalid("the threshold %.50q comes twice", text)
		}
		a.thresholds = append(a.thresholds, t)
	}
	return nil
}

var calendars = []Calendar{Minute, Hour, Day, Week, Month}

func (a *Alert) windows(d *definition) error {
	if d.Window != nil && !strings.HasPrefix(*d.Window, "/") {
		if a.calendar = Calendar(*d.Window); !slices.Contains(calendars, a.calendar) {
			return invalid("window is %.50q; it must be minute, hour, day, week or month, "+
				"or a JSON Pointer into the answer such as \"/resets_at\"", *d.Window)
		}
	}
	a.zone = time.UTC
	if d.Timezone == nil {
		return nil
	}
	if a.calendar == "" {
		return invalid("timezone is for windows of the calendar: set window to minute, hour, day, week or month, or leave timezone out")
	}
	zone, err := time.LoadLocation(*d.Timezone)
	if err != nil || *d.Timezone == "" || *d.Timezone == "Local" {
		return invalid("timezone is %.50q, which is none of the IANA database", *d.Timezone)
	}
	a.zone = zone
	return nil
}

// pointTo compiles the pointers.
func (a *Alert) pointTo(d *definition) (err error) {
	if d.Value == "" {
		return invalid("value is missing: the JSON Pointer to the number in the view's answer, such as \"/used\"")
	}
	pointers := []string{d.Value}
	if d.Of != nil && a.of == nil {
		a.ofAt = len(pointers)
		pointers = append(pointers, string(*d.Of))
	}
	if d.Window != nil && a.calendar == "" {
		a.windowAt = len(pointers)
		pointers = append(pointers, *d.Window)
	}
	for _, p := range pointers {
		if len(p) > MaxPointerBytes {
			return invalid("a JSON Pointer has %d bytes; at most %d are allowed", len(p), MaxPointerBytes)
		}
	}
	if a.pointers, err = jsonscan.Compile(pointers); err != nil {
		return invalid("%v", err)
	}
	return nil
}

// moment is when a question is asked, and the window of the calendar that it is asked about, if there is one.
type moment struct{ now, from, to time.Time }

// The words of a question that are replaced when it is asked.
const (
	wordNow   = "{now}"
	wordStart = "{window_start}"
	wordEnd   = "{window_end}"
)

// asksOf reports whether the question has the word in it.
func (a *Alert) asksOf(word string) bool {
	for _, values := range a.question {
		if slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, word) }) {
			return true
		}
	}
	return false
}

// query is the question as a query string, at a moment.
func (a *Alert) query(at moment) string {
	words := strings.NewReplacer(wordNow, key(at.now), wordStart, key(at.from), wordEnd, key(at.to))
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(a.question)) {
		for _, value := range a.question[name] {
			if b.Len() > 0 {
				b.WriteByte('&')
			}
			fmt.Fprintf(&b, "%s=%s", url.QueryEscape(name), url.QueryEscape(words.Replace(value)))
		}
	}
	return b.String()
}
