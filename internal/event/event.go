// Package event defines what an event is: how it is parsed from JSON, what identifies a retry, how hashes chain events into a log, how
// events are encoded and decoded, and how a chain is checked. It uses no database.
package event

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/uuid"
)

// Limits of one event.
const (
	// MaxBytes keeps one event from filling a batch; larger payloads belong in object storage, by reference.
	MaxBytes = 1 << 20
	// MaxTypeBytes bounds the type, which is stored beside the event and indexed by its readers.
	MaxTypeBytes = 255
	// MaxKeyBytes bounds an idempotency key: a header's value, or source and id together.
	MaxKeyBytes = 512
	// maxYear is the last that RFC 3339 can write: a time must read back as it was sent.
	maxYear = 9999
)

// space is what JSON allows around a document.
const space = " \t\r\n"

// Event is one JSON object as it was sent, with the members that Tallystick reads.
type Event struct {
	Data []byte // the object, byte for byte as sent, without the white space around it
	Type string // "" when the event has none
	Time int64  // when it happened, microseconds since 1970 UTC; meaningful only with HasTime
	// HasTime is false for an event without a time: it happened when it was recorded.
	HasTime bool
	Key     string    // the idempotency key, for people; "" when there is none
	KeyHash uuid.UUID // the idempotency key, for the database; the zero UUID when there is none
	// FormerKeyHash is the hash of the key that was sent beside an event with an id. Earlier versions stored such an event under it, so a
	// retry must be looked for there too. The zero UUID when there is none.
	FormerKeyHash uuid.UUID
	sent          []byte // Data and the white space around it, which earlier versions hashed too
}

// InvalidError: an event, or a value beside it such as a name, is not acceptable. Code is stable, Detail is for people.
type InvalidError struct{ Code, Detail string }

func (e *InvalidError) Error() string { return e.Code + ": " + e.Detail }

// Invalid returns an *InvalidError.
func Invalid(code, format string, args ...any) error {
	return &InvalidError{Code: code, Detail: fmt.Sprintf(format, args...)}
}

var envelope = mustCompile("/type", "/time", "/id", "/source")

// envelopeValues pools the values that envelope fills in, so that Parse does not allocate them for each event.
var envelopeValues sync.Pool

func mustCompile(pointers ...string) *jsonscan.Pointers {
	p, err := jsonscan.Compile(pointers)
	if err != nil {
		panic(err)
	}
	return p
}

// Parse checks that sent is one JSON object within the limits, and reads its type, time, id and source, which follow CloudEvents 1.0. The
// event refers to sent, which must not change afterwards. The error is an *InvalidError.
func Parse(sent []byte) (Event, error) {
	data := bytes.Trim(sent, space)
	if len(data) > MaxBytes {
		return Event{}, Invalid("event_too_large", "the event has %d bytes; at most %d are allowed", len(data), MaxBytes)
	}
	values, ok := envelopeValues.Get().(*[4]jsonscan.Value)
	if !ok {
		values = new([4]jsonscan.Value)
	}
	defer envelopeValues.Put(values)
	defer clear(values[:])
	if err := envelope.Scan(data, values[:]); err != nil {
		return Event{}, Invalid("invalid_json", "the event is not valid JSON: %v", err)
	}
	if data[0] != '{' {
		return Event{}, Invalid("not_an_object",
			`an event is a JSON object such as {"type": "api.call", "tokens": 12}; this is another kind of JSON value`)
	}
	e := Event{Data: data, sent: sent}
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

func absent(v jsonscan.Value) bool { return v.Kind == jsonscan.Missing || v.Kind == jsonscan.Null }

func (e *Event) readType(v jsonscan.Value) error {
	if absent(v) {
		return nil
	}
	if v.Kind != jsonscan.String {
		return Invalid("invalid_event_type", "the event's type must be a string")
	}
	if err := CheckText("invalid_event_type", "the event's type", v.Text, MaxTypeBytes); err != nil {
		return err
	}
	e.Type = string(v.Text)
	return nil
}

// CheckType checks that a log could hold events of that type. It allows the control characters U+0080 to U+009F, which earlier versions
// accepted. The error is an *InvalidError.
func CheckType(text string) error {
	const code, what = "invalid_event_type", "the type"
	if err := checkSize(code, what, []byte(text), MaxTypeBytes); err != nil {
		return err
	}
	for _, c := range text {
		if unicode.IsControl(c) && c < utf8.RuneSelf {
			return Invalid(code, "%s holds a control character (U+%04X)", what, c)
		}
	}
	return nil
}

func (e *Event) readTime(v jsonscan.Value) error {
	if absent(v) {
		return nil
	}
	t, ok := ParseTime(string(v.Text))
	if v.Kind != jsonscan.String || !ok {
		return Invalid("invalid_event_time", "the event's time must be a string in RFC 3339 form, such as 2025-03-01T10:05:30Z")
	}
	if year := t.Year(); year < 0 || year > maxYear {
		return Invalid("invalid_event_time", "the event's time is in the year %d of UTC; 0 to %d are allowed", year, maxYear)
	}
	e.Time, e.HasTime = t.UnixMicro(), true
	return nil
}

func (e *Event) readID(id, source jsonscan.Value) error {
	if absent(id) {
		return nil
	}
	if id.Kind != jsonscan.String || (!absent(source) && source.Kind != jsonscan.String) {
		return Invalid("invalid_event_id",
			"the event's id, and its source if it has one, must be strings: together they are its idempotency key")
	}
	if absent(source) {
		source.Text = nil // that of null is not empty
	}
	return e.identify("invalid_event_id", string(source.Text), string(id.Text))
}

// SetKey sets the idempotency key that was sent beside the event. An event with an id keeps that as its key. The error is an *InvalidError,
// even if the event has an id.
func (e *Event) SetKey(key string) error {
	if e.KeyHash.IsZero() {
		return e.identify("invalid_idempotency_key", "", key)
	}
	former := Event{}
	if err := former.identify("invalid_idempotency_key", "", key); err != nil {
		return err
	}
	e.FormerKeyHash = former.KeyHash
	return nil
}

// identify sets the key to source and id. The hash covers the source's length, so that different pairs have different hashes.
func (e *Event) identify(code, source, id string) error {
	if id == "" {
		return Invalid(code, "the idempotency key is empty; leave it out or give it 1 to %d bytes", MaxKeyBytes)
	}
	text := id
	if source != "" {
		text = source + " " + id
	}
	if err := CheckText(code, "the idempotency key", []byte(text), MaxKeyBytes); err != nil {
		return err
	}
	var room [8 + MaxKeyBytes]byte
	buf := binary.BigEndian.AppendUint64(room[:0], uint64(len(source)))
	buf = append(append(buf, source...), id...)
	e.Key = text
	e.KeyHash = halfHash(buf)
	return nil
}

// CheckText checks that text is UTF-8 of at most limit bytes without control characters: a PostgreSQL text column, and whoever reads it,
// can take it. what names the text in the error, an *InvalidError.
func CheckText(code, what string, text []byte, limit int) error {
	if err := checkSize(code, what, text, limit); err != nil {
		return err
	}
	for _, c := range string(text) {
		if unicode.IsControl(c) {
			return Invalid(code, "%s holds a control character (U+%04X)", what, c)
		}
	}
	return nil
}

func checkSize(code, what string, text []byte, limit int) error {
	if len(text) > limit {
		return Invalid(code, "%s has %d bytes; at most %d are allowed", what, len(text), limit)
	}
	if !utf8.Valid(text) {
		return Invalid(code, "%s is not valid UTF-8", what)
	}
	return nil
}

// PayloadHash returns half of the SHA-256 of the event's bytes. It tells a retry from a reused key.
func (e *Event) PayloadHash() uuid.UUID { return halfHash(e.Data) }

// HasPayload reports whether a stored payload hash is this event's. Earlier versions hashed the white space around the object too.
func (e *Event) HasPayload(stored uuid.UUID) bool {
	return stored == e.PayloadHash() || len(e.sent) > len(e.Data) && stored == halfHash(e.sent)
}

func halfHash(data []byte) uuid.UUID {
	sum := sha256.Sum256(data)
	return uuid.UUID(sum[:16])
}
