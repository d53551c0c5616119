package event

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ParseLine parses an event as AppendLine and AppendJSON write it, with everything that its hash covers, byte for byte. It accepts exactly
// what they write: other JSON, such as with a member twice or data that differs from raw, could show a reader something else than what was
// hashed. It does not set the event's key hash.
func ParseLine(line []byte) (Recorded, error) {
	var wire struct {
		Sequence   int64           `json:"sequence"`
		Time       string          `json:"time"`
		RecordedAt string          `json:"recorded_at"`
		Type       string          `json:"type"`
		Key        string          `json:"key"`
		Hash       string          `json:"hash"`
		Data       json.RawMessage `json:"data"`
		Raw        *string         `json:"raw"`
	}
	if err := json.Unmarshal(line, &wire); err != nil {
		return Recorded{}, fmt.Errorf("this is no JSON object of an event: %w", err)
	}
	r := Recorded{Sequence: wire.Sequence}
	r.Type, r.Key, r.Data, r.HasTime = wire.Type, wire.Key, wire.Data, true
	if wire.Raw != nil {
		r.Data = []byte(*wire.Raw)
	}
	var err error
	if r.Time, err = parseTime(wire.Time); err != nil {
		return Recorded{}, fmt.Errorf("time: %w", err)
	}
	if r.RecordedAt, err = parseTime(wire.RecordedAt); err != nil {
		return Recorded{}, fmt.Errorf("recorded_at: %w", err)
	}
	hash, err := hex.DecodeString(wire.Hash)
	switch {
	case err != nil || len(hash) != len(r.Hash):
		return Recorded{}, errors.New("hash has not 64 hexadecimal digits")
	case r.Sequence < 1:
		return Recorded{}, errors.New("sequence is no positive number")
	case len(r.Data) == 0:
		return Recorded{}, errors.New("data is missing")
	}
	r.Hash = Hash(hash)
	if !bytes.Equal(AppendLine(nil, &r), line) && !bytes.Equal(AppendJSON(nil, &r), line) {
		return Recorded{}, errors.New("it is not written as Tallystick writes this event")
	}
	return r, nil
}

func parseTime(text string) (int64, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, errors.New("no RFC 3339 time")
	}
	return t.UnixMicro(), nil
}
