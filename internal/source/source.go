// Package source makes events of what programs send that know nothing of Tallystick: gateways, collectors, access logs. A mapping says, for
// the records of one source, which of them count, which log each belongs to, what identifies it, when it happened, and what is kept of it.
// The package uses no database.
//
// docs/sources.md is the reference of mappings.
package source

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/jsonscan"
)

// Limits of a mapping.
const (
	// MaxMappingBytes bounds a mapping as it is sent.
	MaxMappingBytes = 64 << 10
	// MaxPointers bounds the different JSON pointers of a mapping: each is compared with the members of every record.
	MaxPointers = 256
	// MaxPointerBytes bounds one JSON pointer.
	MaxPointerBytes = 1024
	// MaxTemplateBytes bounds one template.
	MaxTemplateBytes = 1024
	// MaxAlternatives bounds a list of templates, or of pointers, of which the first that fits is taken.
	MaxAlternatives = 16
	// MaxConditions bounds the members of select, and the values that one of them lists.
	MaxConditions = 64
	// MaxKept bounds the members that are kept, and MaxKeptNameBytes the name of each.
	MaxKept          = 128
	MaxKeptNameBytes = 255
	// DefaultMostLogs and MaxMostLogs bound the logs that a source may create.
	DefaultMostLogs = 10_000
	MaxMostLogs     = 1_000_000
	// MaxOrigins bounds the origins that may ask for leave to send, and MaxOriginBytes each of them.
	MaxOrigins     = 16
	MaxOriginBytes = 255
)

// Mapping is a mapping that was checked. It is immutable and safe for concurrent use.
type Mapping struct {
	json     []byte
	pointers *jsonscan.Pointers
	paths    []string // the text of each of pointers

	conditions []condition
	unwrap     *unwrap
	log        []template
	create     *creation
	origins    []string
	answer     string

	keep    keepMode
	members []member // of keepMembers, sorted by name, with those of the envelope
	types   []template
	source  []template
	id      []template
	ownID   int  // the slot of the record's own id, -1 where it does not matter
	needsID bool // a record without identity is a reject
	clock   clock
	absent  [][]byte // strings that count as not being there
	raw     rawMode
	root    *branch // of rawNamed
}

type creation struct {
	labels map[string]string
	most   int
}

type clock struct {
	slots    []int
	unit     unit
	optional bool
}

// Outcome is what becomes of a record.
type Outcome int

const (
	Mapped   Outcome = iota // it is an event
	Skipped                 // the mapping does not select it
	Rejected                // it cannot be made an event
)

// Line is what became of a record.
type Line struct {
	Outcome Outcome
	Log     string // the name of the log
	Event   []byte
	Key     string // the idempotency key beside the event, "" where the event has its own or needs none
	// Code and Detail say why a record is a reject. Detail holds nothing of the record.
	Code, Detail string
	// Raw is what the rejects log may keep of the record, and Whole says that it is the record itself: what RejectRaw returns. A record
	// that is skipped has none; one that is mapped has it, since its event may yet be refused.
	Raw   []byte
	Whole bool
}

// line is a record on its way. Lines are pooled.
type line struct {
	mapping      *Mapping
	values       []jsonscan.Value
	writer       writer
	out          []byte
	text         []byte // of the type
	source, id   []byte
	given        string // the idempotency key that came with the record
	code, detail string
}

var lines = sync.Pool{New: func() any { return new(line) }}

// maxPooledBytes is the largest buffer that a pooled line keeps.
const maxPooledBytes = 256 << 10

func (l *line) release() {
	clear(l.values)
	l.mapping, l.given, l.code, l.detail = nil, "", "", ""
	if max(cap(l.out), cap(l.writer.moved), cap(l.source), cap(l.id)) <= maxPooledBytes {
		lines.Put(l)
	}
}

// reject says why there is no event. The text must hold nothing of the record: it goes to people who may not see that.
func (l *line) reject(code, format string, args ...any) {
	if l.code == "" {
		l.code, l.detail = code, fmt.Sprintf(format, args...)
	}
}

// Map makes an event of a record, which is one JSON value. The same record gives the same line at all times. Map keeps nothing of the
// record but, with "keep": "bytes", the event: that is the record itself, and must not change.
func (m *Mapping) Map(record []byte) Line { return m.MapKeyed(record, "") }

// MapKeyed is Map for a record that came with an idempotency key, "" for none: it identifies a record that has no identity of its own.
func (m *Mapping) MapKeyed(record []byte, key string) Line {
	l := m.begin()
	defer l.release()
	l.given = key
	var out Line
	if m.raw != rawNamed {
		out.Raw, out.Whole = m.unnamed(record)
	}
	if err := m.pointers.Scan(record, l.values); err != nil {
		l.reject("invalid_json", "%s", invalidJSON(err))
		return l.rejected(out)
	}
	if !isObject(record) {
		l.reject("not_an_object", "the record is no JSON object")
		return l.rejected(out)
	}
	l.drop(m.absent)
	for i := range m.conditions {
		if !m.conditions[i].holds(l.values[m.conditions[i].slot]) {
			return Line{Outcome: Skipped}
		}
	}
	if out.Log = l.log(); l.code == "" {
		out.Event, out.Key = l.event(record)
	}
	if m.raw == rawNamed {
		out.Raw = l.named()
	}
	if l.code != "" {
		return l.rejected(out)
	}
	return out
}

// begin returns a line with room for the values of a record.
func (m *Mapping) begin() *line {
	l := lines.Get().(*line) //nolint:forcetypeassert // the pool holds nothing else
	l.mapping = m
	l.values = slices.Grow(l.values[:0], len(m.paths))[:len(m.paths)]
	return l
}

func (l *line) rejected(out Line) Line {
	out.Outcome, out.Event, out.Key, out.Code, out.Detail = Rejected, nil, "", l.code, l.detail
	return out
}

// drop makes these strings count as not being there. Their text remains: the rejects log keeps it.
func (l *line) drop(absent [][]byte) {
	if len(absent) == 0 {
		return
	}
	for i := range l.values {
		v := &l.values[i]
		if v.Kind == jsonscan.String && slices.ContainsFunc(absent, func(text []byte) bool { return string(text) == string(v.Text) }) {
			v.Kind = jsonscan.Missing
		}
	}
}

func (l *line) log() string {
	found := fit(l.mapping.log, l.values)
	if found == nil {
		l.reject("no_log", "the mapping's log has no template whose values are all there: %s", l.mapping.named(l.mapping.log))
		return ""
	}
	name, ok := found.name(l.values)
	if !ok {
		l.reject("invalid_log_name", "the log's name, made of %s, would have more than %d bytes",
			l.mapping.list(found.slots), eventlog.MaxNameBytes)
		return ""
	}
	return name
}

func (l *line) event(record []byte) (data []byte, key string) {
	l.identify()
	if l.code != "" {
		return nil, ""
	}
	if l.mapping.keep != keepMembers {
		key = string(l.id)
	}
	switch l.mapping.keep {
	case keepBytes:
		return record, key
	case keepAll:
		l.out = l.writer.append(l.out[:0], &walker{data: record})
	case keepMembers:
		l.out = l.project(l.out[:0])
	}
	return slices.Clone(l.out), key
}

// identify finds the event's source and id.
func (l *line) identify() {
	m := l.mapping
	l.source, l.id = l.source[:0], l.id[:0]
	if m.source != nil {
		l.source = l.fitting(m.source, l.source, "member_missing", "source")
	}
	if !m.needsID || m.ownID >= 0 && isThere(l.values[m.ownID]) {
		return
	}
	if l.given != "" && fit(m.id, l.values) == nil {
		l.id = append(l.id, l.given...)
		return
	}
	if m.id == nil {
		l.reject("id_missing", `the record has no /id, and the mapping no id; "id": null would store records without identity, also twice`)
		return
	}
	l.id = l.fitting(m.id, l.id, "id_missing", "id")
	if l.code == "" {
		l.check("invalid_id", "the id", l.id, event.MaxKeyBytes)
	}
	if l.code == "" && len(l.source) > 0 && len(l.source)+1+len(l.id) > event.MaxKeyBytes {
		l.reject("invalid_id", "source and id have %d bytes together; at most %d are allowed", len(l.source)+1+len(l.id), event.MaxKeyBytes)
	}
	if l.code == "" && len(l.source) > 0 {
		l.check("invalid_id", "the source", l.source, event.MaxKeyBytes)
	}
}

// fitting appends the text of the first of the templates that fits.
func (l *line) fitting(templates []template, dst []byte, code, what string) []byte {
	found := fit(templates, l.values)
	if found == nil {
		l.reject(code, "the mapping's %s has no template whose values are all there: %s", what, l.mapping.named(templates))
		return dst
	}
	return found.appendText(dst, l.values)
}

func (l *line) check(code, what string, text []byte, limit int) {
	if err := event.CheckText(code, what, text, limit); err != nil {
		l.reject(code, "%s is longer than %d bytes, or holds a control character", what, limit)
	}
}

// isThere reports whether a record has the value.
func isThere(v jsonscan.Value) bool { return v.Kind != jsonscan.Missing && v.Kind != jsonscan.Null }

// isFilled reports whether a record has the value, and it is not the empty string.
func isFilled(v jsonscan.Value) bool {
	return isThere(v) && (v.Kind != jsonscan.String || len(v.Text) > 0)
}

func isObject(record []byte) bool { return (&walker{data: record}).next() == '{' }

func invalidJSON(err error) string {
	if at, ok := errors.AsType[*jsonscan.SyntaxError](err); ok {
		return fmt.Sprintf("the record is not valid JSON from byte %d on", at.Offset)
	}
	return "the record is not valid JSON"
}

// named lists the pointers of templates.
func (m *Mapping) named(templates []template) string {
	var slots []int
	for i := range templates {
		slots = append(slots, templates[i].slots...)
	}
	return m.list(slots)
}

func (m *Mapping) list(slots []int) string {
	var paths []string
	for _, slot := range slots {
		if !slices.Contains(paths, m.paths[slot]) {
			paths = append(paths, m.paths[slot])
		}
	}
	return strings.Join(paths, ", ")
}

// JSON returns the mapping in its canonical form, with the members of the ready mapping that it is based on in their place.
func (m *Mapping) JSON() []byte { return slices.Clone(m.json) }

// Create returns the labels of logs that the source may create, and how many there may be. It is false where logs must exist.
func (m *Mapping) Create() (labels map[string]string, most int, ok bool) {
	if m.create == nil {
		return nil, 0, false
	}
	return maps.Clone(m.create.labels), m.create.most, true
}

// Origins returns the origins that are allowed to send when they ask with OPTIONS.
func (m *Mapping) Origins() []string { return slices.Clone(m.origins) }

// Answer returns the form of the answer, "" for that of the endpoint.
func (m *Mapping) Answer() string { return m.answer }
