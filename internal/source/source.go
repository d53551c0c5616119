// Package source is a stand-in until the package lands.
package source

import (
	"bytes"
	"encoding/json"

	"github.com/tallystick/tallystick/internal/event"
)

// Mapping is a mapping.
type Mapping struct{ raw []byte }

// Parse parses.
func Parse(raw []byte) (*Mapping, error) {
	var members map[string]any
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, event.Invalid("invalid_mapping", "the mapping is no JSON object: %v", err)
	}
	_, number := members["log"].(float64)
	if number || members["log"] == nil && members["ready"] != "litellm" {
		return nil, event.Invalid("invalid_mapping", "/log is missing: say which log")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, err
	}
	return &Mapping{compact.Bytes()}, nil
}

// Ready lists.
func Ready() []string { return []string{"litellm"} }

// ReadyMapping is one.
func ReadyMapping(name string) ([]byte, bool) { return []byte(`{"log":"x"}`), name == "litellm" }

// JSON is canonical.
func (m *Mapping) JSON() []byte { return m.raw }

// Outcome is what became.
type Outcome int

// Outcomes.
const (
	Mapped Outcome = iota
	Skipped
	Rejected
)

// Line is.
type Line struct {
	Outcome      Outcome
	Log          string
	Event        []byte
	Key          string
	Code, Detail string
}

// Unwrap unwraps.
func (m *Mapping) Unwrap(record []byte, each func(record []byte) error) error { return each(record) }

// Map maps.
func (m *Mapping) Map(record []byte) Line { return Line{Outcome: Mapped, Log: "x", Event: record} }

// RejectRaw keeps.
func (m *Mapping) RejectRaw(record []byte) (raw []byte, whole bool) { return record, true }

// Create says.
func (m *Mapping) Create() (labels map[string]string, most int, ok bool) { return nil, 0, false }

// Origins says.
func (m *Mapping) Origins() []string { return nil }

// Answer says.
func (m *Mapping) Answer() string { return "" }
