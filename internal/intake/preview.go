package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/framing"
	"github.com/tallystick/tallystick/internal/otlp"
	"github.com/tallystick/tallystick/internal/source"
)

const (
	// MaxPreviewLines and maxPreviewBytes bound what a preview shows: its lines, and the bytes of their events.
	MaxPreviewLines = 1000
	maxPreviewBytes = 4 << 20
	// maxPreviewRecord bounds a record of a preview.
	maxPreviewRecord = 4 << 20
)

// Preview is what a source would make of a payload.
type Preview struct {
	Lines                     []PreviewLine
	Mapped, Skipped, Rejected int
	More                      bool // there is more in the payload, which was not looked at
}

// PreviewLine is what would become of a record. Line counts the records of the payload from 1; those of one envelope share it.
type PreviewLine struct {
	Line         int
	Outcome      source.Outcome
	Log          string          // "" where it has none
	Key          string          // what the event is known by; "" for nothing
	Event        json.RawMessage // of one that is mapped
	Code, Detail string          // of one that is rejected
}

// errEnough ends a preview that has shown enough.
var errEnough = errors.New("enough was shown")

// previewing is a preview under way.
type previewing struct {
	Preview

	mapping *source.Mapping
	bytes   int
}

// PreviewPayload shows what a mapping makes of a payload of that form. Nothing is stored, and no log looked for: a record that is mapped
// can still be rejected, for a log that there is not or an identity that another event has. contentType decides between the encodings of
// OTLP, where it is one of theirs.
func PreviewPayload(m *source.Mapping, form Form, contentType string, payload []byte) Preview {
	p := &previewing{mapping: m}
	p.Lines = []PreviewLine{}
	err := p.read(form, contentType, payload)
	var syntax *framing.SyntaxError
	var invalid *otlp.InvalidError
	switch {
	case errors.Is(err, errEnough):
		p.More = true
	case errors.As(err, &syntax):
		_ = p.reject(p.number()+1, "invalid_json", syntax.Error())
	case errors.As(err, &invalid):
		_ = p.reject(p.number()+1, "invalid_otlp", invalid.Error())
	}
	return p.Preview
}

// number is that of the last line.
func (p *previewing) number() int {
	if len(p.Lines) == 0 {
		return 0
	}
	return p.Lines[len(p.Lines)-1].Line
}

func (p *previewing) read(form Form, contentType string, payload []byte) error {
	number := 0
	add := func(record []byte) error {
		number++
		return p.unwrap(number, record)
	}
	if form != Events {
		encoding, known := otlp.EncodingOf(contentType)
		if !known {
			encoding = otlp.Detect(payload)
		}
		if form == Logs {
			return otlp.Logs(payload, encoding, add)
		}
		return otlp.Spans(payload, encoding, add)
	}
	records := framing.NewRecords(bytes.NewReader(payload), maxPreviewRecord)
	for {
		record, err := records.Next()
		var broken *framing.RecordError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case errors.As(record.Err, &broken):
			number++
			err = p.reject(number, broken.Code, broken.Detail)
		default:
			err = add(record.Data)
		}
		if err != nil {
			return err
		}
	}
}

func (p *previewing) unwrap(number int, record []byte) error {
	err := p.mapping.Unwrap(record, func(inner []byte) error { return p.add(number, inner) })
	if invalid := (*event.InvalidError)(nil); errors.As(err, &invalid) {
		return p.reject(number, invalid.Code, invalid.Detail)
	}
	return err
}

func (p *previewing) add(number int, record []byte) error {
	mapped, e := mapRecord(p.mapping, record, "")
	l := PreviewLine{Line: number, Outcome: mapped.Outcome, Log: mapped.Log, Code: mapped.Code, Detail: mapped.Detail}
	if mapped.Outcome == source.Mapped {
		l.Key, l.Event = e.Key, e.Data
	}
	return p.show(l)
}

func (p *previewing) reject(number int, code, detail string) error {
	return p.show(PreviewLine{Line: number, Outcome: source.Rejected, Code: code, Detail: detail})
}

func (p *previewing) show(l PreviewLine) error {
	if len(p.Lines) >= MaxPreviewLines || p.bytes+len(l.Event) > maxPreviewBytes {
		return errEnough
	}
	switch l.Outcome {
	case source.Mapped:
		p.Mapped++
	case source.Skipped:
		p.Skipped++
	case source.Rejected:
		p.Rejected++
	}
	p.bytes += len(l.Event)
	p.Lines = append(p.Lines, l)
	return nil
}
