// Package eventlog knows what an event is: how one is read from JSON, what identifies a retry, and how events are
// chained by hash into a log. It also creates and finds logs.
package eventlog

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/jsonscan"
)

// Limits of one event.
const (
	// MaxEventBytes keeps one event from filling a batch; larger payloads belong in object storage, by reference.
	MaxEventBytes = 1 << 20
	// MaxTypeBytes bounds the type, which is stored beside the event and indexed by its readers.
	MaxTypeBytes = 255
	// MaxKeyBytes bounds an idempotency key: a header's value, or source and id together.
	MaxKeyBytes = 512
	// maxYear is the last that RFC 3339 can write: a time must read back as it was sent.
	maxYear = 9999
)

// Event is one JSON object as it was sent, with what Tallystick reads from it.
type Event struct {
	Data []byte // byte for byte as sent
	Type string // "" when the event has none
	Time int64  // when it happened, microseconds since 1970 UTC; meaningful only with HasTime
	// HasTime is false for an event without a time: it happened when it was recorded.
	HasTime bool
	Key     string  // the idempotency key, for people; "" when there is none
	KeyHash db.UUID // the idempotency key, for the database; not Valid when there is none
}

// InvalidError says why a value is no event. Code is stable, Detail is for people.
type InvalidError struct{ Code, Detail string }

func (e *InvalidError) Error() string { return e.Code + ": " + e.Detail }

func invalid(code, format string, args ...any) error {
	return &InvalidError{Code: code, Detail: fmt.Sprintf(format, args...)}
}

var envelope = mustCompile("/type", "/time", "/id", "/source")

// envelopeValues holds room for what envelope finds, which Parse would otherwise allocate for each event.
var envelopeValues sync.Pool

func mustCompile(pointers ...string) *jsonscan.Pointers {
	p, err := jsonscan.Compile(pointers)
	if err != nil {
		panic(err)
	}
	return p
}

// Parse checks that data is one JSON object within the limits and reads its type, time, id and source, which follow
// CloudEvents 1.0. The event keeps data: the caller must not change it. The error is an *InvalidError.
func Parse(data []byte) (Event, error) {
	if len(data) > MaxEventBytes {
		return Event{}, invalid("event_too_large", "the event has %d bytes; at most %d are allowed", len(data), MaxEventBytes)
	}
	values, ok := envelopeValues.Get().(*[4]jsonscan.Value)
	if !ok {
		values = new([4]jsonscan.Value)
	}
	defer envelopeValues.Put(values)
	defer clear(values[:])
	if err := envelope.Scan(data, values[:]); err != nil {
		return Event{}, invalid("invalid_json", "the event is not valid JSON: %v", err)
	}
	if !isObject(data) {
		return Event{}, invalid("not_an_object", `an event is a JSON object such as {"type": "api.call", "tokens": 12}; this is another kind of JSON value`)
	}
	e := Event{Data: data}
	typ, clock, id, source := values[0], values[1], values[2], values[3]
	if err := e.readType(typ); err != nil {
		return Event{}, err
	}
	if err := e.readTime(clock); err != nil {
		return Event{}, err
	}
	if err := e.readID(id, source); err != nil {
		return Event{}, err
	}
	return e, nil
}

// isObject looks at the first byte of a document that is known to be valid JSON.
func isObject(data []byte) bool {
	for _, c := range data {
		switch c {
		case ' ', '\t', '\n', '\r':
		default:
			return c == '{'
		}
	}
	return false
}

func absent(v jsonscan.Value) bool { return v.Kind == jsonscan.Missing || v.Kind == jsonscan.Null }

func (e *Event) readType(v jsonscan.Value) error {
	if absent(v) {
		return nil
	}
	if v.Kind != jsonscan.String {
		return invalid("invalid_event_type", "the event's type must be a string")
	}
	if err := checkText("invalid_event_type", "the event's type", v.Text, MaxTypeBytes); err != nil {
		return err
	}
	e.Type = string(v.Text)
	return nil
}

// CheckType tells whether an event could have that type. The error is an *InvalidError.
func CheckType(text string) error {
	return checkText("invalid_event_type", "the type", []byte(text), MaxTypeBytes)
}

func (e *Event) readTime(v jsonscan.Value) error {
	if absent(v) {
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, string(v.Text))
	if v.Kind != jsonscan.String || err != nil || !strictRFC3339(v.Text) {
		return invalid("invalid_event_time", "the event's time must be a string in RFC 3339 form, such as 2025-03-01T10:05:30Z")
	}
	if year := t.UTC().Year(); year < 0 || year > maxYear {
		return invalid("invalid_event_time", "the event's time is in the year %d of UTC; 0 to %d are allowed", year, maxYear)
	}
	e.Time, e.HasTime = t.UnixMicro(), true
	return nil
}

// strictRFC3339 tells whether a text that time.Parse took for RFC 3339 is just that: it also takes an hour of one digit,
// a comma before the fraction, and offsets of a day and more.
func strictRFC3339(text []byte) bool {
	const hourEnd, secondsEnd = len("2006-01-02T15"), len("2006-01-02T15:04:05")
	if text[hourEnd] != ':' || text[secondsEnd] == ',' {
		return false
	}
	zone := text[len(text)-len("+00:00"):]
	return text[len(text)-1] == 'Z' || string(zone[1:3]) < "24" && string(zone[4:]) < "60"
}

func (e *Event) readID(id, source jsonscan.Value) error {
	if absent(id) {
		return nil
	}
	if id.Kind != jsonscan.String || (!absent(source) && source.Kind != jsonscan.String) {
		return invalid("invalid_event_id", "the event's id, and its source if it has one, must be strings: together they are its idempotency key")
	}
	if absent(source) {
		source.Text = nil // that of null is not empty
	}
	return e.setKey("invalid_event_id", string(source.Text), string(id.Text))
}

// SetKey gives the event an idempotency key that takes the place of its id and source.
func (e *Event) SetKey(key string) error {
	return e.setKey("invalid_idempotency_key", "", key)
}

// setKey hashes source and id so that no two pairs meet: the length of the source comes first.
func (e *Event) setKey(code, source, id string) error {
	if id == "" {
		return invalid(code, "the idempotency key is empty; leave it out or give it 1 to %d bytes", MaxKeyBytes)
	}
	text := id
	if source != "" {
		text = source + " " + id
	}
	if err := checkText(code, "the idempotency key", []byte(text), MaxKeyBytes); err != nil {
		return err
	}
	var room [8 + MaxKeyBytes]byte
	buf := binary.BigEndian.AppendUint64(room[:0], uint64(len(source)))
	buf = append(append(buf, source...), id...)
	sum := sha256.Sum256(buf)
	e.Key = text
	e.KeyHash = db.UUID{Bytes: [16]byte(sum[:16]), Valid: true}
	return nil
}

// checkText refuses what a PostgreSQL text column, or a reader of one, could not take.
func checkText(code, what string, text []byte, limit int) error {
	if len(text) > limit {
		return invalid(code, "%s has %d bytes; at most %d are allowed", what, len(text), limit)
	}
	if !utf8.Valid(text) {
		return invalid(code, "%s is not valid UTF-8", what)
	}
	for _, c := range text {
		if c < 0x20 || c == 0x7f {
			return invalid(code, "%s holds a control character (byte 0x%02x)", what, c)
		}
	}
	return nil
}

// PayloadHash tells a retry from a reused key: half of the SHA-256 of the event's bytes.
func (e *Event) PayloadHash() db.UUID {
	sum := sha256.Sum256(e.Data)
	return db.UUID{Bytes: [16]byte(sum[:16]), Valid: true}
}
