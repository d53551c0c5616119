// Package limits bounds what tenants and their keys use of a server and its database: requests, events and bytes a second, live streams,
// logs, views, patterns and stored state.
package limits

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Limit is one of the limits.
type Limit int

// The limits. Those up to Streams hold in each server by itself, and a key may have its own; the others hold for a tenant, whatever the
// number of servers.
const (
	Requests   Limit = iota // a second
	Events                  // a second, duplicates included
	Bytes                   // of bodies, a second
	Streams                 // live streams at a time: tails, and answers that are watched
	Logs                    // that the tenant has
	Views                   // that are not retired, on all logs
	Patterns                // that are not retired
	StateBytes              // of views that are not retired: keys and values, as PostgreSQL stores them

	limits = int(StateBytes) + 1
	rates  = int(Bytes) + 1
)

var names = [limits]string{
	"requests_per_second", "events_per_second", "bytes_per_second", "streams", "logs", "views", "patterns", "state_bytes",
}

// String returns the limit's name, as JSON and flags have it.
func (l Limit) String() string { return names[l] }

// ofKeys reports whether a key may have a limit of its own.
func (l Limit) ofKeys() bool { return l <= Streams }

// MaxValue is the highest value of a limit: far above what a server can do, and exact in JSON everywhere.
const MaxValue = 1 << 50

// Limits are a tenant's or a key's own. nil stands for the default: the server's for a tenant, no limit for a key. 0 stands for no limit.
// What a key may use is bounded by its tenant's limits too.
type Limits struct {
	RequestsPerSecond *int64 `json:"requests_per_second,omitempty"`
	EventsPerSecond   *int64 `json:"events_per_second,omitempty"`
	BytesPerSecond    *int64 `json:"bytes_per_second,omitempty"`
	Streams           *int64 `json:"streams,omitempty"`
	Logs              *int64 `json:"logs,omitempty"`
	Views             *int64 `json:"views,omitempty"`
	Patterns          *int64 `json:"patterns,omitempty"`
	StateBytes        *int64 `json:"state_bytes,omitempty"`
}

func (l *Limits) fields() [limits]**int64 {
	return [limits]**int64{
		&l.RequestsPerSecond, &l.EventsPerSecond, &l.BytesPerSecond, &l.Streams, &l.Logs, &l.Views, &l.Patterns, &l.StateBytes,
	}
}

// Set sets one limit; nil takes it back to the default.
func (l *Limits) Set(limit Limit, value *int64) { *l.fields()[limit] = value }

// InvalidError: a limit that cannot be.
type InvalidError struct{ Name, Detail string }

func (e *InvalidError) Error() string { return e.Name + ": " + e.Detail }

func checkValue(limit Limit, value int64) error {
	if value < 0 || value > MaxValue {
		return &InvalidError{limit.String(), fmt.Sprintf("it is %d; 0, for no limit, to %d are allowed", value, int64(MaxValue))}
	}
	return nil
}

// Check returns an *InvalidError for the first limit that a tenant cannot have.
func (l *Limits) Check() error {
	for i, field := range l.fields() {
		if *field == nil {
			continue
		}
		if err := checkValue(Limit(i), **field); err != nil {
			return err
		}
	}
	return nil
}

// CheckKey returns an *InvalidError for the first limit that a key cannot have.
func (l *Limits) CheckKey() error {
	for i, field := range l.fields() {
		if limit := Limit(i); *field != nil && !limit.ofKeys() {
			return &InvalidError{limit.String(), "it is a limit of tenants; a key may have " + joined(names[:Streams+1])}
		}
	}
	return l.Check()
}

// Parse reads the limits that are stored with a tenant or a key. Limits that this version does not know are left out: a newer server may
// have stored them.
func Parse(stored []byte) (*Limits, error) {
	l := &Limits{}
	if err := json.Unmarshal(stored, l); err != nil {
		return nil, fmt.Errorf("reading limits: %w", err)
	}
	return l, nil
}

// Find returns the limit of that name. The error is an *InvalidError.
func Find(name string) (Limit, error) {
	i := slices.Index(names[:], name)
	if i < 0 {
		return 0, &InvalidError{name, "there is no such limit; there are " + joined(names[:])}
	}
	return Limit(i), nil
}

// ParseSetting reads a limit and its value from name=value. The error is an *InvalidError.
func ParseSetting(text string) (Limit, int64, error) {
	name, value, found := strings.Cut(text, "=")
	limit, err := Find(strings.TrimSpace(name))
	if err != nil {
		return 0, 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	if !found || err != nil {
		return 0, 0, &InvalidError{limit.String(), fmt.Sprintf("%q gives it no whole number: write %s=1000, or 0 for none", text, limit)}
	}
	return limit, n, checkValue(limit, n)
}

// Values are the values of all limits; 0 stands for no limit. *Values is a pflag.Value.
type Values [limits]int64

// Defaults are those of a server that others can reach: more than one product needs of it, and less than all that it has.
func Defaults() Values {
	return Values{
		Requests: 10_000, Events: 100_000, Bytes: 64 << 20, Streams: 2_000,
		Logs: 1_000_000, Views: 4_000_000, Patterns: 100, StateBytes: 64 << 30,
	}
}

// with returns the values with those of l before them.
func (v Values) with(l *Limits) Values {
	if l == nil {
		return v
	}
	for i, field := range l.fields() {
		if *field != nil {
			v[i] = **field
		}
	}
	return v
}

// Set implements pflag.Value: it reads name=value, or several with commas between them. The others keep their value. none stands for all of
// them being 0.
func (v *Values) Set(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(part) == "none" {
			*v = Values{}
			continue
		}
		limit, value, err := ParseSetting(part)
		if err != nil {
			return err
		}
		v[limit] = value
	}
	return nil
}

// String implements pflag.Value: it returns what Set reads.
func (v *Values) String() string {
	parts := make([]string, limits)
	for i, value := range v {
		parts[i] = names[i] + "=" + strconv.FormatInt(value, 10)
	}
	return strings.Join(parts, ",")
}

// Type implements pflag.Value.
func (v *Values) Type() string { return "name=value" }

func joined(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
