package logfile

import (
	"errors"
	"io"

	"github.com/tallystick/tallystick/internal/framing"
)

// documents reads JSON that is not by the line: an array of objects, or objects one after the other.
type documents struct {
	in *framing.Records
	at Position
}

func newDocuments(in io.Reader, chain Chain, longest int) *documents {
	return &documents{in: framing.NewRecords(in, longest), at: Position{Chain: chain}}
}

// Finish implements Records.
func (d *documents) Finish() {}

// Position implements Records.
func (d *documents) Position() Position { return d.at }

func (d *documents) place() Position { return d.at }

func (d *documents) pass(bool) {}

// Next implements Records.
func (d *documents) Next() (Record, error) {
	r, err := d.in.Next()
	if err != nil {
		return Record{}, err
	}
	d.at.Chain = d.at.Chain.next(r.Data)
	d.at.Records++
	record := Record{Data: r.Data, Line: int64(r.Line), ID: d.at.Chain.id(), Err: checkObject(r.Data)}
	if r.Err != nil {
		record.Err = r.Err
		record = record.unread(r.Data)
		var broken *framing.RecordError
		record.Whole = record.Whole && len(r.Data) < keptOfLong && errors.As(r.Err, &broken) && broken.Code != framing.TooLong
	} else if record.Err != nil {
		record = record.unread(r.Data)
	}
	return record, nil
}
