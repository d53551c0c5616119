package intake

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/memory"
)

const (
	// maxRawBytes is how much of a record the log of rejects keeps.
	maxRawBytes = 64 << 10
	// RejectType is the type of a reject, an event in a source's log of rejects.
	RejectType = "tally.reject"
	// rejectIDBytes of a digest identify a reject.
	rejectIDBytes = 16
)

// Reject is an event in a source's log of rejects: a record that could not be appended, and why. Whole says that Raw, or RawBase64, is all
// of the record, so that it can be mapped again.
type Reject struct {
	Type      string `json:"type"`
	ID        string `json:"id"` // digest of the record, the code and the key: a delivery that is sent again is rejected once
	Source    string `json:"source"`
	Code      string `json:"code"`
	Detail    string `json:"detail"`
	Form      Form   `json:"form"`
	Line      int    `json:"line"`
	Bytes     int    `json:"bytes"`
	Whole     bool   `json:"whole"`
	Path      string `json:"path,omitempty"`       // the pattern of the path that it came to
	RequestID string `json:"request_id,omitempty"` // of the request that it came with
	KeyName   string `json:"key_name,omitempty"`   // of whoever sent it
	Key       string `json:"key,omitempty"`        // the idempotency key that came with the record
	Unwrapped bool   `json:"unwrapped,omitempty"`  // the record was taken out of its envelope
	Unread    bool   `json:"unread,omitempty"`     // it is no record, but what there was of a line or a body that could not be read
	Raw       string `json:"raw,omitempty"`
	RawBase64 string `json:"raw_base64,omitempty"` // of what is no text
}

// Record returns what the reject holds of the record.
func (r *Reject) Record() ([]byte, error) {
	if r.RawBase64 == "" {
		return []byte(r.Raw), nil
	}
	record, err := base64.StdEncoding.DecodeString(r.RawBase64)
	if err != nil {
		return nil, fmt.Errorf("reading a reject: %w", err)
	}
	return record, nil
}

// cut returns as much of a record as the log of rejects keeps; of a text, whole characters.
func cut(raw []byte) []byte {
	if len(raw) <= maxRawBytes {
		return raw
	}
	at := maxRawBytes
	for at > maxRawBytes-utf8.UTFMax && !utf8.RuneStart(raw[at]) {
		at--
	}
	return raw[:at]
}

// keepRejects appends the portion's rejected lines to the source's log of rejects.
func (d *Delivery) keepRejects(ctx context.Context) error {
	if d.replaying {
		return nil
	}
	var events []event.Event
	for i := range d.lines {
		l := &d.lines[i]
		if !l.failed {
			continue
		}
		e, err := d.rejectEvent(l)
		if err != nil {
			return err
		}
		events = append(events, e)
	}
	if len(events) == 0 {
		return nil
	}
	return d.appendRejects(ctx, events)
}

// appendRejects appends rejects, in halves where views of their log need too much for all of them at once.
func (d *Delivery) appendRejects(ctx context.Context, events []event.Event) error {
	for range maxRounds {
		log, err := d.rejectsLog(ctx)
		if err != nil {
			return err
		}
		// One that is there already differs by what it says of the delivery only.
		request := ingest.Request{Events: events, Expected: ingest.AnySequence, Separate: true, Unguarded: true}
		_, err = d.intake.ingest.Append(log.ID, request)
		var costly *ingest.TooCostlyError
		switch half := len(events) / 2; {
		case errors.Is(err, eventlog.ErrLogNotFound): // the database was set back
			d.intake.logs.Forget(d.sender.Tenant, log.Name)
			continue
		case half > 0 && (errors.As(err, &costly) || errors.Is(err, db.ErrRejectedData) || errors.Is(err, memory.ErrFull)):
			if err := d.appendRejects(ctx, events[:half]); err != nil {
				return err
			}
			return d.appendRejects(ctx, events[half:])
		case err != nil:
			return fmt.Errorf("keeping rejects: %w", err)
		}
		return nil
	}
	return errManyRounds
}

// rejectEvent makes the event that the log of rejects gets for a line.
func (d *Delivery) rejectEvent(l *line) (event.Event, error) {
	raw := l.record.raw
	digest := l.record.digest
	if digest == [sha256.Size]byte{} {
		digest = sha256.Sum256(slices.Concat(raw, l.event.Data))
	}
	digest = sha256.Sum256(append(append(digest[:], l.result.Code...), l.as.key...))
	r := Reject{
		Type: RejectType, ID: hex.EncodeToString(digest[:rejectIDBytes]), Source: d.source.Name, Code: l.result.Code,
		Detail: l.result.Detail, Form: d.form, Line: l.number, Bytes: l.record.bytes, Whole: l.record.whole,
		Path: d.sender.Path, RequestID: d.sender.RequestID, KeyName: d.sender.KeyName,
		Key: l.as.key, Unwrapped: l.as.unwrapped, Unread: l.as.unread,
	}
	if utf8.Valid(raw) {
		r.Raw = string(raw)
	} else {
		r.RawBase64 = base64.StdEncoding.EncodeToString(raw)
	}
	data, err := json.Marshal(r)
	if err != nil {
		return event.Event{}, fmt.Errorf("encoding a reject: %w", err)
	}
	return event.Parse(data)
}

// rejectsLog returns the source's log of rejects, which it makes when it is first needed.
func (d *Delivery) rejectsLog(ctx context.Context) (eventlog.Ref, error) {
	name := RejectsOf(d.source.Name)
	log, err := d.intake.logs.Resolve(ctx, d.sender.Tenant, name)
	if !errors.Is(err, eventlog.ErrLogNotFound) {
		return log, err
	}
	made, err := d.intake.logs.Create(ctx, d.sender.Tenant, name, map[string]string{"rejects-of": d.source.Name})
	var taken *eventlog.NameTakenError
	if errors.As(err, &taken) {
		return d.intake.logs.Resolve(ctx, d.sender.Tenant, name)
	}
	return eventlog.Ref{ID: made.ID, Name: made.Name}, err
}
